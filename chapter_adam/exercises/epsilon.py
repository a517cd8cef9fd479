"""Exercise `epsilon`: what Adam's eps does, from 1e-8 to 100, and where its three conventions part.

    outside    lr v_hat / (sqrt(s_hat) + eps)                the section's; optax, PyTorch
    eps-hat    lr v_hat / (sqrt(s_hat) + eps / sqrt(1 - beta2^t))    eps on the root of the uncorrected s: Gluon, Keras
    inside     lr v_hat / sqrt(s_hat + eps)                  the first printing's formula

eps is to be compared with sqrt(s_hat), the usual size of the gradients: far below it nothing changes, far above it the
step is lr / eps times the average of the gradients, which is momentum. All runs are in float64: a float32 run could not
tell the conventions apart where eps is small. Each seed has one start and one shuffle for every eps and convention.
"""
import numpy as np

from ..core.airfoil import least_squares_floor
from ..rules.optimizers import adam
from ._drawing import dot, panels
from ._float64 import BATCH, column, EPOCHS, Training
from ._numbers import band, crossing, nearest, percent, rounded
from ._steps import Recorder
from ._weighted import weighted_momentum

QUESTION = ('What does eps do in Adam when it grows from 1e-8 to 1 and beyond, and when does it matter where it is '
            'added: to the root of the corrected s, of the uncorrected s, or inside the root?')

RATE, RECORD = 0.01, 10  # the section's; the loss after every tenth step, and after the last
EPS = np.geomspace(1e-8, 1e2, 21)  # two per factor of ten
COLOURS = {'adam': 'black', 'eps-hat': 'tab:blue', 'inside': 'tab:orange', 'momentum': 'tab:green'}
SLOWEST, MOMENTUM_RATE = 0.1, 0.02  # from which eps on momentum is run; a rate at which momentum ends well


def eps_hat(params, states, hyperparams):
    """Adam with eps on the root of the uncorrected s, the corrections folded into the rate: as Gluon's kernel does."""
    lr, t, eps = (hyperparams[key] for key in ('lr', 't', 'eps'))
    folded = lr * (1 - 0.999 ** t) ** 0.5 / (1 - 0.9 ** t)
    for p, (v, s) in zip(params, states):
        v[:] = 0.9 * v + 0.1 * p.grad
        s[:] = 0.999 * s + 0.001 * p.grad.square()
        p[:] = p - folded * v / (s.sqrt() + eps)
    hyperparams['t'] = t + 1


def inside(params, states, hyperparams):
    """Adam with eps inside the root."""
    lr, t, eps = (hyperparams[key] for key in ('lr', 't', 'eps'))
    for p, (v, s) in zip(params, states):
        v[:] = 0.9 * v + 0.1 * p.grad
        s[:] = 0.999 * s + 0.001 * p.grad.square()
        p[:] = p - lr * v / (1 - 0.9 ** t) / (s / (1 - 0.999 ** t) + eps).sqrt()
    hyperparams['t'] = t + 1


OTHERS = {'eps-hat': eps_hat, 'inside': inside}


