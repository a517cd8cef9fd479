"""The gallery, figures/README.md: every figure in one entry, with one sentence and a command that exists."""
import re

import outside
import pytest

from chapter_adam import cli, exercises

FOLDER = outside.CLONE / 'figures'
ENTRY = re.compile(r'## (?P<name>\S+)\n\n(?P<sentence>.+?)\n\n    (?P<command>.+)\n\n'
                   r'!\[(?P<alt>[^]]+)\]\((?P<file>\S+)\)\n*', re.DOTALL)


@pytest.fixture(scope='module')
def entries():
    """The entries by name; each part of the page after its head must be one."""
    parts = (FOLDER / 'README.md').read_text(encoding='utf-8').split('\n## ')[1:]
    found = [ENTRY.fullmatch(f'## {part}') for part in parts]
    assert all(found), 'an entry is: ## name, a sentence, the command, the picture'
    return {match['name']: match for match in found}


def test_every_figure_is_in_it_and_no_other(entries):
    drawn = {name.removesuffix('.png') for name in outside.committed('figures') if name.endswith('.png')}
    assert drawn <= set(entries), 'figures/README.md: each committed figure needs an entry'
    assert set(entries) <= {path.stem for path in FOLDER.glob('*.png')}, 'figures/README.md: an entry without figure'
    assert all(match['file'] == f'{name}.png' for name, match in entries.items())


def test_each_has_one_sentence(entries):
    for name, match in entries.items():
        assert re.fullmatch(r'[A-Z](?:[^.!?]|\.(?! |$))+\.', match['sentence'].replace('\n', ' ')), name


def test_each_command_exists_and_is_that_of_the_figure(entries):
    for name, match in entries.items():
        words = match['command'].split()
        if name.startswith('exercise-'):
            exercise = name.removeprefix('exercise-')
            assert words == ['chapter-adam', 'exercise', exercise] and exercise in exercises.discover()
        elif words[0] == 'chapter-adam':
            cli.parser().parse_args(cli.with_default_command(words[1:]))
            assert words[1:] == ([name] if name in ('seeds', 'choices') else [])
        else:
            assert words == ['make', 'bench'] + ['ARGS=--many'] * (name == 'bench_many')


def test_the_readme_leads_to_it():
    assert '(figures/README.md)' in (outside.CLONE / 'README.md').read_text(encoding='utf-8')
