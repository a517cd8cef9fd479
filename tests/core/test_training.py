"""The training as a whole: what it computes, when it records the loss, what it draws and what it leaves alone."""
import random

import mxnet
import numpy as np
import oracle
import pytest
from hypothesis import given, settings, strategies
from mxnet import nd

import chapter_adam as gb
from chapter_adam.book import run_gluon, run_scratch
from chapter_adam.core.training import Draws, stretches

SECTION = {'lr': 0.01, 't': 1}


def scratch(data, rule=gb.adam, states=None, hyperparams=None, **options):
    hyperparams = SECTION if hyperparams is None else hyperparams
    return run_scratch(rule, states or gb.init_adam_states(), hyperparams, *data, **options)


def gluon(data, **options):
    return run_gluon('adam', {'learning_rate': 0.01}, *data, **options)


def sgd(params, _states, hyperparams):
    for p in params:
        p[:] = p - hyperparams['lr'] * p.grad


BOTH = pytest.mark.parametrize('train', [scratch, gluon])
EITHER_WAY = pytest.mark.parametrize('hybridize', [False, True], ids=['eager', 'hybridized'])


@pytest.fixture(scope='module')
def few(airfoil_arrays):
    """Ten minibatches of ten, and one of three."""
    return [array[:103] for array in airfoil_arrays]


# What it computes

@pytest.mark.parametrize('rows, seed, batch_size, num_epochs, hybridize', [
    (1503, 0, 10, 2, True), (203, 2023, 7, 2, False), (203, 4, 203, 5, False), (31, 5, 1, 1, False)])
