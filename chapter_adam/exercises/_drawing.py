"""What the exercises' figures draw alike: four panels under one title, and dots with a text."""
import numpy as np

from ..output import figures


def panels(title, facts, draw, size=(9.6, 6.8), **grid):
    """A figure of two rows of two panels; each of the four functions `draw` draws one, from its axes and the facts."""
    picture, axes = figures.new_figure(size, 2, 2, **grid)
    for each, function in zip(axes.flat, draw):
        function(each, facts)
    picture.suptitle(title, fontsize='large')
    return picture


def note(axes, at, text, place, **style):
    """A small text, `place` points away from a point of the data; with a line to it where that is far."""
    line = {'arrowprops': {'arrowstyle': '-', 'color': '0.3', 'linewidth': 0.8}} if np.hypot(*place) > 20 else {}
    axes.annotate(text, at, place, textcoords='offset points', fontsize='small', **line, **style)


def dot(axes, at, text, place, size=5):
    """A black dot with a text some points away from it."""
    axes.plot(*at, 'o', color='black', markersize=size)
    note(axes, at, text, place)


def plain_ticks(axes):
    """Numbers as they are, not as powers of ten, along a log axis of x."""
    axes.xaxis.set_major_formatter('{x:g}')
