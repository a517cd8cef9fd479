"""Finished runs as figures: draws what `history` holds, never trains.

Nothing here changes matplotlib's settings for others. A file's bytes depend on its data alone, so that drawing the
same run again changes nothing that git sees.
"""
from contextlib import contextmanager

from .files import whole_file

BOOK_SIZE = (3.5, 2.5)  # inches, the book's
STYLE = {
    'axes.grid': True, 'grid.alpha': 0.3, 'axes.spines.top': False, 'axes.spines.right': False, 'font.size': 9,
    'legend.frameon': False, 'lines.linewidth': 1.5, 'figure.constrained_layout.use': True,
    'svg.fonttype': 'none', 'svg.hashsalt': 'chapter_adam', 'savefig.dpi': 150,
}
SCRATCH, GLUON, FLOOR = 'tab:blue', 'tab:orange', '0.35'


def draw_curve(history, axes, **line_style):
    """The book's curve of one run on `axes`: loss over epoch, named after the run. Returns the line."""
    line, = axes.plot(history.epochs, history.losses, **{'label': history.settings['label'], **line_style})
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
    """A run in a few words: "adam from scratch, lr 0.01"."""
    hyperparams = history.settings['hyperparams']
    rate = hyperparams.get('lr', hyperparams.get('learning_rate'))
    return history.settings['label'] + ('' if rate is None else f', lr {rate:g}')


def comparison(scratch, gluon, floor):
    """Two runs from one seed: both curves over the least-squares floor, and below them what is between them."""
    with style():
        figure, (top, bottom) = new_figure((6.4, 4.8), rows=2, height_ratios=(2.2, 1), sharex=True)
        draw_curve(scratch, top, color=SCRATCH, linewidth=4, alpha=0.45)
        draw_curve(gluon, top, color=GLUON, linestyle='--')
        top.axhline(floor, color=FLOOR, linestyle=':', label=f'least-squares floor {floor:.4f}')
        gaps = [abs(a - b) for a, b in zip(scratch.losses, gluon.losses)]
        coincide = max(gaps) < 1e-4 * max(1, *scratch.losses)
        verdict = 'the two curves coincide' if coincide else 'the two curves differ'
        top.set(xlabel='', title=f'Same start, same batches (seed {scratch.settings["seed"]}): {verdict}')
        top.legend()
        bottom.plot(scratch.epochs, gaps, color='tab:red', marker='.', label='gap')
        bottom.set(xlabel='epoch', ylabel='|scratch - Gluon|', ylim=(0, None))
        bottom.ticklabel_format(axis='y', style='sci', scilimits=(0, 0))
        bottom.annotate(f'largest: {max(gaps):.1e}', (0.99, 0.9), xycoords='axes fraction', ha='right', va='top')
    return figure


def seeds(scratch, gluon, facts):
    """Many seeds of two methods: bands over the epochs, and beside them the final losses with the book's two."""
    with style():
        figure, (left, right) = new_figure((8.6, 3.8), columns=2, width_ratios=(1.25, 1))
        _draw_bands(left, scratch, gluon, facts)
        _draw_finals(right, scratch, gluon, facts)
        figure.suptitle(seeds_title(facts), fontsize='medium')
    return figure


def seeds_title(facts):
    """What the figure shows: whether the bands coincide, and where the book's losses lie."""
    coincide = max(map(abs, facts['pairs']['effect_interval'])) < 0.01
    ordinary = all(5 <= book['percentile'] <= 95 for book in facts['book'].values())
    return (f'{facts["runs"]:,} seeds: the bands of both methods {"coincide" if coincide else "differ"}, and the '
            f'book\'s two losses are {"ordinary draws" if ordinary else "not both among the middle 90 %"}')


def _draw_bands(axes, scratch, gluon, facts):
    least, low, median, high, most = scratch.quantiles((0, .05, .5, .95, 1))
    axes.fill_between(scratch.epochs, least, most, color=SCRATCH, alpha=0.12, linewidth=0, label='scratch, all')
    axes.fill_between(scratch.epochs, low, high, color=SCRATCH, alpha=0.35, linewidth=0, label='scratch, 5-95 %')
    axes.plot(scratch.epochs, median, color=SCRATCH, linewidth=3, alpha=0.6, label='scratch, median')
    for curve, dashes in zip(gluon.quantiles((0, .05, .5, .95, 1)), (':', '--', '-', '--', ':')):
        name = {'-': 'Gluon, median', '--': 'Gluon, 5-95 %', ':': 'Gluon, all'}[dashes]
        known = name in axes.get_legend_handles_labels()[1]
        axes.plot(gluon.epochs, curve, color=GLUON, linestyle=dashes, linewidth=1, label=None if known else name)
    axes.axhline(facts['floor'], color=FLOOR, linestyle='--', linewidth=1, label='least-squares floor')
    axes.set(xlabel='epoch', ylabel='loss')
    axes.legend(fontsize='x-small')


