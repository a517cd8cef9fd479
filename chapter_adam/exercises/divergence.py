"""Exercise `divergence`: a problem on which Adam moves to the worst point, and two rules that do not.

Reddi, Kale & Kumar, "On the Convergence of Adam and Beyond", ICLR 2018: x is kept in [-1, 1]; the gradient is 4 P / 3
in one step of each period P and -1 in the others. They sum to 1 + P / 3: the best point is -1.
"""
import numpy as np

from .tools.drawing import label, panels
from .tools.numbers import rounded

QUESTION = 'Can you construct a problem on which Adam does not converge, and what do AMSGrad and Yogi do there?'

NAMES, COLOURS = ('Adam', 'AMSGrad', 'Yogi'), ('tab:red', 'tab:blue', 'tab:green')
STEPS, RATE, EPS = 30000, 0.5, np.array([[1e-6], [1e-6], [1e-3]])  # the rate falls as 1 / sqrt(t); eps of the three
MARKS = (30, 300, 3000, 30000)
PERIODS = (3, 10, 30, 100, 300, 500, 1000, 1500, 2000, 3000, 5000, 10000)  # each ends with the last step
P, LONG = len(PERIODS), 5000
CURVE, SHOWN = np.unique(np.geomspace(1, STEPS, 120).astype(int)), np.arange(STEPS - 2 * LONG + 1, STEPS + 1, 50)
BETAS = {'paper': (0.0, 1 / 17), 'book': (0.9, 0.999)}


def run(features, labels, seeds, watch=None):
    """The facts, without the data. The columns: all periods with the paper's betas, with the book's; random orders."""
    t, starts, betas = np.arange(1, STEPS + 1), [0.0] * 2 * P, [BETAS['paper']] * P + [BETAS['book']] * P
    gradients = [np.where(t % period == 1, period * 4 / 3, -1) for period in PERIODS] * 2
    for random in map(np.random.default_rng, seeds):
        starts, betas = [*starts, random.uniform(-1, 1)], [*betas, BETAS['paper']]
        gradients.append(np.where(random.uniform(size=STEPS) < 1 / 3, 4, -1))
    x, sizes = positions(np.array(starts), np.stack(gradients, axis=1), *np.array(betas).T)
    facts = {'at': x[:, np.array(MARKS) - 1, 0], 'curve': x[:, CURVE - 1, 0], 'sizes': sizes[:, -12:, 0],
             'long_sizes': sizes[:, SHOWN - 1, P + PERIODS.index(LONG)], 'ends': x[:, -1, P:2 * P],
             'random': x[:, -1, 2 * P:]}
    return {'settings': {'steps': STEPS, 'betas': BETAS, 'seeds': len(seeds), 'first_seed': seeds[0]},
            **{name: dict(zip(NAMES, rounded(values, 4))) for name, values in facts.items()}}


def positions(start, gradients, beta1, beta2):
    """x and what the step is divided by after each step, (3, steps, columns): `adam`, `amsgrad` and `yogi` in NumPy."""
    x, (v, s, top, yogi), (squares, mean) = np.tile(start, (3, 1)), np.zeros((4, 1)), np.zeros((2, 3, len(start)))
    path, sizes = np.empty((2, 3, len(gradients), len(start)), np.float32)
    for t, g in enumerate(gradients, 1):
        v = beta1 * v + (1 - beta1) * g
        s = beta2 * s + (1 - beta2) * g * g
        top = np.maximum(top, s)
        yogi = yogi + (1 - beta2) * np.sign(g * g - yogi) * g * g
        squares[0], squares[1], squares[2], mean[0], mean[1:] = s / (1 - beta2 ** t), top, yogi, v / (1 - beta1 ** t), v
        size = np.sqrt(squares)
        x = np.maximum(-1, np.minimum(1, x - RATE / t ** 0.5 * mean / (size + EPS)))
        path[:, t - 1], sizes[:, t - 1] = x, size
    return path, sizes


