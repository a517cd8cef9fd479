"""Exercise `paths`: the ways of sgd, momentum, rmsprop and adam over the loss surface of the airfoil problem.

The plane (`_plane.py`) is that of two weights whose features are correlated. Whatever the correlation, the loss is a
valley at 45 degrees to the weights' axes: one that no weight runs along. So each rule is run twice on it: on the
weights, and on coordinates turned into the directions along the valley and across it.
"""
import numpy as np

from ..output import figures
from ..old.nested import leaves
from ..rules.optimizers import RULES
from ._drawing import panels
from ._float64 import column, walk
from ._numbers import rounded
from ._plane import Plane

QUESTION = ('Which way do sgd, momentum, rmsprop and adam take over the loss surface of the airfoil problem, from one '
            'start, and does it depend on the directions in which the coordinates are laid?')

COLOURS = {'sgd': 'black', 'momentum': 'tab:green', 'rmsprop': 'tab:orange', 'adam': 'tab:red'}
RATES = np.geomspace(0.001, 10 ** 0.5, 57)  # sixteen per factor of ten
START = np.array([0.8, -0.8])
STEPS, DRAWN, LATE = 300, 80, 200  # how many are taken, and kept in the facts; after how many a rule should rest
# Around the optimum RMSProp's steps hang on the last digits: how soon a rule is there for good is that of the slowest
# of some starts so near each other that all else is equal. The first is drawn.
APART = 1e-4
ROUNDING = 1e-14  # distances below it are rounding, which differs from machine to machine
NEARBY = START + [[0, 0], *([APART * np.cos(a), APART * np.sin(a)] for a in 2 * np.pi * np.arange(16) / 16)]
BATCH, EPOCH = 10, 150


def run(features, labels, seeds, watch=None):
    """The facts; `full` is with the gradient of all examples, `turned` the same in the principal directions."""
    plane = Plane(features, labels)
    orders = np.stack([np.random.RandomState(seed).permutation(plane.size)[:EPOCH * BATCH] for seed in seeds])
    facts = {'settings': {'weights': plane.weights, 'start': START.tolist(), 'starts': len(NEARBY),
                          'starts_apart': APART, 'steps': STEPS, 'dtype': 'float64', 'rates': rounded(RATES, 5),
                          'batch_size': BATCH, 'batch_steps': EPOCH, 'hyperparams': "each rule's own but for the rate",
                          'seeds': len(seeds), 'first_seed': seeds[0]},
             **plane.facts, 'start_loss': rounded(plane.loss(START), 5), 'full': {}, 'turned': {}, 'batches': {}}
    for done, rule in enumerate(COLOURS, 1):
        ways = _full(rule, plane, RATES)
        best = _best(ways, plane)
        plain, turned = ways[:, best], _full(rule, plane, RATES[best:best + 1], plane.turn)[:, 0]
        for kind, way in (('full', plain), ('turned', turned)):
            facts[kind][rule] = {'rate': rounded(RATES[best], 5), **_facts_of(way, plane)}
        gap = np.linalg.norm(turned[:, 0] - plain[:, 0], axis=1).max()
        facts['turned'][rule]['gap'] = rounded(max(gap, ROUNDING), 5)
        facts['batches'][rule] = _batches(rule, plane, orders)
        if watch:
            watch(done / len(COLOURS))
    return facts


def _full(rule, plane, rates, axes=np.eye(2)):
    """The ways seen from the optimum, (steps + 1, rates, starts, 2), with coordinates along the columns of `axes`."""
    start, inside = (NEARBY - plane.optimum) @ axes, axes.T @ plane.hessian @ axes
    return _walk(rule, start, lambda d, t: d @ inside, rates, STEPS) @ axes.T


def _walk(rule, start, gradient, rates, steps):
    """The points of a rule of `optimizers` from start (runs, 2), (steps + 1, rates, runs, 2)."""
    function, init_states = RULES[rule]
    state_count = len(leaves(init_states(1))) // 2  # those of the weights: the others are the bias's
    with np.errstate(all='ignore'):  # too high a rate diverges, and is not the best
        return walk(function, {'lr': column(rates)}, np.broadcast_to(start, (len(rates), *start.shape)), gradient,
                    steps, state_count)


