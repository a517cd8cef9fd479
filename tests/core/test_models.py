"""The two models: Gluon's runs are the scratch ones, and the formulas of the gradient and the loss are autograd's."""
import numpy as np
import oracle
import pytest
import mxnet
from mxnet import autograd, nd

import chapter_adam as gb
from chapter_adam.book import run_gluon, run_scratch
from chapter_adam.core.models import GluonModel, LazyModel, ScratchModel
from chapter_adam.core.regression import (QuadraticLoss, gradient, gradient_of_runs, linreg, mean_loss, squared_loss,
                                          stacked_gradient_of_runs)
from chapter_adam.rules import eps_hat

SECTION, GLUONS = {'lr': 0.01, 't': 1}, {'learning_rate': 0.01}


def gap(one, other):
    return np.abs(np.subtract(one, other)).max()


@pytest.fixture(scope='module')
def few(airfoil_arrays):
    """Ten minibatches of ten, and one of three."""
    return [array[:103] for array in airfoil_arrays]


# Gluon against scratch

@pytest.mark.parametrize('rule, init_states, hyperparams, name, gluons', [
    pytest.param(gb.adam, gb.init_adam_states, SECTION, 'adam', GLUONS, id='adam'),
    pytest.param(eps_hat, gb.init_adam_states, {**SECTION, 'eps': 0.1}, 'adam', {**GLUONS, 'epsilon': 0.1},
                 id='eps-hat'),
    pytest.param(gb.momentum, gb.init_momentum_states, {'lr': 0.01, 'momentum': 0.8}, 'sgd',
                 {**GLUONS, 'momentum': 0.8}, id='momentum'),
    pytest.param(gb.rmsprop, gb.init_rmsprop_states, {'lr': 0.01}, 'rmsprop',
                 {**GLUONS, 'gamma1': 0.9, 'epsilon': 1e-6}, id='rmsprop'),
])
def test_gluons_curve_is_that_of_the_rule(few, rule, init_states, hyperparams, name, gluons):
    ours = run_scratch(rule, init_states(), hyperparams, *few, seed=1)
    theirs = run_gluon(name, gluons, *few, seed=1)
    assert gap(ours.losses, theirs.losses) < 1e-5 and ours.epochs == theirs.epochs


def test_the_short_last_batch_is_divided_by_its_own_size_or_by_that_of_the_others(few):
    """Three examples divided by ten, as in the original's Gluon run, are somewhere else."""
    expected = {full: oracle.train(*few, seed=0, tail_divisor=10 if full else None)[[0, 22]] for full in (False, True)}
    assert gap(expected[True], expected[False]) > 1e-4
    for full_division in expected:
        run = run_gluon('adam', GLUONS, *few, full_division=full_division, record_every=None)
        assert gap(run.losses, expected[full_division]) < 5e-6


@pytest.mark.parametrize('full_division', [False, True])
def test_gluons_graphs_change_no_number(few, full_division):
    plain, graphs = (run_gluon('adam', GLUONS, *few, full_division=full_division, hybridize=hybridize)
                     for hybridize in (False, True))
    assert plain.losses == graphs.losses and plain.weights == graphs.weights


START = np.full((5, 1), 0.01, np.float32), np.zeros(1, np.float32)
MODELS = {
    'scratch': lambda: ScratchModel(*START, gb.adam, gb.init_adam_states(), dict(SECTION)),
    'scratch hybridized': lambda: LazyModel(*START, gb.adam, gb.init_adam_states(), dict(SECTION)),
    'gluon': lambda: GluonModel(*START, mxnet.optimizer.create('adam', **GLUONS), 10),
    'gluon hybridized': lambda: GluonModel(*START, mxnet.optimizer.create('adam', **GLUONS), 10, hybridize=True),
}


@pytest.mark.parametrize('name', MODELS)
def test_a_warm_up_trains_nothing(airfoil, name):
    """Neither parameters, nor what only later steps show: states, the rule's t, Gluon's own count of steps."""
    def after(warm_ups):
        model, (X, y) = MODELS[name](), (airfoil[0], airfoil[1].reshape((-1, 1)))
        with model.running():
            for _ in range(warm_ups):
                model.warm_up(X[:10], y[:10])
            model.train(X, y, [(10, 20), (20, 30), (30, 40)])
        return model.parameters()
    for one, other in zip(after(0), after(3)):
        assert (one == other).all()