def run(features, labels, seeds, watch=None):
    """The facts: all lists are over the values of eps, the conventions' gaps are those of the loss curves, each seed's
    largest: of the median seed and of the worst."""
    watch, train = watch or (lambda part: None), Training(features, labels, seeds)
    records = [*range(0, len(train.batches), RECORD), len(train.batches)]
    last = len(train.batches) // EPOCHS  # the steps of the last epoch
    recorder = Recorder(adam, lambda params, states: states[0][1].asnumpy())
    way = _train(train, recorder, EPS)
    steps = np.abs(np.diff(way[-last - 1:], axis=0)).mean(axis=(0, 2, 3)) / RATE
    t = np.arange(1, len(way)).reshape(-1, 1, 1, 1)[-last:]
    roots = np.sqrt(recorder.seen[-last:] / (1 - 0.999 ** t)).mean(axis=(0, 2, 3))
    curves = train.losses(way[records])
    watch(0.4)
    facts = {'settings': {'lr': RATE, 'beta1': 0.9, 'beta2': 0.999, 'batch_size': BATCH, 'num_epochs': EPOCHS,
                          'record_every_steps': RECORD, 'seeds': len(seeds), 'first_seed': seeds[0]},
             'steps': len(train.batches), 'floor': rounded(least_squares_floor(features, labels)),
             'eps': rounded(EPS), **band(curves[-1]), 'spread': rounded(np.std(curves[-1], axis=1)),
             'step_over_rate': rounded(steps), 'root_of_s': rounded(roots),
             'first_gradients': _first_gradients(train),
             'from_adam': rounded(_apart(way[-1], way[-1, :1], train.start)), **_beside_momentum(train, way[-1]),
             'apart': {name: _gaps(train.losses(_train(train, rule, EPS)[records]) - curves)
                       for name, rule in OTHERS.items()}}
    watch(1.0)
    return facts


def _train(train, rule, eps, lr=RATE):
    """All parameters before the first step and after each, (steps + 1, eps, seeds, 6)."""
    return train(rule, {'lr': lr, 'eps': column(eps)}, copies=(len(eps),))


def _first_gradients(train):
    """The size of the first gradients, of all seeds and parameters: the smallest, and the median."""
    sizes = np.abs(train.gradient(train.start, train.batches[0]))
    return {'smallest': rounded(sizes.min()), 'median': rounded(np.median(sizes))}


def _beside_momentum(train, ends):
    """How far Adam ends from momentum at the rate lr / eps, for the eps that keep this rate slow enough to end
    anywhere; and Adam with the largest eps at a rate that is right for it."""
    slow, rate = EPS >= 0.99 * SLOWEST, MOMENTUM_RATE * EPS[-1]
    momentum = train(weighted_momentum, {'lr': column(RATE / EPS[slow])}, copies=(slow.sum(),))[-1]
    faster = train.losses(_train(train, adam, EPS[-1:], rate)[-1])
    return {'from_momentum': {'eps': rounded(EPS[slow]),
                              'apart': rounded(_apart(ends[slow], momentum, train.start))},
            'largest_eps_at_own_rate': {'lr': rounded(rate), 'median': rounded(np.median(faster))}}


def _apart(end, other, start):
    """The distance of the last parameters as a part of the way that `other` has come: median over the seeds."""
    gap, gone = (np.linalg.norm(each, axis=-1) for each in (end - other, other - start))
    return np.median(gap / gone, axis=-1)


def _gaps(differences):
    """Of the loss curves (records, eps, seeds): each seed's largest, of the median and the worst seed; at the end."""
    gaps = np.abs(differences)
    largest = gaps.max(axis=0)
    return {'typical': rounded(np.median(largest, axis=1), noise=1e-10),
            'worst': rounded(largest.max(axis=1), noise=1e-10),
            'final': rounded(np.median(gaps[-1], axis=1), noise=1e-10)}


# The answer


def answer(facts):
    """What the facts say, each number computed from them."""
    return [*_from_adam_to_momentum(facts), *_conventions(facts)]


