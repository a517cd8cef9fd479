"""All rules that are traced in tests: those of `optimizers`, and as readers write them. RULES is the table."""
import math

import numpy as np
from mxnet import nd
from mxnet.ndarray import maximum

from chapter_adam import RULES as OURS
from chapter_adam import adam, init_adam_states, init_momentum_states, momentum

WEIGHT_DECAY = 0.01


def zeros(count):
    """States with `count` arrays for each of the two parameters."""
    return tuple(tuple(nd.zeros(shape) for _ in range(count)) for shape in ((5, 1), (1,)))


def adagrad(params, states, hyperparams):
    for p, (s,) in zip(params, states):
        s += p.grad.square()
        p -= hyperparams['lr'] * p.grad / (s + 1e-6).sqrt()


def adadelta(params, states, hyperparams):
    rho, eps = hyperparams['rho'], 1e-5
    for p, (s, delta) in zip(params, states):
        s[:] = rho * s + (1 - rho) * p.grad ** 2
        g = ((delta + eps).sqrt() / (s + eps).sqrt()) * p.grad
        p[:] -= g
        delta[:] = rho * delta + (1 - rho) * g * g


def by_functions(params, states, hyperparams):
    """AMSGrad within bounds, by functions of nd: by module and by name."""
    for p, (v, s, top) in zip(params, states):
        v[...] = 0.9 * v + 0.1 * p.grad
        s[...] = nd.add(0.999 * s, 0.001 * nd.square(p.grad))
        top[...] = maximum(top, s)
        p[:] = nd.clip(p - hyperparams['lr'] * v / (nd.sqrt(nd.maximum(top, 1e-12)) + 1e-3), -2, 2)


def folded(params, states, hyperparams):
    """Adam as MXNet folds it, with a warm-up, math and NumPy on hyperparameters, and helpers."""
    t = hyperparams['done'] = hyperparams['done'] + 1
    rate = hyperparams['lr'] * math.sqrt(1 - 0.999 ** t) / (1 - 0.9 ** t)
    rate = rate * min(1, t / 8) * np.sqrt(hyperparams['scale'])
    for p, (v, s) in zip(params, states):
        g = decayed(p)
        v[:] = 0.9 * v + 0.1 * g
        s[:] = 0.999 * s + 0.001 * g * g
        p[:] = p - rate * v / (s.sqrt() + 1e-8)
    if t % 5 == 0:
        hyperparams['lr'] *= 0.9


def decayed(p):
    return nd.clip(p.grad + WEIGHT_DECAY * p, -3, 3)


def signum(params, states, hyperparams):
    """Comparisons of arrays, a number on the left, integers, abs, and a power either way round."""
    for p, (v,) in zip(params, states):
        v[:] = -p.grad / 2 + v * 0.5
        p[:] = p + hyperparams['lr'] * ((v > 0) - (v < 0)) * (1 - 0.5 ** abs(v * v)) + 0 * (2 / (1 + v ** 2))


# name: rule, states, hyperparameters
RULES = {
    **{name: (rule, states, {'lr': 0.01, 't': 1}) for name, (rule, states) in OURS.items()},
    'adam with betas': (adam, init_adam_states, {'lr': 0.01, 't': 1, 'beta1': 0.8, 'beta2': 0.99, 'eps': 0.1}),
    'momentum of 0.5': (momentum, init_momentum_states, {'lr': 0.02, 'momentum': 0.5}),
    'adagrad': (adagrad, lambda: zeros(1), {'lr': 0.1}),
    'adadelta': (adadelta, lambda: zeros(2), {'rho': 0.9}),
    'by functions': (by_functions, lambda: zeros(3), {'lr': 0.01}),
    'folded': (folded, lambda: zeros(2), {'lr': 0.01, 'done': 0, 'scale': 1.44, 'note': 'a text'}),
    'signum': (signum, lambda: zeros(1), {'lr': 0.01}),
}
