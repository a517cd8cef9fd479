"""The exercise `epsilon` against a float64 NumPy training; and wrong numbers planted in its facts."""
import copy
import json

import numpy as np
import outside
import pytest

from chapter_adam import exercises

EXERCISE = exercises.load('epsilon')


@pytest.fixture
def facts():
    return json.loads((outside.CLONE / 'figures' / 'exercise-epsilon.json').read_text())


def trained(features, labels, eps, seeds, convention='outside'):
    """All parameters after each step, (steps + 1, seeds, 6), and the function that gives their losses."""
    X, y = np.column_stack([features, np.ones(1503)]).astype(float), labels.astype(float)
    randoms = [np.random.default_rng(seed) for seed in seeds]
    w = np.stack([np.append(each.normal(0, 0.01, 5).astype(np.float32), 0) for each in randoms])
    shuffles = [np.stack([each.permutation(1503) for each in randoms]) for _ in range(2)]
    v, s, way, t = np.zeros_like(w), np.zeros_like(w), [w], 0
    for order in shuffles:
        for k in range(0, 1503, 10):
            rows, t = order[:, k:k + 10], t + 1
            off = (X[rows] @ w[..., None])[..., 0] - y[rows]
            g = (off[..., None] * X[rows]).mean(axis=1)
            v, s = v + (g - v) / 10, s + (g * g - s) / 1000
            usual = np.sqrt(s / (1 - 0.999 ** t))
            size = {'outside': usual + eps, 'inside': np.hypot(usual, np.sqrt(eps)),
                    'eps-hat': usual + eps / np.sqrt(1 - 0.999 ** t)}[convention]
            w = w - 0.01 * v / (1 - 0.9 ** t) / size
            way.append(w)
    return np.stack(way), lambda w: ((w @ X.T - y) ** 2).mean(axis=-1) / 2


@pytest.mark.parametrize('k', [4, 14, 18])
def test_losses_steps_and_gaps_are_those_of_independent_runs(airfoil_arrays, facts, k):
    eps, records = 10 ** (-8 + k / 2), [*range(0, 302, 10), 302]
    way, loss = trained(*airfoil_arrays, eps, range(100))
    curves = loss(way[records])
    assert facts['eps'][k] == pytest.approx(eps, rel=1e-5)
    assert facts['median'][k] == pytest.approx(np.median(curves[-1]), abs=1e-6)
    assert facts['spread'][k] == pytest.approx(np.std(curves[-1]), abs=1e-6)
    assert facts['step_over_rate'][k] == pytest.approx(np.abs(np.diff(way, axis=0))[151:].mean() / 0.01, rel=1e-4)
    for name, apart in facts['apart'].items():
        gaps = np.abs(loss(trained(*airfoil_arrays, eps, range(100), name)[0][records]) - curves)
        assert apart['typical'][k] == pytest.approx(np.median(gaps.max(axis=0)), rel=1e-3)
        assert apart['worst'][k] == pytest.approx(gaps.max(), rel=1e-3)
        assert apart['final'][k] == pytest.approx(np.median(gaps[-1]), rel=1e-3)


@pytest.mark.parametrize('sentence, path, value', [
    (0, ('from_adam', 8), 0.5),
    (1, ('step_over_rate', 20), 0.1),
    (1, ('median', 0), 0.2430),
    (1, ('spread', 14), 0.01),
    (2, ('from_momentum', 'apart', -1), 0.05),
    (2, ('largest_eps_at_own_rate', 'median'), 0.49),
    (3, ('apart', 'eps-hat', 'typical', 4), 1e-3),
    (3, ('apart', 'inside', 'worst', 4), 1e-6),
    (3, ('first_gradients', 'smallest'), 0.2),
    (4, ('apart', 'inside', 'typical', 0), 0.1),
    (5, ('apart', 'eps-hat', 'final', 14), 0.1),
], ids=str)
def test_a_wrong_number_makes_its_sentence_fail(facts, sentence, path, value):
    assert all(holds for _, holds in EXERCISE.answer(copy.deepcopy(facts)))
    place = facts
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    assert not EXERCISE.answer(facts)[sentence][1]
