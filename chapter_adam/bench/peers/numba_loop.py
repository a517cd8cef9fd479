"""Numba: the training as plain loops over numbers, compiled in the first training. The floor: no framework is left."""
import numba
import numpy as np


def prepare(task, variant):
    bounds, hyperparams = arrays(task)

    def train():
        x = np.append(task.w, task.b)
        state = x, np.zeros_like(x), np.zeros_like(x)
        task.record(loss(task.A, task.labels, x))
        for epoch, (order, due) in enumerate(zip(task.orders, task.due)):
            first = epoch * len(bounds) + 1
            for value in train_epoch(task.A, task.labels, order, bounds, due, first, *state, *hyperparams):
                task.record(value)
    return train


def prepare_many(task, variant):
    """The same for many runs, one after the other on each core."""
    bounds, hyperparams = arrays(task)

    def train(runs):
        w, b, orders = task.draw(runs)
        x = np.concatenate([w[:, :, 0], b], axis=1)
        return train_all(task.A, task.labels, orders, bounds, x, *hyperparams)
    return train


def arrays(task):
    """The minibatches' bounds, and the hyperparameters in float32."""
    return (np.array([(batch.start, batch.stop) for batch in task.batches]),
            [np.float32(x) for x in (task.lr, task.beta1, task.beta2, task.eps)])


@numba.njit
def residual(A, y, x, i):
    value = -y[i]
    for j in range(len(x)):
        value += A[i, j] * x[j]
    return value


@numba.njit
def loss(A, y, x):
    total = 0.0
    for i in range(len(y)):
        total += residual(A, y, x, i) ** 2
    return total / len(y) / 2


@numba.njit
def train_epoch(A, y, order, bounds, due, t, x, v, s, lr, beta1, beta2, eps):
    """Changes x, v and s in place, from step t on; returns the losses that are due."""
    losses, g, one = [], np.empty_like(x), np.float32(1)
    for (start, stop), is_due in zip(bounds, due):
        g[:] = 0
        for i in order[start:stop]:
            r = residual(A, y, x, i)
            for j in range(len(x)):
                g[j] += r * A[i, j]
        correct_v, correct_s = one / (one - beta1 ** t), one / (one - beta2 ** t)
        for j in range(len(x)):
            g[j] /= stop - start
            v[j] = beta1 * v[j] + (one - beta1) * g[j]
            s[j] = beta2 * s[j] + (one - beta2) * g[j] * g[j]
            x[j] -= lr * v[j] * correct_v / (np.sqrt(s[j] * correct_s) + eps)
        if is_due:
            losses.append(loss(A, y, x))
        t += 1
    return losses


@numba.njit(parallel=True)
def train_all(A, y, orders, bounds, x, lr, beta1, beta2, eps):
    finals, never = np.empty(len(x)), np.zeros(len(bounds), np.bool_)
    for run in numba.prange(len(x)):
        v, s = np.zeros_like(x[run]), np.zeros_like(x[run])
        for epoch in range(orders.shape[1]):
            train_epoch(A, y, orders[run, epoch], bounds, never, epoch * len(bounds) + 1, x[run], v, s, lr, beta1,
                        beta2, eps)
        finals[run] = loss(A, y, x[run])
    return finals
