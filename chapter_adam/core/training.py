"""Minibatches, and the one loop that trains every model.

Randomness is a value here: a generator made from the run's seed, which neither reads nor moves any global one.
"""
from dataclasses import dataclass

import numpy as np

from ..compat import DEVICE, mxnet
from .history import Stopwatch

nd = mxnet.nd


class DivergenceError(ArithmeticError):
    """A run whose loss is no longer a finite number; the message says after which step.

    >>> from chapter_adam import init_sgd_states, sgd, train_ch7
    >>> x = np.linspace(-1, 1, 40).reshape(20, 2)
    >>> run = train_ch7(sgd, init_sgd_states(2), {'lr': 1e30}, x, x[:, 0], plot=False)  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    chapter_adam.core.training.DivergenceError: ...
    """


class Draws:
    """Everything random in a run, from one seed: the start and the order of the examples in each epoch.

    >>> bool((Draws(3).order(1503) == Draws(3).order(1503)).all())
    True
    """

    def __init__(self, seed):
        self.generator = np.random.default_rng(seed)

    def start(self, d):
        """w ~ N(0, 0.01^2) of shape (d, 1) and b = 0 of shape (1,), float32."""
        return self.generator.normal(0, 0.01, (d, 1)).astype(np.float32), np.zeros(1, np.float32)

    def order(self, n):
        """The examples' order in the next epoch: a permutation of range(n)."""
        return self.generator.permutation(n)


@dataclass(frozen=True)
class Stretch:
    """Consecutive minibatches of one epoch that nothing interrupts: rows [start, stop) of the shuffled data.

    >>> list(Stretch(1490, 1503, record=True).batches(10))
    [(1490, 1500), (1500, 1503)]
    """
    start: int
    stop: int
    record: bool

    def batches(self, batch_size):
        """The bounds (start, stop) of its minibatches; only the epoch's last batch can be short."""
        for start in range(self.start, self.stop, batch_size):
            yield start, min(start + batch_size, self.stop)


def stretches(n, batch_size, num_epochs, record_every=100):
    """Cuts a training into stretches, one list per epoch: the loss is recorded after those with `record` set.

    That is where the number of examples seen crosses a multiple of `record_every` (never, if that is None), and
    at the end. A record one short batch before the end is dropped, since the end is recorded: the section's
    3006 examples give 30 records, at 100, 200, ..., 1500, 1603, ..., 2903 and 3006, and with the start 31.

    >>> for epoch in stretches(23, batch_size=10, num_epochs=2, record_every=20):
    ...     print([(s.start, s.stop, s.record) for s in epoch])
    [(0, 20, True), (20, 23, False)]
    [(0, 23, True)]
    """
    total = n * num_epochs
    for seen in range(0, total, n):
        bounds = [*range(batch_size, n, batch_size), n]
        crossed = [b for a, b in zip([0, *bounds], bounds) if _crosses(seen + a, seen + b, record_every)]
        if seen + n == total:
            crossed = [b for b in crossed if n - b >= batch_size] + [n]
        cuts = [0, *crossed] if n in crossed else [0, *crossed, n]
        yield [Stretch(a, b, b in crossed) for a, b in zip(cuts, cuts[1:])]


def _crosses(before, after, every):
    return every is not None and before // every < after // every


def fit(model, draws, features, labels, batch_size, num_epochs, record_every=100, watch=None):
    """Trains `model` and returns (losses, epochs, seconds_per_epoch, train_seconds_per_epoch).

    Args:
        model: see `models`; changed by the training.
        draws: where each epoch's order of the examples comes from.
        features, labels: float32 NumPy arrays of shape (N, d) and (N,).
        record_every: record the loss at each multiple of so many examples; None: only at start and end.
        watch: called as watch(epochs_done, loss) at each record, for a progress bar.

    Raises:
        DivergenceError: a recorded loss is not finite.
    """
    n, labels = len(labels), labels.reshape(-1, 1)
    X_all, y_all, step = nd.array(features), nd.array(labels), 0
    with DEVICE, model.running():
        records = _Records(lambda: model.loss(X_all, y_all), watch)
        records.take(0.0, step=0)
        for rows in filter(None, (batch_size, n % batch_size)):  # an epoch's last batch may have a size of its own
            model.warm_up(X_all[:rows], y_all[:rows])
        nd.waitall()
        for epoch, parts in enumerate(stretches(n, batch_size, num_epochs, record_every)):
            whole, training = Stopwatch(), Stopwatch()
            with whole.running():
                with training.running():
                    order = draws.order(n)
                    X, y = nd.array(features[order]), nd.array(labels[order])
                for part in parts:
                    with training.running():
                        bounds = list(part.batches(batch_size))
                        model.train(X, y, bounds)
                        nd.waitall()  # an engine other than ours only queues the work; a clock would time the queue
                    step += len(bounds)
                    if part.record:
                        records.take(epoch + part.stop / n, step)
    return records.losses, records.epochs, whole.seconds, training.seconds


class _Records:
    """The curve while it grows."""

    def __init__(self, measure, watch):
        self.measure, self.watch, self.losses, self.epochs = measure, watch, [], []

    def take(self, epochs, step):
        loss = self.measure()
        if not np.isfinite(loss):
            if step == 0:
                raise DivergenceError(f'the loss is {loss} before the first step: features or labels are too large '
                                      'for float32; standardise them')
            raise DivergenceError(f'the run diverged: the loss is {loss} after step {step} '
                                  f'(epoch {epochs:.2f}); try a smaller learning rate')
        self.losses.append(loss)
        self.epochs.append(epochs)
        if self.watch:
            self.watch(epochs, loss)
