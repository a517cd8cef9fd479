"""One run of a rule on stand-ins, and what it leaves behind."""
import functools
import linecache
from collections import OrderedDict
from copy import deepcopy
from dataclasses import dataclass
from numbers import Number

import numpy as np

from .bytecode import handles_errors, tests_identity
from ..core.compat import mxnet
from .expressions import Program
from .nested import flat, leaves, replace_arrays, structure
from .stand_ins import UNKNOWN, NumberStandIn, UntraceableError, per_run
from .substitution import substitute, substituted
from .surroundings import content, surroundings
from .tracing import Tape

sym = mxnet.sym
ADVICE = 'but runs with hybridize=False'


@dataclass
class Recording:
    """What one run has done, as symbols and expressions; see `Trace` for the first four.

    Attributes:
        program: the numbers' definitions.
        guards: the tests that the numbers must pass for the run to go the same way.
        careful: whether the code has a way around errors, so that no number may raise one.
        keys, types: the hyperparameters' names and types, in order.
        constants: (name, content) of those that are not numbers.
        changes: name -> expression, of the hyperparameters that are set.
        order: the hyperparameters' names afterwards, or None if only values have changed or names come after them.
        names: the attributes that the rule's code asks for.
        made_plain: where a hyperparameter was turned into a plain number, (file, line), or None.
    """
    symbol: object
    writes: list
    sources: list
    returns: object
    program: Program
    guards: list
    careful: bool
    keys: tuple
    types: tuple
    constants: list
    changes: dict
    order: list
    names: frozenset
    made_plain: tuple

    def checker(self):
        """A function that tells whether hyperparameters pass the guards."""
        return self.program.checker(self.guards, everything=self.careful)

    def unused(self):
        """The numbers that nothing depends on: to compute them may raise an error all the same."""
        return self.program.unused([*self.sources, *self.changes.values(), *(name for name, _ in self.guards)])

    def text(self):
        """What two runs of one function have in common."""
        given = [content(value, self.names) for value in self.program.given.values()]
        return (self.writes and self.symbol.tojson(), self.writes, self.sources, self.returns, self.program.names,
                given, self.guards, self.changes, self.order)


def record(trainer_fn, params, states, hyperparams, places, walk):
    """The `Recording` of one run."""
    _check_hyperparameters(hyperparams)
    with mxnet.name.NameManager():  # names from a counter of our own: two runs of one function get the same
        tape = Tape(any(tests_identity(f.__code__) for f in walk.functions))
        arrays = _array_stand_ins(tape, params, states, places)
        before = [a if a is None else a.symbol for a in arrays]
        own = _own_objects(hyperparams, walk)
        numbers = {key: substitute(own[key], tape) if key in own else tape.hyperparameter(key, value)
                   for key, value in hyperparams.items()}
        after, count = dict(numbers), len(params)
        given = type(params)(arrays[:count]), replace_arrays(states, iter(arrays[2 * count:]))
        shape = _shape(given)
        walks = [walk, *(surroundings(value, walk.names) for value in own.values() if not is_atom(value))]
        returned = _run(trainer_fn, walks, tape, *given, after)
        if _shape(given) != shape:
            raise UntraceableError('puts another array in the place of a parameter or state, or changes how states '
                                   'are nested; assign in place, as in v[:] = ...')
        changed = {id(a): i for i, a in reversed(list(enumerate(arrays)))
                   if a is not None and a.symbol is not before[i]}
        writes = sorted(changed.values())
        symbol = sym.Group([arrays[i].symbol for i in writes]) if writes else None
        _check_types(symbol)
        returns = _returned(returned, (*given, after))
    constants = [(key, value if is_atom(value) else content(value, walk.names))
                 for key, value in hyperparams.items() if not varies(value)]
    if any(not is_atom(own[key]) and content(own[key], walk.names) != value for key, value in constants):
        raise UntraceableError('changes an object inside hyperparams')
    changes = {key: _change(tape, key, value) for key, value in after.items() if value is not numbers.get(key, tape)}
    natural = [*numbers, *(key for key in after if key not in numbers)]
    return Recording(
        symbol, writes, list(tape.inputs), returns, tape.program, list(tape.guards),
        any(handles_errors(f.__code__) for walk in walks for f in walk.functions), tuple(hyperparams),
        tuple(map(type, hyperparams.values())), constants, changes, None if list(after) == natural else list(after),
        frozenset(walk.names), tape.made_plain)


def _check_types(symbol):
    """Refuses a graph whose results are not float32, as after nd.cast."""
    types = symbol.infer_type(**dict.fromkeys(symbol.list_inputs(), np.float32))[1] if symbol is not None else ()
    if any(kind is not np.float32 for kind in types):
        raise UntraceableError('makes an array one of another type; a graph computes in float32')