def _from_adam_to_momentum(facts):
    eps, median, step, root = (facts[key] for key in ('eps', 'median', 'step_over_rate', 'root_of_s'))
    far, best = [k for k, gap in enumerate(facts['from_adam']) if gap > 0.01], int(np.argmin(median))
    near, smaller, larger = (far[0] if far else len(eps)) - 1, nearest(eps, 1e-8), len(eps) - 1
    half = crossing(eps, np.log2(np.divide(step, step[0])) + 1) or 0.0
    spread, momentum, own = facts['spread'], facts['from_momentum'], facts['largest_eps_at_own_rate']
    last, tenth = momentum['apart'][-1], momentum['apart'][-3]
    return [
        (f'What counts is eps beside sqrt(s_hat), the usual size of the gradients, {root[smaller]:.2f} on average in '
         f'the last epoch. Up to eps = {eps[near]:.2g} the run ends within 1 % of where it ends with '
         f'{eps[smaller]:.0e} (of the way gone), with a median loss of {median[near]:.4f} against '
         f'{median[smaller]:.4f}: Adam.',
         1e-3 <= eps[near] < root[smaller] / 10 and abs(median[near] - median[smaller]) < 0.001),
        (f'Then the steps shorten, at the same lr: {step[smaller]:.3f} lr on average with {eps[smaller]:.0e}, half of '
         f'it near eps = {half:.1g}, {step[larger]:.4f} lr with {eps[larger]:g}. A little of this helps, as a smaller '
         f'lr does: eps = {eps[best]:.1g} ends lowest, at {median[best]:.4f}, with less scatter of the seeds '
         f'(standard deviation {spread[best]:.4f}, not {spread[smaller]:.4f}).',
         root[smaller] / 3 < half < 3 * root[smaller] and step[larger] < step[smaller] / 20
         and 0.01 < eps[best] < 1 and spread[best] < spread[smaller] and median[best] < median[smaller]),
        (f'Far above, the step is lr / eps times the averaged gradient, momentum: at eps = {eps[larger]:g} the run '
         f'ends {percent(last)} of the way gone from where momentum does, at {momentum["eps"][-3]:g} '
         f'{percent(tenth)}. It ends high there, at {median[larger]:.3f}, only because lr / eps is a short step: with '
         f'lr = {own["lr"]:g} it ends at {own["median"]:.4f}. Who changes eps must tune lr anew.',
         last < 0.01 and 5 * last < tenth < 15 * last and median[larger] > 0.4 and own['median'] < 0.25),
    ]


def _conventions(facts):
    eps, apart, first = facts['eps'], facts['apart'], facts['first_gradients']
    hat, inner = (apart[name] for name in OTHERS)
    section, large, one = (nearest(eps, value) for value in (1e-6, 0.1, 1))
    visible = {name: next((x for x, gap in zip(eps, apart[name]['typical']) if gap > 0.001), np.inf) for name in OTHERS}
    return [
        (f"At the section's eps = {eps[section]:.0e} the conventions draw the same curve in the median seed: eps-hat "
         f'is {hat["typical"][section]:.0e} from it at most, eps inside the root {inner["typical"][section]:.0e}. Not '
         'in every seed: in the first step sqrt(s_hat) is a single gradient, in the median of '
         f'{first["median"]:.1g}, at the least of {first["smallest"]:.1g}, and the worst seeds are '
         f'{hat["worst"][section]:.0e} and {inner["worst"][section]:.0e} away.',
         0 < max(hat['typical'][section], inner['typical'][section]) < 1e-5
         and hat['worst'][section] > 2 * hat['typical'][section]
         and inner['worst'][section] > 10 * inner['typical'][section]
         and first['smallest'] < first['median'] / 10),
        (f'A gap of 0.001 in the median seed is reached by eps-hat at eps = {visible["eps-hat"]:.1g}, inside the root '
         f'at {visible["inside"]:.1g}: in the first step eps-hat counts '
         f'1 / sqrt(1 - beta2) = {(1 - facts["settings"]["beta2"]) ** -0.5:.0f} times as much.',
         visible['eps-hat'] < visible['inside'] < np.inf),
        (f'At eps = {eps[large]:g} the eps-hat curve is {hat["typical"][large]:.2f} off, but its final loss '
         f'{hat["final"][large]:.0e}: early steps are held back, later ones less and less. At 1 it ends '
         f'{hat["final"][one]:.2f} off, inside the root {inner["final"][one]:.3f}.',
         hat['typical'][large] > 0.03 and hat['final'][large] < hat['typical'][large] / 10
         and hat['final'][one] > 5 * inner['final'][one]),
    ]