def test_the_curve_is_that_of_the_algorithm_in_float64(airfoil_arrays, rows, seed, batch_size, num_epochs, hybridize):
    data, batches = [array[:rows] for array in airfoil_arrays], -(-rows // batch_size)
    run = scratch(data, seed=seed, batch_size=batch_size, num_epochs=num_epochs, hybridize=hybridize)
    reference = oracle.train(*data, seed, batch_size=batch_size, num_epochs=num_epochs)
    steps = [int(epochs) * batches + -(-round(epochs % 1 * rows) // batch_size) for epochs in run.epochs]
    assert steps[-1] == len(reference) - 1
    assert np.abs(run.losses - reference[steps]).max() < 5e-6


def test_the_published_losses_are_ordinary(airfoil):
    finals = [scratch(airfoil, seed=seed, record_every=None, hybridize=True).losses[-1] for seed in range(5)]
    assert all(0.2421 < final < 0.2570 for final in finals)


@BOTH
@EITHER_WAY
def test_weights_and_bias_are_those_of_the_last_loss(few, train, hybridize):
    """Labels far from 0, so that a bias with the wrong sign is far from this loss."""
    features, labels = few[0], few[1] + 2
    run = train([features, labels], batch_size=30, hybridize=hybridize)
    errors = features @ np.array(run.weights) + run.bias - labels
    assert np.mean(errors ** 2) / 2 == pytest.approx(run.losses[-1], rel=1e-5)


def test_other_numbers_of_features():
    x = np.random.default_rng(0).normal(size=(100, 3))
    run = scratch([x, x @ [0.5, -1, 2]], gb.momentum, gb.init_momentum_states(3), {'lr': 0.05}, num_epochs=9)
    assert run.losses[-1] < 1e-3 and run.weights == pytest.approx([0.5, -1, 2], abs=0.05)


# When it records the loss

def test_the_books_curve_has_31_points(airfoil):
    examples = [0, *range(100, 1501, 100), *range(1603, 2904, 100), 3006]
    run = scratch(airfoil, hybridize=True)
    assert len(run.losses) == 31 and run.epochs == pytest.approx([n / 1503 for n in examples])


@settings(deadline=None, max_examples=100)
@given(n=strategies.integers(1, 300), size=strategies.integers(1, 300), num_epochs=strategies.integers(1, 4),
       every=strategies.none() | strategies.integers(1, 400))
def test_every_example_is_seen_once_an_epoch_and_every_crossing_recorded(n, size, num_epochs, every):
    """But for a crossing that only a short last batch separates from the end, whose record stands for both."""
    size, seen, total, recorded, crossings = min(size, n), 0, n * num_epochs, [], []
    plan = list(stretches(n, size, num_epochs, every))
    assert len(plan) == num_epochs
    for parts in plan:
        assert [bounds for part in parts for bounds in part.batches(size)] == [
            (start, min(start + size, n)) for start in range(0, n, size)]
        for part in parts:
            for start, stop in part.batches(size):
                seen += stop - start
                crossings += [seen] * bool(every and seen // every > (seen - stop + start) // every)
            recorded += [seen] * part.record
    assert recorded == sorted({*(seen for seen in crossings if total - seen >= size), total})


@BOTH
@EITHER_WAY
def test_looking_changes_no_number(few, train, hybridize):
    """Neither at more or fewer records, nor by a progress bar."""
    seen = []
    looked = [train(few, record_every=every, watch=watch, hybridize=hybridize) for every, watch in
              [(10, None), (None, None), (100, lambda *record: seen.append(record))]]
    assert len({(run.weights, run.bias, run.losses[-1]) for run in looked}) == 1
    assert seen == list(zip(looked[2].epochs, looked[2].losses))


# What it draws

@BOTH
def test_one_seed_is_one_curve_and_none_is_a_fresh_one_that_can_be_repeated(few, train):
    first, second, fresh, other = (train(few, num_epochs=1, seed=seed) for seed in (7, 7, None, None))
    assert first.curve() == second.curve()
    assert len({first.losses, fresh.losses, other.losses}) == 3
    assert train(few, num_epochs=1, seed=fresh.settings['seed']).curve() == fresh.curve()


@BOTH
def test_global_generators_are_neither_read_nor_moved(few, train):
    def seed_all(value):
        np.random.seed(value)
        random.seed(value)
        mxnet.random.seed(value)

    def next_of_all():
        return np.random.rand(), random.random(), float(nd.random.uniform().asscalar())

    seed_all(1)
    one, after = train(few, num_epochs=1), next_of_all()
    seed_all(1)
    assert after == next_of_all()
    seed_all(2)
    assert train(few, num_epochs=1).losses == one.losses


def test_the_start_is_normal_and_each_epoch_has_its_own_order():
    draws = Draws(0)
    w, b = draws.start(20_000)
    assert w.shape == (20_000, 1) and b.tolist() == [0]
    assert w.mean() == pytest.approx(0, abs=3e-4) and w.std() == pytest.approx(0.01, rel=0.03)
    first, second = draws.order(1503), draws.order(1503)
    assert sorted(first) == sorted(second) == list(range(1503)) and (first != second).any()


# What it leaves alone, and what may be passed

@EITHER_WAY
def test_data_states_and_hyperparameters_of_the_caller_stay_as_they_are(few, hybridize):
    def rule(params, states, hyperparams):
        hyperparams['diary'].append(0)
        hyperparams['rates']['lr'] *= 0.99
        gb.adam(params, states, {'lr': hyperparams['rates']['lr'], 't': len(hyperparams['diary'])})
    data, states = [nd.array(array) for array in few], gb.init_adam_states()
    hyperparams = {'diary': [], 'rates': {'lr': 0.05}}
    first, again = (scratch(data, rule, states, hyperparams, hybridize=hybridize) for _ in range(2))
    assert first.losses == again.losses and hyperparams == {'diary': [], 'rates': {'lr': 0.05}}
    assert not any(state.asnumpy().any() for pair in states for state in pair)
    assert all((array.asnumpy() == before).all() for array, before in zip(data, few))


@EITHER_WAY
def test_one_state_that_both_parameters_and_the_hyperparameters_share_stays_one(few, hybridize):
    """As in the book's own loop: one clock for weights and bias."""
    def rule(params, states, hyperparams):
        for p, (clock,) in zip(params, states):
            clock[:] = clock + 1
            p[:] = p - hyperparams['lr'] / clock.asscalar() * p.grad
        clocks.append([clock.asscalar() for clock in (*states[0], *states[1], hyperparams['clock'])])
    clocks, clock, rows = [], nd.zeros(1), [array[:20] for array in few]
    scratch(rows, rule, [[clock], [clock]], {'lr': 0.1, 'clock': clock}, num_epochs=1, hybridize=hybridize)
    assert clocks == [[2, 2, 2], [4, 4, 4]] and clock.asscalar() == 0


def test_hyperparameters_have_any_keys_and_values(few):
    def rule(params, states, hyperparams):
        rate = hyperparams[0](next(hyperparams['steps'])) * hyperparams['scale']
        for p in params:
            p[:] = p - rate * p.grad
    runs = [scratch(few, rule, None, {0: lambda t: 0.1 / t, 'steps': steps, 'scale': nd.array([0.5])},
                    hybridize=hybridize)
            for hybridize in (False, True) for steps in (iter(range(1, 9999)), (t for t in range(1, 9999)))]
    assert len({run.losses for run in runs}) == 1 and runs[0].losses[-1] < runs[0].losses[0]


@pytest.mark.parametrize('convert', [
    lambda X, y: (X.astype(float), y.reshape(-1, 1)), lambda X, y: (X.tolist(), y.tolist()),
    lambda X, y: (nd.array(X), nd.array(y).reshape((-1, 1))), lambda X, y: (nd.array(X).as_np_ndarray(), y)],
    ids=['float64, a column of labels', 'lists', 'NDArrays', 'mx.np'])
def test_data_have_any_form(few, convert):
    rows = [array[:23] for array in few]
    assert scratch(convert(*rows), num_epochs=1).losses == scratch(rows, num_epochs=1).losses


def test_settings_say_what_was_run(few):
    said = scratch(few, hyperparams={'lr': np.float32(0.5), 't': np.int64(1)}, seed=5, batch_size=64).settings
    assert said == {**said, 'rule': 'adam', 'hyperparams': {'lr': 0.5, 't': 1}, 'seed': 5, 'batch_size': 64,
                    'num_epochs': 2, 'rows': 103, 'features': 5, 'record_every': 100, 'method': 'scratch',
                    'hybridize': False}
    said = gluon(few, full_division=True, hybridize=True).settings
    assert said == {**said, 'rule': 'adam', 'hyperparams': {'learning_rate': 0.01}, 'full_division': True,
                    'method': 'gluon', 'hybridize': True}


# How it fails

@EITHER_WAY
def test_a_run_that_diverges_names_the_step(few, hybridize):
    message = r'the loss is (nan|inf) after step 1 \(epoch 0\.04\); try a smaller'
    with pytest.raises(gb.DivergenceError, match=message):
        scratch(few, sgd, (), {'lr': 1e30}, batch_size=4, record_every=4, hybridize=hybridize)
    with pytest.raises(gb.DivergenceError, match=message):
        run_gluon('sgd', {'learning_rate': 1e30}, *few, batch_size=4, record_every=4, hybridize=hybridize)


def test_a_loss_beyond_float32_is_named_before_the_first_step(few):
    with pytest.raises(gb.DivergenceError, match='before the first step.* standardise'):
        scratch([1e30 * few[0], few[1]])


@pytest.mark.parametrize('states, error, message', [
    (None, TypeError, r'adam failed: .*not iterable; do the states .*; init_adam_states\(\) makes those of adam'),
    ([[nd.zeros((5, 1))], [nd.zeros(1)]], ValueError, 'adam failed: .*unpack.* states'),
    ((1, 2), TypeError, 'adam failed: .*unpack.* states'),
    ([[nd.zeros((3, 1)), nd.zeros((3, 1))]] * 2, ValueError, 'adam failed: .* states .*shapes'),
], ids=['None', 'too few', 'numbers', 'shapes'])
def test_states_that_do_not_fit_are_named(few, states, error, message):
    with pytest.raises(error, match=message):
        run_scratch(gb.adam, states, SECTION, *few)


@EITHER_WAY
def test_a_failure_of_the_rule_keeps_its_cause_and_a_key_that_it_misses_elsewhere_stays_its_own(few, hybridize):
    def broken(params, states, hyperparams):
        raise error
    error = IndexError('mine')
    with pytest.raises(ValueError, match='broken failed: .*line .*: mine') as failure:
        scratch(few, broken, hybridize=hybridize)
    assert failure.value.__cause__ is error
    for error in (KeyError('lr'), KeyError((2, 1)), KeyError(), ZeroDivisionError('mine')):
        with pytest.raises(type(error)) as failure:
            scratch(few, broken, hybridize=hybridize)
        assert failure.value is error
