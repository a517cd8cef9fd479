"""The race of many runs: who trains 1, 100, 1000, 10000 seeded runs in how many seconds per run and epoch."""
from contextlib import ExitStack

import numpy as np

from . import figure as bench_figure, gate, peers, race
from ..core import history
from ..output import figures
from ..output.files import write_text

ORIGINAL = 'gluonbook-scratch'
EPOCHS = 2
CHECKED = 20  # final losses compared with the float64 reference, seed by seed
ENOUGH = 60.0  # seconds: a competitor that took longer for one size is not asked for the next


def run(options, out, watch):
    """`chapter-adam bench --many`: prints the table, writes bench_many.json and the figure."""
    competitors = [c for c in peers.discover().values() if c.many or c.name == ORIGINAL]
    if options.only:
        competitors = [c for c in competitors if c.name in options.only or c.path.stem in options.only]
    result = measure(competitors, options.runs, options.repeats, watch)
    print(table(result))
    write_text(out / 'bench_many.json', history.to_json(result))
    figures.save(bench_figure.draw_many(result), out / 'bench_many', options.formats)


def measure(competitors, sizes, repeats, watch=lambda *_: None, environments=race.ENVIRONMENTS):
    """The race as data: for each competitor and number of runs, every sample, in seconds per run and epoch.

    Each sample holds everything from the seeds to the final losses: drawing starts and orders, training, evaluating
    once. Compilation is in the first, uncounted round, which also passes the gate. The original has no such thing as
    many runs: its loop takes as long for each as for one.
    """
    entries = [race.Entry(c) for c in competitors]
    samples = {entry.competitor.name: {size: [] for size in sizes} for entry in entries}
    expected = references(CHECKED if max(sizes) > 1 else 1)
    with ExitStack() as stack:
        folder, alive = stack.enter_context(race.stage(race.section_task())), {}
        for entry in entries:
            with race.dropping(entry):
                alive[entry.competitor.name] = stack.enter_context(race.Peer.started(entry, folder, environments))
        for place, size in enumerate(sizes):
            for repeat in range(repeats + 1):
                for entry in entries:
                    watch(place * (repeats + 1) + repeat, len(sizes) * (repeats + 1),
                          f'{entry.competitor.label}: {size} runs')
                    _sample(entry, alive, size, repeat, samples[entry.competitor.name], expected)
    return summary(entries, samples, sizes, repeats)


def _sample(entry, alive, size, repeat, samples, expected):
    """One round of one competitor, if it is still in the race; round 0 is the gate and the warm-up."""
    name = entry.competitor.name
    if entry.state != 'timed' or (name == ORIGINAL and size != 1) or _too_slow(samples, size):
        return
    with race.dropping(entry):
        if name == ORIGINAL:
            seconds = alive[name].train()['seconds'] * EPOCHS
        else:
            answer = alive[name].ask(f'many {size}')
            seconds, finals = answer['seconds'], answer['finals']
            if reason := (verdict(finals, expected) if entry.competitor.same_draws else gate.own_draws_verdict(finals)):
                entry.drop('refused', reason)
        if repeat and entry.state == 'timed':
            samples[size].append(seconds / EPOCHS / size)


def verdict(finals, expected):
    """Why final losses from the given draws are refused, or None."""
    gap = gate.largest_gap(finals, expected[:len(finals)])
    return None if gap <= gate.CURVE_TOLERANCE else f'a final loss is {gap:.1e} away from the float64 reference'


def _too_slow(samples, size):
    """Whether some smaller size has taken more than enough already."""
    return any(np.median(values) * EPOCHS * smaller > ENOUGH for smaller, values in samples.items()
               if smaller < size and values)


def references(count):
    """The final losses of seeds 0, 1, ... in float64."""
    return [gate.reference(race.section_task(seed))[-1] for seed in range(count)]


def summary(entries, samples, sizes, repeats):
    described = {}
    for entry in entries:
        c, own = entry.competitor, samples[entry.competitor.name]
        described[c.name] = {'label': c.label, 'family': c.family, 'state': entry.state, 'reason': entry.reason,
                             'versions': entry.versions,
                             'seconds_per_run_epoch': {str(size): own[size] for size in sizes if own[size]}}
    return {'machine': history.machine(), 'sizes': list(sizes), 'repeats': repeats,
            'clock': 'everything from the seeds to the final losses, compilation apart', 'peers': described}


def table(result):
    """Microseconds per run and epoch: medians."""
    lines = [f'{"microseconds per run and epoch":32}' + ''.join(f'{size:>12,}' for size in result['sizes'])]
    for name, peer in result['peers'].items():
        values = peer['seconds_per_run_epoch']
        if values:
            cells = [f'{np.median(values[str(size)]) * 1e6:12.1f}' if str(size) in values else f'{"-":>12}'
                     for size in result['sizes']]
            lines.append(f'{peer["label"]:32}' + ''.join(cells))
        else:
            lines.append(f'{peer["label"]:32}{peer["state"]}: {peer["reason"]}')
    lines.append('The original has no many: its loop takes for each run what it takes for one.')
    return '\n'.join(lines)
