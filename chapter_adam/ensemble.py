"""Many seeded runs as one training: the same rule on parameters with a leading axis of runs.

A rule such as Adam works on each number by itself, so a thousand runs side by side are one update of longer arrays:
w of shape (runs, d, 1) and b of shape (runs, 1, 1), each run with the start and the shuffles of its own seed.
"""
import json
from dataclasses import dataclass, field
from time import perf_counter

import numpy as np

from . import checks, history
from .compat import mxnet
from .fused import apply
from .hybridization import as_array, cached_op, hybridize, leaves, replace_arrays
from .tracing import UntraceableError
from .training import Draws, explained, stretches

nd, sym = mxnet.nd, mxnet.sym

# Runs trained together: enough that the dispatch of a step is shared by many, few enough to stay in the cache.
RUNS_AT_ONCE = 1000
STEPS_AT_ONCE = 10


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
        trainer_fn: a rule that works on each number by itself, as all of the book's do (no sums over a parameter).
        states: its states for one run, as for `train_ch7`; every run starts from them.
        hyperparams: its hyperparameters; each may be a sequence with one value per run.
        features, labels, batch_size, num_epochs, record_every: as for `train_ch7`.
        seeds: one whole number of at least 0 for each run.
        hybridize: trace the rule and run ten steps as one graph; else call it once a step. Traced, what it computes
            from hyperparameters keeps double precision; eager, values given one per run are float32.
        watch: called as watch(runs_done) now and then, for a progress bar.

    Returns:
        An `Ensemble`: equal to the single runs within 1e-5 at each record. A run that diverges is reported there, by
        its seed, and disturbs no other.

    Raises:
        TypeError, ValueError: an argument is wrong. UntraceableError: the rule cannot be traced, or mixes numbers.
    """
    checks.callable_rule(trainer_fn)
    job = _Job(features, labels, batch_size, num_epochs, seeds, record_every)
    hyperparams = checks.hyperparameters_per_run('hyperparams', hyperparams, len(job.seeds))
    states = checks.states(states, ((job.d, 1), (1,)))
    name = getattr(trainer_fn, '__name__', type(trainer_fn).__name__)

    def model(w, b, part):
        own = {key: value[part] if isinstance(value, np.ndarray) else value for key, value in hyperparams.items()}
        kind = TracedRuns if hybridize else EagerRuns
        return kind(w, b, trainer_fn, states, own)

    with explained(name, hyperparams):
        return job.run(model, {'method': 'scratch', 'rule': name, 'hyperparams': _plain(hyperparams),
                               'hybridize': bool(hybridize)}, watch)


def train_gluon_ensemble(trainer_name, trainer_hyperparams, features, labels, batch_size=10, num_epochs=2, *,
                         seeds=range(1000), hybridize=True, record_every=100, full_division=False, watch=None):
    """The same with a Gluon optimiser; run k is `train_gluon_ch7(..., seed=seeds[k])`.

    Args: as for `train_ensemble`; the hyperparameters are Gluon's, one value for all runs. `hybridize` makes the
        forward pass and the gradient a graph; the update is Gluon's own in either case. `full_division` as for
        `train_gluon_ch7`: the short last batch divided by `batch_size` too.
    """
    job = _Job(features, labels, batch_size, num_epochs, seeds, record_every)
    hyperparams = checks.gluon_optimizer(trainer_name, trainer_hyperparams)
    if trainer_name.lower() in checks.MIX_NUMBERS:
        raise ValueError(f'trainer_name: {trainer_name} looks at whole parameters at once and would mix the runs; '
                         'train them one by one with train_gluon_ch7')

    def model(w, b, part):
        return GluonRuns(w, b, trainer_name, hyperparams, hybridize, job.batch_size if full_division else None)

    return job.run(model, {'method': 'gluon', 'rule': trainer_name, 'hyperparams': _plain(hyperparams),
                           'hybridize': bool(hybridize), 'full_division': bool(full_division)}, watch)


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
        self.plan = stretches(self.n, self.batch_size, self.num_epochs, record_every)
        records = [epoch + part.stop / self.n for epoch, parts in enumerate(self.plan) for part in parts if part.record]
        self.epochs = np.array([0.0, *records])
        self.table = extended(self.features, self.labels)

    def run(self, model, settings, watch):
        start, runs, loss = perf_counter(), len(self.seeds), Loss(self.table)
        losses = np.empty((len(self.epochs), runs))
        parameters = np.empty((runs, self.d + 1), np.float32)

        def collect(part, snapshots):
            for record, snapshot in enumerate(snapshots):
                values = snapshot.asnumpy()[:, :, 0]
                losses[record, part] = loss(values)
            parameters[part] = values
            if watch:
                watch(part.stop)

        # MXNet works while Python draws: a chunk's numbers are asked for only when the next one has been handed over.
        handed_over = []
        for first in range(0, runs, RUNS_AT_ONCE):
            part = slice(first, min(first + RUNS_AT_ONCE, runs))
            handed_over.append((part, self.train(model, part)))
            if len(handed_over) > 1:
                collect(*handed_over.pop(0))
        collect(*handed_over.pop())
        settings = {'label': f'{settings["rule"]}, {runs} seeds', **settings, 'batch_size': self.batch_size,
                    'num_epochs': self.num_epochs, 'rows': self.n, 'features': self.d}
        return Ensemble(losses, self.epochs, self.seeds, parameters[:, :-1], parameters[:, -1],
                        perf_counter() - start, settings)

    def train(self, make_model, part):
        """Trains one chunk; returns the parameters at each record, (runs, d + 1, 1), which are still being computed."""
        draws = [Draws(seed) for seed in self.seeds[part]]
        starts = [draw.start(self.d) for draw in draws]
        model = make_model(np.stack([w for w, _ in starts]), np.stack([b[:, None] for _, b in starts]), part)
        snapshots, table = [model.snapshot()], nd.array(self.table)
        for parts in self.plan:
            orders = np.stack([draw.order(self.n) for draw in draws]).astype(np.int32)
            for stretch in parts:
                sizes = [stop - start for start, stop in stretch.batches(self.batch_size)]
                model.train(table, orders[:, stretch.start:stretch.stop], sizes)
                if stretch.record:
                    snapshots.append(model.snapshot())
        return snapshots


def extended(features, labels):
    """The data as one table (N, d + 2): features, a 1 for the bias, the label.

    With the weights (w, b, -1) a row's product is its residual: one gather and one product a step, where features and
    labels apart would need two.
    """
    return np.column_stack([features, np.ones_like(labels), labels])


class Loss:
    """mean((X w + b - y)^2) / 2 for many runs, as the quadratic form of the data's second moments, in float64."""

    def __init__(self, table):
        table = table.astype(np.float64)
        self.moments = table.T @ table / len(table) / 2

    def __call__(self, parameters):
        """For parameters (runs, d + 1), the losses (runs,); nan for a run that is not finite any more."""
        with np.errstate(all='ignore'):
            u = np.column_stack([parameters, np.full(len(parameters), -1.0)]).astype(np.float64)
            loss = np.einsum('ri,ri->r', u @ self.moments, u)
        return np.where(np.isfinite(loss), loss, np.nan)


