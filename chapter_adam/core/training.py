"""Minibatches, and the one loop that drives the scratch model and the Gluon model alike.

Randomness is a value here: a generator made from the run's seed, which neither reads nor moves any global one.
"""
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np

from . import checks
from .compat import DEVICE, mxnet
from ..old.fused import FusedModel
from .history import History, Stopwatch
from .models import GluonModel, ScratchModel
from ..old.stand_ins import UntraceableError

nd = mxnet.nd


class DivergenceError(ArithmeticError):
    """A run whose loss is no longer a finite number; the message says after which step.

    >>> from chapter_adam import init_sgd_states, sgd, train_ch7
    >>> x = np.linspace(-1, 1, 40).reshape(20, 2)
    >>> run = train_ch7(sgd, init_sgd_states(2), {'lr': 1e30}, x, x[:, 0], plot=False)  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    chapter_adam.training.DivergenceError: ...
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
    at the end. A record that only the short last batch separates from the end waits for it: the section's
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
    n = len(labels)
    X_all, y_all = nd.array(features), nd.array(labels)
    plan = stretches(n, batch_size, num_epochs, record_every)
    records = _Records(lambda: model.loss(X_all, y_all), watch)
    records.take(0.0, step=0)
    for rows in filter(None, (batch_size, n % batch_size)):  # an epoch's last batch may have a size of its own
        model.warm_up(X_all[:rows], y_all[:rows])
    nd.waitall()
    step = 0
    for epoch, parts in enumerate(plan):
        whole, training = Stopwatch(), Stopwatch()
        with whole.running():
            with training.running():
                order = draws.order(n)
                X, y = nd.array(features[order]), nd.array(labels[order])
            for part in parts:
                with training.running():
                    bounds = list(part.batches(batch_size))
                    model.train(X, y, bounds)
                    step += len(bounds)
                    nd.waitall()  # an engine other than ours has only queued the work; a clock would time the queue
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


def train_scratch(trainer_fn, states, hyperparams, features, labels, batch_size=10, num_epochs=2, *,
                  seed=0, hybridize=False, record_every=100, watch=None):
    """Trains the scratch model with a rule of the book's form; `book.train_ch7` says what each argument is."""
    checks.callable_rule(trainer_fn)
    run = _Run(features, labels, batch_size, num_epochs, seed, record_every)
    hyperparams = checks.hyperparameters('hyperparams', hyperparams, rule=trainer_fn)
    hybridize = checks.flag('hybridize', hybridize)
    name = getattr(trainer_fn, '__name__', type(trainer_fn).__name__)
    settings = run.settings(f'{name} from scratch', 'scratch', name, hyperparams, hybridize)
    w, b = run.start()
    states_copy = checks.states(states, (w.shape, b.shape))
    with explained(name, hyperparams):
        model = (FusedModel if hybridize else ScratchModel)(w, b, trainer_fn, states_copy, hyperparams)
        history = run.fit(model, settings, watch)
    if np.array_equal(history.weights, w[:, 0]) and history.bias == b[0]:
        raise ValueError(nothing_trained(name, states))
    return history


def nothing_trained(name, states):
    """Why a rule may have left all parameters where they started."""
    return (f'{name} changed no parameter in the whole run: does it write in place (p[:] = ..., where p = ... only '
            f'renames), does it go over its states ({"given" if states else "none were given"}), is lr not too small '
            'for float32?')


def train_gluon(trainer_name, trainer_hyperparams, features, labels, batch_size=10, num_epochs=2, *,
                seed=0, hybridize=False, record_every=100, full_division=False, watch=None):
    """Trains the Gluon model with a Gluon optimiser; `book.train_gluon_ch7` says what each argument is."""
    run = _Run(features, labels, batch_size, num_epochs, seed, record_every)
    hyperparams = checks.gluon_optimizer(trainer_name, trainer_hyperparams)
    hybridize, full_division = checks.flag('hybridize', hybridize), checks.flag('full_division', full_division)
    settings = run.settings(f'Gluon {trainer_name}', 'gluon', trainer_name, hyperparams, hybridize)
    settings['full_division'] = full_division
    model = GluonModel(*run.start(), trainer_name, hyperparams, run.batch_size, full_division, hybridize)
    with explained(f"Gluon's {trainer_name}", hyperparams):
        return run.fit(model, settings, watch)


class _Run:
    """What both trainings have in common: checked arguments, the draws of the seed, and the settings as data."""

    def __init__(self, features, labels, batch_size, num_epochs, seed, record_every):
        self.features, self.labels = checks.data(features, labels)
        # A batch larger than the data is one batch of all of it.
        self.batch_size = min(checks.whole_number('batch_size', batch_size, least=1), len(self.labels))
        self.num_epochs = checks.whole_number('num_epochs', num_epochs, least=1)
        if record_every is not None:
            checks.whole_number('record_every', record_every, least=1)
        self.record_every = record_every
        # Fresh entropy is drawn here, not left to the generator, so that the run's settings can repeat it.
        seed = checks.seed(seed)
        self.seed = np.random.SeedSequence().entropy if seed is None else seed
        self.draws = Draws(self.seed)

    def start(self):
        return self.draws.start(self.features.shape[1])

    def settings(self, label, method, rule, hyperparams, hybridize):
        plain = {key: value if isinstance(value, (str, int)) or _is_finite(value) else repr(value)
                 for key, value in hyperparams.items()}
        return {'label': label + (', hybridized' if hybridize else ''), 'method': method, 'rule': rule,
                'hyperparams': plain, 'hybridize': hybridize,
                'batch_size': self.batch_size, 'num_epochs': self.num_epochs, 'seed': self.seed,
                'rows': len(self.labels), 'features': self.features.shape[1], 'record_every': self.record_every}

    def fit(self, model, settings, watch):
        with DEVICE:
            losses, epochs, seconds, train_seconds = fit(
                model, self.draws, self.features, self.labels, self.batch_size, self.num_epochs, self.record_every,
                watch)
        w, b = model.parameters()
        return History(tuple(losses), tuple(epochs), seconds, train_seconds,
                       tuple(w[:, 0].tolist()), float(b[0]), settings)


def _is_finite(value):
    return isinstance(value, float) and np.isfinite(value)


@contextmanager
def explained(name, hyperparams):
    """Says what a rule's failure means where the arguments of the run are the cause."""
    try:
        yield
    except KeyError as error:
        key = error.args[0] if error.args else None
        if not isinstance(key, str) or key in hyperparams:
            raise
        raise ValueError(f'hyperparams must hold {key!r}, which {name} reads; got {hyperparams}') from error
    except UntraceableError:
        raise  # it says all there is to say
    except (mxnet.base.MXNetError, TypeError, ValueError, IndexError) as error:
        kind = TypeError if isinstance(error, TypeError) else ValueError
        reason = str(error).strip().splitlines()[-1:]
        raise kind(f'{name} failed: {" ".join(reason)}; do the given states (their number, shapes and types) and '
                   f'hyperparams {hyperparams} fit?') from error
