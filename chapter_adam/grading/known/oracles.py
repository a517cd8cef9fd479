"""Every rule of the package once more, in float64 and step by step, as named pieces.

A piece is a function of the step's namespace x, which holds the parameter `p`, its gradient `g`, the number of the step
`k`, the hyperparameters, the states as the last step left them, and the results of the pieces before. A mistake is a
piece written otherwise; see `mistakes`.
"""
from types import SimpleNamespace

import numpy as np


class Oracle:
    """A rule as pieces, in their order; `states` names those that are remembered.

    Args:
        title: the rule's name in a sentence.
        hyperparams: what it reads besides 'lr' and 't', with defaults.
        decay: the hyperparameter of its longest memory, for the tolerance; None if it forgets nothing.
    """

    def __init__(self, title, states, hyperparams, decay=None, **pieces):
        self.title, self.states, self.hyperparams, self.decay = title, states, hyperparams, decay
        betas = {name: (lambda x, name=name: x.given[name]) for name in ('beta1', 'beta2') if name in hyperparams}
        self.pieces = {'g': lambda x: x.g, 't': lambda x: x.k, **betas, **pieces, 'move': lambda x: x.step,
                       'shift': lambda x: x.move, 'p': lambda x: x.p - x.shift}

    def moves(self, stream, hyperparams, changed={}):
        """After each step of a stream, by how much the parameter has moved and the states, by name.

        A hyperparameter may be an array with a leading axis: one path for each value. `changed`: pieces written
        otherwise; `keep_v` is what the state v remembers of a step.
        """
        pieces = {**self.pieces, **changed}
        keeps = {name: pieces.pop(f'keep_{name}', None) for name in self.states}
        x, memory = self.before(stream, hyperparams)
        with np.errstate(all='ignore'):
            for number, g in enumerate(stream.gradients):
                vars(x).update(memory, g=g, k=stream.first + number, first=stream.first, before=memory)
                before = x.p
                for name, piece in pieces.items():
                    setattr(x, name, piece(x))
                memory = {name: keep(x) if keep else getattr(x, name) for name, keep in keeps.items()}
                yield x.p - before, memory

    def before(self, stream, hyperparams):
        """What pieces find before the first step, and the states."""
        memory = {name: np.zeros_like(stream.start) for name in self.states}
        given = {**self.hyperparams, 'eps': 0.0, **hyperparams}
        return SimpleNamespace(**given, given=given, **memory, owner=stream.owner,
                               p=stream.start, g=stream.gradients[0], k=stream.first, first=stream.first,
                               before=memory), memory


class FirstStep:
    """The first step of an oracle, for many mistakes: pieces before the first that is changed are computed once."""

    def __init__(self, oracle, stream, hyperparams):
        self.pieces, self.start = oracle.pieces, vars(oracle.before(stream, hyperparams)[0])
        self.known, self.order = {}, list(oracle.pieces)
        self.usual = self._move(0, {})

    def move(self, changed):
        """By how much the parameter moves with some pieces written otherwise."""
        at = min((self.order.index(name) for name in changed if name in self.pieces), default=None)
        return self.usual if at is None else self._move(at, changed)

    def _move(self, at, changed):
        x = SimpleNamespace(**{**self.start, **{name: self.known[name] for name in self.order[:at]}})
        for name in self.order[at:]:
            setattr(x, name, changed.get(name, self.pieces[name])(x))
        self.known = self.known or {name: getattr(x, name) for name in self.order}
        return x.p - self.start['p']


def average(name, value, beta):
    """The piece of a moving average: name <- beta name + (1 - beta) value(x)."""
    return lambda x: getattr(x, beta) * getattr(x, name) + (1 - getattr(x, beta)) * value(x)


def gradient(x):
    return x.g


def square(x):
    return x.g ** 2


def corrected(name, beta):
    """The piece of an average divided by the weights that it has given away."""
    return lambda x: getattr(x, name) / (1 - getattr(x, beta) ** x.t)


def quotient(x):
    return x.lr * x.above / x.root


ADAMS = {'beta1': 0.9, 'beta2': 0.999, 'eps': 1e-6}
V, S = average('v', gradient, 'beta1'), average('s', square, 'beta2')
LAST = {'above': lambda x: x.v_hat, 'below': lambda x: x.s_hat, 'root': lambda x: np.sqrt(x.below) + x.eps,
        'step': quotient}
AS_IS = {'v_hat': lambda x: x.v, 's_hat': lambda x: x.s}

ORACLES = {
    'sgd': Oracle('SGD', (), {}, step=lambda x: x.lr * x.g),
    'momentum': Oracle('momentum', ('v',), {'momentum': 0.9}, 'momentum',
                       v=lambda x: x.momentum * x.v + x.lr * x.g, step=lambda x: x.v),
    'adagrad': Oracle('Adagrad', ('s',), {'eps': 1e-6}, s=lambda x: x.s + x.g ** 2,
                      root=lambda x: np.sqrt(x.s + x.eps), step=lambda x: x.lr * x.g / x.root),
    'rmsprop': Oracle('RMSProp', ('s',), {'gamma': 0.9, 'eps': 1e-6}, 'gamma', s=average('s', square, 'gamma'),
                      root=lambda x: np.sqrt(x.s + x.eps), step=lambda x: x.lr * x.g / x.root),
    'adadelta': Oracle('Adadelta', ('s', 'delta'), {'rho': 0.9, 'eps': 1e-5}, 'rho', s=average('s', square, 'rho'),
                       root=lambda x: np.sqrt((x.s + x.eps) / (x.delta + x.eps)), step=lambda x: x.g / x.root,
                       delta=average('delta', lambda x: x.step ** 2, 'rho')),
    'adam': Oracle('Adam', ('v', 's'), ADAMS, 'beta2', v=V, s=S, v_hat=corrected('v', 'beta1'),
                   s_hat=corrected('s', 'beta2'), **LAST),
    'adam_uncorrected': Oracle('Adam without bias correction', ('v', 's'), ADAMS, 'beta2', v=V, s=S, **AS_IS, **LAST),
    'amsgrad': Oracle('AMSGrad', ('v', 's', 'top'), ADAMS, 'beta2', v=V, s=S, top=lambda x: np.maximum(x.top, x.s),
                      **{**AS_IS, 's_hat': lambda x: x.top}, **LAST),
    'yogi': Oracle('Yogi', ('v', 's'), {**ADAMS, 'eps': 1e-3}, 'beta2', v=V,
                   s=lambda x: x.s + (1 - x.beta2) * np.sign(x.g ** 2 - x.s) * x.g ** 2, **AS_IS, **LAST),
}
