"""A traced rule does what the rule does, at every step; and what cannot be traced is refused with its line."""
import collections
import copy
import itertools
import math
import operator
import random
import threading

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mxnet import autograd, nd
from numpy import datetime64, fromfile, loadtxt
from rules import RULES

import chapter_adam as gb
from chapter_adam import (UntraceableError, adam, ensemble, fused, hybridization, hybridize, init_adam_states,
                          training)
from chapter_adam.compat import DEVICE

SHAPES = [((5, 1), (1,)), ((3, 4),), ((2, 3, 4), (7,), (1, 1))]


def parameters(shapes, seed=0):
    draws = np.random.default_rng(seed)
    params = [nd.array(draws.normal(size=shape)) for shape in shapes]
    for p in params:
        p.attach_grad()
    return params


def copy_of(states):
    if isinstance(states, nd.NDArray):
        return states.copy()
    return states if states is None else type(states)([copy_of(part) for part in states])


def arrays_of(states):
    return [states] if isinstance(states, nd.NDArray) else [a for part in states or () for a in arrays_of(part)]


def compare(rule, states, hyperparams, shapes=SHAPES[0], steps=100, fast=None):
    """Runs eager and traced side by side; every array must be equal after every step, to the last bit."""
    fast = fast or hybridize(rule)
    slow_params, fast_params = parameters(shapes), parameters(shapes)
    slow, quick = (slow_params, copy_of(states), dict(hyperparams)), (fast_params, copy_of(states), dict(hyperparams))
    draws = np.random.default_rng(1)
    for step in range(steps):
        for p, q in zip(slow_params, fast_params):
            p.grad[:] = q.grad[:] = nd.array(draws.normal(0.2, 1, p.shape))
        rule(*slow)
        fast(*quick)
        for a, b in zip([*slow_params, *arrays_of(slow[1])], [*fast_params, *arrays_of(quick[1])]):
            np.testing.assert_array_equal(a.asnumpy(), b.asnumpy(), err_msg=f'after step {step + 1}')
        assert slow[2] == quick[2]
    return fast


@pytest.mark.parametrize('name', RULES)
def test_hybridized_is_eager_at_every_step(name):
    rule, states, hyperparams = RULES[name]
    compare(rule, states(), hyperparams)


@pytest.mark.parametrize('shapes', SHAPES, ids=str)
def test_parameters_of_any_shape_and_number(shapes):
    compare(adam, tuple((nd.zeros(s), nd.zeros(s)) for s in shapes), {'lr': 0.1, 't': 1}, shapes, steps=20)


def test_new_shapes_retrace():
    fast = hybridize(adam)
    for shapes in SHAPES:
        compare(adam, tuple((nd.zeros(s), nd.zeros(s)) for s in shapes), {'lr': 0.1, 't': 1}, shapes, 5, fast)
    assert len(fast.traces) == len(SHAPES)


def test_hyperparameters_changed_between_calls_take_effect():
    params, states, hyperparams = parameters(SHAPES[0]), init_adam_states(), {'lr': 0.1, 't': 1}
    fast, before = hybridize(adam), params[1].asnumpy()
    params[1].grad[:] = 1
    fast(params, states, hyperparams)
    assert params[1].asnumpy() == pytest.approx(before - 0.1, abs=1e-6)
    hyperparams.update(lr=0.5, t=1)
    for state in arrays_of(states):
        state[:] = 0
    fast(params, states, hyperparams)
    assert params[1].asnumpy() == pytest.approx(before - 0.6, abs=1e-6)
    assert sum(map(len, fast.traces.values())) == 1


RATE = 0.5


def test_numbers_by_name_and_flags_take_effect(monkeypatch):
    around = 2.0

    def rule(params, states, hyperparams):
        for p in params:
            p[:] = p - (RATE * around if hyperparams['big'] else RATE) * p.grad

    fast, params = hybridize(rule), parameters(((1,),))
    params[0][:] = 0
    params[0].grad[:] = 1
    fast(params, None, {'big': False})
    monkeypatch.setitem(globals(), 'RATE', 0.25)
    fast(params, None, {'big': False})
    around = 4.0
    fast(params, None, {'big': True})
    assert params[0].asscalar() == -0.5 - 0.25 - 1.0


def test_a_branch_on_a_hyperparameter_goes_both_ways():
    def rule(params, states, hyperparams):
        hyperparams['t'] += 1
        for p in params:
            p[:] = p - p.grad if hyperparams['t'] > 3 else p + 2 * p.grad
    fast = compare(rule, None, {'t': 0}, steps=8)
    assert [len(traces) for traces in fast.traces.values()] == [2]


def test_scalar_expressions_keep_double_precision():
    """1 - beta^t with beta = 1 - 1e-9 is 1e-9 in double, and 0 in float32."""
    def rule(params, states, hyperparams):
        for p in params:
            p[:] = p + (1 - hyperparams['beta'] ** hyperparams['t']) * 1e9 * p.grad
    compare(rule, None, {'beta': 1 - 1e-9, 't': 1}, steps=3)


