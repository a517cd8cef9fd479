"""Turns an imperative trainer function into one cached graph, unchanged.

A rule of the book's form issues some forty small operators a step, and each costs far more to dispatch from Python
than to compute. `hybridize` runs the function on stand-ins that write down what is done to them (room `stand_ins`);
what they wrote is a graph, which MXNet runs in one call a step: in float32 and in the same order, like the original.

    fast_adam = hybridize(adam)
    fast_adam(params, states, hyperparams)        # does what adam(params, states, hyperparams) does

What the function computes from hyperparameters alone, such as `1 - beta2 ** t`, stays Python: it is written down as
an expression, and evaluated in each step in double precision, as the original would.
"""
from operator import is_not

import numpy as np

from . import buffers, shadow
from ..core.compat import DEVICE, mxnet
from .nested import leaves, structure
from .recording import ANYTHING, as_untraceable, is_atom, record, refused
from .stand_ins import UntraceableError
from .substitution import ONE_AT_A_TIME
from .surroundings import content, surroundings

nd, sym = mxnet.nd, mxnet.sym
CachedOp = mxnet.ndarray.CachedOp
MOST_TRACES = 64  # of one function; beyond that the oldest goes
MOST_MISSES = 32  # traces in a row that none was good for before: each takes as long as many steps of the rule
MOST_GRAPHS = 32
NEVER_TWICE = ('goes another way at each step, or makes a plain number, text or key of one that changes at each step, '
               'so that no graph serves twice (leave float(lr) out, write t in (10, 20) for a set or dict of steps)')
FAST = (('static_alloc', True), ('static_shape', True))


def hybridize(trainer_fn):
    """A function of the same signature that does the same through one cached graph.

    Args:
        trainer_fn: any function of the book's form, trainer_fn(params, states, hyperparams), that computes with
            NDArrays' operators and methods and with functions of `nd`, assigns in place to whole arrays (`v[:] = ...`,
            `p[:] -= ...`), and reads and changes numbers in `hyperparams`.

    Returns:
        The function; it is traced at the first call, and again whenever shapes change, or anything that it refers to
        by a name: globals, closures, helper functions, objects and what is in them. Each trace is first tried out
        on copies, against the function itself. Hyperparameters may change between calls.

    Raises (at the call):
        UntraceableError (a TypeError): the function does what a graph cannot: branches on an array's value, asks
            for it (`asscalar`), writes to a part of an array, calls another library, keeps a state of its own, or
            refers to what cannot be compared from call to call (a generator, a file). The message names the
            operation and the line.

    >>> from chapter_adam import adam, init_adam_states
    >>> w, b = nd.ones((5, 1)), nd.ones(1)
    >>> for p in (w, b):
    ...     p.attach_grad()
    ...     p.grad[:] = 2
    >>> hyperparams = {'lr': 0.25, 't': 1}
    >>> hybridize(adam)([w, b], init_adam_states(), hyperparams)
    >>> round(float(b.asscalar()), 4), hyperparams['t']
    (0.75, 2)
    """
    return trainer_fn if isinstance(trainer_fn, Hybridized) else Hybridized(trainer_fn)