def gradient(F, rows, w, b, n, d):
    """The gradients for w and b of each run's mean loss, with F = nd or sym.

    Args:
        rows: (runs, rows, d + 2), each run's minibatch of the extended table.
        w, b: (runs, d, 1) and (runs, 1, 1).
        n: what the sum over the minibatch is divided by, its number of rows.
    """
    weights = F.concat(w, b, F.ones_like(b) * -1, dim=1)
    share = F.batch_dot(rows, weights) * (1 / n)
    g = F.batch_dot(rows, share, transpose_a=True)
    return F.slice_axis(g, axis=1, begin=0, end=d), F.slice_axis(g, axis=1, begin=d, end=d + 1)


class _Runs:
    """Parameters of many runs."""

    def __init__(self, w, b):
        self.d, self.params = w.shape[1], [nd.array(w), nd.array(b)]

    def snapshot(self):
        """A copy of the parameters, (runs, d + 1, 1), the bias last; asks MXNet for it without waiting."""
        return nd.concat(*self.params, dim=1)


class EagerRuns(_Runs):
    """Many runs with the rule as it stands, called once a step."""

    def __init__(self, w, b, trainer_fn, states, hyperparams):
        super().__init__(w, b)
        for p in self.params:
            p.attach_grad()
        self.trainer_fn, self.states = trainer_fn, spread(states, len(w))
        self.hyperparams = {key: nd.array(value) if isinstance(value, np.ndarray) else value
                            for key, value in hyperparams.items()}

    def train(self, table, orders, sizes):
        """One step for each batch: `sizes` of them, whose rows of the table `orders` (runs, sum(sizes)) names."""
        at = 0
        for n in sizes:
            rows = nd.take(table, nd.array(orders[:, at:at + n], dtype=np.int32))
            for p, g in zip(self.params, gradient(nd, rows, *self.params, n, self.d)):
                p.grad[:] = g
            self.trainer_fn(self.params, self.states, self.hyperparams)
            at += n


