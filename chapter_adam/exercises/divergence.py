"""Exercise `divergence`: a problem on which Adam goes the wrong way, and two rules that do not.

The problem is that of Reddi, Kale & Kumar, "On the Convergence of Adam and Beyond", ICLR 2018: x is kept in [-1, 1],
and the loss of step t is f_t(x) = C x in one step of each period and -x in the others. C is 4/3 of the period P, so
that the slopes of a period sum to 1 + P/3 > 0: the best point is -1, whatever the period. With P = 3, C = 4.

Here 30000 steps of each rule are taken, on many such problems at once, as the columns of one array: every period of
`PERIODS` from x = 0, with the paper's betas and with the book's; then, with the paper's betas, once per seed the slopes
4 and -1 in an order that is drawn (4 with probability 1/3), from a start drawn from [-1, 1].
"""
import numpy as np

from ._columns import walk_columns
from ._drawing import panels, plain_ticks
from ._numbers import rounded

QUESTION = ('Can you construct a problem on which Adam does not converge, and what do AMSGrad and Yogi, which came '
            'after it, do there?')

NAMES = {'adam': 'Adam', 'amsgrad': 'AMSGrad', 'yogi': 'Yogi'}
COLOURS = {'adam': 'tab:red', 'amsgrad': 'tab:blue', 'yogi': 'tab:green'}
STEPS, RATE = 30000, 0.5
MARKS = (30, 300, 3000, 30000)
PERIODS = (3, 10, 30, 100, 300, 500, 1000, 1500, 2000, 3000, 5000, 10000)  # each ends with step 30000
LONG = 5000
STEEPER = 4 / 3  # C, in periods
BETAS = {'paper': {'beta1': 0.0, 'beta2': 1 / 17}, 'book': {'beta1': 0.9, 'beta2': 0.999}}  # 17 = 1 + C^2


def run(features, labels, seeds, watch=None):
    """The facts; the airfoil data have no part in them."""
    facts = {'settings': {'steps': STEPS, 'rate': f'{RATE} / sqrt(t)', 'betas': BETAS, 'box': [-1, 1],
                          'steep slope': 'period * 4 / 3', 'other slopes': -1, 'eps': "each rule's own",
                          'periods': list(PERIODS), 'long period': LONG, 'seeds': len(seeds), 'first_seed': seeds[0]},
             'slope': PERIODS[0] * STEEPER, 'long_slope': rounded(LONG * STEEPER, 4), 'drawn': {},
             'curve_steps': [int(t) for t in _curve_steps()], 'runs': {betas: {} for betas in BETAS}}
    starts, slopes, betas_of = _problems(seeds)
    for done, rule in enumerate(NAMES, 1):
        unkept, sizes = walk_columns(rule, starts, slopes, lambda t: RATE / t ** 0.5, betas_of)
        for k, betas in enumerate(BETAS):
            own = slice(k * len(PERIODS), (k + 1) * len(PERIODS))
            facts['runs'][betas][rule] = _measured(rule, BETAS[betas], unkept[:, own], sizes[:, own])
        drawn = np.clip(unkept[-1, len(BETAS) * len(PERIODS):], -1, 1)
        facts['drawn'][rule] = {name: rounded(of(drawn), 4) for name, of in
                                (('least', np.min), ('median', np.median), ('most', np.max))}
        if watch:
            watch(done / len(NAMES))
    return facts


def _problems(seeds):
    """Of all problems, as columns: the starts (1, columns), the slopes (STEPS, columns), the betas as a dict."""
    t, steep = np.arange(1, STEPS + 1), PERIODS[0] * STEEPER
    slopes = [np.where(t % period == 1, period * STEEPER, -1) for period in PERIODS] * len(BETAS)
    starts, names = [0.0] * len(slopes), [betas for betas in BETAS for _ in PERIODS] + ['paper'] * len(seeds)
    for seed in seeds:
        random = np.random.RandomState(seed)
        starts.append(random.uniform(-1, 1))
        slopes.append(np.where(random.uniform(size=STEPS) < 1 / PERIODS[0], steep, -1))
    betas = {name: np.array([[BETAS[each][name] for each in names]]) for name in ('beta1', 'beta2')}
    return np.array([starts]), np.stack(slopes, axis=1).astype(np.float32), betas


