"""Exercise `epsilon`: what Adam's eps does, from 1e-8 to 100, and where its three conventions part.

    outside    lr v_hat / (sqrt(s_hat) + eps)                the section's; optax, PyTorch
    eps-hat    lr v_hat / (sqrt(s_hat) + eps / sqrt(1 - beta2^t))    eps on the root of the uncorrected s: Gluon, Keras
    inside     lr v_hat / sqrt(s_hat + eps)                  the first printing's formula

eps is to be compared with sqrt(s_hat), the usual size of the gradients: far below it nothing changes, far above it the
step is lr / eps times the average of the gradients, which is momentum. All runs are in float64: a float32 run could not
tell the conventions apart where eps is small. Each seed has one start and one shuffle for every eps and convention.
"""
import numpy as np

from .. import figures
from ..airfoil import least_squares_floor
from ..compat import mxnet
from ..optimizers import adam
from ..training import Draws

nd = mxnet.nd

QUESTION = ('What does eps do in Adam when it grows from 1e-8 to 1 and beyond, and when does it matter where it is '
            'added: to the root of the corrected s, of the uncorrected s, or inside the root?')

RATE, EPOCHS, BATCH, RECORD = 0.01, 2, 10, 10  # RECORD: the loss after every tenth step, and after the last
EPS = np.geomspace(1e-8, 1e2, 21)  # two per factor of ten
OTHERS = ('eps-hat', 'inside')
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


def averaged(params, states, hyperparams):
    """Momentum at the rate lr / eps: along the weighted mean of all gradients so far, weights 0.9^age."""
    for p, (total, weights) in zip(params, states):
        total[:] = 0.9 * total + p.grad
        weights[:] = 0.9 * weights + 1
        p[:] = p - (hyperparams['lr'] / hyperparams['eps']) * total / weights


# The runs


def run(features, labels, seeds, watch=None):
    """The facts: all lists are over the values of eps, the conventions' gaps are those of the loss curves, each seed's
    largest: of the median seed and of the worst."""
    watch, train = watch or (lambda part: None), _Trainings(features, labels, seeds)
    own = train(adam, EPS)
    watch(0.3)
    low, median, high = np.quantile(own['losses'][-1], (.05, .5, .95), axis=1)
    facts = {'settings': {'lr': RATE, 'beta1': 0.9, 'beta2': 0.999, 'batch_size': BATCH, 'num_epochs': EPOCHS,
                          'record_every_steps': RECORD, 'seeds': len(seeds), 'first_seed': seeds[0]},
             'steps': len(train.batches), 'floor': _rounded(least_squares_floor(features, labels)),
             'eps': _rounded(EPS), '5 %': _rounded(low), 'median': _rounded(median), '95 %': _rounded(high),
             'spread': _rounded(np.std(own['losses'][-1], axis=1)),
             'step_over_rate': _rounded(own['step']), 'root_of_s': _rounded(own['root']),
             'first_gradients': train.first_gradients(),
             'from_adam': _rounded(_apart(own['way'], own['way'][:, :1])),
             **_beside_momentum(train, own['way'])}
    watch(0.4)
    facts['apart'] = {}
    for k, (name, rule) in enumerate(zip(OTHERS, (eps_hat, inside))):
        gaps = np.abs(train(rule, EPS)['losses'] - own['losses'])
        on_curve = gaps.max(axis=0)
        facts['apart'][name] = {'typical': _rounded(np.median(on_curve, axis=1)),
                                'worst': _rounded(on_curve.max(axis=1)),
                                'final': _rounded(np.median(gaps[-1], axis=1))}
        watch(0.7 + 0.3 * k)
    return facts


def _beside_momentum(train, way):
    """How far Adam ends from momentum at the rate lr / eps, for the eps that keep this rate slow enough to end
    anywhere; and Adam with the largest eps at a rate that is right for it."""
    slow = EPS >= 0.99 * SLOWEST
    gaps = _apart(way[:, slow], train(averaged, EPS[slow])['way'])
    rate = MOMENTUM_RATE * EPS[-1]
    faster = train(adam, EPS[-1:], rate)['losses'][-1]
    return {'from_momentum': {'eps': _rounded(EPS[slow]), 'apart': _rounded(gaps)},
            'largest_eps_at_own_rate': {'lr': _rounded(rate), 'median': _rounded(np.median(faster))}}


