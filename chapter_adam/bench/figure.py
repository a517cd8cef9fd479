"""The benchmark's results as figures, from the data of `command.summary` and `many_race.summary`."""
import numpy as np

from ..output.figures import new_figure, style

COLOURS = {'the original': '0.3', 'later edition': '0.55', 'ours': 'tab:blue', 'others': 'tab:orange'}
OTHERS = ('tab:orange', 'tab:green', 'tab:purple', 'tab:brown', 'tab:olive', 'tab:pink')  # of lines, one each
ORIGINAL, OURS = 'gluonbook-scratch', 'ours-scratch-hybridized'
LINE = 0.05  # the height of a line's name, in heights of the axes


def draw(result):
    """A dot for each timed competitor, slowest on top, with its fastest and slowest repeat, its time and its speed."""
    timed = [peer for peer in result['peers'].values() if peer['state'] == 'timed']
    with style():
        figure, axes = new_figure((7.6, 1.3 + 0.26 * len(timed)))
        axes.set(xscale='log', ylim=(len(timed) - 0.4, -0.6), title=title(result),
                 xlabel=f'milliseconds per epoch: median, and fastest to slowest of {result["repeats"]}')
        axes.set_yticks(range(len(timed)), [peer['label'] for peer in timed])
        axes.xaxis.set_major_formatter(lambda value, _place: f'{value:g}')
        for place, (peer, label) in enumerate(zip(timed, axes.get_yticklabels())):
            colour, samples = COLOURS[peer['family']], peer['samples_ms']
            label.set_color(colour)
            axes.plot([min(samples), max(samples)], [place, place], color=colour, linewidth=2)
            axes.plot(peer['median_ms'], place, 'o', color=colour)
            for right, text in zip((50, 90), time_and_speed(peer)):
                axes.annotate(text, (1, place), (right, 0), ('axes fraction', 'data'), 'offset points', ha='right',
                              va='center', color=colour)
    return figure


def title(result):
    """How fast ours is."""
    speed = result['peers'].get(OURS, {}).get(f'times_as_fast_as_{ORIGINAL}')
    return f'Hybridized, the section\'s rule is {digits(speed)} times as fast as gluonbook\'s' if speed else ''


def time_and_speed(peer):
    """The time of an epoch, and the speed over the original's: "9.6 ms", "29 x"."""
    speed = peer.get(f'times_as_fast_as_{ORIGINAL}')
    return f'{digits(peer["median_ms"])} ms', f'{digits(speed)} x' if speed else ''


def digits(value, count=2):
    """At least so many digits, no power of ten: 44, 6.4, 0.070, 4,058."""
    return f'{value:,.0f}' if value >= 10 ** (count - 1) else f'{value:#.{count}g}'.rstrip('.')


def draw_many(result):
    """Time per run and epoch over the number of runs at once; the original's line continues its single run."""
    lines = {name: peer for name, peer in result['peers'].items() if peer['seconds_per_run_epoch']}
    others = iter(OTHERS * len(lines))
    with style():
        figure, axes = new_figure((7.6, 4))
        axes.set(xscale='log', yscale='log', xlabel='runs at once', ylabel='microseconds per run and epoch',
                 title=title_of_many(result))
        axes.set_xticks(result['sizes'], [f'{size:,}' for size in result['sizes']])
        axes.minorticks_off()
        ends = []
        for name, peer in lines.items():
            colour = next(others) if peer['family'] == 'others' else COLOURS[peer['family']]
            ends.append((_draw_line(axes, name, peer, result['sizes'], colour), peer['label'], colour))
        _name_lines(axes, ends)
    return figure


def _draw_line(axes, name, peer, sizes, colour):
    """Medians, each with its fastest and slowest repeat; returns the line's end."""
    samples = {int(size): np.multiply(values, 1e6) for size, values in peer['seconds_per_run_epoch'].items()}
    medians = {size: np.median(values) for size, values in samples.items()}
    if name == ORIGINAL:
        medians = dict.fromkeys(sizes, medians[1])
        axes.plot(list(medians), list(medians.values()), '--', color=colour)
    else:
        axes.plot(list(medians), list(medians.values()), 'o-', color=colour, markersize=5,
                  linewidth=3 if name == OURS else 1)
        axes.vlines(list(samples), *zip(*((min(v), max(v)) for v in samples.values())), color=colour)
    return list(medians.items())[-1]


def _name_lines(axes, ends):
    """Writes the lines' names and last values at the right, in the order of their ends, none over another."""
    bottom, top = np.log(axes.get_ylim())
    place = -LINE
    for (size, value), label, colour in sorted(ends, key=lambda end: end[0][1]):
        place = max(place + LINE, (np.log(value) - bottom) / (top - bottom))
        axes.annotate(f'{label}, {digits(value)}', (size, value), (1.03, place), 'data', 'axes fraction',
                      {'arrowstyle': '-', 'color': colour, 'linewidth': 0.5, 'relpos': (0, 0.5), 'shrinkA': 0},
                      va='center', color=colour, fontsize='small')


def title_of_many(result):
    """The lowest price of a run of ours, over the original's."""
    ours, original = ({int(size): np.median(values) for size, values in samples.items()} for samples in (
        result['peers'].get(name, {}).get('seconds_per_run_epoch', {}) for name in (OURS, ORIGINAL)))
    if not ours or not original:
        return ''
    best = min(ours, key=ours.get)
    return f'{best:,} seeded runs at once: each {original[1] / ours[best]:,.0f} times as fast as the original\'s'
