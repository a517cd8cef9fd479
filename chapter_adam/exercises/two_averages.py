"""Exercise `two-averages`: Adam as momentum and RMSProp, two averages of one gradient in parallel.

    average of g          v_hat     what momentum keeps
    average of g * g      s_hat     what RMSProp keeps         Adam's step: -lr v_hat / (sqrt(s_hat) + eps)

Switch one of them off and the other rule is left: compared at every step, in float64, with rules that are written
another way. Connect them one after the other and it is another rule: which, is measured. And a race of all of them,
each at its own best rate: chosen on the seeds given, run on as many further seeds.
"""
import numpy as np

from ..output import figures
from ..core.airfoil import least_squares_floor
from ..rules.optimizers import adam, init_adam_states, momentum, rmsprop, RULES
from ._drawing import note, panels
from ._float64 import BATCH, EPOCHS, Training
from ._numbers import band, nearest, percent, rounded
from ._sweep import sweep
from ._weighted import weighted_momentum, weighted_rmsprop

QUESTION = ('Why is Adam called a combination of momentum and RMSProp: what is combined, in which order, and what '
            'does it gain on this problem?')

RATE = 0.01  # the section's
LIMIT = {'eps': (1.0, 1e2, 1e4, 1e6), 'lr_over_eps': 0.02}
RATES = np.geomspace(1e-3, 1e-1, 17)  # tried by each rule: eight per factor of ten, the section's among them
COLOURS = {'sgd': '0.5', 'momentum': 'tab:green', 'rmsprop': 'tab:purple', 'adam': 'black',
           'scaled first': 'tab:blue', 'averaged first': 'tab:orange'}
WRONG = ('scaled first', 'averaged first')


def scaled_first(params, states, hyperparams):
    """A wrong order: momentum after scaling, the average of gradients that RMSProp has scaled already."""
    lr, t = hyperparams['lr'], hyperparams['t']
    for p, (v, s) in zip(params, states):
        s[:] = 0.999 * s + 0.001 * p.grad.square()
        scaled = p.grad / ((s / (1 - 0.999 ** t)).sqrt() + 1e-6)
        v[:] = 0.9 * v + 0.1 * scaled
        p[:] = p - lr * v / (1 - 0.9 ** t)
    hyperparams['t'] = t + 1


def averaged_first(params, states, hyperparams):
    """The other wrong order: RMSProp chained after momentum, which scales the average by its own usual size."""
    lr, t = hyperparams['lr'], hyperparams['t']
    for p, (v, s) in zip(params, states):
        v[:] = 0.9 * v + 0.1 * p.grad
        averaged = v / (1 - 0.9 ** t)
        s[:] = 0.999 * s + 0.001 * averaged.square()
        p[:] = p - lr * averaged / ((s / (1 - 0.999 ** t)).sqrt() + 1e-6)
    hyperparams['t'] = t + 1


OWN = {'scaled first': scaled_first, 'averaged first': averaged_first}


def run(features, labels, seeds, watch=None):
    """The facts; `limits` and `orders` have one number per step, `race` what the sweep and the race gave."""
    watch, train = watch or (lambda part: None), Training(features, labels, seeds)
    facts = {'settings': {'batch_size': BATCH, 'num_epochs': EPOCHS, 'seeds': len(seeds), 'first_seed': seeds[0],
                          'first_race_seed': seeds[-1] + 1, 'rate_of_the_orders': RATE, **LIMIT, 'beta1': 0.9,
                          'beta2': 0.999, 'eps_but_in_the_limit': 1e-6, 'rmsprop_gamma': 0.9},
             'steps': len(train.batches), 'floor': rounded(least_squares_floor(features, labels)),
             'limits': limits(train), 'rates': rounded(RATES)}
    watch(0.25)
    facts['orders'] = orders(train)
    watch(0.4)
    facts['race'] = race(features, labels, seeds, lambda part: watch(0.4 + 0.6 * part))
    return facts


