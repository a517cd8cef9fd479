"""Many seeds of both methods: where the book's two losses lie, and whether the methods differ at all."""
import numpy as np

from ..core import airfoil, history
from ..many import ensemble
from ..output import figures
from ..output.files import write_text
from ..rules.optimizers import adam, init_adam_states
from ..output.report import BOOK, progress, start, write_json


def run(options):
    """`chapter-adam seeds`."""
    out, say, features, labels = start(options, ('seeds', 'seeds.timing'))
    first = options.seed
    scratch, gluon = both(features, labels, range(first, first + options.runs), options)
    facts = summary(scratch, gluon, airfoil.least_squares_floor(features, labels))
    if options.json != '-':
        print(words(facts))
    write_text(out / 'seeds.json', history.to_json({**facts, 'curves': bands(scratch, gluon)}, figures=7))
    write_text(out / 'seeds.timing.json', history.to_json(timing(scratch, gluon)))
    figures.save(figures.seeds(scratch, gluon, facts), out / 'seeds', options.formats)
    say(f'written to {out}: seeds as {", ".join(options.formats)} and json')
    write_json(options.json, {**facts, 'curves': bands(scratch, gluon), **timing(scratch, gluon),
                              'runs': {'scratch': scratch.final.tolist(), 'gluon': gluon.final.tolist()}})


def both(features, labels, seeds, options):
    """The two ensembles, on the same seeds."""
    common = {'batch_size': options.batch_size, 'num_epochs': options.epochs, 'seeds': seeds}
    with progress('seeds, scratch', len(seeds), 'runs') as watch:
        scratch = ensemble.train_ensemble(adam, init_adam_states(features.shape[1]), {'lr': options.lr, 't': 1},
                                          features, labels, watch=watch, **common)
    with progress('seeds, Gluon', len(seeds), 'runs') as watch:
        gluon = ensemble.train_gluon_ensemble('adam', {'learning_rate': options.lr}, features, labels, watch=watch,
                                              **common)
    return scratch, gluon


def summary(scratch, gluon, floor):
    """What the seeds say, as data.

    The claim that the two methods have one distribution is tested on pairs, each seed's two runs: the mean difference
    of the final losses with its 95 % interval, in units of the standard deviation from seed to seed (the effect size).
    `distance` is the largest between the two distribution functions (Kolmogorov and Smirnov's).
    """
    fine = np.isfinite(scratch.losses).all(axis=0) & np.isfinite(gluon.losses).all(axis=0)
    if not fine.any():
        raise ArithmeticError(f'all {len(fine)} runs diverged; try a smaller learning rate')
    a, b = scratch.losses[:, fine], gluon.losses[:, fine]
    pairs, spread = a[-1] - b[-1], float(a[-1].std(ddof=1)) if fine.sum() > 1 else 0.0
    half = 1.96 * float(pairs.std(ddof=1)) / len(pairs) ** 0.5 if fine.sum() > 1 else 0.0
    unit = spread or 1.0
    return {
        'runs': len(fine), 'first_seed': scratch.seeds[0], 'diverged': sorted({*scratch.diverged, *gluon.diverged}),
        'settings': {'scratch': scratch.settings, 'gluon': gluon.settings}, 'floor': floor,
        'final': {name: _quantiles(final) for name, final in (('scratch', a[-1]), ('gluon', b[-1]))},
        'book': {name: {'loss': loss, 'percentile': round(100 * float((final < loss).mean()), 1)}
                 for name, (loss, _), final in zip(BOOK, BOOK.values(), (a[-1], b[-1]))},
        'largest_gap': float(np.abs(a - b).max()),
        'pairs': {'mean_difference': float(pairs.mean()), 'interval': [float(pairs.mean()) - half,
                                                                       float(pairs.mean()) + half],
                  'effect_size': float(pairs.mean()) / unit, 'effect_interval': [(float(pairs.mean()) - half) / unit,
                                                                                 (float(pairs.mean()) + half) / unit],
                  'standard_deviation_of_seeds': spread, 'distance': distance(a[-1], b[-1])},
    }


def _quantiles(final):
    names = ('least', '5 %', '25 %', 'median', '75 %', '95 %', 'most')
    return dict(zip(names, np.quantile(final, (0, .05, .25, .5, .75, .95, 1)).tolist()))


def distance(a, b):
    """The largest vertical distance between the distribution functions of two samples, from 0 to 1."""
    at = np.sort(np.concatenate([a, b]))
    below = [np.searchsorted(np.sort(sample), at, side='right') / len(sample) for sample in (a, b)]
    return float(np.abs(below[0] - below[1]).max())


def words(facts):
    """The summary as a reader wants it."""
    lines, final, pairs = [], facts['final']['scratch'], facts['pairs']
    lines.append(f'{facts["runs"]:,} seeds, final loss from scratch: 5 % {final["5 %"]:.4f}, '
                 f'median {final["median"]:.4f}, 95 % {final["95 %"]:.4f}')
    for name, label in (('scratch', "the book's scratch run"), ('gluon', "the book's Gluon run  ")):
        book = facts['book'][name]
        lines.append(f'{label} {book["loss"]:.6f}: {verdict(book["percentile"])}, above {book["percentile"]:.0f} % '
                     f'of {facts["runs"]:,}')
    lines.append(f'scratch and Gluon, seed by seed: largest gap {facts["largest_gap"]:.1e} anywhere on any curve; mean '
                 f'difference at the end {pairs["mean_difference"]:+.0e},')
    lines.append(f'  {abs(pairs["effect_size"]):.5f} of the standard deviation from seed to seed '
                 f'({pairs["standard_deviation_of_seeds"]:.4f}): {_claim(pairs)}')
    if facts['diverged']:
        lines.append(f'diverged and left out: {len(facts["diverged"])} runs, seeds '
                     f'{", ".join(map(str, facts["diverged"][:10]))}{" ..." if len(facts["diverged"]) > 10 else ""}')
    return '\n'.join(lines)


def verdict(percentile):
    """An ordinary draw lies among the middle nine tenths."""
    return 'an ordinary draw' if 5 <= percentile <= 95 else 'not among the middle 90 %'


def _claim(pairs):
    same = max(map(abs, pairs['effect_interval'])) < 0.01
    return 'one distribution' if same else 'two distributions, or too few seeds to tell'


def bands(scratch, gluon):
    """Median, 5-95 % and extremes of both methods at each record."""
    levels = {'least': 0, '5 %': .05, 'median': .5, '95 %': .95, 'most': 1}
    return {'epochs': scratch.epochs.tolist(),
            **{name: dict(zip(levels, np.round(runs.quantiles(list(levels.values())), 7).tolist()))
               for name, runs in (('scratch', scratch), ('gluon', gluon))}}


def timing(scratch, gluon):
    return {'seconds': {'scratch': scratch.seconds, 'gluon': gluon.seconds}, 'versions': scratch.versions,
            'machine': scratch.machine}
