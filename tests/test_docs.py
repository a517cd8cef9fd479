"""README, docs and gallery: their length, links, commands, code and numbers."""
import json
import re
import shlex
import statistics

import outside
import pytest
from matplotlib import pyplot as plt

import chapter_adam
from chapter_adam import exercises
from chapter_adam.command import choices, parser, seeds

README, DOCS = outside.CLONE / 'README.md', sorted((outside.CLONE / 'docs').glob('*.md'))
GALLERY, CHAPTER = outside.CLONE / 'figures' / 'README.md', outside.CLONE / 'chapter_adam' / 'chapter.py'
PAGES = [README, *DOCS, outside.CLONE / 'CHANGELOG.md', GALLERY, outside.CLONE / 'data' / 'README.md']
OUTSIDE = re.compile(r'https://(d2l\.ai/chapter_\w+/\w+\.html|arxiv\.org/abs/\d{4}\.\d{4,5}|doi\.org/10\.\S+)')
ENTRY = re.compile(r'## (?P<name>\S+)\n\n(?P<sentence>.+?)\n\n    (?P<command>.+)\n\n'
                   r'!\[(?P<alt>[^]]+)\]\((?P<file>\S+)\)\n*', re.DOTALL)
RATIO = re.compile(r'\(`([\w-]+)`\) \| ([\d.]+) to ([\d.]+) \|')


def text(path):
    return path.read_text(encoding='utf-8')


def figure_data(name):
    return json.loads(text(outside.CLONE / 'figures' / f'{name}.json'))


def anchors(path):
    """What a link may name after its #: GitHub's form of the headings."""
    return {re.sub(r'[^\w -]', '', heading.lower()).replace(' ', '-') for heading in
            re.findall(r'^#+ (.+)', text(path), re.MULTILINE)}


def blocks(path, language):
    return re.findall(rf'^```{language}\n(.*?)^```', text(path), re.DOTALL | re.MULTILINE)


def entries():
    """The gallery's entries by name; each part of the page after its head must be one."""
    parts = text(GALLERY).split('\n## ')[1:]
    found = [ENTRY.fullmatch(f'## {part}') for part in parts]
    assert all(found), 'an entry is: ## name, a sentence, the command, the picture'
    return {match['name']: match for match in found}


def test_the_readme_is_one_page():
    assert text(README).count('\n') <= 120 and len(text(README).split()) <= 700


def test_the_readme_leads_to_every_page():
    for path in [*DOCS, GALLERY]:
        assert f'({path.relative_to(outside.CLONE)})' in text(README)


@pytest.mark.parametrize('path', [*PAGES, CHAPTER], ids=lambda path: str(path.relative_to(outside.CLONE)))
def test_links_lead_somewhere(path):
    for target in re.findall(r'\]\(([^)\s]+)\)', text(path)):
        if target.startswith('http'):
            assert OUTSIDE.fullmatch(target), target
        else:
            file, _, anchor = target.partition('#')
            found = (path.parent / file).resolve() if file else path
            assert found.is_file() and outside.CLONE in found.parents, target
            assert not anchor or anchor in anchors(found), target


def commands(path):
    """The commands on a page: what is indented, and inline code that begins with one of our programs."""
    page = re.sub(r'^```.*?^```', '', text(path), flags=re.DOTALL | re.MULTILINE)
    indented = ''.join(re.findall(r'(?<=\n\n)(?:    \S.*\n)+', page))
    return [*indented.splitlines(), *re.findall(r'`((?:make|chapter-adam) [^`]+)`', page)]


@pytest.mark.parametrize('path', PAGES, ids=lambda path: str(path.relative_to(outside.CLONE)))
def test_commands_parse(path):
    targets = set(re.findall(r'^(\w+):', text(outside.CLONE / 'Makefile'), re.MULTILINE))
    for line in commands(path):
        program, *words = shlex.split(line.replace('COMMAND', 'run'))
        if program == 'make':
            settings = dict(setting.split('=', 1) for setting in words[1:])
            assert words[0] in targets and set(settings) <= {'ARGS', 'PYTHON'}, line
            arguments = shlex.split(settings.get('ARGS', ''))
            words = {'run': arguments, 'bench': ['bench', *arguments]}.get(words[0])
        elif program == '.venv/bin/python':
            assert words[:2] == ['-m', 'chapter_adam'], line
            words = words[2:]
        elif program == '.venv/bin/jupyter-lab':
            assert (outside.CLONE / words[0]).is_file() and words[1:] == []
            words = None
        else:
            assert program in ('chapter-adam', '.venv/bin/chapter-adam'), line
        if words is not None:
            try:
                parser.parser().parse_args(parser.with_default_command(words))
            except SystemExit as stop:  # --help and --version
                assert not stop.code, line


