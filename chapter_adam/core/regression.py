"""Linear regression in formulas: the model, its loss and its gradient, for one run and for many.

F is mxnet.nd or, for symbols, mxnet.sym.
"""
import numpy as np

from ..compat import mxnet

nd = mxnet.nd


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
    """X w + b - y of shape (n, 1), for X (n, d), y (n, 1), w (d, 1) and b (1,)."""
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


class QuadraticLoss:
    """mean((X w + b - y)^2) / 2 for many runs, as the quadratic form of the data's second moments, in float64.

    >>> loss = QuadraticLoss(np.array([[2.0, 1.0, 3.0]]))  # one example: x = 2, 1 for the bias, y = 3
    >>> loss(np.array([[1.0, 0.0], [1.0, 1.0]])).tolist()
    [0.5, 0.0]
    """

    def __init__(self, table):
        table = table.astype(np.float64)
        self.rows, self.moments = len(table), table.T @ table / len(table) / 2

    def __call__(self, parameters):
        """For parameters (runs, d + 1), the losses (runs,); nan for a run that is not finite any more."""
        with np.errstate(all='ignore'):
            u = np.column_stack([parameters, np.full(len(parameters), -1.0)]).astype(np.float64)
            loss = np.einsum('ri,ri->r', u @ self.moments, u)
            total = (loss * self.rows).astype(np.float32)  # where float32 cannot hold it, `mean_loss` is infinite
            return np.where(np.isfinite(total), loss, np.nan)
