"""Exercise `paths`: sgd, momentum, rmsprop and adam on the loss surface of two weights of the airfoil problem.

The two features are those correlated most; the other weights stay at the optimum. Points are seen from the optimum, and
the loss above the floor is d^T H d / 2 with H = [[1, r], [r, 1]]: a valley at 45 degrees to the weights' axes. So each
rule runs on the weights and on coordinates rotated into the directions along the valley and across it.
"""
from functools import partial

import numpy as np

from ..core.airfoil import COLUMNS
from ..rules import RULES
from .tools.drawing import panels
from .tools.numbers import above, rounded
from .tools.training import Section, follow

QUESTION = ('Which paths do sgd, momentum, rmsprop and adam take over the loss surface of the airfoil problem, and do '
            'they depend on the directions of the coordinates?')

COLOURS = {'sgd': 'black', 'momentum': 'tab:green', 'rmsprop': 'tab:orange', 'adam': 'tab:red'}
TITLES = {'full': 'All examples; coordinates: the weights', 'rotated': 'The same on coordinates rotated by 45°'}
RATES = np.geomspace(0.001, 10 ** 0.5, 57)  # sixteen per factor of ten
START, STEPS, DRAWN = np.array([0.8, -0.8]), 300, 80
# RMSProp's steps near the optimum depend on the last digits: the slowest of some close starts counts.
NEARBY = START + [[0, 0], *([1e-4 * np.cos(a), 1e-4 * np.sin(a)] for a in np.arange(0, 6.2, 0.4))]


@np.errstate(all='ignore')  # too high a rate diverges
def run(features, labels, seeds, watch=None):
    """The facts; `full` is with the gradient of all examples, `rotated` the same on rotated coordinates."""
    section = Section(features, labels, seeds)
    moments = section.X[:, :-1].T @ section.X[:, :-1] / len(section.X)
    pair = np.unravel_index(np.argmax(np.triu(np.abs(moments), 1)), moments.shape)
    hessian, optimum = moments[np.ix_(pair, pair)], section.optimum[[*pair]]
    principal = np.linalg.eigh(hessian)[1]  # the columns: along the valley and across it, for a correlation above 0
    facts = {'settings': {'weights': [COLUMNS[k] for k in pair], 'start': START.tolist(), 'rates': rounded(RATES),
                          'starts': len(NEARBY), 'seeds': len(seeds), 'first_seed': seeds[0]},
             'correlation': rounded(hessian[0, 1]), 'optimum': rounded(optimum), 'floor': section.floor,
             'full': {}, 'rotated': {}}
    for done, name in enumerate(COLOURS, 1):
        paths = _paths(name, RATES, hessian, NEARBY - optimum)
        stays = _stays(paths, hessian, 0.01 * section.floor)
        best = min(range(len(RATES)), key=lambda k: (stays[k], _loss(paths[min(stays[k], STEPS), k, 0], hessian)))
        full = paths[:, best]
        rotated = _paths(name, RATES[best:best + 1], principal.T @ hessian @ principal,
                         (NEARBY - optimum) @ principal)[:, 0] @ principal.T
        for kind, path in (('full', full), ('rotated', rotated)):
            first = path[1, 0] - path[0, 0]
            facts[kind][name] = {
                'rate': rounded(RATES[best]), 'steps': int(_stays(path, hessian, 0.01 * section.floor)),
                'angle': round(float(np.degrees(np.arctan2(abs(first[1]), abs(first[0])))), 2),
                'gap': above(1e-12, np.linalg.norm(path[:, 0] - full[:, 0], axis=-1).max()),
                'path': (path[:DRAWN + 1, 0] + optimum).round(5).tolist()}
        if watch:
            watch(done / len(COLOURS))
    return facts


def _loss(d, hessian):
    """The loss above the floor of points (..., 2); infinite where a path has diverged."""
    return np.nan_to_num(np.einsum('...i,ij,...j->...', d, hessian, d) / 2, nan=np.inf, posinf=np.inf)


def _paths(name, rates, hessian, start):
    """The paths of a rule with the gradient of all examples, (steps + 1, rates, starts, 2)."""
    start = np.broadcast_to(start, (len(rates), *start.shape))
    return follow(RULES[name][0], start, lambda d, t: d @ hessian, STEPS, RULES[name][1], lr=rates[:, None, None])


