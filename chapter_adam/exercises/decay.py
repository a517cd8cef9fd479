"""Exercise `decay`: why the learning rate is reduced as the training goes on.

A constant rate has to arrive, and its noise at the end grows with it. The sum of a schedule's rates is about as far as
a weight can move: where that is too short, the training stops on the way.
"""
import math

import numpy as np

from ..rules import adam, init_adam_states
from .tools.drawing import label, panels
from .tools.numbers import nearest, rounded
from .tools.training import BATCH, RATE, Section, sweep

QUESTION = 'Why reduce the learning rate as the training goes on, and how fast?'

RATES = np.geomspace(1e-3, 1, 10)  # three per factor of ten, the section's among them
EPOCHS = 8
COLOURS = {'constant': 'black', '1/sqrt(t)': 'tab:orange', 'cosine': 'tab:green', '1/t': 'tab:red'}
SCHEDULES = {  # the rate of step t of steps, from the first rate
    'constant': lambda first, t, steps: first,
    '1/sqrt(t)': lambda first, t, steps: first / math.sqrt(t),
    'cosine': lambda first, t, steps: first * (1 + math.cos(math.pi * (t - 1) / steps)) / 2,
    '1/t': lambda first, t, steps: first / t,
}


def scheduled(schedule, steps):
    """Adam at the rates of a schedule; hyperparams['lr'] is the first one."""
    def rule(params, states, hyperparams):
        t = hyperparams['t']
        adam(params, states, {'lr': schedule(hyperparams['lr'], t, steps), 't': t})
        hyperparams['t'] = t + 1
    return rule


def run(features, labels, seeds, watch=None):
    """The facts, for each schedule over the first rates."""
    section, steps, schedules = Section(features, labels, seeds), EPOCHS * math.ceil(len(labels) / BATCH), {}
    for k, (name, schedule) in enumerate(SCHEDULES.items()):
        runs, losses = sweep(scheduled(schedule, steps), init_adam_states(features.shape[1]), RATES, features, labels,
                             seeds, watch and (lambda part: watch((k + part) / len(SCHEDULES))), num_epochs=EPOCHS)
        excess, mean = losses - section.floor, losses.mean(axis=2) - section.floor
        best = int(np.argmin(mean[-1]))
        schedules[name] = {
            'sum_of_rate_1': rounded(sum(schedule(1, t, steps) for t in range(1, steps + 1))),
            'last_of_rate_1': rounded(schedule(1, steps, steps)), 'mean': rounded(mean[-1]), 'best': best,
            'best_by_seed': rounded(excess[-1, best]),
            'curves': {'best': rounded(mean[:, best]), 'section': rounded(mean[:, nearest(RATES, RATE)])}}
    return {'settings': {'batch_size': BATCH, 'num_epochs': EPOCHS, 'seeds': len(seeds), 'first_seed': seeds[0]},
            'steps': steps, 'floor': section.floor, 'rates': rounded(RATES), 'schedules': schedules,
            'examples': (runs.epochs * len(labels)).round().tolist(),
            'farthest_weight': rounded(np.abs(section.optimum).max())}