def test_one_array_in_two_places_is_one_array():
    def rule(params, states, hyperparams):
        for p, (a, b) in zip(params, states):
            a[:] = a + p.grad
            p[:] = p - b
    shared = [nd.zeros((5, 1)), nd.zeros(1)]
    params = parameters(SHAPES[0])
    before = params[1].asnumpy()
    params[1].grad[:] = 3
    hybridize(rule)(params, tuple((s, s) for s in shared), {})
    assert params[1].asnumpy() == before - 3


def test_aliases_and_views_of_a_whole_array():
    def rule(params, states, hyperparams):
        for p, (v,) in zip(params, states):
            same = p[:]
            same -= 0.1 * p.grad
            v[:] = same
            kept = v.copy()
            v *= 2
            p[:] = p + 0.01 * kept + v.mean() + p.grad.norm() / p.size
    compare(rule, ((nd.zeros((5, 1)),), (nd.zeros(1),)), {}, steps=5)


# --- what is refused

def branches(params, states, hyperparams):
    for p in params:
        if p.grad.norm() > 1:
            p[:] -= p.grad


def asks(params, states, hyperparams):
    for p in params:
        p[:] = p * p.grad.sum().asscalar()


def calls_numpy(params, states, hyperparams):
    for p in params:
        p[:] = p - np.linalg.norm(p.grad.asnumpy())


def writes_a_part(params, states, hyperparams):
    for p in params:
        p[0] = 1


def reads_a_part(params, states, hyperparams):
    for p in params:
        p[:] = p[0:1]


def draws(params, states, hyperparams):
    for p in params:
        p[:] = p + nd.random.normal(shape=p.shape)


def draws_in_python(params, states, hyperparams):
    for p in params:
        p[:] = p + random.random()


COUNT = itertools.count()


def counts(params, states, hyperparams):
    for p in params:
        p[:] = p + next(COUNT)


def changes_a_global(params, states, hyperparams):
    global RATE
    RATE = RATE / 2
    for p in params:
        p[:] = p - RATE * p.grad


def prints(params, states, hyperparams):
    for p in params:
        print(p.grad)


def keeps_a_gradient(params, states, hyperparams):
    for p in params:
        hyperparams['last'] = p.grad
        p[:] -= p.grad


def logs(params, states, hyperparams):
    hyperparams['log'].append(1)
    for p in params:
        p[:] -= p.grad


def brings_an_array(params, states, hyperparams):
    for p in params:
        p[:] = p - nd.arange(1, 1 + len(p)).reshape(p.shape) * p.grad


def uses_the_optimizer_kernel(params, states, hyperparams):
    for p in params:
        nd.sgd_update(p, p.grad, lr=0.1, out=p)


def changes_a_shape(params, states, hyperparams):
    for p in params:
        p[:] = nd.broadcast_to(p.sum(), shape=(9,))


@pytest.mark.parametrize('rule, line', [
    (branches, 'if p.grad.norm() > 1'), (asks, 'p.grad.sum().asscalar()'), (calls_numpy, 'np.linalg.norm'),
    (writes_a_part, 'p[0] = 1'), (reads_a_part, 'p[0:1]'), (draws, 'nd.random.normal'),
    (draws_in_python, 'something else at each call'), (counts, 'something else at each call'),
    (changes_a_global, 'changes RATE'), (prints, 'print(p.grad)'), (keeps_a_gradient, "hyperparams['last']"),
    (logs, 'inside hyperparams'), (uses_the_optimizer_kernel, 'nd.sgd_update'),
    (brings_an_array, 'neither parameter, gradient nor state'),
], ids=lambda value: getattr(value, '__name__', ''))
def test_untraceable(airfoil, rule, line):
    """Named with its line, and nothing has been trained or changed."""
    hyperparams = {'log': [], 'k': 1}
    with pytest.raises(UntraceableError) as caught:
        gb.train_ch7(rule, None, hyperparams, *airfoil, hybridize=True, plot=False)
    message = str(caught.value)
    assert line in message and rule.__name__ in message and 'hybridize=False' in message
    assert hyperparams == {'log': [], 'k': 1}


def test_a_missing_hyperparameter_is_still_a_missing_hyperparameter():
    with pytest.raises(KeyError, match='t'):
        hybridize(adam)(parameters(SHAPES[0]), init_adam_states(), {'lr': 0.1})


def test_states_that_are_not_arrays_are_refused():
    with pytest.raises(UntraceableError, match='states must hold NDArrays alone.*got int'):
        hybridize(scaled)(parameters(SHAPES[0]), [2, 3], {})


def scaled(params, states, hyperparams):
    for p, scale in zip(params, states):
        p[:] = scale * p


def fails_by_itself(params, states, hyperparams):
    raise RuntimeError('of its own')


@pytest.mark.parametrize('rule, states, words', [
    (changes_a_shape, (), 'shape'), (adam, (), 'lr'), (adam, None, 'NoneType'), (adam, [(nd.zeros(1),)], 'unpack'),
    (fails_by_itself, (), 'of its own'), (lambda params, states: None, (), 'takes 2 positional'),
])
def test_what_fails_eagerly_too_fails_with_the_same_error(rule, states, words):
    """Else the message would advise hybridize=False, which would not help."""
    hyperparams = {} if words == 'lr' else {'lr': 0.1, 't': 1}
    with pytest.raises(Exception, match=words) as eager:
        rule(parameters(SHAPES[0]), states, dict(hyperparams))
    with pytest.raises(eager.type, match=words) as traced:
        hybridize(rule)(parameters(SHAPES[0]), states, dict(hyperparams))
    assert not isinstance(traced.value, UntraceableError)


