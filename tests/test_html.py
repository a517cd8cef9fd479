"""The page as text: in step with its sources, every formula drawn, every exercise answered, nothing loaded."""
import base64
import html
import io
import json
import re
import runpy
from contextlib import redirect_stdout
from html.parser import HTMLParser
from xml.etree import ElementTree

import build_html
import nbformat
import numpy as np
import outside
import pytest
from PIL import Image

from chapter_adam import exercises

LOADING = {'src', 'srcset', 'poster', 'data', 'background', 'action'}
EMPTY = {'meta', 'link', 'img', 'br', 'hr', 'input', 'col', 'wbr'}
LINKS = {'https://d2l.ai/chapter_optimization/adam.html', 'https://arxiv.org/abs/1412.6980',
         'https://doi.org/10.24432/C5VW2C'}


class Page(HTMLParser):
    """What the page has: its tags, what it would load, where it leads, and its text apart from formulas and code."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.loads, self.links, self.words, self.open = [], [], [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.links += [value for name, value in attrs if name == 'href']
        self.loads += [value for name, value in attrs if name in LOADING or name == 'href' and tag != 'a'
                       and ('rel', 'expect') not in attrs]  # which waits for a part of the page itself
        self.loads += [value for name, value in attrs if name.startswith('on')]
        if tag not in EMPTY:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        if tag not in EMPTY:
            self.open.pop()

    def handle_endtag(self, tag):
        if tag != 'option' and self.open[-1] == 'option':  # whose end may be left out
            while self.open[-1] == 'option':
                self.open.pop()
        assert self.open.pop() == tag

    def handle_data(self, data):
        if not {'style', 'script', 'pre', 'math'} & set(self.open):
            self.words.append(data)


@pytest.fixture(scope='module')
def text(tmp_path_factory):
    """Written as `make html` writes it, but into another folder, which is not there yet."""
    path, said = tmp_path_factory.mktemp('page') / 'new' / 'index.html', io.StringIO()
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(said):
        patch.setattr('sys.argv', ['build_html.py', str(path)])
        runpy.run_path(build_html.__file__, run_name='__main__')
    assert said.getvalue() == f'{path}\n' and build_html.PAGE == outside.CLONE / 'docs' / 'index.html'
    return path.read_text(encoding='utf-8')


@pytest.fixture(scope='module')
def notebook():
    return nbformat.read(build_html.NOTEBOOK, as_version=4)


def pictures(text):
    return [np.asarray(Image.open(io.BytesIO(base64.b64decode(each))).convert('RGB'), np.int16)
            for each in build_html.PNG.findall(text)]


def test_the_committed_page_is_the_one_that_its_sources_make(text):
    """Apart from the bytes of its pictures, which another version of the library may write in another way."""
    committed = build_html.PAGE.read_text(encoding='utf-8')
    assert build_html.PNG.sub('', committed) == build_html.PNG.sub('', text), 'docs/index.html is old: make html'
    for ours, theirs in zip(pictures(committed), pictures(text)):
        assert ours.shape == theirs.shape and np.abs(ours - theirs).mean() < 2, 'docs/index.html is old: make html'
    assert len(committed.encode()) < 600_000


def test_the_lab_stays_small():
    assert sum(build_html.read(path).count('\n') for path in build_html.LAB.glob('*.mjs')) <= 1500


def test_it_loads_nothing_and_leads_to_its_sources(text):
    page = Page(text)
    assert not page.open
    assert page.tags.count('link') == 1 and not {'iframe', 'object', 'embed', 'base'} & set(page.tags)
    assert len(page.loads) == 11 and all(value.startswith('data:image/') for value in page.loads)
    styles = re.findall('<style>(.*?)</style>', text, re.DOTALL)
    assert not re.search(r'@import|url\(', ''.join(styles)) and '#lab > :not(noscript)' in styles[1]
    names = {'http://www.w3.org/1998/Math/MathML', 'http://www.w3.org/2000/svg', 'http://www.w3.org/1999/xlink'}
    assert set(re.findall(r'https?://[^\s"\'<]+', text)) - names == LINKS == {
        link for link in page.links if link.startswith('http')}
    assert all(link.startswith(('http', '#')) for link in page.links)  # the file may stand alone
    assert not re.search(r'^\s*(import|export)\b', ''.join(re.findall('<script>(.*?)</script>', text, re.DOTALL)),
                         re.MULTILINE)


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
    originals = pictures('\n'.join(f'data:image/png;base64,{output.data["image/png"]}'.replace('\n', '')
                                   for cell in notebook.cells for output in cell.get('outputs', [])
                                   if 'image/png' in output.get('data', {})))
    assert len(originals) == 4
    for ours, original in zip(pictures(text), originals, strict=True):
        assert np.abs(ours - original).mean() < 2
    assert text.count('<img') == len(set(re.findall(r'<img [^>]*?alt="([^"]+)"', text))) == 4 + 7
    assert 'loss: 0.24' in text and 'largest gap between the two curves' in text


@pytest.mark.parametrize('name', exercises.discover())
def test_each_exercise_has_its_answer_and_its_figure_folded_below(text, name):
    section = re.search(rf'<section class="exercise" id="exercise-{name}">(.*?)</section>', text, re.DOTALL)[1]
    asked, folded = section.split('<details class="answer">')
    assert '?' in asked and asked.count('<a data-try href="#') >= 2
    facts = json.loads((build_html.FIGURES / f'exercise-{name}.json').read_text())
    assert all(html.escape(sentence) in folded for sentence, _ in exercises.load(name).answer(facts))
    assert len(re.findall(r'<img loading="lazy" width="[\d.]+" height="[\d.]+" alt="[^"]{30,}"', folded)) == 1


@pytest.mark.parametrize('name', ['learning-rate', 'paths'])
def test_a_smaller_figure_is_the_same_figure(name):
    """The same words and shapes, no point of it moved by more than a tenth of a point's half."""
    text = build_html.read(build_html.FIGURES / f'exercise-{name}.svg')
    large, small = (ElementTree.fromstring(each) for each in (text, build_html.smaller(text)))
    for tag in ('path', 'use', 'text', 'clipPath', 'image'):
        pairs = list(zip(*(svg.iter(f'{{http://www.w3.org/2000/svg}}{tag}') for svg in (large, small)), strict=True))
        for one, other in pairs:
            assert one.text == other.text or not one.text.strip()
            for key in {'d', 'x', 'y'} & set(one.keys()):
                numbers = [[float(number) for number in re.findall(r'-?\d+(?:\.\d+)?', each.get(key))]
                           for each in (one, other)]
                assert numbers[0] == pytest.approx(numbers[1], abs=0.0501)
    assert len(build_html.smaller(text)) < 0.6 * len(text)


@pytest.mark.parametrize('source, words, count', [
    ('`a $ b` and $x$', '`a $ b` and formula000x', 1),
    ('$$x_1 *\ny$$ and $z_1$ and $w_1$', 'formula000x and formula001x and formula002x', 3),
    ('no formula', 'no formula', 0),
])
def test_a_formula_is_kept_from_markdown(source, words, count):
    formulas = []
    assert build_html.without_formulas(source, formulas) == words
    assert len(formulas) == count
