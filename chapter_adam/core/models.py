"""Linear regression twice: from scratch over NDArrays, and with Gluon. One loop drives both.

A model knows `train(X, y, bounds)`, one update for each minibatch [start, stop) of the rows; `loss(X, y)`, a float;
`warm_up(X, y)`, the device's first use of every operator, without an update, once for each size of a batch; and
`parameters()`, copies as NumPy arrays. X is (n, d), y is (n,).
"""
from contextlib import nullcontext

from .compat import mxnet

nd, autograd, gluon = mxnet.nd, mxnet.autograd, mxnet.gluon


def linreg(X, w, b):
    """The model: X w + b, of shape (n, 1) for X (n, d), w (d, 1) and b (1,).

    >>> linreg(nd.array([[1, 2]]), nd.array([[10], [100]]), nd.array([5])).asnumpy().tolist()
    [[215.0]]
    """
    return nd.dot(X, w) + b


def squared_loss(y_hat, y):
    """The loss of each example: (y_hat - y)^2 / 2, of y_hat's shape.

    >>> squared_loss(nd.array([[3]]), nd.array([1])).asnumpy().tolist()
    [[2.0]]
    """
    return (y_hat - y.reshape(y_hat.shape)) ** 2 / 2


def residual(F, X, y, w, b):
    """X w + b - y of shape (n, 1), for X (n, d), y (n, 1), w (d, 1) and b (1,).

    F is mxnet.nd or, for symbols, mxnet.sym; here and below.
    """
    return F.broadcast_add(F.dot(X, w), b) - y


def mean_loss(F, X, y, w, b):
    """L(w, b) = mean((X w + b - y)^2) / 2, of shape (1,)."""
    return (residual(F, X, y, w, b) ** 2 / 2).mean()


def gradient(F, X, y, w, b, n, keepdims=False):
    """The gradient of `mean_loss`: dL/dw = X^T r / n and dL/db = sum(r) / n, with the residual r.

    Each example's share r / n first, as autograd does it: then even the rounding is autograd's.
    """
    share = residual(F, X, y, w, b) * (1 / n)
    return F.dot(X, share, transpose_a=True), share.sum(axis=0, keepdims=keepdims)


def gradient_of_runs(F, X, y, w, b, n, d):
    """The same for many runs, rounded in the same way: w (runs, d, 1) and b (runs, 1, 1).

    X is (runs, n, d + 1), its last column 1 for the bias; y is (runs, n).
    """
    X = F.slice_axis(X, axis=2, begin=0, end=d)
    share = (F.broadcast_add(F.batch_dot(X, w), b) - y.expand_dims(axis=2)) * (1 / n)
    return F.batch_dot(X, share, transpose_a=True), share.sum(axis=1, keepdims=True)


def stacked_gradient_of_runs(F, X, y, wb, n):
    """The same for weights and bias in one array (runs, 1, d + 1): its gradient, of that shape, summed as BLAS does."""
    return F.batch_dot((F.batch_dot(wb, X, transpose_b=True) - y.expand_dims(axis=1)) * (1 / n), X)


class StepByStep:
    """A model that takes its minibatches one at a time, each with its own call of `step(X, y)`."""

    running = nullcontext  # what a training is done in

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


class GluonModel(StepByStep):
    """The same model with Gluon: one dense layer, L2Loss (which has the 1/2 too) and a Trainer.

    `full_division` divides the gradient of the short last batch by `batch_size`, not by its own number of rows,
    as the original's `trainer.step(batch_size)` did. `hybridize` makes a graph of the net and one of the loss.
    """

    def __init__(self, w, b, trainer_name, trainer_hyperparams, batch_size, full_division=False, hybridize=False):
        self.net = gluon.nn.Dense(1, in_units=len(w))
        # Zeros first: Gluon's own initialisers would draw from MXNet's global generator.
        self.net.initialize(mxnet.init.Zero())
        self.net.weight.set_data(nd.array(w.T))
        self.net.bias.set_data(nd.array(b))
        self.trainer = gluon.Trainer(self.net.collect_params(), trainer_name, trainer_hyperparams)
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
