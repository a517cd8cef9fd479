"""The race: rules on the same seeds, what they end with, and how far they differ from the first, seed by seed."""
from dataclasses import dataclass, field
from numbers import Integral, Real

import numpy as np

from ..core import airfoil, checks, history
from ..grading.arguments import initial_states
from ..output import figures
from ..rules import RULES
from .figure import draw
from .training import RATES, Racer

LEVELS = {'5 %': .05, 'median': .5, '95 %': .95}
# Student's 97.5 % quantiles, by degrees of freedom from 1; beyond them 1.96 + 2.5 / degrees is exact to 0.01.
STUDENT = 12.71, 4.30, 3.18, 2.78, 2.57, 2.45, 2.36, 2.31, 2.26, 2.23


@dataclass(frozen=True, eq=False)
class Comparison:
    """A finished race; prints as a table.

    Attributes:
        facts: what a second race repeats: for each rule its rate, the quantiles of its final losses and of its curve,
            and the difference from the first rule with its 95 % interval.
        seconds: by rule, the wall time of its seeds.
        runs: by rule, the Ensemble.
    """
    facts: dict
    seconds: dict
    runs: dict = field(repr=False)

    def __str__(self):
        return table(self.facts, self.seconds)

    def __repr__(self):
        return f'<Comparison of {", ".join(self.runs)}: {self.facts["seeds"]} seeds>'

    def to_json(self):
        """The facts and the times as JSON text."""
        return history.to_json({**self.facts, 'seconds': self.seconds})

    def figure(self):
        """The curves' bands over the least-squares floor."""
        with figures.style():
            return draw(self.facts)


def compare(rules, features=None, labels=None, batch_size=10, num_epochs=2, *, seeds=100, lr=0.01, best_rate=False,
            plot=True, watch=None):
    """Trains each rule on the same seeds, prints a table and draws one figure.

    Args:
        rules: a dict from a name to a rule: a function of the book's form, its name in RULES, (rule, states) or
            (rule, states, hyperparams). Without states: init_<rule>_states if it stands beside the rule, else Adam's.
        features, labels: the book's data if None.
        batch_size, num_epochs: as for `train_ch7`.
        seeds: how many, from 0 on, or a sequence of them.
        lr: the learning rate of all, unless hyperparams say another.
        best_rate: first find each rule's best rate, of 21 from 1e-4 to 10 and on 20 other seeds, so that the race is
            fair; of 11, on 3 seeds, for a rule that has to be trained one by one.
        plot: draw the figure with pyplot.
        watch: called as watch(name, runs_done) now and then.

    Returns:
        A `Comparison`.

    >>> x = np.linspace(-1, 1, 40).reshape(20, 2)
    >>> race = compare({'sgd': 'sgd', 'adam': 'adam'}, x, x[:, 0], seeds=5, plot=False)  # doctest: +ELLIPSIS
    rule ...
    >>> race.facts['rules']['adam']['lr']
    0.01
    """
    plot, best_rate = checks.flag('plot', plot), checks.flag('best_rate', best_rate)
    data = airfoil.get_data_ch7() if features is None else checks.data(features, labels)
    seeds = checks.seeds(range(checks.whole_number('seeds', seeds, 1)) if isinstance(seeds, Integral) else seeds)
    if isinstance(lr, bool) or not isinstance(lr, Real) or not 0 < lr < np.inf:
        raise TypeError(f'lr must be a finite number above 0, got {checks.short(lr)}')
    racers = {name: racer(name, entry, data[0].shape[1]) for name, entry in checked(rules).items()}
    done = race(racers, data, seeds, lr, best_rate, watch, batch_size=batch_size, num_epochs=num_epochs)
    print(done)
    if plot:
        show(done)
    return done


def checked(rules):
    """The dict, with an entry for each rule."""
    if not isinstance(rules, dict) or not rules:
        raise TypeError(f"rules must be a dict such as {{'mine': my_adam, 'adam': 'adam'}}, got {checks.short(rules)}")
    return {str(name): entry for name, entry in rules.items()}


def racer(name, entry, d):
    """An entry of `rules` as a Racer."""
    rule, states, hyperparams = (*entry, None, None)[:3] if isinstance(entry, tuple) else (entry, None, None)
    if isinstance(rule, str):
        if rule not in RULES:
            raise ValueError(f'rules[{name!r}] must be a function or one of {", ".join(RULES)}, got {rule!r}')
        rule, make = RULES[rule]
        states = states or make(d)
    checks.rule(rule)
    if not isinstance(hyperparams, (dict, type(None))):
        raise TypeError(f"rules[{name!r}]: hyperparams must be a dict such as {{'lr': 0.01}}, "
                        f'got {checks.short(hyperparams)}')
    states, _ = (states, d) if states is not None and not callable(states) else initial_states(rule, 'adam', states, d)
    return Racer(rule, states, {'t': 1, **(hyperparams or {})})