def _measured(rule, betas, unkept, sizes):
    """What one rule does: on the paper's problem, on the long one, and at the end of each period's."""
    x = np.clip(unkept, -1, 1)
    facts = {'ends': rounded(x[-1], 4)}
    for name, period in (('short', PERIODS[0]), ('long', LONG)):
        k, shown = PERIODS.index(period), _shown(period)
        correction = 1 - betas['beta2'] ** shown if rule == 'adam' else 1
        facts[name] = {'at': {str(t): rounded(x[t - 1, k], 4) for t in MARKS},
                       'curve': rounded(x[_curve_steps() - 1, k], 4), 'steps': shown.tolist(),
                       'size': rounded((sizes[shown - 1, k] / correction) ** 0.5, 4),
                       **_pushes(x[:, k].astype(float), unkept[:, k].astype(float), period)}
    return facts


def _pushes(x, unkept, period):
    """How far a period's steps down and its steps up lead together, in units of the rate, on average at the end."""
    steps = (unkept[1:] - x[:-1]) / (RATE / np.arange(2, STEPS + 1) ** 0.5)
    last = steps[-LONG * 2:]  # two of the long periods, over three thousand of the short ones
    return {name: rounded(np.maximum(0, sign * last).sum() * period / len(last), 4)
            for name, sign in (('down', -1), ('up', 1))}


def _curve_steps():
    """From 1 to the last, evenly on a log axis, and the marks."""
    return np.unique([*np.geomspace(1, STEPS, 120).astype(int), *MARKS])


def _shown(period):
    """The steps at which the second moment is drawn: the last four periods of 3, or the last two long ones."""
    first, every = (STEPS - 11, 1) if period == PERIODS[0] else (STEPS - 2 * period + 1, 50)
    return np.arange(first, STEPS + 1, every)


# The answer


def answer(facts):
    """What the facts say, each number computed from them."""
    return [_where_they_go(facts), _why(facts), _drawn(facts), *_book(facts), _memory(facts)]


def _where_they_go(facts):
    runs, slope = facts['runs']['paper'], facts['slope']
    ways = {rule: [runs[rule]['short']['at'][str(t)] for t in MARKS] for rule in NAMES}
    loss = (slope - 2) / 3 * (ways['adam'][-1] + 1)
    says = '; '.join(f'{name} {", ".join(f"{x:+.3f}" for x in ways[rule])}' for rule, name in NAMES.items())
    return (f'Yes: on [-1, 1], the slopes {slope:g}, -1, -1, again and again. They sum to {slope - 2:g}, so -1 is the '
            f'best point and +1 the worst. With beta1 = 0, beta2 = 1/17 and the rate 0.5 / sqrt(t), x is after '
            f'{", ".join(map(str, MARKS))} steps: {says}. Adam settles at the worst point, and at the end still loses '
            f'{loss:.2f} a step on average.',
            sorted(ways['adam']) == ways['adam'] and ways['adam'][-1] > 0.99
            and all(sorted(ways[rule], reverse=True) == ways[rule] and ways[rule][-1] < -0.99
                    for rule in ('amsgrad', 'yogi')))