# The figure


def figure(facts):
    """Four panels over eps: the final loss and the steps (top), the two limits and the conventions (bottom)."""
    picture = panels('eps decides once it reaches the size of the gradients (green): Adam becomes momentum', facts,
                     (_draw_loss, _draw_steps, _draw_limits, _draw_apart))
    for axes in picture.axes:
        axes.set(xscale='log', xlabel='eps', xlim=(facts['eps'][0], facts['eps'][-1]))
        axes.axvspan(facts['root_of_s'][0], facts['eps'][-1], color=COLOURS['momentum'], alpha=0.1, linewidth=0)
    return picture


def _draw_loss(axes, facts):
    eps = facts['eps']
    low, median, high = (np.subtract(facts[key], facts['floor']) for key in ('5 %', 'median', '95 %'))
    axes.fill_between(eps, low, high, color='0.5', alpha=0.4, linewidth=0,
                      label=f'5-95 % of {facts["settings"]["seeds"]} seeds')
    axes.plot(eps, median, color=COLOURS['adam'], linewidth=2, label='their median')
    best, section = int(np.argmin(median)), nearest(eps, 1e-6)
    dot(axes, (eps[best], median[best]), f'lowest: {eps[best]:.1g}', (-30, -36), 6)
    dot(axes, (eps[section], median[section]), "the section's 1e-6", (-30, 48), 6)
    axes.set(yscale='log', ylabel=f'final loss above the floor, {facts["floor"]:.4f}', ylim=(2e-4, 1),
             title=f'Where it ends, lr {facts["settings"]["lr"]:g}')
    axes.legend(fontsize='small', loc='upper left')


def _draw_steps(axes, facts):
    eps, step = facts['eps'], facts['step_over_rate']
    axes.plot(eps, step, color=COLOURS['adam'], linewidth=2)
    right = [k for k, value in enumerate(eps) if value >= 3]
    axes.plot([eps[k] for k in right], [1.6 * step[-1] * eps[-1] / eps[k] for k in right], color=COLOURS['momentum'],
              linestyle='--')
    axes.text(0.42, 0.4, 'lr / eps: ten times\nshorter for ten times\nin eps (momentum)', color=COLOURS['momentum'],
              transform=axes.transAxes)
    axes.text(0.04, 0.9, 'set by lr alone (Adam)', transform=axes.transAxes)
    axes.set(yscale='log', ylim=(1e-3, 0.4), ylabel='mean |step| / lr in the last epoch',
             title='How long its steps are')


def _draw_limits(axes, facts):
    eps = facts['eps']
    axes.plot(eps[1:], facts['from_adam'][1:], color=COLOURS['adam'], linewidth=2)
    axes.plot(facts['from_momentum']['eps'], facts['from_momentum']['apart'], color=COLOURS['momentum'], linewidth=2)
    axes.text(0.13, 0.6, f'from Adam with\neps = {eps[0]:.0e}', transform=axes.transAxes)
    axes.text(0.975, 0.5, 'from momentum\nat lr / eps', color=COLOURS['momentum'], transform=axes.transAxes, ha='right')
    axes.set(yscale='log', ylim=(1e-8, 10), ylabel='distance at the end / way gone (median)',
             title='Between which two rules it is')


def _draw_apart(axes, facts):
    eps = facts['eps']
    for name, label in zip(OTHERS, ('eps-hat (Gluon, Keras)', 'inside the root')):
        apart = facts['apart'][name]
        axes.plot(eps, apart['typical'], color=COLOURS[name], linewidth=2, label=f'{label}: median seed')
        axes.plot(eps, apart['worst'], color=COLOURS[name], linestyle='--', label=f'{label}: worst seed')
    axes.set(yscale='log', ylim=(1e-10, 1), ylabel="largest gap to the section's loss curve",
             title='Where the conventions part (same seeds)')
    axes.legend(fontsize='small', loc='lower right')
