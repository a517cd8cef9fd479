"""Exercise `epsilon`: what Adam's eps does, and where its three conventions differ.

    outside    lr v_hat / (sqrt(s_hat) + eps)                          the section, optax, PyTorch
    eps-hat    lr v_hat / (sqrt(s_hat) + eps / sqrt(1 - beta2^t))      Gluon, Keras: on the root of the uncorrected s
    inside     lr v_hat / sqrt(s_hat + eps)                            the section's first printing
"""
import numpy as np

from ..rules import adam, eps_hat, eps_inside, weighted_momentum
from .tools.drawing import dot, label, panels
from .tools.numbers import above, band, crossing, nearest, rounded
from .tools.training import RATE, Section

QUESTION = ('What does eps do in Adam from 1e-8 to 100, and when does it matter where it is added: to the root of the '
            'corrected s, of the uncorrected s, or inside the root?')

EPS = np.geomspace(1e-8, 1e2, 21)  # two per factor of ten
OTHERS = {'eps-hat': eps_hat, 'inside': eps_inside}
COLOURS = {'adam': 'black', 'eps-hat': 'tab:blue', 'inside': 'tab:orange', 'momentum': 'tab:green'}
SLOW, MOMENTUM_RATE = EPS >= 0.09, 0.02  # where lr / eps is slow enough for momentum; a rate that suits it


def run(features, labels, seeds, watch=None):
    """The facts; all lists are over the values of eps, `gaps` those of the loss curves, each seed's largest."""
    section = Section(features, labels, seeds)
    records = [*range(0, len(section.batches), 10), len(section.batches)]
    path = section.train(adam, copies=EPS.shape, eps=EPS[:, None, None])
    curves, half = section.loss(path[records]), len(section.batches) // 2
    last = np.stack([section.gradient(path[t, 0], t) for t in range(half, len(section.batches))])  # of the smallest eps
    momentum = section.train(weighted_momentum, copies=EPS[SLOW].shape, lr=RATE / EPS[SLOW, None, None])[-1]
    tuned = section.train(adam, lr=MOMENTUM_RATE * EPS[-1], eps=EPS[-1])[-1]
    gaps = {}
    for name, rule in OTHERS.items():
        gap = np.abs(section.loss(section.train(rule, copies=EPS.shape, eps=EPS[:, None, None])[records]) - curves)
        gaps[name] = {'typical': above(1e-12, np.median(gap.max(axis=0), axis=1)),
                      'worst': above(1e-12, gap.max(axis=(0, 2))), 'final': above(1e-12, np.median(gap[-1], axis=1))}
    return {'settings': {'lr': RATE, 'seeds': len(seeds), 'first_seed': seeds[0], 'dtype': 'float64'},
            'floor': section.floor, 'eps': rounded(EPS), **band(curves[-1]), 'gaps': gaps,
            'step_over_rate': rounded(np.abs(np.diff(path[half:], axis=0)).mean(axis=(0, 2, 3)) / RATE),
            'gradient_size': rounded(np.sqrt((last ** 2).mean(axis=0)).mean()),
            'first_gradients': rounded(np.quantile(np.abs(section.gradient(section.start, 0)), (0, 0.5))),
            'from_adam': above(1e-12, _distance(path[-1], path[-1, :1], section.start)),
            'from_momentum': above(1e-12, _distance(path[-1, SLOW], momentum, section.start)),
            'tuned': {'lr': rounded(MOMENTUM_RATE * EPS[-1]), 'median': rounded(np.median(section.loss(tuned)))}}


def _distance(end, other, start):
    """Between the last parameters, as a part of the distance that `other` moved: median over the seeds."""
    gap, moved = (np.linalg.norm(each, axis=-1) for each in (end - other, other - start))
    return np.median(gap / moved, axis=-1)


