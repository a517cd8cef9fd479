"""The exercise `bias-correction` against the same in NumPy and float64, and with wrong numbers planted."""
import copy
import json

import numpy as np
import oracle
import outside
import pytest

from chapter_adam.exercises import bias_correction as exercise


@pytest.fixture
def facts():
    return json.loads((outside.CLONE / 'figures' / 'exercise-bias-correction.json').read_text())


def plain_sums(gradients, beta):
    """Adam's corrected average as what it is: all gradients so far, weighted by beta^age, over the weights' sum."""
    return [sum(beta ** (t - k) * g for k, g in enumerate(gradients[:t + 1])) / sum(beta ** k for k in range(t + 1))
            for t in range(len(gradients))]


def test_the_rewritten_averages_are_the_corrected_ones():
    gradients = oracle.noisy_gradients()
    step, v, s = exercise.replay(exercise.true_averages, gradients, 'float64', start=3.0)
    np.testing.assert_allclose(v, plain_sums(np.array(gradients, float), 0.9), rtol=1e-12)
    np.testing.assert_allclose(s, plain_sums(np.array(gradients, float) ** 2, 0.999), rtol=1e-12)
    np.testing.assert_allclose(step, -0.01 * v / (np.sqrt(s) + 1e-6), rtol=1e-12)


def test_the_factor_is_that_of_two_oracles(facts):
    gradients = np.ones((400, 1))
    steps = [np.diff(oracle.adam(gradients, np.zeros(1), eps=0, move=move)[:, 0], prepend=0)
             for move in (oracle.uncorrected, oracle.correct)]
    np.testing.assert_allclose(facts['factor']['steady'][:400], steps[0] / steps[1], rtol=1e-5)
    np.testing.assert_allclose(facts['factor']['on_airfoil'], (steps[0] / steps[1])[:302], rtol=1e-5)


def test_the_losses_are_those_of_independent_runs(airfoil_arrays, facts, monkeypatch):
    for name, move in (('adam', oracle.correct), ('without', oracle.uncorrected)):
        monkeypatch.setattr(oracle, 'correct', move)
        final = [oracle.train(*airfoil_arrays, seed)[-1] for seed in range(3)]
        np.testing.assert_allclose(facts['final'][name][:3], final, atol=1e-5)


@pytest.mark.parametrize('sentence, change', [
    (0, lambda facts: facts['factor']['steady'].__setitem__(0, 1.0)),
    (0, lambda facts: facts['factor']['steady'].__setitem__(-1, 1.06)),
    (1, lambda facts: facts['factor']['on_airfoil'].__setitem__(100, 3.0)),
    (1, lambda facts: facts['factor'].update(off_theory=1e-3)),
    (1, lambda facts: facts['factor']['on_airfoil'].__setitem__(-1, 1.0)),
    (2, lambda facts: facts['curves'].update(without=facts['curves']['adam'])),
    (2, lambda facts: facts['final'].update(without=facts['final']['new'])),
    (3, lambda facts: facts['equal']['float64'].update(s=1e-6)),
    (4, lambda facts: facts['equal']['weights']['new'].__setitem__(5, 0.001)),
])
def test_a_wrong_number_makes_its_sentence_fail(facts, sentence, change):
    assert all(holds for _, holds in exercise.answer(copy.deepcopy(facts)))
    change(facts)
    assert not exercise.answer(facts)[sentence][1]