# --- any composition

LEAVES = st.sampled_from(['p', 'v', 's', 'p.grad', "h['a']", "h['t']", '0.5', '2', "(1 - h['b'] ** h['t'])"])


def _grow(parts):
    binary = st.builds('({} {} {})'.format, parts, st.sampled_from(['+', '-', '*']), parts)
    unary = st.builds('({}).{}()'.format, st.builds('(p + 0 * {})'.format, parts),
                      st.sampled_from(['abs', 'sign', 'square', 'tanh', 'sigmoid']))
    divided = st.builds('({} / (2 + (v + 0 * {}).square()))'.format, parts, parts)
    functions = st.builds('nd.{}(p + {}, s)'.format, st.sampled_from(['maximum', 'minimum', 'subtract']), parts)
    return binary | unary | divided | functions


EXPRESSIONS = st.recursive(LEAVES, _grow, max_leaves=6)
TARGETS = st.sampled_from(['v[:] =', 's[:] =', 'p[:] =', 'p[:] -=', 'v[:] +=', 'u ='])


@given(lines=st.lists(st.tuples(TARGETS, EXPRESSIONS), min_size=1, max_size=4))
@settings(max_examples=40, deadline=None, derandomize=True)
def test_any_composition_is_eager_bit_for_bit(lines):
    body = '\n'.join(f'        {target} 0.1 * {expression}' for target, expression in lines)
    source = ("def rule(params, states, h):\n    for p, (v, s) in zip(params, states):\n"
              f"{body}\n        p[:] = p.clip(-3, 3)\n    h['t'] += 1\n")
    names = {'nd': nd}
    exec(source, names)
    compare(names['rule'], init_adam_states(), {'a': 0.3, 'b': 0.9, 't': 1}, steps=3)


# --- the fused model

def test_the_closed_form_gradient_is_autograds():
    draws = np.random.default_rng(0)
    X, y, w, b = (nd.array(draws.normal(size=shape)) for shape in ((10, 5), (10, 1), (5, 1), (1,)))
    for p in (w, b):
        p.attach_grad()
    with autograd.record():
        loss = ((nd.dot(X, w) + b - y) ** 2 / 2).mean()
    loss.backward()
    symbols = [fused.sym.var(name) for name in 'Xywb']
    gradient = fused.cached_op(fused.sym.Group(list(fused.gradient(*symbols, 10))), 'Xywb')(X, y, w, b)
    for ours, autograds in zip(gradient, (w.grad, b.grad)):
        np.testing.assert_allclose(ours.asnumpy(), autograds.asnumpy(), rtol=1e-5, atol=1e-6)
    assert fused.cached_op(fused.mean_loss(*symbols), 'Xywb')(X, y, w, b).asscalar() == pytest.approx(loss.asscalar())


@pytest.mark.parametrize('name', RULES)
def test_training_hybridized_gives_eagers_curve(airfoil, name):
    rule, states, hyperparams = RULES[name]
    eager, fast = (gb.train_ch7(rule, states(), hyperparams, *airfoil, hybridize=hybridized, plot=False)
                   for hybridized in (False, True))
    assert fast.epochs == eager.epochs
    assert np.abs(np.subtract(fast.losses, eager.losses)).max() < 2e-6


@pytest.mark.parametrize('options', [{'batch_size': 1, 'num_epochs': 1}, {'batch_size': 64}, {'batch_size': 1503},
                                     {'batch_size': 7, 'record_every': 10},
                                     {'batch_size': 10, 'record_every': None, 'num_epochs': 3}],
                         ids=str)
def test_training_hybridized_with_other_settings(airfoil, options):
    data = [a[:203] for a in airfoil] if options['batch_size'] == 1 else airfoil
    eager, fast = (gb.train_ch7(adam, init_adam_states(), {'lr': 0.01, 't': 1}, *data, hybridize=hybridized,
                                plot=False, seed=4, **options) for hybridized in (False, True))
    assert fast.epochs == eager.epochs
    assert np.abs(np.subtract(fast.losses, eager.losses)).max() < 2e-6
    assert fast.weights == pytest.approx(eager.weights, abs=1e-5)


def test_gluon_hybridized_gives_eagers_curve(airfoil):
    eager, fast = (gb.train_gluon_ch7('adam', {'learning_rate': 0.01}, *airfoil, hybridize=hybridized, plot=False)
                   for hybridized in (False, True))
    assert np.abs(np.subtract(fast.losses, eager.losses)).max() < 2e-6
    assert fast.settings['label'] == 'Gluon adam, hybridized'


def test_a_hybridized_training_leaves_the_arguments_alone(airfoil):
    states, hyperparams = init_adam_states(), {'lr': 0.01, 't': 1}
    first, again = (gb.train_ch7(adam, states, hyperparams, *airfoil, hybridize=True, plot=False) for _ in range(2))
    assert first.curve() == again.curve()
    assert hyperparams == {'lr': 0.01, 't': 1} and not any(s.asnumpy().any() for s in arrays_of(states))