def _draw_finals(axes, scratch, gluon, facts):
    import numpy as np
    top = facts['final']['scratch']['95 %'] + 2 * (facts['final']['scratch']['95 %'] - facts['final']['scratch']['5 %'])
    bins = np.linspace(facts['floor'], top, 60)
    axes.hist(np.minimum(scratch.final, top), bins, color=SCRATCH, alpha=0.35, label='scratch')
    axes.hist(np.minimum(gluon.final, top), bins, color=GLUON, histtype='step', linewidth=1.2, label='Gluon')
    for name, color, y in (('scratch', SCRATCH, 0.6), ('gluon', GLUON, 0.4)):
        book = facts['book'][name]
        axes.axvline(book['loss'], color=color, linewidth=1.5)
        label = 'Gluon' if name == 'gluon' else name
        axes.annotate(f'the book, {label}:\n{book["loss"]:.6f}, above {book["percentile"]:.0f} %',
                      (book['loss'], y),
                      xytext=(0.45, y - 0.02),
                      xycoords=('data', 'axes fraction'), textcoords='axes fraction', fontsize='small',
                      arrowprops={'arrowstyle': '-', 'color': color})
    axes.axvline(facts['floor'], color=FLOOR, linestyle='--', linewidth=1, label='least-squares floor')
    axes.set(xlabel='final loss (the last bin holds all above)', ylabel='runs')
    axes.locator_params(axis='x', nbins=5)
    axes.legend(fontsize='small')


def choices(facts):
    """What each choice does to the loss, on a log axis, beside what the seed does."""
    effects = sorted(facts['effects'].items(), key=lambda item: item[1]['curve_typical'])
    with style():
        figure, axes = new_figure((7.2, 3.4))
        for y, (_, effect) in enumerate(effects):
            axes.plot([effect['curve_typical'], effect['curve_largest']], [y, y], color=SCRATCH, linewidth=5, alpha=0.3,
                      solid_capstyle='butt', label='on the curve: median seed to worst seed' if y == 0 else None)
            axes.plot(effect['curve_typical'], y, 'o', color=SCRATCH)
            axes.plot(effect['final_typical'], y, 'D', color='tab:red', markersize=5,
                      label='on the final loss: median seed' if y == 0 else None)
        axes.axvline(facts['standard_deviation_of_seeds'], color=FLOOR, linestyle='--',
                     label='seed to seed (standard deviation)')
        axes.set(xscale='log', xlabel='change of the loss', yticks=range(len(effects)),
                 yticklabels=[name for name, _ in effects], ylim=(-0.6, len(effects) - 0.4),
                 title=choices_title(facts))
        axes.title.set_fontsize('medium')
        axes.title.set(x=1, horizontalalignment='right')
        axes.grid(False, axis='y')
        axes.legend(fontsize='small', loc='upper left', frameon=True)
    return figure


def choices_title(facts):
    """What the figure shows: which choices the luck of a seed does not hide."""
    spread, effects = facts['standard_deviation_of_seeds'], facts['effects'].items()
    seen = [name for name, effect in effects if effect['final_typical'] > spread]
    return (f'More than the luck of a seed, at the end: {", ".join(seen) or "none of these"} '
            f'({facts["runs"]:,} seeds, paired)')


def show(history):
    """Draws a run with pyplot, as the book's calls do.

    All runs of one notebook cell, or of one script, share the figure 'chapter_adam' until it is closed, so that a
    loop over learning rates gives one picture. A script ends with `plt.show()` or `plt.savefig(...)` as ever.
    """
    import matplotlib.pyplot as plt
    name = 'chapter_adam'
    figure = (plt.figure(name) if plt.fignum_exists(name) else
              plt.figure(name, figsize=BOOK_SIZE, layout='constrained'))  # else savefig cuts the labels
    axes = figure.gca()
    # Every second one dashed: of two curves that coincide, both are seen.
    draw_curve(history, axes, label=title(history), linestyle='--' if len(axes.lines) % 2 else '-')
    if 2 <= len(axes.lines) <= 8:
        axes.legend(fontsize='x-small')  # larger, two names cover the axis of a figure of the book's size
    return figure


def new_figure(size, rows=1, columns=1, **grid):
    """A figure of `size` inches and its axes, apart from pyplot: nothing pops up, nothing must be closed."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    figure = Figure(figsize=size)
    FigureCanvasAgg(figure)
    return figure, figure.subplots(rows, columns, **grid)


def save(figure, stem, formats=('svg', 'png')):
    """Writes stem.svg, stem.png and so on, each whole or not at all; returns the paths."""
    no_noise = {'svg': {'Date': None, 'Creator': None}, 'png': {'Software': None}}
    paths = [stem.with_name(f'{stem.name}.{format_}') for format_ in formats]
    for path, format_ in zip(paths, formats):
        with style(), whole_file(path) as stream:
            figure.savefig(stream, format=format_, metadata=no_noise[format_])
        figure.set_layout_engine('none')  # once laid out it need not be again: a third of the time
    return paths


@contextmanager
def style():
    """Our settings over matplotlib's own defaults: what a user's matplotlibrc says stays out of the files."""
    import matplotlib
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(STYLE)
        yield
