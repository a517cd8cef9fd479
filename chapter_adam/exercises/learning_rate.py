"""Exercise `learning-rate`: the final loss against the learning rate, and why the best rate is where it is.

All rates and seeds are one ensemble. The loss is quadratic, so its mean over the seeds splits exactly:

    mean loss - floor  =  loss(mean of the weights) - floor  +  scatter of the seeds around that mean
                          (the way still to go)                 (the noise)

The first falls with the rate, the second grows with it: the best rate is where they balance.
"""
import numpy as np

from ..output import figures
from ..core.airfoil import least_squares_floor
from ..rules.optimizers import adam, init_adam_states
from ._drawing import dot, note, panels, plain_ticks
from ._float64 import least_squares, losses, table
from ._numbers import band, crossing, nearest, percent, rounded
from ._sweep import sweep

QUESTION = ('Adjust the learning rate of Adam, from 1e-4 to 1: what becomes of the final loss, and why is the best '
            'rate where it is?')

RATES = np.geomspace(1e-4, 1, 33)  # eight per factor of ten, 0.01 among them
EPOCHS, LONGER = 2, 8
CURVES = (0, 8, 15, 24, 32)  # which rates' curves are drawn
SMALL, BEST, LARGE, DARK_ORANGE = 'tab:blue', 'black', 'tab:orange', '#b85000'


