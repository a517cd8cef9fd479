"""Exercise `two-averages`: Adam as momentum and RMSProp, two averages of one gradient in parallel.

    average of g          v_hat     what momentum keeps
    average of g * g      s_hat     what RMSProp keeps         Adam's step: -lr v_hat / (sqrt(s_hat) + eps)

The rules of the race run at their best rates, which are chosen on other seeds.
"""
import numpy as np

from ..rules import RULES, adam, averaged_first, scaled_first, weighted_momentum, weighted_rmsprop
from .tools.drawing import FLOOR, label, panels
from .tools.numbers import above, band, nearest, rounded
from .tools.training import RATE, Section, sweep

QUESTION = 'Why is Adam called a combination of momentum and RMSProp, in which order, and what does it gain here?'

EPS, LR_OVER_EPS = (1.0, 1e2, 1e4, 1e6), 0.02  # the limit to momentum
RATES = np.geomspace(1e-3, 1e-1, 9)  # four per factor of ten, the section's among them
COLOURS = {'sgd': '0.4', 'momentum': 'tab:green', 'rmsprop': 'tab:purple', 'adam': 'black',
           'scaled first': 'tab:blue', 'averaged first': 'tab:orange'}
RACE = [*COLOURS][:4]
CHAINED = {'scaled first': scaled_first, 'averaged first': averaged_first}


