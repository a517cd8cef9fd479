"""NumPy: the loop by hand, in float32, with the gradient in closed form."""
import numpy as np


def prepare(task, variant):
    A, y = with_ones(task), task.labels

    def loss(x):
        residual = A @ x - y
        return residual @ residual / (2 * len(y))

    def train():
        x = np.append(task.w, task.b)
        v, s, t = np.zeros_like(x), np.zeros_like(x), 0
        task.record(loss(x))
        for order in task.orders:
            A_epoch, y_epoch = A[order], y[order]
            for batch in task.batches:
                X, t = A_epoch[batch], t + 1
                g = (X @ x - y_epoch[batch]) @ X / len(X)
                x, v, s = adam(task, x, v, s, g, t)
                if t in task.records:
                    task.record(loss(x))
    return train


def prepare_many(task, variant):
    """The same on arrays with a leading axis of runs."""
    A, y = with_ones(task), task.labels

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


def with_ones(task):
    """The features with a column of ones: the bias is a sixth weight."""
    return np.column_stack([task.features, np.ones_like(task.labels)])


def adam(task, x, v, s, g, t):
    v = task.beta1 * v + (1 - task.beta1) * g
    s = task.beta2 * s + (1 - task.beta2) * g * g
    x = x - task.lr / (1 - task.beta1 ** t) * v / (np.sqrt(s / (1 - task.beta2 ** t)) + task.eps)
    return x, v, s