def _apart(way, other):
    """The distance of the last parameters as a part of the way that `other` has come: median over the seeds."""
    gap, gone = (np.linalg.norm(each, axis=-1) for each in (way[-1] - other[-1], other[-1] - other[0]))
    return np.median(gap / gone, axis=-1)


class _Trainings:
    """The section's training in float64, for every eps and seed at once: parameters of shape (eps, seeds, 6)."""

    def __init__(self, features, labels, seeds):
        X = features.asnumpy()
        self.X, self.y = np.column_stack([X, np.ones(len(X))]).astype(float), labels.asnumpy().astype(float)
        draws = [Draws(seed) for seed in seeds]
        self.start = np.stack([np.append(*draw.start(X.shape[1])) for draw in draws]).astype(float)
        epochs = [np.stack([draw.order(len(X)) for draw in draws]) for _ in range(EPOCHS)]
        self.batches = [order[:, k:k + BATCH] for order in epochs for k in range(0, len(X), BATCH)]
        self.recorded = [*range(0, len(self.batches), RECORD), len(self.batches)]
        # The loss is a quadratic form of (w, b, -1); this is its matrix.
        table = np.column_stack([self.X, self.y])
        self.moments = table.T @ table / len(table) / 2

    def __call__(self, rule, eps, lr=RATE):
        """The loss at each record, (records, eps, seeds); over the last epoch, means of |step| / lr and sqrt(s_hat)."""
        p = nd.array(np.broadcast_to(self.start, (len(eps), *self.start.shape)), dtype='float64')
        p.attach_grad()
        v, s = (nd.zeros(p.shape, dtype='float64') for _ in range(2))
        hyperparams = {'lr': lr, 't': 1, 'eps': nd.array(np.reshape(eps, (-1, 1, 1)), dtype='float64')}
        way, w, steps, roots = [p.asnumpy()], p.asnumpy(), [], []
        for t, rows in enumerate(self.batches, 1):
            p.grad[:] = nd.array(self._gradient(w, rows), dtype='float64')
            rule([p], [(v, s)], hyperparams)
            before, w = w, p.asnumpy()
            if t > len(self.batches) * (EPOCHS - 1) // EPOCHS:
                steps.append(np.abs(w - before).mean(axis=(1, 2)) / RATE)
                roots.append(np.sqrt(s.asnumpy() / (1 - 0.999 ** t)).mean(axis=(1, 2)))
            if t in self.recorded:
                way.append(w)
        way = np.stack(way)
        return {'way': way, 'losses': self.losses(way), 'step': np.mean(steps, axis=0), 'root': np.mean(roots, axis=0)}

    def _gradient(self, w, rows):
        """For w (eps, seeds, 6): one batch per seed, the same for every eps."""
        X, w = self.X[rows], w.transpose(1, 2, 0)
        off = X @ w - self.y[rows][..., None]
        return (X.transpose(0, 2, 1) @ off).transpose(2, 0, 1) / rows.shape[1]

    def first_gradients(self):
        """The size of the first gradients, of all seeds and parameters: the smallest, and the median."""
        sizes = np.abs(self._gradient(self.start[None], self.batches[0]))
        return {'smallest': _rounded(sizes.min()), 'median': _rounded(np.median(sizes))}

    def losses(self, w):
        """The loss over all examples, for any leading axes."""
        u = np.concatenate([w, np.full((*w.shape[:-1], 1), -1.0)], axis=-1)
        return ((u @ self.moments) * u).sum(axis=-1)


def _rounded(values):
    """Six figures are more than the seeds can tell; of the conventions' smallest gaps, near rounding error, fewer."""
    if np.ndim(values):
        return [_rounded(x) for x in values]
    return float(f'{values:.6g}' if abs(values) > 1e-10 else f'{values:.1g}')


