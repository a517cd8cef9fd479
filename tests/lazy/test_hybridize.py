"""`hybridize` for loops of a reader's own: each call does what the bare rule does, on whatever arrays."""
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import chapter_adam as gb
from chapter_adam.book import run_scratch
from chapter_adam.compat import mxnet

nd = mxnet.nd


def start(shapes, seed=0):
    """Parameters with gradients, and two states each."""
    draws = np.random.default_rng(seed)
    params = [nd.array(draws.normal(size=shape)) for shape in shapes]
    for p in params:
        p.attach_grad()
    return params, [[nd.array(draws.uniform(0.1, 1, shape)) for _ in range(2)] for shape in shapes]


def steps(rule, params, states, hyperparams, count=4, seed=1):
    """All numbers after each of some calls with gradients drawn from the seed."""
    draws, after = np.random.default_rng(seed), []
    for _ in range(count):
        for p in params:
            p.grad[:] = nd.array(draws.normal(size=p.shape))
        rule(params, states, hyperparams)
        arrays = [*params, *(p.grad for p in params), *(s for pair in states for s in pair)]
        after.append([array.asnumpy() for array in arrays])
    return after


def same(one, other):
    return all(np.array_equal(a, b, equal_nan=True) for x, y in zip(one, other) for a, b in zip(x, y))


def check(make_rule, shapes, hyperparams):
    bare, fast = dict(hyperparams), dict(hyperparams)
    assert same(steps(make_rule(), *start(shapes), bare), steps(gb.hybridize(make_rule()), *start(shapes), fast))
    assert bare == fast


def passes_on(params, states, hyperparams):
    for p, (v, s) in zip(params, states):
        v[:], s[:] = p, v
        p[:] = p - 0.5 * p.grad


@pytest.mark.parametrize('rule', [gb.adam, passes_on])
@pytest.mark.parametrize('shapes', [[(1,)], [(2, 3, 4), (1, 1)], [(5, 1), (1,), (2, 2)]], ids=str)
def test_arrays_of_any_shape(shapes, rule):
    check(lambda: rule, shapes, {'lr': 0.01, 't': 1})


def test_one_function_for_many_shapes_and_dicts():
    fast = gb.hybridize(gb.adam)
    for shapes in ([(3,)], [(4, 4), (2,)], [(3,)]):
        expected, found = (steps(rule, *start(shapes), {'lr': 0.1, 't': 5}) for rule in (gb.adam, fast))
        assert same(expected, found)
    assert gb.hybridize(fast) is fast and fast.__name__ == 'adam'


def moves_both(params, states, hyperparams):
    for p, (v, s) in zip(params, states):
        v[:] = 0.5 * v + p.grad
        s[:] = s + v
        p[:] = p - hyperparams['lr'] * (s + p.grad)


@pytest.mark.parametrize('share', [lambda p, s: s, lambda p, s: s[0:4], lambda p, s: p.grad.reshape((4,))],
                         ids=['one object', 'a view', 'a gradient'])
def test_arrays_that_share_memory(share):
    def run(rule):
        params, states = start([(4,), (4,)])
        states[0][1] = states[1][0] = share(params[0], states[0][0])
        return steps(rule, params, states, {'lr': 0.1})
    assert same(run(moves_both), run(gb.hybridize(moves_both)))


@pytest.mark.parametrize('how', ['writes', 'reads', 'NumPy', 'meets'])
def test_a_view_of_a_parameter_made_long_before(how):
    def run(wrap):
        params, states = start([(4,)])
        view = params[0][1:3] if how in ('reads', 'NumPy') else params[0].reshape((4,))

        def rule(params, states, hyperparams):
            p = params[0]
            p[:] = p - 0.1 * p.grad
            if how == 'writes':
                view[:] = p * 2
            if how == 'meets':
                p[:] = p + view
            else:
                p[:] = p + (view.sum() if how != 'NumPy' else float(view.asnumpy().sum())) * 0.25
        return steps(wrap(rule), params, states, {})
    with pytest.warns(UserWarning, match='memory of a parameter or state is used in another way') as said:
        found = run(gb.hybridize)
    assert len(said) == 1 and same(run(lambda rule: rule), found)


def test_arrays_of_other_types_and_rules_without_arrays():
    def rule(params, states, hyperparams):
        hyperparams['t'] += 1
        params[0][:] = params[0] - 0.5 * params[0].grad
        return hyperparams['t']
    p = nd.ones(3, dtype='float64')
    p.attach_grad()
    p.grad[:] = 1
    hyperparams = {'t': 1}
    hyperparams['me'] = [hyperparams]
    assert gb.hybridize(rule)([p], None, hyperparams) == 2
    assert p.asnumpy().tolist() == [0.5] * 3
    assert gb.hybridize(lambda *_: 'done')([], None, {}) == 'done'


