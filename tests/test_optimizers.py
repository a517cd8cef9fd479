"""Adam's update itself: against a float64 oracle, in closed form, and against the mistakes that others made."""
import numpy as np
import oracle
import pytest
from mxnet import nd
from oracle import noisy_gradients

from chapter_adam import RULES, adam, init_adam_states

# float32 rounds a parameter near 1 by up to 6e-8 a step; measured over 50 steps: 4e-7. The nearest mutant is 6e-3 away.
FLOAT32 = 2e-6


def path_of(rule, gradients, start, states=None, **hyperparams):
    """The parameter after each step of `rule`, driven by the given gradients."""
    p = nd.array(start)
    p.attach_grad()
    states = states or (nd.zeros(p.shape), nd.zeros(p.shape))
    hyperparams = {'lr': 0.01, 't': 1, **hyperparams}
    path = []
    for g in gradients:
        p.grad[:] = nd.array(g)
        rule([p], [states], hyperparams)
        path.append(p.asnumpy())
    return np.array(path)


def distance(a, b):
    return np.abs(a - b).max()


@pytest.fixture(scope='module')
def gradients():
    return noisy_gradients()


@pytest.fixture(scope='module')
def start():
    return oracle.first_point()


@pytest.mark.parametrize('eps', [1e-8, 1e-6, 0.1])
def test_adam_follows_the_float64_oracle_at_every_step(gradients, start, eps):
    ours = path_of(adam, gradients, start, eps=eps)
    assert distance(ours, oracle.adam(gradients, start, eps=eps)) < FLOAT32


def test_adam_takes_the_sections_constants_where_none_are_given(gradients, start):
    # Small gradients, of eps's size: at 1e-6 and 1e-8 the paths are visibly apart, so the default shows.
    small = [1e-6 * g for g in gradients]
    ours = path_of(adam, small, start)
    assert distance(ours, oracle.adam(small, start, eps=1e-6)) < FLOAT32
    assert distance(ours, oracle.adam(small, start, eps=1e-8)) > 1e-2


@pytest.mark.parametrize('betas', [(0.0, 0.999), (0.9, 0.9), (0.5, 0.99), (0.0, 0.0)], ids=str)
def test_adam_with_other_betas_follows_the_oracle(gradients, start, betas):
    ours = path_of(adam, gradients, start, beta1=betas[0], beta2=betas[1])
    assert distance(ours, oracle.adam(gradients, start, beta1=betas[0], beta2=betas[1])) < FLOAT32


@pytest.mark.parametrize('eps, least, mutant', [
    pytest.param(1e-6, 0.3, {'move': oracle.uncorrected}, id='no bias correction'),
    pytest.param(1e-6, 2e-2, {'swapped': True}, id='betas swapped'),
    pytest.param(1e-6, 3e-3, {'move': oracle.late_clock}, id='clock starts at 2'),
    pytest.param(0.1, 1e-2, {'move': oracle.epsilon_hat}, id='eps-hat instead of eps'),
    pytest.param(0.1, 2e-3, {'move': oracle.epsilon_inside}, id='eps inside the root'),
])
def test_adam_is_not_the_mutant(gradients, start, eps, least, mutant):
    """Each of these was once published as Adam. `eps` is where the mutant shows: at 1e-6 the last two do not."""
    ours = path_of(adam, gradients, start, eps=eps)
    assert distance(ours, oracle.adam(gradients, start, eps=eps, **mutant)) > least


def test_first_step_is_the_learning_rate_against_the_sign():
    g = np.array([3, -0.5, 1e-2, -40], np.float32)
    assert path_of(adam, [g], np.zeros(4), lr=0.25)[0] == pytest.approx(-0.25 * np.sign(g), rel=1e-3)


def test_constant_gradient_moves_by_lr_g_over_g_plus_eps_each_step():
    g, eps = np.array([2.0, -0.3, 0.05], np.float32), 0.1
    path = path_of(adam, [g] * 100, np.zeros(3), eps=eps)
    exact = -0.01 * np.arange(1, 101)[:, None] * g / (np.abs(g) + eps)
    assert distance(path, exact) < 5e-6