# The answer


def answer(facts):
    """What the facts say, each number computed from them."""
    return [*_from_adam_to_momentum(facts), *_conventions(facts)]


def _from_adam_to_momentum(facts):
    eps, median, step, root = (facts[key] for key in ('eps', 'median', 'step_over_rate', 'root_of_s'))
    near, best, half = _last_near(facts), int(np.argmin(median)), _half(facts)
    smaller, larger, own = _at(facts, 1e-8), len(eps) - 1, facts['largest_eps_at_own_rate']
    reach, momentum = facts['settings']['lr'] / eps[larger], facts['from_momentum']
    last, tenth = momentum['apart'][-1], momentum['apart'][-3]
    return [
        (f'What counts is eps beside sqrt(s_hat), the usual size of the gradients, {root[smaller]:.2f} on average in '
         f'the last epoch. Up to eps = {eps[near]:.2g} the run ends within 1 % of where it ends with '
         f'{eps[smaller]:.0e} (of the way gone), with a median loss of {median[near]:.4f} against '
         f'{median[smaller]:.4f}: Adam.',
         1e-3 <= eps[near] < root[smaller] / 10 and abs(median[near] - median[smaller]) < 0.001),
        (f'Then the steps shorten, at the same lr: {step[smaller]:.3f} lr on average with {eps[smaller]:.0e}, half of '
         f'it near eps = {half:.1g}, {step[larger]:.4f} lr with {eps[larger]:g}.' if half else
         'Then the steps shorten, at the same lr, to less than half.',
         half is not None and root[smaller] / 3 < half < 3 * root[smaller] and step[larger] < step[smaller] / 20),
        (f'A little of this helps: eps = {eps[best]:.1g} ends lowest, at {median[best]:.4f}, and the seeds scatter '
         f'less (standard deviation {facts["spread"][best]:.4f}, with {eps[smaller]:.0e} '
         f'{facts["spread"][smaller]:.4f}). '
         'Shorter last steps are less noise, as with a smaller lr.',
         0.01 < eps[best] < 1 and facts['spread'][best] < facts['spread'][smaller]
         and median[best] < median[smaller]),
        (f'Far above, the step is lr / eps times the averaged gradient, momentum: at eps = {eps[larger]:g} the run '
         f'ends {_percent(last)} of the way gone from where momentum does, at {momentum["eps"][-3]:g} '
         f'{_percent(tenth)}.', last < 0.01 and 5 * last < tenth < 15 * last),
        (f'It ends at {median[larger]:.3f} there only because lr / eps = {reach:.0e} is a short step. With '
         f'lr = {own["lr"]:g} the same eps ends at {own["median"]:.4f}: who changes eps must tune lr anew.',
         median[larger] > 0.4 and own['median'] < 0.25),
    ]


def _conventions(facts):
    eps, apart, first = facts['eps'], facts['apart'], facts['first_gradients']
    hat, inner = (apart[name] for name in OTHERS)
    section, large, one = _at(facts, 1e-6), _at(facts, 0.1), _at(facts, 1)
    visible = {name: _first_above(facts, name, 0.001) for name in OTHERS}
    return [
        (f"At the section's eps = {eps[section]:.0e} the conventions draw the same curve in the median seed: eps-hat "
         f'is {hat["typical"][section]:.0e} from it at most, eps inside the root {inner["typical"][section]:.0e}.',
         0 < max(hat['typical'][section], inner['typical'][section]) < 1e-5),
        (f'Not in every seed. In the first step sqrt(s_hat) is a single gradient: the smallest of all here is '
         f'{first["smallest"]:.1g}, the median {first["median"]:.1g}. The worst seeds are {hat["worst"][section]:.0e} '
         f'and {inner["worst"][section]:.0e} away; inside, an eps of {eps[section]:.0e} counts as its root, '
         f'{eps[section] ** 0.5:.0e}, where s is small.',
         hat['worst'][section] > 2 * hat['typical'][section]
         and inner['worst'][section] > 10 * inner['typical'][section]
         and first['smallest'] < first['median'] / 10),
        (f'A gap of 0.001 in the median seed is reached by eps-hat at eps = {visible["eps-hat"]:.1g}, inside the root '
         f'at {visible["inside"]:.1g}: eps-hat counts '
         f'1 / sqrt(1 - beta2) = {(1 - facts["settings"]["beta2"]) ** -0.5:.0f} times as much in the first step.'
         if all(visible.values()) else 'A gap of 0.001 in the median seed is reached by both.',
         all(visible.values()) and visible['eps-hat'] < visible['inside']),
        (f'At eps = {eps[large]:g} the eps-hat curve is {hat["typical"][large]:.2f} off, but its final loss '
         f'{hat["final"][large]:.0e}: early steps are held back, later ones less and less. At 1 it ends '
         f'{hat["final"][one]:.2f} off, inside the root {inner["final"][one]:.3f}.',
         hat['typical'][large] > 0.03 and hat['final'][large] < hat['typical'][large] / 10
         and hat['final'][one] > 5 * inner['final'][one]),
    ]