ANYTHING = 'something that only the rule itself can return'


def _returned(value, arguments):
    """What a rule returns: None, or which of its arguments (params, states, hyperparams), or several, or ANYTHING."""
    if value is None:
        return None
    if type(value) is tuple:
        parts = tuple(_returned(part, arguments) for part in value)
        return ANYTHING if ANYTHING in parts else parts
    return next((place for place, argument in enumerate(arguments) if argument is value), ANYTHING)


def _shape(arguments):
    return structure(arguments), [id(a) for a in flat(arguments)]


def _check_hyperparameters(hyperparams):
    if type(hyperparams) not in (dict, OrderedDict):
        raise UntraceableError(f'has hyperparams of the class {type(hyperparams).__name__}, not a plain dict')


def varies(value):
    """Whether a hyperparameter enters the graph as an input: numbers do; flags and texts are part of the graph."""
    return type(value) in (int, float) or isinstance(value, (np.floating, np.integer)) or per_run(value)


def is_atom(value):
    """Whether a hyperparameter is compared by its value alone, its type being compared anyway."""
    return value is None or type(value) in (bool, str)


def _change(tape, key, value):
    """The expression of what the function leaves in hyperparams[key]."""
    if type(value) is NumberStandIn:
        return value.source
    if isinstance(value, (Number, str, bytes, type(None))):
        return tape.program.constant(value)
    raise UntraceableError(f'puts a {type(value).__name__} into hyperparams[{key!r}]')


def _array_stand_ins(tape, params, states, places):
    """Stand-ins for all arrays: parameters, gradients, states. One array in two places has one stand-in."""
    found, made = leaves(states), {}
    shapes = [*(p.shape for p in params), *(None if p.grad is None else p.shape for p in params),
              *(a.shape for a in found)]
    for i, (place, shape) in enumerate(zip(places, shapes)):
        if place not in made:
            made[place] = tape.variable(f'array{i}', shape) if shape is not None else None
    for place in places[2 * len(params):]:
        made[place].grad = UNKNOWN
    for i, place in enumerate(places[:len(params)]):
        made[place].grad = made[places[len(params) + i]]
    return [made[place] for place in places]


def _own_objects(hyperparams, walk):
    """Copies of the hyperparameters that are not numbers; refuses those that the rule knows by another name too."""
    copies = {}
    own = {key: deepcopy(value, copies) for key, value in hyperparams.items() if not varies(value)}
    if any(walk.seen[at][1] is not copies[at] for at in copies.keys() & walk.seen.keys()):
        raise UntraceableError('is given an object in hyperparams that it also refers to by a name')
    return own


def _run(trainer_fn, walks, tape, params, states, hyperparams):
    """Calls the function with stand-ins; also raises an UntraceableError that the function has caught."""
    UntraceableError.latest.error = None
    with substituted(walks, tape):
        returned = substitute(trainer_fn, tape)(params, states, hyperparams)
    if UntraceableError.latest.error:
        raise UntraceableError.latest.error
    return returned


def as_untraceable(error):
    """An error of a run on stand-ins, with its traceback."""
    if isinstance(error, UntraceableError):
        return error
    return UntraceableError(str(error) or type(error).__name__).with_traceback(error.__traceback__)


def refused(trainer_fn, error):
    """The message: which function, which line, what it did, and what to do."""
    name = getattr(trainer_fn, '__name__', type(trainer_fn).__name__)
    reason = str(error) or type(error).__name__
    return f'{name}{_place(trainer_fn, error)}: {reason}; it cannot become a graph, {ADVICE}'


def _place(trainer_fn, error):
    """The line, as text: the last in the function's file that the error went through."""
    file, number = getattr(error, 'place', (None, 0))
    code, traceback = _code(trainer_fn), getattr(error, '__traceback__', None)
    while traceback and code and not file:
        if traceback.tb_frame.f_code.co_filename == code.co_filename:
            number = traceback.tb_lineno
        traceback = traceback.tb_next
    if not number:
        return ''
    line = linecache.getline(file or code.co_filename, number).strip()
    elsewhere = f' of {file}' if file and not (code and file == code.co_filename) else ''
    return f', line {number}{elsewhere}' + (f' `{line}`' if line else '')


def _code(function):
    while isinstance(function, functools.partial):
        function = function.func
    function = getattr(function, '__func__', function)
    return getattr(function, '__code__', None) or getattr(getattr(type(function), '__call__', None), '__code__', None)
