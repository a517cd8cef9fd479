"""The rules once more, independently, in NumPy and float64: Adam with the mistakes that others made in it, the other
rules as sums over all gradients so far, without states."""
import numpy as np

STEPS = 50


def noisy_gradients(shape=(5, 1), steps=STEPS, scale=1.0, seed=0):
    return [scale * g for g in np.random.default_rng(seed).normal(0.3, 1, (steps, *shape)).astype(np.float32)]


def first_point():
    return np.linspace(-1, 1, 5, dtype=np.float32).reshape(5, 1)


# What is subtracted from the parameter: Kingma & Ba's Algorithm 1, and what was published as that.


def correct(v, s, t, lr, beta1, beta2, eps):
    return lr * (v / (1 - beta1 ** t)) / (np.sqrt(s / (1 - beta2 ** t)) + eps)


def epsilon_hat(v, s, t, lr, beta1, beta2, eps):
    return lr * np.sqrt(1 - beta2 ** t) / (1 - beta1 ** t) * v / (np.sqrt(s) + eps)


def epsilon_inside(v, s, t, lr, beta1, beta2, eps):
    return lr * (v / (1 - beta1 ** t)) / np.sqrt(s / (1 - beta2 ** t) + eps)


def uncorrected(v, s, t, lr, beta1, beta2, eps):
    return lr * v / (np.sqrt(s) + eps)


def late_clock(v, s, t, lr, beta1, beta2, eps):
    return correct(v, s, t + 1, lr, beta1, beta2, eps)


def adam(gradients, start, lr=0.01, beta1=0.9, beta2=0.999, eps=1e-6, move=correct, swapped=False):
    """The parameter after each gradient, (steps, *start.shape); `swapped`: the betas in each other's place."""
    if swapped:
        beta1, beta2 = beta2, beta1
    x, v, s, path = np.array(start, float), np.zeros_like(start, float), np.zeros_like(start, float), []
    for t, g in enumerate(gradients, 1):
        g = np.asarray(g, float)
        v = v + (1 - beta1) * (g - v)
        s = s + (1 - beta2) * (g * g - s)
        x = x - move(v, s, t, lr, beta1, beta2, eps)
        path.append(x)
    return np.array(path)


def train(features, labels, seed, lr=0.01, batch_size=10, num_epochs=2, eps=1e-6, tail_divisor=None):
    """The original's whole training in float64: the loss before each step and at the end.

    `tail_divisor`: what the short last batch's gradient is divided by, its own size if None.
    """
    draws = np.random.default_rng(seed)
    A, y = np.column_stack([features, np.ones(len(labels))]).astype(float), labels.astype(float)
    x = np.append(draws.normal(0, 0.01, (features.shape[1], 1)).astype(np.float32), 0.0).astype(float)
    v, s, t, losses = np.zeros_like(x), np.zeros_like(x), 0, [np.mean((A @ x - y) ** 2) / 2]
    for _ in range(num_epochs):
        order = draws.permutation(len(y))
        for at in range(0, len(y), batch_size):
            rows, t = order[at:at + batch_size], t + 1
            short = len(rows) < batch_size and tail_divisor
            g = A[rows].T @ (A[rows] @ x - y[rows]) / (tail_divisor if short else len(rows))
            v, s = 0.9 * v + 0.1 * g, 0.999 * s + 0.001 * g * g
            x = x - correct(v, s, t, lr, 0.9, 0.999, eps)
            losses.append(np.mean((A @ x - y) ** 2) / 2)
    return np.array(losses)


def weighted(values, decay):
    """sum over k <= t of decay^(t - k) values[k], for every t."""
    age = np.subtract.outer(np.arange(len(values)), np.arange(len(values)))
    return np.tensordot(np.where(age >= 0, float(decay) ** np.abs(age), 0), np.asarray(values, float), 1)


def sgd(gradients, start, lr=0.01):
    return start - lr * np.cumsum(np.asarray(gradients, float), axis=0)


def momentum(gradients, start, lr=0.01, momentum=0.9):
    return start - lr * np.cumsum(weighted(gradients, momentum), axis=0)


def adagrad(gradients, start, lr=0.01, eps=1e-6):
    g = np.asarray(gradients, float)
    return start - lr * np.cumsum(g / np.sqrt(weighted(g ** 2, 1) + eps), axis=0)


def rmsprop(gradients, start, lr=0.01, gamma=0.9, eps=1e-6):
    g = np.asarray(gradients, float)
    return start - lr * np.cumsum(g / np.sqrt((1 - gamma) * weighted(g ** 2, gamma) + eps), axis=0)


def adadelta(gradients, start, lr=None, rho=0.9, eps=1e-5):
    g = np.asarray(gradients, float)
    sizes, steps = (1 - rho) * weighted(g ** 2, rho), np.zeros_like(g)
    for k in range(len(g)):
        past = (1 - rho) * weighted(steps[:k] ** 2, rho)[-1] if k else 0
        steps[k] = np.sqrt(past + eps) / np.sqrt(sizes[k] + eps) * g[k]
    return start - np.cumsum(steps, axis=0)


def _quotients(size, default_eps=1e-6):
    def rule(gradients, start, lr=0.01, beta1=0.9, beta2=0.999, eps=default_eps):
        g = np.asarray(gradients, float)
        return start - lr * np.cumsum((1 - beta1) * weighted(g, beta1) / (np.sqrt(size(g ** 2, beta2)) + eps), axis=0)
    return rule


def _average(g2, beta):
    return (1 - beta) * weighted(g2, beta)


def _by_small_steps(g2, beta):
    s = [np.zeros_like(g2[0])]
    for square in g2:
        s.append(np.where(square > s[-1], s[-1] + (1 - beta) * square, s[-1] - (1 - beta) * square))
    return np.array(s[1:])


RULES = {'sgd': sgd, 'momentum': momentum, 'adagrad': adagrad, 'rmsprop': rmsprop, 'adadelta': adadelta, 'adam': adam,
         'adam_uncorrected': _quotients(_average),
         'amsgrad': _quotients(lambda g2, beta: np.maximum.accumulate(_average(g2, beta))),
         'yogi': _quotients(_by_small_steps, default_eps=1e-3)}
