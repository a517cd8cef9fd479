"""Exercise `two-averages`: Adam as momentum and RMSProp, two averages of one gradient in parallel.

    average of g          v_hat     what momentum keeps
    average of g * g      s_hat     what RMSProp keeps         Adam's step: -lr v_hat / (sqrt(s_hat) + eps)

Switch one of them off and the other rule is left: compared at every step, in float64, with rules that are written
another way. Connect them one after the other and it is another rule: which, is measured. And a race of all of them,
each at its own best rate: chosen on the seeds given, run on as many further seeds.
"""
import numpy as np

from .. import figures
from ..airfoil import least_squares_floor
from ..compat import mxnet
from ..ensemble import train_ensemble
from ..optimizers import adam, init_adam_states, momentum, rmsprop, RULES
from ..training import Draws

nd = mxnet.nd

QUESTION = ('Why is Adam called a combination of momentum and RMSProp: what is combined, in which order, and what '
            'does it gain on this problem?')

RATE, EPOCHS, BATCH = 0.01, 2, 10  # the section's
LIMIT = {'eps': (1.0, 1e2, 1e4, 1e6), 'lr_over_eps': 0.02}
RATES = np.geomspace(1e-3, 1e-1, 17)  # tried by each rule: eight per factor of ten, the section's among them
COLOURS = {'sgd': '0.5', 'momentum': 'tab:green', 'rmsprop': 'tab:purple', 'adam': 'black',
           'scaled first': 'tab:blue', 'averaged first': 'tab:orange'}
WRONG = ('scaled first', 'averaged first')


# Rules beside those of `optimizers`


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


def weighted_rmsprop(params, states, hyperparams):
    """RMSProp whose usual size is a weighted mean of all squares so far, weights 0.999^age: nothing to correct.

    States: the sum of the weighted squares, and the sum of the weights.
    """
    for p, (total, weights) in zip(params, states):
        total[:] = 0.999 * total + p.grad.square()
        weights[:] = 0.999 * weights + 1
        p[:] = p - hyperparams['lr'] * p.grad / ((total / weights).sqrt() + 1e-6)


def weighted_momentum(params, states, hyperparams):
    """Momentum that steps along the weighted mean of all gradients so far, weights 0.9^age."""
    for p, (total, weights) in zip(params, states):
        total[:] = 0.9 * total + p.grad
        weights[:] = 0.9 * weights + 1
        p[:] = p - hyperparams['lr'] * total / weights


OWN = {'scaled first': scaled_first, 'averaged first': averaged_first}


# The runs


def run(features, labels, seeds, watch=None):
    """The facts; `limits` and `orders` have one number per step, `race` what the sweep and the race gave."""
    watch = watch or (lambda part: None)
    walk = _Walks(features, labels, seeds)
    facts = {'settings': {'batch_size': BATCH, 'num_epochs': EPOCHS, 'seeds': len(seeds), 'first_seed': seeds[0],
                          'first_race_seed': seeds[-1] + 1, 'rate_of_the_orders': RATE, **LIMIT, 'beta1': 0.9,
                          'beta2': 0.999, 'eps_but_in_the_limit': 1e-6, 'rmsprop_gamma': 0.9},
             'steps': len(walk.batches), 'floor': _rounded(least_squares_floor(features, labels)),
             'limits': limits(walk), 'rates': _rounded(RATES)}
    watch(0.25)
    facts['orders'] = orders(walk)
    watch(0.4)
    facts['race'] = race(features, labels, seeds, lambda part: watch(0.4 + 0.6 * part))
    return facts


