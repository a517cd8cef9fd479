"""An ensemble's run k is the single run with seed k, for every rule; what would mix the runs is refused."""
import numpy as np
import pytest

import chapter_adam as gb
from chapter_adam.compat import mxnet

nd = mxnet.nd
SECTION = {'lr': 0.01, 't': 1}


@pytest.fixture(scope='module')
def data(airfoil_arrays):
    """A hundred rows and three, so that an epoch has a short last batch."""
    features, labels = airfoil_arrays
    return features[:103], labels[:103]


def single(rule, states, hyperparams, data, **options):
    return gb.train_ch7(rule, states, hyperparams, *data, hybridize=True, plot=False, **options)


def equals(run, ensemble, k):
    assert np.allclose(run.losses, ensemble.losses[:, k], rtol=0, atol=1e-5)
    assert np.allclose(run.weights, ensemble.weights[k], rtol=0, atol=1e-5)
    assert run.bias == pytest.approx(ensemble.biases[k], abs=1e-5)
    assert run.epochs == tuple(ensemble.epochs)


@pytest.mark.parametrize('name, options', [
    *[(name, {}) for name in gb.RULES], ('adam', {'batch_size': 7, 'record_every': None})], ids=str)
def test_run_k_is_the_single_run_with_seed_k(data, name, options):
    rule, init_states = gb.RULES[name]
    runs = gb.train_ensemble(rule, init_states(), SECTION, *data, seeds=[3, 11, 4], **options)
    equals(single(rule, init_states(), SECTION, data, seed=4, **options), runs, 2)


def test_a_batch_of_all_examples_whose_bias_has_no_gradient_but_rounding(data):
    """Adam makes that a full step: it has to be summed as in the single run."""
    options, centred = {'batch_size': 200, 'num_epochs': 5}, [array - array.mean(axis=0) for array in data]
    runs = gb.train_ensemble(gb.adam, gb.init_adam_states(), SECTION, *centred, seeds=[5], **options)
    equals(single(gb.adam, gb.init_adam_states(), SECTION, centred, seed=5, **options), runs, 0)


@pytest.mark.parametrize('name, hyperparams', [
    ('sgd', {'learning_rate': 0.05, 'momentum': 0.9}), ('nadam', {}),
    ('adam', {'lr_scheduler': mxnet.lr_scheduler.FactorScheduler(step=5, factor=0.5, base_lr=0.1)})],
    ids=['momentum', 'nadam', 'scheduler'])
def test_gluon_run_k_is_the_single_gluon_run(data, name, hyperparams):
    runs = gb.train_gluon_ensemble(name, hyperparams, *data, seeds=[3, 4], full_division=True)
    equals(gb.train_gluon_ch7(name, hyperparams, *data, seed=4, full_division=True, plot=False), runs, 1)


def test_runs_in_several_parts_are_those_of_one_part(data, monkeypatch):
    def losses(seeds=range(8), **options):
        trained = (gb.train_ensemble(gb.adam, gb.init_adam_states(), rates, *data, seeds=seeds, **options),
                   gb.train_gluon_ensemble('adam', {}, *data, seeds=seeds))
        return [runs.losses for runs in trained]
    told, rates = [], {'lr': np.linspace(0.01, 0.05, 8), 't': 1}
    expected = losses()
    monkeypatch.setattr('chapter_adam.many.models.RUNS_AT_ONCE', 3)
    np.testing.assert_allclose(losses(watch=told.append), expected, rtol=0, atol=1e-6)
    assert told == sorted(told) and told[-1] == 8


def test_a_state_that_is_set_to_a_number_is_every_runs(data):
    def rule(params, states, hyperparams):
        gb.adam(params, states, hyperparams)
        for v, _ in states:
            v[:] = 0
    runs = gb.train_ensemble(rule, gb.init_adam_states(), SECTION, *data, seeds=[3, 4])
    equals(single(rule, gb.init_adam_states(), SECTION, data, seed=4), runs, 1)


