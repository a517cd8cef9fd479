"""What a student is told about a rule that fails, makes a nan, or does what he hardly meant."""
import math
import warnings

import numpy as np
import pytest
from numpy import sqrt

import chapter_adam as gb
from chapter_adam.book import run_scratch
from chapter_adam.compat import mxnet

nd = mxnet.nd
SECTION = {'lr': 0.01, 't': 1}


def each(update):
    """A rule from a function of one parameter, its states and the hyperparameters."""
    def rule(params, states, hyperparams):
        for p, (v, s) in zip(params, states):
            update(p, v, s, hyperparams)
        hyperparams['t'] += 1
    return rule


def renames(params, states, hyperparams):
    hyperparams['t'] += 1
    for p in params:
        p = p - hyperparams['lr'] * p.grad


def with_two_arguments(params, states):
    """No rule."""


def with_names(params, states, hyperparams):
    params['w'][:] = 0


def train(data, rule, hyperparams=SECTION, states=None, **options):
    return run_scratch(rule, states or gb.init_adam_states(), hyperparams, *data, **options)


@pytest.fixture
def data(airfoil_arrays):
    return [array[:40] for array in airfoil_arrays]


def of_np(p, v, s, h):
    p[:] = p - h['lr'] * p.grad / (np.sqrt(s) + 1e-6)


def of_math(p, v, s, h):
    p[:] = p - h['lr'] * p.grad / math.sqrt(s)


def of_numpys_name(p, v, s, h):
    p[:] = p - h['lr'] * p.grad / sqrt(s)


def of_data(p, v, s, h):
    p.data -= h['lr'] * p.grad


def of_mx_np(p, v, s, h):
    p[:] = p - h['lr'] * mxnet.np.zeros(1) * p.grad


def of_wrong_shape(p, v, s, h):
    p[:] = p - h['lr'] * nd.ones((3, 7)) * p.grad


@pytest.mark.parametrize('hybridize', [False, True], ids=['eager', 'hybridized'])
@pytest.mark.parametrize('update, error, line, advice', [
    (of_np, (TypeError, ValueError), 'np.sqrt(s) + 1e-6)`', 'use nd.sqrt(x) or x.sqrt(), not np.sqrt(x)'),
    (of_math, TypeError, 'math.sqrt(s)`', 'NumPy and math cannot compute with NDArrays'),
    (of_numpys_name, (TypeError, ValueError), 'sqrt(s)`', 'use nd.sqrt(x) or x.sqrt(), not np.sqrt(x)'),
    (of_data, AttributeError, "p.data -= h['lr'] * p.grad`", 'changed in place, p[:] = ...'),
    (of_mx_np, TypeError, 'mxnet.np.zeros(1)', 'make the states with nd.zeros'),
    (lambda p, v, s, h: p.gard, AttributeError, 'p.gard', "did you mean 'grad'?"),
    (lambda p, v, s, h: p.grad(), TypeError, 'p.grad()', 'leave out its brackets'),
    (lambda p, v, s, h: p ^ 2, TypeError, 'p ^ 2', 'a power is p ** 2'),
    (of_wrong_shape, ValueError, 'nd.ones((3, 7))', 'do the states')])
def test_a_failure_names_the_line_and_what_to_do(data, hybridize, update, error, line, advice):
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')  # NumPy's own about the array that it makes of an NDArray
        with pytest.raises(error) as caught:
            train(data, each(update), hybridize=hybridize)
    message = str(caught.value)
    assert message.startswith('rule failed: test_advice.py, line ') and line in message and advice in message


@pytest.mark.parametrize('rule, hyperparams, advice', [
    (with_two_arguments, SECTION, 'a rule has the form rule(params, states, hyperparams)'),
    (with_names, SECTION, 'params is a list: for p, state in zip(params, states)'),
    (renames, {'lr': '0.01', 't': 1}, "hyperparams['lr'] is a text: leave out its quotes"),
    (gb.adam, {'learning_rate': 0.01, 't': 1}, "Gluon's 'learning_rate' is 'lr' here")])
