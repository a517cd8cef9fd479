"""Exercise `decay`: why the learning rate is reduced as the run goes on.

A constant rate must do two things at once: be large enough to arrive, and small enough to be quiet there. The noise at
the end grows with the rate; a rate that falls pays for neither. One ensemble for each schedule, over a grid of first
rates. A schedule's reach, the sum of its rates, is about as far as a weight can come: where it is too short, the run
stops before it has arrived.
"""
import math

import numpy as np

from .. import figures
from ..airfoil import least_squares_floor
from ..ensemble import train_ensemble
from ..optimizers import adam, init_adam_states

QUESTION = 'Why reduce the learning rate as the run goes on, and how fast?'

RATES = np.geomspace(1e-3, 1, 10)  # three per factor of ten, 0.01 among them
EPOCHS, SECTION = 8, 0.01
NOISY = (0.004, 0.25)  # which constant rates show the noise: these have arrived, and do not blow up
COLOURS = {'constant': 'black', '1/sqrt(t)': 'tab:orange', 'cosine': 'tab:green', '1/t': 'tab:red'}


def constant(params, states, hyperparams):
    """Adam; hyperparams['steps'], which the others read, is not needed."""
    _adam_at(hyperparams['lr'], params, states, hyperparams)


def inverse_root(params, states, hyperparams):
    """Adam at lr / sqrt(t)."""
    _adam_at(hyperparams['lr'] / math.sqrt(hyperparams['t']), params, states, hyperparams)


def cosine(params, states, hyperparams):
    """Adam at half a cosine's rate: lr at t = 1, nearly 0 at t = steps."""
    turn = math.pi * (hyperparams['t'] - 1) / hyperparams['steps']
    _adam_at(hyperparams['lr'] * (1 + math.cos(turn)) / 2, params, states, hyperparams)


def inverse(params, states, hyperparams):
    """Adam at lr / t."""
    _adam_at(hyperparams['lr'] / hyperparams['t'], params, states, hyperparams)


def _adam_at(rate, params, states, hyperparams):
    """One step of Adam at a rate of its own; hyperparams['lr'] stays, 't' is advanced."""
    adam(params, states, {'lr': rate, 't': hyperparams['t']})
    hyperparams['t'] = hyperparams['t'] + 1


SCHEDULES = {'constant': constant, '1/sqrt(t)': inverse_root, 'cosine': cosine, '1/t': inverse}
SHARES = {'constant': lambda t, steps: np.ones_like(t), '1/sqrt(t)': lambda t, steps: t ** -0.5,
          'cosine': lambda t, steps: (1 + np.cos(np.pi * (t - 1) / steps)) / 2, '1/t': lambda t, steps: 1 / t}


def shares(name, steps):
    """A schedule's rates over the first one, at t = 1 ... steps; for the reach and the figure, no run uses them."""
    return SHARES[name](np.arange(1, steps + 1, dtype=float), steps)