def test_a_hyperparameter_per_run_keeps_double_precision(data):
    """1 - beta2 ** t at beta2 = 1 - 1e-9 is 0 in float32."""
    values = [0.9, 0.999, 1 - 1e-9]
    states, hyperparams = gb.init_adam_states(), {**SECTION, 'beta2': values}
    runs = gb.train_ensemble(gb.adam, states, hyperparams, *data, seeds=[5] * 3)
    assert hyperparams == {**SECTION, 'beta2': values} and not any(s.asnumpy().any() for pair in states for s in pair)
    for k, beta2 in enumerate(values):
        equals(single(gb.adam, gb.init_adam_states(), {**SECTION, 'beta2': beta2}, data, seed=5), runs, k)


def test_the_runs_that_diverge_are_those_that_diverge_alone(airfoil_arrays):
    """Even where the loss of all examples together is barely too large for float32."""
    seeds = (102, 105, 108)
    runs = gb.train_ensemble(gb.sgd, None, {'lr': 1.1}, *airfoil_arrays, seeds=seeds)
    assert runs.diverged == seeds[1:]
    single(gb.sgd, None, {'lr': 1.1}, airfoil_arrays, seed=seeds[0])
    for seed in seeds[1:]:
        with pytest.raises(gb.DivergenceError):
            single(gb.sgd, None, {'lr': 1.1}, airfoil_arrays, seed=seed)


def test_a_run_that_diverges_is_named_and_disturbs_no_other(data):
    runs = gb.train_ensemble(gb.sgd, None, {'lr': [0.01, 1e30]}, *data, seeds=[8, 9])
    assert runs.diverged == (9,)
    equals(single(gb.sgd, None, {'lr': 0.01}, data, seed=8), runs, 0)
    with pytest.raises(ValueError, match='all 1 runs diverged'):
        gb.train_ensemble(gb.sgd, None, {'lr': 1e30}, *data, seeds=[9]).quantiles([0.5])


def shows_the_shapes_of_one(params, states, hyperparams):
    w, b = params
    (v_w, _), (v_b, _) = states
    assert [a.shape for a in (w, b, w.grad, b.grad, v_w, v_b)] == [(5, 1), (1,)] * 3
    assert (w.ndim, w.size, len(w), (w * b).shape, (2 * w.grad).shape, type(w)) == (2, 5, 5, (5, 1), (5, 1), nd.NDArray)
    gb.adam(params, states, hyperparams)


def keeps_an_array_of_its_own(params, states, hyperparams):
    for p, scale in zip(params, (nd.arange(5).reshape((5, 1)) / 10, nd.array([0.3]))):
        p[:] = p - hyperparams['lr'] * scale * p.grad


@pytest.mark.parametrize('rule', [shows_the_shapes_of_one, keeps_an_array_of_its_own])
def test_a_rule_cannot_tell_that_it_has_company(data, rule):
    runs = gb.train_ensemble(rule, gb.init_adam_states(), SECTION, *data, seeds=[1, 2])
    equals(single(rule, gb.init_adam_states(), SECTION, data, seed=2), runs, 1)


def normed(params, states, hyperparams):
    for p in params:
        p[:] = p - hyperparams['lr'] * p.grad / p.grad.norm()  # the culprit


def read(params, states, hyperparams):
    for p in params:
        if (p.grad > 0).asnumpy().all():  # the culprit
            p[:] = p - hyperparams['lr']


def viewed(params, states, hyperparams):
    for p in params:
        p.reshape((-1,))[:] = 0  # the culprit


@pytest.mark.parametrize('rule, word', [(normed, 'norm'), (read, 'value'), (viewed, 'memory')])
def test_what_would_mix_the_runs_is_refused_with_its_line(data, rule, word):
    with pytest.raises(TypeError, match=rf'test_ensembles.py, line \d+ `.*# the culprit`: .*{word}.*train_ch7'):
        gb.train_ensemble(rule, None, {'lr': 0.01}, *data, seeds=[1, 2])


