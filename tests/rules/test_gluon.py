"""Gluon's optimisers are our rules through the bridges that are documented, and only through them."""
import mxnet
import numpy as np
import pytest
from mxnet import nd
from oracle import STEPS, first_point, noisy_gradients

from chapter_adam import adadelta, adagrad, adam, adam_uncorrected, momentum, rmsprop, sgd

BETA2 = 0.999


def distance(a, b):
    return np.abs(a - b).max()


def gluon_path(name, gradients, start, **hyperparams):
    """The weight after each step of an MXNet optimiser, driven by the given gradients as `Trainer` drives it."""
    update = mxnet.optimizer.get_updater(mxnet.optimizer.create(name, **hyperparams))
    weight, path = nd.array(start), []
    for g in gradients:
        update(0, nd.array(g), weight)
        path.append(weight.asnumpy())
    return np.array(path)


def adam_path(gradients, start, eps_at):
    """The weight after each step of our `adam`, with eps chosen anew for each step."""
    p, state, path = nd.array(start), (nd.zeros(start.shape), nd.zeros(start.shape)), []
    p.attach_grad()
    for t, g in enumerate(gradients, 1):
        p.grad[:] = nd.array(g)
        adam([p], [state], {'lr': 0.01, 't': t, 'eps': eps_at(t)})
        path.append(p.asnumpy())
    return np.array(path)


@pytest.fixture(scope='module')
def case():
    return noisy_gradients(), first_point()


@pytest.mark.parametrize('epsilon', [1e-8, 1e-6, 0.1])
def test_gluon_through_the_bridge(case, epsilon):
    """eps-hat added to sqrt(s) is eps-hat / sqrt(1 - beta2^t) added to sqrt(s_hat).

    Looser than the oracle's limit: MXNet takes 1 - beta2 in float32, which makes s low by 1.3e-5 relative.
    """
    gluon = gluon_path('adam', *case, learning_rate=0.01, epsilon=epsilon)
    ours = adam_path(*case, eps_at=lambda t: epsilon / np.sqrt(1 - BETA2 ** t))
    assert distance(gluon, ours) < 1e-5


def test_the_same_eps_is_another_rule(case):
    """At 0.1 the two conventions part by more than 1e-2; at 1e-6 nobody could tell."""
    def gap(eps):
        gluon = gluon_path('adam', *case, learning_rate=0.01, epsilon=eps)
        return distance(gluon, adam_path(*case, eps_at=lambda t: eps))
    assert gap(0.1) > 1e-2
    assert gap(1e-6) < 1e-5


def test_the_bridge_has_a_root(case):
    """A popular page has eps-hat = (1 - beta2^t) eps, without the root."""
    gluon = gluon_path('adam', *case, learning_rate=0.01, epsilon=0.1)
    assert distance(gluon, adam_path(*case, eps_at=lambda t: 0.1 / (1 - BETA2 ** t))) > 1e-2


def test_every_step_is_compared(case):
    assert gluon_path('adam', *case).shape == (STEPS, 5, 1)


# The other rules that Gluon has


def both(rule, state, gradients, start, optimizer, hyperparams, rates=None):
    """The paths of a rule and of an MXNet optimiser, and the states: (ours, Gluon's, our state, Gluon's state).

    `rates`: the learning rate of each step, where it changes.
    """
    update = mxnet.optimizer.get_updater(optimizer)
    p, weight, ours, gluons = nd.array(start), nd.array(start), [], []
    p.attach_grad()
    for g, rate in zip(gradients, rates or [hyperparams['lr']] * len(gradients)):
        p.grad[:] = nd.array(g)
        rule([p], [state], {**hyperparams, 'lr': rate})
        optimizer.set_learning_rate(rate)
        update(0, nd.array(g), weight)
        ours.append(p.asnumpy())
        gluons.append(weight.asnumpy())
    return np.array(ours), np.array(gluons), state, update.states[0]


def test_gluons_sgd_is_sgd(case):
    ours, gluons, *_ = both(sgd, None, *case, mxnet.optimizer.create('sgd', learning_rate=0.05), {'lr': 0.05})
    assert distance(ours, gluons) < 1e-6


def test_gluons_sgd_with_momentum_keeps_minus_v(case):
    """With the rate inside, as here: also when the rate changes, where PyTorch's and optax's part from both."""
    optimizer = mxnet.optimizer.create('sgd', learning_rate=0.05, momentum=0.9)
    ours, gluons, v, state = both(momentum, nd.zeros((5, 1)), *case, optimizer, {'lr': 0.05},
                                  rates=[0.05] * 20 + [0.01] * 30)
    assert distance(ours, gluons) < 2e-6 and distance(v.asnumpy(), -state.asnumpy()) < 1e-6


@pytest.mark.parametrize('eps', [1e-8, 1e-6, 0.1])
def test_gluons_rmsprop_is_rmsprop(case, eps):
    """Its gamma1 is gamma, and its epsilon is inside the root: at 0.1 eps on the root would be far away."""
    optimizer = mxnet.optimizer.create('rmsprop', gamma1=0.9, epsilon=eps)
    ours, gluons, s, (state,) = both(rmsprop, nd.zeros((5, 1)), *case, optimizer, {'lr': 0.01, 'eps': eps})
    assert distance(ours, gluons) < 2e-6 and distance(s.asnumpy(), state.asnumpy()) < 1e-6


@pytest.mark.parametrize('eps', [1e-7, 1e-6, 0.1])
def test_gluons_adagrad_is_adagrad(case, eps):
    """With its `eps` inside the root too; its default is 1e-7."""
    optimizer = mxnet.optimizer.create('adagrad', eps=eps)
    ours, gluons, s, state = both(adagrad, nd.zeros((5, 1)), *case, optimizer, {'lr': 0.05, 'eps': eps})
    assert distance(ours, gluons) < 2e-6 and distance(s.asnumpy(), state.asnumpy()) < 1e-5


@pytest.mark.parametrize('rho, eps', [(0.9, 1e-5), (0.6, 0.1)])
def test_gluons_adadelta_is_adadelta(case, rho, eps):
    """States and all."""
    optimizer, given = mxnet.optimizer.create('adadelta', rho=rho, epsilon=eps), {'lr': 1.0, 'rho': rho, 'eps': eps}
    ours, gluons, (s, delta), state = both(adadelta, (nd.zeros((5, 1)), nd.zeros((5, 1))), *case, optimizer, given)
    assert distance(ours, gluons) < 2e-6
    assert max(distance(a.asnumpy(), b.asnumpy()) for a, b in zip((s, delta), state)) < 1e-6


@pytest.mark.parametrize('eps', [1e-6, 0.1])
def test_mxnets_adam_kernel_is_adam_uncorrected(case, eps):
    """What Gluon's Adam calls, with a rate that corrects. Looser, as MXNet takes 1 - beta2 in float32."""
    gradients, start = case
    p, (v, s) = nd.array(start), (nd.zeros((5, 1)), nd.zeros((5, 1)))
    weight, (m, n) = nd.array(start), (nd.zeros((5, 1)), nd.zeros((5, 1)))
    p.attach_grad()
    for g in gradients:
        p.grad[:] = nd.array(g)
        adam_uncorrected([p], [(v, s)], {'lr': 0.01, 'eps': eps})
        nd.adam_update(weight, nd.array(g), m, n, lr=0.01, beta1=0.9, beta2=0.999, epsilon=eps, out=weight)
        assert distance(p.asnumpy(), weight.asnumpy()) < 2e-5
