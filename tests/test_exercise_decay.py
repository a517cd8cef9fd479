"""The exercise `decay` against the same in NumPy and float64, and with wrong numbers planted."""
import copy
import json
import math

import numpy as np
import oracle
import outside
import pytest

from chapter_adam.exercises import decay as exercise


@pytest.fixture
def facts():
    return json.loads((outside.CLONE / 'figures' / 'exercise-decay.json').read_text())


@pytest.mark.parametrize('name, rate', [
    ('constant', lambda t: 1), ('1/sqrt(t)', lambda t: 1 / math.sqrt(t)),
    ('cosine', lambda t: math.cos(math.pi * (t - 1) / 1208 / 2) ** 2),
])
def test_the_best_ends_are_those_of_independent_runs(airfoil_arrays, facts, monkeypatch, name, rate):
    usual, own = oracle.correct, facts['schedules'][name]
    monkeypatch.setattr(oracle, 'correct', lambda v, s, t, lr, *rest: usual(v, s, t, lr * rate(t), *rest))
    final = [oracle.train(*airfoil_arrays, seed, lr=facts['rates'][own['best']], num_epochs=8)[-1] for seed in range(2)]
    np.testing.assert_allclose(own['best_by_seed'][:2], np.array(final) - facts['floor'], atol=2e-6)
    assert own['reach_of_rate_1'] == pytest.approx(sum(rate(t) for t in range(1, 1209)), rel=1e-5)
    assert own['mean'][own['best']] == pytest.approx(np.mean(own['best_by_seed']), rel=1e-4)


def swap(name, key, value, at=None):
    """A change of a schedule's facts."""
    def change(facts):
        own = facts['schedules'][name]
        if at is None:
            own[key] = value
        else:
            own[key][at] = value
    return change


@pytest.mark.parametrize('sentence, change', [
    (0, lambda facts: facts.update(noise=[x ** 0.5 for x in facts['noise']])),
    (0, lambda facts: facts['noise'].__setitem__(4, 0.02)),
    (1, swap('constant', 'mean', 1e-4, 0)),
    (1, swap('constant', 'mean', 5e-4, 3)),
    (2, swap('1/sqrt(t)', 'mean', 5e-4, 5)),
    (2, swap('1/sqrt(t)', 'best', 0)),
    (3, swap('cosine', 'mean', 2e-4, 3)),
    (3, swap('cosine', 'best_by_seed', [1e-3] * 100)),
    (4, swap('cosine', 'mean', [1e-3] * 10)),
    (5, swap('1/t', 'mean', 0.01, 3)),
    (5, swap('1/t', 'reach_of_rate_1', 70.0)),
    (6, swap('1/t', 'mean', 0.01, 2)),
    (6, swap('cosine', 'mean', 0.02, 1)),
])
def test_a_wrong_number_makes_its_sentence_fail(facts, sentence, change):
    assert all(holds for _, holds in exercise.answer(copy.deepcopy(facts)))
    change(facts)
    assert not exercise.answer(facts)[sentence][1]