def limits(train):
    """How far Adam is from each limit after each step: the largest difference of any parameter in any seed."""
    def largest(way, other):
        return rounded(np.abs(way - other).max(axis=(1, 2)), noise=1e-12)

    lr, rate = {'lr': RATE}, LIMIT['lr_over_eps']
    alone, average = train(weighted_rmsprop, lr), train(weighted_momentum, {'lr': rate})
    large = {f'{eps:g}': train(adam, {'lr': rate * eps, 'eps': eps}) for eps in LIMIT['eps']}
    # The book's own two, which correct nothing; 0.1 is what the book's momentum lacks of an average.
    book = {'rmsprop': largest(train(rmsprop, {'lr': RATE, 'gamma': 0.999}, state_count=1), alone),
            'momentum': largest(train(momentum, {'lr': 0.1 * rate}, state_count=1), average)}
    return {'rmsprop': largest(train(adam, {**lr, 'beta1': 0}), alone),
            'momentum': {eps: largest(way, average) for eps, way in large.items()},
            'uncorrected': {name: max(gaps) for name, gaps in book.items()}}


def orders(train):
    """Adam and the two wrong orders on the same batches at the section's rate, medians or means over the seeds."""
    ways = {name: train(rule, {'lr': RATE}) for name, rule in {'adam': adam, **OWN}.items()}
    last = len(train.batches) // EPOCHS  # the steps of the last epoch
    return {'away': {name: rounded(np.median(np.abs(ways[name] - ways['adam']).max(axis=2), axis=1), noise=1e-12)
                     for name in WRONG},
            'step_over_rate': {name: rounded(np.abs(np.diff(way[-last - 1:], axis=0)).mean() / RATE)
                               for name, way in ways.items()},
            'final': {name: rounded(np.median(train.losses(way[-1]))) for name, way in ways.items()}}


def race(features, labels, seeds, watch):
    """For each rule the sweep over its rates, and with the best of them the run on the further seeds."""
    results, finals, further = {}, {}, range(seeds[-1] + 1, seeds[-1] + 1 + len(seeds))
    for k, name in enumerate(COLOURS, 1):
        rule, states = (OWN[name], init_adam_states) if name in OWN else RULES[name]
        init = states(features.shape[1])
        median = np.median(sweep(rule, init, RATES, features, labels, seeds)[1][-1], axis=1)
        best = int(np.argmin(median))
        runs, losses = sweep(rule, init, RATES[best:best + 1], features, labels, further)
        finals[name] = runs.final
        results[name] = {
            'sweep': rounded(median), 'rate': rounded(RATES[best]), **band(runs.final),
            'at_section_rate': rounded(median[nearest(RATES, RATE)]),
            'examples': (runs.epochs * len(labels)).round().tolist(),
            'curve': rounded(np.median(losses[:, 0], axis=1))}
        watch(k / len(COLOURS))
    for name, final in finals.items():
        results[name]['above_adam'] = rounded(np.median(final - finals['adam']))
        results[name]['adam_ahead'] = rounded((final > finals['adam']).mean())
    return results


# The answer


def answer(facts):
    """What the facts say, each number computed from them."""
    return [*_limits(facts), *_orders(facts), *_race(facts)]


def _limits(facts):
    alone, large, rough = (facts['limits'][name] for name in ('rmsprop', 'momentum', 'uncorrected'))
    gaps = {eps: max(gap) for eps, gap in large.items()}
    (first, *_, last), ratios = gaps, [b / a for a, b in zip([*gaps.values()][1:], [*gaps.values()][2:])]
    return [
        ('Adam keeps two averages of one gradient, side by side: of itself, as momentum does, and of its square, as '
         f'RMSProp does. Without the first (beta1 = 0) it is RMSProp with a corrected average: in {facts["steps"]} '
         f'steps of {facts["settings"]["seeds"]} seeds, no parameter is ever more than {max(alone):.0e} from a '
         'separately written one.', 0 < max(alone) < 1e-12),
        ('With eps far above the gradients the second has no say: Adam is momentum with the rate lr / eps and a '
         f'corrected average, {gaps[first]:.1g} from it at most for eps = {first}, {gaps[last]:.0e} for eps = {last}. '
         f"Without corrections, as the book's own two are, the limits are missed by {rough['rmsprop']:.2g} and "
         f'{rough["momentum"]:.2g}.', gaps[first] > 0.01 and all(0.008 < ratio < 0.012 for ratio in ratios)
         and min(rough.values()) > 0.01),
    ]


