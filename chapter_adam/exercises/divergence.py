"""Exercise `divergence`: a problem on which Adam goes the wrong way, and two rules that do not.

The problem is that of Reddi, Kale & Kumar, "On the Convergence of Adam and Beyond", ICLR 2018: x is kept in [-1, 1],
and the loss of step t is f_t(x) = C x in one step of each period and -x in the others. C is 4/3 of the period P, so
that the slopes of a period sum to 1 + P/3 > 0: the best point is -1, whatever the period. With P = 3, C = 4.

Here 30000 steps of each rule are taken, on many such problems at once, as the columns of one array: every period of
`PERIODS` from x = 0, with the paper's betas and with the book's; then, with the paper's betas, once per seed the slopes
4 and -1 in an order that is drawn (4 with probability 1/3), from a start drawn from [-1, 1].
"""
import numpy as np

from .. import figures
from ..compat import mxnet
from ..fused import apply
from ..hybridization import cached_op, hybridize
from ..nested import leaves
from ..optimizers import RULES

QUESTION = ('Can you construct a problem on which Adam does not converge, and what do AMSGrad and Yogi, which came '
            'after it, do there?')

NAMES = {'adam': 'Adam', 'amsgrad': 'AMSGrad', 'yogi': 'Yogi'}
COLOURS = {'adam': 'tab:red', 'amsgrad': 'tab:blue', 'yogi': 'tab:green'}
STEPS, AT_ONCE, RATE = 30000, 10, 0.5
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
             'slope': PERIODS[0] * STEEPER, 'long_slope': _rounded(LONG * STEEPER), 'drawn': {},
             'curve_steps': [int(t) for t in _curve_steps()], 'runs': {betas: {} for betas in BETAS}}
    problems = _problems(seeds)
    for done, rule in enumerate(NAMES, 1):
        unkept, sizes = _walk(rule, *problems)
        for k, betas in enumerate(BETAS):
            own = slice(k * len(PERIODS), (k + 1) * len(PERIODS))
            facts['runs'][betas][rule] = _measured(rule, BETAS[betas], unkept[:, own], sizes[:, own])
        facts['drawn'][rule] = _band(np.clip(unkept[-1, len(BETAS) * len(PERIODS):], -1, 1))
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


def _walk(rule, starts, slopes, betas):
    """Where each step leads before it is cut to [-1, 1], and the state that the step is divided by the root of.

    Both are (STEPS, columns).
    """
    function, init_states = RULES[rule]
    x = mxnet.nd.array(starts)
    x.attach_grad()
    states = [tuple(mxnet.nd.zeros(x.shape) for _ in init_states(1)[0])]
    hyperparams = {'lr': RATE, 't': 1, **{name: each.reshape(-1, 1, 1) for name, each in betas.items()}}
    step, now, walked = hybridize(function).trace([x], states, hyperparams), [x, *leaves(states)], []
    op = cached_op(_graph(step, len(now)), ['slopes', 'numbers', *(f'array{i}' for i in range(len(now)))])
    for done in range(0, STEPS, AT_ONCE):
        numbers = np.empty((AT_ONCE, len(step.sources), starts.size), np.float32)
        for k in range(AT_ONCE):
            hyperparams.update(lr=RATE / (done + k + 1) ** 0.5, t=done + k + 1)
            for i, number in enumerate(step.numbers(hyperparams)):
                numbers[k, i] = np.ravel(number)  # one for all columns, or one for each
        slope, numbers = slopes[done:done + AT_ONCE], numbers.reshape(-1, starts.size)
        *now, unkept, sizes = op(mxnet.nd.array(slope), mxnet.nd.array(numbers), *now)
        walked.append((unkept, sizes))
    return [np.concatenate([part.asnumpy() for part in parts]) for parts in zip(*walked)]


def _graph(step, count):
    """Ten steps of a traced rule on the slopes (10, columns), x cut to [-1, 1] after each, as one symbol."""
    sym = mxnet.sym
    arrays, unkept, sizes = [sym.var(f'array{i}') for i in range(count)], [], []
    slopes = sym.var('slopes').split(num_outputs=AT_ONCE, axis=0)
    numbers, width = sym.var('numbers').split(num_outputs=AT_ONCE * len(step.sources), axis=0), len(step.sources)
    for k in range(AT_ONCE):
        arrays = apply(step, arrays[:1], [slopes[k]], arrays[1:], [numbers[k * width + i] for i in range(width)])
        unkept.append(arrays[0])
        sizes.append(arrays[-1])  # Adam's and Yogi's s, AMSGrad's top
        arrays[0] = arrays[0].clip(-1, 1)
    return sym.Group([*arrays, sym.concat(*unkept, dim=0), sym.concat(*sizes, dim=0)])


