"""The process of one competitor: loads its file, prepares it, and trains whenever it is told to.

    python -I .../peers/__main__.py ENVIRONMENT FILE VARIANT TASK.npz REQUIRED...     (started by room `race`)

It runs in any environment that has NumPy. One line of JSON goes out for the start: {"absent": reason} or {"prepared":
seconds, "versions": {...}}; then, for a line `train` that comes in, {"seconds": ..., "losses": [...]}, and for a line
`many RUNS` {"seconds": ..., "finals": [the first twenty]}. It ends when its
input does. Whatever the frameworks print goes to standard error.
"""
import importlib.metadata
import importlib.util
import json
import os
import platform
import signal
import sys
import time
from pathlib import Path

import numpy as np


class Task:
    """What is to be trained, and the clock.

    Attributes:
        features, labels: float32, (n, 5) and (n,).
        w, b: the start, float32, (5, 1) and (1,).
        orders: (epochs, n), the order of the rows in each epoch.
        batches: the slices of an epoch's minibatches, the short one last.
        records: the numbers of the steps, counted from 1, after which the loss over all rows is recorded.
        lr, beta1, beta2, eps: Adam's.
        losses, seconds: the training's result: the recorded losses, the start's included; the last epoch's wall time.
    """

    def __init__(self, file):
        with np.load(file) as arrays:
            self.features, self.labels, self.w, self.b, self.orders = (
                arrays[name] for name in ('features', 'labels', 'w', 'b', 'orders'))
            self.lr, self.beta1, self.beta2, self.eps = arrays['hyperparams'].tolist()
            self.records = frozenset(arrays['records'].tolist())
            size = int(arrays['batch_size'])
        n = len(self.labels)
        self.batches = [slice(at, min(at + size, n)) for at in range(0, n, size)]
        self.reset()

    def draw(self, seeds):
        """The starts and orders of many runs, as `chapter_adam.training.Draws` draws them.

        Returns w (runs, 5, 1), b (runs, 1) and the orders (runs, epochs, n), int32.
        """
        generators = [np.random.default_rng(seed) for seed in seeds]
        w = np.stack([g.normal(0, 0.01, self.w.shape).astype(np.float32) for g in generators])
        orders = np.empty((len(w), *self.orders.shape), np.int32)
        for generator, of_run in zip(generators, orders):
            for order in of_run:
                order[:] = generator.permutation(len(order))
        return w, np.zeros((len(w), 1), np.float32), orders

    def reset(self):
        self.losses, self.seconds = [], None

    def epochs(self):
        """Yields each epoch's order of the rows; the clock runs from there until the next is asked for."""
        for order in self.orders:
            start = time.perf_counter()
            yield order
            self.seconds = time.perf_counter() - start

    def record(self, loss):
        """Takes a loss; as a Python number it is there only when the device has done all that came before."""
        self.losses.append(float(loss))

    def report(self, seconds, losses):
        """Takes the result of a peer that brings its own loop and clock."""
        self.seconds, self.losses = float(seconds), [float(loss) for loss in losses]


def absent(required):
    """Why the peer cannot run in this environment, or None."""
    for name in required:
        if importlib.util.find_spec(name) is None:
            return f'{name} is not installed'
        try:
            importlib.import_module(name)
        except Exception as error:  # a package that is there and broken can raise anything
            return f'{name} cannot be loaded: {type(error).__name__}: {error}'
    return None


def versions(required):
    """The versions of Python and of the peer's packages."""
    found = {'python': platform.python_version()}
    for name in required:
        module = sys.modules[name]
        found[name] = getattr(module, '__version__', None) or importlib.metadata.version(name)
    return found


def load(file):
    """The peer's file as a module; its folder is not on the path, so that a peer may be named as its framework."""
    spec = importlib.util.spec_from_file_location('peer', file)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def serve(answer, file, variant, task_file, *required):
    """Answers the requests on standard input, one a line, until it is closed."""
    if reason := absent(required):
        return answer({'absent': reason})
    task = Task(task_file)
    peer = load(file)
    start = time.perf_counter()
    train = peer.prepare(task, variant)
    answer({'prepared': time.perf_counter() - start, 'versions': versions(required)})
    many = None
    for request in sys.stdin:
        task.reset()
        if request.startswith('many'):
            many = many or peer.prepare_many(task, variant)
            answer(timed(many, range(int(request.split()[1]))))
        else:
            train()
            answer({'seconds': task.seconds, 'losses': task.losses})


def timed(many, seeds):
    """Trains all runs of the seeds, draws included."""
    start = time.perf_counter()
    finals = many(seeds)
    seconds = time.perf_counter() - start
    return {'seconds': seconds, 'finals': [float(loss) for loss in finals[:20]]}


def main(environment, *arguments):
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the race, which then closes our input
    # The frameworks' prints must not get between our lines.
    out = os.fdopen(os.dup(1), 'w', buffering=1)
    os.dup2(2, 1)
    if environment == 'main':
        sys.path.append(str(Path(__file__).resolve().parents[3]))
        importlib.import_module('chapter_adam')  # with it, MXNet loads on today's Pythons
    serve(lambda message: print(json.dumps(message), file=out), *arguments)


if __name__ == '__main__':
    main(*sys.argv[1:])