def _until(ways, plane, part):
    """The steps after which the slowest of the starts (steps + 1, ..., starts, 2) is that near the floor for good."""
    near = plane.above(ways) <= part * plane.floor
    return (len(near) - near[::-1].cumprod(axis=0).sum(axis=0)).max(axis=-1)


def _best(ways, plane):
    """Which rate has the fewest steps until the loss is within 1 % of the floor for good; of equals the lowest then."""
    until, above = _until(ways, plane, 0.01), plane.above(ways[:, :, 0])
    return min(range(len(RATES)), key=lambda k: (until[k], above[min(until[k], STEPS), k]))


def _facts_of(ways, plane):
    """One rate (steps + 1, starts, 2): when it is near for good, how far it overshoots, as parts of the first way."""
    way, late = ways[:, 0], plane.above(ways[LATE:]).max()
    principal, first = way[:DRAWN + 1] @ plane.turn, way[1] - way[0]
    along, across = (over if over > ROUNDING else 0.0 for over in -(principal / principal[0]).min(axis=0))
    return {**{f'{part} %': int(_until(ways, plane, part / 100)) for part in (10, 1)},
            'across': rounded(across, 5), 'along': rounded(along, 5), 'late': rounded(late / plane.floor, 1),
            'angle': _angle(first), 'angle_to_valley': _angle(first @ plane.turn),
            'above': rounded(plane.above(way)[:DRAWN + 1], 5),
            'path': (way + plane.optimum)[:DRAWN + 1].round(5).tolist()}


def _angle(step):
    """Between a step and the axis of the first coordinate, in degrees from 0 to 90."""
    return round(float(np.degrees(np.arctan2(abs(step[1]), abs(step[0])))), 2)


def _batches(rule, plane, orders):
    """One epoch of minibatches, for every fourth rate and all seeds; at the rate with the lowest median final loss."""
    rates, batches = RATES[::4], np.split(orders, EPOCH, axis=1)
    start = np.broadcast_to(START - plane.optimum, (len(orders), 2))
    ways = _walk(rule, start, lambda d, t: plane.batch_gradient(d, batches[t]), rates, EPOCH)
    above = plane.above(ways)
    best = int(np.argmin(np.median(above[-1], axis=1)))
    near = np.vstack([above[:, best] <= 0.1 * plane.floor, np.full(len(orders), True)])  # EPOCH + 1 stands for never
    return {'rate': rounded(rates[best], 5), 'above': rounded(np.median(above[-1, best]), 5),
            'first within 10 %': int(np.median(near.argmax(axis=0))),
            'path': (ways[:, best, 0] + plane.optimum).round(5).tolist()}


# The answer


def answer(facts):
    """What the facts say, each number computed from them."""
    return [_valley(facts), _speed(facts), _overshoots(facts), _first_step(facts), _turning(facts), _noise(facts)]


def _listed(text, facts_of_rules):
    """The text for each rule, filled from its facts, in one line."""
    return ', '.join(f'{rule} {text.format(**each)}' for rule, each in facts_of_rules.items())


def _valley(facts):
    (low, high), (first, second), r = facts['curvatures'], facts['settings']['weights'], facts['correlation']
    return (f'The plane is that of two weights, {first} and {second}, whose features are correlated most ({r:.2f}); '
            f'all else stays at the optimum. The loss is a valley along the diagonal: its curvature is {high:.2f} '
            f'across and {low:.2f} along, a condition number of {facts["condition"]:.1f} '
            f'({facts["condition_of_all"]:.1f} for all five weights).',
            abs(facts['condition'] * (1 - abs(r)) / (1 + abs(r)) - 1) < 0.01
            and abs(high / low / facts['condition'] - 1) < 0.01
            and facts['condition_of_all'] > facts['condition'] > 5)


