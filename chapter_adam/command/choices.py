"""`chapter-adam choices`: one small choice at a time made otherwise, on the same seeds, and how far the loss moves.

A choice is one entry in `choices`: to try another, add one.
"""
import numpy as np

from ..core import history
from ..many import train_ensemble, train_gluon_ensemble
from ..output import many_seeds
from ..output.report import start, write_json, write_results
from ..output.terminal import progress
from ..rules import adam, adam_uncorrected, eps_hat, eps_inside, init_adam_states


def scratch(rule=adam, n=None, t=1):
    """A training: the section's, with another rule, the first n rows, or another first t."""
    def train(features, labels, lr, **common):
        states = init_adam_states(features.shape[1])
        return train_ensemble(rule, states, {'lr': lr, 't': t}, features[:n], labels[:n], **common)
    return train


def gluon(full_division):
    """A training: Gluon's, with the short last batch divided by the batch size or by its own number of rows."""
    def train(features, labels, lr, **common):
        return train_gluon_ensemble('adam', {'learning_rate': lr}, features, labels, full_division=full_division,
                                    **common)
    return train


SECTION = scratch()


def choices(rows, batch_size):
    """Each choice as a noun: the training in which it is made otherwise, and the one that it is compared with."""
    table = {
        'missing bias correction': (scratch(adam_uncorrected), SECTION),
        'start at t = 2': (scratch(t=2), SECTION),
        'eps-hat on the uncorrected root': (scratch(eps_hat), SECTION),
        'eps inside the root': (scratch(eps_inside), SECTION),
    }
    if rows == 1503:  # also changes every shuffle: only the mean, the lower floor, is not chance
        table['cut to the first 1500 of 1503 rows'] = scratch(n=1500), SECTION
    if short := rows % batch_size:
        if rows > batch_size:
            table[f'division of the last batch of {short} by {batch_size}'] = gluon(True), gluon(False)
    return table


def run(options):
    out, _, features, labels = start(options, ('choices', 'choices.timing'))
    common = {'seeds': range(options.first_seed, options.first_seed + options.runs), 'lr': options.lr,
              'num_epochs': options.epochs, 'batch_size': options.batch_size}
    trained, effects, diverged = {}, {}, set()
    for name, trainings in choices(len(labels), options.batch_size).items():
        for training in trainings:
            if training not in trained:
                with progress(name, options.runs, 'runs') as watch:
                    trained[training] = training(features, labels, watch=watch, **common)
        pair = [trained[training] for training in trainings]
        effects[name] = history.rounded(effect(*pair), 2)  # beyond, processors differ
        diverged.update(*(runs.diverged for runs in pair))
    spread = float(np.nanstd(trained[SECTION].final))
    facts = {'runs': options.runs, 'first_seed': options.first_seed, 'lr': options.lr, 'epochs': options.epochs,
             'batch_size': options.batch_size, 'rows': len(labels), 'diverged': sorted(diverged),
             'standard_deviation_of_seeds': history.rounded(spread, 4), 'effects': effects}
    if options.json != '-':
        print(table(facts))
    seconds = sum(runs.seconds for runs in trained.values())
    timing = write_results(options, out, 'choices', facts, seconds, many_seeds.choices)
    write_json(options.json, {**facts, **timing})


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
