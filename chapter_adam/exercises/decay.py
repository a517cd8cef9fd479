"""Exercise `decay`: why the learning rate is reduced as the run goes on.

A constant rate must do two things at once: be large enough to arrive, and small enough to be quiet there. The noise at
the end grows with the rate; a rate that falls pays for neither. One ensemble for each schedule, over a grid of first
rates. A schedule's reach, the sum of its rates, is about as far as a weight can come: where it is too short, the run
stops before it has arrived.
"""
import math
from operator import lt

import numpy as np

from ..core.airfoil import least_squares_floor
from ..rules.optimizers import adam, init_adam_states
from ._drawing import note, panels, plain_ticks
from ._float64 import least_squares
from ._numbers import band, nearest, rounded
from ._sweep import sweep

QUESTION = 'Why reduce the learning rate as the run goes on, and how fast?'

RATES = np.geomspace(1e-3, 1, 10)  # three per factor of ten, 0.01 among them
EPOCHS, SECTION = 8, 0.01
NOISY = (0.004, 0.25)  # which constant rates show the noise: these have arrived, and do not blow up
COLOURS = {'constant': 'black', '1/sqrt(t)': 'tab:orange', 'cosine': 'tab:green', '1/t': 'tab:red'}


SCHEDULES = {  # the rate of step t of steps, from the first rate
    'constant': lambda first, t, steps: first,
    '1/sqrt(t)': lambda first, t, steps: first / math.sqrt(t),
    'cosine': lambda first, t, steps: first * (1 + math.cos(math.pi * (t - 1) / steps)) / 2,
    '1/t': lambda first, t, steps: first / t,
}


def scheduled(schedule, steps):
    """Adam at the rates of a schedule; hyperparams['lr'] stays the first one."""
    def rule(params, states, hyperparams):
        t = hyperparams['t']
        adam(params, states, {'lr': schedule(hyperparams['lr'], t, steps), 't': t})
        hyperparams['t'] = t + 1
    return rule


def reach(name, first, steps):
    """The sum of a schedule's rates."""
    return sum(SCHEDULES[name](first, t, steps) for t in range(1, steps + 1))


