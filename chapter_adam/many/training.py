"""Many seeded runs as one training: the book's two calls on parameters with a leading axis of runs."""
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, nullcontext
from copy import deepcopy
from time import perf_counter

import numpy as np

from ..core import checks
from ..core.compat import DEVICE, mxnet
from ..core.regression import QuadraticLoss
from ..core.training import Draws, explained, nothing_trained, stretches
from ..rules import is_own
from .ensemble import Ensemble
from .models import GluonRuns, RuleRuns, extended

nd = mxnet.nd

# Runs trained together: enough that the dispatch of a step is shared by many, few enough to stay in the cache.
RUNS_AT_ONCE = 1000
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
    name = getattr(trainer_fn, '__name__', type(trainer_fn).__name__)

    def model(w, b, part):
        own_states, own = deepcopy((states, {key: value[part] if isinstance(value, np.ndarray) else value
                                             for key, value in hyperparams.items()}))
        return RuleRuns(w, b, trainer_fn, own_states, own)

    # NumPy warns where Python's numbers raise.
    strict = any(isinstance(value, np.ndarray) for value in hyperparams.values())
    with explained(name, hyperparams), np.errstate(divide='raise', invalid='raise') if strict else nullcontext():
        done = job.run(model, {'method': 'scratch', 'rule': name, 'hyperparams': plain(hyperparams)}, watch)
    if (done.losses == done.losses[0]).all():
        raise nothing_trained(name)
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
    hyperparams = checks.gluon_optimizer(trainer_name, trainer_hyperparams)
    kind, full_division = trainer_name.lower(), checks.flag('full_division', full_division)
    mxnets_own = mxnet.optimizer.Optimizer.opt_registry[kind].__module__.startswith('mxnet.')
    if kind not in NUMBER_BY_NUMBER or not mxnets_own:
        raise ValueError(f'trainer_name: {trainer_name} is not known to work on each number of a parameter by itself, '
                         'so it might mix the runs; train them one by one with train_gluon_ch7')
    job = Job(features, labels, batch_size, num_epochs, seeds, record_every)

    def model(w, b, part):
        # A learning rate scheduler among the hyperparameters counts the steps: each model has its own.
        return GluonRuns(w, b, trainer_name, deepcopy(hyperparams), job.batch_size if full_division else None)

    settings = {'method': 'gluon', 'rule': trainer_name, 'hyperparams': plain(hyperparams),
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


def plain(hyperparams):
    return {key: value.ravel().tolist() if isinstance(value, np.ndarray) else checks.plain(value)
            for key, value in hyperparams.items()}


class Job:
    """The arguments that both ensembles share, and the loop over parts of the runs."""

    def __init__(self, features, labels, batch_size, num_epochs, seeds, record_every):
        self.features, self.labels = checks.data(features, labels)
        self.n, self.d = self.features.shape
        self.batch_size = min(checks.whole_number('batch_size', batch_size, least=1), self.n)
        self.num_epochs = checks.whole_number('num_epochs', num_epochs, least=1)
        self.seeds = checks.seeds(seeds)
        if record_every is not None:
            checks.whole_number('record_every', record_every, least=1)
        self.plan = list(stretches(self.n, self.batch_size, self.num_epochs, record_every))
        records = [epoch + part.stop / self.n for epoch, parts in enumerate(self.plan) for part in parts if part.record]
        self.epochs = np.array([0.0, *records])
        self.table = extended(self.features, self.labels)

    def run(self, make_model, settings, watch):
        """Trains the runs, some RUNS_AT_ONCE, each part of them with a model of its own; returns the Ensemble."""
        start, runs, loss = perf_counter(), len(self.seeds), QuadraticLoss(self.table)
        losses = np.empty((len(self.epochs), runs))
        parameters = np.empty((runs, self.d + 1), np.float32)
        # The first part is half-size, so that training starts early.
        bounds = [0, *range((RUNS_AT_ONCE + 1) // 2, runs, RUNS_AT_ONCE), runs]
        parts = [np.arange(a, b) for a, b in zip(bounds, bounds[1:])]
        with ThreadPoolExecutor(1) as pool:  # there NumPy draws what comes next, while MXNet computes here
            drawn = ahead(pool, self.draws(parts))
            for part in parts:
                with DEVICE, closing(self.train(make_model, part, drawn)) as snapshots:
                    for record, snapshot in enumerate(snapshots):
                        values = snapshot.asnumpy()[:, :, 0]
                        losses[record, part] = loss(values)
                parameters[part] = values
                if watch:
                    watch(int(part[-1]) + 1)
        settings = {'label': f'{settings["rule"]}, {runs} seeds', **settings, 'batch_size': self.batch_size,
                    'num_epochs': self.num_epochs, 'rows': self.n, 'features': self.d}
        return Ensemble(losses, self.epochs, self.seeds, parameters[:, :-1], parameters[:, -1],
                        perf_counter() - start, settings)

    def train(self, make_model, part, drawn):
        """Trains one part; yields the parameters at each record, (runs, d + 1, 1)."""
        model, table = make_model(*next(drawn), part), nd.array(self.table)
        with model.running():
            yield model.snapshot()
            for parts in self.plan:
                orders = next(drawn)
                for each in parts:
                    sizes = [stop - start for start, stop in each.batches(self.batch_size)]
                    model.train(table, orders[:, each.start:each.stop], sizes)
                    if each.record:
                        yield model.snapshot()

    def draws(self, parts):
        """What is to be drawn, as functions: for each part of the runs its starts, then the orders of each epoch."""
        for part in parts:
            draws = []

            def starts(part=part, draws=draws):
                draws += [Draws(self.seeds[run]) for run in part]
                each = [draw.start(self.d) for draw in draws]
                return np.stack([w for w, _ in each]), np.stack([b[:, None] for _, b in each])

            def orders(draws=draws):
                table = np.empty((len(draws), self.n), np.int32)
                for draw, order in zip(draws, table):
                    order[:] = draw.order(self.n)
                return table

            yield starts
            yield from (orders for _ in self.plan)


def ahead(pool, functions, count=2):
    """The results of functions, in order; each is called in the pool when the one `count` before it is asked for.

    >>> with ThreadPoolExecutor(1) as pool:
    ...     list(ahead(pool, [lambda: 1, lambda: 2, lambda: 3]))
    [1, 2, 3]
    """
    waiting = deque()
    for function in functions:
        waiting.append(pool.submit(function))
        if len(waiting) > count:
            yield waiting.popleft().result()
    while waiting:
        yield waiting.popleft().result()
