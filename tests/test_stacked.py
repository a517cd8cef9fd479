"""Weights and bias share an array only where the rule does the same to both."""
import oracle
import pytest
from mxnet import nd
from test_ensemble import many, one, small  # noqa: F401  a fixture

from chapter_adam import RULES, hybridize, train_ch7
from chapter_adam.nested import leaves
from chapter_adam.stacked import alike, stack, stack_runs, stackable, unstack, unstack_runs


def spares_the_bias(params, states, hyperparams):
    for k, (p, v) in enumerate(zip(params, states)):
        v[:] = 0.9 * v + p.grad
        p[:] = p - hyperparams['lr'] * (v + (0.1 * p if k == 0 else 0))


def adds_to_the_bias(params, states, hyperparams):
    for p, v in zip(params, states):
        v[:] = 0.9 * v + p.grad
    params[0][:] = params[0] - hyperparams['lr'] * states[0]
    params[1][:] = params[1] - hyperparams['lr'] * states[1] + 0 * states[1] * params[1]


def borrows_from_the_weights(params, states, hyperparams):
    (w, b), (v_w, v_b) = params, states
    v_w[:] = w.grad
    v_b[:] = b.grad
    w[:] = w - hyperparams['lr'] * v_w
    b[:] = b - hyperparams['lr'] * v_b + 0.01 * b.grad * w.grad.zeros_like().sum()


def changes_its_mind(params, states, hyperparams):
    late = hyperparams['t'] > 4
    for k, (p, v) in enumerate(zip(params, states)):
        v[:] = (0.5 if late and k == 1 else 0.9) * v + p.grad
        p[:] = p - hyperparams['lr'] * v
    hyperparams['t'] += 1


def softens(params, states, hyperparams):
    for p in params:
        p[:] = p - hyperparams['lr'] * p.grad * nd.softmax(p.grad, axis=0)


def keeps_the_large(params, states, hyperparams):
    for p in params:
        p[:] = p - hyperparams['lr'] * p.grad * (p.grad.abs() >= p.grad.abs().mean())


def normalises(params, states, hyperparams):
    for p in params:
        p[:] = p - hyperparams['lr'] * p.grad / (p.grad.norm(keepdims=True) + 1)


def measures_by_the_largest(params, states, hyperparams):
    for p, u in zip(params, states):
        u[:] = nd.maximum(0.9 * u, p.grad.abs().max())
        p[:] = p - hyperparams['lr'] * p.grad / (u + 1e-3)


@pytest.mark.parametrize('d', [1, 3])
@pytest.mark.parametrize('rule', [softens, keeps_the_large, normalises, measures_by_the_largest])
def test_a_rule_that_looks_along_a_parameter_does_not_see_the_other(small, rule, d):  # noqa: F811
    features, labels = small[0][:, :d], small[1]
    eager, fast = (train_ch7(rule, one_each(d), {'lr': 0.05}, features, labels, plot=False, hybridize=hybridized)
                   for hybridized in (False, True))
    assert fast.losses == pytest.approx(eager.losses, abs=2e-6)


def one_each(d=3):
    return nd.zeros((d, 1)), nd.zeros(1)


def trace_of(rule, states):
    params = [nd.ones((3, 1)), nd.ones(1)]
    for p in params:
        p.attach_grad()
    return hybridize(rule).trace(params, states, {'lr': 0.1, 't': 1})


@pytest.mark.parametrize('name', oracle.RULES)  # a reader's rule may treat them in different ways
def test_the_rules_of_the_package_do_the_same_to_both(name):
    rule, states = RULES[name][0], RULES[name][1](3)
    assert stackable(states, 3)
    assert alike(trace_of(rule, states), 2 + len(leaves(states)))


@pytest.mark.parametrize('rule', [spares_the_bias, adds_to_the_bias, borrows_from_the_weights])
def test_a_rule_that_treats_the_bias_in_its_own_way_is_noticed(rule):
    assert not alike(trace_of(rule, one_each()), 4)


@pytest.mark.parametrize('rule', [spares_the_bias, adds_to_the_bias, changes_its_mind])
def test_such_a_rule_still_gives_the_single_runs(small, rule):  # noqa: F811
    hyperparams = {'lr': 0.05, 't': 1}
    together = many(small, [7, 8], rule, one_each(), hyperparams)
    for k, seed in enumerate([7, 8]):
        assert together.losses[:, k] == pytest.approx(one(small, seed, rule, one_each(), hyperparams).losses, abs=1e-5)


@pytest.mark.parametrize('states, answer', [
    (None, True), ((), True), (one_each(), True), ((nd.zeros((3, 1)), ()), False), ((nd.zeros(1),) * 3, False),
    ([[nd.zeros((3, 1))] * 2, [nd.zeros(1)]], False), ((nd.zeros(1), nd.zeros(1)), False),
], ids=range(7))
def test_states_that_come_in_pairs(states, answer):
    assert stackable(states, 3) is answer


def test_stack_and_back():
    arrays = [nd.random.normal(shape=shape) for shape in ((3, 1), (1,), (3, 1), (3, 1), (1,), (1,))]
    stacked = stack(arrays)
    assert [a.shape for a in stacked] == [(4, 1)] * 3
    assert_same(arrays, unstack(stacked, 3))


def test_stack_and_back_of_many_runs():
    arrays = [nd.random.normal(shape=(4, rows, 1)) for rows in (3, 1, 3, 3, 1, 1)]
    stacked = stack_runs(arrays)
    assert [a.shape for a in stacked] == [(4, 1, 4)] * 3
    assert_same(arrays, unstack_runs(stacked, 3))


def assert_same(arrays, others):
    for before, after in zip(arrays, others):
        assert before.shape == after.shape and (before == after).asnumpy().all()