def test_a_rule_or_hyperparameters_of_another_form(data, rule, hyperparams, advice):
    with pytest.raises((TypeError, ValueError)) as caught:
        train(data, rule, hyperparams)
    assert str(caught.value).endswith(advice)


@pytest.mark.parametrize('hybridize', [False, True], ids=['eager', 'hybridized'])
@pytest.mark.parametrize('update, words', [
    (lambda p, v, s, h: p.__setitem__(slice(None), p - 1e-6 * p.grad / (-1 * p.grad.square()).sqrt()),
     ['p.grad.square()).sqrt())', 'the root of a negative number gives nan there']),
    (lambda p, v, s, h: p.__setitem__(slice(None), p - 1e-6 * v / s), ['v / s', 'a division by 0 gives nan there']),
    (lambda p, v, s, h: p.__setitem__(slice(None), p - (-1 * p.grad.abs()) ** 0.5), ['the root of a negative number']),
    (lambda p, v, s, h: p.__setitem__(slice(None), p - 1e-6 / s), ['1e-6 / s', 'a division by 0 gives inf there']),
    (lambda p, v, s, h: p.__setitem__(slice(None), p - 1e-6 * nd.log(s - 1)), ['nd.log', 'log gives nan there'])])
def test_a_nan_of_the_rules_own_names_operator_and_line(data, hybridize, update, words):
    with pytest.raises(gb.DivergenceError, match='the loss is (nan|inf) after step') as caught:
        train(data, each(update), hybridize=hybridize)
    assert all(word in str(caught.value) for word in ['test_advice.py, line ', *words])
    assert 'learning rate' not in str(caught.value)


@pytest.mark.parametrize('hybridize', [False, True], ids=['eager', 'hybridized'])
def test_a_rate_that_is_too_large_is_still_called_that(data, hybridize):
    with pytest.raises(gb.DivergenceError, match='try a smaller learning rate'):
        train(data, each(lambda p, v, s, h: p.__setitem__(slice(None), p - 1e30 * p.grad)), hybridize=hybridize)
    with pytest.raises(gb.DivergenceError, match='try a smaller learning rate'):
        train(data, each(lambda p, v, s, h: p.__setitem__(slice(None), p - (1e15 * p.grad) ** 3)), hybridize=hybridize)


def renames_the_bias(params, states, hyperparams):
    hyperparams['t'] += 1
    w, b = params
    w -= hyperparams['lr'] * w.grad
    b = b - hyperparams['lr'] * b.grad


def stands_still(params, states, hyperparams):
    gb.adam(params, states, {**hyperparams})


def counts_twice(params, states, hyperparams):
    gb.adam(params, states, hyperparams)
    hyperparams['t'] += 1


def counts_elsewhere(params, states, hyperparams):
    gb.sgd(params, states, {'lr': hyperparams['lr']})


def draws(params, states, hyperparams):
    gb.adam(params, states, hyperparams)
    nd.random.uniform(shape=2)


SLIPS = [
    (gb.adam, {**SECTION, 'epsilon': 1e-8, 'beta_1': 0.9},
     "adam never read 'beta_1', 'epsilon' of hyperparams; it reads 'beta1', 'beta2', 'eps', 'lr', 't'"),
    (counts_elsewhere, SECTION, "counts_elsewhere never read 't' of hyperparams; it reads 'lr'"),
    (stands_still, SECTION, "stands_still moved hyperparams['t'] from 1 to 1 in 8 steps; it should add 1 in each"),
    (counts_twice, SECTION, "counts_twice moved hyperparams['t'] from 1 to 17 in 8 steps; it should add 1 in each"),
    (renames, SECTION, 'renames left {} as at the start; it should write in place, p[:] = ..., where p = ... only '
                       'renames'),
    (draws, SECTION, 'draws draws with nd.random, which `seed` does not reach; for a run that can be repeated call '
                     'mxnet.random.seed(0) before it')]