def test_a_rule_that_is_hybridized_already(airfoil):
    fast = hybridize(adam)
    assert hybridize(fast) is fast
    run = gb.train_ch7(fast, init_adam_states(), {'lr': 0.01, 't': 1}, *airfoil, plot=False)
    assert run.losses == gb.train_ch7(adam, init_adam_states(), {'lr': 0.01, 't': 1}, *airfoil, plot=False).losses


def test_what_a_training_needs_is_prepared_before_its_clock(airfoil, monkeypatch):
    """Ten full batches at once, one full batch, and the short one, which comes alone."""
    asked, warm = [], []
    real_op, real_warm_up = fused.steps_op, fused.FusedModel.warm_up
    monkeypatch.setattr(fused, 'steps_op', lambda step, count, rows, steps, stacked: (
        asked.append((rows, steps)), real_op(step, count, rows, steps, stacked))[1])
    monkeypatch.setattr(fused.FusedModel, 'warm_up', lambda self, X, y: (
        real_warm_up(self, X, y), warm.append(list(asked)))[0])
    gb.train_ch7(adam, init_adam_states(), {'lr': 0.01, 't': 1}, *airfoil, hybridize=True, plot=False)
    assert sorted(warm[-1]) == [(3, 1), (10, 1), (10, 10)] and set(asked) == set(warm[-1])


def test_a_hybridized_run_that_diverges_says_so(airfoil):
    with pytest.raises(gb.DivergenceError, match='after step 10'):
        gb.train_ch7(RULES['sgd'][0], None, {'lr': 1e30}, *airfoil, hybridize=True, plot=False)


def test_one_hybridized_rule_trains_in_several_threads(airfoil):
    """A graph has one memory, and so has the engine: who computes has it for himself."""
    fast, curves = hybridize(adam), []
    expected = gb.train_ch7(adam, init_adam_states(), {'lr': 0.01, 't': 1}, *airfoil, plot=False).losses

    def work():
        for _ in range(5):
            curves.append(training.train_scratch(fast, init_adam_states(), {'lr': 0.01, 't': 1}, *airfoil,
                                                 hybridize=True).losses)
    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(curves) == 20 and max(np.abs(np.subtract(curve, expected)).max() for curve in curves) < 2e-6
    assert len(fast.graphs) == 3


@pytest.mark.parametrize('owner, name, work', [
    (training, 'fit', lambda data: gb.train_ch7(adam, init_adam_states(), {'lr': 0.1, 't': 1}, *data, plot=False)),
    (ensemble._Job, 'train', lambda data: gb.train_ensemble(adam, init_adam_states(), {'lr': 0.1, 't': 1}, *data,
                                                            seeds=[0])),
    (hybridization.Trace, 'run', lambda data: hybridize(adam)(parameters(SHAPES[0]), init_adam_states(),
                                                              {'lr': 0.1, 't': 1}))])
def test_who_computes_holds_the_device(airfoil, monkeypatch, owner, name, work):
    """Its scratch memory is one for all threads."""
    real, owned = getattr(owner, name), []
    monkeypatch.setattr(owner, name, lambda *arguments: (owned.append(DEVICE._is_owned()), real(*arguments))[1])
    work(airfoil)
    assert owned and all(owned) and not DEVICE._is_owned()


def test_graphs_are_kept_with_the_rule_and_no_more_than_some(airfoil, monkeypatch):
    fast = hybridize(adam)
    for _ in range(2):
        gb.train_ch7(fast, init_adam_states(), {'lr': 0.01, 't': 1}, *airfoil, hybridize=True, plot=False)
    assert len(fast.graphs) == 3  # ten batches, one, and the short one
    monkeypatch.setattr(hybridization, 'MOST_GRAPHS', 2)
    gb.train_ch7(fast, init_adam_states(), {'lr': 0.01, 't': 1}, *airfoil, batch_size=7, hybridize=True, plot=False)
    assert len(fast.graphs) <= 3


# --- what once was silently wrong

def asks_for_a_type(params, states, hyperparams):
    rate = 0.1 if isinstance(hyperparams['n'], int) and type(hyperparams['n']) is int else 0.01
    hyperparams['n'] += 0.25
    for p in params:
        p[:] -= rate * p.grad


def toggles_a_flag(params, states, hyperparams):
    for p in params:
        p[:] -= 0.1 * p.grad if hyperparams['flag'] else 0.01 * p.grad
    hyperparams['flag'] = not hyperparams['flag']


@pytest.mark.parametrize('rule, hyperparams', [(asks_for_a_type, {'n': 1}), (toggles_a_flag, {'flag': True})],
                         ids=lambda value: getattr(value, '__name__', ''))
def test_a_type_or_a_flag_that_changes_retraces(airfoil, rule, hyperparams):
    compare(rule, None, hyperparams, steps=6)
    eager, fast = (gb.train_ch7(rule, None, hyperparams, *airfoil, num_epochs=1, hybridize=hybridized, plot=False)
                   for hybridized in (False, True))
    assert np.abs(np.subtract(fast.losses, eager.losses)).max() < 2e-6
    many = gb.train_ensemble(rule, None, hyperparams, *airfoil, num_epochs=1, seeds=[0])
    assert np.abs(many.losses[:, 0] - eager.losses).max() < 1e-5


