"""The loss over a plane of two weights: a true problem of two parameters, cut out of the airfoil problem.

The weights are those of the two features that are correlated most; the other weights and the bias are held at the
least-squares optimum. Points are seen from the optimum, d = w - optimum:

    loss = floor + d^T H d / 2        H = [[1, r], [r, 1]]: the features are standardised
"""
import numpy as np

from ..core.airfoil import COLUMNS
from ._float64 import least_squares, table
from ._numbers import rounded


class Plane:
    """`optimum` (2,), `hessian` (2, 2), `floor`; `turn` (2, 2), as columns the directions along the valley and across.

    `size` is how many examples there are, `facts` what the plane is, for the exercise's facts.
    """

    def __init__(self, features, labels):
        (X, y), weights = table(features, labels), least_squares(features, labels)
        whole = X[:, :-1].T @ X[:, :-1] / len(X)
        pair = [int(k) for k in np.unravel_index(np.argmax(np.triu(np.abs(whole), 1)), whole.shape)]
        others = np.delete(np.arange(len(weights)), pair)
        self.X, self.rest, self.size = X[:, pair], y - X[:, others] @ weights[others], len(X)
        self.weights, self.optimum = [COLUMNS[k] for k in pair], weights[pair]
        self.hessian = self.X.T @ self.X / len(X)
        self.curvatures, self.turn = np.linalg.eigh(self.hessian)
        self.floor = rounded(self.loss(self.optimum), 5)
        low, high = self.curvatures
        self.facts = {'correlation': rounded(self.hessian[0, 1], 5), 'optimum': rounded(self.optimum, 5),
                      'curvatures': rounded(self.curvatures, 5), 'condition': rounded(high / low, 5),
                      'condition_of_all': rounded(np.linalg.cond(whole), 5), 'floor': self.floor}

    def loss(self, w):
        """The loss of two weights (2,)."""
        return ((self.X @ w - self.rest) ** 2).mean() / 2

    def above(self, d):
        """The loss above the floor, of points (..., 2); infinite where they are."""
        with np.errstate(all='ignore'):
            loss = np.einsum('...i,ij,...j->...', d, self.hessian, d) / 2
        return np.where(np.isfinite(loss), loss, np.inf)

    def batch_gradient(self, d, rows):
        """The gradients at points (rates, seeds, 2), each of its seed's batch, rows (seeds, batch)."""
        X = self.X[rows]
        off = np.einsum('snj,rsj->rsn', X, d + self.optimum) - self.rest[rows]
        return np.einsum('snj,rsn->rsj', X, off) / rows.shape[1]