TRAIN = {
    'eager': lambda *arguments: gb.train_ch7(*arguments, plot=False),
    'hybridized': lambda *arguments: gb.train_ch7(*arguments, plot=False, hybridize=True),
    'ensemble': lambda *arguments: gb.train_ensemble(*arguments, seeds=[1, 2])}


@pytest.mark.parametrize('how', TRAIN)
@pytest.mark.parametrize('rule, hyperparams, message', SLIPS, ids=[rule.__name__ for rule, *_ in SLIPS])
def test_a_slip_is_warned_of_once_with_the_callers_line(data, how, rule, hyperparams, message):
    with pytest.warns(UserWarning) as told:
        TRAIN[how](rule, gb.init_adam_states(), hyperparams, *data)
    what = 'all parameters' if how == 'ensemble' else 'the weights and the bias'
    assert [str(one.message).split('`: ')[-1] for one in told] == [message.format(what)]
    assert told[0].filename == __file__


def test_a_rate_that_moves_nothing(data):
    with pytest.warns(UserWarning, match='adam left the weights as at the start; is lr too small'):
        train(data, gb.adam, {'lr': 1e-30, 't': 1})


@pytest.mark.parametrize('how', TRAIN)
def test_states_for_the_weights_alone(data, how):
    with pytest.warns(UserWarning, match='left the bias as at the start; states has one entry for two parameters'):
        TRAIN[how](gb.adam, gb.init_adam_states()[:1], SECTION, *data)


def test_one_parameter_that_is_only_renamed(data):
    with pytest.warns(UserWarning, match='left the bias as at the start'):
        train(data, renames_the_bias)
    with pytest.warns(UserWarning, match='left the bias as at the start'):
        gb.train_ensemble(renames_the_bias, None, SECTION, *data, seeds=[1, 2])


@pytest.mark.parametrize('name', gb.RULES)
def test_the_rules_of_the_package_make_no_slip(data, name):
    rule, init_states = gb.RULES[name]
    with warnings.catch_warnings():
        warnings.simplefilter('error')
        train(data, rule, SECTION, init_states())
        gb.train_ensemble(rule, init_states(), SECTION, *data, seeds=[1])


@pytest.mark.parametrize('rule', [
    lambda params, states, h: gb.sgd(params, states, dict(h)), lambda params, states, h: keywords(params, **h),
    lambda params, states, h: [gb.sgd(params, states, dict(h.items())) for _ in [0] if 'lr' in h]])
def test_any_way_of_reading_counts(data, rule):
    with warnings.catch_warnings():
        warnings.simplefilter('error')
        train(data, rule, {'lr': 0.1, 'other': 1})


def keywords(params, lr, other):
    gb.sgd(params, None, {'lr': lr})


def keeps_states_elsewhere():
    mine = [[nd.zeros((5, 1)), nd.zeros((5, 1))], [nd.zeros(1), nd.zeros(1)]]
    return lambda params, states, hyperparams: gb.adam(params, mine, hyperparams)


def rebinds_states():
    mine = {}

    def rule(params, states, hyperparams):
        for at, p in enumerate(params):
            mine[at] = 0.9 * mine.get(at, 0) + p.grad
            p[:] = p - hyperparams['lr'] * mine[at]
    return rule


@pytest.mark.parametrize('rule, words', [
    (each(of_np), ['np.sqrt(s)', 'use nd.sqrt(x) or x.sqrt()']),
    (rebinds_states(), ['a rule that keeps arrays of its own from step to step', 'train_ch7']),
    (keeps_states_elsewhere(), ['an array is written to that is not among the states'])])
def test_what_is_said_in_an_ensemble(data, rule, words):
    with pytest.raises(TypeError) as caught:
        gb.train_ensemble(rule, gb.init_adam_states(), SECTION, *data, seeds=[1, 2])
    assert all(word in str(caught.value) for word in words)


def test_a_line_without_a_source_is_quoted_by_its_number(data):
    names = {}
    exec('def rule(params, states, hyperparams):\n    params[0].missing', names)
    with pytest.raises(AttributeError, match='rule failed: <string>, line 2: '):
        train(data, names['rule'])