def _speed(facts):
    full = facts['full']
    steps = {rule: full[rule]['1 %'] for rule in full}
    return ('With all examples in each step, and each rule at its best of '
            f'{len(facts["settings"]["rates"])} rates, the loss is within 10 % and 1 % of the floor for good after: '
            + _listed('{10 %} and {1 %} steps (rate {rate:.2g})', full) + '. sgd needs the fewest: '
            'its rate fits the curvature, and there is no noise to average.',
            all(steps['sgd'] < steps[rule] / 2 for rule in steps if rule != 'sgd')
            and all(each['10 %'] < each['1 %'] < STEPS / 2 for each in full.values()))


def _overshoots(facts):
    full = facts['full']
    percents = {rule: {way: f'{100 * full[rule][way]:.0f}' for way in ('across', 'along')} for rule in full}
    rest = max(full[rule]['late'] for rule in full if rule != 'rmsprop')
    return ('They overshoot, in % of the distance at the start, across the valley and along it: '
            + _listed('{across} and {along}', percents) + '. sgd zigzags across; what averages its gradients, momentum '
            'and Adam, runs past the optimum along the valley too. RMSProp alone does not come to rest: after '
            f'{LATE} steps its loss is still up to {100 * full["rmsprop"]["late"]:.2f} % of the floor above it, '
            f'that of the others {100 * rest:.0e} %.',
            full['sgd']['across'] > 0.3 and full['sgd']['along'] == 0 and full['rmsprop']['along'] < 0.01
            and min(full['momentum']['along'], full['adam']['along']) > 0.03 and full['rmsprop']['late'] > 10 * rest)


def _first_step(facts):
    angles = {rule: each['angle'] for rule, each in facts['full'].items()}
    straight, turned = (facts[kind]['adam']['angle_to_valley'] for kind in ('full', 'turned'))
    return ('The first step of Adam and RMSProp is as long in one weight as in the other, at 45 degrees to the axes, '
            f'whatever the gradient, whose own {angles["sgd"]:.1f} degrees are those of sgd and momentum. Here this '
            f'leads straight across the valley ({straight:.1f} degrees to it); in coordinates along and across, it '
            f'would be {turned:.1f}.',
            max(abs(angles[rule] - 45) for rule in ('adam', 'rmsprop')) < 0.1
            and abs(angles['sgd'] - 45) > 5 and abs(angles['sgd'] - angles['momentum']) < 0.1
            and abs(straight - 90) < 0.1 and abs(turned - 45) < 0.1)


def _turning(facts):
    gaps = {rule: each['gap'] for rule, each in facts['turned'].items()}
    return ('So Adam and RMSProp depend on the directions of the coordinates. With the same start and rates, but with '
            'coordinates turned to lie along and across the valley, the points of the same step are at most this far '
            'apart: ' + _listed('{gap:.1g}', facts['turned']) + '. That of sgd and momentum is rounding.',
            max(gaps['sgd'], gaps['momentum']) < 1e-5 and min(gaps['rmsprop'], gaps['adam']) > 0.1)


def _noise(facts):
    (rate, lower), settings = (facts[kind]['sgd']['rate'] for kind in ('full', 'batches')), facts['settings']
    said = {rule: {'part': 100 * each['above'] / facts['floor'], 'steps': each['first within 10 %']}
            for rule, each in facts['batches'].items()}
    steps, ends = ([each[name] for each in said.values()] for name in ('steps', 'part'))
    return (f'With minibatches of {settings["batch_size"]} the lead of sgd is gone: the noise allows it a rate of '
            f'{lower:.2g}, not {rate:.2g}. The loss is first within 10 % of the floor after, and '
            f'{settings["batch_steps"]} steps end above it by (medians, at the best rates): '
            + _listed('{steps} steps, {part:.1f} %', said) + '.',
            lower < 0.3 * rate and max(steps) < 2.5 * min(steps) and max(ends) < 2)


# The figure


def figure(facts):
    """Four panels: the ways on the weights and on turned coordinates, the loss by step, the ways of minibatches."""
    return panels('Turned coordinates change the ways of Adam and RMSProp, not those of sgd and momentum', facts,
                  (_draw_plain, _draw_turned, _draw_speed, _draw_batches), size=(9.6, 9))


