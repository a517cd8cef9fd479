"""Exercise `paths`: the ways of sgd, momentum, rmsprop and adam over the loss surface of the airfoil problem.

The plane is that of two weights, of the two features that are correlated most; the other weights and the bias are held
at the least-squares optimum. What is left is the loss of a true problem of two parameters:

    loss = floor + d^T H d / 2,    d = w - optimum,    H = [[1, r], [r, 1]]  (the features are standardised)

Whatever the correlation r, the principal directions of H lie at 45 degrees to the weights' axes: a valley that no
weight runs along. So each rule is run twice on it: on the weights, and on coordinates turned into those directions.
"""
import numpy as np

from .. import figures
from ..airfoil import COLUMNS
from ..compat import mxnet
from ..optimizers import RULES

QUESTION = ('Which way do sgd, momentum, rmsprop and adam take over the loss surface of the airfoil problem, from one '
            'start, and does it depend on the directions in which the coordinates are laid?')

COLOURS = {'sgd': 'black', 'momentum': 'tab:green', 'rmsprop': 'tab:orange', 'adam': 'tab:red'}
RATES = np.geomspace(0.001, 10 ** 0.5, 57)  # sixteen per factor of ten
START = np.array([0.8, -0.8])
STEPS, DRAWN, LATE = 300, 80, 200  # how many are taken, and kept in the facts; after how many a rule should rest
# Around the optimum RMSProp's steps hang on the last digits: how soon a rule is there for good is that of the slowest
# of some starts so near each other that all else is equal. The first is drawn.
APART = 1e-4
NEARBY = START + [[0, 0], *([APART * np.cos(a), APART * np.sin(a)] for a in 2 * np.pi * np.arange(16) / 16)]
BATCH, EPOCH = 10, 150


def run(features, labels, seeds, watch=None):
    """The facts; `full` is with the gradient of all examples, `turned` the same in the principal directions."""
    X, rest, optimum, facts = _plane(features, labels)
    hessian = X.T @ X / len(X)
    turn = np.linalg.eigh(hessian)[1]
    facts.update(full={}, turned={}, batches={})
    orders = np.stack([np.random.RandomState(seed).permutation(len(X))[:EPOCH * BATCH] for seed in seeds])
    facts['settings'].update(seeds=len(seeds), first_seed=seeds[0])
    for done, rule in enumerate(COLOURS):
        plain, turned = (_full(rule, hessian, optimum, axes) for axes in (np.eye(2), turn))
        best, best_turned = (_best(ways, hessian, facts['floor']) for ways in (plain, turned))
        facts['full'][rule], facts['turned'][rule] = (
            {'rate': _rounded(RATES[best]), **_facts_of(ways[:, best], hessian, optimum, turn, facts['floor'])}
            for ways in (plain, turned))
        facts['turned'][rule].update(
            gap=_rounded(np.linalg.norm(turned[:, best, 0] - plain[:, best, 0], axis=1).max()),
            best_rate=_rounded(RATES[best_turned]),
            best_steps=int(_until(turned, hessian, 0.01 * facts['floor'])[best_turned]))
        facts['batches'][rule] = _batches(rule, X, rest, optimum, orders, hessian, facts['floor'])
        if watch:
            watch((done + 1) / len(COLOURS))
    return facts


def _plane(features, labels):
    """The two features, what the others leave of the labels, the optimum of the two weights, and the first facts."""
    X, y = features.asnumpy().astype(float), labels.asnumpy().astype(float)
    table = np.column_stack([X, np.ones(len(X))])
    weights = np.linalg.lstsq(table, y, rcond=None)[0]
    hessian = X.T @ X / len(X)
    pair = [int(k) for k in np.unravel_index(np.argmax(np.triu(np.abs(hessian), 1)), hessian.shape)]
    optimum, others = weights[pair], np.delete(np.arange(len(weights)), pair)
    rest = y - table[:, others] @ weights[others]
    low, high = np.linalg.eigvalsh(hessian[np.ix_(pair, pair)])
    whole = np.linalg.eigvalsh(hessian)
    return X[:, pair], rest, optimum, {
        'settings': {'weights': [COLUMNS[k] for k in pair], 'start': START.tolist(), 'starts': len(NEARBY),
                     'starts_apart': APART, 'steps': STEPS, 'dtype': 'float64', 'rates': _rounded(RATES),
                     'batch_size': BATCH, 'batch_steps': EPOCH, 'hyperparams': "each rule's own but for the rate"},
        'correlation': _rounded(hessian[tuple(pair)]), 'optimum': _rounded(optimum),
        'curvatures': _rounded([low, high]), 'condition': _rounded(high / low),
        'condition_of_all': _rounded(whole[-1] / whole[0]),
        'floor': _rounded(((X[:, pair] @ optimum - rest) ** 2).mean() / 2),
        'start_loss': _rounded(((X[:, pair] @ START - rest) ** 2).mean() / 2)}


