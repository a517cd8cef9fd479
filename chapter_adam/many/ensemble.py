"""Many seeded runs as one training: the same rule on parameters with a leading axis of runs.

A rule such as Adam works on each number by itself, so a thousand runs side by side are one update of longer arrays:
w of shape (runs, d, 1) and b of shape (runs, 1, 1), each run with the start and the shuffles of its own seed.
"""
import json
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass, field
from time import perf_counter

import numpy as np

from ..core import checks, history
from ..core.compat import DEVICE, mxnet
from .models import KEEPS_A_STATE, MIXES, EagerRuns, GluonRuns, TracedRuns, extended, try_side_by_side
from ..old.hybridization import Hybridized
from ..old.hybridization import hybridize as hybridized
from ..old.stand_ins import UntraceableError, per_run
from ..core.training import Draws, explained, nothing_trained, stretches

nd = mxnet.nd

# Runs trained together: enough that the dispatch of a step is shared by many, few enough to stay in the cache.
RUNS_AT_ONCE = 1000


@dataclass(frozen=True, eq=False)
class Ensemble:
    """Finished runs that differ in nothing but the seed (and in hyperparameters given one per run).

    Attributes:
        losses: (records, runs), the loss over all examples; nan where a run has diverged.
        epochs: (records,), as in a History.
        seeds: (runs,).
        weights, biases: the parameters at the end, (runs, d) and (runs,).
        seconds: the wall time of it all.
        settings, versions, machine: as in a History.

    >>> losses = np.array([[0.5, 0.5, 0.5], [0.3, 0.2, np.nan]])
    >>> runs = Ensemble(losses, np.array([0.0, 2.0]), (0, 1, 2), np.zeros((3, 5)), np.zeros(3), 0.1)
    >>> runs.final.tolist(), runs.diverged
    ([0.3, 0.2, nan], (2,))
    >>> runs.quantiles([0.5]).tolist()
    [[0.5, 0.25]]
    >>> runs
    <Ensemble of 3 runs: median of the final losses 0.250000, 1 diverged>
    """
    losses: np.ndarray
    epochs: np.ndarray
    seeds: tuple
    weights: np.ndarray
    biases: np.ndarray
    seconds: float
    settings: dict = field(default_factory=dict)
    versions: dict = field(default_factory=history.versions)
    machine: dict = field(default_factory=history.machine)

    def __repr__(self):
        fine = self.final[np.isfinite(self.losses).all(axis=0)]
        median = f'median of the final losses {np.median(fine):.6f}' if fine.size else 'no final losses'
        return f'<Ensemble of {len(self.seeds)} runs: {median}, {len(self.diverged)} diverged>'

    @property
    def final(self):
        """The last loss of each run, (runs,)."""
        return self.losses[-1]

    @property
    def diverged(self):
        """The seeds of the runs whose loss did not stay a finite number."""
        return tuple(seed for seed, fine in zip(self.seeds, np.isfinite(self.losses).all(axis=0)) if not fine)

    def quantiles(self, q):
        """Quantiles over the runs that did not diverge, at each record: (len(q), records)."""
        fine = np.isfinite(self.losses).all(axis=0)
        return np.quantile(self.losses[:, fine], q, axis=1)

    def to_json(self):
        """The ensemble as JSON text; a loss that is not finite is null."""
        curves = [[round(x, 7) if np.isfinite(x) else None for x in curve] for curve in self.losses.T.tolist()]
        return json.dumps({'epochs': self.epochs.tolist(), 'seeds': list(self.seeds), 'losses': curves,
                           'diverged': list(self.diverged), 'seconds': self.seconds, 'settings': self.settings,
                           'versions': self.versions, 'machine': self.machine}, default=repr)