def _why(facts):
    adam, amsgrad, yogi = (facts['runs']['paper'][rule]['short'] for rule in NAMES)
    slope, (first, second, third), kept = facts['slope'], adam['size'][:3], amsgrad['size'][0]
    up, down = 1 / second + 1 / third, slope / first
    return (f'Adam divides the {slope:g} by {first:.2f}, a size that is made of it, and has forgotten it when the '
            f'small ones come: it divides them by {second:.2f} and {third:.2f}. A period leads {down:.2f} rates down '
            f'and {up:.2f} up. AMSGrad divides all three by the largest size so far, {kept:.2f}: '
            f'{amsgrad["down"]:.2f} down, {amsgrad["up"]:.2f} up. Yogi lets its s shrink by less than a squared slope '
            f'a step: {yogi["down"]:.2f} down, {yogi["up"]:.2f} up on average.',
            up > 1.5 * down and abs(adam['up'] - up) < 0.01 and abs(adam['down'] - down) < 0.01
            and np.ptp(amsgrad['size']) < 0.001 * kept and yogi['down'] > 1.5 * yogi['up']
            and abs(amsgrad['down'] / amsgrad['up'] / (slope / 2) - 1) < 0.01)


def _drawn(facts):
    adam, amsgrad, yogi = (facts['drawn'][rule] for rule in NAMES)
    return ('Neither the regular order nor the start is to blame. With the same slopes drawn at random, '
            f'{facts["slope"]:g} with probability 1/3, and starts anywhere, all {facts["settings"]["seeds"]} seeds end '
            f'like this: Adam at {adam["least"]:+.2f} or above, AMSGrad at {amsgrad["most"]:+.2f} or below, Yogi at '
            f'{yogi["most"]:+.2f} or below.', adam['least'] > 0.8 and max(amsgrad['most'], yogi['most']) < -0.8)


def _book(facts):
    short, long = ({rule: facts['runs']['book'][rule][name] for rule in NAMES} for name in ('short', 'long'))
    first, last = str(MARKS[0]), {rule: each['at'][str(STEPS)] for rule, each in long.items()}
    size, sizes = short['adam']['size'], long['adam']['size']
    return [
        (f"With the book's betas, 0.9 and 0.999, Adam is right here: after {first} steps it is at "
         f'{short["adam"]["at"][first]:+.3f} and stays, as do the other two. This s remembers some 1000 steps, over '
         f'300 periods: {facts["slope"]:g} and -1 are divided by the same {max(size):.2f}.',
         all(x < -0.999 for rule in NAMES for x in short[rule]['at'].values()) and max(size) < 1.01 * min(size)),
        (f'But a longer memory only asks for a rarer slope. With one of {facts["long_slope"]:.0f} in {LONG} steps, '
         f'Adam with these betas is at {last["adam"]:+.2f} after {STEPS} steps, AMSGrad at {last["amsgrad"]:+.2f}, '
         f"Yogi at {last['yogi']:+.2f}. From one such slope to the next the root of Adam's s falls from "
         f'{max(sizes):.0f} to {min(sizes):.0f}.',
         last['adam'] > 0.99 and max(last['amsgrad'], last['yogi']) < -0.8 and facts['long_slope'] > LONG - 1
         and max(sizes) > 10 * min(sizes) and long['adam']['up'] > 2 * long['adam']['down']),
    ]


def _memory(facts):
    ends = {rule: facts['runs']['book'][rule]['ends'] for rule in NAMES}
    right, wrong = ([period for period, x in zip(PERIODS, ends['adam']) if sign * x > 0] for sign in (-1, 1))
    others = max(ends['amsgrad'] + ends['yogi'])
    return (f'With these betas Adam ends on the right side for periods up to {max(right)} and on the wrong one from '
            f'{min(wrong)} on: a few times the 1000 steps that s remembers. AMSGrad and Yogi end at {others:+.2f} or '
            'below for every period tried.',
            max(right) < min(wrong) and 1000 < min(wrong) <= 5000 and others < -0.8)


# The figure


def figure(facts):
    """Four panels: where x goes (left) and what the steps are divided by (right); the paper's problem, the long one."""
    title = 'Adam goes to the worst point where its second moment forgets the large slope before the next one'
    return panels(title, facts, (_draw_way, _draw_why, _draw_periods, _draw_forgets), size=(9.6, 7),
                  width_ratios=(1.1, 1))