def _measured(rule, betas, unkept, sizes):
    """What one rule does: on the paper's problem, on the long one, and at the end of each period's."""
    x = np.clip(unkept, -1, 1)
    facts = {'ends': _rounded(x[-1])}
    for name, period in (('short', PERIODS[0]), ('long', LONG)):
        k, shown = PERIODS.index(period), _shown(period)
        correction = 1 - betas['beta2'] ** shown if rule == 'adam' else 1
        facts[name] = {'at': {str(t): _rounded(x[t - 1, k]) for t in MARKS},
                       'curve': _rounded(x[_curve_steps() - 1, k]), 'steps': shown.tolist(),
                       'size': _rounded((sizes[shown - 1, k] / correction) ** 0.5),
                       **_pushes(x[:, k].astype(float), unkept[:, k].astype(float), period)}
    return facts


def _pushes(x, unkept, period):
    """How far a period's steps down and its steps up lead together, in units of the rate, on average at the end."""
    steps = (unkept[1:] - x[:-1]) / (RATE / np.arange(2, STEPS + 1) ** 0.5)
    last = steps[-LONG * 2:]  # two of the long periods, over three thousand of the short ones
    return {'down': _rounded(-last[last < 0].sum() * period / len(last)),
            'up': _rounded(last[last > 0].sum() * period / len(last))}


def _curve_steps():
    """From 1 to the last, evenly on a log axis, and the marks."""
    return np.unique([*np.geomspace(1, STEPS, 120).astype(int), *MARKS])


def _shown(period):
    """The steps at which the second moment is drawn: the last four periods of 3, or the last two long ones."""
    first, every = (STEPS - 11, 1) if period == PERIODS[0] else (STEPS - 2 * period + 1, 50)
    return np.arange(first, STEPS + 1, every)


def _band(values):
    return {'least': _rounded(values.min()), 'median': _rounded(np.median(values)), 'most': _rounded(values.max())}


def _rounded(values):
    """Four figures: float32 keeps no more of a step of 0.003 that is added to 1."""
    return [_rounded(x) for x in values] if np.ndim(values) else float(f'{values:.4g}')


# The answer


def answer(facts):
    """What the facts say, each number computed from them."""
    return [_where_they_go(facts), *_why(facts), _drawn(facts), *_book(facts), _memory(facts)]


def _where_they_go(facts):
    runs, slope = facts['runs']['paper'], facts['slope']
    ways = {rule: [runs[rule]['short']['at'][str(t)] for t in MARKS] for rule in NAMES}
    loss = (slope - 2) / 3 * (ways['adam'][-1] + 1)
    says = '; '.join(f'{name} {", ".join(f"{x:+.3f}" for x in ways[rule])}' for rule, name in NAMES.items())
    return (f'Yes: on [-1, 1], the slopes {slope:g}, -1, -1, again and again. They sum to {slope - 2:g}, so -1 is the '
            f'best point and +1 the worst. With beta1 = 0, beta2 = 1/17 and the rate 0.5 / sqrt(t), x is after '
            f'{", ".join(map(str, MARKS))} steps: {says}. Adam does not blow up: it settles at the worst point, '
            f'and at the end still loses {loss:.2f} a step on average.',
            sorted(ways['adam']) == ways['adam'] and ways['adam'][-1] > 0.99
            and all(sorted(ways[rule], reverse=True) == ways[rule] and ways[rule][-1] < -0.99
                    for rule in ('amsgrad', 'yogi')))


def _why(facts):
    adam, amsgrad, yogi = (facts['runs']['paper'][rule]['short'] for rule in NAMES)
    slope, (first, second, third) = facts['slope'], adam['size'][:3]
    up, down = 1 / second + 1 / third, slope / first
    kept = amsgrad['size'][0]
    return [
        (f'Adam divides the {slope:g} by {first:.2f}, a size that is made of it, and has forgotten it when the small '
         f'ones come: it divides them by {second:.2f} and {third:.2f}. A period leads {down:.2f} rates down and '
         f'{up:.2f} up.',
         up > 1.5 * down and abs(adam['up'] - up) < 0.01 and abs(adam['down'] - down) < 0.01),
        (f'AMSGrad divides all three by {kept:.2f}, the largest so far: {amsgrad["down"]:.2f} down, '
         f'{amsgrad["up"]:.2f} up, as the slopes say. Yogi lets its s shrink by less than a squared slope a step: on '
         f'average {yogi["down"]:.2f} down, {yogi["up"]:.2f} up.',
         np.ptp(amsgrad['size']) < 0.001 * kept and abs(amsgrad['down'] / amsgrad['up'] / (slope / 2) - 1) < 0.01
         and yogi['down'] > 1.5 * yogi['up']),
    ]