def run(features, labels, seeds, watch=None):
    """The facts: all lists are over the rates; see `measured` for what is measured after 2 and after 8 epochs."""
    watch, floor = watch or (lambda part: None), least_squares_floor(features, labels)
    states, data, share = init_adam_states(features.shape[1]), (features, labels, seeds), EPOCHS / (EPOCHS + LONGER)
    runs, short = sweep(adam, states, RATES, *data, lambda part: watch(share * part), num_epochs=EPOCHS)
    longer, long = sweep(adam, states, RATES, *data, lambda part: watch(share + (1 - share) * part), num_epochs=LONGER)
    steps, farthest = -(-len(labels) // runs.settings['batch_size']), np.abs(least_squares(features, labels)).max()
    facts = {'settings': {**runs.settings, 'hyperparams': {'lr': 'each of the rates', 't': 1}, 'longer_epochs': LONGER,
                          'seeds_per_rate': len(seeds), 'first_seed': seeds[0]},
             'steps': EPOCHS * steps, 'floor': rounded(floor), 'farthest_weight': rounded(farthest),
             'rates': rounded(RATES)}
    for name, each, curves in (('short', runs, short), ('longer', longer, long)):
        weights = np.column_stack([each.weights, each.biases]).astype(float).reshape(len(RATES), len(seeds), -1)
        facts[name] = measured(curves[-1], weights, table(features, labels), floor, RATES * each.epochs[-1] * steps)
    facts['curves'] = {'examples': (runs.epochs * len(labels)).round().tolist(),
                       'median': {f'{RATES[k]:.2g}': rounded(np.median(short[:, k], axis=1)) for k in CURVES}}
    threshold = 1.1 * min(facts['short']['median'])
    facts['within_10_percent'] = {'loss': rounded(threshold),
                                  'examples': _examples_until(threshold, short, facts['curves']['examples'])}
    return facts


def measured(final, weights, data, floor, reach):
    """Of the final losses (rates, seeds): their band, their mean over the floor in two parts; and the way gone.

    `to_go` + `noise` is `excess`, the mean loss over the floor. The mean of n seeds' weights has itself 1/n of the
    noise in its loss; that is taken out of `to_go`, which may therefore come out a little below 0. `moved` is how far
    the farthest weight has come on average, in units of the sum of the rates, `reach`.
    """
    mean, seeds = weights.mean(axis=1), final.shape[1]
    excess = final.mean(axis=1) - floor
    noise = (excess - (losses(mean, *data) - floor)) * seeds / max(seeds - 1, 1)
    return {**band(final), 'excess': rounded(excess), 'to_go': rounded(excess - noise), 'noise': rounded(noise),
            'moved': rounded(np.abs(mean[:, :-1]).max(axis=1) / reach)}


def _examples_until(threshold, curves, examples):
    """The median over the seeds of the examples seen when the loss is first there; None where half never are."""
    there = curves <= threshold
    first = np.where(there.any(axis=0), np.array(examples)[there.argmax(axis=0)], np.inf)
    return [int(x) if np.isfinite(x) else None for x in np.sort(first, axis=1)[:, first.shape[1] // 2]]


# The answer


def answer(facts):
    """What the facts say, each number computed from them."""
    return [*_where_it_is(facts), *_why_there(facts), *_other_aims(facts)]


def _where_it_is(facts):
    rates, short, median = facts['rates'], facts['short'], facts['short']['median']
    best, section = _best(short), nearest(rates, 0.01)
    (low, high), (lowest, highest) = _flat(facts, 1.01), _flat(facts, 1.1)
    return [
        (f'Best is a rate of {rates[best]:.2g}: a median final loss of {median[best]:.4f}, '
         f'{median[best] - facts["floor"]:.4f} above the least-squares floor. Towards both ends it rises: '
         f'{median[0]:.3f} at {rates[0]:g}, {median[-1]:.3f} at {rates[-1]:g}.',
         0 < best < len(rates) - 1 and min(median[0], median[-1]) > 1.5 * median[best]),
        (f"The section's 0.01 ends at {median[section]:.4f}, {percent(median[section] / median[best] - 1)} above the "
         f'best: less than what the seed alone does there (5-95 %: {short["5 %"][section]:.4f} to '
         f'{short["95 %"][section]:.4f}). The bottom is flat: from {low:.2g} to {high:.2g} the median is within 1 % of '
         f'the best, from {lowest:.2g} to {highest:.2g}, a factor of {highest / lowest:.0f}, within 10 %.',
         median[section] - median[best] < short['95 %'][section] - short['5 %'][section]
         and high >= 2 * low and highest >= 10 * lowest),
    ]


def _why_there(facts):
    rates, short, balance = facts['rates'], facts['short'], _balance(facts)
    small, section, large = (nearest(rates, rate) for rate in (0.001, 0.01, 0.1))
    reach, way = rates[0] * facts['steps'], short['to_go'][small] / short['excess'][small]
    noise = short['noise'][large] / short['excess'][large]
    growth = short['noise'][large] / (short['noise'][section] or np.nan)  # of a single seed there is none
    return [
        (f'Below the best the steps are too short. Each is about the rate long at most, so {facts["steps"]} of them '
         f'reach {reach:.2g} at {rates[0]:g}; the farthest weight came {short["moved"][0] * reach:.2g} and must get to '
         f'{facts["farthest_weight"]:.2f}. At {rates[small]:g} the way still to go is {percent(way)} of the loss '
         'above the floor.', 0.5 < short['moved'][0] <= 1 and reach < facts['farthest_weight'] and way > 0.9),
        (f'Above it the steps are too long: the mean of the seeds has arrived, but each seed flickers around it. At '
         f'{rates[large]:g} this noise is {percent(noise)} of the loss above the floor, and {growth:.0f} times what '
         f'it is at {rates[section]:g}. The two are equal at a rate of {balance:.2g}, within a factor of two of the '
         'best.', 0.9 < noise < 1.1 and growth > 5 and 0.5 < rates[_best(short)] / balance < 2),
    ]


def _other_aims(facts):
    rates, short, longer, settings = facts['rates'], facts['short'], facts['longer'], facts['settings']
    small, large, best, later = nearest(rates, 0.001), nearest(rates, 0.1), _best(short), _best(longer)
    examples = [np.inf if x is None else x for x in facts['within_10_percent']['examples']]
    quickest = int(np.argmin(examples))
    return [
        (f'So the best rate depends on how long one trains. After {settings["longer_epochs"]} epochs, not '
         f'{settings["num_epochs"]}, it is {rates[later]:.2g}; {rates[small]:g} then ends at '
         f'{longer["median"][small]:.4f}, not {short["median"][small]:.4f}, and {rates[large]:g} has gained nothing.',
         later < best and longer['median'][small] < 0.8 * short['median'][small]
         and longer['median'][large] > 0.98 * short['median'][large]),
        (f'The quickest rate is not the best one: the loss is within 10 % of the best after {examples[quickest]:g} '
         f'examples at {rates[quickest]:.2g}, after {examples[best]:g} at {rates[best]:.2g}.',
         examples[quickest] < examples[best] and rates[quickest] > rates[best]),
    ]


def _best(measured_):
    """Where the rate with the lowest median is."""
    return int(np.argmin(measured_['median']))


def _flat(facts, factor):
    """The lowest and the highest of the rates around the best whose median is within the factor of the best one."""
    median, best = np.array(facts['short']['median']), _best(facts['short'])
    above = [-1, *np.flatnonzero(median > factor * min(median)), len(median)]
    k = int(np.searchsorted(above, best))
    return facts['rates'][above[k - 1] + 1], facts['rates'][above[k] - 1]


def _balance(facts):
    """The rate at which the way to go falls below the noise; NaN if nowhere."""
    parts = np.array([facts['short'][name] for name in ('to_go', 'noise')])
    return crossing(facts['rates'], -np.diff(np.log(np.where(parts > 0, parts, np.nan)), axis=0)[0]) or np.nan


# The figure


def figure(facts):
    """Four panels: the loss against the rate and its two parts (left), the curves and the speed (right)."""
    picture = panels('Best is the learning rate at which the way still to go and the noise of the steps balance', facts,
                     (_draw_loss, _draw_curves, _draw_parts, _draw_speed), size=(9.6, 6.6), width_ratios=(1.35, 1))
    loss, _, parts, speed = picture.axes
    for axes in (loss, parts, speed):
        axes.set(xscale='log', xlabel='learning rate', xlim=(facts['rates'][0], facts['rates'][-1]))
        plain_ticks(axes)
        if np.isfinite(_balance(facts)):  # blue where the steps are too short, orange where they are too long
            axes.axvspan(facts['rates'][0], _balance(facts), color=SMALL, alpha=0.07, linewidth=0)
            axes.axvspan(_balance(facts), facts['rates'][-1], color=LARGE, alpha=0.09, linewidth=0)
    return picture


def _draw_loss(axes, facts):
    rates, short, settings = facts['rates'], facts['short'], facts['settings']
    epochs, longer = settings['num_epochs'], settings['longer_epochs']
    axes.fill_between(rates, short['5 %'], short['95 %'], color='0.5', alpha=0.35, linewidth=0,
                      label=f'5-95 % of {settings["seeds_per_rate"]} seeds, {epochs} epochs')
    axes.plot(rates, short['median'], color=BEST, linewidth=2, label=f'their median, {epochs} epochs')
    axes.plot(rates, facts['longer']['median'], color='tab:green', linestyle='--', label=f'median, {longer} epochs')
    axes.axhline(facts['floor'], color=figures.FLOOR, linestyle=':',
                 label=f'least-squares floor {facts["floor"]:.4f}')
    best, section = _best(short), nearest(rates, 0.01)
    for k, text, place in ((best, f'best: {rates[best]:.2g}', (-52, 34)), (section, "the section's 0.01", (12, 48))):
        dot(axes, (rates[k], short['median'][k]), text, place)
    axes.set(ylabel='final loss (of standardised labels)', ylim=(0.22, 0.62), title='Where it ends')
    axes.legend(fontsize='small', loc='upper center', bbox_to_anchor=(0.47, 1))


def _draw_parts(axes, facts):
    rates, short, seeds = facts['rates'], facts['short'], facts['settings']['seeds_per_rate']
    # Where the way to go is less than the uncertainty of the seeds' mean, it has been gone.
    seen = [to_go > 2 * noise / seeds for to_go, noise in zip(short['to_go'], short['noise'])]
    end = seen.index(False) if False in seen else len(seen)
    axes.plot(rates, short['excess'], color=BEST, linewidth=5, alpha=0.25)
    axes.plot(rates[:end], short['to_go'][:end], color=SMALL)
    axes.plot(rates, [noise if noise > 0 else np.nan for noise in short['noise']], color=LARGE)
    for x, y, text, colour in ((0.03, 0.55, 'the way still to go:\nsteps too short', SMALL),
                               (0.64, 0.34, 'the noise:\nsteps too long', DARK_ORANGE),
                               (0.47, 0.7, 'grey: their sum', '0.4')):
        axes.text(x, y, text, color=colour, transform=axes.transAxes)
    axes.set(yscale='log', ylabel='mean final loss above the floor', title='Why: its two parts')


def _draw_curves(axes, facts):
    examples, best = facts['curves']['examples'], facts['rates'][_best(facts['short'])]
    ends, last = facts['curves']['median'], -1.0
    for name in sorted(ends, key=lambda name: ends[name][-1]):
        near = abs(np.log(float(name) / best)) < 0.3
        axes.plot(examples, ends[name], color=BEST if near else SMALL if float(name) < best else LARGE)
        last = max(ends[name][-1], last + 0.028)  # names apart, where curves end together
        note(axes, (examples[-1], last), name, (4, 0), va='center')
    axes.plot((examples[0], examples[-1]), [facts['floor']] * 2, color=figures.FLOOR, linestyle=':')
    axes.set(xlabel='examples seen', ylabel='loss (median of the seeds)', ylim=(0.22, 0.8),
             title='How it gets there, by learning rate')


def _draw_speed(axes, facts):
    rates, within = facts['rates'], facts['within_10_percent']
    points = {rate: (rate, examples) for rate, examples in zip(rates, within['examples']) if examples}
    best = rates[_best(facts['short'])]
    if best in points:
        axes.plot(*zip(*points.values()), color=BEST, marker='.')
        dot(axes, min(points.values(), key=lambda point: point[1]), 'quickest', (-48, -2))
        dot(axes, points[best], 'best in the end', (-70, -24))
    axes.set(ylabel='examples (median of the seeds)', yscale='log', ylim=(100, 4000),
             yticks=(100, 200, 500, 1000, 3000), title='Examples until within 10 % of the best loss')
    axes.yaxis.set_major_formatter('{x:g}')
    axes.minorticks_off()
