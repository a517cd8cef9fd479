"""Linear regression many times at once: the models that an ensemble trains, with a leading axis of runs.

A model knows `train(table, orders, sizes)`, one step for each minibatch, and `snapshot()`, its parameters.
"""
from copy import deepcopy
import numpy as np

from ..core.compat import mxnet
from ..old.fused import STEPS_AT_ONCE
from ..old.hybridization import as_array, cached_op, hybridize, is_as_before
from ..old.nested import flat, leaves, replace_arrays
from ..old.recording import ADVICE
from ..old.shadow import left_alone
from ..old.stand_ins import UntraceableError, per_run
from ..old.stacked import alike, apply, gradient_of_runs, mixing, one_step, stack_runs, stackable, unstack_runs
from ..old.surroundings import surroundings

nd, sym = mxnet.nd, mxnet.sym


def extended(features, labels):
    """The data as one table (N, d + 2): features, a 1 for the bias, the label.

    The first d + 1 columns are for weights and bias in one, and each minibatch is gathered at once.
    """
    return np.column_stack([features, np.ones_like(labels), labels])


def gradient(F, rows, w, b, n, d):
    """The gradients for w and b of each run's mean loss, with F = nd or sym; rounded as in a single run.

    Args:
        rows: (runs, rows, d + 2), each run's minibatch of the extended table.
        w, b: (runs, d, 1) and (runs, 1, 1).
        n: what the sum over the minibatch is divided by, its number of rows.
    """
    X, y = F.slice_axis(rows, axis=2, begin=0, end=d), F.slice_axis(rows, axis=2, begin=d + 1, end=d + 2)
    share = (F.broadcast_add(F.batch_dot(X, w), b) - y) * (1 / n)
    return F.batch_dot(X, share, transpose_a=True), share.sum(axis=1, keepdims=True)


class _Runs:
    """Parameters of many runs."""

    def __init__(self, w, b):
        self.d, self.params = w.shape[1], [nd.array(w), nd.array(b)]

    def snapshot(self):
        """A copy of the parameters, (runs, d + 1, 1), the bias last."""
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


MIXES, KEEPS_A_STATE = 'mixes', 'keeps a state'
TRIED_STEPS = 12


def try_side_by_side(trainer_fn, states, hyperparams, d, runs):
    """What some steps of an eager rule tell, tried on copies: MIXES, KEEPS_A_STATE, or None if all is well.

    It mixes runs if what it does to all of them side by side is not what it does to the first and the last alone. It
    keeps a state if it has changed what it refers to, or refers to what cannot be put back (a file, a generator) and is
    not tried. One that is made for the shapes of many runs, and fails with those of one, is not compared.
    """
    if any(not isinstance(leaf, nd.NDArray) for leaf in flat(states or ())):
        raise TypeError('states must hold NDArrays alone, of which each run can have its own; train the runs one by '
                        'one with train_ch7')
    try:
        walk = surroundings(trainer_fn)
    except UntraceableError:
        return KEEPS_A_STATE
    draws, runs, moved = np.random.default_rng(7), min(runs, 1000), []
    w, b = (draws.normal(size=(runs, rows, 1)).astype(np.float32) for rows in (d, 1))
    sizes = 10 ** draws.uniform(-1, 1, (TRIED_STEPS, 1, 1, 1))
    w_grads, b_grads = ((sizes * draws.normal(size=(TRIED_STEPS, runs, rows, 1))).astype(np.float32) for rows in (d, 1))

    def after(*arguments):
        with left_alone(walk):
            result = _steps_of(trainer_fn, *arguments)
            moved.append(not is_as_before(trainer_fn, walk))
            return result

    many = {key: nd.array(value[:runs]) if per_run(value) else value for key, value in hyperparams.items()}
    together = after([w, b], [w_grads, b_grads], spread(states, runs), many)
    for k in {0, runs - 1}:
        own = {key: value[k].item() if per_run(value) else value for key, value in hyperparams.items()}
        copies = replace_arrays(states, iter([a.copy() for a in leaves(states)]))
        try:
            alone = after([w[k], b[k, 0]], [w_grads[:, k], b_grads[:, k, 0]], copies, own)
        except Exception:  # whatever the rule may raise
            break
        if not all(np.allclose(a.ravel(), of_all[k].ravel(), 1e-3, 1e-4, True) for a, of_all in zip(alone, together)):
            return MIXES
    return KEEPS_A_STATE if any(moved) else None


