"""A race's data as a figure: dots for the section's training, lines over the number of runs at once."""
import numpy as np

from . import results
from .results import digits
from ..output.figures import new_figure, style

COLOURS = {'the original': '0.3', 'later edition': '0.55', 'ours': 'tab:blue', 'others': 'tab:orange'}
OTHERS = ('tab:orange', 'tab:green', 'tab:purple', 'tab:brown', 'tab:olive', 'tab:pink')  # of lines, one each
LINE = 0.05  # the height of a line's name, in heights of the axes


def draw(result):
    """Medians and quartiles of all that were timed; the title says how fast ours is."""
    peers, several = results.slowest_first(result), len(result['sizes']) > 1
    with style():
        figure, axes = new_figure((7.6, 4 if several else 1.3 + 0.26 * len(peers)))
        axes.set(xscale='log', title=results.title(result))
        (_draw_lines if several else _draw_dots)(axes, result, peers)
    return figure


def _draw_dots(axes, result, peers):
    """A row for each competitor, with its time and its speed at the right."""
    axes.set(ylim=(len(peers) - 0.4, -0.6),
             xlabel=f'milliseconds per epoch: median and quartiles of {result["repeats"]}')
    axes.set_yticks(range(len(peers)), [peer['label'] for peer in peers.values()])
    axes.xaxis.set_major_formatter(lambda value, _place: f'{value:g}')
    for place, (peer, label) in enumerate(zip(peers.values(), axes.get_yticklabels())):
        colour, (low, median, high) = COLOURS[peer['family']], *results.quartiles(peer).values()
        label.set_color(colour)
        axes.plot([low, high], [place, place], color=colour, linewidth=2)
        axes.plot(median, place, 'o', color=colour)
        speed = digits(results.speed(result, peer))
        for right, text in ((50, f'{digits(median)} ms'), (90, speed and f'{speed} x')):
            axes.annotate(text, (1, place), (right, 0), ('axes fraction', 'data'), 'offset points', ha='right',
                          va='center', color=colour)


def _draw_lines(axes, result, peers):
    """A line for each competitor; one that trains a single run at a time stays at its time."""
    sizes, others, ends = result['sizes'], iter(OTHERS * len(peers)), []
    axes.set(yscale='log', xlabel='runs at once', ylabel='milliseconds per run and epoch')
    axes.set_xticks(sizes, [f'{runs:,}' for runs in sizes])
    axes.yaxis.set_major_formatter(lambda value, _place: f'{value:g}')
    axes.minorticks_off()
    for name, peer in peers.items():
        colour = next(others) if peer['family'] == 'others' else COLOURS[peer['family']]
        times = results.quartiles(peer)
        low, median, high = zip(*times.values())
        if peer['family'] == 'the original':
            axes.axhline(median[0], color=colour, linestyle='--')
        else:
            axes.plot(list(times), median, 'o-', color=colour, markersize=5, linewidth=3 if name == results.OURS else 1)
            axes.vlines(list(times), low, high, color=colour)
        ends.append((median[-1], max(times), peer['label'], colour))
    _name_lines(axes, sorted(ends))


def _name_lines(axes, ends):
    """Writes the lines' names and last values at the right, in the order of their ends, none over another."""
    bottom, top = np.log(axes.get_ylim())
    place = -LINE
    for value, runs, label, colour in ends:
        place = max(place + LINE, (np.log(value) - bottom) / (top - bottom))
        axes.annotate(f'{label}, {digits(value)}', (runs, value), (1.03, place), 'data', 'axes fraction',
                      {'arrowstyle': '-', 'color': colour, 'linewidth': 0.5, 'relpos': (0, 0.5), 'shrinkA': 0},
                      va='center', color=colour, fontsize='small')
