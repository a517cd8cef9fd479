"""Linear regression many times at once: the models that an ensemble trains, with a leading axis of runs.

A model has `train(table, orders, sizes)`, one step for each minibatch, `running()`, and `parameters()`.
"""
from contextlib import nullcontext
from copy import deepcopy

import numpy as np

from ..compat import mxnet
from ..core.regression import gradient_of_runs, stacked_gradient_of_runs
from ..core.steps import Batches, Steps, steps_of_record
from ..lazy import RECORDER, arrays_in, cached_op, for_runs, lazy, real

nd, sym = mxnet.nd, mxnet.sym
RUNS_AT_ONCE = 500  # enough that the dispatch of a step is shared by many, few enough to stay in the cache


def extended(features, labels):
    """The data as one table (N, d + 2): features, a 1 for the bias, the label."""
    return np.column_stack([features, np.ones_like(labels), labels])


class BatchesOfMany(Batches):
    """The gradients of many runs; the data are the table and each run's rows of it, indices (runs, steps * n)."""

    def batch(self, F, table, indices, step):
        rows = F.slice_axis(indices, axis=1, begin=step * self.n, end=(step + 1) * self.n)
        return [F.take(column, rows) for column in self.columns(F, table)]

    def columns(self, F, table):
        return (F.slice_axis(table, axis=1, begin=0, end=self.d + 1),
                F.slice_axis(table, axis=1, begin=self.d + 1, end=self.d + 2).reshape((-1,)))

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
    """Many runs, in parts of which each fits into the processor's cache.

    `arrays` holds for each part w (runs, d, 1), b (runs, 1, 1), then what else a step changes.
    """

    def __init__(self, w, b):
        self.d, bounds = w.shape[1], [*range(0, len(w), RUNS_AT_ONCE), len(w)]
        self.parts = [slice(*bound) for bound in zip(bounds, bounds[1:])]
        self.arrays = [[nd.array(w[part]), nd.array(b[part])] for part in self.parts]

    def running(self):
        """What a training is done in."""
        return nullcontext()

    def parameters(self):
        """A copy, (runs, d + 1), the bias last."""
        return np.concatenate([nd.concat(*map(real, arrays[:2]), dim=1).asnumpy()[:, :, 0] for arrays in self.arrays])


class RuleRuns(Runs):
    """Many runs with a rule, which sees the shapes of one; ten steps a graph, which each part goes through in turn."""

    def __init__(self, w, b, trainer_fn, states, hyperparams):
        super().__init__(w, b)
        states_of_one = arrays_in(states)
        self.shown = [w.shape[1:], (1,), *(state.shape for state in states_of_one)]
        for arrays in self.arrays:
            arrays += [state.reshape(for_runs(state.shape)).repeat(len(arrays[0]), axis=0) for state in states_of_one]
        for state, of_first_part in zip(states_of_one, self.arrays[0][2:]):
            # The rule has references to these objects: they become the first part's.
            state.handle, of_first_part.handle = of_first_part.handle, state.handle
        self.arrays[0][2:] = states_of_one
        for p in self.arrays[0][:2]:
            p.attach_grad()
        self.steps = Steps(self.arrays[0][:2], trainer_fn, states, hyperparams)

    def running(self):
        return lazy(self.arrays[0], shown=self.shown)

    def train(self, table, orders, sizes):
        at = 0
        while sizes:
            n, steps = sizes[0], steps_of_record(sizes)
            rows = orders[:, at:at + steps * n]
            # In a batch of all examples b's gradient may be rounding alone, which Adam makes a full step: there it has
            # to be summed as in a single run, not in one array with w's.
            batches = BatchesOfMany.of(n, steps, self.d, n < len(table))
            self.steps.take(batches, [table, as_int32(rows[self.parts[0]])], self.parts[0].stop)
            self._repeat(table, rows, batches)
            at, sizes = at + steps * n, sizes[steps:]

    def _repeat(self, table, rows, layout):
        """What the first part has done, for the others."""
        inputs, numbers = RECORDER.inputs, RECORDER.numbers
        for part, arrays in list(zip(self.parts, self.arrays))[1:]:
            w, b, *states = arrays
            roots = [w, w, b, b, *states]  # w and b fill their gradients' places, which nobody reads
            own = [number[part] if isinstance(number, np.ndarray) else number for number in numbers]
            results = RECORDER.repeat([table, as_int32(rows[part]), *roots, *inputs[2 + len(roots):]], own, layout)
            results = dict(zip(RECORDER.wanted, results))
            arrays[:] = [results.get(root.writable.at, array) for root, array in zip(self.arrays[0], arrays)]


class GluonRuns(Runs):
    """Many runs with a Gluon optimiser, called as `gluon.Trainer` calls it, with gradients that are means already."""

    def __init__(self, w, b, optimizer, divisor=None):
        super().__init__(w, b)
        self.divisor, self.ops = divisor, {}
        # A learning rate scheduler in an optimiser counts the steps: each part has its own.
        self.updates = [mxnet.optimizer.get_updater(deepcopy(optimizer)) for _ in self.parts]

    def train(self, table, orders, sizes):
        at = 0
        for n in sizes:
            for part, params, update in zip(self.parts, self.arrays, self.updates):
                grads = self._gradient(n)(table, as_int32(orders[part, at:at + n]), *params)
                # Like gluon.Trainer, by the parameters' names, bias first: Nadam's updates depend on the order.
                for i, (p, g) in enumerate(zip(params[::-1], grads[::-1])):
                    update(i, g, p)
            at += n

    def _gradient(self, n):
        if n not in self.ops:
            batches, names = BatchesOfMany(self.divisor or n, 1, self.d), ['table', 'indices', 'w', 'b']
            table, rows, w, b = map(sym.var, names)
            batch = [sym.take(column, rows) for column in batches.columns(sym, table)]
            self.ops[n] = cached_op(sym.Group(list(batches.gradient(sym, batch, w, b))), names)
        return self.ops[n]


def as_int32(rows):
    return nd.from_numpy(np.ascontiguousarray(rows, dtype=np.int32), zero_copy=True)