def _steps_of(trainer_fn, starts, grads, states, hyperparams):
    """The parameters after the steps with these gradients, (steps, ...)."""
    params, hyperparams = [nd.array(start) for start in starts], deepcopy(hyperparams)
    for p in params:
        p.attach_grad()
    for step in zip(*grads):
        for p, g in zip(params, step):
            p.grad[:] = nd.array(g)
        trainer_fn(params, states, hyperparams)
    return [p.asnumpy() for p in params]


OWN_ADVICE = ('but train_ch7 runs it, one seed at a time (as hybridize=False does here, if it works on each number by '
              'itself)')


class TracedRuns(_Runs):
    """Many runs with the rule traced on the shapes of one run; ten steps a graph."""

    def __init__(self, w, b, trainer_fn, states, hyperparams):
        super().__init__(w, b)
        self.rule, self.hyperparams, self.states = hybridize(trainer_fn), dict(hyperparams), states
        self.rule.misses = 0  # other runs' values are no fault of the rule's
        self.template = [nd.zeros((self.d, 1)), nd.zeros(1)]
        for p in self.template:
            p.attach_grad()
        separate = [*self.params, *leaves(spread(states, len(w)))]
        self.stacked = stackable(states, self.d)
        self._hold(stack_runs(separate) if self.stacked else separate)

    def _trace(self):
        try:
            return self.rule.trace(self.template, self.states, self.hyperparams)
        except UntraceableError as error:
            raise UntraceableError(str(error).replace(ADVICE, OWN_ADVICE)) from error

    def _hold(self, arrays):
        self.now, self.next = arrays, [nd.empty(a.shape) for a in arrays]

    def snapshot(self):
        return self.now[0].copy().reshape((0, -1, 1)) if self.stacked else nd.concat(*self.now[:2], dim=1)

    def train(self, table, orders, sizes):
        at = 0
        while sizes:
            step, n, numbers = self._trace(), sizes[0], []
            # From where a graph cannot be stacked on, none is; nor where the bias's gradient may be rounding alone.
            if self.stacked and (n == len(table) or not alike(step, 2 * len(self.now))):
                self.stacked = False
                self._hold(unstack_runs(self.now, self.d))
            # As many steps as one graph serves: same number of rows, same way through the rule.
            for size in sizes:
                if size != n or not step.holds(self.hyperparams):
                    break
                numbers.append(step.numbers(self.hyperparams))
                step.advance(self.hyperparams)
            self._run(step, table, orders[:, at:at + len(numbers) * n], n, numbers)
            at, sizes = at + len(numbers) * n, sizes[len(numbers):]

    def _run(self, step, table, orders, n, numbers):
        """The steps on consecutive batches of `n` rows, first ten at once, then one by one."""
        done = 0
        while done < len(numbers):
            steps = STEPS_AT_ONCE if len(numbers) - done >= STEPS_AT_ONCE else 1
            rows = np.ascontiguousarray(orders[:, done * n:(done + steps) * n])
            values = [value for each in numbers[done:done + steps] for value in each]
            own, per_run = packed(values, len(orders)), any(isinstance(value, np.ndarray) for value in values)
            op = self._op(step, n, steps, per_run)
            op(table, nd.from_numpy(rows, zero_copy=True), own, *self.now, out=self.next)
            self.now, self.next = self.next, self.now
            done += steps

    def _op(self, step, n, steps, per_run):
        check_elementwise(step, self.rule.__name__)
        return self.rule.graph(steps_of_runs, step, len(self.now), n, self.d, steps, per_run, self.stacked)


class GluonRuns(_Runs):
    """Many runs with a Gluon optimiser, called as `gluon.Trainer` calls it, with gradients that are means already."""

    def __init__(self, w, b, trainer_name, hyperparams, hybridize, divisor=None):
        super().__init__(w, b)
        self.divisor = divisor
        self.grads = [nd.empty(p.shape) for p in self.params]
        # A learning rate scheduler among the hyperparameters counts the steps: each model has its own.
        self.update = mxnet.optimizer.get_updater(mxnet.optimizer.create(trainer_name, **deepcopy(hyperparams)))
        self.hybridize, self.ops = hybridize, {}

    def train(self, table, orders, sizes):
        at = 0
        for n in sizes:
            indices = nd.from_numpy(np.ascontiguousarray(orders[:, at:at + n]), zero_copy=True)
            self._gradient(n)(table, indices, *self.params, out=self.grads)
            # Like gluon.Trainer, by the parameters' names, bias first: Nadam's updates depend on the order.
            for i, (p, g) in enumerate(zip(self.params[::-1], self.grads[::-1])):
                self.update(i, g, p)
            at += n

    def _gradient(self, n):
        if n not in self.ops:
            make = gradient_of_batch if self.hybridize else eager_gradient_of_batch
            self.ops[n] = make(self.divisor or n, self.d)
        return self.ops[n]