def _orders(facts):
    end = {name: way[-1] for name, way in facts['orders']['away'].items()}
    final, step = facts['orders']['final'], facts['orders']['step_over_rate']
    scaled, averaged = WRONG
    return [
        ('One after the other they make another rule. At the rate '
         f'{facts["settings"]["rate_of_the_orders"]:g}, on the same batches, momentum after scaling ends '
         f'{end[scaled]:.2g} from Adam (the parameter farthest off, median): close, as the usual size hardly changes '
         f'in the ten steps of the average. RMSProp after momentum ends {end[averaged]:.2g} away, '
         f'{end[averaged] / end[scaled]:.0f} times as far.', 0 < 3 * end[scaled] < end[averaged]),
        ('Why: noise makes the average smaller than the gradients, and Adam, dividing by their size, takes short '
         f'steps, {step["adam"]:.2f} lr on average in the last epoch. Divided by its own size the average is not '
         f'short: {step[averaged]:.2f} lr. The noise stays in the loss: {final[averaged]:.4f} in the end, '
         f'with Adam {final["adam"]:.4f}.',
         step[averaged] > 1.5 * step['adam'] and step['adam'] < 0.4 and final[averaged] > final['adam'] + 0.002),
    ]


def _race(facts):
    race_ = facts['race']
    ends, rates, ahead, same = ({name: each[key] for name, each in race_.items()}
                                for key in ('median', 'rate', 'adam_ahead', 'at_section_rate'))
    right = [name for name in race_ if name not in WRONG]
    apart, same_apart = (max(each[name] for name in right) - min(each[name] for name in right) for each in (ends, same))
    spread = race_['adam']['95 %'] - race_['adam']['5 %']
    inside = all(min(facts['rates']) < rate < max(facts['rates']) for rate in rates.values())
    return [
        ('A fair race, each at the best rate of its sweep and on seeds not used for choosing it: '
         + ', '.join(f'{name} {ends[name]:.4f}' for name in sorted(race_, key=ends.get))
         + f'. The four right ones end within {apart:.4f} of each other, while the seed alone moves Adam by '
         f'{spread:.4f} (5-95 %); scaling first is Adam\'s equal, averaging first ends last.',
         inside and 0 < apart < spread / 2 and abs(race_[WRONG[0]]['above_adam']) < 0.0002
         and ends[WRONG[1]] == max(ends.values())),
        ('Seed by seed, on the same batches, Adam ends below '
         + ', '.join(f'{name} in {percent(ahead[name], 0)}' for name in right if name != 'adam')
         + ' of the seeds: none of the four wins everywhere.',
         all(0.2 <= ahead[name] <= 0.9 for name in right if name != 'adam')),
        (f'The best rates go from {min(rates.values()):.2g} ({min(rates, key=rates.get)}) to '
         f'{max(rates.values()):.2g} ({max(rates, key=rates.get)}), as momentum adds its steps up to ten times the '
         f'rate. All at {facts["settings"]["rate_of_the_orders"]:g}, which suits Adam, the four would seem '
         f'{same_apart / apart:.0f} times as far apart: that is the rate, not the rule.',
         max(rates.values()) > 3 * min(rates.values()) and same_apart > 3 * apart
         and same['adam'] == min(same[name] for name in right)),
    ]