def run(features, labels, seeds, watch=None):
    """The facts, for each schedule: lists over the first rates."""
    floor, steps, schedules = least_squares_floor(features, labels), EPOCHS * -(-len(labels) // 10), {}
    facts = {'settings': {'rules': [*SCHEDULES], 'batch_size': 10, 'num_epochs': EPOCHS, 'rows': len(labels),
                          'seeds_per_rate': len(seeds), 'first_seed': seeds[0]},
             'steps': steps, 'floor': _rounded(floor), 'rates': _rounded(RATES),
             'farthest_weight': _rounded(_farthest_weight(features, labels)), 'schedules': schedules}
    for k, (name, rule) in enumerate(SCHEDULES.items()):
        runs = _train(rule, features, labels, seeds, steps,
                      watch and (lambda part, k=k: watch((k + part) / len(SCHEDULES))))
        excess = runs.losses.reshape(len(runs.losses), len(RATES), -1) - floor
        facts['examples'] = (runs.epochs * len(labels)).round().tolist()
        schedules[name] = _measured(excess, shares(name, steps).sum())
        if name == 'constant':
            # Over all records of the last epoch: there the loss goes up and down, and nowhere.
            facts['noise'] = _rounded(excess[runs.epochs > EPOCHS - 1].mean(axis=(0, 2)))
    return facts


def _train(rule, features, labels, seeds, steps, watch):
    rates = np.repeat(RATES, len(seeds))
    return train_ensemble(rule, init_adam_states(features.shape[1]), {'lr': rates, 't': 1, 'steps': steps}, features,
                          labels, num_epochs=EPOCHS, seeds=[*seeds] * len(RATES),
                          watch=watch and (lambda done: watch(done / len(rates))))


def _measured(excess, reach):
    """From the loss above the floor (records, rates, seeds): its ends, and the curves of two first rates."""
    final = excess[-1]
    low, median, high = np.quantile(final, (.05, .5, .95), axis=1)
    best = int(np.argmin(final.mean(axis=1)))
    chosen = {'best': best, 'section': _nearest(RATES, SECTION)}
    return {'reach_of_rate_1': _rounded(reach), '5 %': _rounded(low), 'median': _rounded(median),
            '95 %': _rounded(high), 'mean': _rounded(final.mean(axis=1)), 'best': best,
            'best_by_seed': _rounded(final[best]),
            'curves': {name: _rounded(excess[:, k].mean(axis=1)) for name, k in chosen.items()}}


def _nearest(rates, rate):
    return int(np.argmin(np.abs(np.log(rates) - np.log(rate))))


def _farthest_weight(features, labels):
    """Of the least-squares weights, the one farthest from 0."""
    table = np.column_stack([features.asnumpy(), np.ones(len(labels))]).astype(float)
    return np.abs(np.linalg.lstsq(table, labels.asnumpy().astype(float), rcond=None)[0]).max()


def _rounded(values):
    """Six figures are more than the seeds can tell."""
    return [_rounded(x) for x in values] if np.ndim(values) else float(f'{values:.6g}')


# The answer


def answer(facts):
    """What the facts say, each number computed from them."""
    return [*_noise(facts), *_decays(facts), *_too_fast(facts)]


def _noise(facts):
    rates, mean, best = facts['rates'], facts['schedules']['constant']['mean'], facts['schedules']['constant']['best']
    exponent, _, off, noisy = _fit(facts)
    (low, least), *_, (high, most) = noisy
    section = _nearest(rates, SECTION)
    return [
        (f'A constant rate leaves noise, and the more of it the larger it is: over the last of '
         f'{facts["settings"]["num_epochs"]} epochs the mean loss is {least:.1e} above the least-squares floor at '
         f'{low:.2g}, {most:.1e} at {high:.2g}. That grows as the rate to the power of {exponent:.2f} (within a factor '
         f'of {off:.2f} at {len(noisy)} rates): about in proportion.',
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
    rates, steps, constant_ = facts['rates'], facts['steps'], facts['schedules']['constant']
    usual, sentences = constant_['mean'][constant_['best']], []
    for name, start, least in (('1/sqrt(t)', 'A rate that falls has both', 1.5), ('cosine', 'And better so', 4)):
        own = facts['schedules'][name]
        best, first = own['mean'][own['best']], rates[own['best']]
        last, nearer = first * shares(name, steps)[-1], _nearer(own, constant_)
        sentences.append((
            f'{start}: {name}, from {first:.2g} down to {last:.1e}, starts above the best constant '
            f'rate and ends below it. It comes {usual / best:.1f} times as near to the floor: {best:.1e} above it, and '
            f'nearer for {nearer} of {len(own["best_by_seed"])} seeds.',
            first > rates[constant_['best']] > last and usual > least * best
            and nearer > 0.75 * len(own['best_by_seed'])))
    return [*sentences, _forgiving(facts, usual)]


def _nearer(one, other):
    return sum(a < b for a, b in zip(one['best_by_seed'], other['best_by_seed']))


def _forgiving(facts, usual):
    """How many first rates of the cosine are as good as the best constant rate."""
    good = [rate for rate, mean in zip(facts['rates'], facts['schedules']['cosine']['mean']) if mean < usual]
    span = max(good) / min(good) if good else 0
    return (f'Nor need its first rate be chosen with care: cosine beats the best constant rate from '
            f'{min(good, default=0):.2g} to {max(good, default=0):.2g}, a factor of {span:.0f}.', span >= 10)


def _too_fast(facts):
    k, farthest, steps = _nearest(facts['rates'], SECTION), facts['farthest_weight'], facts['steps']
    fast, usual = (facts['schedules'][name]['mean'][k] for name in ('1/t', 'constant'))
    reach, doubled = (SECTION * shares('1/t', n).sum() for n in (steps, 2 * steps))
    short = [mean for x, mean, _ in _by_reach(facts) if x < farthest]
    enough = {name: mean for x, mean, name in _by_reach(facts) if 2 * farthest <= x <= 4 * farthest}
    return [
        (f'But a decay can be too fast. From {SECTION:g}, the rates of 1/t add up to {reach:.3f} in {steps} steps, and '
         f'to {doubled:.3f} in twice as many; the farthest weight must get to {farthest:.2f}. The run stops before it '
         f'arrives, {fast:.2f} above the floor, where the constant {SECTION:g} ends {usual:.4f} above it.',
         doubled < farthest / 4 and fast > 0.1 and fast > 10 * usual
         and math.isclose(reach, SECTION * facts['schedules']['1/t']['reach_of_rate_1'], rel_tol=1e-5)),
        ('First the sum of the rates counts, then the last of them. Whatever the schedule, where the sum is less than '
         f'{farthest:.2f} the loss ends {min(short, default=0):.2f} or more above the floor; where it is two to four '
         f'times that, {max(enough.values(), default=9):.3f} at most.',
         min(short, default=0) > 0.05 and max(enough.values(), default=9) < 0.01 and {*enough} == {*SCHEDULES}),
    ]


def _by_reach(facts):
    """(sum of the rates, mean final loss above the floor, schedule) of every ensemble."""
    return [(rate * own['reach_of_rate_1'], mean, name) for name, own in facts['schedules'].items()
            for rate, mean in zip(facts['rates'], own['mean'])]


# The figure


def figure(facts):
    """Four panels: the curves and the ends (top), why constant rates are noisy and fast decays late (bottom)."""
    picture, ((curves, ends), (noise, reach)) = figures.new_figure((9.6, 6.8), 2, 2)
    _draw_curves(curves, facts)
    _draw_ends(ends, facts)
    _draw_noise(noise, facts)
    _draw_reach(reach, facts)
    for axes in (curves, ends, noise, reach):
        axes.set(yscale='log', ylabel='mean loss above the floor')
    picture.suptitle('Large steps to arrive, small ones to be quiet there: a rate that falls has both, '
                     'if it does not fall too fast', fontsize='large')
    return picture


def _draw_curves(axes, facts):
    rates, schedules = facts['rates'], facts['schedules']
    for name, chosen, style in (('constant', 'section', '--'), ('constant', 'best', '-'),
                                ('1/sqrt(t)', 'best', '-'), ('cosine', 'best', '-'), ('1/t', 'section', '--')):
        curve = schedules[name]['curves'][chosen]
        rate = SECTION if chosen == 'section' else rates[schedules[name]['best']]
        colour = '0.5' if (name, chosen) == ('constant', 'section') else COLOURS[name]
        axes.plot(facts['examples'], curve, color=colour, linestyle=style)
        axes.annotate(f'{name} from {rate:.2g}' if name != 'constant' else f'{name} {rate:.2g}',
                      (facts['examples'][-1], curve[-1]), (5, 0), textcoords='offset points', color=colour,
                      fontsize='small', va='center')
    axes.set(xlabel='examples seen', xlim=(0, facts['examples'][-1] * 1.36), ylim=(1.5e-5, 1),
             xticks=range(0, 12001, 3000), title="At each one's best rate; dashed: from 0.01")


def _draw_ends(axes, facts):
    for name, own in facts['schedules'].items():
        axes.plot(facts['rates'], own['mean'], color=COLOURS[name], marker='.', label=name)
    constant_ = facts['schedules']['constant']
    axes.axhline(constant_['mean'][constant_['best']], color='0.5', linestyle=':', label='the best constant rate')
    axes.set(xscale='log', xlabel='first learning rate', ylim=(1.5e-5, 8),
             title=f'Where {facts["settings"]["num_epochs"]} epochs end')
    axes.xaxis.set_major_formatter('{x:g}')
    axes.legend(fontsize='small', loc='upper center', ncols=3)


def _draw_noise(axes, facts):
    exponent, factor, _, noisy = _fit(facts)
    axes.plot(facts['rates'], facts['noise'], 'o', color='black', markersize=5)
    x = np.array([noisy[0][0] / 1.6, noisy[-1][0] * 1.6])
    axes.plot(x, factor * x ** exponent, color='0.6', linewidth=5, alpha=0.5, zorder=1)
    axes.text(0.45, 0.25, f'grey: rate to the power of {exponent:.2f}', color='0.35', transform=axes.transAxes)
    axes.annotate('not yet\narrived', (facts['rates'][0], facts['noise'][0]), (0, 9), textcoords='offset points',
                  fontsize='small', ha='left')
    axes.set(xscale='log', xlabel='constant learning rate', ylim=(2e-4, 1), title='The noise of a constant rate')
    axes.xaxis.set_major_formatter('{x:g}')


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
    axes.xaxis.set_major_formatter('{x:g}')
    axes.legend(fontsize='small', loc='lower left')