def _full(rule, hessian, optimum, axes):
    """The ways seen from the optimum, (steps + 1, rates, starts, 2), with coordinates along the columns of `axes`."""
    inside, starts = axes.T @ hessian @ axes, (NEARBY - optimum) @ axes
    ways = _walk(rule, lambda d, _: d @ inside, np.tile(starts, (len(RATES), 1)), np.repeat(RATES, len(starts)), STEPS)
    with np.errstate(all='ignore'):
        return (ways @ axes.T).reshape(STEPS + 1, len(RATES), len(starts), 2)


def _walk(rule, gradient, start, rates, steps):
    """The points of many runs of a rule as it stands in `optimizers`: start (runs, 2), one rate per run."""
    function, init_states = RULES[rule]
    p, lr = _array(start), _array(np.reshape(rates, (-1, 1)))
    p.attach_grad()
    states = init_states(1)  # of the form that the rule needs: None, an array, or several, for each parameter
    if states is not None:
        count = len(states[0]) if isinstance(states[0], tuple) else 0
        new = [_array(np.zeros(start.shape)) for _ in range(count or 1)]
        states = [tuple(new) if count else new[0]]
    hyperparams, points = {'lr': lr, 't': 1}, [p.asnumpy()]
    with np.errstate(all='ignore'):  # too high a rate diverges, and is not the best
        for t in range(steps):
            p.grad[:] = _array(gradient(points[-1], t))
            function([p], states, hyperparams)
            points.append(p.asnumpy())
    return np.stack(points)


def _array(values):
    """In float64: near the optimum float32's rounding would be the noise that RMSProp follows."""
    return mxnet.nd.array(values, dtype=np.float64)


def _above(points, hessian):
    """The loss above the floor."""
    with np.errstate(all='ignore'):
        loss = np.einsum('...i,ij,...j->...', points, hessian, points) / 2
    return np.where(np.isfinite(loss), loss, np.inf)


def _until(ways, hessian, above):
    """The steps after which the slowest of the starts (steps + 1, ..., starts, 2) is that near the floor for good."""
    near = _above(ways, hessian) <= above
    return (len(near) - near[::-1].cumprod(axis=0).sum(axis=0)).max(axis=-1)


def _best(ways, hessian, floor):
    """Which rate has the fewest steps until the loss is within 1 % of the floor for good; of equals the lowest then."""
    until, above = _until(ways, hessian, 0.01 * floor), _above(ways[:, :, 0], hessian)
    return min(range(len(RATES)), key=lambda k: (until[k], above[min(until[k], STEPS), k]))


def _facts_of(ways, hessian, optimum, turn, floor):
    """One rate (steps + 1, starts, 2): when it is near for good, how far it overshoots, as parts of the first way."""
    way, late = ways[:, 0], _above(ways[LATE:], hessian).max()
    principal, first = way[:DRAWN + 1] @ turn, way[1] - way[0]
    along, across = (max(0, -(principal[:, k] / principal[0, k]).min()) for k in (0, 1))
    return {**{f'{part} %': int(_until(ways, hessian, part / 100 * floor)) for part in (10, 1)},
            'across': _rounded(across), 'along': _rounded(along), 'late': _rounded(late / floor),
            'angle': _angle(first), 'angle_to_valley': _angle(first @ turn),
            'above': _rounded(_above(way, hessian)[:DRAWN + 1]),
            'path': (way + optimum)[:DRAWN + 1].round(5).tolist()}


def _angle(step):
    """Between a step and the axis of the first coordinate, in degrees from 0 to 90."""
    return round(float(np.degrees(np.arctan2(abs(step[1]), abs(step[0])))), 2)


