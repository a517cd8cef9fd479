"""The race of many runs: who trains 1, 100, 1000, 10000 seeded runs in how many seconds per run and epoch."""
import os
from contextlib import ExitStack

import numpy as np

from . import gate, race
from .process import stage, started
from ..core import history

ORIGINAL = 'gluonbook-scratch'
EPOCHS = 2
CHECKED = 20  # final losses compared with the float64 reference, seed by seed
ENOUGH = 60.0  # seconds: a competitor that took longer for one number of runs is not asked for the next


def run(competitors, sizes, repeats, say=lambda _text: None, environments=None):
    """The race as data: for each competitor and number of runs, every sample, in seconds per run and epoch.

    A sample holds everything from the seeds to the final losses: drawing starts and orders, training, one evaluation.
    Compilation is in the first round, which is not counted and passes the gate.
    """
    task, entries = race.section_task(), [race.Entry(c) for c in competitors if c.many or c.name == ORIGINAL]
    if not entries:
        raise ValueError('none of these competitors can train many runs; without --only, those run that can')
    check_memory(max(sizes), task)
    expected = [gate.reference(race.section_task(seed))[-1] for seed in range(min(CHECKED, max(sizes)))]
    for entry in entries:
        entry.samples = {size: [] for size in sizes}
    with ExitStack() as stack:
        folder = stack.enter_context(stage(task))
        for entry in entries:
            with entry.dropped_on_failure():
                entry.process = stack.enter_context(started(entry.competitor, folder, environments))
        for size in sizes:
            for entry in entries:
                sample(entry, size, expected)
                say(f'{size:,} runs, {entry.competitor.label}: {entry.outcome()}')
            for repeat in range(repeats):
                for entry in entries:
                    entry.samples[size] += sample(entry, size, expected)
                say(f'{size:,} runs, repeat {repeat + 1} of {repeats}')
    return summary(entries, sizes, repeats)


def check_memory(runs, task):
    """Raises ValueError for more runs than this machine's memory can hold the orders of."""
    needed, there = runs * task['orders'].size * 4, os.sysconf('SC_PHYS_PAGES') * os.sysconf('SC_PAGE_SIZE')
    if needed > there / 2:
        raise ValueError(f'{runs:,} runs at once need {needed / 1e9:,.1f} GB for the order of their examples alone; '
                         f'this machine has {there / 1e9:,.1f} GB')


def sample(entry, size, expected):
    """The seconds per run and epoch of one round, in a list; empty if the competitor does not take part."""
    original = entry.competitor.name == ORIGINAL
    if entry.state != 'timed' or (original and size != 1) or _too_slow(entry.samples, size):
        return []
    with entry.dropped_on_failure():
        if original:
            return [race.epoch_seconds(entry)]
        answer = entry.process.ask(f'many {size}')
        reason = (gate.finals_verdict(answer['finals']) if entry.competitor.own_draws else
                  gate.losses_verdict(answer['finals'], expected[:size]))
        if not reason:
            return [answer['seconds'] / EPOCHS / size]
        entry.drop('refused', reason)
    return []


def _too_slow(samples, size):
    """Whether a smaller number of runs has taken more than enough already."""
    return any(np.median(values) * EPOCHS * smaller > ENOUGH for smaller, values in samples.items()
               if smaller < size and values)


def summary(entries, sizes, repeats):
    """The race as data, with every sample."""
    described = {}
    for entry in entries:
        c, process = entry.competitor, entry.process
        described[c.name] = {
            'label': c.label, 'family': c.family, 'state': entry.state, 'reason': entry.reason,
            'versions': process.versions if process else {},
            'seconds_per_run_epoch': {str(size): values for size, values in entry.samples.items() if values}}
    return {'machine': history.machine(), 'sizes': list(sizes), 'repeats': repeats,
            'clock': 'everything from the seeds to the final losses, without compilation', 'peers': described}


def table(result):
    """Microseconds per run and epoch: medians."""
    lines = [f'{"microseconds per run and epoch":32}' + ''.join(f'{size:>12,}' for size in result['sizes'])]
    for peer in result['peers'].values():
        samples = peer['seconds_per_run_epoch']
        cells = [f'{np.median(samples[str(size)]) * 1e6:12.1f}' if str(size) in samples else f'{"-":>12}'
                 for size in result['sizes']]
        reason = '' if peer['state'] == 'timed' else f'  {peer["state"]}: {peer["reason"]}'
        lines.append(f'{peer["label"]:32}' + ''.join(cells) + reason)
    return '\n'.join([*lines, 'The original trains one run at a time.'])