def _draw_way(axes, facts):
    for rule, name in NAMES.items():
        axes.plot(facts['curve_steps'], facts['runs']['paper'][rule]['short']['curve'], label=name, **_line(rule))
    axes.plot(facts['curve_steps'], facts['runs']['book']['adam']['short']['curve'], color=COLOURS['adam'],
              linestyle=':', label="Adam with the book's betas")
    _sides(axes)
    axes.set(xscale='log', xlabel='steps', xlim=(1, STEPS), ylabel='x',
             title=f'Slopes {facts["slope"]:g}, -1, -1, ...: beta1 = 0, beta2 = 1/17')
    plain_ticks(axes)
    axes.legend(fontsize='small', loc='center right', bbox_to_anchor=(1, 0.52))


def _line(rule):
    """Yogi in dashes over AMSGrad: they go together."""
    return {'color': COLOURS[rule], 'linestyle': '--' if rule == 'yogi' else '-',
            'linewidth': 3 if rule == 'amsgrad' else 1.8, 'alpha': 0.6 if rule == 'amsgrad' else 1}


def _sides(axes):
    for y, text in ((1, 'the worst point'), (-1, 'the best point')):
        axes.axhline(y, color='0.35', linewidth=0.8)
        axes.text(0.02, y + 0.05 * np.sign(y), text, transform=axes.get_yaxis_transform(), fontsize='small',
                  color='0.3', va='bottom' if y > 0 else 'top')
    axes.set(ylim=(-1.3, 1.3), yticks=(-1, -0.5, 0, 0.5, 1))


def _draw_why(axes, facts):
    steps = facts['runs']['paper']['adam']['short']['steps']
    slopes = [facts['slope'] if t % 3 == 1 else 1 for t in steps]
    axes.bar(steps, slopes, width=0.9, color='0.85', label='the slope, without its sign')
    for rule, name in NAMES.items():
        axes.plot(steps, facts['runs']['paper'][rule]['short']['size'], marker='o', markersize=4,
                  label=f'{name} divides it by', **_line(rule))
    axes.set(xlabel='step', ylabel='size', ylim=(0, 7.6), xticks=steps[::3],
             title='Why: Adam divides large by large, small by small')
    axes.legend(fontsize='small', loc='upper left', ncol=2)
    axes.grid(False, axis='x')


def _draw_periods(axes, facts):
    for rule, name in NAMES.items():
        axes.plot(PERIODS, facts['runs']['book'][rule]['ends'], marker='o', markersize=4, label=name, **_line(rule))
    axes.axvline(1000, color='0.35', linestyle=':')
    axes.text(930, 0.35, 'what s remembers:\n1000 steps', ha='right', va='center', fontsize='small', color='0.3')
    _sides(axes)
    axes.set(xscale='log', xlabel='period: steps from one large slope to the next', ylabel=f'x after {STEPS} steps',
             title="The book's betas, 0.9 and 0.999: a rarer slope is needed")
    plain_ticks(axes)
    axes.legend(fontsize='small', loc='center left')


def _draw_forgets(axes, facts):
    runs = {rule: facts['runs']['book'][rule]['long'] for rule in NAMES}
    for rule, name in NAMES.items():
        axes.plot(runs[rule]['steps'], runs[rule]['size'], label=f'{name} divides by', **_line(rule))
    axes.set(yscale='log', ylim=(10, 2000), xlabel='step', ylabel='size',
             title=f'Why: Adam forgets; here the period is {LONG}')
    for place in (runs['adam']['steps'][0], runs['adam']['steps'][0] + LONG):
        axes.annotate(f'slope {facts["long_slope"]:.0f}', (place, 1000), (6, 0), textcoords='offset points',
                      fontsize='small', color='0.3', va='center')
        axes.axvline(place, ymax=0.87, color='0.7', linewidth=4, zorder=0)
    axes.legend(fontsize='small', loc='upper right', ncol=3, columnspacing=1)
