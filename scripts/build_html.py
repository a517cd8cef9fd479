"""Writes docs/index.html: the chapter, its exercises and the lab, one page that loads nothing. `make html` calls this.

    python scripts/build_html.py [FILE]     default: docs/index.html

The chapter is the committed notebook; nbconvert makes its HTML, and each formula becomes MathML, which browsers draw by
themselves. The exercises' answers and figures are made of figures/exercise-*.json and .svg. The lab is
chapter_adam/lab: the skeleton lab.html, the style lab.css, and ES modules that are joined into one script.
"""
import base64
import html
import io
import json
import re
import sys
from collections import Counter
from pathlib import Path

import nbformat
import numpy as np
from latex2mathml.converter import convert
from nbconvert import HTMLExporter
from nbconvert.filters import markdown2html
from PIL import Image
from pygments.formatters import HtmlFormatter

from chapter_adam import exercises
from chapter_adam.core.airfoil import read_table, standardise

CLONE = Path(__file__).resolve().parents[1]
NOTEBOOK = CLONE / 'chapter_adam' / 'adam.ipynb'
LAB, FIGURES = CLONE / 'chapter_adam' / 'lab', CLONE / 'figures'
PAGE = CLONE / 'docs' / 'index.html'
FORMULA = re.compile(r'\$\$(?P<block>.+?)\$\$|\$(?P<inline>[^$]+?)\$', re.DOTALL)
CODE = re.compile(r'(`[^`]*`)')  # a dollar in code is a dollar
QUESTION = re.compile(r'^\d+\. (.+?)\s+\(\[answer\]\([^)]*#exercise-([\w-]+)\)\)', re.DOTALL | re.MULTILINE)
RUN = re.compile(r'^(\w+) = gb\.train', re.MULTILINE)
PNG = re.compile(r'(?<=data:image/png;base64,)[A-Za-z0-9+/=]+')
IMPORT = re.compile(r"^import ([^;]*?) from '\./([\w.]+)'[^;]*;\n", re.MULTILINE)


def without_formulas(text, formulas):
    """The Markdown with a word in place of each formula, which is appended to `formulas` as MathML.

    A word passes through any Markdown reader; a formula does not: its underscores would set it in italics.
    """
    def replace(match):
        kind = match.lastgroup
        formulas.append(convert(match[kind].strip(), display=kind))
        return f'formula{len(formulas) - 1:03d}x'

    parts = CODE.split(text)
    return ''.join(part if part.startswith('`') else FORMULA.sub(replace, part) for part in parts)


def with_formulas(body, formulas):
    """The HTML with each formula in its place; what may be wider than the page can be reached and moved by keyboard."""
    body = re.sub(r'formula(\d{3})x', lambda match: formulas[int(match[1])], body)
    return re.sub(r'<pre|<math(?=[^>]* display="block")', r'\g<0> tabindex="0"', body)


def chapter_of(notebook):
    """The cells as HTML up to the exercises, without the title, which is the page's."""
    formulas, cells = [], [nbformat.from_dict(cell) for cell in notebook.cells]
    cells[0].source = cells[0].source.split('\n', 1)[1]
    cells[-1].source = cells[-1].source.split('## Exercises')[0]
    for cell in cells:
        if cell.cell_type == 'markdown':
            cell.source = without_formulas(cell.source, formulas)
        for output in cell.get('outputs', []):
            if 'image/png' in output.get('data', {}):  # the chart of which runs
                output.metadata['image/png']['alt'] += ': ' + ', '.join(RUN.findall(cell.source))
    exporter = HTMLExporter(template_name='basic', exclude_input_prompt=True, exclude_output_prompt=True,
                            exclude_anchor_links=True)
    body, _ = exporter.from_notebook_node(nbformat.from_dict({**notebook, 'cells': cells}))
    return PNG.sub(fewer_colours, with_formulas(body, formulas))