RATES = [0.1]


def closure_rule():
    rates = [0.1]

    def rule(params, states, hyperparams):
        hyperparams['n'] += 1
        if hyperparams['n'] == 3:
            rates[0] = 0.01
        for p in params:
            p[:] -= rates[0] * p.grad
    return rule


def global_rule(params, states, hyperparams):
    hyperparams['n'] += 1
    if hyperparams['n'] == 3:
        RATES[0] = 0.01
    for p in params:
        p[:] -= RATES[0] * p.grad


def default_rule(params, states, hyperparams, rates={'rate': 0.1}):
    hyperparams['n'] += 1
    if hyperparams['n'] == 3:
        rates['rate'] = 0.01
    for p in params:
        p[:] -= rates['rate'] * p.grad


class ObjectRule:
    def __init__(self):
        self.rate = 0.1

    def __call__(self, params, states, hyperparams):
        hyperparams['n'] += 1
        if hyperparams['n'] == 3:
            self.rate = 0.01
        for p in params:
            p[:] -= self.rate * p.grad


@pytest.mark.parametrize('make', [closure_rule, lambda: global_rule, lambda: default_rule, ObjectRule],
                         ids=['closure', 'global', 'default', 'object'])
def test_a_state_of_its_own_is_refused_when_it_changes(airfoil, make):
    with pytest.raises(UntraceableError, match='keeps a state of its own'):
        gb.train_ch7(make(), None, {'n': 0}, *airfoil, hybridize=True, plot=False)


MEMO = {'base': 0.1}


def remembers_what_was_there(params, states, hyperparams):
    """The first lr is what MEMO holds, so that writing it changes nothing; a later one does."""
    if hyperparams['t'] % 10 == 1:
        MEMO['base'] = hyperparams['lr']
    for p in params:
        p[:] -= MEMO['base'] * p.grad
    hyperparams['lr'] *= 0.98
    hyperparams['t'] += 1


class Remembering:
    base = 0.1

    def __call__(self, params, states, hyperparams):
        self.base = hyperparams['lr']
        for p in params:
            p[:] -= self.base * p.grad


@pytest.mark.parametrize('rule', [remembers_what_was_there, Remembering()], ids=['entry', 'attribute'])
def test_writing_what_is_there_already_is_a_state_too(airfoil, rule):
    with pytest.raises(UntraceableError, match='keeps a state of its own: changes (MEMO|base)'):
        gb.train_ch7(rule, None, {'lr': 0.1, 't': 1}, *airfoil, hybridize=True, plot=False)


@pytest.mark.parametrize('hybridized', [False, True])
def test_a_parameter_that_is_only_renamed_is_explained(airfoil, hybridized):
    def renames(params, states, hyperparams):
        for p, v in zip(params, states):
            v[:] = 0.9 * v + p.grad
            p = p - hyperparams['lr'] * v
    with pytest.raises(ValueError, match=r'changed no parameter .* write in place \(p\[:\] = '):
        gb.train_ch7(renames, (nd.zeros((5, 1)), nd.zeros(1)), {'lr': 0.1}, *airfoil, hybridize=hybridized, plot=False)


class Still:
    rate = 0.1

    def __call__(self, params, states, hyperparams):
        for p in params:
            p[:] -= self.rate * p.grad


def test_an_object_changed_between_calls_takes_effect():
    rule, params = Still(), parameters(((1,),))
    fast = hybridize(rule)
    params[0][:] = 0
    params[0].grad[:] = 1
    fast(params, None, {'n': 10})
    rule.rate = 0.5
    fast(params, None, {'n': 10})
    assert params[0].asscalar() == pytest.approx(-0.6)


def test_a_view_is_refused_and_a_copy_is_not(airfoil):
    """NDArray.reshape shares the memory, so that a later assignment shows through; nd.reshape copies."""
    def views(params, states, hyperparams):
        for p in params:
            seen = p.reshape((-1,))
            p[:] = p - 0.1 * p.grad
            p[:] = 0.5 * p + 0.5 * nd.reshape(seen, shape=p.shape)

    def copies(params, states, hyperparams):
        for p in params:
            kept = nd.reshape(p, shape=(-1,))
            flat = p.flatten()
            p[:] = p - 0.1 * p.grad
            p[:] = 0.5 * p + 0.25 * nd.reshape(kept, shape=p.shape) + 0.25 * nd.reshape(flat, shape=p.shape)

    with pytest.raises(UntraceableError, match='reshape'):
        gb.train_ch7(views, None, {}, *airfoil, hybridize=True, plot=False)
    compare(copies, None, {}, steps=4)


def replaces_a_state(params, states, hyperparams):
    for p, state in zip(params, states):
        state[0] = 0.9 * state[0] + p.grad
        p[:] -= 0.02 * state[0]


def replaces_a_named_state(params, states, hyperparams):
    for p, state in zip(params, states):
        state['v'] = 0.9 * state['v'] + p.grad
        p[:] -= 0.02 * state['v']


def swallows_the_refusal(params, states, hyperparams):
    for p in params:
        try:
            rate = float.fromhex(hyperparams['lr'].hex())
        except TypeError:
            rate = 0.001
        p[:] -= rate * p.grad


