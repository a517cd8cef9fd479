"""Numba: the whole training as plain loops over numbers, compiled ahead of the clock. The floor: no framework left."""
import numba
import numpy as np

LABELS = {'': 'Numba'}
FAMILY = 'others'
ENVIRONMENT = 'arrays'
REQUIRES = ('numba', 'numpy')
SAME_DRAWS = True
MANY = ('',)


def prepare(task, variant):
    A = np.column_stack([task.features, np.ones_like(task.labels)])
    bounds = np.array([(batch.start, batch.stop) for batch in task.batches])
    due = np.array([t in task.records for t in range(len(task.orders) * len(bounds) + 1)])
    numbers = tuple(np.float32(x) for x in (task.lr, task.beta1, task.beta2, task.eps))

    def train():
        x = np.append(task.w, task.b)
        state = x, np.zeros_like(x), np.zeros_like(x)
        task.record(loss(A, task.labels, x))
        for epoch, order in enumerate(task.epochs()):
            first = epoch * len(bounds) + 1
            for value in train_epoch(A, task.labels, order, bounds, due, first, *state, *numbers):
                task.record(value)
    train()  # compiles
    return train


@numba.njit
def loss(A, y, x):
    total = 0.0
    for i in range(len(y)):
        residual = -y[i]
        for j in range(len(x)):
            residual += A[i, j] * x[j]
        total += residual * residual
    return total / len(y) / 2


@numba.njit
def train_epoch(A, y, order, bounds, due, t, x, v, s, lr, beta1, beta2, eps):
    """Changes x, v and s in place, from step t on; returns the losses that are due."""
    losses, g, one = [], np.empty_like(x), np.float32(1)
    for start, stop in bounds:
        g[:] = 0
        for i in order[start:stop]:
            residual = -y[i]
            for j in range(len(x)):
                residual += A[i, j] * x[j]
            for j in range(len(x)):
                g[j] += residual * A[i, j]
        correct_v, correct_s = one / (one - beta1 ** t), one / (one - beta2 ** t)
        for j in range(len(x)):
            g[j] /= stop - start
            v[j] = beta1 * v[j] + (one - beta1) * g[j]
            s[j] = beta2 * s[j] + (one - beta2) * g[j] * g[j]
            x[j] -= lr * v[j] * correct_v / (np.sqrt(s[j] * correct_s) + eps)
        if due[t]:
            losses.append(loss(A, y, x))
        t += 1
    return losses


def prepare_many(task, variant):
    """The same for many runs, one after the other on each core."""
    A = np.column_stack([task.features, np.ones_like(task.labels)])
    bounds = np.array([(batch.start, batch.stop) for batch in task.batches])
    numbers = tuple(np.float32(x) for x in (task.lr, task.beta1, task.beta2, task.eps))

    def train(seeds):
        w, b, orders = task.draw(seeds)
        x = np.concatenate([w[:, :, 0], b], axis=1)
        return train_all(A, task.labels, orders, bounds, x, *numbers)
    return train


@numba.njit(parallel=True)
def train_all(A, y, orders, bounds, x, lr, beta1, beta2, eps):
    finals, never = np.empty(len(x)), np.zeros(orders.shape[1] * len(bounds) + 1, np.bool_)
    for run in numba.prange(len(x)):
        v, s = np.zeros_like(x[run]), np.zeros_like(x[run])
        for epoch in range(orders.shape[1]):
            train_epoch(A, y, orders[run, epoch], bounds, never, epoch * len(bounds) + 1, x[run], v, s, lr, beta1,
                        beta2, eps)
        finals[run] = loss(A, y, x[run])
    return finals
