"""The numbers of the exercises against the package's own trainings, and against those that FACTS knows."""
import doctest
import json

import numpy as np
import outside
import pytest
from mxnet import nd

from chapter_adam.core.airfoil import least_squares_floor
from chapter_adam.exercises import divergence, learning_rate
from chapter_adam.exercises.tools import numbers
from chapter_adam.exercises.tools.training import Section
from chapter_adam.many import train_ensemble
from chapter_adam.rules import RULES, adam, init_adam_states


def facts_of(name):
    return json.loads((outside.CLONE / 'figures' / f'exercise-{name}.json').read_text())


def test_examples_are_true():
    assert doctest.testmod(numbers).failed == 0


@pytest.mark.parametrize('name', ['adam', 'sgd', 'yogi'])
def test_the_float64_training_is_the_ensembles(airfoil, name):
    rule, init_states = RULES[name]
    section = Section(*airfoil, range(3))
    runs = train_ensemble(rule, init_states(), {'lr': 0.01, 't': 1}, *airfoil, seeds=range(3))
    ends = section.train(rule, init_states)[-1]
    np.testing.assert_allclose(ends, np.column_stack([runs.weights, runs.biases]), atol=2e-6)
    np.testing.assert_allclose(section.loss(ends), runs.final, atol=2e-6)
    assert section.floor == pytest.approx(least_squares_floor(*airfoil), abs=1e-6)


@pytest.mark.parametrize('row, name', enumerate(divergence.NAMES))
@pytest.mark.parametrize('betas', divergence.BETAS.values())
def test_the_positions_of_divergence_are_those_of_the_rules(row, name, betas):
    gradients, (rule, init_states) = np.random.default_rng(0).normal(size=(60, 4)), RULES[name.lower()]
    path, sizes = divergence.positions(np.linspace(-1, 1, 4), gradients, *betas)
    x, state = nd.array(np.linspace(-1, 1, 4)), tuple(nd.zeros(4) for _ in init_states(1)[0])
    x.attach_grad()
    for t, g in enumerate(gradients, 1):
        x.grad[:] = g
        rule([x], [state], {'lr': divergence.RATE / t ** 0.5, 't': t, 'beta1': betas[0], 'beta2': betas[1]})
        x[:] = x.clip(-1, 1)
        np.testing.assert_allclose(path[row, t - 1], x.asnumpy(), atol=2e-5)


def test_the_committed_numbers_are_those_of_other_programs():
    at, rates = facts_of('divergence')['at'], facts_of('learning-rate')
    assert at['AMSGrad'] == pytest.approx([-.953, -.985, -.995, -.999], abs=1e-3)
    assert at['Yogi'] == pytest.approx([-.946, -.983, -.995, -.998], abs=1e-3)
    median = dict(zip(rates['rates'], rates['short']['median']))
    assert [median[rate] for rate in (1e-4, 1e-3, 1e-2, 0.1)] == pytest.approx([.480, .345, .2441, .279], rel=0.03)
    assert facts_of('bias-correction')['factor']['steady'][:2] == pytest.approx([10 ** 0.5, 4.2497], rel=1e-4)


def test_the_two_parts_of_the_loss_are_the_scatter_and_the_rest(airfoil):
    """The noise as what it is: the scatter of the weights, in the metric of the data's second moments."""
    facts, section = facts_of('learning-rate'), Section(*airfoil, range(1))
    runs = train_ensemble(adam, init_adam_states(), {'lr': 0.01, 't': 1}, *airfoil, seeds=range(100))
    weights = np.column_stack([runs.weights, runs.biases]).astype(float)
    noise = np.trace(np.cov(weights.T) @ (section.X.T @ section.X / len(section.X))) / 2
    measured = learning_rate._measured(runs.final[np.newaxis], weights[np.newaxis], section)
    assert measured['noise'] == pytest.approx([noise], rel=1e-3)
    assert facts['short']['noise'][facts['rates'].index(0.01)] == pytest.approx(noise, rel=1e-3)
    parts = np.add(facts['short']['left'], facts['short']['noise'])
    np.testing.assert_allclose(parts, facts['short']['excess'], rtol=1e-4, atol=1e-8)
