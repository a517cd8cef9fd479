"""`chapter-adam choices`: one small choice at a time made otherwise, on the same seeds, and how far the loss moves.

A choice is one entry in `choices`: to try another, add one.
"""
from functools import partial

import numpy as np

from .seeds import gluon, scratch, train
from ..core.history import rounded
from ..output import many_seeds
from ..output.report import Report
from ..rules import adam_uncorrected, eps_hat, eps_inside


def choices(rows, batch_size):
    """Each choice as a noun: the training in which it is made otherwise, and the one that it is compared with."""
    table = {
        'missing bias correction': (partial(scratch, rule=adam_uncorrected), scratch),
        'start at t = 2': (partial(scratch, t=2), scratch),
        'eps-hat on the uncorrected root': (partial(scratch, rule=eps_hat), scratch),
        'eps inside the root': (partial(scratch, rule=eps_inside), scratch),
    }
    if rows == 1503:  # also changes every shuffle: only the mean, the lower floor, is not chance
        table['cut to the first 1500 of 1503 rows'] = partial(scratch, n=1500), scratch
    if 0 < (short := rows % batch_size) < rows:
        table[f'division of the last batch of {short} by {batch_size}'] = partial(gluon, full_division=True), gluon
    return table


def run(options):
    report, trained, effects, diverged = Report(options), {}, {}, set()
    seeds, rows = range(options.first_seed, options.first_seed + options.runs), len(report.labels)
    for name, pair in choices(rows, options.batch_size).items():
        for training in pair:
            if training not in trained:
                trained[training] = train(name, training, report, seeds, options)
        changed, usual = (trained[training] for training in pair)
        effects[name] = rounded(effect(changed, usual), 2)  # beyond, processors differ
        diverged.update(changed.diverged, usual.diverged)
    facts = {'runs': options.runs, 'first_seed': options.first_seed, 'lr': options.lr, 'epochs': options.epochs,
             'batch_size': options.batch_size, 'rows': rows, 'diverged': sorted(diverged),
             'standard_deviation_of_seeds': rounded(float(np.nanstd(trained[scratch].final)), 4), 'effects': effects}
    report.print(table(facts))
    seconds = sum(runs.seconds for runs in trained.values())
    report.end({**facts, **report.write_all('choices', facts, seconds, many_seeds.choices)})


def effect(changed, usual):
    """How far a choice moves a run, seed by seed: on the curve (its largest deviation), and at the end."""
    records = min(len(changed.losses), len(usual.losses))
    moved = changed.losses[:records] - usual.losses[:records]
    moved = moved[:, np.isfinite(moved).all(axis=0)]
    if not moved.size:
        raise ArithmeticError('all runs diverged; try a smaller learning rate')
    on_curve = np.abs(moved).max(axis=0)
    return {'curve_typical': float(np.median(on_curve)), 'curve_largest': float(on_curve.max()),
            'final_typical': float(np.median(np.abs(moved[-1]))), 'final_mean': float(moved[-1].mean()),
            'final_largest': float(np.abs(moved[-1]).max())}


def table(facts):
    """The effects, the largest first, and who could notice them."""
    spread, few = facts['standard_deviation_of_seeds'], many_seeds.too_few(facts)
    rows = [f'{"effect on the loss, seed by seed":38}{"curve: typical":>15}{"largest":>10}{"end: typical":>14}'
            f'{"mean":>10}{"" if few else "  who notices"}']
    for name, each in sorted(facts['effects'].items(), key=lambda item: -item[1]['curve_typical']):
        rows.append(f'{name:38}{each["curve_typical"]:15.1e}{each["curve_largest"]:10.1e}'
                    f'{each["final_typical"]:14.1e}{each["final_mean"]:+10.0e}'
                    + ('' if few else f'  {who(each, spread)}'))
    rows.append(few or f'{"for comparison, seed to seed":63}{spread:14.1e}{"":12}'
                '(standard deviation of the final loss)')
    return '\n'.join(rows)


def who(effect, spread):
    """Who could see an effect of this size."""
    if effect['final_typical'] > spread:
        return 'anybody: the final loss'
    if effect['curve_typical'] > spread:
        return 'the curve, not the final loss'
    if effect['curve_typical'] > 1e-5:
        return 'curves from one seed, side by side'
    if effect['curve_largest'] > 1e-5:
        return 'a test of the update; rarely, a curve'
    return 'only a test of the update'