def train_ensemble(trainer_fn, states, hyperparams, features, labels, batch_size=10, num_epochs=2, *,
                   seeds=range(1000), hybridize=True, record_every=100, watch=None):
    """Trains one run per seed with a rule of the book's form; run k is `train_ch7(..., seed=seeds[k])`.

    Args:
        trainer_fn: a rule that works on each number by itself, as all of the book's do: no sums over a parameter, which
            are refused where the rule is traced and mix the runs where it is not; not traced, it also sees shapes with
            the runs in front, (runs, d, 1) and (runs, 1, 1).
        states: its states for one run, as for `train_ch7`; every run starts from them.
        hyperparams: its hyperparameters; each may be a sequence with one value per run. (A tuple of another length
            is one value, such as (beta1, beta2).)
        features, labels, batch_size, num_epochs, record_every: as for `train_ch7`.
        seeds: one whole number of at least 0 for each run.
        hybridize: trace the rule and run ten steps as one graph; else call it once a step. Traced, what it computes
            from hyperparameters keeps double precision, and where it branches on a value given one per run, runs with
            one value are trained together, one value after the other; eager, such values are float32 NDArrays.
        watch: called as watch(runs_done) now and then, for a progress bar.

    Returns:
        An `Ensemble`: equal to the single runs within 1e-5 at each record. A run that diverges is reported there, by
        its seed, and disturbs no other.

    Raises:
        TypeError, ValueError: an argument is wrong, or the rule, eager, does something else to two runs side by side
        than to each alone. UntraceableError: the rule cannot be traced, or mixes numbers.

    >>> from chapter_adam import adam, init_adam_states
    >>> x = np.linspace(-1, 1, 40).reshape(20, 2)
    >>> runs = train_ensemble(adam, init_adam_states(2), {'lr': [0.001, 0.1], 't': 1}, x, x[:, 0], seeds=[7, 7])
    >>> runs.losses.shape, bool(runs.final[0] > runs.final[1])
    ((2, 2), True)
    """
    checks.callable_rule(trainer_fn)
    hybridize = checks.flag('hybridize', hybridize)
    job = _Job(features, labels, batch_size, num_epochs, seeds, record_every)
    given, runs = hyperparams, len(job.seeds)
    if not hybridize and isinstance(trainer_fn, Hybridized):
        trainer_fn = trainer_fn.trainer_fn
    hyperparams = checks.hyperparameters_per_run('hyperparams', given, runs, trainer_fn)
    states = checks.states(states, ((job.d, 1), (1,)))
    name = getattr(trainer_fn, '__name__', type(trainer_fn).__name__)
    kind, rule = (TracedRuns, hybridized(trainer_fn)) if hybridize else (EagerRuns, trainer_fn)
    settings = {'method': 'scratch', 'rule': name, 'hyperparams': _plain(hyperparams), 'hybridize': hybridize}

    def model(w, b, part):
        return kind(w, b, rule, states, {key: value[part] if per_run(value) else value
                                         for key, value in hyperparams.items()})

    def model_of_one_value(w, b, part):
        own = {key: given[key][part[0]] if per_run(value) else value for key, value in hyperparams.items()}
        return kind(w, b, rule, states, checks.hyperparameters('hyperparams', own, rule=trainer_fn))

    with explained(name, hyperparams):
        with DEVICE:
            tried = None if hybridize else try_side_by_side(trainer_fn, states, hyperparams, job.d, runs)
    if tried == MIXES:
        raise ValueError(f'{name} does something else to runs side by side than to each alone: it looks at a whole '
                         'array or its shape; train them one by one with train_ch7')
    # What a rule keeps beyond its calls must not pass from one part of the runs to the next.
    # Where each operator is called from Python, a step of half as many runs takes as long as one of all.
    parts = chunks(range(runs), None if hybridize else runs if tried == KEEPS_A_STATE else RUNS_AT_ONCE)
    differ = any(map(per_run, hyperparams.values()))
    as_strict_as_python = np.errstate(divide='raise', over='raise', invalid='raise')
    with explained(name, hyperparams):
        try:
            with as_strict_as_python if differ else nullcontext():
                done = job.run(model, parts, settings, watch)
        except (UntraceableError, TypeError, ValueError, FloatingPointError) as error:
            of_the_rule = isinstance(error, (UntraceableError, FloatingPointError)) or not job.is_under_way
            if not (hybridize and of_the_rule and differ):
                raise
            done = job.run(model_of_one_value, by_value(given, hyperparams, runs), settings, watch)
    if (done.losses == done.losses[0]).all():
        raise ValueError(nothing_trained(name, states))
    return done


def chunks(runs, at_once=None):
    """The runs, given by their places, in parts that are trained together: `at_once`, or RUNS_AT_ONCE with half as many
    first, since until they are drawn there is nothing to compute.

    >>> [(part[0], part[-1]) for part in chunks(range(2500))]
    [(0, 499), (500, 1499), (1500, 2499)]
    """
    first = (RUNS_AT_ONCE + 1) // 2 if at_once is None else at_once
    bounds = [0, *range(first, len(runs), at_once or RUNS_AT_ONCE), len(runs)]
    return [np.asarray(runs[start:stop]) for start, stop in zip(bounds, bounds[1:])]


def by_value(given, hyperparams, runs):
    """The parts of runs that have the same value, and of the same type, of each hyperparameter given one per run.

    >>> given = {'lr': [0.1, 1, 0.1, 1.0], 't': 1}
    >>> [part.tolist() for part in by_value(given, checks.hyperparameters_per_run('hyperparams', given, 4), 4)]
    [[0, 2], [1], [3]]
    """
    sequences, groups = [given[key] for key, value in hyperparams.items() if per_run(value)], {}
    for run in range(runs):
        groups.setdefault(tuple(repr(values[run]) for values in sequences), []).append(run)
    return [part for group in groups.values() for part in chunks(group)]