def run(features, labels, seeds, watch=None):
    """The facts, for each schedule: lists over the first rates."""
    watch, floor = watch or (lambda part: None), least_squares_floor(features, labels)
    steps, farthest = EPOCHS * -(-len(labels) // 10), np.abs(least_squares(features, labels)).max()
    facts = {'settings': {'rules': [*SCHEDULES], 'batch_size': 10, 'num_epochs': EPOCHS, 'rows': len(labels),
                          'seeds_per_rate': len(seeds), 'first_seed': seeds[0]},
             'steps': steps, 'floor': rounded(floor), 'rates': rounded(RATES), 'farthest_weight': rounded(farthest),
             'schedules': {}}
    for k, (name, schedule) in enumerate(SCHEDULES.items()):
        runs, losses = sweep(scheduled(schedule, steps), init_adam_states(features.shape[1]), RATES, features, labels,
                             seeds, lambda part: watch((k + part) / len(SCHEDULES)), num_epochs=EPOCHS)
        facts['examples'] = (runs.epochs * len(labels)).round().tolist()
        facts['schedules'][name] = {'reach_of_rate_1': rounded(reach(name, 1, steps)), **_measured(losses - floor)}
        if name == 'constant':
            # Over all records of the last epoch: there the loss goes up and down, and nowhere.
            facts['noise'] = rounded((losses - floor)[runs.epochs > EPOCHS - 1].mean(axis=(0, 2)))
    return facts


def _measured(excess):
    """From the loss above the floor (records, rates, seeds): its ends, and the curves of two first rates."""
    final, mean = excess[-1], excess.mean(axis=2)
    best = int(np.argmin(mean[-1]))
    return {**band(final), 'mean': rounded(mean[-1]), 'best': best, 'best_by_seed': rounded(final[best]),
            'curves': {'best': rounded(mean[:, best]), 'section': rounded(mean[:, nearest(RATES, SECTION)])}}


# The answer


def answer(facts):
    """What the facts say, each number computed from them."""
    return [*_noise(facts), *_decays(facts), *_too_fast(facts)]


def _noise(facts):
    rates, mean, best = facts['rates'], facts['schedules']['constant']['mean'], facts['schedules']['constant']['best']
    exponent, _, off, noisy = _fit(facts)
    (low, least), *_, (high, most) = noisy
    section = nearest(rates, SECTION)
    return [
        ('A constant rate leaves noise, about in proportion to it: over the last of '
         f'{facts["settings"]["num_epochs"]} epochs the mean loss is {least:.1e} above the least-squares floor at '
         f'{low:.2g}, {most:.1e} at {high:.2g}. That grows as the rate to the power of {exponent:.2f} (within a factor '
         f'of {off:.2f} at {len(noisy)} rates).',
         0.9 < exponent < 1.35 and off < 1.3 and len(noisy) >= 5 and least < most),
        (f'So the best constant rate is a compromise. Of those tried it is {rates[best]:.2g}, which ends '
         f'{mean[best]:.1e} above the floor; {rates[0]:g} has not arrived yet, {mean[0]:.1e}, and at the '
         f'section\'s {SECTION:g} the noise is larger, {mean[section]:.1e}.',
         0 < best < section and mean[best] == min(mean) and min(mean[0], mean[section]) > 2 * mean[best]),
    ]


def _fit(facts):
    """noise = factor rate^exponent by least squares of the logarithms; how far off it is at most; and the points."""
    noisy = [(x, y) for x, y in zip(facts['rates'], facts['noise']) if NOISY[0] < x < NOISY[1]]
    x, y = np.log(noisy).T
    exponent, start = np.polyfit(x, y, 1)
    off = np.exp(np.abs(y - exponent * x - start).max())
    return float(exponent), float(np.exp(start)), float(off), noisy


def _decays(facts):
    rates, steps, constant = facts['rates'], facts['steps'], facts['schedules']['constant']
    usual, sentences = constant['mean'][constant['best']], []
    for name, start, least in (('1/sqrt(t)', 'A rate that falls has both', 1.5), ('cosine', 'And better so', 4)):
        own = facts['schedules'][name]
        best, first, seeds = own['mean'][own['best']], rates[own['best']], len(own['best_by_seed'])
        last, nearer = SCHEDULES[name](first, steps, steps), sum(map(lt, own['best_by_seed'], constant['best_by_seed']))
        sentences.append((
            f'{start}: {name}, from {first:.2g} down to {last:.1e}, starts above the best constant rate and ends below '
            f'it. It comes {usual / best:.1f} times as near to the floor, and nearer for {nearer} of {seeds} seeds.',
            first > rates[constant['best']] > last and usual > least * best and nearer > 0.75 * seeds))
    good = [rate for rate, mean in zip(rates, facts['schedules']['cosine']['mean']) if mean < usual] or [np.nan]
    return [*sentences, (
        f'Nor need its first rate be chosen with care: cosine beats the best constant rate from {min(good):.2g} to '
        f'{max(good):.2g}.', max(good) / min(good) >= 10)]


def _too_fast(facts):
    k, farthest, steps = nearest(facts['rates'], SECTION), facts['farthest_weight'], facts['steps']
    fast, usual = (facts['schedules'][name]['mean'][k] for name in ('1/t', 'constant'))
    once, twice = (reach('1/t', SECTION, n) for n in (steps, 2 * steps))
    short = min((mean for x, mean, _ in _by_reach(facts) if x < farthest), default=0)
    enough = {name: mean for x, mean, name in _by_reach(facts) if 2 * farthest <= x <= 4 * farthest} or {'': np.inf}
    return [
        (f'But a decay can be too fast. From {SECTION:g}, the rates of 1/t add up to {once:.3f} in {steps} steps, and '
         f'to {twice:.3f} in twice as many; the farthest weight must get to {farthest:.2f}. The run stops before it '
         f'arrives, {fast:.2f} above the floor, where the constant {SECTION:g} ends {usual:.4f} above it.',
         twice < farthest / 4 and fast > 0.1 and fast > 10 * usual
         and math.isclose(once, SECTION * facts['schedules']['1/t']['reach_of_rate_1'], rel_tol=1e-5)),
        ('First the sum of the rates counts, then the last of them. Whatever the schedule, where the sum is less than '
         f'{farthest:.2f} the loss ends {short:.2f} or more above the floor; where it is two to four times that, '
         f'{max(enough.values()):.3f} at most.',
         short > 0.05 and max(enough.values()) < 0.01 and {*enough} == {*SCHEDULES}),
    ]


def _by_reach(facts):
    """(sum of the rates, mean final loss above the floor, schedule) of every ensemble."""
    return [(rate * own['reach_of_rate_1'], mean, name) for name, own in facts['schedules'].items()
            for rate, mean in zip(facts['rates'], own['mean'])]


# The figure


def figure(facts):
    """Four panels: the curves and the ends (top), why constant rates are noisy and fast decays late (bottom)."""
    picture = panels('Large steps to arrive, small ones to be quiet there: a rate that falls has both, '
                     'if it does not fall too fast', facts, (_draw_curves, _draw_ends, _draw_noise, _draw_reach))
    for axes in picture.axes:
        axes.set(yscale='log', ylabel='mean loss above the floor')
    return picture


def _draw_curves(axes, facts):
    rates, schedules = facts['rates'], facts['schedules']
    for name, chosen, style in (('constant', 'section', '--'), ('constant', 'best', '-'),
                                ('1/sqrt(t)', 'best', '-'), ('cosine', 'best', '-'), ('1/t', 'section', '--')):
        curve = schedules[name]['curves'][chosen]
        rate = SECTION if chosen == 'section' else rates[schedules[name]['best']]
        colour = '0.5' if (name, chosen) == ('constant', 'section') else COLOURS[name]
        axes.plot(facts['examples'], curve, color=colour, linestyle=style)
        note(axes, (facts['examples'][-1], curve[-1]), f'{name} {"" if name == "constant" else "from "}{rate:.2g}',
             (5, 0), color=colour, va='center')
    axes.set(xlabel='examples seen', xlim=(0, facts['examples'][-1] * 1.36), ylim=(1.5e-5, 1),
             xticks=range(0, 12001, 3000), title=f'Solid: from its best rate; dashed: from {SECTION:g}')


def _draw_ends(axes, facts):
    for name, own in facts['schedules'].items():
        axes.plot(facts['rates'], own['mean'], color=COLOURS[name], marker='.', label=name)
    constant = facts['schedules']['constant']
    axes.axhline(constant['mean'][constant['best']], color='0.5', linestyle=':', label='the best constant rate')
    axes.set(xscale='log', xlabel='first learning rate', ylim=(1.5e-5, 8),
             title=f'Where {facts["settings"]["num_epochs"]} epochs end')
    plain_ticks(axes)
    axes.legend(fontsize='small', loc='upper center', ncols=3)


def _draw_noise(axes, facts):
    exponent, factor, _, noisy = _fit(facts)
    axes.plot(facts['rates'], facts['noise'], 'o', color='black', markersize=5)
    x = np.array([noisy[0][0] / 1.6, noisy[-1][0] * 1.6])
    axes.plot(x, factor * x ** exponent, color='0.6', linewidth=5, alpha=0.5, zorder=1)
    axes.text(0.45, 0.25, f'grey: rate to the power of {exponent:.2f}', color='0.35', transform=axes.transAxes)
    note(axes, (facts['rates'][0], facts['noise'][0]), 'not yet\narrived', (0, 9), ha='left')
    axes.set(xscale='log', xlabel='constant learning rate', ylim=(2e-4, 1), title='The noise of a constant rate')
    plain_ticks(axes)


def _draw_reach(axes, facts):
    farthest = facts['farthest_weight']
    axes.axvspan(1e-3, farthest, color='tab:red', alpha=0.08, linewidth=0)
    for name, own in facts['schedules'].items():
        axes.plot(np.multiply(facts['rates'], own['reach_of_rate_1']), own['mean'], color=COLOURS[name], marker='.',
                  label=name)
    axes.text(farthest * 0.9, 4e-3, f'too little for\nthe farthest\nweight, {farthest:.2f}', color='tab:red',
              ha='right', fontsize='small')
    axes.set(xscale='log', xlabel='sum of all rates', xlim=(5e-3, 2e3), ylim=(1.5e-5, 1),
             title='Too fast a decay: the sum of its rates is too small')
    plain_ticks(axes)
    axes.legend(fontsize='small', loc='lower left')
