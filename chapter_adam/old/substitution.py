"""While a rule runs on stand-ins, `nd`, `math` and their functions are stood in for too, wherever the rule finds them.

The walk over its surroundings has been to every function that it can call: methods, closures, helpers in other modules.
What they refer to is set in place, so that none of them needs to be copied, and put back when the run is over.
"""
import builtins
import copyreg
import functools
import operator
import threading
import types
from collections import OrderedDict, defaultdict
from contextlib import contextmanager, suppress

from .bytecode import reads
from .namespaces import stand_in
from ..command.signals import held
from .surroundings import is_librarys, is_own_module

ONE_AT_A_TIME = threading.RLock()  # held by who traces
HOLDERS = (dict, OrderedDict, defaultdict, list)
STOOD_IN = (types.ModuleType, types.FunctionType, types.BuiltinFunctionType, type)


@contextmanager
def substituted(walks, tape):
    """Puts stand-ins in the places that the walks have been to, until the block ends."""
    done, real_import, typed = [], builtins.__import__, []
    try:
        with held():
            typed += _with_type(walks)
            _put(walks, tape, done)
            builtins.__import__ = _importing(walks, tape)
        yield
    finally:
        with held():
            builtins.__import__ = real_import
            for write, before in done:
                with suppress(IndexError):  # of a list that the rule has made shorter
                    write(before)
            for own in typed:
                del own['type']


def _put(walks, tape, done):
    """Puts the stand-ins; `done` is filled with how to take each back."""
    for read, write in (place for walk in walks for place in _places(walk)):
        before = read()
        given = substitute(before, tape)
        if given is not before:
            done.append((write, before))
            write(given)


def substitute(value, tape):
    """The stand-in for a value, or for what is in it; else the value itself."""
    if type(value) is tuple:
        parts = tuple(substitute(part, tape) for part in value)
        return value if all(map(_is, parts, value)) else parts
    if type(value) is functools.partial:
        parts = value.func, value.args, tuple(value.keywords.values())
        func, args, given = substitute(parts, tape)
        same = all(map(_is, (func, args, given), parts))
        return value if same else functools.partial(func, *args, **dict(zip(value.keywords, given)))
    if type(value) in (staticmethod, classmethod):
        given = substitute(value.__func__, tape)
        return value if given is value.__func__ else type(value)(given)
    return stand_in(value, tape) if isinstance(value, STOOD_IN) else value


def _is(one, other):
    return one is other


def _with_type(walks):
    """Gives globals the name `type` where the code asks for it, since nothing else of Python's can be stood in for."""
    asking = [f.__globals__ for walk in walks for f in walk.functions if 'type' in reads(f.__code__)[0]]
    given = []
    for own in asking:
        if 'type' not in own:
            own['type'] = type
            given.append(own)
    return given


def _importing(walks, tape):
    """`import` that gives stand-ins to the functions of the walks, and to all others what it always does."""
    real, theirs = builtins.__import__, {id(f.__globals__) for walk in walks for f in walk.functions}

    def importing(name, own=None, *more, **options):
        found = real(name, own, *more, **options)
        return stand_in(found, tape) if id(own) in theirs else found
    return importing


def _places(walk):
    """(read, write) of all that may be stood in for: in globals, closures, defaults, attributes, dicts and lists."""
    for function in walk.functions:
        own = function.__globals__
        yield from (_entry(own, name) for name in reads(function.__code__)[0] if name in own)
        yield from (_attribute(cell, 'cell_contents') for cell in function.__closure__ or () if _is_set(cell))
        yield _attribute(function, '__defaults__')
    for _, value in list(walk.seen.values()):
        if type(value) in HOLDERS:
            yield from (_entry(value, key) for key in (range(len(value)) if type(value) is list else list(value)))
        elif isinstance(value, type) and not is_librarys(value):
            yield from (_attribute_of_class(value, name) for name in walk.names & vars(value).keys())
        elif isinstance(value, types.ModuleType):
            names = walk.names & vars(value).keys() if is_own_module(value) else ()
            yield from (_entry(vars(value), name) for name in names)
        else:
            own = getattr(value, '__dict__', None)
            yield from (_entry(own, name) for name in (list(own) if type(own) is dict else ()))
            yield from (_slot(value, name) for name in copyreg._slotnames(type(value)) if hasattr(value, name))


def _entry(holder, key):
    def read():
        return holder[key] if type(holder) is list else holder.get(key)
    return read, functools.partial(operator.setitem, holder, key)


def _attribute(owner, name):
    return lambda: getattr(owner, name, None), lambda value: setattr(owner, name, value)


def _slot(owner, name):
    return lambda: getattr(owner, name), lambda value: object.__setattr__(owner, name, value)


def _attribute_of_class(owner, name):
    return lambda: vars(owner).get(name), lambda value: type.__setattr__(owner, name, value)


def _is_set(cell):
    try:
        return bool([cell.cell_contents])
    except ValueError:
        return False