def train_gluon_ensemble(trainer_name, trainer_hyperparams, features, labels, batch_size=10, num_epochs=2, *,
                         seeds=range(1000), hybridize=True, record_every=100, full_division=False, watch=None):
    """The same with a Gluon optimiser; run k is `train_gluon_ch7(..., seed=seeds[k])`.

    Args: as for `train_ensemble`; the hyperparameters are Gluon's, one value for all runs. `hybridize` makes the
        forward pass and the gradient a graph; the update is Gluon's own in either case. `full_division` as for
        `train_gluon_ch7`: the short last batch divided by `batch_size` too.

    >>> x = np.linspace(-1, 1, 40).reshape(20, 2)
    >>> train_gluon_ensemble('adam', {'learning_rate': 0.1}, x, x[:, 0], seeds=range(3)).weights.shape
    (3, 2)
    """
    job = _Job(features, labels, batch_size, num_epochs, seeds, record_every)
    hyperparams = checks.gluon_optimizer(trainer_name, trainer_hyperparams)
    hybridize, full_division = checks.flag('hybridize', hybridize), checks.flag('full_division', full_division)
    if trainer_name.lower() in checks.MIX_NUMBERS:
        raise ValueError(f'trainer_name: {trainer_name} looks at whole parameters at once and would mix the runs; '
                         'train them one by one with train_gluon_ch7')

    def model(w, b, part):
        return GluonRuns(w, b, trainer_name, hyperparams, hybridize, job.batch_size if full_division else None)

    settings = {'method': 'gluon', 'rule': trainer_name, 'hyperparams': _plain(hyperparams), 'hybridize': hybridize,
                'full_division': full_division}
    return job.run(model, chunks(range(len(job.seeds)), RUNS_AT_ONCE), settings, watch)


def _plain(hyperparams):
    return {key: value.ravel().tolist() if isinstance(value, np.ndarray) else value
            for key, value in hyperparams.items()}


class _Job:
    """The arguments that both ensembles share, and the loop over chunks of runs."""

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
        self.table, self.is_under_way = extended(self.features, self.labels), False

    def run(self, make_model, parts, settings, watch):
        """Trains the parts, each with a model of its own, and returns the Ensemble."""
        start, runs, loss = perf_counter(), len(self.seeds), Loss(self.table)
        losses = np.empty((len(self.epochs), runs))
        parameters = np.empty((runs, self.d + 1), np.float32)

        def collect(part, snapshots):
            for record, snapshot in enumerate(snapshots):
                values = snapshot.asnumpy()[:, :, 0]
                losses[record, part] = loss(values)
            parameters[part] = values
            self.is_under_way = True
            collected.append(len(part))
            if watch:
                watch(sum(collected))

        collected = []
        with ThreadPoolExecutor(1) as pool:  # there NumPy draws what comes next, while MXNet computes here
            drawn = ahead(pool, self.draws(parts))
            for part in parts:
                with DEVICE:
                    snapshots = self.train(make_model, part, drawn)
                collect(part, snapshots)
        settings = {'label': f'{settings["rule"]}, {runs} seeds', **settings, 'batch_size': self.batch_size,
                    'num_epochs': self.num_epochs, 'rows': self.n, 'features': self.d}
        return Ensemble(losses, self.epochs, self.seeds, parameters[:, :-1], parameters[:, -1],
                        perf_counter() - start, settings)

    def train(self, make_model, part, drawn):
        """Trains one part; returns the parameters at each record, (runs, d + 1, 1)."""
        model = make_model(*next(drawn), part)
        snapshots, table = [model.snapshot()], nd.array(self.table)
        for parts in self.plan:
            orders = next(drawn)
            for stretch in parts:
                sizes = [stop - start for start, stop in stretch.batches(self.batch_size)]
                model.train(table, orders[:, stretch.start:stretch.stop], sizes)
                if stretch.record:
                    snapshots.append(model.snapshot())
        return snapshots

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


class Loss:
    """mean((X w + b - y)^2) / 2 for many runs, as the quadratic form of the data's second moments, in float64.

    >>> loss = Loss(np.array([[2.0, 1.0, 3.0]]))  # one example: x = 2, 1 for the bias, y = 3
    >>> loss(np.array([[1.0, 0.0], [1.0, 1.0]])).tolist()
    [0.5, 0.0]
    """

    def __init__(self, table):
        table = table.astype(np.float64)
        self.moments = table.T @ table / len(table) / 2

    def __call__(self, parameters):
        """For parameters (runs, d + 1), the losses (runs,); nan for a run that is not finite any more."""
        with np.errstate(all='ignore'):
            u = np.column_stack([parameters, np.full(len(parameters), -1.0)]).astype(np.float64)
            loss = np.einsum('ri,ri->r', u @ self.moments, u)
            return np.where(np.isfinite(loss.astype(np.float32)), loss, np.nan)  # what float32 cannot hold has diverged