@pytest.mark.parametrize('path', [path for path in PAGES if blocks(path, 'python')], ids=lambda path: path.stem)
def test_the_code_runs(path, capsys):
    """A page's cells, one after the other; those of its text blocks that follow `prints` are what they print."""
    names = {}
    for block in blocks(path, 'python'):
        exec(block, names)
    plt.close('all')
    printed = capsys.readouterr().out
    for block in re.findall(r'^prints\n\n```text\n(.*?)```', text(path), re.DOTALL | re.MULTILINE):
        assert block in printed


def test_names_of_the_package_exist():
    for path in PAGES:
        for name in re.findall(r'\bgb\.(\w+)', text(path)):
            assert name in chapter_adam.__all__, f'{path.name}: gb.{name}'


def test_what_the_commands_print_is_in_the_docs():
    words, comparison = seeds.words(figure_data('seeds')), figure_data('comparison')
    assert words in text(outside.CLONE / 'docs' / 'seeds.md')
    assert words.split('\nscratch and Gluon')[0] in text(README)
    assert choices.table(figure_data('choices')) in text(outside.CLONE / 'docs' / 'differences.md')
    for name in ('scratch', 'gluon'):
        assert f'loss: {comparison[name]["losses"][-1]:f}, ' in text(README)
    gap = re.search(r'largest gap of the curves +(\S+)', text(README))[1]
    assert f'{comparison["floor"]:11.6f}\n' in text(README) and float(f'{float(gap):.0e}') == comparison['largest_gap']


def test_the_ratios_of_the_benchmark_are_in_their_ranges():
    page, peers = text(outside.CLONE / 'docs' / 'speed.md'), figure_data('bench')['peers']
    faster, slower = page.split('| and slower than')
    seconds = {name: statistics.median(peer['seconds_per_run_epoch']['1']) for name, peer in peers.items()}
    ours = seconds['ours-scratch-hybridized']
    for part, ratio in ((faster, lambda other: other / ours), (slower, lambda other: ours / other)):
        found = RATIO.findall(part)
        assert len(found) >= 3, 'a row ends with | LOW to HIGH |'
        for name, low, high in found:
            assert float(low) <= ratio(seconds[name]) <= float(high), name


def test_no_number_is_missing():
    for path in PAGES:
        assert not re.findall(r'NUMBER-[\w-]+', text(path)), path.name


def test_the_command_page_has_every_option():
    page = text(outside.CLONE / 'docs' / 'command.md')
    table = dict(re.findall(r'^\| `(\w+)(?: NAME)?`[^|]*\|[^|]*\| (.*) \|$', page, re.MULTILINE))
    assert set(table) == set(parser.COMMANDS)
    groups = {'training': parser.TRAINING, 'files': parser.FILES}
    for command, (_, _, options) in parser.COMMANDS.items():
        listed = set(re.findall(r'`(--[\w-]+)`', table[command]))
        for group, members in groups.items():
            if re.search(rf'\b{group}\b', table[command]):
                listed |= {names[0] for names, _ in members}
        assert listed == {names[0] for names, _ in options if names[0].startswith('-')}, command
    known = {name for _, _, options in parser.COMMANDS.values() for names, _ in options for name in names
             if name.startswith('-')}
    assert set(re.findall(r'^\| (?:\w+: )?`\[?(--[\w-]+)', page, re.MULTILINE)) == known
    for code in (0, 1, 2, 129, 130, 143):
        assert f'\n| {code} | ' in page and f'{code} ' in parser.EPILOG


def test_the_chapter_lists_every_exercise():
    links = re.findall(r'figures/README\.md#exercise-([\w-]+)', text(CHAPTER))
    assert sorted(links) == sorted(exercises.discover()) and len(links) == 7


def test_every_figure_is_in_the_gallery_and_no_other():
    drawn = {name.removesuffix('.png') for name in outside.committed('figures') if name.endswith('.png')}
    assert drawn <= set(entries()), 'figures/README.md: each committed figure needs an entry'
    assert set(entries()) <= {path.stem for path in GALLERY.parent.glob('*.png')}, 'an entry without figure'
    assert all(match['file'] == f'{name}.png' for name, match in entries().items())


def test_each_entry_of_the_gallery_has_one_sentence_and_its_command():
    for name, match in entries().items():
        assert re.fullmatch(r'[A-Z](?:[^.!?]|\.(?! |$))+\.', match['sentence'].replace('\n', ' ')), name
        words = match['command'].split()
        if name.startswith('exercise-'):
            assert words == ['chapter-adam', 'exercise', name.removeprefix('exercise-')]
        elif words[0] == 'chapter-adam':
            assert words[1:] == ([name] if name in ('seeds', 'choices') else [])
        else:
            assert words == ['make', 'bench'] + ['ARGS=--many'] * (name == 'bench_many')
