"""Turns an imperative trainer function into one cached graph, unchanged.

A rule of the book's form issues some forty small operators a step, and each costs far more to dispatch from Python
than to compute. `hybridize` runs the function on stand-ins that write down what is done to them (room `tracing`);
what they wrote is a graph, which MXNet runs in one call a step: in float32 and in the same order, like the original.

    fast_adam = hybridize(adam)
    fast_adam(params, states, hyperparams)        # does what adam(params, states, hyperparams) does

What the function computes from hyperparameters alone, such as `1 - beta2 ** t`, stays Python: it is written down as
an expression, and evaluated in each step in double precision, as the original would.
"""
import dis
import functools
import linecache
import types
from collections import OrderedDict
from copy import deepcopy
from numbers import Number

import numpy as np

from .compat import mxnet
from .nested import flat, leaves, replace_arrays, structure
from .tracing import NumberStandIn, Tape, UntraceableError, evaluator, stand_in, type_of

nd, sym = mxnet.nd, mxnet.sym
CachedOp = mxnet.ndarray.CachedOp
GLOBAL_WRITES, OUTER_WRITES = ('STORE_GLOBAL', 'DELETE_GLOBAL'), ('STORE_DEREF', 'DELETE_DEREF')
FAST = (('static_alloc', True), ('static_shape', True))


