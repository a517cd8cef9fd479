"""The section's training step by step in float64, for many seeds at once: where float32's rounding would be in the way.

Parameters are in one array, the weights and then the bias: (..., seeds, d + 1).
"""
import numpy as np

from ..core.compat import mxnet
from ..core.training import Draws

nd = mxnet.nd

EPOCHS, BATCH = 2, 10  # the section's


def table(features, labels):
    """The data as X (N, d + 1), with a column of ones for the bias, and y (N,)."""
    X = features.asnumpy()
    return np.column_stack([X, np.ones(len(X))]).astype(float), labels.asnumpy().astype(float)


def least_squares(features, labels):
    """The parameters (d + 1,) of the lowest loss."""
    return np.linalg.lstsq(*table(features, labels), rcond=None)[0]


def losses(w, X, y):
    """The loss over all examples, for parameters (..., d + 1): a quadratic form of (w, b, -1)."""
    data = np.column_stack([X, y])
    u = np.concatenate([w, np.full((*w.shape[:-1], 1), -1.0)], axis=-1)
    return ((u @ (data.T @ data / len(data) / 2)) * u).sum(axis=-1)


def walk(rule, hyperparams, start, gradient, steps, state_count=2):
    """The parameters before the first step of a rule and after each, (steps + 1, *start.shape).

    `gradient` is a function of the parameters and the step, from 0; `state_count`, how many states the rule keeps.
    """
    p, way, hyperparams = nd.array(start, dtype='float64'), [np.array(start)], {'t': 1, **hyperparams}
    p.attach_grad()
    state = [nd.zeros(p.shape, dtype='float64') for _ in range(state_count)]
    states = [tuple(state) if state_count > 1 else state[0]] if state else None  # the forms that `optimizers` has
    for t in range(steps):
        p.grad[:] = nd.array(gradient(way[-1], t), dtype='float64')
        rule([p], states, hyperparams)
        way.append(p.asnumpy())
    return np.stack(way)


def column(values, axes=2):
    """Hyperparameters along the first axis, before so many others."""
    return nd.array(np.reshape(values, (-1,) + (1,) * axes), dtype='float64')


class Training:
    """The section's starts, shuffles and batches, those of all seeds side by side; called with a rule, the training.

    `start` is (seeds, d + 1); `batches` has the rows of each step, (seeds, batch).
    """

    def __init__(self, features, labels, seeds):
        self.X, self.y = table(features, labels)
        draws = [Draws(seed) for seed in seeds]
        self.start = np.stack([np.append(*draw.start(self.X.shape[1] - 1)) for draw in draws]).astype(float)
        epochs = [np.stack([draw.order(len(self.X)) for draw in draws]) for _ in range(EPOCHS)]
        self.batches = [order[:, k:k + BATCH] for order in epochs for k in range(0, len(self.X), BATCH)]

    def __call__(self, rule, hyperparams, copies=(), state_count=2):
        """All parameters before the first step and after each, (steps + 1, *copies, seeds, d + 1).

        `copies` are further axes, for hyperparameters of which there are many; a rule has one state or several.
        """
        start = np.broadcast_to(self.start, (*copies, *self.start.shape))
        return walk(rule, hyperparams, start, lambda w, t: self.gradient(w, self.batches[t]), len(self.batches),
                    state_count)

    def gradient(self, w, rows):
        """The gradients at w (..., seeds, d + 1), each of its seed's batch."""
        X = self.X[rows]
        off = np.einsum('rbi,...ri->...rb', X, w) - self.y[rows]
        return np.einsum('rbi,...rb->...ri', X, off) / rows.shape[1]

    def losses(self, w):
        """The loss over all examples, for any leading axes."""
        return losses(w, self.X, self.y)
