"""The book's two calls: the line that they print, the curve that they draw, and what their two clocks time."""
from contextlib import nullcontext

import matplotlib.pyplot as plt
import numpy as np
import pytest

import chapter_adam as gb
from chapter_adam import book
from chapter_adam.core import history, training


def scratch(data, **options):
    return gb.train_ch7(gb.adam, gb.init_adam_states(), {'lr': 0.01, 't': 1}, *data, **options)


def gluon(data, **options):
    return gb.train_gluon_ch7('adam', {'learning_rate': 0.01}, *data, **options)


BOTH = pytest.mark.parametrize('train', [scratch, gluon])


@pytest.fixture
def few(airfoil):
    plt.close('all')
    yield [array[:103] for array in airfoil]
    plt.close('all')


@BOTH
def test_the_line_is_the_books(few, train, capsys):
    run = train(few, plot=False)
    assert capsys.readouterr().out == f'loss: {run.losses[-1]:f}, {run.seconds_per_epoch:f} sec per epoch\n'
    assert plt.get_fignums() == []


@pytest.mark.parametrize('hybridize', [False, True])
def test_the_curve_is_drawn_and_neither_that_nor_the_line_changes_a_number(few, hybridize, capsys):
    options = {'seed': 3, 'hybridize': hybridize}
    drawn = scratch(few, **options), gluon(few, **options)
    assert capsys.readouterr().out.count('\n') == 2
    silent = (book.run_scratch(gb.adam, gb.init_adam_states(), {'lr': 0.01, 't': 1}, *few, **options),
              book.run_gluon('adam', {'learning_rate': 0.01}, *few, **options))
    assert capsys.readouterr().out == '' and [run.curve() for run in drawn] == [run.curve() for run in silent]
    axes, = plt.figure('chapter_adam').axes
    for line, run in zip(axes.lines, drawn, strict=True):
        assert tuple(line.get_xdata()) == run.epochs
        assert line.get_ydata() == pytest.approx(run.losses, abs=1e-6)
    assert (axes.get_xlabel(), axes.get_ylabel()) == ('epoch', 'loss')
    assert [text.get_text() for text in axes.get_legend().get_texts()] == [
        f'{label}{hybridize * ", hybridized"}, lr 0.01' for label in ('adam from scratch', 'Gluon adam')]


# The clocks, on a clock that the test sets: seconds, each with a digit of its own in the sums. An epoch's order takes
# one second more each time.
ROWS, STEP, LOSS, WARM_UP = 10, 100, 1_000, 1_000_000


class World:
    """A model, its draws and its data. Like MXNet it only queues its work, and does it when somebody waits."""

    running = nullcontext

    def __init__(self, monkeypatch):
        self.now, self.queued, self.orders, self.events = 0, 0, 0, []
        monkeypatch.setattr(history.time, 'perf_counter', lambda: self.now)
        monkeypatch.setattr(training.nd, 'waitall', self.wait)

    def wait(self):
        self.now, self.queued = self.now + self.queued, 0

    def data(self, *shape):
        world = self

        class Slow(np.ndarray):
            """Rows that take their time when an epoch picks them."""

            def __getitem__(self, order):
                world.now += ROWS
                return np.asarray(self)[order]
        return np.zeros(shape, np.float32).view(Slow)

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

    def fit(self, num_epochs, rows=4, record_every=2):
        """Minibatches of two: (seconds per epoch, of training alone)."""
        return training.fit(self, self, self.data(rows, 1), self.data(rows), 2, num_epochs, record_every)[2:]


@pytest.fixture
def world(monkeypatch):
    return World(monkeypatch)


@pytest.mark.parametrize('num_epochs', [1, 3])
def test_the_clocks_time_the_last_epoch_to_its_end_with_and_without_evaluations(world, num_epochs):
    """A clock read before the device has finished would leave the steps to the evaluation, which waits for them."""
    training_alone = num_epochs + 2 * ROWS + 2 * STEP
    assert world.fit(num_epochs) == (training_alone + 2 * LOSS, training_alone)


def test_a_warm_up_of_each_size_of_batch_ends_before_the_clocks_start(world):
    """The sums above say that it has ended: no million is in them."""
    world.fit(num_epochs=2)
    epoch = ['order', 'train', 'loss', 'train', 'loss']
    assert world.events == ['loss', 'warm-up of 2', *epoch, *epoch]
    world.events.clear()
    assert world.fit(num_epochs=1, rows=5, record_every=None)[1] == 3 + 2 * ROWS + 3 * STEP
    assert world.events == ['loss', 'warm-up of 2', 'warm-up of 1', 'order', 'train', 'loss']