class TracedRuns(_Runs):
    """Many runs with the rule traced on the shapes of one run; ten steps a graph."""

    def __init__(self, w, b, trainer_fn, states, hyperparams):
        super().__init__(w, b)
        self.rule, self.hyperparams, self.states = hybridize(trainer_fn), dict(hyperparams), states
        self.template = [nd.zeros((self.d, 1)), nd.zeros(1)]
        for p in self.template:
            p.attach_grad()
        self.now = [*self.params, *leaves(spread(states, len(w)))]
        self.next = [nd.empty(a.shape) for a in self.now]
        self.ops = {}

    def train(self, table, orders, sizes):
        at = 0
        while sizes:
            step = self.rule.trace(self.template, self.states, self.hyperparams)
            steps = self._steps(step, sizes)
            numbers = []
            for _ in range(steps):
                numbers += step.numbers(self.hyperparams)
                step.advance(self.hyperparams)
            n = sizes[0]
            indices = nd.array(np.ascontiguousarray(orders[:, at:at + steps * n]), dtype=np.int32)
            self._op(step, n, steps)(table, indices, packed(numbers, len(orders)), *self.now, out=self.next)
            self.now, self.next = self.next, self.now
            self.params = self.now[:2]
            at, sizes = at + steps * n, sizes[steps:]

    def _steps(self, step, sizes):
        """How many of the coming steps one graph can do: ten, if they are alike, else one."""
        ten = len(sizes) >= STEPS_AT_ONCE and len(set(sizes[:STEPS_AT_ONCE])) == 1 and not step.guards
        return STEPS_AT_ONCE if ten else 1

    def _op(self, step, n, steps):
        per_run = any(isinstance(value, np.ndarray) for value in self.hyperparams.values())
        key = id(step), n, steps, per_run
        if key not in self.ops:
            check_elementwise(step, self.rule.__name__)
            names = [f'array{i}' for i in range(len(self.now))]
            graph = unrolled(step, names, n, self.d, steps, per_run)
            self.ops[key] = cached_op(graph, ['table', 'indices', 'numbers', *names])
        return self.ops[key]


class GluonRuns(_Runs):
    """Many runs with a Gluon optimiser, called as `gluon.Trainer` calls it, with gradients that are means already."""

    def __init__(self, w, b, trainer_name, hyperparams, hybridize, divisor=None):
        super().__init__(w, b)
        self.divisor = divisor
        self.grads = [nd.empty(p.shape) for p in self.params]
        self.update = mxnet.optimizer.get_updater(mxnet.optimizer.create(trainer_name, **hyperparams))
        self.hybridize, self.ops = hybridize, {}

    def train(self, table, orders, sizes):
        at = 0
        for n in sizes:
            indices = nd.array(np.ascontiguousarray(orders[:, at:at + n]), dtype=np.int32)
            self._gradient(n)(table, indices, *self.params, out=self.grads)
            for i, (p, g) in enumerate(zip(self.params, self.grads)):
                self.update(i, g, p)
            at += n

    def _gradient(self, n):
        if n not in self.ops:
            names = ['table', 'indices', 'w', 'b']
            self.ops[n] = self._graph(n, names) if self.hybridize else self._eager(n)
        return self.ops[n]

    def _graph(self, n, names):
        table, indices, w, b = map(sym.var, names)
        g = gradient(sym, sym.take(table, indices), w, b, self.divisor or n, self.d)
        return cached_op(sym.Group(list(g)), names)

    def _eager(self, n):
        def op(table, indices, w, b, out):
            for target, g in zip(out, gradient(nd, nd.take(table, indices), w, b, self.divisor or n, self.d)):
                target[:] = g
        return op


