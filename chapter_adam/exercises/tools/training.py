"""The section's training in float64 for many seeds at once, with the parameters after every step; and many rates.

Parameters are one array (..., seeds, d + 1): the weights, then the bias.
"""
import numpy as np

from ...core.training import Draws
from ...many import train_ensemble
from ...rules import init_adam_states
from .numbers import rounded

RATE, BATCH, EPOCHS = 0.01, 10, 2  # the section's


class Section:
    """The data with a column of ones, `X` (N, d + 1) and `y` (N,), their `optimum` (d + 1,) and its loss, `floor`;
    each seed's `start` and `batches` of rows."""

    def __init__(self, features, labels, seeds):
        self.X, self.y = np.insert(features.asnumpy().astype(float), features.shape[1], 1, axis=1), labels.asnumpy()
        data = np.column_stack([self.X, self.y])
        self.moments, self.optimum = data.T @ data / len(data) / 2, np.linalg.lstsq(self.X, self.y, rcond=None)[0]
        self.floor, draws = rounded(self.loss(self.optimum), 8), [Draws(seed) for seed in seeds]
        self.start = np.stack([np.append(*draw.start(features.shape[1])) for draw in draws]).astype(float)
        orders = [np.stack([draw.order(len(data)) for draw in draws]) for _ in range(EPOCHS)]
        self.batches = [order[:, k:k + BATCH] for order in orders for k in range(0, len(data), BATCH)]

    def loss(self, w):
        """The loss over all examples of parameters (..., d + 1): a quadratic form of (w, b, -1)."""
        u = np.insert(w, w.shape[-1], -1, axis=-1)
        return ((u @ self.moments) * u).sum(axis=-1)

    def gradient(self, w, step):
        """The gradients at w (..., seeds, d + 1), each of its seed's minibatch of the step."""
        X, y = self.X[self.batches[step]], self.y[self.batches[step]]
        return np.einsum('rbi,...rb->...ri', X, np.einsum('rbi,...ri->...rb', X, w) - y) / y.shape[1]

    def train(self, rule, init_states=init_adam_states, copies=(), **hyperparams):
        """`follow` over the section's batches; `copies` are leading axes for many values of a hyperparameter."""
        start = np.broadcast_to(self.start, (*copies, *self.start.shape))
        return follow(rule, start, self.gradient, len(self.batches), init_states, **hyperparams)


class Array(np.ndarray):
    """A NumPy array with the methods that the rules call: float64, and a hundredth of MXNet's time for each call."""
    sign = lambda self: np.sign(self)
    sqrt = lambda self: np.sqrt(self)
    square = lambda self: np.square(self)


def follow(rule, start, gradient, steps, init_states=init_adam_states, **hyperparams):
    """The parameters before the first step of a rule and after each, (steps + 1, *start.shape), in float64.

    `gradient` is a function of the parameters and the step, from 0. A hyperparameter may be an array that broadcasts.
    """
    def zeros():
        return np.zeros(p.shape).view(Array)

    p, path, hyperparams = np.array(start, float).view(Array), [np.array(start)], {'lr': RATE, 't': 1, **hyperparams}
    state = (init_states(1) or [None])[0]  # one parameter's: None, an array, or a tuple of arrays
    states = [tuple(zeros() for _ in state) if isinstance(state, tuple) else zeros()]
    for step in range(steps):
        p.grad = np.asarray(gradient(path[-1], step), float).view(Array)
        rule([p], states, hyperparams)
        path.append(np.array(p))
    return np.stack(path)


def sweep(rule, states, rates, features, labels, seeds, watch=None, **options):
    """The ensemble of all rates with all seeds, and its losses (records, rates, seeds)."""
    runs = len(rates) * len(seeds)
    done = train_ensemble(rule, states, {'lr': np.repeat(rates, len(seeds)), 't': 1}, features, labels,
                          seeds=[*seeds] * len(rates), watch=watch and (lambda count: watch(count / runs)), **options)
    return done, done.losses.reshape(len(done.losses), len(rates), len(seeds))
