"""Many seeded runs as one training: the book's two calls on parameters with a leading axis of runs."""
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from time import perf_counter

import numpy as np

from ..core import checks
from ..compat import DEVICE, mxnet
from ..core.history import Ensemble
from ..core.regression import QuadraticLoss
from ..advice import draws_noted, explained, warn_of_slips, watched
from ..core.training import Draws, stretches
from ..rules import is_own
from .models import GluonRuns, RuleRuns, extended

nd = mxnet.nd

# Gluon's optimisers that work on each number of a parameter by itself, and draw nothing at random.
NUMBER_BY_NUMBER = ('adadelta', 'adagrad', 'adam', 'adamax', 'dcasgd', 'ftml', 'ftrl', 'nadam', 'nag', 'rmsprop', 'sgd',
                    'signum')


def train_ensemble(trainer_fn, states, hyperparams, features, labels, batch_size=10, num_epochs=2, *,
                   seeds=range(1000), record_every=100, watch=None, **removed):
    """Trains one run per seed with a rule of the book's form; run k is `train_ch7(..., seed=seeds[k])`.

    Args:
        trainer_fn: a rule that works on each number by itself, as all of the book's do. It runs once a step, on arrays
            that show the shapes of one run.
        states: its states for one run, as for `train_ch7`; every run starts from them.
        hyperparams: its hyperparameters; each may be a list or array with one value per run, which the rule sees as a
            float64 array of shape (runs, 1, 1).
        features, labels, batch_size, num_epochs, record_every: as for `train_ch7`.
        seeds: one whole number of at least 0 for each run.
        watch: called as watch(runs_done) now and then, for a progress bar.

    Returns:
        An `Ensemble`: equal to the single runs within 1e-5 at each record. A run that diverges is reported there, by
        its seed, and disturbs no other.

    Raises:
        TypeError, ValueError: an argument is wrong; or the rule looks at more than one number of an array, or asks for
        a value: the message names the operator and the line.

    >>> from chapter_adam import adam, init_adam_states
    >>> x = np.linspace(-1, 1, 40).reshape(20, 2)
    >>> runs = train_ensemble(adam, init_adam_states(2), {'lr': [0.001, 0.1], 't': 1}, x, x[:, 0], seeds=[7, 7])
    >>> runs.losses.shape, bool(runs.final[0] > runs.final[1])
    ((2, 2), True)
    """
    refuse(removed)
    checks.rule(trainer_fn)
    job = Job(features, labels, batch_size, num_epochs, seeds, record_every)
    states, hyperparams = checks.copies(states, hyperparams)
    hyperparams = {key: per_run(key, value, len(job.seeds)) for key, value in hyperparams.items()}
    if is_own(trainer_fn):
        checks.ranges(hyperparams)
    name, settings = getattr(trainer_fn, '__name__', type(trainer_fn).__name__), as_lists(hyperparams)
    strict = any(isinstance(value, np.ndarray) for value in hyperparams.values())
    hyperparams = watched(hyperparams)

    def model(w, b):
        return RuleRuns(w, b, trainer_fn, states, hyperparams)

    # NumPy warns where Python's numbers raise.
    numpy_errors = np.errstate(divide='raise', invalid='raise') if strict else nullcontext()
    with explained(name, hyperparams), draws_noted(name), numpy_errors:
        done = job.run(model, {'method': 'scratch', 'rule': name, 'hyperparams': settings}, watch)
    left = ['all parameters'] if (done.losses == done.losses[0]).all() else ['the bias'] * (not done.biases.any())
    warn_of_slips(name, hyperparams, job.num_epochs * -(-job.n // job.batch_size), left, is_own(trainer_fn), states)
    return done


def train_gluon_ensemble(trainer_name, trainer_hyperparams, features, labels, batch_size=10, num_epochs=2, *,
                         seeds=range(1000), record_every=100, full_division=False, watch=None, **removed):
    """The same with a Gluon optimiser; run k is `train_gluon_ch7(..., seed=seeds[k])`.

    Args: as for `train_ensemble`; the hyperparameters are Gluon's, one value for all runs. `full_division` as for
        `train_gluon_ch7`: the short last batch divided by `batch_size` too.

    Raises: also ValueError for an optimiser that is not known to work on each number by itself.

    >>> x = np.linspace(-1, 1, 40).reshape(20, 2)
    >>> train_gluon_ensemble('adam', {'learning_rate': 0.1}, x, x[:, 0], seeds=range(3)).weights.shape
    (3, 2)
    """
    refuse(removed)
    name, optimizer = checks.gluon_optimizer(trainer_name, trainer_hyperparams)
    full_division = checks.flag('full_division', full_division)
    if name.lower() not in NUMBER_BY_NUMBER or not type(optimizer).__module__.startswith('mxnet.'):
        raise ValueError(f'trainer_name: {name} is not known to work on each number of a parameter by itself, '
                         'so it might mix the runs; train them one by one with train_gluon_ch7')
    job = Job(features, labels, batch_size, num_epochs, seeds, record_every)

    def model(w, b):
        return GluonRuns(w, b, optimizer, job.batch_size if full_division else None)

    settings = {'method': 'gluon', 'rule': name, 'hyperparams': as_lists(trainer_hyperparams or {}),
                'full_division': full_division}
    return job.run(model, settings, watch)


def refuse(removed):
    """Raises a TypeError about keywords that the ensembles do not take."""
    for name in removed:
        raise TypeError(f'{name}= is gone since version 2: an ensemble always runs as graphs; leave it out'
                        if name == 'hybridize' else f'an ensemble takes no argument {name!r}')


def per_run(key, value, runs):
    """A list or array of numbers, one for each run, as an array (runs, 1, 1); any other value as it is."""
    if not isinstance(value, (list, range, np.ndarray)):
        return value
    if np.shape(value) != (runs,) or np.asarray(value).dtype.kind not in 'iuf':
        raise ValueError(f'hyperparams[{key!r}] must be one value, or a list with one number for each of the {runs} '
                         f'runs, got {checks.short(value)}')
    return np.asarray(value, dtype=np.float64).reshape(runs, 1, 1)


def as_lists(hyperparams):
    return {key: value.ravel().tolist() if isinstance(value, np.ndarray) else checks.plain(value)
            for key, value in hyperparams.items()}


class Job:
    """The arguments that both ensembles share, and the loop over epochs and minibatches."""

    def __init__(self, features, labels, batch_size, num_epochs, seeds, record_every):
        self.features, self.labels, self.batch_size, self.num_epochs, record_every = checks.training(
            features, labels, batch_size, num_epochs, record_every)
        self.seeds, (self.n, self.d) = checks.seeds(seeds), self.features.shape
        self.plan = list(stretches(self.n, self.batch_size, self.num_epochs, record_every))
        records = [epoch + part.stop / self.n for epoch, parts in enumerate(self.plan) for part in parts if part.record]
        self.epochs = np.array([0.0, *records])
        self.table = extended(self.features, self.labels)

    def run(self, make_model, settings, watch):
        """Trains a model of all runs; returns the Ensemble."""
        checks.watch(watch)
        start, loss, losses, draws = perf_counter(), QuadraticLoss(self.table), [], []

        def starts():
            draws.extend(map(Draws, self.seeds))
            each = [draw.start(self.d) for draw in draws]
            return np.stack([w for w, _ in each]), np.stack([b[:, None] for _, b in each])

        def orders():
            table = np.empty((len(draws), self.n), np.uint16 if self.n < 1 << 16 else np.int32)
            for draw, row in zip(draws, table):
                row[:] = draw.order(self.n)
            return table

        with ThreadPoolExecutor(1) as pool:  # there NumPy draws what comes next, while MXNet computes here
            drawn = ahead(pool, [starts, *[orders] * self.num_epochs])
            model, table = make_model(*next(drawn)), nd.array(self.table)
            with DEVICE, model.running():
                losses.append(loss(model.parameters()))
                for parts in self.plan:
                    order = next(drawn)
                    for part in parts:
                        sizes = [stop - start for start, stop in part.batches(self.batch_size)]
                        model.train(table, order[:, part.start:part.stop], sizes)
                        if part.record:
                            losses.append(loss(model.parameters()))
                        if watch:
                            watch(len(self.seeds) * len(losses) // len(self.epochs))
                parameters = model.parameters()
        settings = {'label': f'{settings["rule"]}, {len(self.seeds)} seeds', **settings, 'batch_size': self.batch_size,
                    'num_epochs': self.num_epochs, 'rows': self.n, 'features': self.d}
        return Ensemble(np.array(losses), self.epochs, self.seeds, parameters[:, :-1], parameters[:, -1],
                        perf_counter() - start, settings)


def ahead(pool, functions):
    """The results of functions, in order; each is called in the pool when the one before it is asked for.

    >>> with ThreadPoolExecutor(1) as pool:
    ...     list(ahead(pool, [lambda: 1, lambda: 2, lambda: 3]))
    [1, 2, 3]
    """
    waiting = pool.submit(functions[0])
    for function in functions[1:]:
        result, waiting = waiting.result(), pool.submit(function)
        yield result
    yield waiting.result()