def _batches(rule, X, rest, optimum, orders, hessian, floor):
    """One epoch of minibatches, for every fourth rate and all seeds; at the rate with the lowest median final loss."""
    rates, seeds = RATES[::4], len(orders)

    def gradient(d, t):
        rows = orders[:, t * BATCH:(t + 1) * BATCH]
        near = X[rows]
        gaps = np.einsum('snj,rsj->rsn', near, d.reshape(-1, seeds, 2) + optimum) - rest[rows]
        return np.einsum('snj,rsn->rsj', near, gaps).reshape(-1, 2) / BATCH

    start = np.tile(START - optimum, (len(rates) * seeds, 1))
    ways = _walk(rule, gradient, start, np.repeat(rates, seeds), EPOCH).reshape(EPOCH + 1, len(rates), seeds, 2)
    above = _above(ways, hessian)
    best = int(np.argmin(np.median(above[-1], axis=1)))
    near = np.vstack([above[:, best] <= 0.1 * floor, np.full(seeds, True)])  # EPOCH + 1 stands for never
    return {'rate': _rounded(rates[best]), 'above': _rounded(np.median(above[-1, best])),
            'first within 10 %': int(np.median(near.argmax(axis=0))),
            'path': (ways[:, best, 0] + optimum).round(5).tolist()}


def _rounded(values):
    """Five figures are more than the sentences say."""
    return [_rounded(x) for x in values] if np.ndim(values) else float(f'{values:.5g}')


# The answer


def answer(facts):
    """What the facts say, each number computed from them."""
    return [_valley(facts), _speed(facts), _overshoots(facts), _first_step(facts), *_turning(facts), _noise(facts)]


def _listed(text, facts_of_rules):
    """The text for each rule, filled from its facts, in one line."""
    return ', '.join(f'{rule} {text.format(**each)}' for rule, each in facts_of_rules.items())


def _valley(facts):
    (low, high), (first, second), r = facts['curvatures'], facts['settings']['weights'], facts['correlation']
    return (f'The plane is that of two weights, {first} and {second}, whose features are correlated most ({r:.2f}); '
            f'all else stays at the optimum. The loss is a valley along the diagonal: its curvature is {high:.2f} '
            f'across and {low:.2f} along, a condition number of {facts["condition"]:.1f} '
            f'({facts["condition_of_all"]:.1f} for all five weights). From {facts["start_loss"]:.3f} '
            f'the ways lead to the floor of {facts["floor"]:.3f}.',
            abs(facts['condition'] * (1 - abs(r)) / (1 + abs(r)) - 1) < 0.01
            and abs(high / low / facts['condition'] - 1) < 0.01
            and facts['condition_of_all'] > facts['condition'] > 5)


def _speed(facts):
    full = facts['full']
    steps = {rule: full[rule]['1 %'] for rule in full}
    return ('With all examples in each step, and each rule at its best of '
            f'{len(facts["settings"]["rates"])} rates, the loss is within 10 % and 1 % of the floor, and stays so '
            f'to step {facts["settings"]["steps"]}, after: '
            + _listed('{10 %} and {1 %} steps (rate {rate:.2g})', full) + '. sgd needs the fewest: '
            'its rate fits the curvature, and there is no noise to average.',
            all(steps['sgd'] < steps[rule] / 2 for rule in steps if rule != 'sgd')
            and all(each['10 %'] < each['1 %'] < STEPS / 2 for each in full.values()))


def _overshoots(facts):
    full = facts['full']
    percents = {rule: {way: f'{100 * full[rule][way]:.0f}' for way in ('across', 'along')} for rule in full}
    rest = max(full[rule]['late'] for rule in full if rule != 'rmsprop')
    return (f'They overshoot in the first {DRAWN} steps, in % of the distance at the start, across the valley '
            'and along it: '
            + _listed('{across} and {along}', percents) + '. sgd zigzags across and never overshoots along; what '
            'averages its gradients, momentum and Adam, runs past the optimum along the valley too. RMSProp alone does '
            f'not come to rest: after {LATE} steps its loss is still up to {100 * full["rmsprop"]["late"]:.2f} % of '
            f'the floor above it, that of the others {100 * rest:.0e} %.',
            full['sgd']['across'] > 0.3 and full['sgd']['along'] == 0 and full['rmsprop']['along'] < 0.01
            and min(full['momentum']['along'], full['adam']['along']) > 0.03 and full['rmsprop']['late'] > 10 * rest)


def _first_step(facts):
    full, turned = facts['full'], facts['turned']
    angles = {rule: full[rule]['angle'] for rule in full}
    return (f'The first step of Adam and RMSProp is as long in one weight as in the other: at {angles["adam"]:.1f} and '
            f'{angles["rmsprop"]:.1f} degrees to the axes, whatever the gradient, whose own {angles["sgd"]:.1f} '
            'degrees are those of sgd and momentum. Here this leads straight across the valley '
            f'({full["adam"]["angle_to_valley"]:.1f} degrees to it); in coordinates along and across, it would be '
            f'{turned["adam"]["angle_to_valley"]:.1f}.',
            max(abs(angles[rule] - 45) for rule in ('adam', 'rmsprop')) < 0.1
            and abs(angles['sgd'] - 45) > 5 and abs(angles['sgd'] - angles['momentum']) < 0.1
            and abs(full['adam']['angle_to_valley'] - 90) < 0.1
            and abs(turned['adam']['angle_to_valley'] - 45) < 0.1)