def test_a_gluon_optimiser_that_is_not_known_to_work_number_by_number_is_refused(data):
    with pytest.raises(ValueError, match='train_gluon_ch7'):
        gb.train_gluon_ensemble('lamb', {}, *data, seeds=[1, 2])


def test_an_optimiser_of_the_readers_is_refused(data):
    class Adam(mxnet.optimizer.SGD):
        """Replaces MXNet's own of this name, and looks at whole arrays."""
        def update(self, index, weight, grad, state):
            super().update(index, weight, grad / grad.norm(), state)

    registry, before = mxnet.optimizer.Optimizer.opt_registry, mxnet.optimizer.Adam
    registry['adam'] = Adam
    try:
        with pytest.raises(ValueError, match='one by one with train_gluon_ch7'):
            gb.train_gluon_ensemble('adam', {}, *data, seeds=[1, 2])
    finally:
        registry['adam'] = before


@pytest.mark.parametrize('call, match', [
    (lambda data: gb.train_ensemble(gb.adam, gb.init_adam_states(), SECTION, *data, hybridize=True), 'since version 2'),
    (lambda data: gb.train_gluon_ensemble('adam', {}, *data, hybridize=False), 'since version 2'),
    (lambda data: gb.train_ensemble(gb.adam, gb.init_adam_states(), SECTION, *data, seed=3), "argument 'seed'"),
    (lambda data: gb.train_ensemble(gb.adam, None, {'lr': [0.1, 0.2], 't': 1}, *data, seeds=range(3)), 'of the 3 runs'),
    (lambda data: gb.train_ensemble(gb.adam, None, {'lr': [0.1, -1], 't': 1}, *data, seeds=range(2)), 'above 0'),
    (lambda data: gb.train_ensemble(gb.adam, None, SECTION, *data, seeds=[]), 'at least one seed'),
    (lambda data: gb.train_ensemble(gb.adam, None, SECTION, *data, watch=5), 'watch must be a function'),
    (lambda data: gb.init_adam_states(10 ** 12), 'feature_dim must be a whole number of at most')])
def test_wrong_arguments_are_named(data, call, match):
    with pytest.raises((TypeError, ValueError), match=match):
        call(data)


def test_an_ensemble_as_data():
    losses = np.array([[0.5, 0.5, 0.5], [0.3, 0.2, np.nan]])
    runs = gb.Ensemble(losses, np.array([0.0, 2.0]), (0, 1, 2), np.zeros((3, 5)), np.zeros(3), 0.1)
    assert runs.diverged == (2,) and runs.quantiles([0.5]).tolist() == [[0.5, 0.25]]
    assert '"losses": [[0.5, 0.3], [0.5, 0.2], [0.5, null]]' in runs.to_json()


def test_an_ensemble_that_fails_leaves_no_trace(data):
    def rule(params, states, hyperparams):
        for p, (v, s) in zip(params, states):
            g = p.grad * 0.5
            p[:] = p - hyperparams['lr'] * g
            g[:] = v
            hyperparams['missing']

    settings = {'lr': 0.1, 'missing': 1}
    with pytest.raises(ValueError, match='missing') as kept:  # with the frame that holds g
        gb.train_ensemble(rule, gb.init_adam_states(), {'lr': 0.1}, *data, seeds=[1, 2])
    runs = gb.train_ensemble(rule, gb.init_adam_states(), settings, *data, seeds=[1, 2])
    equals(single(rule, gb.init_adam_states(), settings, data, seed=2), runs, 1)
    del kept


def test_a_call_that_is_repeated_gives_the_same_to_the_last_digit(data):
    """The first in a process, whose operators are new, too."""
    def rule(params, states, hyperparams):
        for p, (v, s) in zip(params, states):
            s[:] = 0.75 * s + 0.25 * p.grad.abs()
            p[:] = p - hyperparams['lr'] * p.grad / (s + 0.125).sqrt()

    first, second = (gb.train_ensemble(rule, gb.init_adam_states(), SECTION, *data, seeds=range(20)) for _ in range(2))
    assert (first.losses == second.losses).all() and (first.weights == second.weights).all()
