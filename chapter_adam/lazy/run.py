"""What is done lazily: one step of any rule (`hybridize`), and the book's training (`LazyModel`)."""
from contextlib import nullcontext

import numpy as np

from ..core import models
from ..core.compat import DEVICE, mxnet
from .array import follow, lazy
from .graph import cached_op
from .memory import are_apart
from .record import RECORD as now
from .record import Lazy

nd, sym, NDArray = mxnet.nd, mxnet.sym, mxnet.nd.NDArray
STEPS_AT_ONCE = 10  # also what lies between two records of the book's curve


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


class Batches:
    """The gradients of linear regression on the minibatches of one record, for weights and bias or both in one."""

    def __init__(self, n, steps, d):
        self.n, self.steps, self.d = n, steps, d
        self.operators = [(Gradient(self, k, 0), Gradient(self, k, 1)) for k in range(steps)]

    def batch(self, X, y, k):
        rows = slice(k * self.n, (k + 1) * self.n)
        return X[rows], y[rows]

    def batches(self, X, y):
        """The same for symbols, of all steps."""
        return list(zip(*(whole.split(num_outputs=self.steps, axis=0) for whole in (X, y))))

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


class Gradient:
    """The operator that computes the gradient of w (part 0) or b (part 1) in one step of a record."""
    takes_number, is_elementwise = False, True

    def __init__(self, model, step, part):
        self.model, self.step, self.part = model, step, part

    @property
    def twin(self):
        return self.model.operators[self.step][1]

    def shape(self, shapes):
        return shapes[2 + self.part]

    def apply(self, F, arrays, number=None):
        *data, w, b = arrays
        return self.model.gradient(F, self.model.batch(*data, self.step), w, b)[self.part]


class LazyModel(models.ScratchModel):
    """The scratch model, lazy: `STEPS_AT_ONCE` steps a graph, gradients in closed form."""

    def __init__(self, w, b, trainer_fn, states, hyperparams):
        super().__init__(w, b, trainer_fn, states, hyperparams)
        self.params, self.grads, self.kinds = [self.w, self.b], [self.w.grad, self.b.grad], {}
        arrays = arrays_in([self.params, self.grads, states, hyperparams])
        self.is_lazy = not now.is_open and are_apart(arrays)
        self.running = (lambda: lazy(arrays, swaps=True)) if self.is_lazy else nullcontext

    def train(self, X, y, bounds):
        bounds = list(bounds)
        while bounds and self.is_lazy:
            n = bounds[0][1] - bounds[0][0]
            full = [stop - start for start, stop in bounds[:STEPS_AT_ONCE]].count(n)
            steps = STEPS_AT_ONCE if full == STEPS_AT_ONCE else 1
            done = self.steps(X, y, bounds[0][0], n, steps)
            self.is_lazy = not now.has_ended
            del bounds[:done]
        super().train(X, y, bounds)

    def steps(self, X, y, start, n, steps):
        """Some steps on consecutive minibatches of n rows, as one record; returns how many were done."""
        data = [a._slice(start, start + steps * n) for a in (X, y)]
        key = n, steps, X.shape[1]
        if key not in BATCHES:
            BATCHES[key] = Batches(n, steps, X.shape[1])
        now.begin(key, data)
        w, b, grad_w, grad_b = (array.writable for array in (*self.params, *self.grads))
        w.grad, b.grad = self.grads
        for k, (of_w, of_b) in enumerate(BATCHES[key].operators):
            sources = 0, 1, w.at, b.at
            grad_w.at = follow(-1 - w.at - (b.at << 24), of_w, sources).writable.at
            grad_b.at = follow(-1, of_b, sources).writable.at
            self.trainer_fn(self.params, self.states, self.hyperparams)
            if now.has_ended:
                return k + 1
        grad_w.start, grad_b.start = grad_w.at, grad_b.at  # nobody asks for them any more
        now.finish(steps)
        return steps

    def warm_up(self, X, y):
        """Nothing: to run the rule would change what it keeps."""

    def loss(self, X, y):
        w, b = (p.writable.real if type(p.writable) is Lazy else p for p in self.params)
        return float(LOSS(X, y, w, b).asscalar())


LOSS = cached_op(models.mean_loss(sym, *map(sym.var, 'Xywb')), 'Xywb')
BATCHES = {}
