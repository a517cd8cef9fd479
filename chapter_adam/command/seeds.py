"""`chapter-adam seeds`: many seeds of both methods; where the book's two losses lie, and whether the methods differ."""
import numpy as np

from ..core import airfoil
from ..core.history import rounded
from ..many import train_ensemble, train_gluon_ensemble
from ..output import many_seeds
from ..output.report import BOOK, Report, is_books
from ..output.terminal import progress
from ..rules import adam, init_adam_states

LEVELS = {'least': 0, '5 %': .05, 'median': .5, '95 %': .95, 'most': 1}


def run(options):
    report = Report(options)
    seeds = range(options.first_seed, options.first_seed + options.runs)
    runs = dict(zip(BOOK, both(report, seeds, options)))
    facts = summary(*runs.values(), airfoil.least_squares_floor(report.features, report.labels), is_books(options))
    report.print(words(facts))
    seconds = {name: each.seconds for name, each in runs.items()}
    timing = report.write_all('seeds', facts, seconds, many_seeds.seeds)
    report.end({**facts, **timing, 'runs': {
        name: [loss if np.isfinite(loss) else None for loss in each.final.tolist()] for name, each in runs.items()}})


def both(report, seeds, options):
    """The two ensembles, on the same seeds."""
    return (train('seeds, scratch', scratch, report, seeds, options),
            train('seeds, Gluon', gluon, report, seeds, options))


def train(name, training, report, seeds, options):
    """The ensemble of a training, `scratch` or `gluon`, with the command line's options."""
    with progress(name, len(seeds), 'runs') as watch:
        return training(report.features, report.labels, options.lr, seeds=seeds, num_epochs=options.epochs,
                        batch_size=options.batch_size, watch=watch)


def scratch(features, labels, lr, rule=adam, n=None, t=1, **common):
    """The section's training, or the same with another rule, the first n rows, or another first t."""
    states = init_adam_states(features.shape[1])
    return train_ensemble(rule, states, {'lr': lr, 't': t}, features[:n], labels[:n], **common)


def gluon(features, labels, lr, **common):
    """Gluon's training."""
    return train_gluon_ensemble('adam', {'learning_rate': lr}, features, labels, **common)


def summary(scratch, gluon, floor, books=True):
    """What the seeds say, as data; rounded to what every processor computes alike.

    Whether both methods have one distribution is tested on pairs, each seed's two runs: the mean difference of the
    final losses in units of the standard deviation from seed to seed (the effect size), with its 95 % interval.
    `books`: the settings are the book's, so that its losses can be compared.
    """
    fine = np.isfinite(scratch.losses).all(axis=0) & np.isfinite(gluon.losses).all(axis=0)
    if not fine.any():
        raise ArithmeticError(f'all {len(fine)} runs diverged; try a smaller learning rate')
    curves = {'scratch': scratch.losses[:, fine], 'gluon': gluon.losses[:, fine]}
    a, b = curves.values()
    final = {name: quantiles(losses[-1]) for name, losses in curves.items()}
    book = {name: {'loss': BOOK[name][0], 'percentile': round(100 * float((losses[-1] < BOOK[name][0]).mean()), 1)}
            for name, losses in curves.items()} if books else {}
    facts = {
        'runs': len(fine), 'first_seed': scratch.seeds[0], 'diverged': sorted({*scratch.diverged, *gluon.diverged}),
        'settings': {'scratch': scratch.settings, 'gluon': gluon.settings}, 'floor': floor, 'final': final,
        'book': book, 'histogram': histogram(a[-1], b[-1], floor, final['scratch']),
        'curves': {'epochs': scratch.epochs.tolist(), **{name: quantiles(each) for name, each in curves.items()}},
    }
    return {**rounded(facts, 6), 'largest_gap': rounded(float(np.abs(a - b).max()), 2),
            'pairs': rounded(paired(a[-1], b[-1]), 2)}


def quantiles(losses):
    """Quantiles over the runs, the last axis, by name."""
    return dict(zip(LEVELS, np.quantile(losses, [*LEVELS.values()], axis=-1).tolist()))


def paired(a, b):
    """How two methods' final losses differ, seed by seed."""
    mean, spread, half = float((a - b).mean()), float(a.std()), 1.96 * float((a - b).std()) / len(a) ** 0.5
    unit = spread or 1.0
    return {'mean_difference': rounded(mean, 1), 'effect_size': mean / unit,
            'effect_interval': [(mean - half) / unit, (mean + half) / unit], 'standard_deviation_of_seeds': spread}


def histogram(scratch, gluon, floor, final):
    """Final losses in bins from the floor to well above the 95 % quantile; the last bin holds all above."""
    top = 3 * final['95 %'] - 2 * final['5 %']
    edges = np.linspace(floor, max(top, floor * 1.001), 60)
    return {'edges': edges.tolist(), **{name: np.histogram(np.clip(losses, floor, edges[-1]), edges)[0].tolist()
                                        for name, losses in (('scratch', scratch), ('gluon', gluon))}}


def words(facts):
    """The summary as a reader wants it."""
    final, pairs, few = facts['final']['scratch'], facts['pairs'], many_seeds.too_few(facts)
    gap = (f'scratch and Gluon, seed by seed: largest gap {facts["largest_gap"]:.1e} anywhere on any curve; mean '
           f'difference at the end {pairs["mean_difference"]:+.0e}')
    if few:
        lines = [f'{few}; final loss from scratch: {final["least"]:.4f} to {final["most"]:.4f}', gap]
    else:
        claim = 'one distribution' if many_seeds.coincide(facts) else 'two distributions, or too few seeds to tell'
        lines = [f'{facts["runs"]:,} seeds, final loss from scratch: 5 % {final["5 %"]:.4f}, '
                 f'median {final["median"]:.4f}, 95 % {final["95 %"]:.4f}',
                 *(placed(name, book, facts['runs']) for name, book in facts['book'].items()), f'{gap},',
                 f'  {abs(pairs["effect_size"]):.5f} of the standard deviation from seed to seed '
                 f'({pairs["standard_deviation_of_seeds"]:.4f}): {claim}']
    if facts['diverged']:
        lines.append(f'diverged and left out: {len(facts["diverged"])} runs, seeds '
                     f'{", ".join(map(str, facts["diverged"][:10]))}{" ..." if len(facts["diverged"]) > 10 else ""}')
    return '\n'.join(lines)


def placed(name, book, runs):
    """Where one of the book's losses lies among the runs."""
    label = f'the book\'s {name.replace("gluon", "Gluon")} run'
    draw = 'an ordinary draw' if many_seeds.ordinary(book) else 'not among the middle 90 %'
    return f'{label:22} {book["loss"]:.6f}: {draw}, above {book["percentile"]:.0f} % of {runs:,}'
