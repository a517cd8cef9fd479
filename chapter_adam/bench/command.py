"""`chapter-adam bench`: the section's training by this project, the original, later editions and other frameworks.

Each competitor (folder `peers`) is admitted by its answer (room `gate`) and timed in turn with the others (`race`).
"""
import sys
from contextlib import contextmanager

import numpy as np

from . import figure as bench_figure, peers, race
from ..core import history
from ..output import figures
from ..output.files import usable_folder, write_text

ORIGINALS = ('gluonbook-scratch', 'gluonbook-gluon')  # the times that the others are compared with
CLOCK = ('wall time of the last of two epochs, its 15 evaluations included; d2l: mean of both epochs, '
         'evaluations left out, as it prints')


def run(options):
    """`chapter-adam bench`."""
    competitors = chosen(options.only)
    if options.many and not options.list:
        from . import many_race
        with progress(options.quiet) as watch:
            many_race.run(options, usable_folder(options.out), watch)
        return
    if options.list:
        print('\n'.join(f'{c.name:26}{c.label:32}{c.environment}' for c in competitors))
        return
    out = usable_folder(options.out)
    with progress(options.quiet) as watch:
        entries = race.run(competitors, options.repeats, watch)
    result = summary(entries, options.repeats)
    print(table(result['peers']))
    write_text(out / 'bench.json', history.to_json(result))
    written = ['json']
    if any(peer['state'] == 'timed' for peer in result['peers'].values()):
        figures.save(bench_figure.draw(result), out / 'bench', options.formats)
        written += options.formats
    if not options.quiet:
        print(f'\nwritten to {out}: bench as {", ".join(written)}')


def chosen(only=None):
    """The competitors that the names mean, each once; all if there are none."""
    found = peers.discover()
    return list(dict.fromkeys(c for name in only for c in peers.named(found, name))) if only else [*found.values()]


def summary(entries, repeats):
    """The race as data: machine, settings, and each competitor with every sample, slowest first."""
    described = {entry.competitor.name: _described(entry) for entry in entries}
    slowest_first = sorted(described, key=lambda name: -described[name].get('median_ms', -1))
    for peer in described.values():
        for original in ORIGINALS:
            base = described.get(original, {}).get('median_ms')
            if base and 'median_ms' in peer:
                peer[f'times_as_fast_as_{original}'] = base / peer['median_ms']
    return {'machine': history.machine(), 'clock': CLOCK, 'repeats': repeats,
            'settings': {'rows': 1503, 'batch_size': 10, 'num_epochs': 2, 'lr': 0.01, 'eps': 1e-6, 'seed': 0},
            'peers': {name: described[name] for name in slowest_first}}


def _described(entry):
    c = entry.competitor
    peer = {'label': c.label, 'family': c.family, 'state': entry.state, 'reason': entry.reason,
            'same_draws': c.same_draws, 'versions': entry.versions, 'prepare_seconds': entry.prepared,
            'final_loss': _finite(entry.final_loss), 'gap_to_reference': _finite(entry.gap)}
    if entry.state == 'timed':
        low, median, high = np.quantile(entry.samples, (0.25, 0.5, 0.75)) * 1e3
        peer.update(median_ms=median, quartiles_ms=[low, high], samples_ms=[x * 1e3 for x in entry.samples])
    return peer


def _finite(number):
    return number if number is not None and np.isfinite(number) else None


def table(described):
    """The competitors on the terminal: those that were timed, then those that were not, with the reason."""
    lines = [f'{"":32}{"ms/epoch":>10}{"quartiles":>18}{"x scratch":>11}{"x Gluon":>9}{"final loss":>12}'
             f'{"prepared":>10}  version']
    for peer in described.values():
        if peer['state'] == 'timed':
            low, high = peer['quartiles_ms']
            speeds = [_times(peer.get(f'times_as_fast_as_{original}')) for original in ORIGINALS]
            lines.append(f'{peer["label"]:32}{_ms(peer["median_ms"]):>10}{_ms(low) + " - " + _ms(high):>18}'
                         f'{speeds[0]:>11}{speeds[1]:>9}{peer["final_loss"]:12.6f}'
                         f'{peer["prepare_seconds"]:8.1f} s  {_version(peer)}')
    lines += [f'{peer["label"]:32}{peer["state"]}: {peer["reason"]}'
              for peer in described.values() if peer['state'] != 'timed']
    return '\n'.join([*lines, '', 'x: times as fast as the original\'s; prepared: compiled and so on, before any clock',
                      f'ms/epoch: {CLOCK}'])


def _ms(value):
    """At least three figures: 281, 40.2, 9.11, 0.099."""
    return f'{value:.{0 if value >= 99.95 else 1 if value >= 9.995 else 2 if value >= 0.9995 else 3}f}'


def _times(value):
    return '' if value is None else f'{value:.{0 if value >= 99.5 else 1}f}'


def _version(peer):
    name = next(name for name in peer['versions'] if name != 'python')
    return f'{name} {peer["versions"][name]}'


@contextmanager
def progress(quiet):
    """A progress line on a terminal, nothing in a pipe; yields the `watch` of a race."""
    if quiet or not (sys.stderr and sys.stderr.isatty()):
        yield lambda *_: None
        return
    from tqdm import tqdm
    with tqdm(leave=False, bar_format='{desc} {bar} {n}/{total}') as bar:
        def watch(done, total, what):
            bar.total, bar.n = total, done
            bar.set_description_str(f'{what:52}')
        yield watch