# The figure


def figure(facts):
    """Four panels: the limits and the wrong orders (top), the race and its ends (bottom)."""
    return panels('Adam is two averages of one gradient, side by side: momentum on top, RMSProp below the line', facts,
                  (_draw_limits, _draw_orders, _draw_curves, _draw_ends))


def _draw_limits(axes, facts):
    large, alone, steps = facts['limits']['momentum'], facts['limits']['rmsprop'], range(1, facts['steps'] + 1)
    named = [(f'eps = {eps.replace("e+0", "e")}', gap, COLOURS['momentum']) for eps, gap in large.items()]
    for text, gap, colour in [*named, ('beta1 = 0', alone, COLOURS['rmsprop'])]:
        axes.plot(steps, [x or np.nan for x in gap[1:]], color=colour)
        note(axes, (steps[-1], gap[-1]), text, (4, 0), va='center', color=colour)
    axes.text(0.04, 0.93, 'large eps: ever nearer to momentum', color=COLOURS['momentum'], transform=axes.transAxes)
    axes.text(0.04, 0.2, 'beta1 = 0: RMSProp itself, to rounding', color=COLOURS['rmsprop'], transform=axes.transAxes)
    axes.set(yscale='log', ylim=(1e-18, 1e2), xlim=(0, facts['steps']), xlabel='step',
             ylabel='largest difference of a parameter', title='One average switched off: the other rule is left')


def _draw_orders(axes, facts):
    texts = {'scaled first': 'scaled first, then averaged\n(momentum after scaling)',
             'averaged first': 'averaged first, then scaled\n(RMSProp after momentum)'}
    places = {'scaled first': (0.5, 0.22), 'averaged first': (0.42, 0.84)}
    for name, away in facts['orders']['away'].items():
        axes.plot(range(len(away)), away, color=COLOURS[name], linewidth=2)
        axes.text(*places[name], texts[name], color=COLOURS[name], transform=axes.transAxes)
    axes.axhline(0, color=COLOURS['adam'], linewidth=2)
    axes.text(0.04, 0.02, 'black: Adam, the two side by side', transform=axes.transAxes)
    axes.set(xlabel='step', ylabel='farthest weight from Adam (median)', xlim=(0, facts['steps']),
             ylim=(-0.1 * max(map(max, facts['orders']['away'].values())), None),
             title=f'One after the other: another rule (rate {facts["settings"]["rate_of_the_orders"]:g})')


def _draw_curves(axes, facts):
    for name, each in facts['race'].items():
        axes.plot(each['examples'], [x - facts['floor'] for x in each['curve']], color=COLOURS[name], label=name,
                  linestyle='--' if name in WRONG else '-', linewidth=2.5 if name == 'adam' else 1.5)
    axes.set(yscale='log', xlabel='examples seen', ylabel='loss above the floor (median)',
             title='A fair race: each at its own best rate')
    axes.legend(fontsize='small')


def _draw_ends(axes, facts):
    race_ = facts['race']
    names = sorted(race_, key=lambda name: -race_[name]['median'])
    for y, name in enumerate(names):
        each = race_[name]
        axes.plot([each['5 %'], each['95 %']], [y, y], color=COLOURS[name], linewidth=6, alpha=0.35,
                  solid_capstyle='butt')
        axes.plot(each['median'], y, 'o', color=COLOURS[name])
    axes.axvline(facts['floor'], color=figures.FLOOR, linestyle=':')
    note(axes, (facts['floor'], len(names) - 0.45), 'least squares', (4, 0), va='center')
    axes.set(yticks=range(len(names)), yticklabels=[f'{name}\nrate {race_[name]["rate"]:.2g}' for name in names],
             ylim=(-0.5, len(names) - 0.2), xlabel='final loss: median and 5-95 % of the seeds',
             title='Where it ends: nearly together')
    axes.locator_params(axis='x', nbins=5)
    axes.grid(False, axis='y')