def answer(facts):
    """What a constant rate lacks, what a falling one gains, and when it falls too fast."""
    rates, schedules, farthest = facts['rates'], facts['schedules'], facts['farthest_weight']
    constant, root, cosine, fast = schedules.values()
    section, least = nearest(rates, RATE), constant['mean'][constant['best']]
    noise = constant['mean'][nearest(rates, 10 * RATE)] / constant['mean'][section]
    gain = {name: least / each['mean'][each['best']] for name, each in schedules.items()}
    nearer = [int(np.less(each['best_by_seed'], constant['best_by_seed']).sum()) for each in (root, cosine)]
    first, seeds = rates[cosine['best']], facts['settings']['seeds']
    good = [rate for rate, mean in zip(rates, cosine['mean']) if mean < least] or [np.nan]
    sums = [(rate * each['sum_of_rate_1'], mean, name) for name, each in schedules.items()
            for rate, mean in zip(rates, each['mean'])]
    short = min((mean for total, mean, _ in sums if total < farthest), default=0)
    enough = {name: mean for total, mean, name in sums if 2 * farthest <= total <= 4 * farthest} or {'': np.inf}
    return [
        (f'A constant rate leaves noise: {RATE:g} ends {constant["mean"][section]:.1e} above the floor, ten times that '
         f'rate {noise:.0f} times as far. But it has to arrive too: {rates[0]:g} ends {constant["mean"][0]:.1e} above. '
         f'The best compromise, {rates[constant["best"]]:.2g}, ends {least:.1e} above.',
         8 < noise < 32 and 0 < constant['best'] < section
         and min(constant['mean'][0], constant['mean'][section]) > 2 * least == 2 * min(constant['mean'])),
        (f'A rate that falls does both. Cosine from {first:.2g} down to {first * cosine["last_of_rate_1"]:.1e} ends '
         f'{gain["cosine"]:.0f} times as near to the floor as the best constant rate, for {nearer[1]} of {seeds} seeds '
         f'nearer; 1/sqrt(t) from {rates[root["best"]]:.2g} {gain["1/sqrt(t)"]:.1f} times, for {nearer[0]}.',
         gain['cosine'] > 4 and gain['1/sqrt(t)'] > 1.5 and min(nearer) > 0.75 * seeds
         and first > rates[constant['best']] > first * cosine['last_of_rate_1']),
        (f'Its first rate needs little tuning: cosine beats constant rates from {min(good):.2g} to {max(good):.2g}.',
         max(good) > 10 * min(good)),
        (f'A decay can be too fast: 1/t from {RATE:g} ends {fast["mean"][section]:.2f} above the floor, since its '
         f'rates sum to {RATE * fast["sum_of_rate_1"]:.3f} and the farthest weight has to move {farthest:.2f}. For any '
         f'schedule, a sum below that ends {short:.2f} or more above the floor, two to four times it '
         f'{max(enough.values()):.3f} at most.',
         fast['mean'][section] > 0.1 and RATE * fast['sum_of_rate_1'] < farthest / 4 and short > 0.05
         and max(enough.values()) < 0.01 and {*enough} == {*SCHEDULES}),
    ]


def figure(facts):
    """Three panels, of the mean loss above the floor: the curves, the ends over the first rate and over the sum."""
    picture = panels('A rate that falls arrives and is quiet there, if it does not fall too fast', facts,
                     (_draw_curves, _draw_ends, _draw_sums), (12, 4), {'yscale': 'log', 'ylim': (1.5e-5, 1)},
                     width_ratios=(1.2, 1, 1))
    picture.axes[0].set_ylabel('mean loss above the floor')
    return picture


def _draw_curves(axes, facts):
    for name, chosen, rate in (('constant', 'section', RATE), ('constant', 'best', None), ('1/sqrt(t)', 'best', None),
                               ('cosine', 'best', None), ('1/t', 'section', RATE)):
        each = facts['schedules'][name]
        rate, curve = rate or facts['rates'][each['best']], each['curves'][chosen]
        colour = '0.5' if (name, chosen) == ('constant', 'section') else COLOURS[name]
        axes.plot(facts['examples'], curve, color=colour, linestyle='-' if chosen == 'best' else '--')
        label(axes, facts['examples'][-1], curve[-1], f'{name} {"" if name == "constant" else "from "}{rate:.2g}',
              color=colour)
    axes.set(xlabel='examples seen', xlim=(0, facts['examples'][-1] * 1.45), xticks=range(0, 12001, 4000),
             title=f'Solid: from its best rate; dashed: from {RATE:g}')


def _draw_ends(axes, facts):
    for name, each in facts['schedules'].items():
        axes.plot(facts['rates'], each['mean'], color=COLOURS[name], marker='.', label=name)
    axes.set(xscale='log', xlabel='first learning rate', title=f'Where {EPOCHS} epochs end')
    axes.legend(fontsize='small', loc='lower right')


def _draw_sums(axes, facts):
    for name, each in facts['schedules'].items():
        axes.plot(np.multiply(facts['rates'], each['sum_of_rate_1']), each['mean'], color=COLOURS[name], marker='.')
    axes.axvspan(1e-3, facts['farthest_weight'], color='tab:red', alpha=0.08, linewidth=0)
    axes.text(0.5, 2e-3, f'less than the\nfarthest weight\nhas to move, {facts["farthest_weight"]:.2f}',
              color='tab:red', ha='right', fontsize='small')
    axes.set(xscale='log', xlabel='sum of all rates', xlim=(5e-3, 2e3), title='Too small a sum: it stops on the way')