@pytest.mark.parametrize('options', [{}, {'hybridize': True}, {'full_division': True}], ids=str)
def test_a_batch_larger_than_the_data_is_one_batch_of_all(few, options):
    """In its settings too: full division divides by the rows that there are."""
    def runs(batch_size):
        yield run_gluon('adam', GLUONS, *few, batch_size, **options).curve()
        if 'full_division' not in options:
            yield run_scratch(gb.adam, gb.init_adam_states(), SECTION, *few, batch_size, **options).curve()
    assert [*runs(103)] == [*runs(104)] == [*runs(10 ** 12)]


# The formulas

def case(n, seed, d=5, runs=3):
    """Data and parameters of some runs: X (runs, n, d), y (runs, n), w (runs, d, 1), b (runs, 1)."""
    draws = np.random.default_rng(seed)
    return [draws.normal(size=shape).astype(np.float32) for shape in ((runs, n, d), (runs, n), (runs, d, 1), (runs, 1))]


def by_autograd(X, y, w, b):
    X, y, w, b = map(nd.array, (X, y, w, b))
    w.attach_grad()
    b.attach_grad()
    with autograd.record():
        loss = squared_loss(linreg(X, w, b), y).mean()
    loss.backward()
    return loss.asnumpy(), w.grad.asnumpy(), b.grad.asnumpy()


SIZES = pytest.mark.parametrize('n', [1, 10, 64, 1503])


@SIZES
def test_loss_and_gradient_are_autograds_to_the_last_bit(n):
    for seed in range(5):
        X, y, w, b = (array[0] for array in case(n, seed))
        loss, grad_w, grad_b = by_autograd(X, y, w, b)
        arrays = [nd.array(array) for array in (X, y[:, None], w, b)]
        assert mean_loss(nd, *arrays).asnumpy() == loss
        for ours, autograds in zip(gradient(nd, *arrays, n), (grad_w, grad_b)):
            assert ours.shape == autograds.shape and (ours.asnumpy() == autograds).all()
        assert gradient(nd, *arrays, n, keepdims=True)[1].shape == (1, 1)


@SIZES
def test_gradients_of_many_runs_are_those_of_each(n):
    """Bit for bit, and those of the stacked parameters but for the order of their sums."""
    X, y, w, b = case(n, seed=n)
    each = [by_autograd(*of_run)[1:] for of_run in zip(X, y, w, b)]
    table = nd.array(np.concatenate([X, np.ones((3, n, 1))], axis=2))
    grad_w, grad_b = gradient_of_runs(nd, table, nd.array(y), nd.array(w), nd.array(b[:, None]), n, 5)
    stacked = stacked_gradient_of_runs(nd, table, nd.array(y), nd.array(np.column_stack([w[:, :, 0], b])[:, None]), n)
    assert stacked.shape == (3, 1, 6)
    for k, (of_w, of_b) in enumerate(each):
        assert (grad_w[k].asnumpy() == of_w).all() and (grad_b[k].asnumpy() == of_b).all()
        assert gap(stacked[k].asnumpy()[0], [*of_w[:, 0], *of_b]) < 3e-6


@SIZES
def test_the_quadratic_form_is_the_loss(n):
    X, y, w, b = case(n, seed=n)
    loss = QuadraticLoss(np.column_stack([X[0], np.ones(n), y[0]]).astype(np.float32))
    expected = [by_autograd(X[0], y[0], *parameters)[0][0] for parameters in zip(w, b)]
    assert loss(np.column_stack([w[:, :, 0], b])) == pytest.approx(expected, rel=1e-6, abs=1e-6)


def test_the_quadratic_form_of_what_float32_cannot_hold_is_nan():
    loss = QuadraticLoss(np.array([[2.0, 1.0, 3.0]], np.float32))
    found = loss(np.array([[1, 0], [1e25, 0], [np.inf, 0], [np.nan, 0], [1e19, -2e19]], np.float32))
    assert found[0] == 0.5 and np.isnan(found[1:4]).all() and np.isfinite(found[4])