def _draw_plain(axes, facts):
    _draw_ways(axes, facts, 'full', 'All examples: coordinates are the weights')
    _draw_frame(axes, (1, 0), (0, 1))


def _draw_turned(axes, facts):
    _draw_ways(axes, facts, 'turned', 'The same with coordinates turned by 45°')
    _draw_frame(axes, (1, 1), (1, -1))


def _draw_batches(axes, facts):
    _draw_ways(axes, facts, 'batches', f'Minibatches of {facts["settings"]["batch_size"]}, one seed')


def _draw_ways(axes, facts, kind, title):
    """Contours of the loss and the ways over them."""
    _draw_contours(axes, facts)
    for rule, colour in COLOURS.items():
        x, y = zip(*facts[kind][rule]['path'])
        axes.plot(x, y, color=colour, marker='.', markersize=4, linewidth=1.3,
                  label=f'{rule}, rate {facts[kind][rule]["rate"]:.2g}')
    axes.plot(*facts['settings']['start'], 'o', color='0.2', markersize=7)
    axes.annotate('start', facts['settings']['start'], (0, 8), textcoords='offset points', ha='center')
    axes.plot(*facts['optimum'], '*', color='gold', markeredgecolor='black', markersize=14, zorder=5)
    first, second = facts['settings']['weights']
    axes.set(xlabel=f'weight of {first}', ylabel=f'weight of {second}', title=title, aspect='equal',
             xlim=(-1, 1.05), ylim=(-1.2, 0.65))
    if kind != 'turned':  # there the rates are those of its neighbour
        axes.legend(fontsize='small', loc='upper right', frameon=True, framealpha=0.9)


def _draw_contours(axes, facts):
    (low, high), (x0, y0) = facts['curvatures'], facts['optimum']
    x, y = np.meshgrid(np.linspace(-1, 1.05, 120), np.linspace(-1.2, 0.65, 120))
    # Of the principal directions the steep one is (1, 1) where the correlation is positive, else (1, -1).
    sign = np.sign(facts['correlation'])
    steep, flat = (x - x0) + sign * (y - y0), (x - x0) - sign * (y - y0)
    above = (high * steep ** 2 + low * flat ** 2) / 4
    axes.contour(x, y, above / facts['floor'], levels=[0.01, 0.1, 0.4, 1, 2, 4, 7, 11], colors='0.72', linewidths=0.8)
    axes.contourf(x, y, above / facts['floor'], levels=[0, 0.01, 0.1], colors=['#9ec5e8', '#dcebf7'])
    axes.grid(False)


def _draw_frame(axes, *directions):
    """Two arrows in the directions of the coordinates."""
    for direction in directions:
        towards = 0.28 * np.array(direction) / np.linalg.norm(direction)
        axes.annotate('', np.array([-0.8, 0.3]) + towards, (-0.8, 0.3),
                      arrowprops={'arrowstyle': '-|>', 'color': 'tab:purple', 'linewidth': 1.6})
    axes.text(-0.93, 0.6, 'coordinates', color='tab:purple', va='center')


def _draw_speed(axes, facts):
    for rule, colour in COLOURS.items():
        axes.plot(facts['full'][rule]['above'], color=colour, label=rule)
        if facts['turned'][rule]['gap'] > 1e-3:
            axes.plot(facts['turned'][rule]['above'], color=colour, linestyle=':', label=f'{rule}, turned')
    for part in (10, 1):
        axes.axhline(part / 100 * facts['floor'], color=figures.FLOOR, linestyle='--', linewidth=0.8)
        axes.text(DRAWN - 0.5, part / 100 * facts['floor'] * 1.12, f'{part} % of the floor', ha='right',
                  fontsize='small', color='0.3')
    axes.set(yscale='log', xlabel='steps', ylabel='loss above the floor', xlim=(0, DRAWN), ylim=(1e-5, 3),
             title='All examples: the loss')
    axes.legend(fontsize='small', loc='upper right', ncol=2)