def _stays(paths, hessian, loss):
    """The steps after which the slowest of the starts stays below a loss."""
    below = _loss(paths, hessian) <= loss
    return (len(below) - below[::-1].cumprod(axis=0).sum(axis=0)).max(axis=-1)


def answer(facts):
    """How fast the rules are, what their first steps are, and what rotation changes."""
    full, rotated, r = facts['full'], facts['rotated'], facts['correlation']
    steps, gaps = {name: full[name]['steps'] for name in full}, {name: rotated[name]['gap'] for name in full}
    first, second = facts['settings']['weights']
    return [
        (f'{first.capitalize()} and {second} are correlated by {r:.2f}: the loss is a valley with curvature '
         f'{1 + r:.2f} across and {1 - r:.2f} along. With all examples in each step, at the best rates, it stays '
         f'within 1 % of the floor after {_listed(steps, "{} steps")}. sgd, whose rate fits the curvature, is first.',
         r > 0.5 and all(steps['sgd'] < steps[name] / 2 < STEPS / 4 for name in steps if name != 'sgd')),
        ('The first step of Adam and RMSProp is equally long in each coordinate, whatever the gradient: it makes '
         f'{full["adam"]["angle"]:.0f} degrees with the first weight\'s axis, on rotated coordinates '
         f'{rotated["adam"]["angle"]:.0f}. That of sgd and momentum is the gradient, {full["sgd"]["angle"]:.1f}.',
         all(abs(full[name]['angle'] - 45) < 0.1 and rotated[name]['angle'] < 0.1 for name in ('adam', 'rmsprop'))
         and abs(full['sgd']['angle'] - full['momentum']['angle']) < 0.1 < 5 < abs(full['sgd']['angle'] - 45)),
        ('So their paths depend on the directions of the coordinates. Rotation by 45 degrees moves the points by up to '
         f'{_listed(gaps, "{:.1g}")}. For sgd and momentum that is rounding.',
         max(gaps['sgd'], gaps['momentum']) < 1e-5 and min(gaps['rmsprop'], gaps['adam']) > 0.1),
    ]


def _listed(values, text):
    return ', '.join(f'{name} {text.format(value)}' for name, value in values.items())


def figure(facts):
    """Two panels: the paths on the weights, and on rotated coordinates."""
    picture = panels('Rotated coordinates change the paths of Adam and RMSProp, not those of sgd and momentum', facts,
                     [partial(_draw, kind=kind) for kind in TITLES], size=(9.6, 4.8))
    for axes, directions in zip(picture.axes, (((1, 0), (0, 1)), ((0.7, 0.7), (0.7, -0.7)))):
        for x, y in directions:
            axes.annotate('', (-0.8 + 0.25 * x, 0.25 + 0.25 * y), (-0.8, 0.25),
                          arrowprops={'arrowstyle': '-|>', 'color': 'tab:purple', 'linewidth': 2})
        axes.text(-0.95, 0.58, 'coordinates', color='tab:purple', va='center')
    return picture


def _draw(axes, facts, kind):
    """The contours of the loss, and the paths over them."""
    x, y = np.meshgrid(np.linspace(-1, 1.05, 120), np.linspace(-1.2, 0.65, 120))
    dx, dy = x - facts['optimum'][0], y - facts['optimum'][1]
    loss = (dx ** 2 + dy ** 2) / 2 + facts['correlation'] * dx * dy
    axes.contour(x, y, loss / facts['floor'], levels=[0.1, 0.4, 1, 2, 4, 7, 11], colors='0.75', linewidths=0.8)
    for name, colour in COLOURS.items():
        axes.plot(*zip(*facts[kind][name]['path']), color=colour, marker='.', markersize=3, linewidth=1.3,
                  label=f'{name}, rate {facts[kind][name]["rate"]:.2g}')
    axes.plot(*facts['settings']['start'], 'o', color='0.2', markersize=7)
    axes.plot(*facts['optimum'], '*', color='gold', markeredgecolor='black', markersize=14, zorder=5)
    first, second = facts['settings']['weights']
    axes.set(xlabel=f'weight of {first}', ylabel=f'weight of {second}', title=TITLES[kind], aspect='equal',
             xticks=(-1, -0.5, 0, 0.5, 1), yticks=(-1, -0.5, 0, 0.5))
    axes.grid(False)
    axes.legend(fontsize='small', loc='upper right', frameon=True)
