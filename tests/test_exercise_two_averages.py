"""The exercise `two-averages` against a float64 NumPy training; and wrong numbers planted in its facts."""
import copy
import json

import numpy as np
import outside
import pytest

from chapter_adam import exercises

EXERCISE = exercises.load('two-averages')


@pytest.fixture
def facts():
    return json.loads((outside.CLONE / 'figures' / 'exercise-two-averages.json').read_text())


@pytest.fixture(scope='module')
def ways(airfoil_arrays):
    """The walk of a kind (all parameters of 100 seeds before and after each step), and the data."""
    X, y = np.column_stack([airfoil_arrays[0], np.ones(1503)]).astype(float), airfoil_arrays[1].astype(float)
    randoms = [np.random.default_rng(seed) for seed in range(100)]
    start = np.stack([np.append(each.normal(0, 0.01, 5).astype(np.float32), 0) for each in randoms])
    shuffles = [np.stack([each.permutation(1503) for each in randoms]) for _ in range(2)]
    batches = [order[:, k:k + 10] for order in shuffles for k in range(0, 1503, 10)]

    def walk(kind, lr=0.01, eps=1e-6):
        w, v, s, way = start, np.zeros_like(start), np.zeros_like(start), [start]
        for t, rows in enumerate(batches, 1):
            off = (X[rows] @ w[..., None])[..., 0] - y[rows]
            g = (off[..., None] * X[rows]).mean(axis=1)
            if kind == 'scaled first':
                s += (g * g - s) / 1000
                v += (g / (np.sqrt(s / (1 - 0.999 ** t)) + eps) - v) / 10
                step = v / (1 - 0.9 ** t)
            else:
                v += (g - v) / 10
                v_hat = v / (1 - 0.9 ** t)
                s += ((v_hat if kind == 'averaged first' else g) ** 2 - s) / 1000
                step = v_hat if kind == 'momentum' else v_hat / (np.sqrt(s / (1 - 0.999 ** t)) + eps)
            w = w - lr * step
            way.append(w)
        return np.stack(way)
    return walk, X, y


def test_the_wrong_orders_end_where_independent_runs_do(ways, facts):
    walk, X, y = ways
    right = walk('adam')
    for name, away in facts['orders']['away'].items():
        way = walk(name)
        np.testing.assert_allclose(np.median(np.abs(way - right).max(axis=2), axis=1), away, rtol=1e-4, atol=1e-9)
        assert np.median(((way[-1] @ X.T - y) ** 2).mean(axis=1)) / 2 == pytest.approx(facts['orders']['final'][name],
                                                                                       abs=1e-6)
        assert np.abs(np.diff(way, axis=0))[151:].mean() / 0.01 == pytest.approx(
            facts['orders']['step_over_rate'][name], rel=1e-4)


def test_large_eps_is_momentum_as_independent_runs_have_it(ways, facts):
    walk = ways[0]
    average = walk('momentum', 0.02)
    for eps, gap in facts['limits']['momentum'].items():
        away = np.abs(walk('adam', 0.02 * float(eps), float(eps)) - average).max(axis=(1, 2))
        np.testing.assert_allclose(away, gap, rtol=1e-3, atol=1e-12)


@pytest.mark.parametrize('sentence, path, value', [
    (0, ('limits', 'rmsprop', 200), 1e-9),
    (1, ('limits', 'momentum', '10000', 50), 1e-3),
    (1, ('limits', 'uncorrected', 'rmsprop'), 1e-6),
    (2, ('orders', 'away', 'averaged first', -1), 0.002),
    (3, ('orders', 'step_over_rate', 'averaged first'), 0.16),
    (4, ('race', 'sgd', 'median'), 0.25),
    (4, ('race', 'adam', 'rate'), 0.1),
    (5, ('race', 'momentum', 'adam_ahead'), 0.99),
    (4, ('race', 'averaged first', 'median'), 0.2436),
    (6, ('race', 'sgd', 'at_section_rate'), 0.2441),
], ids=str)
def test_a_wrong_number_makes_its_sentence_fail(facts, sentence, path, value):
    assert all(holds for _, holds in EXERCISE.answer(copy.deepcopy(facts)))
    place = facts
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    assert not EXERCISE.answer(facts)[sentence][1]
