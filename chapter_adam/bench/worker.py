"""The process of one competitor: it loads its file, prepares it, and trains at each request.

    python -I .../bench/worker.py ENVIRONMENT FILE VARIANT TASK.npz REQUIRED...     (`process` starts it)

It needs only NumPy. It writes a line of JSON at the start, {"absent": reason} or {"prepared": seconds, "versions":
{...}}, and one for each line that it reads:

    train EPOCHS    {"seconds": those of the last epoch, "losses": [...]}
    many RUNS       {"seconds": those of all runs, "finals": [the first losses]}

What the frameworks print goes to standard error.
"""
import importlib.util
import json
import os
import platform
import signal
import sys
import time
from pathlib import Path

import numpy as np

CHECKED = 20  # final losses of many runs that are handed over


class Task:
    """What is to be trained, and the clock.

    Attributes:
        features, labels: float32, (n, 5) and (n,).
        w, b: the start, float32, (5, 1) and (1,).
        orders: (num_epochs, n), the order of the rows in each epoch.
        batches: the slices of an epoch's minibatches, the short one last.
        records: the numbers of the steps, counted from 1, after which the loss over all rows is recorded.
        lr, beta1, beta2, eps: Adam's.
    """

    def __init__(self, file):
        with np.load(file) as arrays:
            self.features, self.labels, self.w, self.b, self.all_orders = (
                arrays[name] for name in ('features', 'labels', 'w', 'b', 'orders'))
            self.lr, self.beta1, self.beta2, self.eps = arrays['hyperparams'].tolist()
            self.records = frozenset(arrays['records'].tolist())
            size = int(arrays['batch_size'])
        n = len(self.labels)
        self.batches = [slice(at, min(at + size, n)) for at in range(0, n, size)]
        self.start(len(self.all_orders))

    def start(self, num_epochs):
        """Sets the number of epochs and forgets the losses."""
        self.num_epochs, self.orders = num_epochs, self.all_orders[:num_epochs]
        self.losses, self.times = [], []

    def record(self, loss):
        """Takes a loss and the time; `float` waits until the device has computed it."""
        self.losses.append(float(loss))
        self.times.append(time.perf_counter())

    def seconds(self):
        """The last epoch's: from the last record of the epoch before, or from the first, to the last record."""
        before = sum(step <= (self.num_epochs - 1) * len(self.batches) for step in self.records)
        return self.times[-1] - self.times[before] if before < len(self.times) else None

    def draw(self, runs):
        """The starts and orders of many runs, seeds 0, 1, ...: those of `chapter_adam.core.training.Draws`.

        Returns w (runs, 5, 1), b (runs, 1) and the orders (runs, epochs, n), int32.
        """
        w, b = np.empty((runs, *self.w.shape), np.float32), np.zeros((runs, 1), np.float32)
        orders = np.empty((runs, *self.all_orders.shape), np.int32)
        for seed in range(runs):
            generator = np.random.default_rng(seed)
            w[seed] = generator.normal(0, 0.01, self.w.shape)
            for order in orders[seed]:
                order[:] = generator.permutation(len(order))
        return w, b, orders


def versions(required):
    """Imports the required packages; returns their versions and Python's."""
    modules = {name: importlib.import_module(name) for name in required}
    return {'python': platform.python_version(), **{name: module.__version__ for name, module in modules.items()}}


def load(file):
    """The competitor's file as a module."""
    spec = importlib.util.spec_from_file_location('competitor', file)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def serve(answer, file, variant, task_file, *required):
    """Answers the requests on standard input, one a line, until it is closed."""
    try:
        found = versions(required)
    except Exception as error:  # a broken package can raise anything
        return answer({'absent': f'{type(error).__name__}: {error}'})
    task, start = Task(task_file), time.perf_counter()
    competitor = load(file)
    train, many = competitor.prepare(task, variant), None
    answer({'prepared': time.perf_counter() - start, 'versions': found})
    for request in sys.stdin:
        kind, number = request.split()
        if kind == 'train':
            task.start(int(number))
            train()
            answer({'seconds': task.seconds(), 'losses': task.losses})
        else:
            many = many or competitor.prepare_many(task, variant)
            start = time.perf_counter()
            finals = np.asarray(many(int(number)))
            answer({'seconds': time.perf_counter() - start, 'finals': finals[:CHECKED].tolist()})


def main(environment, *arguments):
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the race, which ends this process
    out = os.fdopen(os.dup(1), 'w', buffering=1)
    os.dup2(2, 1)
    if environment == 'main':
        sys.path.append(str(Path(__file__).resolve().parents[2]))
        importlib.import_module('chapter_adam')  # with it, MXNet loads on today's Pythons
    serve(lambda message: print(json.dumps(message), file=out), *arguments)


if __name__ == '__main__':
    main(*sys.argv[1:])
