"""The house: which folder imports which, how many files it has, and how long they are."""
import ast

import outside
import pytest

PACKAGE = outside.CLONE / 'chapter_adam'
# folder, or file at the top: what it may import, within functions too
MAY_IMPORT = {
    'compat': '',
    'lazy': 'compat',
    'core': 'compat lazy',
    'rules': 'compat core',
    'output': 'core',
    'many': 'compat core lazy rules',
    'book': 'core output rules',
    'exercises': 'compat core lazy many output rules book',
    'bench': 'compat core many output rules book',
    'command': 'compat core many output rules book exercises bench',
    '__main__': 'command',
    '__init__': 'compat',
}
FILES = sorted(path for path in PACKAGE.rglob('*.py') if path.name != 'chapter.py')


def top(path):
    return path.relative_to(PACKAGE).with_suffix('').parts[0]


def imported(path):
    """The folders and top files that a file's relative imports reach."""
    here = path.relative_to(PACKAGE).parent.parts
    for node in ast.walk(ast.parse(path.read_text(encoding='utf-8'))):
        if isinstance(node, ast.ImportFrom) and node.level:
            base = here[:len(here) - node.level + 1]
            names = [node.module] if node.module else [alias.name for alias in node.names]
            for name in names:
                reached = [*base, *name.split('.')]
                if (PACKAGE / reached[0]).is_dir() or (PACKAGE / f'{reached[0]}.py').exists():
                    yield reached[0]


@pytest.mark.parametrize('folder', MAY_IMPORT)
def test_arrows_between_folders_run_downwards(folder):
    reached = {name for path in FILES if top(path) == folder for name in imported(path)} - {folder}
    assert reached <= set(MAY_IMPORT[folder].split()), f'{folder} imports {reached}'


def test_the_table_has_no_circle():
    done = set()
    while len(done) < len(MAY_IMPORT):
        ready = {name for name, below in MAY_IMPORT.items() if name not in done and set(below.split()) <= done}
        assert ready, f'a circle among {MAY_IMPORT.keys() - done}'
        done |= ready


def test_every_folder_is_in_the_table():
    assert {top(path) for path in FILES} == set(MAY_IMPORT)


def test_a_folder_has_at_most_eight_files():
    counts = {}
    for path in FILES:
        counts[path.parent] = counts.get(path.parent, 0) + 1
    assert max(counts.values()) <= 8, counts


@pytest.mark.parametrize('path', FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_file_says_what_it_is_and_is_short(path):
    text = path.read_text(encoding='utf-8')
    assert ast.get_docstring(ast.parse(text)), 'the first line of a file says what stands in it'
    assert text.count('\n') <= 300
