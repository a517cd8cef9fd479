"""The house: which folder imports which, how many files it has, and how long they are."""
import ast

import outside
import pytest

import chapter_adam

PACKAGE = outside.CLONE / 'chapter_adam'
# folder, or file at the top: what it may import, within functions too
MAY_IMPORT = {
    'compat': '',
    'lines': '',
    'interrupts': '',
    'lazy': 'compat interrupts lines',
    'core': 'compat lazy',
    'rules': 'compat core',
    'output': 'core',
    'advice': 'compat core lazy lines rules',
    'many': 'advice compat core lazy rules',
    'book': 'advice compat core output rules',
    'grading': 'advice compat core lines output rules',
    'comparing': 'core lazy many output rules book grading',
    'sections': 'output',
    'exercises': 'compat core lazy many output rules book',
    'bench': 'compat core many output rules book',
    'command': 'compat core many output rules book exercises bench grading comparing',
    '__main__': 'command',
    '__init__': 'compat',
}
FILES = sorted(path for path in PACKAGE.rglob('*.py') if path.name != 'chapter.py')  # the chapter is a reader's script
FOLDERS = sorted({path.parent for path in FILES})


def top(path):
    return path.relative_to(PACKAGE).with_suffix('').parts[0]


def imported(source, folder):
    """The folders and top files that a source text in a folder of the package, such as ('bench', 'peers'), imports."""
    for node in ast.walk(ast.parse(source)):
        names = [alias.name.split('.') for alias in getattr(node, 'names', []) if hasattr(alias, 'name')]
        if isinstance(node, ast.ImportFrom):
            base = ['chapter_adam', *folder][:len(folder) + 2 - node.level] if node.level else []
            base += node.module.split('.') if node.module else []
            names = [base + name for name in names]
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            for name in names:
                if name[0] == 'chapter_adam' and len(name) > 1 and name[1] != '__version__':
                    # A public name at the top stands for the folder that it comes from.
                    yield chapter_adam.MODULE_OF.get(name[1], name[1]).split('.')[0]


@pytest.mark.parametrize('source, found', [
    ('from ..core.history import History', ['core']), ('from .. import compat, exercises', ['compat', 'exercises']),
    ('def f():\n    from ..lazy import lazy', ['lazy']), ('from . import seeds', ['command']), ('import numpy', []),
    ('from .parser import parse', ['command']), ('import chapter_adam.many.models', ['many']),
    ('from chapter_adam import adam, hybridize', ['rules', 'lazy']), ('from .. import __version__', []),
    ('class History:\n    pass', [])])
def test_imports_of_every_form_are_seen(source, found):
    assert [*imported(source, ['command'])] == found


@pytest.mark.parametrize('folder', MAY_IMPORT)
def test_arrows_between_folders_run_downwards(folder):
    reached = {name for path in FILES if top(path) == folder
               for name in imported(path.read_text(encoding='utf-8'), path.relative_to(PACKAGE).parent.parts)}
    assert reached - {folder} <= set(MAY_IMPORT[folder].split())


def test_the_table_has_every_folder_and_no_circle():
    assert {top(path) for path in FILES} == set(MAY_IMPORT)
    done = set()
    while len(done) < len(MAY_IMPORT):
        ready = {name for name, below in MAY_IMPORT.items() if name not in done and set(below.split()) <= done}
        assert ready, f'a circle among {MAY_IMPORT.keys() - done}'
        done |= ready


@pytest.mark.parametrize('folder', FOLDERS, ids=lambda folder: folder.name)
def test_a_folder_has_at_most_eight_files_and_says_in_a_sentence_what_it_is_for(folder):
    assert sum(path.parent == folder for path in FILES) <= 8
    sentence, *more = ast.get_docstring(ast.parse((folder / '__init__.py').read_text(encoding='utf-8'))).split('\n')
    assert sentence.endswith('.') and '. ' not in sentence and more[:1] in ([], [''])


@pytest.mark.parametrize('path', FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_file_says_what_it_is_and_is_short(path):
    text = path.read_text(encoding='utf-8')
    assert ast.get_docstring(ast.parse(text)) and text.count('\n') <= 270