def answer(facts):
    """The two limits of eps, and the conventions."""
    eps, median, step, size = (facts[key] for key in ('eps', 'median', 'step_over_rate', 'gradient_size'))
    near, far = sum(gap < 0.01 for gap in facts['from_adam']) - 1, facts['from_momentum'][-1]
    half, best = crossing(eps, np.log2(np.divide(step, step[0])) + 1), int(np.argmin(median))
    (hat, inside), first, tuned = facts['gaps'].values(), facts['first_gradients'], facts['tuned']
    section, tenth = nearest(eps, 1e-6), nearest(eps, 0.1)
    seen = [next((x for x, gap in zip(eps, each['typical']) if gap > 0.001), np.inf) for each in (hat, inside)]
    return [
        (f'What counts is eps beside the size of the gradients, {size:.2f} in the last epoch. Up to {eps[near]:.2g} '
         f'the training ends within 1 % of where it does with {eps[0]:.0e}. Above, steps shorten: by half near eps = '
         f'{half:.1g}. A little helps, as a smaller lr does: {eps[best]:.1g} ends lowest, {median[best]:.4f} against '
         f'{median[0]:.4f}.',
         1e-3 <= eps[near] < size / 10 and size / 3 < half < 3 * size and 0.01 < eps[best] < 1
         and median[best] < median[0] - 1e-4),
        (f'Far above the gradients Adam is momentum at the rate lr / eps: at eps = {eps[-1]:g} the two end '
         f'{100 * far:.1f} % of the distance moved apart. The loss there, {median[-1]:.3f}, is high because lr / eps '
         f'is small: with lr = {tuned["lr"]:g} it is {tuned["median"]:.4f}.',
         far < 0.01 and 5 * far < facts['from_momentum'][-3] < 15 * far and median[-1] > 0.4 > tuned['median'] + 0.15),
        (f'At the section\'s {eps[section]:.0e} the conventions draw the same curve in the median seed: eps-hat is '
         f'{hat["typical"][section]:.0e} off, inside the root {inside["typical"][section]:.0e}. The worst seeds are '
         f'{hat["worst"][section]:.0e} and {inside["worst"][section]:.0e} off, since a first gradient can be '
         f'{first[0]:.0e}, not {first[1]:.1g}.',
         max(hat['typical'][section], inside['typical'][section]) < 1e-5 < 1e-4 < hat['worst'][section]
         and inside['worst'][section] > 1e-4 and first[0] < first[1] / 10),
        (f'The median seed\'s curve is 0.001 off with eps-hat from {seen[0]:.1g} on, inside the root from '
         f'{seen[1]:.1g}: at the first step eps-hat counts {0.001 ** -0.5:.0f}-fold, later less. At {eps[tenth]:g} it '
         f'is {hat["typical"][tenth]:.2f} off at most but {hat["final"][tenth]:.0e} at the end.',
         seen[0] < seen[1] < np.inf and hat['typical'][tenth] > 0.03
         and hat['final'][tenth] < hat['typical'][tenth] / 10),
    ]


def figure(facts):
    """Four panels over eps: the final loss and the steps (top), the two limits and the conventions (bottom)."""
    picture = panels('eps decides once it reaches the size of the gradients (green): Adam becomes momentum', facts,
                     (_draw_loss, _draw_steps, _draw_limits, _draw_gaps),
                     shared={'xscale': 'log', 'yscale': 'log', 'xlabel': 'eps', 'xlim': (EPS[0], EPS[-1])})
    for axes in picture.axes:
        axes.axvspan(facts['gradient_size'], facts['eps'][-1], color=COLOURS['momentum'], alpha=0.1, linewidth=0)
    return picture


def _draw_loss(axes, facts):
    eps, best, section = facts['eps'], int(np.argmin(facts['median'])), nearest(facts['eps'], 1e-6)
    low, median, high = (np.subtract(facts[key], facts['floor']) for key in ('5 %', 'median', '95 %'))
    axes.fill_between(eps, low, high, color='0.5', alpha=0.4, linewidth=0)
    axes.plot(eps, median, color=COLOURS['adam'], linewidth=2)
    dot(axes, eps[section], median[section], "the section's 1e-6", (4, 8))
    dot(axes, eps[best], median[best], f'lowest: {eps[best]:.1g}', (-62, -6))
    axes.set(ylabel='final loss above the floor', title='Where it ends: median and 5-95 % of the seeds')


def _draw_steps(axes, facts):
    eps, step = facts['eps'], facts['step_over_rate']
    axes.plot(eps, step, color=COLOURS['adam'], linewidth=2)
    axes.plot(eps[-5:], [step[-1] * eps[-1] / x for x in eps[-5:]], color=COLOURS['momentum'], linestyle='--')
    label(axes, eps[4], step[4], 'set by lr alone', (0, 8))
    label(axes, eps[-3], step[-1] * 10, 'lr / eps', (6, 6), color=COLOURS['momentum'])
    axes.set(ylabel='mean |step| / lr in the last epoch', title='How long its steps are')


def _draw_limits(axes, facts):
    axes.plot(facts['eps'][1:], facts['from_adam'][1:], color=COLOURS['adam'], linewidth=2)
    axes.plot(np.array(facts['eps'])[SLOW], facts['from_momentum'], color=COLOURS['momentum'], linewidth=2)
    label(axes, facts['eps'][8], facts['from_adam'][8], 'from Adam with 1e-8', (-6, 10), ha='right')
    label(axes, facts['eps'][-3], facts['from_momentum'][-3], 'from momentum', (-4, -14), color='tab:green', ha='right')
    axes.set(ylabel='distance at the end / distance moved', title='Which rule it is near')


def _draw_gaps(axes, facts):
    for name, text, place, side in (('eps-hat', 'eps-hat', (-6, 8), 'right'),
                                    ('inside', 'inside the root', (6, -8), 'left')):
        gaps = facts['gaps'][name]
        axes.plot(facts['eps'], gaps['typical'], color=COLOURS[name], linewidth=2)
        axes.plot(facts['eps'], gaps['worst'], color=COLOURS[name], linestyle='--')
        label(axes, facts['eps'][6], gaps['typical'][6], text, place, color=COLOURS[name], ha=side)
    axes.set(ylabel="largest gap to the section's curve", title='Conventions: median (solid) and worst seed')