def hybridize(trainer_fn):
    """A function of the same signature that does the same through one cached graph.

    Args:
        trainer_fn: any function of the book's form, trainer_fn(params, states, hyperparams), that computes with
            NDArrays' operators and methods and with functions of `nd`, assigns in place to whole arrays (`v[:] = ...`,
            `p[:] -= ...`), and reads and changes numbers in `hyperparams`.

    Returns:
        The function; it is traced at the first call and again whenever shapes change. Hyperparameters, and numbers
        that the function refers to by a global name, may change between calls. Objects that it refers to otherwise
        are read when it is traced.

    Raises (at the call):
        UntraceableError (a TypeError): the function does what a graph cannot: branches on an array's value, asks
            for it (`asscalar`), writes to a part of an array, calls another library, keeps a state of its own. The
            message names the operation and the line.

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
    """A trainer function and its traces so far; see `hybridize`."""

    def __init__(self, trainer_fn):
        self.trainer_fn, self.traces = trainer_fn, {}
        self.__name__ = getattr(trainer_fn, '__name__', type(trainer_fn).__name__)
        self.__doc__ = getattr(trainer_fn, '__doc__', None)

    def __call__(self, params, states, hyperparams):
        step = self.trace(params, states, hyperparams)
        arrays = [*params, *(p.grad for p in params), *leaves(states)]
        packed = as_array(step.numbers(hyperparams))
        numbers = [packed[i:i + 1] for i in range(len(step.sources))]
        results = step.cached_op()(*(arrays[i] for i in step.reads), *numbers)
        for i, result in zip(step.writes, results if isinstance(results, list) else [results]):
            result.copyto(arrays[i])
        step.advance(hyperparams)

    def trace(self, params, states, hyperparams):
        """The trace that holds for these shapes and hyperparameters, made anew if none does."""
        key = tuple(p.shape for p in params), structure(states), _surroundings(self.trainer_fn)
        known = self.traces.setdefault(key, [])
        for step in known:
            if step.holds(hyperparams):
                return step
        known.append(trace(self.trainer_fn, params, states, hyperparams))
        return known[-1]


class Trace:
    """One step of a rule as a graph.

    Attributes:
        symbol: the group of the arrays' new values. Its variables are `array0`, `array1`, ... (the parameters, their
            gradients, then the states' arrays in their order) and `number0`, ... for the numbers.
        writes: which arrays the values are for.
        sources: the numbers' expressions.
        constants: the hyperparameters' types, and the values of those that are not numbers.
    """

    def __init__(self, symbol, writes, sources, guards, changes, removed, constants):
        self.constants = constants
        self.symbol, self.writes, self.sources, self.removed = symbol, writes, sources, removed
        self.numbers = evaluator(f'({"".join(s + ", " for s in sources)})')
        self.changes = {key: evaluator(source) for key, source in changes.items()}
        self.guards = [(evaluator(source), answer) for source, answer in guards.items()]
        arrays = (name for name in symbol.list_inputs() if name.startswith('array'))
        self.reads = sorted(int(name[len('array'):]) for name in arrays)
        self._op = None

    def holds(self, hyperparams):
        """Whether the function would do the same: all but numbers as it was, and each branch the same way."""
        same = _constants(hyperparams) == self.constants
        return same and all(bool(guard(hyperparams)) == answer for guard, answer in self.guards)

    def advance(self, hyperparams):
        """Changes the hyperparameters as the function did."""
        hyperparams.update({key: change(hyperparams) for key, change in self.changes.items()})
        for key in self.removed:
            del hyperparams[key]

    def cached_op(self):
        """The graph, ready to be called with the arrays that it reads, in their order, and the numbers."""
        if self._op is None:
            order = [f'array{i}' for i in self.reads] + [f'number{i}' for i in range(len(self.sources))]
            self._op = cached_op(self.symbol, order)
        return self._op


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


def trace(trainer_fn, params, states, hyperparams):
    """Runs the function on stand-ins and returns the `Trace`; the arguments are only looked at."""
    before = _surroundings(trainer_fn)
    try:
        first, second = (_record(trainer_fn, params, states, hyperparams) for _ in range(2))
    except UntraceableError:
        _try_eagerly(trainer_fn, params, states, hyperparams)  # if that fails too, why is the better message
        raise
    same = first[0].tojson() == second[0].tojson() and first[1:] == second[1:]
    if not same or _surroundings(trainer_fn) != before:
        raise UntraceableError(_refusal(trainer_fn, None, 'does something else at each call: it keeps a state of its '
                                        'own, outside of params, states and hyperparams, or draws at random'))
    return Trace(*first)


def _try_eagerly(trainer_fn, params, states, hyperparams):
    """Runs the function as it is, on copies of its arguments."""
    copies = [p.copy() for p in params]
    for copy, p in zip(copies, params):
        if p.grad is not None:
            copy.attach_grad()
            copy.grad[:] = p.grad
    trainer_fn(copies, replace_arrays(states, (a.copy() for a in leaves(states))), deepcopy(hyperparams))
    nd.waitall()


def _record(trainer_fn, params, states, hyperparams):
    """The constructor's arguments of one run's `Trace`."""
    if other := [a.dtype for a in (*params, *leaves(states)) if a.dtype != np.float32]:
        raise UntraceableError(_refusal(trainer_fn, None, f'has parameters or states of {np.dtype(other[0])}; a graph '
                                        'computes in float32'))
    if type(hyperparams) not in (dict, OrderedDict):
        raise UntraceableError(_refusal(trainer_fn, None, f'has hyperparams of the class {type(hyperparams).__name__}, '
                                        'not a plain dict'))
    with mxnet.name.NameManager():  # names from a counter of our own: two runs of one function get the same
        tape = Tape(hyperparams)
        arrays, stand_ins = _array_stand_ins(tape, params, states)
        before = [a.symbol for a in arrays]
        numbers = {key: NumberStandIn(f'h[{key!r}]', tape) if _varies(value) else deepcopy(value)
                   for key, value in hyperparams.items()}
        after = dict(numbers)
        given = stand_ins[:len(params)], replace_arrays(states, iter(stand_ins[len(params):]))
        _run(trainer_fn, tape, *given, after)
        if [id(a) for a in flat(given)] != [id(a) for a in stand_ins]:
            raise UntraceableError(_refusal(trainer_fn, None, 'puts another array in the place of a parameter or '
                                            'state; assign in place, as in v[:] = ...'))
        written = {id(a): i for i, a in reversed(list(enumerate(arrays))) if a.symbol is not before[i]}
        writes = sorted(written.values())
        if not writes:
            raise UntraceableError(_refusal(trainer_fn, None, 'changes no parameter and no state'))
        symbol = sym.Group([arrays[i].symbol for i in writes])
    changes = {key: _change(trainer_fn, key, value) for key, value in after.items() if value is not numbers.get(key)}
    if any(repr(numbers[key]) != repr(value) for key, value in hyperparams.items() if not _varies(value)):
        raise UntraceableError(_refusal(trainer_fn, None, 'changes an object inside hyperparams'))
    return symbol, writes, list(tape.inputs), tape.guards, changes, \
        [key for key in numbers if key not in after], _constants(hyperparams)


def _change(trainer_fn, key, value):
    """The expression of what the function leaves in hyperparams[key]."""
    if isinstance(value, NumberStandIn):
        return value.source
    if isinstance(value, (Number, str, type(None))):
        return repr(value)
    raise UntraceableError(_refusal(trainer_fn, None, f'puts a {type(value).__name__} into hyperparams[{key!r}]'))


def _array_stand_ins(tape, params, states):
    """Stand-ins for all arrays (parameters, gradients, states), and those that go into the arguments."""
    flat = leaves(states)
    made, arguments, grads = {}, [], []
    for i, p in enumerate(params):
        grads.append(tape.variable(f'array{len(params) + i}', p.shape))
        made[id(p)] = tape.variable(f'array{i}', p.shape, grads[i] if p.grad is not None else None)
        arguments.append(made[id(p)])
    for i, state in enumerate(flat, 2 * len(params)):
        # One array in two places is one array: its stand-in too.
        if id(state) not in made:
            made[id(state)] = tape.variable(f'array{i}', state.shape)
        arguments.append(made[id(state)])
    return [*arguments[:len(params)], *grads, *arguments[len(params):]], arguments


def _run(trainer_fn, tape, params, states, hyperparams):
    """Calls the function; whatever it cannot do with stand-ins comes out as an UntraceableError with its line."""
    UntraceableError.latest.error = None
    try:
        _with_stand_ins(trainer_fn, tape)(params, states, hyperparams)
        if UntraceableError.latest.error:
            raise UntraceableError.latest.error
    except KeyError:
        raise  # a hyperparameter that is not there: no matter of tracing
    except Exception as error:
        raise UntraceableError(_refusal(trainer_fn, error.__traceback__, str(error) or type(error).__name__)) from error


def _with_stand_ins(function, tape):
    """The same code with stand-ins where it refers to `nd`, `math`, `mxnet` or one of their functions."""
    if isinstance(function, types.MethodType):
        return types.MethodType(_with_stand_ins(function.__func__, tape), function.__self__)
    if isinstance(function, functools.partial):
        return functools.partial(_with_stand_ins(function.func, tape), *function.args, **function.keywords)
    if not isinstance(function, types.FunctionType):
        call = getattr(type(function), '__call__', None)
        return _with_stand_ins(types.MethodType(call, function), tape) if _is_python(call) else function
    for instruction in dis.get_instructions(function):
        outside = instruction.argval in function.__code__.co_freevars
        if instruction.opname in GLOBAL_WRITES or (outside and instruction.opname in OUTER_WRITES):
            raise UntraceableError(f'changes {instruction.argval}, which is neither an argument nor its own')
    replaced = {name: _global_stand_in(value, function, tape) for name, value in function.__globals__.items()
                if name in _names(function.__code__)}
    if 'type' in _names(function.__code__):
        replaced.setdefault('type', type_of)
    closure = function.__closure__ and tuple(
        types.CellType(stand_in(cell.cell_contents, tape)) for cell in function.__closure__)
    copy = types.FunctionType(function.__code__, {**function.__globals__, **replaced}, function.__name__,
                              function.__defaults__, closure)
    copy.__kwdefaults__ = function.__kwdefaults__
    return copy


def _is_python(value):
    return isinstance(value, types.FunctionType)


def _global_stand_in(value, function, tape):
    """A helper function from the same file may call `nd` too."""
    if isinstance(value, types.FunctionType) and value.__globals__ is function.__globals__ and value is not function:
        return _with_stand_ins(value, tape)
    return stand_in(value, tape)


def _names(code):
    """The names that code refers to, the code of functions inside it included."""
    inner = (const for const in code.co_consts if isinstance(const, types.CodeType))
    return set(code.co_names).union(*map(_names, inner))


def _surroundings(function):
    """All that a function could read besides its arguments, as far as it is plain data, in a form to be compared."""
    if isinstance(function, functools.partial):
        return _surroundings(function.func), _content((function.args, function.keywords))
    if isinstance(function, types.MethodType):
        return _surroundings(function.__func__), _content(function.__self__)
    if not _is_python(function):
        call = getattr(type(function), '__call__', None)
        return (_surroundings(call) if _is_python(call) else (), _content(function))
    cells = zip(function.__code__.co_freevars, (cell.cell_contents for cell in function.__closure__ or ()))
    names = ((name, function.__globals__.get(name)) for name in sorted(_names(function.__code__)))
    own = (('', function.__defaults__), ('', function.__kwdefaults__), ('', function.__dict__))
    return tuple((name, _content(value)) for name, value in (*own, *cells, *names) if value is not None)


def _content(value):
    """A value as text if it is plain data or an object that holds some; None for modules, classes and functions."""
    if isinstance(value, (Number, str, list, tuple, dict, set)):
        return f'{type(value).__name__} {value!r}'
    if isinstance(value, nd.NDArray) or isinstance(value, (types.ModuleType, type)) or callable(value) and not (
            _is_python(getattr(type(value), '__call__', None))):
        return None
    return repr(vars(value)) if hasattr(value, '__dict__') else repr(value)


def _varies(value):
    """Whether a hyperparameter enters the graph as an input: numbers do; flags and texts are part of the graph."""
    return isinstance(value, (Number, np.ndarray)) and not isinstance(value, bool)


def _constants(hyperparams):
    return tuple((key, type(value) if _varies(value) else repr(value)) for key, value in hyperparams.items())


def _refusal(trainer_fn, traceback, reason):
    """The message: which function, which line, what it did, and what to do."""
    code = getattr(trainer_fn, '__code__', None)
    place = ''
    while traceback:
        if code and traceback.tb_frame.f_code.co_filename == code.co_filename:
            line = linecache.getline(code.co_filename, traceback.tb_lineno).strip()
            place = f', line {traceback.tb_lineno}' + (f' `{line}`' if line else '')
        traceback = traceback.tb_next
    name = getattr(trainer_fn, '__name__', type(trainer_fn).__name__)
    return f'{name}{place}: {reason}; it cannot become a graph, but runs with hybridize=False'