def race(racers, data, seeds, lr, best_rate, watch=None, **options):
    """The Comparison of checked rules."""
    done, sweeps, rates, together = {}, {}, {}, {}
    for name, each in racers.items():
        rates[name] = each.hyperparams.get('lr', lr)
        if best_rate:
            sweeps[name] = each.sweep(data, max(seeds) + 1, **options)
            rates[name] = best(name, sweeps[name][0])
        done[name], together[name] = each.train(data, seeds, rates[name] or lr, **options, watch=watch and (
            lambda count, name=name: watch(name, count)))
    floor = airfoil.least_squares_floor(*data)
    first, facts = next(iter(done.values())), {}
    for name, runs in done.items():
        facts[name] = {'lr': rates[name], 'at_once': together[name], 'diverged': len(runs.diverged), **quantiles(runs),
                       'difference': None if runs is first else difference(runs.final, first.final)}
        if best_rate:
            medians, tried = sweeps[name][0].tolist(), sweeps[name][1]
            facts[name]['sweep'] = {'seeds': tried, 'medians': [x if np.isfinite(x) else None for x in medians]}
    common = {'seeds': len(seeds), 'first_seed': seeds[0], 'floor': floor, 'reference': next(iter(done)), **options,
              'epochs': first.epochs.tolist()}
    sweep = {'rates': RATES.tolist()} if best_rate else {}
    return Comparison(history.rounded({**common, **sweep, 'rules': facts}, 6),
                      {name: runs.seconds for name, runs in done.items()}, done)


def best(name, medians):
    """The rate with the lowest median; None if the rule does not use its rate."""
    if not np.isfinite(medians).any():
        raise ArithmeticError(f'{name}: all runs diverged, at all rates from {RATES[0]:g} to {RATES[-1]:g}')
    return None if len({*medians}) == 1 else float(f'{RATES[np.argmin(medians)]:.3g}')


def quantiles(runs):
    """Of the final losses, and of the curve at each record, over the seeds that did not diverge."""
    if len(runs.diverged) == len(runs.seeds):
        return {'final': None, 'curve': None}
    values = dict(zip(LEVELS, runs.quantiles([*LEVELS.values()]).tolist()))
    return {'final': {name: curve[-1] for name, curve in values.items()}, 'curve': values}


def difference(final, reference):
    """The mean of a rule's final losses less the first rule's, seed by seed, with its 95 % interval; None if none."""
    gaps = (final - reference)[np.isfinite(final) & np.isfinite(reference)]
    degrees = len(gaps) - 1
    if degrees < 1:
        return None
    quantile = STUDENT[degrees - 1] if degrees <= len(STUDENT) else 1.96 + 2.5 / degrees
    mean, half = float(gaps.mean()), quantile * float(gaps.std(ddof=1)) / len(gaps) ** 0.5
    return {'mean': mean, 'interval': [mean - half, mean + half]}


def table(facts, seconds):
    """The race in lines, as a reader wants it."""
    width = max(len('rule'), *map(len, facts['rules'])) + 2
    against = f'minus {facts["reference"]}, seed by seed'
    lines = [f'{"rule":{width}}{"lr":>8}{"final loss: median":>20}{"5 % to 95 %":>20}{"seconds":>9}  {against}']
    for name, each in facts['rules'].items():
        rate, final, gap = each['lr'], each['final'], each['difference']
        band = final and f'{short(final["5 %"])} to {short(final["95 %"])}'
        numbers = f'{short(final["median"], 6):>20}{band:>20}' if final else f'{"all diverged":>40}'
        words = f'{gap["mean"]:+.1e} ({gap["interval"][0]:+.1e} to {gap["interval"][1]:+.1e})' if gap else ''
        lost = f'  {each["diverged"]} diverged and are left out' if final and each['diverged'] else ''
        lost += '' if each['at_once'] else '  (one by one)'
        lost += f'  (swept on {each["sweep"]["seeds"]} seeds)' if 'rates' in facts else ''
        lines.append(f'{name:{width}}{"-" if rate is None else f"{rate:.3g}":>8}{numbers}{seconds[name]:9.2f}  '
                     f'{words}{lost}'.rstrip())
    lines.append(f'{facts["seeds"]} seeds; least-squares floor {facts["floor"]:.6f}; intervals of 95 %'
                 + (f'; each with the best of {len(facts["rates"])} rates' if 'rates' in facts else ''))
    return '\n'.join(lines)


def short(loss, digits=4):
    """A loss as the table shows it."""
    return f'{loss:.{digits}f}' if loss < 100 else f'{loss:.3g}'


def show(done):
    """The figure with pyplot."""
    import matplotlib.pyplot as plt
    draw(done.facts, plt.figure(figsize=(6.4, 4), layout='constrained').gca())
