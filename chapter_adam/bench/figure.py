"""The benchmark's result as a figure: one bar a competitor on a log axis. Measures nothing."""
from ..output.figures import style, new_figure

COLOURS = {'the original': '0.45', 'later edition': '0.7', 'ours': 'tab:blue', 'others': 'tab:orange'}
ORIGINAL, OURS = 'gluonbook-scratch', 'ours-scratch-hybridized'


def draw(result):
    """A figure of the competitors that were timed, slowest on top, each bar with its speed over the original's."""
    timed = [peer for peer in result['peers'].values() if peer['state'] == 'timed']
    with style():
        figure, axes = new_figure((8, 1.4 + 0.28 * len(timed)))
        for family, colour in COLOURS.items():
            rows = [(place, peer) for place, peer in enumerate(timed) if peer['family'] == family]
            if rows:
                _bars(axes, rows, family, colour)
        _labels(axes, timed, result)
    return figure


def _bars(axes, rows, family, colour):
    places, medians = [place for place, _ in rows], [peer['median_ms'] for _, peer in rows]
    spread = [[peer['median_ms'] - peer['quartiles_ms'][0] for _, peer in rows],
              [peer['quartiles_ms'][1] - peer['median_ms'] for _, peer in rows]]
    axes.barh(places, medians, xerr=spread, color=colour, label=family, height=0.7,
              error_kw={'elinewidth': 1, 'capsize': 2, 'ecolor': '0.2'})
    for place, peer in rows:
        axes.annotate(end_of_bar(peer), (peer['quartiles_ms'][1], place), xytext=(6, 0),
                      textcoords='offset points', va='center', fontsize='small')


def draw_many(result):
    """The race of many runs: time per run and epoch over the number of runs, the original's extrapolated."""
    import numpy as np
    sizes = result['sizes']
    with style():
        figure, axes = new_figure((7.2, 4.2))
        others = iter(('tab:orange', 'tab:green', 'tab:purple', 'tab:brown', 'tab:olive', 'tab:pink'))
        for peer in result['peers'].values():
            points = {int(size): np.multiply(values, 1e6) for size, values in peer['seconds_per_run_epoch'].items()}
            if not points:
                continue
            ours, original = peer['family'] == 'ours', peer['family'] == 'the original'
            medians = [np.median(values) for values in points.values()]
            if original:
                axes.plot(sizes, medians * len(sizes), color='0.45', linestyle='--',
                          label=f'{peer["label"]} (one run, extrapolated)')
                continue
            low, high = ([np.quantile(values, q) for values in points.values()] for q in (0.25, 0.75))
            axes.errorbar(list(points), medians, [np.subtract(medians, low), np.subtract(high, medians)],
                          color='tab:blue' if ours else next(others), marker='o', markersize=4, capsize=2,
                          linestyle='-' if not ours or 'hybridized' in peer['label'] else ':', label=peer['label'])
        axes.set(xscale='log', yscale='log', xlabel='runs at once', ylabel='microseconds per run and epoch',
                 title=title_of_many(result))
        axes.title.set_fontsize('medium')
        axes.legend(fontsize='small', loc='upper right', bbox_to_anchor=(1, 0.93))
    return figure


def title_of_many(result):
    """What ours costs at the size that has the lowest price, over the original's loop; and what is drawn."""
    drawn = f'medians and quartiles of {result["repeats"]}'
    samples = [result['peers'].get(name, {}).get('seconds_per_run_epoch') for name in (OURS, ORIGINAL)]
    if not all(samples):
        return f'Many seeded runs: {drawn}'
    ours, original = ({int(size): sorted(values)[len(values) // 2] for size, values in each.items()}
                      for each in samples)
    best = min(ours, key=ours.get)
    return (f'{best:,} seeded runs at once: ours takes {ours[best] * 1e6:.0f} microseconds each, '
            f'{original[1] / ours[best]:,.0f} times less than the original\n{drawn}')


def end_of_bar(peer):
    """What stands at a bar's end: the time and the speed-up, such as "9.6 ms, 29 x"."""
    times, ms = peer.get(f'times_as_fast_as_{ORIGINAL}'), f'{_two_figures(peer["median_ms"])} ms'
    return ms if times is None else f'{ms},  {_two_figures(times)} x'


def _two_figures(value):
    """Or more, above 100, but no power of ten."""
    return f'{value:.0f}' if value >= 9.95 else f'{value:.2g}'


def title(result):
    """How fast ours is, and what is drawn."""
    times = result['peers'].get(OURS, {}).get(f'times_as_fast_as_{ORIGINAL}')
    found = f'The same rule as one graph: {_two_figures(times)} times the original\'s speed\n' if times else ''
    return (f'{found}One epoch, median and quartiles of {result["repeats"]} runs; x: speed over the original\'s, '
            'from scratch')


def _labels(axes, timed, result):
    axes.set_xscale('log')
    axes.xaxis.set_major_formatter(lambda value, _place: f'{value:g}')
    axes.margins(x=0.2)
    axes.set_yticks(range(len(timed)), [peer['label'] for peer in timed])
    axes.invert_yaxis()
    axes.grid(axis='y', visible=False)
    axes.set(xlabel='milliseconds per epoch (log)', title=title(result))
    axes.title.set_fontsize('medium')
    axes.legend(loc='lower right')
