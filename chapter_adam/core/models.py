"""Linear regression twice: from scratch over NDArrays, and with Gluon. One loop drives both.

A model has `train(X, y, bounds)`, one update for each minibatch [start, stop) of the rows; `loss(X, y)`, a float;
`running()`, a context that the training is done in; `warm_up(X, y)`, the device's first use of every operator, without
an update, once for each size of a batch; and `parameters()`, copies as NumPy arrays. X is (n, d), y is (n,).
"""
from contextlib import nullcontext

from ..lazy import RECORDER, are_apart, arrays_in, cached_op, lazy, real
from ..compat import mxnet
from .regression import gradient, linreg, mean_loss, squared_loss
from .steps import Batches, Steps, steps_of_record

nd, sym, autograd, gluon = mxnet.nd, mxnet.sym, mxnet.autograd, mxnet.gluon


class StepByStep:
    """A model that takes its minibatches one at a time, each with its own call of `step(X, y)`."""

    def running(self):
        return nullcontext()

    def train(self, X, y, bounds):
        for start, stop in bounds:
            self.step(X[start:stop], y[start:stop])


class ScratchModel(StepByStep):
    """The book's model: two NDArrays, autograd, and a rule that updates them."""

    def __init__(self, w, b, trainer_fn, states, hyperparams):
        self.w, self.b = nd.array(w), nd.array(b)
        self.w.attach_grad()
        self.b.attach_grad()
        self.trainer_fn, self.states, self.hyperparams = trainer_fn, states, hyperparams

    def mean_loss(self, X, y):
        return squared_loss(linreg(X, self.w, self.b), y).mean()

    def backward(self, X, y):
        with autograd.record():
            loss = self.mean_loss(X, y)
        loss.backward()

    warm_up = backward

    def step(self, X, y):
        self.backward(X, y)
        self.trainer_fn([self.w, self.b], self.states, self.hyperparams)

    def loss(self, X, y):
        return float(self.mean_loss(X, y).asscalar())

    def parameters(self):
        return self.w.asnumpy(), self.b.asnumpy()


class BatchesOfOne(Batches):
    """The gradients of one run; the data are its rows, X (steps * n, d) and y (steps * n, 1)."""
    is_pooled = True

    def batch(self, F, X, y, step):
        return [F.slice_axis(data, axis=0, begin=step * self.n, end=(step + 1) * self.n) for data in (X, y)]

    def gradient(self, F, batch, w, b):
        return gradient(F, *batch, w, b, self.n)

    def stacked_gradient(self, batch, wb):
        w, b = sym.split_v2(wb, indices_or_sections=(self.d,), axis=0)
        return sym.concat(*gradient(sym, *batch, w, b, self.n, keepdims=True), dim=0)

    def stack(self, w, b):
        return sym.concat(w, b.reshape((1, 1)), dim=0)

    def unstack(self, wb):
        return (sym.slice_axis(wb, axis=0, begin=0, end=self.d),
                sym.slice_axis(wb, axis=0, begin=self.d, end=self.d + 1).reshape((1,)))


class LazyModel(ScratchModel):
    """The scratch model with lazy arrays: ten steps a graph, gradients in closed form."""

    def __init__(self, w, b, trainer_fn, states, hyperparams):
        super().__init__(w, b, trainer_fn, states, hyperparams)
        self.lazy_steps = Steps([self.w, self.b], trainer_fn, states, hyperparams)
        self.arrays = arrays_in([self.w, self.b, states, hyperparams])
        self.is_lazy = not RECORDER.is_busy and are_apart(self.arrays)

    def running(self):
        return lazy(self.arrays) if self.is_lazy else nullcontext()

    def warm_up(self, X, y):
        """Nothing: to run the rule would change what it keeps."""

    def train(self, X, y, bounds):
        sizes, start = [stop - start for start, stop in bounds], bounds[0][0]
        while sizes and self.is_lazy:
            n, steps = sizes[0], steps_of_record(sizes)
            data = [a._slice(start, start + steps * n) for a in (X, y)]
            done = self.lazy_steps.take(BatchesOfOne.of(n, steps, X.shape[1]), data)
            self.is_lazy = not RECORDER.has_ended
            start, sizes = start + done * n, sizes[done:]
        super().train(X, y, bounds[len(bounds) - len(sizes):])

    def loss(self, X, y):
        return float(LOSS(X, y, real(self.w), real(self.b)).asscalar())


LOSS = cached_op(mean_loss(sym, *map(sym.var, 'Xywb')), 'Xywb')


class GluonModel(StepByStep):
    """The same model with Gluon: one dense layer, L2Loss (which has the 1/2 too) and a Trainer.

    `full_division` divides the gradient of the short last batch by `batch_size`, not by its own number of rows,
    as the original's `trainer.step(batch_size)` did. `hybridize` makes a graph of the net and one of the loss.
    """

    def __init__(self, w, b, optimizer, batch_size, full_division=False, hybridize=False):
        self.net = gluon.nn.Dense(1, in_units=len(w))
        # Zeros first: Gluon's own initialisers would draw from MXNet's global generator.
        self.net.initialize(mxnet.init.Zero())
        self.net.weight.set_data(nd.array(w.T))
        self.net.bias.set_data(nd.array(b))
        self.trainer = gluon.Trainer(self.net.collect_params(), optimizer)
        self.l2_loss = gluon.loss.L2Loss()
        self.divisor = batch_size if full_division else None
        if hybridize:
            self.net.hybridize(static_alloc=True)
            self.l2_loss.hybridize(static_alloc=True)

    def backward(self, X, y):
        with autograd.record():
            loss = self.l2_loss(self.net(X), y)
        loss.backward()

    warm_up = backward

    def step(self, X, y):
        self.backward(X, y)
        self.trainer.step(self.divisor or len(X))

    def loss(self, X, y):
        return float(self.l2_loss(self.net(X), y).mean().asscalar())

    def parameters(self):
        return self.net.weight.data().asnumpy().T, self.net.bias.data().asnumpy()