def _drawn(facts):
    adam, amsgrad, yogi = (facts['drawn'][rule] for rule in NAMES)
    return ('The regular order is not to blame, nor the start. With the same slopes drawn at random, '
            f'{facts["slope"]:g} with probability 1/3, and starts anywhere, all {facts["settings"]["seeds"]} seeds end '
            f'like this: Adam at {adam["least"]:+.2f} or above, AMSGrad at {amsgrad["most"]:+.2f} or below, Yogi at '
            f'{yogi["most"]:+.2f} or below.', adam['least'] > 0.8 and max(amsgrad['most'], yogi['most']) < -0.8)


def _book(facts):
    short, long = ({rule: facts['runs']['book'][rule][name] for rule in NAMES} for name in ('short', 'long'))
    at, last = {rule: short[rule]['at'][str(MARKS[0])] for rule in NAMES}, str(MARKS[-1])
    size, sizes, slope = short['adam']['size'], long['adam']['size'], facts['slope']
    return [
        (f"With the book's betas, 0.9 and 0.999, Adam is right here: after {MARKS[0]} steps it is at "
         f'{at["adam"]:+.3f} and stays, as do the other two. This s remembers some 1000 steps, over 300 periods: '
         f'{slope:g} and -1 are divided by the same {max(size):.2f}.',
         all(x < -0.999 for rule in NAMES for x in short[rule]['at'].values()) and max(size) < 1.01 * min(size)),
        (f'But a longer memory only asks for a rarer slope. With one of {facts["long_slope"]:.0f} in {LONG} steps, the '
         f'others -1, and -1 again the best, Adam with these betas is at {long["adam"]["at"][last]:+.2f} after {last} '
         f'steps, AMSGrad at {long["amsgrad"]["at"][last]:+.2f}, Yogi at {long["yogi"]["at"][last]:+.2f}. From one '
         f"such slope to the next the root of Adam's s falls from {max(sizes):.0f} to {min(sizes):.0f}: a period leads "
         f'{long["adam"]["down"]:.0f} rates down and {long["adam"]["up"]:.0f} up.',
         long['adam']['at'][last] > 0.99 and max(long[rule]['at'][last] for rule in ('amsgrad', 'yogi')) < -0.8
         and facts['long_slope'] > LONG - 1 and max(sizes) > 10 * min(sizes)
         and long['adam']['up'] > 2 * long['adam']['down']),
    ]


def _memory(facts):
    ends = facts['runs']['book']['adam']['ends']
    right = [period for period, x in zip(PERIODS, ends) if x < 0]
    wrong = [period for period, x in zip(PERIODS, ends) if x > 0]
    others = [x for rule in ('amsgrad', 'yogi') for x in facts['runs']['book'][rule]['ends']]
    return (f"With the book's betas Adam ends on the right side for periods up to {max(right)} and on the wrong one "
            f'from {min(wrong)} on: a few times the 1000 steps that s remembers. AMSGrad and Yogi end at '
            f'{max(others):+.2f} or below for every period tried.',
            max(right) < min(wrong) and 1000 < min(wrong) <= 5000 and max(others) < -0.8)


# The figure


def figure(facts):
    """Four panels: where x goes (left) and what the steps are divided by (right); the paper's problem, the long one."""
    picture, ((way, why), (periods, forgets)) = figures.new_figure((9.6, 7), 2, 2, width_ratios=(1.1, 1))
    _draw_way(way, facts)
    _draw_why(why, facts)
    _draw_periods(periods, facts)
    _draw_forgets(forgets, facts)
    picture.suptitle('Adam goes to the worst point where its second moment forgets the large slope before the next one',
                     fontsize='large')
    return picture


def _draw_way(axes, facts):
    for rule, name in NAMES.items():
        axes.plot(facts['curve_steps'], facts['runs']['paper'][rule]['short']['curve'], label=name, **_line(rule))
    axes.plot(facts['curve_steps'], facts['runs']['book']['adam']['short']['curve'], color=COLOURS['adam'],
              linestyle=':', label="Adam with the book's betas")
    _sides(axes)
    axes.set(xscale='log', xlabel='steps', xlim=(1, STEPS), ylabel='x',
             title=f'Slopes {facts["slope"]:g}, -1, -1, ...: beta1 = 0, beta2 = 1/17')
    axes.xaxis.set_major_formatter('{x:g}')
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
    axes.xaxis.set_major_formatter('{x:g}')
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
