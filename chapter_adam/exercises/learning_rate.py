"""Exercise `learning-rate`: the final loss against the learning rate, and why the best rate is where it is.

The loss is quadratic, so its mean over the seeds splits exactly into the floor, the distance left (what the seeds' mean
weights have above the floor) and the noise (the scatter of the seeds around their mean).
"""
import numpy as np

from ..rules import adam, init_adam_states
from .tools.drawing import FLOOR, dot, label, panels
from .tools.numbers import band, crossing, nearest, rounded
from .tools.training import EPOCHS, RATE, Section, sweep

QUESTION = ('Adjust the learning rate of Adam, from 1e-4 to 1: how does the final loss change, and why is the best '
            'rate where it is?')

RATES = np.geomspace(1e-4, 1, 33)  # eight per factor of ten, the section's among them
LONGER = 8  # epochs
CURVES = (0, 8, 15, 24, 32)  # which rates' curves are drawn
SMALL, BEST, LARGE = 'tab:blue', 'black', '#d66000'


def run(features, labels, seeds, watch=None):
    """The facts; all lists but `curves` are over the rates."""
    section, states = Section(features, labels, seeds), init_adam_states(features.shape[1])
    facts = {'settings': {'num_epochs': EPOCHS, 'longer_epochs': LONGER, 'seeds': len(seeds), 'first_seed': seeds[0]},
             'floor': section.floor, 'farthest_weight': rounded(np.abs(section.optimum).max()),
             'rates': rounded(RATES), 'steps': len(section.batches)}
    after = sweep(adam, states, RATES[::2], features, labels, seeds, num_epochs=LONGER,
                  watch=watch and (lambda done: watch(0.7 * done)))[1][-1]
    runs, losses = sweep(adam, states, RATES, features, labels, seeds, num_epochs=EPOCHS)
    weights = np.column_stack([runs.weights, runs.biases]).astype(float).reshape(len(RATES), len(seeds), -1)
    return {**facts, 'short': _measured(losses[-1], weights, section),
            'longer': {'rates': rounded(RATES[::2]), 'median': rounded(np.median(after, axis=1))},
            'examples': (runs.epochs * len(labels)).round().tolist(),
            'curves': {f'{RATES[k]:.2g}': rounded(np.median(losses[:, k], axis=1)) for k in CURVES}}


def _measured(final, weights, section):
    """Of the final losses (rates, seeds): their band, the two parts of the mean, and how far the weights moved."""
    mean, excess = weights.mean(axis=1), final.mean(axis=1) - section.floor
    # The mean of n seeds' weights has itself 1/n of the noise: that is no distance left.
    noise = (excess - (section.loss(mean) - section.floor)) * final.shape[1] / max(final.shape[1] - 1, 1)
    return {**band(final), 'best': int(np.argmin(np.median(final, axis=1))), 'moved': rounded(np.abs(mean).max(axis=1)),
            'excess': rounded(excess), 'left': rounded(excess - noise), 'noise': rounded(noise)}


def answer(facts):
    """Where the best rate is, what is wrong below and above it, and with longer training."""
    rates, short, farthest, best = facts['rates'], facts['short'], facts['farthest_weight'], facts['short']['best']
    after = dict(zip(facts['longer']['rates'], facts['longer']['median']))
    later = min(after, key=after.get)
    slow, section, fast = (nearest(rates, rate) for rate in (0.001, RATE, 0.1))
    median, reach, balance = short['median'], rates[0] * facts['steps'], _balance(facts)
    above, spread = median[section] / median[best] - 1, short['95 %'][section] - short['5 %'][section]
    flat = [rate for rate, loss in zip(rates, median) if loss < 1.1 * median[best]]
    left, noise = (short[part][k] / short['excess'][k] for part, k in (('left', slow), ('noise', fast)))
    growth = short['noise'][fast] / (short['noise'][section] or np.nan)  # a single seed has no noise
    return [
        (f'The best rate is {rates[best]:.2g}, with a median final loss of {median[best]:.4f}. The section\'s '
         f'{rates[section]:g} ends {100 * above:.1f} % higher, less than the spread of its seeds. The minimum is flat: '
         f'from {min(flat):.2g} to {max(flat):.2g} the loss is within 10 %.',
         0 < best < len(rates) - 1 and min(median[0], median[-1]) > 1.5 * median[best] == 1.5 * min(median)
         and 0 <= above * median[best] < spread and max(flat) > 10 * min(flat)),
        (f'Below the best rate the steps are too short. A step is at most about lr long, so {facts["steps"]} steps of '
         f'{rates[0]:g} reach {reach:.2g}; the farthest weight moved {short["moved"][0]:.2g} and has to reach '
         f'{farthest:.2f}. At {rates[slow]:g} the distance left is {100 * left:.1f} % of the loss above the floor.',
         0.5 * reach < short['moved'][0] <= reach < farthest and left > 0.9),
        (f'Above it the steps are too long: the seeds fluctuate around a mean that has arrived. At {rates[fast]:g} '
         f'this noise is {100 * noise:.1f} % of the loss above the floor, and {growth:.0f} times that at 0.01. '
         f'The two parts are equal at {balance:.2g}, near the best rate.',
         0.9 < noise < 1.1 and growth > 5 and 0.5 < rates[best] / balance < 2),
        (f'The best rate depends on the length of the training: after {LONGER} epochs it is {later:.2g}. Then '
         f'{rates[slow]:g} ends at {after[rates[slow]]:.4f}, not {median[slow]:.4f}; {rates[fast]:g} gains none.',
         later < rates[best] and after[rates[slow]] < 0.8 * median[slow] and after[rates[fast]] > 0.98 * median[fast]),
    ]