def test_zero_gradient_moves_nothing():
    start = np.array([1.0, -2.0], np.float32)
    assert (path_of(adam, [np.zeros(2)] * 5, start) == start).all()


def test_no_step_is_longer_than_the_bound(gradients):
    """|step| <= lr (1 - beta1) / sqrt(1 - beta2) = 3.16 lr, nearly reached by one gradient after long silence."""
    silence = [np.zeros(1, np.float32)] * 2000
    steps = np.abs(np.diff(path_of(adam, [*silence, np.ones(1, np.float32)], np.zeros(1), eps=1e-12), axis=0))
    bound = 0.01 * 0.1 / np.sqrt(0.001)
    assert 0.8 * bound < steps.max() <= bound


@pytest.mark.parametrize('factor', [0.01, 128.0], ids=str)
def test_scaling_the_loss_changes_nothing_but_through_eps(gradients, start, factor):
    plain = path_of(adam, gradients, start, eps=0.0)
    assert distance(path_of(adam, [factor * g for g in gradients], start, eps=0.0), plain) < FLOAT32


def test_odd_in_the_gradient(gradients):
    zero = np.zeros((5, 1), np.float32)
    there, back = (path_of(adam, [sign * g for g in gradients], zero) for sign in (1, -1))
    assert (there == -back).all()


def test_coordinates_are_independent(gradients, start):
    together = path_of(adam, gradients, start)
    alone = path_of(adam, [g[2:3] for g in gradients], start[2:3])
    assert (together[:, 2:3] == alone).all()


def test_without_both_averages_it_is_sign_descent(gradients, start):
    path = path_of(adam, gradients, start, beta1=0.0, beta2=0.0, eps=0.0)
    assert distance(path, start - 0.01 * np.cumsum(np.sign(gradients), axis=0)) < FLOAT32


def test_t_advances_once_a_step_however_many_parameters():
    params = [nd.ones((5, 1)), nd.ones(1), nd.ones((2, 3, 4))]
    for p in params:
        p.attach_grad()
    hyperparams = {'lr': 0.01, 't': 1}
    adam(params, [(nd.zeros(p.shape), nd.zeros(p.shape)) for p in params], hyperparams)
    assert hyperparams == {'lr': 0.01, 't': 2}


def test_updates_happen_in_the_arrays_themselves():
    """Any shape, and the caller's own arrays: nothing is rebound."""
    p, v, s = nd.ones((2, 3)), nd.zeros((2, 3)), nd.zeros((2, 3))
    p.attach_grad()
    p.grad[:] = 2
    adam([p], [(v, s)], {'lr': 0.5, 't': 1})
    assert p.asnumpy() == pytest.approx(0.5, rel=1e-5)
    assert v.asnumpy() == pytest.approx(0.2) and s.asnumpy() == pytest.approx(0.004)


@pytest.mark.parametrize('missing', ['lr', 't'])
def test_missing_hyperparameter_is_named(missing):
    hyperparams = {'lr': 0.01, 't': 1}
    del hyperparams[missing]
    with pytest.raises(KeyError, match=missing):
        adam([], [], hyperparams)


def test_initial_states_are_zeros_of_the_parameters_shapes():
    (v_w, s_w), (v_b, s_b) = init_adam_states()
    assert [a.shape for a in (v_w, s_w, v_b, s_b)] == [(5, 1), (5, 1), (1,), (1,)]
    assert init_adam_states(3)[0][1].shape == (3, 1)
    assert not any(a.asnumpy().any() for a in (v_w, s_w, v_b, s_b))


@pytest.mark.parametrize('wrong, error', [(0, ValueError), (-1, ValueError), (1.5, TypeError), (None, TypeError),
                                          ('5', TypeError), (True, TypeError)])
@pytest.mark.parametrize('name', [name for name in oracle.RULES if name != 'sgd'])
def test_a_wrong_number_of_features_is_named(name, wrong, error):
    with pytest.raises(error, match=f'feature_dim must be a whole number of at least 1, got {wrong!r}'):
        RULES[name][1](wrong)
