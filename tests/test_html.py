"""The page: every formula drawn without the network, and nothing loaded from outside of it."""
import io
import re
import runpy
from contextlib import redirect_stdout
from html.parser import HTMLParser
from xml.etree import ElementTree

import build_html
import nbformat
import outside
import pytest

LOADING = {'src', 'srcset', 'poster', 'data', 'background', 'action'}
EMPTY = {'meta', 'img', 'br', 'hr', 'input', 'col', 'wbr'}


class Page(HTMLParser):
    """What the page has: its tags, what it would load, and its text apart from formulas, code and style."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.loads, self.words, self.open = [], [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.loads += [value for name, value in attrs if name in LOADING or name == 'href' and tag != 'a']
        self.loads += [value for name, value in attrs if name.startswith('on')]
        if tag not in EMPTY:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        if tag not in EMPTY:
            self.open.pop()

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if not {'style', 'pre', 'math'} & set(self.open):
            self.words.append(data)


@pytest.fixture(scope='module')
def text(tmp_path_factory):
    """Written as `make html` writes it, but into another folder, which is not there yet."""
    path, said = tmp_path_factory.mktemp('page') / 'new' / 'adam.html', io.StringIO()
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(said):
        patch.setattr('sys.argv', ['build_html.py', str(path)])
        runpy.run_path(build_html.__file__, run_name='__main__')
    assert said.getvalue() == f'{path}\n' and build_html.PAGE == outside.CLONE / 'build' / 'adam.html'
    return path.read_text(encoding='utf-8')


@pytest.fixture(scope='module')
def notebook():
    return nbformat.read(build_html.NOTEBOOK, as_version=4)


def test_it_loads_nothing(text):
    page = Page(text)
    assert not page.open
    assert not {'script', 'link', 'iframe', 'object', 'embed', 'base', 'form'} & set(page.tags)
    assert page.loads and all(value.startswith('data:image/png;base64,') for value in page.loads)
    style, = re.findall('<style>(.*?)</style>', text, re.DOTALL)
    assert not re.search(r'@import|url\(', style)
    assert set(re.findall(r'https?://[^\s"<]+', text)) == {'http://www.w3.org/1998/Math/MathML'}  # a name, not a place


def test_every_formula_is_drawn(text, notebook):
    source = '\n'.join(cell.source for cell in notebook.cells if cell.cell_type == 'markdown')
    drawn = re.findall('<math .*?</math>', text, re.DOTALL)
    dollars = source.count('$')
    assert len(drawn) == (dollars - 2 * source.count('$$')) / 2 + source.count('$$') / 2 > 10
    for formula in drawn:
        ElementTree.fromstring(formula)
        assert not re.search(r'[\\$]|merror|<mtext', formula)
    words = ''.join(Page(text).words)
    assert not re.search(r'[\\$]|formula\d', words)
    assert 'For every parameter' in words and 'Exercises' in words


def test_its_formulas_are_those_of_the_book(text):
    """The update, read back from the MathML: x_t = x_t-1 - eta v^_t / sqrt(s^_t) + eps, bold letters as such."""
    update = [formula for formula in re.findall('<math .*?</math>', text, re.DOTALL) if 'msqrt' in formula]
    said, = (''.join(ElementTree.fromstring(formula).itertext()) for formula in update)
    assert said == '𝐱t=𝐱t−1−η𝐯^t𝐬^t+ϵ,'


def test_it_holds_the_notebooks_code_outputs_and_figures(text, notebook):
    outputs = [output for cell in notebook.cells for output in cell.get('outputs', [])]
    assert text.count('data:image/png;base64,') == sum('image/png' in output.get('data', {}) for output in outputs) > 2
    assert text.count('<img') == len(re.findall(r'<img [^>]*alt="[^"]+"', text)) == text.count('data:image/png')
    assert 'loss: 0.24' in text and 'largest gap between the two curves' in text
    assert text.count('<h2') == 7


@pytest.mark.parametrize('source, words, count', [
    ('`a $ b` and $x$', '`a $ b` and formula000x', 1),
    ('$$x_1 *\ny$$ and $z_1$ and $w_1$', 'formula000x and formula001x and formula002x', 3),
    ('no formula', 'no formula', 0),
])
def test_a_formula_is_kept_from_markdown(source, words, count):
    formulas = []
    assert build_html.without_formulas(source, formulas) == words
    assert len(formulas) == count