class Hybridized:
    """A trainer function and its traces so far; see `hybridize`.

    `graphs` are larger ones that trainings have made of the traces.
    """

    def __init__(self, trainer_fn):
        self.trainer_fn, self.traces, self.misses, self.graphs = trainer_fn, {}, 0, {}
        self.arrays, self.have, self.shapes, self.shared = [], None, (), ()
        self.__name__ = getattr(trainer_fn, '__name__', type(trainer_fn).__name__)
        self.__doc__ = getattr(trainer_fn, '__doc__', None)

    def __call__(self, params, states, hyperparams):
        with DEVICE:
            step = self.trace(params, states, hyperparams)
            if step.returns == ANYTHING:
                raise UntraceableError(refused(self.trainer_fn, 'returns something else than its arguments'))
            step.run(params, states, hyperparams)
        return _again(step.returns, (params, states, hyperparams))

    def trace(self, params, states, hyperparams):
        """The trace that holds for these shapes and hyperparameters, made anew if none does."""
        with ONE_AT_A_TIME:  # what other threads put in places while they trace would be seen here
            return self._trace(params, states, hyperparams)

    def _trace(self, params, states, hyperparams):
        try:
            walk, places = surroundings(self.trainer_fn), self.places(params, states)
        except UntraceableError as error:
            raise UntraceableError(refused(self.trainer_fn, error)) from None
        key = type(params), len(params), self.shapes, places, tuple(self.have), structure(states), walk.tokens
        known = self.traces.get(key, ())
        for step in known:
            if step.holds(hyperparams):
                self.misses = 0
                return step
        step = trace(self.trainer_fn, params, states, hyperparams, places, walk)
        self.traces.setdefault(key, []).append(step)
        self.misses += bool(known)  # not where the caller has changed something
        self.forget()
        if self.misses > MOST_MISSES:
            error = UntraceableError(NEVER_TWICE)
            error.place = step.made_plain or (None, 0)
            raise UntraceableError(refused(self.trainer_fn, error))
        return step

    def graph(self, make, step, *how):
        """make(step, *how), a graph of one or more steps of a trace; made once."""
        key = make, step, *how
        if key not in self.graphs:
            if len(self.graphs) >= MOST_GRAPHS:
                del self.graphs[next(iter(self.graphs))]
            self.graphs[key] = make(step, *how)
        return self.graphs[key]

    def forget(self):
        """Drops the oldest trace where there are too many: a rule that reads a clock would never stop making them."""
        if sum(map(len, self.traces.values())) > MOST_TRACES:
            oldest = next(iter(self.traces))
            del self.traces[oldest][0]
            if not self.traces[oldest]:
                del self.traces[oldest]

    def places(self, params, states):
        """Which of the arrays (parameters, gradients, states) share a buffer; see `buffers.places`.

        The arrays of the last call are kept: as long as they come again, and those with gradients have them still,
        nothing is asked of MXNet, which would have to finish its work first. (A new gradient in the place of one that
        was a state at the same time is not noticed.)
        """
        arrays, grads = [*params, *leaves(states)], [p.grad for p in params]
        have = [g is not None for g in grads]
        if have != self.have or len(arrays) != len(self.arrays) or any(map(is_not, arrays, self.arrays)):
            kinds = [buffers.kind(a) for a in arrays]
            theirs = [buffers.kind(g) if g is not None else (None, None) for g in grads]
            self.shared = buffers.places([*kinds[:len(params)], *theirs, *kinds[len(params):]])
            self.arrays, self.have, self.shapes = arrays, have, tuple(shape for shape, _ in kinds)
        return self.shared


class Trace:
    """One step of a rule as a graph.

    Attributes:
        symbol: the group of the arrays' new values, or None if none is changed. Its variables are `array0`, `array1`,
            ... (the parameters, their gradients, then the states' arrays in their order) and `number0`, ... for the
            numbers.
        writes: which arrays the values are for.
        sources: the numbers' names in the program.
        returns: which of its arguments the function returns; see `recording.Recording`.
        made_plain: where it makes a plain number of a hyperparameter; see there.
        numbers: a function of the hyperparameters that computes the graph's numbers.
    """

    def __init__(self, recording):
        self.symbol, self.writes, self.sources = recording.symbol, recording.writes, recording.sources
        self.returns, self.names, self.made_plain = recording.returns, recording.names, recording.made_plain
        self.keys, self.types, self.constants = recording.keys, recording.types, recording.constants
        self.changes, self.order, self.guards = recording.changes, recording.order, recording.checker()
        self.numbers = recording.program.evaluator(self.sources, recording.unused())
        self.changed = recording.program.evaluator(list(self.changes.values()))
        inputs = self.symbol.list_inputs() if self.writes else ()
        self.reads = sorted(int(name[len('array'):]) for name in inputs if name.startswith('array'))
        self._op = None

    def holds(self, hyperparams):
        """Whether the function would do the same: all but numbers as it was, and each branch the same way."""
        return (tuple(hyperparams) == self.keys and tuple(map(type, hyperparams.values())) == self.types
                and all(_same(hyperparams[key], value, self.names) for key, value in self.constants)
                and self.guards(hyperparams))

    def run(self, params, states, hyperparams):
        """Does one step."""
        if self.writes:
            arrays = [*params, *(p.grad for p in params), *leaves(states)]
            packed = as_array(self.numbers(hyperparams))
            numbers = [packed[i:i + 1] for i in range(len(self.sources))]
            results = self.cached_op()(*(arrays[i] for i in self.reads), *numbers)
            for i, result in zip(self.writes, results if isinstance(results, list) else [results]):
                result.copyto(arrays[i])
        self.advance(hyperparams)

    def advance(self, hyperparams):
        """Changes the hyperparameters as the function did."""
        values = dict(zip(self.changes, self.changed(hyperparams)))
        if self.order is None:
            hyperparams.update(values)
            return
        before = dict(hyperparams)
        hyperparams.clear()
        hyperparams.update((key, values[key] if key in values else before[key]) for key in self.order)

    def cached_op(self):
        """The graph, ready to be called with the arrays that it reads, in their order, and the numbers."""
        if self._op is None:
            order = [f'array{i}' for i in self.reads] + [f'number{i}' for i in range(len(self.sources))]
            self._op = cached_op(self.symbol, order)
        return self._op