@pytest.mark.parametrize('rule, states, words', [
    (replaces_a_state, [[nd.zeros((5, 1))], [nd.zeros(1)]], 'in place'),
    (replaces_a_named_state, [{'v': nd.zeros((5, 1))}, {'v': nd.zeros(1)}], 'in place'),
    (swallows_the_refusal, None, r'\.hex'),
], ids=lambda value: getattr(value, '__name__', ''))
def test_what_would_be_lost_is_refused(airfoil, rule, states, words):
    """All of these run eagerly."""
    gb.train_ch7(rule, states, {'lr': 0.02}, *airfoil, num_epochs=1, plot=False)
    with pytest.raises(UntraceableError, match=words):
        gb.train_ch7(rule, states, {'lr': 0.02}, *airfoil, num_epochs=1, hybridize=True, plot=False)


def test_copies_of_arrays_and_numbers():
    def rule(params, states, hyperparams):
        rate = copy.deepcopy(hyperparams['lr'])
        for p in params:
            before, again = copy.deepcopy(p), copy.copy(p)
            p[:] = p - rate * p.grad
            p[:] = 0.5 * p + 0.25 * before + 0.25 * again * hyperparams['lr'] / rate
    compare(rule, None, {'lr': 0.1}, steps=4)


# --- a hyperparameter as a plain number, text, key or index