class _Walks:
    """Training step by step in float64, all seeds side by side: the section's starts, shuffles and batches."""

    def __init__(self, features, labels, seeds):
        X = features.asnumpy()
        self.X, self.y = np.column_stack([X, np.ones(len(X))]).astype(float), labels.asnumpy().astype(float)
        draws = [Draws(seed) for seed in seeds]
        self.start = np.stack([np.append(*draw.start(X.shape[1])) for draw in draws]).astype(float)
        epochs = [np.stack([draw.order(len(X)) for draw in draws]) for _ in range(EPOCHS)]
        self.batches = [order[:, k:k + BATCH] for order in epochs for k in range(0, len(X), BATCH)]

    def __call__(self, rule, hyperparams, state_count=2):
        """All parameters before the first step and after each: (steps + 1, seeds, 6). A rule with one state: 1."""
        p, hyperparams, way = nd.array(self.start, dtype='float64'), dict(hyperparams), [self.start]
        p.attach_grad()
        state = tuple(nd.zeros(p.shape, dtype='float64') for _ in range(state_count))
        for rows in self.batches:
            X = self.X[rows]
            off = np.einsum('rbi,ri->rb', X, way[-1]) - self.y[rows]
            p.grad[:] = nd.array(np.einsum('rbi,rb->ri', X, off) / rows.shape[1], dtype='float64')
            rule([p], [state if state_count > 1 else state[0]], hyperparams)
            way.append(p.asnumpy())
        return np.stack(way)


def limits(walk):
    """How far Adam is from each limit after each step: the largest difference of any parameter in any seed."""
    lr, rate = {'lr': RATE, 't': 1}, LIMIT['lr_over_eps']
    alone, average = walk(weighted_rmsprop, lr), walk(weighted_momentum, {'lr': rate})
    large = {f'{eps:g}': walk(adam, {'lr': rate * eps, 't': 1, 'eps': eps}) for eps in LIMIT['eps']}
    return {'rmsprop': _largest(walk(adam, {**lr, 'beta1': 0}) - alone),
            'momentum': {eps: _largest(way - average) for eps, way in large.items()},
            # The book's own two, which correct nothing; 0.1 is what the book's momentum lacks of an average.
            'uncorrected': {
                'rmsprop': max(_largest(walk(rmsprop, {'lr': RATE, 'gamma': 0.999}, 1) - alone)),
                'momentum': max(_largest(walk(momentum, {'lr': 0.1 * rate}, 1) - average))}}


def orders(walk):
    """Adam and the two wrong orders on the same batches at the section's rate, medians or means over the seeds."""
    ways = {name: walk(rule, {'lr': RATE, 't': 1}) for name, rule in {'adam': adam, **OWN}.items()}
    away = {name: np.median(np.abs(ways[name] - ways['adam']).max(axis=2), axis=1) for name in WRONG}
    length = {name: np.abs(np.diff(way, axis=0)).mean(axis=(1, 2)) / RATE for name, way in ways.items()}
    last = len(walk.batches) // EPOCHS  # the steps of the last epoch
    return {'away': {name: _rounded(values) for name, values in away.items()},
            'step_over_rate': {name: _rounded(values[-last:].mean()) for name, values in length.items()},
            'final': {name: _rounded(np.median(((way[-1] @ walk.X.T - walk.y) ** 2).mean(axis=1) / 2))
                      for name, way in ways.items()}}


def race(features, labels, seeds, watch):
    """For each rule the sweep over its rates, and with the best of them the run on the further seeds."""
    results, finals = {}, {}
    for k, name in enumerate(COLOURS):
        swept = _train(name, RATES, features, labels, seeds)
        median = np.median(swept.final.reshape(len(RATES), -1), axis=1)
        best, at = int(np.argmin(median)), int(np.argmin(np.abs(np.log(RATES / RATE))))
        further = range(seeds[-1] + 1, seeds[-1] + 1 + len(seeds))
        runs = _train(name, RATES[best:best + 1], features, labels, further)
        low, middle, high = np.quantile(runs.final, (.05, .5, .95))
        finals[name] = runs.final
        results[name] = {
            'sweep': _rounded(median), 'rate': _rounded(RATES[best]), '5 %': _rounded(low),
            'median': _rounded(middle), '95 %': _rounded(high), 'at_section_rate': _rounded(median[at]),
            'examples': (runs.epochs * len(labels)).round().tolist(),
            'curve': _rounded(np.median(runs.losses, axis=1))}
        watch((k + 1) / len(COLOURS))
    for name, final in finals.items():
        results[name]['above_adam'] = _rounded(np.median(final - finals['adam']))
        results[name]['adam_ahead'] = _rounded((final > finals['adam']).mean())
    return results


