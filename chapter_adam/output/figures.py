"""Single runs as figures, and what every figure here is made with: `style`, `new_figure`, `save`.

Nothing here changes matplotlib's settings for others. A file's bytes depend on its data alone: drawn again, it is the
same to git.
"""
import logging
import os
import re
import sys
import warnings
from contextlib import contextmanager
from io import BytesIO

from ..core.history import rounded
from .files import whole_file

BOOK_SIZE = (3.5, 2.5)  # inches, the book's
STYLE = {
    'axes.grid': True, 'grid.alpha': 0.3, 'axes.spines.top': False, 'axes.spines.right': False, 'font.size': 9,
    'legend.frameon': False, 'lines.linewidth': 1.5, 'figure.constrained_layout.use': True,
    'svg.fonttype': 'none', 'savefig.dpi': 150,
}
SCRATCH, GLUON, FLOOR = 'tab:blue', 'tab:orange', '0.35'


def draw_curve(history, axes, **line_style):
    """The book's curve of one run on `axes`: loss over epoch, named after the run. Returns the line."""
    losses = rounded(history.losses, 6)  # beyond, processors differ
    line, = axes.plot(history.epochs, losses, **{'label': history.settings['label'], **line_style})
    axes.set_xlabel('epoch')
    axes.set_ylabel('loss')
    return line


def curve(history):
    """A figure with one run in the book's form."""
    with style():
        figure, axes = new_figure(BOOK_SIZE)
        draw_curve(history, axes)
        axes.set_title(title(history), fontsize='medium')
    return figure


def title(history):
    """A run in a few words: "adam from scratch, lr 0.01"; a rate that is a function is in settings as a text."""
    hyperparams = history.settings['hyperparams']
    rate = hyperparams.get('lr', hyperparams.get('learning_rate'))
    if rate is None:
        return history.settings['label']
    return f'{history.settings["label"]}, ' + (f'lr {rate:g}' if isinstance(rate, (int, float)) else 'lr scheduled')


def comparison(scratch, gluon, floor):
    """Two runs from one seed: both curves over the least-squares floor, and below them the gap between them."""
    with style():
        figure, (top, bottom) = new_figure((6.4, 4.8), rows=2, height_ratios=(2.2, 1), sharex=True)
        draw_curve(scratch, top, color=SCRATCH, linewidth=4, alpha=0.45)
        draw_curve(gluon, top, color=GLUON, linestyle='--')
        top.axhline(floor, color=FLOOR, linestyle=':', label=f'least-squares floor {floor:.4f}')
        gaps = [abs(a - b) for a, b in zip(scratch.losses, gluon.losses)]
        scale = 1e-4 * max(1, *scratch.losses)
        verdict = 'the two curves coincide' if max(gaps) < scale else 'the two curves differ'
        top.set(xlabel='', title=f'Same start, same batches (seed {scratch.settings["seed"]}): {verdict}')
        top.legend()
        drawn = [round(gap, 5) for gap in gaps]  # beyond, processors differ
        bottom.plot(scratch.epochs, drawn, color='tab:red', marker='.', label='gap', clip_on=False)
        bottom.set(xlabel='epoch', ylabel='|scratch - Gluon|', ylim=(0, max(scale, *drawn) * 1.05))
        bottom.ticklabel_format(axis='y', style='sci', scilimits=(0, 0))
        bottom.annotate(f'largest: {max(gaps):.0e}', (0.99, 0.9), xycoords='axes fraction', ha='right', va='top')
    return figure


def show(history):
    """Draws a run with pyplot, as the book's calls do.

    The runs of one notebook cell or script share the figure 'chapter_adam' until it is closed: a loop over learning
    rates gives one picture. A script ends with `plt.show()` or `plt.savefig(...)`.
    """
    import matplotlib.pyplot as plt
    name = 'chapter_adam'
    figure = (plt.figure(name) if plt.fignum_exists(name) else
              plt.figure(name, figsize=BOOK_SIZE, layout='constrained'))  # else savefig cuts the labels
    axes = figure.gca()
    # Every second curve is dashed: where two coincide, both are seen.
    draw_curve(history, axes, label=title(history), linestyle='--' if len(axes.lines) % 2 else '-')
    if 2 <= len(axes.lines) <= 8:
        axes.legend(fontsize='x-small')  # larger, two names cover the axis of a figure of the book's size
    return figure


def new_figure(size, rows=1, columns=1, **grid):
    """A figure of `size` inches and its axes, without pyplot: nothing pops up, nothing must be closed."""
    from matplotlib.figure import Figure
    figure = Figure(figsize=size)
    return figure, figure.subplots(rows, columns, **grid)


def save(figure, stem, formats=('svg', 'png')):
    """Writes stem.svg, stem.png and so on, each whole or not at all; returns the paths."""
    no_noise = {'svg': {'Date': None, 'Creator': None}, 'png': {'Software': None}}
    paths = [stem.with_name(f'{stem.name}.{format_}') for format_ in formats]
    for path, format_ in zip(paths, formats):
        drawn = BytesIO()
        with style():
            figure.savefig(drawn, format=format_, metadata=no_noise[format_])
        with whole_file(path) as stream:
            stream.write(numbered(drawn.getvalue()) if format_ == 'svg' else drawn.getvalue())
        figure.set_layout_engine('none')  # once laid out it need not be again: a third of the time
    return paths


def numbered(svg):
    """The SVG with its names as numbers: matplotlib's are hashes of the layout, whose last digits are not certain."""
    names = {}
    return re.sub(rb'\b[a-zA-Z][0-9a-f]{10}\b', lambda name: names.setdefault(name[0], b'n%d' % len(names)), svg)


@contextmanager
def style():
    """Our settings over matplotlib's defaults: a user's matplotlibrc stays out of the files."""
    load_matplotlib()
    import matplotlib
    with matplotlib.rc_context(), warnings.catch_warnings():
        warnings.simplefilter('ignore', DeprecationWarning)  # its own use of pyparsing
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(STYLE)
        yield


def load_matplotlib():
    """Imports matplotlib where a broken matplotlibrc, backend or home directory does not matter.

    It reads the matplotlibrc of the working directory before any other.
    """
    if 'matplotlib' in sys.modules:
        return
    logging.getLogger('matplotlib').setLevel(logging.ERROR)  # else it tells where it keeps its fonts
    before, folder = dict(os.environ), os.open('.', os.O_RDONLY)
    os.environ.pop('MPLBACKEND', None)
    os.environ.update(MATPLOTLIBRC=os.devnull, HOME=os.environ.get('HOME', os.devnull))
    os.chdir('/')
    try:
        with warnings.catch_warnings():
            warnings.simplefilter('ignore', DeprecationWarning)
            import matplotlib.figure  # noqa: F401
    finally:
        os.fchdir(folder)
        os.close(folder)
        os.environ.clear()
        os.environ.update(before)