def _again(returns, arguments):
    """What a rule returns, by what `Recording.returns` says."""
    if isinstance(returns, tuple):
        return tuple(_again(part, arguments) for part in returns)
    return None if returns is None else arguments[returns]


def _same(value, before, names):
    return value == before if is_atom(value) else content(value, names) == before


def cached_op(symbol, order):
    """A function of NDArrays, given in the order of the variables' names in `order`, that runs a graph in one call."""
    inputs = symbol.list_inputs()
    op = CachedOp(_apart(symbol), [('data_indices', list(range(len(inputs)))), ('param_indices', []), *FAST])
    places = [order.index(name) for name in inputs]  # what the graph does not use is left out
    return lambda *arrays, out=None: op(*(arrays[i] for i in places), out=out)


def as_array(numbers):
    """Python numbers as a float32 NDArray; `nd.array` does the same in ten times the time."""
    return nd.from_numpy(np.array(numbers or [0.0], dtype=np.float32), zero_copy=True)


def _apart(symbol):
    """The same outputs, none of them an input of the graph or an earlier output: those are copied."""
    seen, outputs = set(symbol.list_inputs()), []
    for output in symbol:
        name = output.list_outputs()[0]
        outputs.append(sym.identity(output) if name in seen else output)
        seen.add(name)
    return sym.Group(outputs)


def trace(trainer_fn, params, states, hyperparams, places, walk):
    """Runs the function on stand-ins and returns the `Trace`, once it has proved itself; the arguments stay."""
    try:
        with shadow.left_alone(walk):
            return _proved(trainer_fn, params, states, hyperparams, places, walk)
    except UntraceableError as error:
        raise UntraceableError(refused(trainer_fn, error)) from error


def _proved(trainer_fn, params, states, hyperparams, places, walk):
    arguments = params, states, hyperparams
    first = _recorded(trainer_fn, arguments, places, walk)
    _check_surroundings(trainer_fn, walk)  # a stand-in that was stored is seen now; the real run would replace it
    second = _recorded(trainer_fn, arguments, places, walk)
    eager = shadow.run_eagerly(trainer_fn, *arguments)
    _check_surroundings(trainer_fn, walk)
    if first.text() != second.text():
        raise UntraceableError(HAS_A_STATE)
    step = Trace(first)
    shadow.check(step, eager, *arguments)
    return step


def _recorded(trainer_fn, arguments, places, walk):
    try:
        return record(trainer_fn, *arguments, places, walk)
    except Exception as error:
        shadow.run_eagerly(trainer_fn, *arguments)  # if that fails too, why is the better message
        raise as_untraceable(error) from None


HAS_A_STATE = ('does something else at each call: it keeps a state of its own, outside of params, states and '
               'hyperparams, or draws at random')


def _check_surroundings(trainer_fn, walk):
    if not is_as_before(trainer_fn, walk):
        raise UntraceableError(HAS_A_STATE)


def is_as_before(trainer_fn, walk):
    """Whether a rule has left all that it can see as it was, and put nothing there that cannot be compared."""
    try:
        return surroundings(trainer_fn).tokens == walk.tokens
    except UntraceableError:
        return False
