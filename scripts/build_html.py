"""Writes the committed notebook as one page that loads nothing from anywhere. `make html` calls this.

    python scripts/build_html.py [FILE]     default: build/adam.html

nbconvert makes the body of the page. Its own pages fetch MathJax from the network for the formulas; here each becomes
MathML, which browsers draw by themselves.
"""
import html
import re
import sys
from pathlib import Path

import nbformat
from latex2mathml.converter import convert
from nbconvert import HTMLExporter
from pygments.formatters import HtmlFormatter

CLONE = Path(__file__).resolve().parents[1]
NOTEBOOK = CLONE / 'chapter_adam' / 'adam.ipynb'
PAGE = CLONE / 'build' / 'adam.html'
FORMULA = re.compile(r'\$\$(?P<block>.+?)\$\$|\$(?P<inline>[^$]+?)\$', re.DOTALL)
CODE = re.compile(r'(`[^`]*`)')  # a dollar in code is a dollar
STYLE = '''
body { font: 17px/1.55 Georgia, 'DejaVu Serif', serif; color: #222; background: #fff; max-width: 46rem;
       margin: 2rem auto 6rem; padding: 0 1rem; }
h1, h2 { font-family: system-ui, sans-serif; line-height: 1.2; margin: 2.2rem 0 .6rem; }
pre, code { font: 14px/1.45 'DejaVu Sans Mono', Menlo, Consolas, monospace; }
pre { margin: 0; padding: .6rem .8rem; overflow-x: auto; }
.highlight { background: #f6f7f9; border-left: 3px solid #9db4d0; margin: 1rem 0 0; }
.output { border-left: 3px solid #e3e3e3; margin-bottom: 1rem; }
.output img { display: block; max-width: 100%; height: auto; padding: .4rem .8rem; }
math { font-size: 1.05em; }
math[display=block] { margin: 1rem 0; overflow-x: auto; }
@media print { body { max-width: none; margin: 0; } .cell { break-inside: avoid; } }
'''


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


def body_of(notebook):
    """The cells as HTML, the formulas as MathML."""
    formulas = []
    for cell in notebook.cells:
        if cell.cell_type == 'markdown':
            cell.source = without_formulas(cell.source, formulas)
    exporter = HTMLExporter(template_name='basic', exclude_input_prompt=True, exclude_output_prompt=True,
                            exclude_anchor_links=True)
    body, _ = exporter.from_notebook_node(notebook)
    return re.sub(r'formula(\d{3})x', lambda match: formulas[int(match[1])], body)


def page_of(notebook):
    """The whole page; its title is the chapter's first line."""
    title = html.escape(notebook.cells[0].source.splitlines()[0].lstrip('# '))
    style = STYLE + HtmlFormatter(style='friendly').get_style_defs('.highlight')
    return (f'<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
            f'<meta name="viewport" content="width=device-width, initial-scale=1">\n<title>{title}</title>\n'
            f'<style>{style}</style>\n</head>\n<body>\n{body_of(notebook)}\n</body>\n</html>\n')


if __name__ == '__main__':
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else PAGE
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(page_of(nbformat.read(NOTEBOOK, as_version=4)), encoding='utf-8')
    print(target)
