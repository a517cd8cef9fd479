"""The process of one competitor: it loads its file, warms up, trains, and writes down the time and losses.

    python -I .../bench/worker.py <JOB       (`process` starts it; JOB is a JSON object)

It needs only NumPy. It writes JSON to the file ../answer.json.
"""
import gc
import json
import platform
import runpy
import sys
import time
from pathlib import Path

import numpy as np

CHECKED = 20  # final losses of many runs that are handed over and compared with the reference, seed by seed


class Task:
    """What is to be trained, and the clock.

    Attributes:
        features, labels, A: float32, (n, 5), (n,), and the features with a column of ones.
        w, b: the start, float32, (5, 1) and (1,).
        orders: (epochs, n), the order of the rows in each epoch.
        num_epochs: what a closed loop has to train: all of these, or only the first.
        batches: the slices of an epoch's minibatches, the short one last.
        due: (epochs, steps), after which steps the loss over all rows is recorded.
        lr, beta1, beta2, eps: Adam's.
    """

    def __init__(self, features, labels, records, batch_size, **settings):
        vars(self).update(settings)
        self.features, self.labels = np.array(features, np.float32), np.array(labels, np.float32)
        self.A, n = np.column_stack([self.features, np.ones_like(self.labels)]), len(labels)
        self.batches = [slice(at, min(at + batch_size, n)) for at in range(0, n, batch_size)]
        steps = np.arange(self.num_epochs * len(self.batches)) + 1
        self.due = np.isin(steps, records).reshape(self.num_epochs, -1)
        self.w, self.b, self.orders = (each[0] for each in self.draw(1))
        self.losses, self.times = [], []

    def record(self, loss):
        """Takes a loss and the time; `float` waits until the device has computed it."""
        self.losses.append(float(loss))
        self.times.append(time.perf_counter())

    def steps(self, X, y, loss):
        """The training as a loop: yields each minibatch of X and y, and records loss() where it is due."""
        self.record(loss())
        for order, due in zip(self.orders, self.due):
            X_epoch, y_epoch = X[order], y[order]
            for batch, is_due in zip(self.batches, due):
                yield X_epoch[batch], y_epoch[batch]
                if is_due:
                    self.record(loss())

    def rule(self, F):
        """The section's rule with the arrays of a framework's module, its states and hyperparameters."""
        def adam(params, states, hyperparams):
            (beta1, beta2), t = hyperparams['betas'], hyperparams['t']
            for p, (v, s) in zip(params, states):
                v[:] = beta1 * v + (1 - beta1) * p.grad
                s[:] = beta2 * s + (1 - beta2) * F.square(p.grad)
                v_hat, s_hat = v / (1 - beta1 ** t), s / (1 - beta2 ** t)
                p[:] = p - hyperparams['lr'] * v_hat / (F.sqrt(s_hat) + hyperparams['eps'])
            hyperparams['t'] = t + 1

        states = [(F.zeros(shape), F.zeros(shape)) for shape in (self.w.shape, self.b.shape)]
        return adam, states, {'lr': self.lr, 't': 1, 'betas': (self.beta1, self.beta2), 'eps': self.eps}

    def draw(self, runs):
        """The starts and orders of many runs, seeds 0, 1, ...: those of `chapter_adam.core.training.Draws`.

        Returns w (runs, 5, 1), b (runs, 1) and the orders (runs, epochs, n), int32.
        """
        n, d = self.features.shape
        w, b = np.empty((runs, d, 1), np.float32), np.zeros((runs, 1), np.float32)
        orders = np.empty((runs, self.num_epochs, n), np.int32)
        for seed in range(runs):
            generator = np.random.default_rng(seed)
            w[seed] = generator.normal(0, 0.01, (d, 1))
            for order in orders[seed]:
                order[:] = generator.permutation(n)
        return w, b, orders


def once(task, train, closed):
    """One training: the seconds of its last epoch, its losses, and how much of its wall time the records span.

    The last epoch goes from the record in the middle to the last one. A closed loop hands over its losses at the end:
    it trains two epochs, less one.
    """
    walls = []
    for task.num_epochs in (1, 2) if closed else (2,):
        task.losses, task.times = [], []
        start = time.perf_counter()
        train()
        walls.append(time.perf_counter() - start)
    if not task.losses:
        raise ValueError('it recorded no losses')
    if closed:
        return {'seconds': walls[1] - walls[0], 'losses': task.losses, 'recorded': 1}
    first, middle, last = (task.times[at] for at in (0, len(task.times) // 2, -1))
    return {'seconds': last - middle, 'losses': task.losses, 'recorded': (last - first) / walls[0]}


def many(task, train, runs):
    """One training of many runs: the seconds per run and epoch, and the first final losses."""
    start = time.perf_counter()
    finals = np.asarray(train(runs))
    seconds = (time.perf_counter() - start) / runs / len(task.orders)
    return {'seconds': seconds, 'losses': finals[:CHECKED].tolist(), 'recorded': 1}


def answer(job):
    """The last training after the warm-up, or why there is none."""
    try:
        functions = runpy.run_path(job['file'])
        versions = {name: sys.modules[name].__version__ for name in job['packages']}
    except Exception as error:  # a broken package can raise anything
        return {'absent': f'{type(error).__name__}: {error}'}
    task, runs, start = Task(**job['task']), job['runs'], time.perf_counter()
    train = functions['prepare_many' if runs else 'prepare'](task, job['variant'])

    def measure():
        gc.collect()  # or the garbage of loading everything is collected in the middle of some training
        return many(task, train, runs) if runs else once(task, train, job['closed'])
    trainings = [measure()]
    prepared = time.perf_counter() - start
    while len(trainings) < 2 or time.perf_counter() < start + prepared + job['warm_up']:
        trainings.append(measure())
    recorded = max(each['recorded'] for each in trainings)  # a clock that was disturbed once is not wrong
    return {**trainings[-1], 'recorded': recorded, 'prepare_seconds': prepared,
            'versions': {'python': platform.python_version(), **versions}}


if __name__ == '__main__':
    the_job = json.load(sys.stdin)
    sys.path.append(str(Path(__file__).resolve().parents[2]))  # for those that import chapter_adam
    Path('../answer.json').write_text(json.dumps(answer(the_job)))
