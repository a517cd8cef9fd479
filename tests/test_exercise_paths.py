"""The exercise `paths` against the rules written once more, in float64, on the quadratic alone."""
import json

import numpy as np
import outside
import pytest

from chapter_adam.exercises import paths

FACTS = json.loads((outside.CLONE / 'figures' / 'exercise-paths.json').read_text())
TABLE = np.loadtxt(outside.CLONE / 'data' / 'airfoil_self_noise.dat')
TABLE = (TABLE - TABLE.mean(axis=0)) / TABLE.std(axis=0)
TURN = np.array([[1, 1], [-1, 1]]) / np.sqrt(2)  # columns: along the valley, across it


def test_the_plane_is_that_of_the_data():
    X, y = TABLE[:, :5], TABLE[:, 5]
    optimum = np.linalg.solve(X.T @ X, X.T @ y)
    correlations = np.corrcoef(X.T)
    assert correlations[1, 4] == np.abs(correlations - np.eye(5)).max() == pytest.approx(FACTS['correlation'], rel=1e-4)
    assert FACTS['optimum'] == pytest.approx(optimum[[1, 4]], abs=1e-4)
    assert FACTS['curvatures'] == pytest.approx([1 - correlations[1, 4], 1 + correlations[1, 4]], rel=1e-4)
    assert FACTS['condition_of_all'] == pytest.approx(np.linalg.cond(correlations), rel=1e-3)
    optimum[[1, 4]] = FACTS['settings']['start']
    assert FACTS['start_loss'] == pytest.approx(((X @ optimum - y) ** 2).mean() / 2, rel=1e-4)


def way(rule, rate, axes):
    """The points of 300 steps, in the weights, if the coordinates lie along the columns of `axes`."""
    r, optimum = FACTS['correlation'], np.array(FACTS['optimum'])
    hessian = axes.T @ np.array([[1, r], [r, 1]]) @ axes
    d, v, s, points = axes.T @ (np.array(FACTS['settings']['start']) - optimum), 0, 0, []
    for t in range(1, 302):
        points.append(axes @ d + optimum)
        g = hessian @ d
        if rule == 'sgd':
            d = d - rate * g
        elif rule == 'momentum':
            v = 0.9 * v + rate * g
            d = d - v
        elif rule == 'rmsprop':
            s = 0.9 * s + 0.1 * g * g
            d = d - rate * g / np.sqrt(s + 1e-6)
        else:
            v, s = 0.9 * v + 0.1 * g, 0.999 * s + 0.001 * g * g
            d = d - rate * v / (1 - 0.9 ** t) / (np.sqrt(s / (1 - 0.999 ** t)) + 1e-6)
    return np.array(points)


@pytest.mark.parametrize('kind, axes', [('full', np.eye(2)), ('turned', TURN)])
@pytest.mark.parametrize('rule', paths.COLOURS)
def test_ways_and_steps_are_those_of_float64(rule, kind, axes):
    facts, r = FACTS[kind][rule], FACTS['correlation']
    rate = 10 ** (round(16 * np.log10(facts['rate'])) / 16)
    points = way(rule, rate, axes)
    assert np.abs(points[:paths.DRAWN + 1] - facts['path']).max() < 1e-4
    d = points - FACTS['optimum']
    above = (d[:, 0] ** 2 + d[:, 1] ** 2 + 2 * r * d[:, 0] * d[:, 1]) / 2
    for name, part in (('10 %', 0.1), ('1 %', 0.01)):
        assert abs(facts[name] - (1 + np.flatnonzero(above > part * FACTS['floor'])[-1])) <= 1
    least = (d[:paths.DRAWN + 1] @ TURN / (d[0] @ TURN)).min(axis=0)
    assert [facts['along'], facts['across']] == pytest.approx(np.maximum(0, -least), abs=1e-3)
    assert facts['late'] == pytest.approx(above[200:].max() / FACTS['floor'], rel=0.1)


def test_a_planted_wrong_number_breaks_its_sentence():
    for path, wrong, broken in [(('condition',), 12.0, 0), (('full', 'sgd', '1 %'), 40, 1),
                                (('full', 'adam', 'along'), 0.0, 2), (('full', 'rmsprop', 'angle'), 30.0, 3),
                                (('turned', 'sgd', 'gap'), 0.3, 4), (('turned', 'adam', 'gap'), 0.0, 4),
                                (('batches', 'sgd', 'rate'), 1.0, 5)]:
        facts = json.loads(json.dumps(FACTS))
        place = facts
        for key in path[:-1]:
            place = place[key]
        place[path[-1]] = wrong
        assert [holds for _, holds in paths.answer(facts)] == [k != broken for k in range(6)], path
