"""`chapter-adam bench`: times the section's training by this project, the original, later editions and others."""
import sys

import numpy as np

from . import figure, many_race, peers, race
from ..core import history
from ..output import figures
from ..output.files import usable_folder, write_text

ORIGINALS = ('gluonbook-scratch', 'gluonbook-gluon')  # the times that the others are compared with
CLOCK = 'wall time of the last of two epochs, evaluations included; d2l and gluonbook: two epochs less one'


def run(options):
    """Lists the competitors or races them; prints a table, writes JSON and a figure."""
    competitors = chosen(options.only)
    if options.list:
        print('\n'.join(f'{c.name:26}{c.label:32}{c.environment}' for c in competitors))
        return
    out, say = usable_folder(options.out), quiet if options.quiet else tell
    if options.many:
        name, draw, print_table = 'bench_many', figure.draw_many, many_race.table
        result = many_race.run(competitors, options.runs, options.repeats, say)
    else:
        name, draw, print_table = 'bench', figure.draw, table
        say(f'{len(competitors)} competitors, {options.repeats} repeats; all 16 take one to five minutes')
        result = summary(race.run(competitors, options.repeats, say), options.repeats)
    print(print_table(result))
    if all(peer['state'] != 'timed' for peer in result['peers'].values()):
        raise ValueError('no competitor could be timed; the table says why')
    write_text(out / f'{name}.json', history.to_json(result))
    figures.save(draw(result), out / name, options.formats)
    if not options.quiet:
        print(f'\nwritten to {out}: {name} as {", ".join(["json", *options.formats])}')


def tell(text):
    """Progress goes to standard error, also into a pipe."""
    if sys.stderr:  # None if the shell closed it (`2>&-`)
        print(f'bench: {text}', file=sys.stderr, flush=True)


def quiet(_text):
    """No progress."""


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
    c, process = entry.competitor, entry.process
    peer = {'label': c.label, 'family': c.family, 'state': entry.state, 'reason': entry.reason,
            'same_draws': not c.own_draws, 'versions': process.versions if process else {},
            'prepare_seconds': process and process.prepared,
            'final_loss': entry.final_loss, 'gap_to_reference': entry.gap}
    if entry.state == 'timed' and entry.samples:
        low, median, high = np.quantile(entry.samples, (0.25, 0.5, 0.75)) * 1e3
        peer.update(median_ms=median, quartiles_ms=[low, high], samples_ms=[x * 1e3 for x in entry.samples])
    return peer


def table(result):
    """The timed competitors, then the others with the reason."""
    lines = [f'{"":32}{"ms/epoch":>10}{"quartiles":>18}{"x scratch":>11}{"x Gluon":>9}{"final loss":>12}'
             f'{"prepared":>10}  version']
    for peer in result['peers'].values():
        if peer['state'] == 'timed':
            median, low, high = (figure.digits(ms, 3) for ms in (peer['median_ms'], *peer['quartiles_ms']))
            speeds = (peer.get(f'times_as_fast_as_{original}') for original in ORIGINALS)
            scratch, gluon = (figure.digits(speed) if speed else '' for speed in speeds)
            _, (package, version), *_ = peer['versions'].items()
            lines.append(f'{peer["label"]:32}{median:>10}{f"{low} - {high}":>18}{scratch:>11}{gluon:>9}'
                         f'{peer["final_loss"]:12.6f}{peer["prepare_seconds"]:8.1f} s  {package} {version}')
    lines += [f'{peer["label"]:32}{peer["state"]}: {peer["reason"]}' for peer in result['peers'].values()
              if peer['state'] != 'timed']
    return '\n'.join([*lines, '', f'ms/epoch: {result["clock"]}',
                      'x: times as fast as the original\'s; prepared: before any clock, compiling included'])
