"""NumPy: the loop by hand, in float32, with the gradient in closed form."""
import numpy as np

LABELS = {'': 'NumPy'}
FAMILY = 'others'
ENVIRONMENT = 'arrays'
REQUIRES = ('numpy',)
SAME_DRAWS = True
MANY = ('',)


def prepare(task, variant):
    # A column of ones makes the bias a sixth weight.
    A = np.column_stack([task.features, np.ones_like(task.labels)])

    def loss(x):
        residual = A @ x - task.labels
        return residual @ residual / (2 * len(residual))

    def train():
        x = np.append(task.w, task.b)
        v, s, t = np.zeros_like(x), np.zeros_like(x), 0
        task.record(loss(x))
        for order in task.epochs():
            A_epoch, y_epoch = A[order], task.labels[order]
            for batch in task.batches:
                rows, t = A_epoch[batch], t + 1
                g = (rows @ x - y_epoch[batch]) @ rows / len(rows)
                v = task.beta1 * v + (1 - task.beta1) * g
                s = task.beta2 * s + (1 - task.beta2) * g * g
                v_hat, s_hat = v / (1 - task.beta1 ** t), s / (1 - task.beta2 ** t)
                x = x - task.lr * v_hat / (np.sqrt(s_hat) + task.eps)
                if t in task.records:
                    task.record(loss(x))
    return train


def prepare_many(task, variant):
    """The same for many runs: every array with a leading axis of runs."""
    A, y = np.column_stack([task.features, np.ones_like(task.labels)]), task.labels

    def train(seeds):
        w, b, orders = task.draw(seeds)
        x = np.concatenate([w[:, :, 0], b], axis=1)
        v, s, t = np.zeros_like(x), np.zeros_like(x), 0
        for order in orders.swapaxes(0, 1):
            for batch in task.batches:
                rows, t = order[:, batch], t + 1
                X = A[rows]
                residual = np.einsum('rnd,rd->rn', X, x) - y[rows]
                g = np.einsum('rnd,rn->rd', X, residual) / np.float32(rows.shape[1])
                v = task.beta1 * v + (1 - task.beta1) * g
                s = task.beta2 * s + (1 - task.beta2) * g * g
                x = x - task.lr / (1 - task.beta1 ** t) * v / (np.sqrt(s / (1 - task.beta2 ** t)) + task.eps)
        return ((x.astype(float) @ A.T.astype(float) - y) ** 2).mean(axis=1) / 2
    return train