def _train(name, rates, features, labels, seeds):
    rule, states = (OWN[name], init_adam_states) if name in OWN else RULES[name]
    return train_ensemble(rule, states(features.shape[1]), {'lr': np.repeat(rates, len(seeds)), 't': 1},
                          features, labels, BATCH, EPOCHS, seeds=[*seeds] * len(rates))


def _largest(differences):
    return _rounded(np.abs(differences).max(axis=(1, 2)))


def _rounded(values):
    """Six figures; of what is rounding error, and another machine's may be another, the first."""
    if np.ndim(values):
        return [_rounded(x) for x in values]
    return float(f'{values:.6g}' if abs(values) > 1e-12 else f'{values:.1g}')


# The answer


def answer(facts):
    """What the facts say, each number computed from them."""
    return [*_limits(facts), *_orders(facts), *_race(facts)]


def _limits(facts):
    limits_, steps, seeds = facts['limits'], facts['steps'], facts['settings']['seeds']
    gaps, rough = {eps: max(gap) for eps, gap in limits_['momentum'].items()}, limits_['uncorrected']
    (first, *_, last), ratios = gaps, [b / a for a, b in zip([*gaps.values()][1:], [*gaps.values()][2:])]
    return [
        (f'Adam keeps two averages of one gradient, side by side: of itself, as momentum does, and of its square, as '
         f'RMSProp does. Without the first (beta1 = 0) it is RMSProp with a corrected average: in {steps} steps of '
         f'{seeds} seeds, float64, no parameter is ever more than {max(limits_["rmsprop"]):.0e} from a separately '
         f'written one.', 0 < max(limits_['rmsprop']) < 1e-12),
        (f'With eps far above the gradients the second average has no say: Adam is momentum with the rate lr / eps and '
         f'a corrected average. At lr / eps = {facts["settings"]["lr_over_eps"]:g} the two are {gaps[first]:.1g} apart '
         f'for eps = {first}, {gaps[last]:.0e} for eps = {last}: a hundred times closer for each hundred times in eps.',
         gaps[first] > 0.01 and all(0.008 < ratio < 0.012 for ratio in ratios)),
        (f"The correction belongs to both limits: the book's own RMSProp (gamma = 0.999) gets "
         f'{rough["rmsprop"]:.2g} away from the first on its way, its momentum (rate 0.1 lr / eps) '
         f'{rough["momentum"]:.2g} away from the second.', min(rough.values()) > 0.01),
    ]


def _orders(facts):
    end = {name: way[-1] for name, way in facts['orders']['away'].items()}
    final, step = facts['orders']['final'], facts['orders']['step_over_rate']
    scaled, averaged = WRONG
    return [
        (f'One after the other they make another rule. At the rate {facts["settings"]["rate_of_the_orders"]:g}, on the '
         f'same batches, scaling first and averaging the result ends {end[scaled]:.2g} from Adam (the parameter '
         f'farthest off, median; {max(facts["orders"]["away"][scaled]):.2g} on the way): close, as the usual size '
         f'hardly changes in the ten steps of the average. Averaging first and scaling by the usual size of the '
         f'average ends {end[averaged]:.2g} away, {end[averaged] / end[scaled]:.0f} times as far.',
         0 < 3 * end[scaled] < end[averaged]),
        (f'Why: noise makes the average smaller than the gradients, and Adam, dividing by their size, takes short '
         f'steps, {step["adam"]:.2f} lr on average in the last epoch. Divided by its own size the average is not '
         f'short: {step[averaged]:.2f} lr. The noise stays in the loss: {final[averaged]:.4f} in the end, '
         f'with Adam {final["adam"]:.4f}.',
         step[averaged] > 1.5 * step['adam'] and step['adam'] < 0.4 and final[averaged] > final['adam'] + 0.002),
    ]