def _percent(part):
    return f'{100 * part:.1f} %'


def _at(facts, value):
    """Where a value of eps is in the facts."""
    return int(np.argmin(np.abs(np.log(facts['eps']) - np.log(value))))


def _last_near(facts):
    """Where the largest eps is whose run ends within 1 % of the smallest one's, and all before it too."""
    far = [k for k, gap in enumerate(facts['from_adam']) if gap > 0.01]
    return (far[0] if far else len(facts['eps'])) - 1


def _half(facts):
    """The eps at which the steps are half of what they are with the smallest, on the log scale; None if nowhere."""
    logs, eps = np.log2(np.array(facts['step_over_rate']) / facts['step_over_rate'][0]) + 1, facts['eps']
    for k in range(len(eps) - 1):
        if logs[k] >= 0 > logs[k + 1]:
            return float(eps[k] * (eps[k + 1] / eps[k]) ** (logs[k] / (logs[k] - logs[k + 1])))
    return None


def _first_above(facts, name, gap):
    """The smallest eps at which the convention's typical gap is above `gap`; None if none is."""
    above = [eps for eps, typical in zip(facts['eps'], facts['apart'][name]['typical']) if typical > gap]
    return above[0] if above else None


# The figure


def figure(facts):
    """Four panels over eps: the final loss and the steps (top), the two limits and the conventions (bottom)."""
    picture, ((loss, step), (limits, apart)) = figures.new_figure((9.6, 6.8), 2, 2)
    _draw_loss(loss, facts)
    _draw_steps(step, facts)
    _draw_limits(limits, facts)
    _draw_apart(apart, facts)
    for axes in (loss, step, limits, apart):
        axes.set(xscale='log', xlabel='eps', xlim=(facts['eps'][0], facts['eps'][-1]))
        axes.axvspan(facts['root_of_s'][0], facts['eps'][-1], color=COLOURS['momentum'], alpha=0.1, linewidth=0)
    picture.suptitle('eps decides once it reaches the size of the gradients (green): Adam becomes momentum',
                     fontsize='large')
    return picture


def _draw_loss(axes, facts):
    eps = facts['eps']
    low, median, high = (np.subtract(facts[key], facts['floor']) for key in ('5 %', 'median', '95 %'))
    axes.fill_between(eps, low, high, color='0.5', alpha=0.4, linewidth=0,
                      label=f'5-95 % of {facts["settings"]["seeds"]} seeds')
    axes.plot(eps, median, color=COLOURS['adam'], linewidth=2, label='their median')
    best, section = int(np.argmin(median)), _at(facts, 1e-6)
    for k, text, place in ((best, f'lowest: {eps[best]:.1g}', (-30, -36)), (section, "the section's 1e-6", (-30, 48))):
        axes.plot(eps[k], median[k], 'o', color=COLOURS['adam'])
        axes.annotate(text, (eps[k], median[k]), place, textcoords='offset points', fontsize='small',
                      arrowprops={'arrowstyle': '-', 'color': '0.3', 'linewidth': 0.8})
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
