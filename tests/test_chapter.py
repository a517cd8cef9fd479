"""The chapter opens as a notebook of public names."""
import ast
import re

import jupytext
import nbformat
import outside
import pytest

import chapter_adam

CHAPTER = outside.CLONE / 'chapter_adam' / 'chapter.py'


@pytest.fixture(scope='module')
def notebook():
    return jupytext.read(CHAPTER)


def code_of(notebook):
    return [cell.source for cell in notebook.cells if cell.cell_type == 'code']


def test_the_chapter_opens_as_a_notebook(notebook):
    nbformat.validate(notebook)
    assert notebook.metadata.kernelspec.name == 'python3'
    kinds = [cell.cell_type for cell in notebook.cells]
    assert kinds[:3] == ['markdown', 'code', 'markdown'] and kinds.count('code') >= 5
    headings = re.findall(r'^##? (.*)', '\n'.join(c.source for c in notebook.cells if c.cell_type == 'markdown'), re.M)
    assert headings[0] == 'Adam' and {'From scratch', 'With Gluon', 'Exercises'} <= set(headings)


def test_the_chapter_uses_public_names_only(notebook):
    """A reader can copy any cell into a notebook of their own."""
    trees = [node for cell in code_of(notebook) for node in ast.walk(ast.parse(cell))]
    used = {node.attr for node in trees if isinstance(node, ast.Attribute)
            and isinstance(node.value, ast.Name) and node.value.id == 'gb'}
    assert used >= {'get_data_ch7', 'train_ch7', 'train_gluon_ch7'}
    assert used <= set(chapter_adam.__all__)
    imported = {ast.unparse(node) for node in trees if isinstance(node, (ast.Import, ast.ImportFrom))}
    assert imported == {'import chapter_adam as gb', 'from mxnet import nd', 'from matplotlib import pyplot as plt'}


def test_the_chapters_formula_is_its_code_and_the_packages(notebook):
    """The rule is shown in the chapter and kept in the package: line by line the same arithmetic."""
    def update(source):
        rule, = (node for node in ast.parse(source).body if getattr(node, 'name', '') == 'adam')
        return [ast.unparse(node) for node in rule.body[-2:]]  # the loop over the parameters, and t's advance

    shown = update('\n'.join(code_of(notebook)))
    assert 'v_hat / (s_hat.sqrt() + eps)' in shown[0] and shown[1] == "hyperparams['t'] = t + 1"
    assert shown == update((CHAPTER.parent / 'rules' / 'optimizers.py').read_text())
