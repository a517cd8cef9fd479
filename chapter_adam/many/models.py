"""Linear regression many times at once: the models that an ensemble trains, with a leading axis of runs.

A model knows `train(table, orders, sizes)`, one step for each minibatch, and `snapshot()`, its parameters.
"""
from contextlib import nullcontext

import numpy as np

from ..core.compat import mxnet
from ..core.regression import gradient_of_runs, stacked_gradient_of_runs
from ..core.steps import Batches, Steps, as_many
from ..lazy import arrays_in, cached_op, for_runs, lazy, real

nd, sym = mxnet.nd, mxnet.sym


def extended(features, labels):
    """The data as one table (N, d + 2): features, a 1 for the bias, the label."""
    return np.column_stack([features, np.ones_like(labels), labels])


class BatchesOfMany(Batches):
    """The gradients of many runs; the data are the table and each run's rows of it, indices (runs, steps * n)."""

    def batch(self, F, table, indices, step):
        return self._take(F, *self._columns(F, table), indices, step)

    def all(self, table, indices):
        """The minibatches of all steps, as symbols."""
        columns = self._columns(sym, table)
        return [self._take(sym, *columns, indices, step) for step in range(self.steps)]

    def _columns(self, F, table):
        return (F.slice_axis(table, axis=1, begin=0, end=self.d + 1),
                F.slice_axis(table, axis=1, begin=self.d + 1, end=self.d + 2).reshape((-1,)))

    def _take(self, F, X, y, indices, step):
        rows = F.slice_axis(indices, axis=1, begin=step * self.n, end=(step + 1) * self.n)
        return F.take(X, rows), F.take(y, rows)

    def gradient(self, F, batch, w, b):
        return gradient_of_runs(F, *batch, w, b, self.n, self.d)

    def stacked_gradient(self, batch, wb):
        return stacked_gradient_of_runs(sym, *batch, wb, self.n)

    def stack(self, w, b):
        """In rows, (runs, 1, d + 1): batch_dot is fastest with the vector on the left."""
        return sym.concat(w, b, dim=1).reshape((0, 1, -1))

    def unstack(self, wb):
        column = wb.reshape((0, -1, 1))
        return (sym.slice_axis(column, axis=1, begin=0, end=self.d),
                sym.slice_axis(column, axis=1, begin=self.d, end=self.d + 1))


class Runs:
    """The parameters of many runs: w (runs, d, 1) and b (runs, 1, 1)."""

    def __init__(self, w, b):
        self.runs, self.d = w.shape[:2]
        self.params, self.grads = [nd.array(w), nd.array(b)], [nd.zeros(w.shape), nd.zeros(b.shape)]

    def running(self):
        """What a training is done in."""
        return nullcontext()

    def snapshot(self):
        """A copy of the parameters, (runs, d + 1, 1), the bias last."""
        return nd.concat(*map(real, self.params), dim=1)


class RuleRuns(Runs):
    """Many runs with a rule, which sees the shapes of one; ten steps a graph."""

    def __init__(self, w, b, trainer_fn, states, hyperparams):
        super().__init__(w, b)
        states_of_one = arrays_in(states)
        self.shown = [w.shape[1:], (1,), w.shape[1:], (1,), *(state.shape for state in states_of_one)]
        for state in states_of_one:
            of_all = nd.array(np.broadcast_to(state.asnumpy().reshape(for_runs(state.shape)),
                                              (self.runs, *for_runs(state.shape)[1:])))
            state.handle, of_all.handle = of_all.handle, state.handle  # the rule's own object, wherever it is kept
        self.arrays = [*self.params, *self.grads, *states_of_one]
        self.steps = Steps(self.params, self.grads, trainer_fn, states, hyperparams)

    def running(self):
        return lazy(self.arrays, moves=True, shown=self.shown)

    def train(self, table, orders, sizes):
        at = 0
        while sizes:
            n, steps = sizes[0], as_many(sizes)
            rows = np.ascontiguousarray(orders[:, at:at + steps * n])
            # In a batch of all examples b's gradient may be rounding alone, which Adam makes a full step: there it has
            # to be summed as in a single run.
            self.steps.take(BatchesOfMany, (n, steps, self.d, n < len(table)),
                            [table, nd.from_numpy(rows, zero_copy=True)], self.runs)
            at, sizes = at + steps * n, sizes[steps:]


class GluonRuns(Runs):
    """Many runs with a Gluon optimiser, called as `gluon.Trainer` calls it, with gradients that are means already."""

    def __init__(self, w, b, trainer_name, hyperparams, divisor=None):
        super().__init__(w, b)
        self.divisor, self.ops = divisor, {}
        self.update = mxnet.optimizer.get_updater(mxnet.optimizer.create(trainer_name, **hyperparams))

    def train(self, table, orders, sizes):
        at = 0
        for n in sizes:
            indices = nd.from_numpy(np.ascontiguousarray(orders[:, at:at + n]), zero_copy=True)
            grads = self._gradient(n)(table, indices, *self.params)
            # Like gluon.Trainer, by the parameters' names, bias first: Nadam's updates depend on the order.
            for i, (p, g) in enumerate(zip(self.params[::-1], grads[::-1])):
                self.update(i, g, p)
            at += n

    def _gradient(self, n):
        if n not in self.ops:
            batches, names = BatchesOfMany(self.divisor or n, 1, self.d), ['table', 'indices', 'w', 'b']
            table, indices, w, b = map(sym.var, names)
            X, y = batches._columns(sym, table)
            batch = sym.take(X, indices), sym.take(y, indices)
            self.ops[n] = cached_op(sym.Group(list(batches.gradient(sym, batch, w, b))), names)
        return self.ops[n]
