"""Panels under one title, and texts at points of the data."""
from ...output import figures

FLOOR = figures.FLOOR  # the colour of the least-squares floor


def panels(title, facts, draw, size=(9.6, 6.8), shared=None, **grid):
    """A figure with one panel for each of the functions draw(axes, facts): four in two rows, fewer in one.

    `shared` is set in all axes. Log axes get no minor ticks, which take most of the time, and plain numbers along x.
    """
    picture, axes = figures.new_figure(size, *((2, 2) if len(draw) == 4 else (1, len(draw))), **grid)
    for each, function in zip(axes.flat, draw):
        each.set(**shared or {})
        function(each, facts)
        each.minorticks_off()
        if each.get_xscale() == 'log' and each.get_xlim()[0] > 1e-5:
            each.xaxis.set_major_formatter('{x:g}')
    picture.suptitle(title, fontsize='large')
    return picture


def label(axes, x, y, text, place=(4, 0), **style):
    """A small text `place` points away from a point of the data."""
    axes.annotate(text, (x, y), place, textcoords='offset points', **{'fontsize': 'small', 'va': 'center', **style})


def dot(axes, x, y, text, place, size=5):
    """A black dot with a text, and a line between the two where the text is far."""
    axes.plot(x, y, 'o', color='black', markersize=size)
    far = abs(place[0]) + abs(place[1]) > 20
    label(axes, x, y, text, place, arrowprops={'arrowstyle': '-', 'color': '0.3', 'linewidth': 0.8} if far else None)
