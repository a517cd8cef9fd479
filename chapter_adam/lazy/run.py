"""What is done lazily: one step of any rule (`hybridize`), and the book's training (`LazyModel`)."""
from contextlib import nullcontext

import numpy as np

from ..core import models
from ..core.compat import DEVICE, mxnet
from .array import lazy
from .graph import cached_op
from .memory import are_apart
from .record import RECORD as now
from .record import real
from .steps import Batches, Steps, as_many

nd, sym, NDArray = mxnet.nd, mxnet.sym, mxnet.nd.NDArray


def hybridize(trainer_fn):
    """A function that does what a rule does, each call as one graph of MXNet's.

    The rule runs as it stands, at every call; only the arrays in `params` and `states` are lazy while it runs.

    Args:
        trainer_fn: any function of the book's form, trainer_fn(params, states, hyperparams).

    Returns:
        A function of the same form, with the same results. Where a rule does what a graph cannot hold, such as writing
        through a view, it goes on eagerly from there and in later calls, and says so in one warning.

    >>> from chapter_adam import adam, init_adam_states
    >>> w, b = nd.ones((5, 1)), nd.ones(1)
    >>> for p in (w, b):
    ...     p.attach_grad()
    ...     p.grad[:] = 2
    >>> hyperparams = {'lr': 0.25, 't': 1}
    >>> hybridize(adam)([w, b], init_adam_states(), hyperparams)
    >>> round(float(b.asscalar()), 4), hyperparams['t']
    (0.75, 2)
    """
    return trainer_fn if isinstance(trainer_fn, Hybridized) else Hybridized(trainer_fn)


class Hybridized:
    """A rule and whether its laziness has ended; see `hybridize`."""

    def __init__(self, trainer_fn):
        self.trainer_fn, self.has_ended = trainer_fn, False
        self.__name__ = getattr(trainer_fn, '__name__', type(trainer_fn).__name__)
        self.__doc__ = getattr(trainer_fn, '__doc__', None)

    def __call__(self, params, states, hyperparams):
        with DEVICE:
            grads = [p.grad for p in params]
            arrays = arrays_in([params, grads, states, hyperparams])
            if self.has_ended or now.is_open or not are_apart(arrays):
                return self.trainer_fn(params, states, hyperparams)
            with lazy(arrays):
                for p, grad in zip(params, grads):
                    p.writable.grad = grad
                now.begin('a step')
                result = self.trainer_fn(params, states, hyperparams)
                self.has_ended = now.has_ended
                if now.is_open:
                    now.finish()
            return result


def arrays_in(nested):
    """The NDArrays of float32 in nested tuples, lists and dicts, each once."""
    found = {}

    def look(value):
        if type(value) is NDArray and value.writable and value.dtype == np.float32 and value.stype == 'default':
            found[id(value)] = value
        elif isinstance(value, (tuple, list, dict)):
            for part in value.values() if isinstance(value, dict) else value:
                look(part)
    look(nested)
    return list(found.values())


class BatchesOfOne(Batches):
    """The gradients of one run; the data are its rows, X (steps * n, d) and y (steps * n, 1)."""

    def batch(self, F, X, y, step):
        rows = slice(step * self.n, (step + 1) * self.n)
        return X[rows], y[rows]

    def all(self, X, y):
        """The minibatches of all steps, as symbols."""
        return list(zip(*(data.split(num_outputs=self.steps, axis=0) for data in (X, y))))

    def gradient(self, F, batch, w, b):
        return models.gradient(F, *batch, w, b, self.n)

    def stacked_gradient(self, batch, wb):
        w, b = sym.split_v2(wb, indices_or_sections=(self.d,), axis=0)
        return sym.concat(*models.gradient(sym, *batch, w, b, self.n, keepdims=True), dim=0)

    def stack(self, w, b):
        return sym.concat(w, b.reshape((1, 1)), dim=0)

    def unstack(self, wb):
        return (sym.slice_axis(wb, axis=0, begin=0, end=self.d),
                sym.slice_axis(wb, axis=0, begin=self.d, end=self.d + 1).reshape((1,)))


class LazyModel(models.ScratchModel):
    """The scratch model with lazy arrays: ten steps a graph, gradients in closed form."""

    def __init__(self, w, b, trainer_fn, states, hyperparams):
        super().__init__(w, b, trainer_fn, states, hyperparams)
        params, grads = [self.w, self.b], [self.w.grad, self.b.grad]
        self.lazy_steps = Steps(params, grads, trainer_fn, states, hyperparams)
        arrays = arrays_in([params, grads, states, hyperparams])
        self.is_lazy = not now.is_open and are_apart(arrays)
        self.running = (lambda: lazy(arrays, swaps=True)) if self.is_lazy else nullcontext

    def warm_up(self, X, y):
        """Nothing: to run the rule would change what it keeps."""

    def train(self, X, y, bounds):
        sizes, start = [stop - start for start, stop in bounds], bounds[0][0]
        while sizes and self.is_lazy:
            n, steps = sizes[0], as_many(sizes)
            data = [a._slice(start, start + steps * n) for a in (X, y)]
            done = self.lazy_steps.take(BatchesOfOne, (n, steps, X.shape[1]), data)
            self.is_lazy = not now.has_ended
            start, sizes = start + done * n, sizes[done:]
        super().train(X, y, bounds[len(bounds) - len(sizes):])

    def loss(self, X, y):
        return float(LOSS(X, y, real(self.w), real(self.b)).asscalar())


LOSS = cached_op(models.mean_loss(sym, *map(sym.var, 'Xywb')), 'Xywb')
