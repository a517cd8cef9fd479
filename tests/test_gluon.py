"""Gluon's Adam is ours through the eps bridge, and only through it."""
import mxnet
import numpy as np
import pytest
from mxnet import nd
from test_optimizers import STEPS, distance, noisy_gradients

from chapter_adam import adam

BETA2 = 0.999


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
    return noisy_gradients(), np.linspace(-1, 1, 5, dtype=np.float32).reshape(5, 1)


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
