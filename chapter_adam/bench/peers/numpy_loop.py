"""NumPy: the loop by hand, in float32, with the gradient in closed form; the bias is a sixth weight."""
import numpy as np


def prepare(task, variant):
    def loss(x):
        residual = task.A @ x - task.labels
        return residual @ residual / (2 * len(residual))

    def train():
        x = np.append(task.w, task.b)
        v, s = np.zeros_like(x), np.zeros_like(x)
        for t, (X, y) in enumerate(task.steps(task.A, task.labels, lambda: loss(x)), 1):
            g = (X @ x - y) @ X / len(X)
            x, v, s = adam(task, x, v, s, g, t)
    return train


def prepare_many(task, variant):
    """The same on arrays with a leading axis of runs."""
    A, y = task.A, task.labels

    def train(runs):
        w, b, orders = task.draw(runs)
        x = np.concatenate([w[:, :, 0], b], axis=1)
        v, s, t = np.zeros_like(x), np.zeros_like(x), 0
        for order in orders.swapaxes(0, 1):
            for batch in task.batches:
                rows, t = order[:, batch], t + 1
                X = A[rows]
                residual = np.einsum('rnd,rd->rn', X, x) - y[rows]
                g = np.einsum('rnd,rn->rd', X, residual) / np.float32(rows.shape[1])
                x, v, s = adam(task, x, v, s, g, t)
        return ((x.astype(float) @ A.T.astype(float) - y) ** 2).mean(axis=1) / 2
    return train


def adam(task, x, v, s, g, t):
    v = task.beta1 * v + (1 - task.beta1) * g
    s = task.beta2 * s + (1 - task.beta2) * g * g
    x = x - task.lr / (1 - task.beta1 ** t) * v / (np.sqrt(s / (1 - task.beta2 ** t)) + task.eps)
    return x, v, s