def _race(facts):
    race_ = facts['race']
    ends = {name: each['median'] for name, each in race_.items()}
    right = [name for name in race_ if name not in WRONG]
    apart = max(ends[name] for name in right) - min(ends[name] for name in right)
    spread = race_['adam']['95 %'] - race_['adam']['5 %']
    rates = {name: race_[name]['rate'] for name in race_}
    inside = all(min(facts['rates']) < rate < max(facts['rates']) for rate in rates.values())
    same = {name: race_[name]['at_section_rate'] for name in right}
    same_apart = max(same.values()) - min(same.values())
    return [
        ('A fair race, each at the best rate of its sweep and on seeds not used for choosing it: '
         + ', '.join(f'{name} {ends[name]:.4f}' for name in sorted(right, key=ends.get))
         + f'. They end within {apart:.4f} of each other, while the seed alone moves Adam by {spread:.4f} (5-95 %): '
         'six parameters and standardised features leave little to gain.', inside and 0 < apart < spread / 2),
        ('Seed by seed, from one start and on the same batches, Adam ends below '
         + ', '.join(f'{name} in {_percent(race_[name]["adam_ahead"])}' for name in right if name != 'adam')
         + f' of the seeds: none of the four wins everywhere. Scaling first is Adam\'s equal ({ends[WRONG[0]]:.4f}), '
         f'averaging first ends last ({ends[WRONG[1]]:.4f}).',
         all(0.2 <= race_[name]['adam_ahead'] <= 0.9 for name in right if name != 'adam')
         and abs(race_[WRONG[0]]['above_adam']) < 0.0002 and ends[WRONG[1]] == max(ends.values())),
        (f'The best rates are {max(rates.values()) / min(rates.values()):.0f}-fold apart, from '
         f'{min(rates.values()):.2g} ({min(rates, key=rates.get)}) to {max(rates.values()):.2g} '
         f'({max(rates, key=rates.get)}), as momentum adds its steps up to ten times the rate. All at '
         f'{facts["settings"]["rate_of_the_orders"]:g}, which suits Adam, the '
         f'four would seem {same_apart / apart:.0f} times as far apart: {same["adam"]:.4f} for Adam, '
         f'{same["sgd"]:.4f} for SGD. That is the rate, not the rule.',
         max(rates.values()) > 3 * min(rates.values()) and same_apart > 3 * apart
         and same['adam'] == min(same.values())),
    ]


def _percent(part):
    return f'{100 * part:.0f} %'


# The figure


def figure(facts):
    """Four panels: the limits and the wrong orders (top), the race and its ends (bottom)."""
    picture, ((limits_, orders_), (curves, ends)) = figures.new_figure((9.6, 6.8), 2, 2)
    _draw_limits(limits_, facts)
    _draw_orders(orders_, facts)
    _draw_curves(curves, facts)
    _draw_ends(ends, facts)
    picture.suptitle('Adam is two averages of one gradient, side by side: momentum on top, RMSProp below the line',
                     fontsize='large')
    return picture


def _draw_limits(axes, facts):
    limits_, steps = facts['limits'], range(1, facts['steps'] + 1)
    named = [(f'eps = {eps.replace("e+0", "e")}', gap, COLOURS['momentum']) for eps, gap in limits_['momentum'].items()]
    for text, gap, colour in [*named, ('beta1 = 0', limits_['rmsprop'], COLOURS['rmsprop'])]:
        axes.plot(steps, [x or np.nan for x in gap[1:]], color=colour)
        axes.annotate(text, (steps[-1], gap[-1]), (4, 0), textcoords='offset points', va='center', fontsize='small',
                      color=colour)
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
    axes.annotate('least squares', (facts['floor'], len(names) - 0.45), (4, 0), textcoords='offset points',
                  fontsize='small', va='center')
    axes.set(yticks=range(len(names)), yticklabels=[f'{name}\nrate {race_[name]["rate"]:.2g}' for name in names],
             ylim=(-0.5, len(names) - 0.2), xlabel='final loss: median and 5-95 % of the seeds',
             title='Where it ends: nearly together')
    axes.locator_params(axis='x', nbins=5)
    axes.grid(False, axis='y')