def run(features, labels, seeds, watch=None):
    """The facts: `limits` and `away` have one number per step, the largest difference of a parameter from Adam's."""
    section = Section(features, labels, seeds)
    paths = {name: section.train(rule) for name, rule in {'adam': adam, **CHAINED}.items()}
    alone, average = section.train(weighted_rmsprop), section.train(weighted_momentum, lr=LR_OVER_EPS)
    large = {f'{eps:g}': section.train(adam, lr=LR_OVER_EPS * eps, eps=eps) for eps in EPS}
    return {'settings': {'lr': RATE, 'lr_over_eps': LR_OVER_EPS, 'seeds': len(seeds), 'first_seed': seeds[0]},
            'steps': len(section.batches), 'floor': section.floor, 'rates': rounded(RATES),
            'limits': {'rmsprop': above(1e-12, np.abs(section.train(adam, beta1=0) - alone).max(axis=(1, 2))),
                       'momentum': {eps: above(1e-12, np.abs(path - average).max(axis=(1, 2)))
                                    for eps, path in large.items()}},
            'away': {name: rounded(np.median(np.abs(paths[name] - paths['adam']).max(axis=2), axis=1))
                     for name in CHAINED},
            'step_over_rate': {name: rounded(np.abs(np.diff(path[len(path) // 2:], axis=0)).mean() / RATE)
                               for name, path in paths.items()},
            'final': {name: rounded(np.median(section.loss(path[-1]))) for name, path in paths.items()},
            'race': _race(features, labels, seeds, watch)}


def _race(features, labels, seeds, watch):
    """For each rule the best of the rates on the seeds, and its losses on as many further seeds."""
    results, finals, further = {}, {}, range(seeds[-1] + 1, seeds[-1] + 1 + len(seeds))
    for k, name in enumerate(RACE, 1):
        rule, states = RULES[name][0], RULES[name][1](features.shape[1])
        median = np.median(sweep(rule, states, RATES, features, labels, seeds)[1][-1], axis=1)
        best = int(np.argmin(median))
        finals[name] = sweep(rule, states, RATES[best:best + 1], features, labels, further)[0].final
        results[name] = {'rate': rounded(RATES[best]), **band(finals[name]),
                         'at_section_rate': rounded(median[nearest(RATES, RATE)])}
        if watch:
            watch(k / len(RACE))
    return {name: {**each, 'adam_ahead': rounded((finals[name] > finals['adam']).mean())}
            for name, each in results.items()}


def answer(facts):
    """What is left without one average, what the order does, and what Adam gains here."""
    alone, large = facts['limits'].values()
    gaps, away = [max(gap) for gap in large.values()], {name: path[-1] for name, path in facts['away'].items()}
    step, final, race = facts['step_over_rate'], facts['final'], facts['race']
    ends, same = ([race[name][key] for name in RACE] for key in ('median', 'at_section_rate'))
    apart, spread = max(ends) - min(ends), race['adam']['95 %'] - race['adam']['5 %']
    rates, ahead = ({name: race[name][key] for name in RACE} for key in ('rate', 'adam_ahead'))
    low, high = min(rates.values()), max(rates.values())
    return [
        (f'Adam keeps two averages of one gradient in parallel. With beta1 = 0 it is RMSProp with a corrected average, '
         f'to {max(alone):.0e} in all {facts["steps"]} steps. With eps far above the gradients it is momentum with a '
         f'corrected average, to {gaps[0]:.1g} for eps = {EPS[0]:g} and to {gaps[-1]:.0e} for {EPS[-1]:.0e}.',
         max(alone) < 1e-11 and gaps[0] > 0.01 and all(0.008 < b / a < 0.012 for a, b in zip(gaps[1:], gaps[2:]))),
        (f'One after the other they are another rule: scaling first ends {away["scaled first"]:.2g} from Adam, '
         f'averaging first {away["averaged first"]:.2g}. Noise makes an average smaller than its gradients, so Adam\'s '
         f'steps are short, {step["adam"]:.2f} lr in the last epoch. Divided by its own size the average is not: '
         f'{step["averaged first"]:.2f} lr, and a loss of {final["averaged first"]:.4f}, not {final["adam"]:.4f}.',
         0 < 3 * away['scaled first'] < away['averaged first'] and step['averaged first'] > 1.5 * step['adam']
         and step['adam'] < 0.4 and final['averaged first'] > final['adam'] + 0.002),
        ('In a fair race, each at its best rate, the four rules end at '
         + ', '.join(f'{loss:.4f} ({name})' for loss, name in sorted(zip(ends, RACE)))
         + f': within {apart:.4f}, while the seed moves Adam by {spread:.4f} (5-95 %). Adam ends below '
         + ', '.join(f'{name} in {100 * ahead[name]:.0f} %' for name in RACE[:3]) + ' of the seeds.',
         0 < apart < spread / 2 and all(0.2 <= ahead[name] <= 0.9 for name in RACE[:3])
         and min(facts['rates']) < low and high < max(facts['rates'])),
        (f'The best rates go from {low:.2g} ({min(rates, key=rates.get)}) to {high:.2g} ({max(rates, key=rates.get)}). '
         f'All at {RATE:g}, which suits Adam, the rules would seem {(max(same) - min(same)) / apart:.0f} times as far '
         'apart.', high > 3 * low and race['adam']['at_section_rate'] == min(same) < max(same) - 3 * apart),
    ]


def figure(facts):
    """Three panels: the limits, the wrong orders, and the ends of the race."""
    return panels('Adam is two averages of one gradient in parallel: v of momentum, s of RMSProp', facts,
                  (_draw_limits, _draw_orders, _draw_ends), size=(12, 4))


def _draw_limits(axes, facts):
    lines = [(f'eps = {float(eps):g}', gap, COLOURS['momentum']) for eps, gap in facts['limits']['momentum'].items()]
    for text, gap, colour in [*lines, ('beta1 = 0', facts['limits']['rmsprop'], COLOURS['rmsprop'])]:
        axes.plot(gap[1:], color=colour)
        label(axes, facts['steps'], gap[-1], text, color=colour)
    label(axes, 0, 2, 'Adam from momentum, with a large eps', color=COLOURS['momentum'])
    label(axes, 0, 4e-12, 'Adam from RMSProp: rounding', color=COLOURS['rmsprop'])
    axes.set(yscale='log', ylim=(1e-13, 10), xlabel='step', ylabel='largest difference of a parameter',
             title='Without one average the other rule is left')


def _draw_orders(axes, facts):
    at, texts = facts['steps'] * 2 // 5, ('scaled first, then averaged', 'averaged first, then scaled')
    for name, text, y in zip(CHAINED, texts, (10, 14)):
        axes.plot(facts['away'][name], color=COLOURS[name], linewidth=2)
        label(axes, at, facts['away'][name][at], text, (0, y), color=COLOURS[name])
    axes.axhline(0, color='black', linewidth=3)
    label(axes, 0, 0, 'Adam, both in parallel', (0, -9))
    axes.set(xlabel='step', ylabel='largest difference from Adam (median)', ylim=(-0.015, None),
             title='One after the other: other rules than Adam')


def _draw_ends(axes, facts):
    names = sorted(facts['race'], key=lambda name: -facts['race'][name]['median'])
    for y, name in enumerate(names):
        each = facts['race'][name]
        axes.plot([each['5 %'], each['95 %']], [y, y], color=COLOURS[name], linewidth=8, alpha=0.35)
        axes.plot(each['median'], y, 'o', color=COLOURS[name])
        label(axes, each['median'], y, f'{name}, rate {each["rate"]:.2g}', (0, 14), color=COLOURS[name])
    axes.axvline(facts['floor'], color=FLOOR, linestyle=':')
    axes.set(yticks=[], ylim=(-0.5, len(names) - 0.4), xlabel='final loss: median and 5-95 % of the seeds',
             title='A fair race: nearly equal')
    axes.locator_params(axis='x', nbins=5)