def fewer_colours(match):
    """A PNG of the notebook as one of 32 colours: a quarter of its bytes, and a reader sees no difference."""
    picture, small = Image.open(io.BytesIO(base64.b64decode(match[0]))), io.BytesIO()
    picture.convert('RGB').quantize(32).save(small, 'PNG', optimize=True)
    return base64.b64encode(small.getvalue()).decode()


def exercises_of(notebook):
    """The chapter's questions, each with links that set the lab, and its answer and figure folded below."""
    questions = QUESTION.findall(notebook.cells[-1].source.split('## Exercises')[1])
    tries, alts = json.loads(read(LAB / 'try.json')), dict(re.findall(
        r'!\[([^\]]+)\]\(exercise-([\w-]+)\.png\)', read(FIGURES / 'README.md'))[::-1])
    alts = {name: ' '.join(alt.split()) for alt, name in alts.items()}
    return '\n'.join(exercise(number, text, name, tries[name], alts[name])
                     for number, (text, name) in enumerate(questions, 1))


def exercise(number, question, name, tries, alt):
    """One exercise as HTML; its sentences are those of `chapter-adam exercise`, from the committed facts."""
    formulas, facts, live = [], json.loads(read(FIGURES / f'exercise-{name}.json')), LAB / f'{name}.html'
    figure = filled(read(live), controls()) if live.exists() else ''
    asked = with_formulas(markdown2html(without_formulas(' '.join(question.split()), formulas)), formulas)
    links = ''.join(f'<li><a data-try href="#{html.escape(address)}">{html.escape(words)}</a></li>'
                    if address else f'<li>{html.escape(words)}</li>' for words, address in tries.items())
    answer = '\n'.join(f'<p>{html.escape(sentence)}</p>' for sentence, _ in exercises.load(name).answer(facts))
    picture = smaller(read(FIGURES / f'exercise-{name}.svg')).replace('%', '%25').replace('#', '%23')
    width, height = re.search(r"viewBox='0 0 (\S+) (\S+)'", picture).groups()
    return (f'<section class="exercise" id="exercise-{name}">\n<h3>Exercise {number}</h3>\n{asked}\n'
            f'<ul class="try" aria-label="Try exercise {number} in the lab">{links}</ul>\n{figure}'
            f'<details class="answer"><summary>Answer to exercise {number}</summary>\n{answer}\n'
            f'<div class="figure" tabindex="0" role="group" aria-label="Figure of exercise {number}">'
            f'<img loading="lazy" width="{width}" height="{height}" alt="{html.escape(alt)}" '
            f'src="data:image/svg+xml,{picture}"></div>\n</details>\n</section>')


def smaller(svg):
    """A figure of matplotlib with a tenth of a point as its grain, each style once, and no name that nothing uses."""
    svg = re.sub(r'<metadata>.*?</metadata>|<!--.*?-->', '', svg[svg.index('<svg'):], flags=re.DOTALL)
    svg = re.sub(r' transform="rotate\(-0 [^)]*\)"', '', svg)
    svg = re.sub(r'\b(d|x|y)="([^"]*)"', lambda match: f'{match[1]}="{re.sub(NUMBER, tenths, match[2])}"', svg)
    svg = re.sub(r'> <', '><', re.sub(r'\s+', ' ', svg)).replace(' L ', ' ')  # numbers after others: a line to there
    used = set(re.findall(r'#([\w-]+)', svg))
    svg = re.sub(r' id="([^"]+)"', lambda match: match[0] if match[1] in used else '', svg)
    styles = Counter(re.findall(r'style="([^"]+)"', svg))
    names = {style: f's{number}' for number, style in enumerate(styles)}
    svg = re.sub(r'style="([^"]+)"', lambda match: f'class="{names[match[1]]}"', svg)
    sheet = ''.join(f'.{name}{{{style}}}' for style, name in names.items())
    return svg.replace('</style>', f'{sheet}</style>', 1).replace('"', "'")


NUMBER = r'-?\d+\.\d+'


def tenths(match):
    return f'{float(match[0]):.1f}'.removesuffix('.0')


