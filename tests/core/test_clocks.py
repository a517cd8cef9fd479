"""What the two clocks of a training time, on a clock that the test sets; and that a warm-up trains nothing."""
from contextlib import nullcontext

import numpy as np
import pytest

from chapter_adam import adam, init_adam_states
from chapter_adam.core import history, training
from chapter_adam.core.models import GluonModel, LazyModel, ScratchModel

# Seconds, each with a digit of its own in the sums. An epoch's order takes one second more each time.
ROWS, STEP, LOSS, WARM_UP = 10, 100, 1_000, 1_000_000


class Slow(np.ndarray):
    """Rows that take their time when an epoch picks them."""
    world = None

    def __getitem__(self, order):
        self.world.now += ROWS
        return np.asarray(self)[order]


class World:
    """A model, its draws and its data. Like MXNet it only queues its work, and does it when somebody waits."""

    def __init__(self, monkeypatch):
        self.now, self.queued, self.orders, self.events = 0, 0, 0, []
        monkeypatch.setattr(history.time, 'perf_counter', lambda: self.now)
        monkeypatch.setattr(training.nd, 'waitall', self.wait)

    def wait(self):
        self.now, self.queued = self.now + self.queued, 0

    def data(self, *shape):
        Slow.world = self
        return np.zeros(shape, np.float32).view(Slow)

    running = nullcontext

    def order(self, n):
        self.events.append('order')
        self.orders += 1
        self.now += self.orders
        return np.arange(n)

    def warm_up(self, X, y):
        self.events.append(f'warm-up of {len(X)}')
        self.queued += WARM_UP

    def train(self, X, y, bounds):
        self.events.append('train')
        self.queued += STEP * len(bounds)

    def loss(self, X, y):
        self.wait()  # a number that Python reads must be there
        self.events.append('loss')
        self.now += LOSS
        return 0.5

    def fit(self, num_epochs):
        """Two steps an epoch, and a record after each: (seconds per epoch, of training alone)."""
        return training.fit(self, self, self.data(4, 1), self.data(4), 2, num_epochs, record_every=2)[2:]


@pytest.fixture
def world(monkeypatch):
    return World(monkeypatch)


def test_the_training_clock_has_the_shuffle_and_every_step_to_its_end(world):
    """A clock read before the device has finished would leave the steps to the evaluation, which waits for them."""
    _, training_alone = world.fit(num_epochs=1)
    assert training_alone == 1 + 2 * ROWS + 2 * STEP


def test_the_books_clock_has_the_evaluations_too(world):
    seconds, _ = world.fit(num_epochs=1)
    assert seconds == 1 + 2 * ROWS + 2 * STEP + 2 * LOSS


def test_both_clocks_are_of_the_last_epoch_alone(world):
    assert world.fit(num_epochs=3) == (3 + 2 * ROWS + 2 * STEP + 2 * LOSS, 3 + 2 * ROWS + 2 * STEP)


def test_the_warm_up_is_one_batch_of_each_size_before_the_first_epoch(world):
    """That it has ended before the clocks start, the sums above say: no million is in them."""
    world.fit(num_epochs=2)
    epoch = ['order', 'train', 'loss', 'train', 'loss']
    assert world.events == ['loss', 'warm-up of 2', *epoch, *epoch]
    world.events.clear()
    training.fit(world, world, world.data(5, 1), world.data(5), 2, 1, record_every=None)
    assert world.events == ['loss', 'warm-up of 2', 'warm-up of 1', 'order', 'train', 'loss']


START = np.full((5, 1), 0.01, np.float32), np.zeros(1, np.float32)
MODELS = {
    'scratch': lambda: ScratchModel(*START, adam, init_adam_states(), {'lr': 0.01, 't': 1}),
    'scratch hybridized': lambda: LazyModel(*START, adam, init_adam_states(), {'lr': 0.01, 't': 1}),
    'gluon': lambda: GluonModel(*START, 'adam', {'learning_rate': 0.01}, 10),
    'gluon hybridized': lambda: GluonModel(*START, 'adam', {'learning_rate': 0.01}, 10, hybridize=True),
}


@pytest.mark.parametrize('name', MODELS)
def test_a_warm_up_trains_nothing(airfoil, name):
    """Neither parameters, nor what only later steps show: states, the rule's t, Gluon's own count of steps."""
    def after(warm_ups):
        model, (X, y) = MODELS[name](), (airfoil[0], airfoil[1].reshape((-1, 1)))
        with model.running():
            for _ in range(warm_ups):
                model.warm_up(X[:10], y[:10])
            model.train(X, y, [(10, 20), (20, 30), (30, 40)])
        return model.parameters()
    for a, b in zip(after(0), after(3)):
        np.testing.assert_array_equal(a, b)