def answer(facts):
    """Where the three rules go, why, and with the book's betas."""
    at, (adam, amsgrad, yogi), drawn, ends = facts['at'], facts['sizes'].values(), facts['random'], facts['ends']
    (first, second, third), sizes = adam[:3], facts['long_sizes']['Adam']
    up, down = 1 / second + 1 / third, 4 / first
    right, wrong = ([period for period, x in zip(PERIODS, ends['Adam']) if sign * x > 0] for sign in (-1, 1))
    others = max(ends['AMSGrad'] + ends['Yogi'])
    return [
        ('Yes: on [-1, 1] the gradients 4, -1, -1, again and again. They sum to 2, so -1 is the best point. With beta1 '
         f'= 0, beta2 = 1/17 and the rate 0.5 / sqrt(t), x after {", ".join(map(str, MARKS))} steps is '
         + '; '.join(f'{name} {", ".join(f"{x:+.3f}" for x in at[name])}' for name in NAMES) + '.',
         sorted(at['Adam']) == at['Adam'] and at['Adam'][-1] > 0.99
         and all(sorted(at[name])[::-1] == at[name] and at[name][-1] < -0.99 for name in NAMES[1:])),
        (f'Adam divides the 4 by {first:.2f} and the two -1 by {second:.2f} and {third:.2f}, having forgotten the 4: a '
         f'period moves x down by {down:.2f} rates and up by {up:.2f}. AMSGrad divides all by the largest so far, '
         f'{amsgrad[0]:.2f}; Yogi\'s s shrinks by less than a squared gradient a step.',
         up > 1.5 * down and np.ptp(amsgrad) < 0.001 * amsgrad[0] and amsgrad[0] > 2 * third
         and all(a * a - b * b < 1 for k, (a, b) in enumerate(zip(yogi, yogi[1:]), 1) if k % 3)),
        ('The regular order is not to blame: with the 4 drawn with probability 1/3, from random starts, all '
         f'{facts["settings"]["seeds"]} seeds end at {min(drawn["Adam"]):+.2f} or above with Adam, at '
         f'{max(drawn["AMSGrad"]):+.2f} or below with AMSGrad, at {max(drawn["Yogi"]):+.2f} or below with Yogi.',
         min(drawn['Adam']) > 0.8 and max(drawn['AMSGrad'] + drawn['Yogi']) < -0.8),
        ('With the book\'s betas, whose s remembers 1000 steps, a rarer large gradient is needed: Adam ends on the '
         f'right side for periods up to {max(right)} and on the wrong one from {min(wrong)} on. Within a period of '
         f'{LONG} its size falls from {max(sizes):.0f} to {min(sizes):.0f}. The others end at {others:+.2f} or below.',
         max(right) < min(wrong) and 1000 < min(wrong) <= 5000 and others < -0.8 and max(sizes) > 10 * min(sizes)),
    ]


def figure(facts):
    """Four panels: where x goes (left) and what the steps are divided by (right)."""
    return panels('Adam moves to the worst point where it forgets the large gradient before the next one', facts,
                  (_draw_curves, _draw_sizes, _draw_periods, _draw_long_sizes), size=(9.6, 7))


def _draw(axes, x, values, **style):
    """A line for each rule; Yogi in dashes over AMSGrad, with which it goes."""
    for name, colour in zip(NAMES, COLOURS):
        axes.plot(x, values[name], color=colour, label=name, linestyle='--' if name == 'Yogi' else '-',
                  linewidth=4 if name == 'AMSGrad' else 1.8, alpha=0.5 if name == 'AMSGrad' else 1, **style)


def _sides(axes, **labels):
    for y, text in ((1, 'worst point'), (-1, 'best point')):
        axes.axhline(y, color='0.35', linewidth=0.8)
        axes.text(0.02, 1.12 * y, text, transform=axes.get_yaxis_transform(), fontsize='small', va='center')
    axes.set(xscale='log', ylim=(-1.3, 1.3), **labels)


def _draw_curves(axes, facts):
    _draw(axes, CURVE, facts['curve'])
    _sides(axes, xlabel='step', ylabel='x', title='Gradients 4, -1, -1, ...: beta1 = 0, beta2 = 1/17')
    axes.legend(loc='center right')


def _draw_sizes(axes, facts):
    steps = range(STEPS - 11, STEPS + 1)
    axes.bar(steps, [4, 1, 1] * 4, width=0.9, color='0.85')
    _draw(axes, steps, facts['sizes'], marker='.')
    label(axes, steps[0], 0.25, 'bars: |gradient|', (-8, 0))
    axes.set(xlabel='step', ylabel='divided by', ylim=(0, 6), title='Why: Adam divides large by large, small by small')


def _draw_periods(axes, facts):
    _draw(axes, PERIODS, facts['ends'], marker='o', markersize=4)
    axes.axvspan(1000, PERIODS[-1], color='0.9', linewidth=0)
    axes.text(900, 0.4, 'grey: longer than\nthe 1000 steps\nthat s remembers', ha='right', fontsize='small')
    _sides(axes, xlabel='period: steps from one large gradient to the next', ylabel=f'x after {STEPS} steps',
           title='Betas 0.9 and 0.999: a rarer gradient is needed')


def _draw_long_sizes(axes, facts):
    _draw(axes, SHOWN, facts['long_sizes'])
    for step in (SHOWN[0], SHOWN[0] + LONG):
        axes.plot([step, step], [10, LONG * 4 / 3], color='0.8', linewidth=6, zorder=0, solid_capstyle='butt')
        label(axes, step, LONG * 4 / 3, f'gradient {LONG * 4 / 3:.0f}', (6, -6))
    axes.set(yscale='log', ylim=(10, 1e4), xlabel='step', ylabel='divided by', title='Why: Adam forgets it')
