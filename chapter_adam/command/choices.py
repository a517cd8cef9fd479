"""What the small choices around Adam do here: each is changed alone, on the same seeds, and its effect measured.

A choice is one entry of CHOICES: to try another, add one. The rules below differ from `optimizers.adam` in one line.
"""
import numpy as np

from ..core import history
from ..output import figures
from ..many.ensemble import train_ensemble, train_gluon_ensemble
from ..output.files import write_text
from ..rules.optimizers import adam, adam_uncorrected, init_adam_states
from ..output.report import progress, start, write_json


def eps_inside(params, states, hyperparams):
    """Adam with eps under the root, as the section's first printing had it: v_hat / sqrt(s_hat + eps)."""
    t = hyperparams['t']
    for p, (v, s) in zip(params, states):
        v[:] = 0.9 * v + 0.1 * p.grad
        s[:] = 0.999 * s + (1 - 0.999) * p.grad.square()
        p[:] = p - hyperparams['lr'] * (v / (1 - 0.9 ** t)) / (s / (1 - 0.999 ** t) + 1e-6).sqrt()
    hyperparams['t'] = t + 1


def eps_hat(params, states, hyperparams):
    """Adam with eps on the root of the uncorrected s, as MXNet and Keras have it."""
    t = hyperparams['t']
    for p, (v, s) in zip(params, states):
        v[:] = 0.9 * v + 0.1 * p.grad
        s[:] = 0.999 * s + (1 - 0.999) * p.grad.square()
        p[:] = p - hyperparams['lr'] * (1 - 0.999 ** t) ** 0.5 / (1 - 0.9 ** t) * v / (s.sqrt() + 1e-6)
    hyperparams['t'] = t + 1


def scratch(rule=adam, n=None, t=1):
    """A variant: the section's training with another rule, the first n rows, or another first t."""
    def train(features, labels, options, **common):
        hyperparams = {'lr': options.lr, 't': t}
        states = init_adam_states(features.shape[1])
        return train_ensemble(rule, states, hyperparams, features[:n], labels[:n], **common)
    return train


def gluon(full_division):
    """A variant: Gluon's training, the short last batch divided by the full batch's size or by its own."""
    def train(features, labels, options, **common):
        return train_gluon_ensemble('adam', {'learning_rate': options.lr}, features, labels,
                                    full_division=full_division, **common)
    return train


SECTION = scratch()
# name: the choice made otherwise, and what it is compared with.
CHOICES = {
    'no bias correction': (scratch(adam_uncorrected), SECTION),
    't starts at 2': (scratch(t=2), SECTION),
    # Also shuffles otherwise, so that only its mean, the lower floor, is not chance.
    'the first 1500 rows of 1503': (scratch(n=1500), SECTION),
    'last batch of 3 divided by 10': (gluon(True), gluon(False)),
    'eps-hat (uncorrected root)': (scratch(eps_hat), SECTION),
    'eps inside the root': (scratch(eps_inside), SECTION),
}


def run(options):
    """`chapter-adam choices`."""
    out, say, features, labels = start(options, ('choices', 'choices.timing'))
    measured, spread, seconds = {}, None, {}
    for name, variants in CHOICES.items():
        runs = [_train(variant, name, features, labels, options) for variant in variants]
        measured[name] = effect(*runs)
        spread = spread or (float(np.nanstd(runs[1].final)) if variants[1] is SECTION else None)
        seconds[name] = sum(each.seconds for each in runs)
    facts = {'runs': options.runs, 'first_seed': options.seed, 'lr': options.lr, 'epochs': options.epochs,
             'batch_size': options.batch_size, 'standard_deviation_of_seeds': spread, 'effects': measured}
    if options.json != '-':
        print(table(facts))
    write_text(out / 'choices.json', history.to_json(facts, figures=6))
    write_text(out / 'choices.timing.json', history.to_json(
        {'seconds': seconds, 'versions': history.versions(), 'machine': history.machine()}))
    figures.save(figures.choices(facts), out / 'choices', options.formats)
    say(f'written to {out}: choices as {", ".join(options.formats)} and json')
    write_json(options.json, {**facts, 'seconds': seconds, 'versions': history.versions(),
                              'machine': history.machine()})


_DONE = {}


def _train(variant, name, features, labels, options):
    """An ensemble of a variant; what several choices are compared with is trained once."""
    seeds = range(options.seed, options.seed + options.runs)
    key = id(variant), id(features), seeds, options.lr, options.epochs, options.batch_size
    if key not in _DONE:
        with progress(name, len(seeds), 'runs') as watch:
            _DONE[key] = variant(features, labels, options, seeds=seeds, watch=watch, batch_size=options.batch_size,
                                 num_epochs=options.epochs)
    return _DONE[key]


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
    unit = facts['standard_deviation_of_seeds']
    rows = [f'{"effect on the loss, seed by seed":34}{"curve: typical":>15}{"largest":>10}{"end: typical":>14}'
            f'{"mean":>10}  who notices']
    for name, effect_ in sorted(facts['effects'].items(), key=lambda item: -item[1]['curve_typical']):
        rows.append(f'{name:34}{effect_["curve_typical"]:15.1e}{effect_["curve_largest"]:10.1e}'
                    f'{effect_["final_typical"]:14.1e}{effect_["final_mean"]:+10.0e}  {who(effect_, unit)}')
    rows.append(f'{"for comparison, seed to seed":34}{"":25}{unit:14.1e}{"":12}(standard deviation of the final loss)')
    return '\n'.join(rows)


def who(effect_, unit):
    """Who could see an effect of this size."""
    if effect_['final_typical'] > unit:
        return 'anybody: the final loss'
    if effect_['curve_typical'] > unit:
        return 'the curve, not the final loss'
    if effect_['curve_typical'] > 1e-5:
        return 'curves from one seed, side by side'
    if effect_['curve_largest'] > 1e-5:
        return 'a test of the update; rarely, a curve'
    return 'only a test of the update'
