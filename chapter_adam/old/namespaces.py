"""Stand-ins for what a trainer function finds by name: the modules `nd`, `math`, `mxnet`, their functions, `type`."""
import functools
import math
import threading
import types

from ..core.compat import mxnet
from .stand_ins import STAND_INS, NumberStandIn, UntraceableError
from .tracing import is_random

nd = mxnet.nd


class Namespace:
    """Stands for the module `nd`, `math` or `mxnet` while a trainer function is traced."""

    def __init__(self, module, tape):
        self._module, self._tape = module, tape

    def __getattr__(self, name):
        value = getattr(self._module, name)
        if threading.get_ident() != self._tape.thread:
            return value  # another thread, to which the module is what it always is
        if isinstance(value, types.ModuleType) and value is not nd:
            raise UntraceableError(f'uses {self._module.__name__}.{name}')
        return stand_in(value, self._tape)


def stand_in(value, tape):
    """What a trainer function sees in the place of something global: a namespace or a function that can be traced.

    A function of `nd` or `math` that is given a stand-in writes on the tape; given anything else, it is itself. One
    value has one stand-in, so that a rule may ask which function it has been given.
    """
    if id(value) not in tape.stand_ins:
        tape.stand_ins[id(value)] = _stand_in(value, tape), value
    return tape.stand_ins[id(value)][0]


def _stand_in(value, tape):
    if isinstance(value, types.ModuleType):
        return Namespace(value, tape) if value in (nd, mxnet, math) else value
    if value is type:
        return type_of
    name = getattr(value, '__name__', None)
    if isinstance(value, type) or not (callable(value) and isinstance(name, str)):
        return value
    if getattr(math, name, None) is value:
        return _scalar(name, value, tape)
    if getattr(nd, name, None) is value:
        return _operator(name, value, tape)
    return value


def _scalar(name, function, tape):
    def call(*args, **kwargs):
        if not _any_stand_in((*args, *kwargs.values())):
            return function(*args, **kwargs)
        if kwargs or any(isinstance(arg, (list, tuple)) for arg in args if type(arg) not in STAND_INS):
            raise UntraceableError(f'calls math.{name} with a hyperparameter and a keyword or a list')
        return tape.scalar(f'math.{name}', function, *args)
    # A class that holds a function of C does not make a method of it, nor of this.
    return functools.update_wrapper(functools.partial(call), function)


def _operator(name, function, tape):
    @functools.wraps(function)
    def call(*args, **kwargs):
        if is_random(name):
            raise UntraceableError(f'calls nd.{name}, which draws at random')
        if any(type(arg) in (list, tuple) and any(type(part) is NumberStandIn for part in arg) for arg in args):
            raise UntraceableError(f'passes a list with a hyperparameter to nd.{name} (compute with the number itself)')
        if _any_stand_in((*args, *kwargs.values())):
            return tape.function(name, *args, **kwargs)
        made = function(*args, **kwargs)
        constant = tape.constant(made) if name in ('array', 'zeros', 'ones', 'full') else None
        return made if constant is None else constant
    return call


def type_of(value, *more):
    """`type` for a traced function: for a stand-in, the type of what it stands for."""
    return value.__class__ if not more and type(value) in STAND_INS else type(value, *more)


def _any_stand_in(values):
    return any(type(value) in STAND_INS for value in values)