def test_gradients_of_other_types_and_shapes():
    def rule(params, states, hyperparams):
        for p in params:
            p[:] = p * 0.5 - 0.1
    sparse, reshaped = nd.ones((3, 1)), nd.ones((3, 1))
    sparse.attach_grad(stype='row_sparse')
    mxnet.autograd.mark_variables([reshaped], [nd.zeros(3)])
    gb.hybridize(rule)([sparse, reshaped], None, {})
    assert sparse.asnumpy().tolist() == reshaped.asnumpy().tolist() == [[pytest.approx(0.4)]] * 3
    assert (sparse.grad.stype, reshaped.grad.shape) == ('row_sparse', (3,))


def test_an_error_is_the_rules_own_and_keeps_what_was_done_before():
    def rule(params, states, hyperparams):
        params[0][:] = 7
        hyperparams['missing']
    (p,), _ = start([(3,)])
    with pytest.raises(KeyError, match='missing'):
        gb.hybridize(rule)([p], None, {})
    assert p.asnumpy().tolist() == [7, 7, 7]


# Random rules: straight-line programs over the parameter, its gradient, two states, numbers, and what was kept.
OPERATIONS = [lambda a, b, n: a + b, lambda a, b, n: a - n * b, lambda a, b, n: n - a, lambda a, b, n: a * b / (1 + n),
              lambda a, b, n: n / (a * a + 1), lambda a, b, n: nd.maximum(a, n), lambda a, b, n: a.square() + b.abs(),
              lambda a, b, n: (a.abs() + n).sqrt(), lambda a, b, n: nd.minimum(a, b), lambda a, b, n: a.sign() * b,
              lambda a, b, n: (a > b) * a, lambda a, b, n: a.clip(-n, n), lambda a, b, n: a.copy() - b.mean(),
              lambda a, b, n: a ** 2 - b, lambda a, b, n: nd.where(a < 0, a, b)]
LINES = st.lists(st.tuples(st.sampled_from(range(len(OPERATIONS))), st.integers(0, 20), st.integers(0, 20),
                           st.sampled_from([0.5, 1.0, 0.125, 't']),
                           st.sampled_from([None, 0, 1, 2, 'left', 'kept'])), max_size=12)


def program(lines):
    kept = []

    def rule(params, states, hyperparams):
        hyperparams['t'] += 1
        for p, (v, s) in zip(params, states):
            values = [p, p.grad, v, s, *(array for array in kept if array.shape == p.shape)]
            for at, left, right, number, target in lines:
                first = values[left % len(values)]
                value = OPERATIONS[at](first, values[right % len(values)],
                                       1 / hyperparams['t'] if number == 't' else number)
                values.append(value)
                if target == 'kept':
                    kept[:] = [*kept[-3:], value]
                elif target is not None:
                    (first if target == 'left' else (p, v, s)[target])[:] = value
            p[:] = p - 0.01 * values[-1]
    return rule


def test_no_operation_is_taken_for_another():
    """The shortcuts of an operator are its own, and those of its operands."""
    todo = [(operation, left, right) for operation in OPERATIONS for left in range(4) for right in range(4)]

    def rule(params, states, hyperparams):
        operation, left, right = todo[hyperparams['t']]
        (p,), ((v, s),) = params, states
        arrays = p, p.grad, v, s
        v[:] = operation(arrays[left], arrays[right], 0.5) * 0.1
        hyperparams['t'] += 1
    bare, fast = (steps(each, *start([(2,)]), {'t': 0}, count=len(todo)) for each in (rule, gb.hybridize(rule)))
    assert same(bare, fast)


@settings(max_examples=20, deadline=None)
@given(LINES)
def test_random_rules_equal_themselves(lines):
    check(lambda: program(lines), [(3, 1), (1,)], {'t': 1})


@settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))
@given(lines=LINES)
def test_random_rules_in_a_training(few_rows, lines):
    def outcome(hybridize):
        try:
            run = run_scratch(program(lines), gb.init_adam_states(), {'t': 1}, *few_rows, num_epochs=1,
                              record_every=None, hybridize=hybridize)
            return run.weights, run.bias
        except (ArithmeticError, ValueError) as error:
            return str(error)
    assert outcome(True) == outcome(False)