def unrolled(step, names, n, d, steps, per_run):
    """The symbol of `steps` steps for many runs: from the table, indices (runs, steps * n), numbers and arrays."""
    arrays, width = [sym.var(name) for name in names], len(step.sources)
    table, indices, numbers = sym.var('table'), sym.var('indices'), sym.var('numbers')
    own = list(numbers.split(num_outputs=steps * width, axis=0)) if steps * width > 1 else [numbers][:width]
    if per_run:
        own = [number.reshape((-3, 0, 0)) for number in own]  # (1, runs, 1, 1) to (runs, 1, 1)
    for k in range(steps):
        rows = sym.take(table, sym.slice_axis(indices, axis=1, begin=k * n, end=(k + 1) * n))
        g = gradient(sym, rows, *arrays[:2], n, d)
        arrays = apply(step, arrays[:2], list(g), arrays[2:], own[k * width:(k + 1) * width])
    return sym.Group(arrays)


def packed(numbers, runs):
    """The numbers of some steps as one NDArray: (count,), or (count, runs, 1, 1) if any differs from run to run."""
    if any(isinstance(value, np.ndarray) for value in numbers):
        full = np.stack([np.broadcast_to(value, (runs, 1, 1)) for value in numbers])
        return nd.array(full.astype(np.float32))
    return as_array(numbers)


def spread(states, runs):
    """States of one run for many: (5, 1) becomes (runs, 5, 1), and (1,) becomes (runs, 1, 1)."""
    arrays = []
    for array in leaves(states):
        single = array.asnumpy().reshape(array.shape if array.ndim > 1 else (-1, 1))
        arrays.append(nd.array(np.broadcast_to(single, (runs, *single.shape))))
    return replace_arrays(states, iter(arrays))


# What may stand in a traced rule so that no run sees another; anything else might reduce over an array.
ELEMENTWISE = frozenset('''
    elemwise_add elemwise_sub elemwise_mul elemwise_div broadcast_add broadcast_sub broadcast_mul broadcast_div
    broadcast_mod broadcast_power broadcast_maximum broadcast_minimum broadcast_greater broadcast_greater_equal
    broadcast_lesser broadcast_lesser_equal broadcast_equal broadcast_not_equal _plus_scalar _minus_scalar
    _rminus_scalar _mul_scalar _div_scalar _rdiv_scalar _mod_scalar _rmod_scalar _power_scalar _rpower_scalar
    _maximum_scalar _minimum_scalar _greater_scalar _lesser_scalar _greater_equal_scalar _lesser_equal_scalar
    _equal_scalar _not_equal_scalar negative abs sign round rint fix floor ceil trunc square sqrt rsqrt cbrt
    rcbrt exp expm1 log log10 log2 log1p sin cos tan arcsin arccos arctan degrees radians sinh cosh tanh arcsinh
    arccosh arctanh sigmoid relu reciprocal zeros_like ones_like _copy identity clip where null'''.split())


def check_elementwise(step, name):
    """Raises UntraceableError if a traced rule might mix the numbers of an array, and so the runs."""
    for node in json.loads(step.symbol.tojson())['nodes']:
        if node['op'] not in ELEMENTWISE:
            raise UntraceableError(f'{name} uses {node["op"]}, which looks at a whole array and would mix the runs; '
                                   'train them one by one with train_ch7')