def script():
    """All of the lab's JavaScript, the worker's as a text in it."""
    worker = json.dumps(joined('worker.mjs')).replace('</', r'<\/')
    return f'const WORKER = {worker};\n{joined("page.mjs")}'


def joined(name, before=None):
    """A module after those that it imports, each once, as one script: without the lines that import and export."""
    before = set() if before is None else before
    before.add(name)
    source = read(LAB / name)
    imported = [f'const {word} = {read(LAB / other)};\n' if other.endswith('.json') else joined(other, before)
                for word, other in IMPORT.findall(source) if other not in before]
    return ''.join(imported) + re.sub(r'^export ', '', IMPORT.sub('', source), flags=re.MULTILINE)


def facts():
    """What the lab needs to know: the data as the section trains on them, and the thousand seeds."""
    X, y, _ = data_of(1503)
    known = {'X': X, 'y': y, 'best': {rows: data_of(rows)[2] for rows in (1503, 1500)},
             'seeds': json.loads(read(FIGURES / 'seeds.json'))}
    return json.dumps(known, separators=(',', ':')).replace('</', r'<\/')


def data_of(rows):
    """So many rows as the lab's X and y, float32, and {moments, weights, floor}: what gives a loss, and the lowest."""
    table = standardise(read_table())[:rows].astype(np.float32)
    u = np.insert(table, 5, 1, axis=1).astype(float)  # features, 1, label
    weights, moments = np.linalg.lstsq(u[:, :-1], u[:, -1], rcond=None)[0], u.T @ u / rows / 2
    floor = [*weights, -1] @ moments @ [*weights, -1]
    X, y = ([float(str(value)) for value in part.ravel()] for part in (table[:, :-1], table[:, -1]))
    found = {'moments': moments.ravel(), 'weights': weights, 'floor': floor}
    return X, y, {name: np.round(values, 10).tolist() for name, values in found.items()}  # beyond, processors differ


def controls():
    """The HTML of the lab's settings, from settings.json: a slider and a field for a number, a list's options else."""
    table = json.loads(read(LAB / 'settings.json'))
    numbers = {key: (f'<div class="number"><label for="{key}">{each["name"]}</label>\n      <input type="range" '
                     f'id="{key}-slider" min="0" max="{len(each["stops"]) - 1}" step="1" aria-label="{each["name"]}, '
                     f'slider"><input type="number" id="{key}" step="any"></div>')
               for key, each in table['NUMBERS'].items()}
    choices = {key: ''.join(f'<option value="{value}">{words[0]}' for value, words in each.items())
               for key, each in table['CHOICES'].items()}
    weights = [*enumerate(table['WEIGHTS'])]
    return {**numbers, **choices, 'weights': ''.join(f'<option value="{k}">{name}' for k, name in weights),
            'legend': ''.join(f'<li class="w{k}">{name}</li>' for k, name in weights)}


def page_of(notebook):
    """The whole page; its title is the chapter's first line."""
    parts = {'title': html.escape(notebook.cells[0].source.splitlines()[0].lstrip('# ')),
             'style': f'{read(LAB / "lab.css")}{colours("xcode")}\n'
                      f'@media (prefers-color-scheme: dark) {{\n{colours("github-dark")}\n}}',
             'chapter': chapter_of(notebook), 'exercises': exercises_of(notebook), 'facts': facts(), 'script': script()}
    return filled(filled(read(LAB / 'lab.html'), controls()), parts)


def filled(text, parts):
    """The text with the parts whose names stand in it as {{name}}."""
    return re.sub(r'{{(\w+)}}', lambda match: parts.get(match[1], match[0]), text)


def colours(style):
    """The rules of a style for code; the background is the page's."""
    rules = HtmlFormatter(style=style).get_style_defs('.highlight').splitlines()
    return '\n'.join(rule for rule in rules if rule.startswith('.highlight .'))


def read(path):
    return path.read_text(encoding='utf-8')


if __name__ == '__main__':
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else PAGE
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(page_of(nbformat.read(NOTEBOOK, as_version=4)), encoding='utf-8')
    print(target)