RATES_BY_TENS, AT = [0.3, 0.2, 0.1, 0.05, 0.02], {3: 0.5, 12: 0.1}
PLAIN = {
    'float': lambda h: float(h['lr']),
    'int': lambda h: h['lr'] / (1 + int(h['t'] / 7)),
    'index': lambda h: RATES_BY_TENS[h['t'] // 10],
    'range': lambda h: sum(h['lr'] for _ in range(h['t'] // 8)),
    'key': lambda h: AT.get(h['t'], h['lr']),
    'set': lambda h: h['lr'] if h['t'] in {2, 3, 9} else 0.01,
    'text': lambda h: h['lr'] if f"{h['t'] % 3}" == '1' else 0.02,
    'str': lambda h: h['lr'] * len(str(h['t'])),
    'repr': lambda h: h['lr'] * len(repr(h['t'] / 4)),
    'complex': lambda h: abs(complex(h['lr'])),
    'bits': lambda h: h['lr'] * ((h['t'] & 1) + (h['t'] | 2) + (h['t'] ^ 3) + (h['t'] << 1) + (h['t'] >> 1)),
    'bits on the right': lambda h: h['lr'] * ((7 & h['t']) + (8 | h['t']) + (1 << h['t'] % 3)),
}


@pytest.mark.parametrize('name', PLAIN)
def test_a_plain_number_is_good_until_it_changes(name):
    def rule(params, states, hyperparams):
        for p in params:
            p[:] -= PLAIN[name](hyperparams) * p.grad
        hyperparams['t'] += 1
    compare(rule, None, {'lr': 0.1, 't': 1}, steps=30)


def test_what_counts_is_the_number_that_is_made(airfoil):
    """int(t / 100) is another one three times in 302 steps."""
    def rule(params, states, hyperparams):
        for p in params:
            p[:] -= 0.1 * 0.5 ** int(hyperparams['t'] / 100) * p.grad
        hyperparams['t'] += 1
    fast = hybridize(rule)
    eager, traced = (gb.train_ch7(each, None, {'t': 1}, *airfoil, hybridize=each is fast, plot=False)
                     for each in (rule, fast))
    assert np.abs(np.subtract(traced.losses, eager.losses)).max() < 2e-6
    assert sum(map(len, fast.traces.values())) == 4


def test_a_minus_zero_is_another_number():
    def rule(params, states, hyperparams):
        for p in params:
            p[:] -= (0.1 if str(hyperparams['x']) == '0.0' else 0.5) * p.grad
        hyperparams['x'] = -hyperparams['x']
    compare(rule, None, {'x': 0.0}, steps=4)


def test_a_plain_number_that_changes_at_each_step_is_refused_before_it_costs_too_much(airfoil):
    def rule(params, states, hyperparams):
        for p in params:
            p[:] -= 0.1 / float(hyperparams['t']) * p.grad
        hyperparams['t'] += 1
    with pytest.raises(UntraceableError, match=r"`p\[:\] -= 0.1 / float\(.*at each step.*leave float\(lr\) out"):
        gb.train_ch7(rule, None, {'t': 1}, *airfoil, hybridize=True, plot=False)


def test_many_values_one_after_the_other_are_fine():
    """What counts is traces in a row that were of no use."""
    def rule(params, states, hyperparams):
        params[0][:] -= float(hyperparams['lr']) * params[0].grad
    fast, params = hybridize(rule), parameters(((1,),))
    for k in range(40):
        for _ in range(2):
            fast(params, None, {'lr': k / 40})


def assert_each_is_its_single_run(data, rule, hyperparams, name, values):
    runs = gb.train_ensemble(rule, None, {**hyperparams, name: values}, *data, num_epochs=1, seeds=range(len(values)))
    for seed, value in enumerate(values):
        single = gb.train_ch7(rule, None, {**hyperparams, name: value}, *data, num_epochs=1, seed=seed, plot=False)
        assert np.abs(runs.losses[:, seed] - single.losses).max() < 1e-5


def test_a_plain_number_per_run(airfoil):
    def rule(params, states, hyperparams):
        for p in params:
            p[:] -= float(hyperparams['lr']) * p.grad
    assert_each_is_its_single_run(airfoil, rule, {}, 'lr', [0.1, 0.2])


# --- comparisons are True or False themselves

def by_identity(params, states, hyperparams):
    t = hyperparams['t']
    rate = 0.1 if (t > 3) is True else 0.05 if math.isfinite(t) is not True else 0.01
    for p in params:
        p[:] -= rate * p.grad
    hyperparams['t'] += 1


def by_match(params, states, hyperparams):
    t = hyperparams['t']
    match (t >= 2, t >= 4):
        case (True, False):
            rate = 0.05
        case (True, True):
            rate = 0.01
        case _:
            rate = 0.1
    for p in params:
        p[:] -= rate * p.grad
    hyperparams['t'] += 1


@pytest.mark.parametrize('rule', [by_identity, by_match])
def test_a_comparison_tested_by_identity(rule):
    compare(rule, None, {'t': 1}, steps=6)


STOP = 3


@pytest.mark.parametrize('test', [
    lambda h: h['t'] is h['T'], lambda h: h['t'] is STOP, lambda h: h['t'] is not STOP,
    lambda h: (lambda: h['t'] is STOP)(), lambda h: (old := h['t'], h['t'] is old)[1]])
def test_numbers_compared_by_identity_are_refused(test):
    def rule(params, states, hyperparams):
        params[0][:] -= (0.1 if test(hyperparams) else 0.5) * params[0].grad
        hyperparams['t'] += 1
    with pytest.raises(UntraceableError, match='by `is` whether two numbers are one object'):
        hybridize(rule)(parameters(((1,),)), None, {'t': 1, 'T': 3})


def test_other_things_compared_by_identity_are_not():
    kind, none = nd.NDArray, None

    def rule(params, states, hyperparams):
        for p in params:
            which = 0.1 if p is params[-1] else 0.2 if type(p) is kind and p is not none else 0.3
            p[:] -= which * p.grad
    compare(rule, None, {'t': 1}, steps=3)


def test_a_power_with_three_arguments_is_refused():
    def rule(params, states, hyperparams):
        params[0][:] -= pow(hyperparams['t'], 3, 7) * params[0].grad
    with pytest.raises(UntraceableError, match='positional argument'):
        hybridize(rule)(parameters(((1,),)), None, {'t': 1})


@pytest.mark.parametrize('rule', [by_identity, by_match])
def test_a_comparison_of_many_runs_tested_by_identity(airfoil, rule):
    assert_each_is_its_single_run(airfoil, rule, {}, 't', [1, 5])


def test_a_rule_that_goes_another_way_in_its_second_run_is_refused(monkeypatch):
    """Whatever it is that tells it the difference."""
    record, runs = hybridization.record, []

    def recorded(*arguments):
        runs.append(record(*arguments))
        runs[-1].changes = {**runs[-1].changes, 'run': len(runs)}
        return runs[-1]
    monkeypatch.setattr(hybridization, 'record', recorded)
    with pytest.raises(UntraceableError, match='something else at each call'):
        hybridize(adam)(parameters(SHAPES[0]), init_adam_states(), {'lr': 0.1, 't': 1})
    assert len(runs) == 2


# --- files, clocks, gradients of states, kernels

@pytest.mark.parametrize('rate', [
    lambda: float(np.loadtxt('rate.txt')), lambda: np.load('rate.npy')[0], lambda: nd.load('rate.nd')[0].asscalar(),
    lambda: loadtxt('rate.txt'), lambda: np.fromfile('rate.bin')[0], lambda: fromfile('rate.bin')[0],
    lambda: np.savetxt('log.txt', [1]) or 0.1,
    lambda: float(np.datetime64('now').astype(int)),
    lambda: float(datetime64('now').astype(int)), lambda: HALF(0.2),
])
def test_what_reads_files_and_clocks_is_refused(rate):
    def rule(params, states, hyperparams):
        params[0][:] -= rate() * params[0].grad
    with pytest.raises(UntraceableError, match='refers to'):
        hybridize(rule)(parameters(((1,),)), None, {})


HALF = np.frompyfunc(lambda x: x / 2, 1, 1)


def test_the_gradient_of_a_state_is_refused():
    def rule(params, states, hyperparams):
        params[0][:] -= params[0].grad if states[0].grad is None else states[0].grad
    state = nd.ones(1)
    state.attach_grad()
    with pytest.raises(UntraceableError, match='gradient of a state'):
        hybridize(rule)(parameters(((1,),)), [state], {})


@pytest.mark.parametrize('call', [
    lambda p: nd.reset_arrays(p, num_arrays=1),
    lambda p: nd.multi_sgd_update(p, p.grad, lrs=(1,), wds=(0,), num_weights=1, out=p),
    lambda p: nd.lamb_update_phase1(p, p.grad, p, p, t=1, wd=0)])
def test_kernels_that_write_to_their_inputs_are_refused(call):
    def rule(params, states, hyperparams):
        call(params[0])
        params[0][:] -= params[0].grad
    with pytest.raises(UntraceableError, match='no form as a graph'):
        hybridize(rule)(parameters(((1,),)), None, {})


@pytest.mark.parametrize('value', [
    lambda p: nd.cast(p, dtype='float16'), lambda p: p.astype('float64'), lambda p: p.astype(np.int32)])
def test_another_type_is_refused(airfoil, value):
    def rule(params, states, hyperparams):
        for p in params:
            p[:] = value(p - 0.1 * p.grad)
    with pytest.raises(UntraceableError, match='float32'):
        gb.train_ch7(rule, None, {}, *airfoil, num_epochs=1, hybridize=True, plot=False)


# --- what readers write

def test_float32_by_name_attributes_and_several_results():
    def rule(params, states, hyperparams):
        for p in params:
            mean, var = nd.moments(p, axes=(0,))
            before = p.astype('float32')
            p[:] -= 0.1 * getattr(p, 'lr_mult', 1.0) * p.grad.astype('float32') + 0.01 * mean / (1 + var)
            p[:] += 0.1 * before + 0.01 * p.astype(np.float32, copy=False) * hasattr(hyperparams['lr'], '__call__')
    compare(rule, None, {'lr': 0.1}, steps=4)


def test_arrays_made_of_one_number_in_the_rule():
    def rule(params, states, hyperparams):
        norm = nd.array([0.0])
        for p in params:
            norm += (p.grad ** 2).sum()
        scale = nd.minimum(hyperparams['theta'] / norm.sqrt(), nd.ones(1))
        for p in params:
            p[:] -= 0.1 * scale * p.grad + nd.full(p.shape, 0.01) * nd.zeros(p.shape)
    compare(rule, None, {'theta': 0.5}, steps=4)


def test_the_root_of_a_power_in_place_is_a_new_array():
    def rule(params, states, hyperparams):
        for p in params:
            g = p.grad
            g **= 2
            p[:] -= 0.1 * g + 0.01 * p.grad
    compare(rule, None, {}, steps=4)


def test_hyperparams_in_a_nested_function_may_be_set():
    class Key:
        T = 't'

    def rule(params, states, hyperparams):
        norm = nd.sqrt(sum((p.grad ** 2).sum() * hyperparams['lr'] for p in params))
        for p in params:
            p[:] -= hyperparams['lr'] * p.grad / norm
        hyperparams['t'] = hyperparams['t'] + 1
        hyperparams[Key.T] = hyperparams[Key.T] + 1
    compare(rule, None, {'lr': 0.1, 't': 1}, steps=4)


Rates = collections.namedtuple('Rates', 'lr t')


def test_a_namedtuple_of_the_hyperparameters():
    def rule(params, states, hyperparams):
        rates = Rates(**hyperparams)
        for p in params:
            p[:] -= rates.lr / rates.t * p.grad
    compare(rule, None, {'lr': 0.1, 't': 3}, steps=3)


@pytest.mark.parametrize('what', [lambda *given: given[0], lambda *given: given, lambda *given: (given[2], given[1])])
def test_a_rule_may_return_its_arguments(airfoil, what):
    def rule(params, states, hyperparams):
        for p in params:
            p[:] -= 0.1 * p.grad
        return what(params, states, hyperparams)
    params, states, hyperparams = parameters(((1,),)), [nd.zeros(1)], {'lr': 0.1}
    returned, expected = hybridize(rule)(params, states, hyperparams), what(params, states, hyperparams)
    assert returned is expected or len(returned) == len(expected) and all(map(operator.is_, returned, expected))
    gb.train_ch7(rule, None, {}, *airfoil, num_epochs=1, hybridize=True, plot=False)


@pytest.mark.parametrize('what', [lambda params: params[0].grad.norm(), lambda params: (params, 0.1)])
def test_anything_else_that_a_rule_returns_is_nothing_to_a_training(airfoil, what):
    def rule(params, states, hyperparams):
        for p in params:
            p[:] -= 0.1 * p.grad
        return what(params)
    gb.train_ch7(rule, None, {}, *airfoil, num_epochs=1, hybridize=True, plot=False)
    with pytest.raises(UntraceableError, match='returns something else than its arguments'):
        hybridize(rule)(parameters(((1,),)), None, {})


def test_a_hybridized_rule_in_another_is_named():
    fast = hybridize(adam)

    def rule(params, states, hyperparams):
        fast(params, states, hyperparams)
    with pytest.raises(UntraceableError, match='refers to `fast`, which is hybridized already'):
        hybridize(rule)(parameters(SHAPES[0]), init_adam_states(), {'lr': 0.1, 't': 1})


def test_several_numbers_at_once_are_refused():
    def rule(params, states, hyperparams):
        part, whole = math.modf(hyperparams['t'] / 10)
        params[0][:] -= part * params[0].grad
    with pytest.raises(UntraceableError, match='computes a tuple from a hyperparameter'):
        hybridize(rule)(parameters(((1,),)), None, {'t': 1})


def test_an_array_of_the_rules_own_is_named_also_beside_a_hyperparameter():
    def rule(params, states, hyperparams):
        params[0][:] -= (hyperparams['lr'] * nd.array([1.0, 2.0])).sum()
    with pytest.raises(UntraceableError, match='neither parameter, gradient nor state'):
        hybridize(rule)(parameters(((1,),)), None, {'lr': 0.1})
