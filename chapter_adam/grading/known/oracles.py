"""Every rule of the package once more, in float64 and step by step, as named pieces.

A piece is an expression, as text, in the names of the step: the parameter `p`, its gradient `g`, its `owner` (0 for w,
1 for b), the number of the step `k` and of the `first`, the hyperparameters, also as `given`, the states as the last
step left them, which `old_v` stays, and the pieces before it. A mistake is a piece written otherwise; see `adams`.
"""
from copy import copy
from functools import cache

import numpy as np

FUNCTIONS = {'sqrt': np.sqrt, 'maximum': np.maximum, 'sign': np.sign, 'where': np.where}


class Oracle:
    """A rule as pieces, in their order; `states` names those that are remembered.

    Args:
        title: the rule's name in a sentence.
        hyperparams: what it reads besides 'lr' and 't', with defaults.
        decay: the hyperparameter of its longest memory, for the tolerance; None if it forgets nothing.
    """

    def __init__(self, title, states, hyperparams, decay=None, **pieces):
        self.title, self.states, self.hyperparams, self.decay = title, states, hyperparams, decay
        betas = {name: f'given[{name!r}]' for name in ('beta1', 'beta2') if name in hyperparams}
        self.pieces = {'g': 'g', 't': 'k', **betas, **pieces, 'move': 'step', 'shift': 'move', 'p': 'p - shift'}

    def changed(self, pieces):
        """The same with pieces written otherwise; `keep_v` is what the state v remembers of a step."""
        other = copy(self)
        other.pieces = {**self.pieces, **pieces}
        return other

    def moves(self, stream, hyperparams):
        """After each step of a stream, by how much the parameter has moved and the states, by name.

        A hyperparameter may be an array with a leading axis: one path for each value.
        """
        x = self.before(stream, hyperparams)
        for k, g in enumerate(stream.gradients, stream.first):
            x |= {'g': g, 'k': k, **{f'old_{name}': x[name] for name in self.states}, **x['given']}
            p = x['p']
            for name, piece in self.pieces.items():
                x[name] = value(piece, x)
            x |= {name: x[f'keep_{name}'] for name in self.states if f'keep_{name}' in x}
            yield x['p'] - p, {name: x[name] for name in self.states}

    def first_move(self, stream, hyperparams, seen):
        """The first of the moves; `seen` keeps what other changed oracles, up to the same piece, had there."""
        key = self.title
        if key not in seen:
            seen[key] = self.before(stream, hyperparams)
        x = dict(seen[key])
        for name, piece in self.pieces.items():
            key = key, piece
            if key not in seen:
                seen[key] = value(piece, x)
            x[name] = seen[key]
        return x['p'] - stream.start

    def before(self, stream, hyperparams):
        """What pieces find in the first step."""
        given, zero = {**self.hyperparams, **hyperparams}, np.zeros_like(stream.start)
        states = {name: zero for state in self.states for name in (state, f'old_{state}')}
        return {**given, **states, 'given': given, 'p': stream.start, 'g': stream.gradients[0], 'owner': stream.owner,
                'k': stream.first, 'first': stream.first}


def value(piece, x):
    """What a piece is in a step; a piece may also be a function of the step's names."""
    return piece(x) if callable(piece) else eval(compiled(piece), FUNCTIONS, x)


@cache
def compiled(piece):
    return compile(piece, 'a piece', 'eval')


ADAMS = {'beta1': 0.9, 'beta2': 0.999, 'eps': 1e-6}
AVERAGES = {'v': 'beta1 * v + (1 - beta1) * g', 's': 'beta2 * s + (1 - beta2) * g ** 2'}
CORRECTED = {'v_hat': 'v / (1 - beta1 ** t)', 's_hat': 's / (1 - beta2 ** t)'}
AS_IS = {'v_hat': 'v', 's_hat': 's'}
LAST = {'above': 'v_hat', 'below': 's_hat', 'root': 'sqrt(below) + eps', 'step': 'lr * above / root'}
YOGIS = 's + (1 - beta2) * sign(g ** 2 - s) * g ** 2'

ORACLES = {
    'sgd': Oracle('SGD', (), {}, step='lr * g'),
    'momentum': Oracle('momentum', ('v',), {'momentum': 0.9}, 'momentum', v='momentum * v + lr * g', step='v'),
    'adagrad': Oracle('Adagrad', ('s',), {'eps': 1e-6}, s='s + g ** 2', root='sqrt(s + eps)', step='lr * g / root'),
    'rmsprop': Oracle('RMSProp', ('s',), {'gamma': 0.9, 'eps': 1e-6}, 'gamma', s='gamma * s + (1 - gamma) * g ** 2',
                      root='sqrt(s + eps)', step='lr * g / root'),
    'adadelta': Oracle('Adadelta', ('s', 'delta'), {'rho': 0.9, 'eps': 1e-5}, 'rho', s='rho * s + (1 - rho) * g ** 2',
                       root='sqrt((s + eps) / (delta + eps))', step='g / root',
                       delta='rho * delta + (1 - rho) * step ** 2'),
    'adam': Oracle('Adam', ('v', 's'), ADAMS, 'beta2', **AVERAGES, **CORRECTED, **LAST),
    'adam_uncorrected': Oracle('Adam without bias correction', ('v', 's'), ADAMS, 'beta2', **AVERAGES, **AS_IS, **LAST),
    'amsgrad': Oracle('AMSGrad', ('v', 's', 'top'), ADAMS, 'beta2', **AVERAGES, top='maximum(top, s)',
                      **AS_IS | {'s_hat': 'top'}, **LAST),
    'yogi': Oracle('Yogi', ('v', 's'), {**ADAMS, 'eps': 1e-3}, 'beta2', **AVERAGES | {'s': YOGIS}, **AS_IS, **LAST),
}