def gradient_of_batch(divisor, d):
    """A function (table, indices, w, b, out) that writes the gradients to `out`, as a graph."""
    names = ['table', 'indices', 'w', 'b']
    table, indices, w, b = map(sym.var, names)
    return cached_op(sym.Group(list(gradient(sym, sym.take(table, indices), w, b, divisor, d))), names)


def eager_gradient_of_batch(divisor, d):
    """The same, operator by operator."""
    def op(table, indices, w, b, out):
        for target, g in zip(out, gradient(nd, nd.take(table, indices), w, b, divisor, d)):
            target[:] = g
    return op


def steps_of_runs(step, count, n, d, steps, per_run, stacked):
    """The graph of `steps` steps of a trace over `count` arrays of many runs."""
    names = [f'array{i}' for i in range(count)]
    graph = (unrolled_stacked if stacked else unrolled)(step, names, n, d, steps, per_run)
    return cached_op(graph, ['table', 'indices', 'numbers', *names])


def unrolled(step, names, n, d, steps, per_run):
    """The symbol of `steps` steps for many runs: from the table, indices (runs, steps * n), numbers and arrays."""
    arrays, table = [sym.var(name) for name in names], sym.var('table')
    for batch, numbers in _steps(n, steps, len(step.sources), per_run):
        g = gradient(sym, sym.take(table, batch), *arrays[:2], n, d)
        arrays = apply(step, arrays[:2], list(g), arrays[2:], numbers)
    return sym.Group(arrays)


def unrolled_stacked(step, names, n, d, steps, per_run):
    """The same with the parameters stacked, and their states."""
    arrays, table = [sym.var(name) for name in names], sym.var('table')
    X = sym.slice_axis(table, axis=1, begin=0, end=d + 1)
    y = sym.slice_axis(table, axis=1, begin=d + 1, end=d + 2).reshape((-1,))
    for batch, numbers in _steps(n, steps, len(step.sources), per_run):
        g = gradient_of_runs(sym.take(X, batch), sym.take(y, batch), arrays[0], n)
        arrays = one_step(step, arrays, g, numbers)
    return sym.Group(arrays)


def _steps(n, steps, width, per_run):
    """Each step's rows of the table, (runs, n), and its numbers."""
    indices, numbers = sym.var('indices'), sym.var('numbers')
    own = list(numbers.split(num_outputs=steps * width, axis=0)) if steps * width > 1 else [numbers][:width]
    if per_run:
        own = [number.reshape((-3, 0, 0)) for number in own]  # (1, runs, 1, 1) to (runs, 1, 1)
    for k in range(steps):
        yield sym.slice_axis(indices, axis=1, begin=k * n, end=(k + 1) * n), own[k * width:(k + 1) * width]


def packed(numbers, runs):
    """The numbers of some steps as one NDArray: (count,), or (count, runs, 1, 1) if any differs from run to run."""
    if any(isinstance(value, np.ndarray) for value in numbers):
        full = np.stack([np.broadcast_to(value, (runs, 1, 1)) for value in numbers])
        with np.errstate(over='ignore'):
            return nd.array(full.astype(np.float32))
    return as_array(numbers)


def spread(states, runs):
    """States of one run for many: (5, 1) becomes (runs, 5, 1), and (1,) becomes (runs, 1, 1)."""
    arrays = []
    for array in leaves(states):
        single = array.asnumpy().reshape(array.shape if array.ndim > 1 else (-1, 1))
        arrays.append(nd.array(np.broadcast_to(single, (runs, *single.shape))))
    return replace_arrays(states, iter(arrays))


def check_elementwise(step, name):
    """Raises UntraceableError if a traced rule might mix the numbers of an array, and so the runs."""
    if operator := mixing(step):
        raise UntraceableError(f'{name} uses {operator}, which looks at a whole array and would mix the runs; '
                               'train them one by one with train_ch7')
