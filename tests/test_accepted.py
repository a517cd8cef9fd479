"""What the book's own loop accepts: each call and the plain one that gives the same curve."""
from collections import defaultdict

import mxnet
import numpy as np
import pytest
from mxnet import gluon, nd, npx

import chapter_adam as gb
from chapter_adam.book import run_gluon, run_scratch

SECTION = {'lr': 0.01, 't': 1}


@pytest.fixture
def data(airfoil_arrays):
    return [array[:63] for array in airfoil_arrays]


def scheduled(params, states, hyperparams):
    gb.sgd(params, states, {'lr': hyperparams['lr'](hyperparams['t'])})
    hyperparams['t'] += 1


def constant(params, states, hyperparams):
    gb.sgd(params, states, {'lr': 0.1})


def of_a_dict(params, states, hyperparams):
    pairs = [(states[key]['mean'][0], states[key]['square']) for key in 'wb']
    states['steps'] += 1
    gb.adam(params, pairs, {'lr': hyperparams['rates'][0], 't': states['steps']})


def with_betas(params, states, hyperparams):
    beta1, beta2 = hyperparams['betas']
    gb.adam(params, states, {**{key: hyperparams[key] for key in ('lr', 't')}, 'beta1': beta1, 'beta2': beta2})
    hyperparams['t'] += 1


def nested():
    (v_w, s_w), (v_b, s_b) = gb.init_adam_states()
    return {'w': {'mean': [v_w, 7], 'square': s_w}, 'b': {'mean': [v_b, None], 'square': s_b}, 'steps': 0}


@pytest.mark.parametrize('hybridize', [False, True], ids=['eager', 'hybridized'])
@pytest.mark.parametrize('rule, states, hyperparams, plain', [
    (scheduled, None, {'lr': lambda t: 0.1, 't': 1}, constant),
    (gb.sgd, None, {'lr': nd.array([0.1])}, constant),
    (gb.sgd, None, {'lr': np.float64(0.1)}, constant),
    (of_a_dict, nested, {'rates': [0.01, 'unused']}, gb.adam),
    (with_betas, gb.init_adam_states, {**SECTION, 'betas': (0.9, 0.999)}, gb.adam),
    (gb.sgd, None, defaultdict(lambda: 0.1), constant)],
    ids=['a schedule', 'an NDArray', 'a NumPy number', 'a dict of lists', 'a tuple', 'a class'])
def test_states_and_hyperparameters_of_any_form(data, rule, states, hyperparams, plain, hybridize):
    run = run_scratch(rule, states and states(), hyperparams, *data, hybridize=hybridize)
    assert run.losses == run_scratch(plain, gb.init_adam_states(), SECTION, *data).losses


def test_a_tuple_is_one_value_for_all_runs_and_a_list_is_one_for_each(data):
    runs = gb.train_ensemble(with_betas, gb.init_adam_states(), {**SECTION, 'betas': (0.9, 0.999)}, *data, seeds=[4, 5])
    alone = [run_scratch(gb.adam, gb.init_adam_states(), SECTION, *data, seed=seed).losses for seed in (4, 5)]
    np.testing.assert_allclose(runs.losses.T, alone, atol=1e-6)


@pytest.mark.parametrize('hybridize', [False, True], ids=['eager', 'hybridized'])
def test_an_optimiser_itself_which_stays_as_it_is(data, hybridize):
    scheduler = mxnet.lr_scheduler.FactorScheduler(step=5, factor=0.5, base_lr=0.02)
    optimizer = mxnet.optimizer.Adam(learning_rate=0.02, lr_scheduler=scheduler)
    by_name = run_gluon('adam', {'learning_rate': 0.02, 'lr_scheduler': scheduler}, *data, hybridize=hybridize)
    for arguments in ({}, None):
        run = run_gluon(optimizer, arguments, *data, hybridize=hybridize)
        assert run.losses == by_name.losses and run.settings['rule'] == 'adam'
    runs = gb.train_gluon_ensemble(optimizer, {}, *data, seeds=[0])
    np.testing.assert_allclose(runs.losses[:, 0], by_name.losses, atol=1e-6)
    assert optimizer.num_update == 0 and scheduler.base_lr == 0.02
    with pytest.raises(ValueError, match='beside an optimiser'):
        run_gluon(optimizer, {'learning_rate': 1}, *data)


@pytest.mark.parametrize('hybridize', [False, True], ids=['eager', 'hybridized'])
def test_after_set_np(data, hybridize):
    expected = run_scratch(gb.adam, gb.init_adam_states(), SECTION, *data).losses
    npx.set_np()
    try:
        rows, options = gb.get_data_ch7(n=63), {'hybridize': hybridize, 'plot': False}
        scratch = gb.train_ch7(gb.adam, gb.init_adam_states(), SECTION, *rows, **options)
        ours = gb.train_gluon_ch7('adam', {'learning_rate': 0.01}, *rows, **options)
        runs = gb.train_gluon_ensemble('adam', {'learning_rate': 0.01}, *rows, seeds=[0])
        assert mxnet.util.is_np_array() and isinstance(gluon.nn.Dense(1).weight, gluon.Parameter)
    finally:
        npx.reset_np()
    assert scratch.losses == expected
    for losses in (ours.losses, runs.losses[:, 0]):
        np.testing.assert_allclose(losses, expected, atol=2e-5)