def _balance(facts):
    """The rate at which the distance left falls below the noise; NaN if nowhere."""
    left, noise = (np.array(facts['short'][part]) for part in ('left', 'noise'))
    return crossing(facts['rates'], np.log(np.where(left > 0, left, 1e-9) / np.where(noise > 0, noise, np.nan)))


def figure(facts):
    """Three panels: the loss over the rate, its two parts, and curves."""
    picture = panels('The best learning rate is where the distance left equals the noise', facts,
                     (_draw_loss, _draw_parts, _draw_curves), size=(12, 4))
    low, balance, high = facts['rates'][0], _balance(facts), facts['rates'][-1]
    for axes in picture.axes[:2] if np.isfinite(balance) else ():
        axes.axvspan(low, balance, color=SMALL, alpha=0.07, linewidth=0)
        axes.axvspan(balance, high, color=LARGE, alpha=0.07, linewidth=0)
    return picture


def _draw_loss(axes, facts):
    rates, short, best = facts['rates'], facts['short'], facts['short']['best']
    axes.fill_between(rates, short['5 %'], short['95 %'], color='0.6', alpha=0.35, linewidth=0)
    axes.plot(rates, short['median'], color=BEST, label=f'{EPOCHS} epochs: median and 5-95 % of the seeds')
    axes.plot(*facts['longer'].values(), color='tab:green', linestyle='--', label=f'{LONGER} epochs: median')
    axes.axhline(facts['floor'], color=FLOOR, linestyle=':', label='least-squares floor')
    dot(axes, rates[best], short['median'][best], f'best: {rates[best]:.2g}', (-24, 64))
    axes.set(xscale='log', xlabel='learning rate', ylabel='final loss', xlim=(rates[0], rates[-1]), ylim=(0.22, 0.62),
             title='Where the training ends')
    axes.legend(fontsize='small', loc='upper left', bbox_to_anchor=(0.06, 1))


def _draw_parts(axes, facts):
    rates, parts = facts['rates'], facts['short']
    uncertain = 2 / facts['settings']['seeds']  # of the noise: the seeds' mean is no better known
    left = [x if x > uncertain * noise else np.nan for x, noise in zip(parts['left'], parts['noise'])]
    axes.plot(rates, parts['excess'], color='0.75', linewidth=6)
    axes.plot(rates, left, color=SMALL)
    axes.plot(rates, [noise if noise > 0 else np.nan for noise in parts['noise']], color=LARGE)
    for x, y, text, colour in ((1.2e-4, 0.03, 'distance left:\nsteps too short', SMALL),
                               (0.04, 4e-3, 'noise:\nsteps too long', LARGE), (7e-3, 0.03, 'grey: sum', '0.4')):
        axes.text(x, y, text, color=colour)
    axes.set(xscale='log', yscale='log', xlabel='learning rate', ylabel='mean final loss above the floor',
             xlim=(rates[0], rates[-1]), title='Why: its two parts')


def _draw_curves(axes, facts):
    curves, best, y = facts['curves'], facts['rates'][facts['short']['best']], 0.0
    for rate in sorted(curves, key=lambda rate: curves[rate][-1]):
        near = abs(np.log(float(rate) / best)) < 0.3
        axes.plot(facts['examples'], curves[rate], color=BEST if near else SMALL if float(rate) < best else LARGE)
        y = max(curves[rate][-1], y + 0.03)  # no text on another
        label(axes, facts['examples'][-1], y, rate)
    axes.axhline(facts['floor'], color=FLOOR, linestyle=':')
    axes.set(xlabel='examples seen', ylabel='loss (median of the seeds)', ylim=(0.22, 0.7),
             title='Curves of five rates')