def _turning(facts):
    turned, full = facts['turned'], facts['full']
    gaps = {rule: turned[rule]['gap'] for rule in turned}
    return [
        ('So Adam and RMSProp depend on the directions of the coordinates. With the same start and rates, but with '
         'coordinates turned to lie along and across the valley, the points of the same step are at most this far '
         'apart: ' + _listed('{gap:.1g}', turned) + '. That of sgd and momentum is rounding.',
         max(gaps['sgd'], gaps['momentum']) < 1e-5 and min(gaps['rmsprop'], gaps['adam']) > 0.1),
        (f'Coordinates that fit the valley are no great help in this one: at its best rate Adam then needs '
         f'{turned["adam"]["best_steps"]} steps to 1 %, with the weights {full["adam"]["1 %"]}; RMSProp '
         f'{turned["rmsprop"]["best_steps"]} and {full["rmsprop"]["1 %"]}.',
         all(0.5 < turned[rule]['best_steps'] / full[rule]['1 %'] < 2 for rule in ('adam', 'rmsprop'))),
    ]


def _noise(facts):
    batches, full, settings = facts['batches'], facts['full'], facts['settings']
    for_print = {rule: {**each, 'part': 100 * each['above'] / facts['floor'], 'steps': each['first within 10 %']}
                 for rule, each in batches.items()}
    steps, ends = ([each[name] for each in for_print.values()] for name in ('steps', 'part'))
    return (f'With minibatches of {settings["batch_size"]} the lead of sgd is gone: the noise allows it a rate of '
            f'{batches["sgd"]["rate"]:.2g}, not {full["sgd"]["rate"]:.2g}. At the rates that end lowest after '
            f'{settings["batch_steps"]} steps, the loss is first within 10 % of the floor after, and ends above it by '
            '(medians): ' + _listed('{steps} steps, {part:.1f} %', for_print) + '.',
            batches['sgd']['rate'] < 0.3 * full['sgd']['rate'] and max(steps) < 2.5 * min(steps) and max(ends) < 2)


# The figure


def figure(facts):
    """Four panels: the ways on the weights and on turned coordinates, the loss by step, the ways of minibatches."""
    picture, ((plain, turned), (speed, batches)) = figures.new_figure((9.6, 9), 2, 2)
    rates = {rule: f'{rule}, rate {facts["full"][rule]["rate"]:.2g}' for rule in COLOURS}
    _draw_ways(plain, facts, facts['full'], 'All examples: coordinates are the weights', rates)
    _draw_ways(turned, facts, facts['turned'], 'The same with coordinates turned by 45°')
    _draw_frame(plain, (1, 0), (0, 1))
    _draw_frame(turned, (1, 1), (1, -1))
    _draw_speed(speed, facts)
    _draw_ways(batches, facts, facts['batches'], f'Minibatches of {facts["settings"]["batch_size"]}, one seed',
               {rule: f'{rule}, rate {facts["batches"][rule]["rate"]:.2g}' for rule in COLOURS})
    picture.suptitle('Turned coordinates change the ways of Adam and RMSProp, not those of sgd and momentum',
                     fontsize='large')
    return picture


def _draw_ways(axes, facts, ways, title, names=None):
    """Contours of the loss and the ways over them, with names in a legend if there are any."""
    _draw_contours(axes, facts)
    for rule, colour in COLOURS.items():
        x, y = zip(*ways[rule]['path'])
        axes.plot(x, y, color=colour, marker='.', markersize=4, linewidth=1.3, label=names and names[rule])
    axes.plot(*facts['settings']['start'], 'o', color='0.2', markersize=7)
    axes.annotate('start', facts['settings']['start'], (0, 8), textcoords='offset points', ha='center')
    axes.plot(*facts['optimum'], '*', color='gold', markeredgecolor='black', markersize=14, zorder=5)
    first, second = facts['settings']['weights']
    axes.set(xlabel=f'weight of {first}', ylabel=f'weight of {second}', title=title, aspect='equal',
             xlim=(-1, 1.05), ylim=(-1.2, 0.65))
    if names:
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
