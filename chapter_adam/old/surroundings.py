"""All that a rule can see besides its arguments, as data to be compared: its graph is good while none of it changes.

The walk starts at the function and follows every name in its code: globals, closures, defaults, helper functions and
their names in turn, objects and their attributes. What it does not know how to compare (a generator, a lock, an open
file) it refuses: a graph would not notice when it changes.
"""
import builtins
import contextlib
import copyreg
import enum
import functools
import importlib.util
import sys
import sysconfig
import types
from collections import OrderedDict, namedtuple

import numpy as np

from .bytecode import compares_numbers_by_identity, line_of, reads, writes
from ..core.compat import mxnet
from .stand_ins import STAND_INS, UntraceableError

NDArray = mxnet.nd.NDArray
MOST = 10_000  # tokens, and kilobytes of arrays, that a walk goes through at most
ATOMS = frozenset([int, bool, str, bytes, type(None), type(Ellipsis), type(NotImplemented)])
BASES = (int, float, complex, str, bytes, tuple, list, dict, set, frozenset)
# Libraries whose functions answer by their arguments alone.
TRUSTED = frozenset('''mxnet numpy math cmath operator functools itertools collections numbers enum contextlib copy
    dataclasses abc types typing fractions _operator _functools _collections _collections_abc _abc builtins'''.split())
PLAIN = frozenset([int, float, bool, str, list, dict, tuple, np.ndarray])
STATEFUL = ('mxnet.random', 'mxnet.autograd', 'mxnet.ndarray.random', 'mxnet.context', 'mxnet.util', 'mxnet.profiler',
            'numpy.random', 'mxnet.engine', 'builtins')
# What makes NumPy or MXNet do something else at each call, or in the middle of one; and what reads or writes files.
MODES = frozenset('''random autograd errstate seterr seterrcall datetime64 frompyfunc load loadtxt genfromtxt fromfile
    fromregex memmap open_memmap save savez savez_compressed savetxt tofile load_frombuffer'''.split())
# What asks for attributes whose names are not in the code.
BY_ANY_NAME = frozenset(['*', 'attrgetter', 'methodcaller', '__dict__', '__getattribute__'])
SAFE = frozenset('''abs all any ascii bin callable chr divmod format getattr hasattr hash hex isinstance issubclass
    iter len max min next oct ord pow repr round sorted sum __build_class__'''.split())


def surroundings(function, names=frozenset(), name=''):
    """The `Walk` over all that a function, or an object of that name, can see; its `tokens` are to be compared."""
    names = set(names)
    while True:
        walk, known = Walk(names, name), len(names)
        walk.visit(function)
        # A class or a module is looked at for the names in the code; code found later may ask it for more.
        if len(names) == known or not walk.by_name:
            walk.tokens = tuple(walk.tokens)
            return walk
        names = walk.names


def content(value, names=frozenset()):
    """A value's tokens; of modules and classes in it, the attributes with these names and those in its own code."""
    return surroundings(value, names, 'hyperparams').tokens


def is_trusted(function):
    """Whether a function of Python belongs to a library that is taken as it is."""
    name = function.__globals__.get('__name__') or function.__module__
    return _root(name) in TRUSTED and name not in STATEFUL


def is_own_module(module):
    """Whether a module is not a trusted library's."""
    return _root(module.__name__) not in TRUSTED


def _root(name):
    return str(name).partition('.')[0]


class Walk:
    """One walk.

    Attributes:
        tokens: what was found, in order: types, texts, numbers, code.
        names: the attributes that the code asks for.
        functions: those that were found, but for the trusted libraries'.
        by_name: whether something was looked at for these names only.
    """

    def __init__(self, names, name=''):
        self.names, self.tokens, self.functions, self.by_name, self.seen = names, [], [], False, {}
        self.code, self.name, self.bytes, self.way = None, name, 0, []

    def refuse(self, reason):
        error = UntraceableError(reason)
        # The last line on the way here that is the reader's, rather than one of Python's own library.
        way = [*self.way, (self.code, self.name)] if self.code else []
        for code, name in [(code, name) for code, name in way if code and not _is_installed(code)][-1:]:
            error.place = code.co_filename, line_of(code, name)
        raise error

    def visit(self, value):
        kind = type(value)
        if kind in STAND_INS:
            self.refuse('keeps an array or a hyperparameter beyond its call')
        if kind in ATOMS:
            self.tokens += (kind, value)
            return
        if len(self.tokens) > MOST:
            self.refuse(f'refers to `{self.name}`, which holds more data than can be compared at each call')
        if id(value) in self.seen:
            self.tokens.append(self.seen[id(value)][0])
            return
        self.seen[id(value)] = len(self.tokens), value  # the value too: while it lives, its id is its own
        visit = VISITS.get(kind) or next((v for base, v in DERIVED if isinstance(value, base)), Walk.object)
        visit(self, value)

    def named(self, code, name, value):
        """Something that a name in code, or in an object, refers to."""
        before = self.code, self.name
        self.way.append(before)
        self.code, self.name = code, name
        self.visit(value)
        self.code, self.name = before
        self.way.pop()

    def function(self, function):
        code = function.__code__
        self.tokens.append(code)
        if is_trusted(function):
            self.check_name(function.__name__, function.__module__)
        else:
            if _root(function.__globals__.get('__name__', '')) in TRUSTED:
                self.refuse(f'refers to `{self.name}`, of {function.__module__}: it may do something else at each call')
            if name := writes(code):
                self.code, self.name = code, name
                self.refuse(f'keeps a state of its own: changes {name}, which is neither an argument nor made by it')
            self.functions.append(function)
            self.check_identity(code, function)
            self.globals(code, function)
        for name, cell in zip(code.co_freevars, function.__closure__ or ()):
            try:
                value = cell.cell_contents
            except ValueError:
                value = ...  # a variable that has no value yet
            self.named(code, name, value)
        for own in (function.__defaults__, function.__kwdefaults__, function.__dict__):
            if own:
                self.visit(own)

    def check_identity(self, code, function):
        """Refuses `h['t'] is STOP`: whether two equal numbers are one object, no stand-in can tell."""
        cells = dict(zip(code.co_freevars, function.__closure__ or ()))
        for name in compares_numbers_by_identity(code):
            with contextlib.suppress(ValueError):  # a variable that has no value yet
                value = cells[name].cell_contents if name in cells else function.__globals__.get(name)
                if name == '' or type(value) in (int, float):
                    self.code, self.name = code, name
                    self.refuse('tests by `is` whether two numbers are one object (== compares them)')

    def check_name(self, name, home):
        """Refuses what a library that is trusted otherwise has under one of the names in MODES."""
        if name in MODES:
            self.refuse(f'refers to {home} and `{name}`: it may do something else at each call')

    def globals(self, code, function):
        names, imports, attributes = reads(code)
        self.names.update(attributes)
        for name in names:
            if name in function.__globals__:
                self.tokens.append(name)
                self.named(code, name, function.__globals__[name])
            elif name not in SAFE and callable(value := vars(builtins).get(name)) and not isinstance(value, type):
                self.code, self.name = code, name
                self.refuse(f'calls {name}: it may do something else at each call, and a graph would not')
        for name in imports:
            package = function.__globals__.get('__package__')
            self.named(code, name, _imported(importlib.util.resolve_name(name, package)))

    def method(self, method):
        self.tokens.append(types.MethodType)
        self.visit(method.__func__)
        self.visit(method.__self__)

    def partial(self, function):
        self.tokens.append(functools.partial)
        for part in (function.func, function.args, function.keywords, vars(function)):
            self.visit(part)

    def builtin(self, function):
        """A function without code of Python's: by the library it comes from, or by what it is a method of."""
        owner = getattr(function, '__self__', None)
        self.tokens.append(function.__name__)
        if owner is not None and not isinstance(owner, types.ModuleType):
            return self.visit(owner)
        home = getattr(function, '__module__', None) or getattr(owner, '__name__', 'builtins')
        if _root(home) not in TRUSTED or home == 'builtins' and owner is builtins and function.__name__ not in SAFE:
            self.refuse(f'refers to `{self.name}`, a function of {home}: it may do something else at each call, and a '
                        'graph would not')
        self.check_name(function.__name__, home)
        self.tokens.append(function)

    def ufunc(self, function):
        """One of NumPy's own; those made of Python functions are known by nothing but a name."""
        if getattr(np, function.__name__, None) is not function:
            self.refuse(f'refers to `{self.name}`, a ufunc that is not NumPy\'s own')
        self.tokens.append(function)

    def same(self, value):
        self.tokens.append(value)

    def module(self, module):
        self.by_name = True
        self.tokens.append(module)
        home, known = module.__name__, vars(module)
        if home in STATEFUL or _root(home) in ('numpy', 'mxnet') and self.names & MODES:
            self.name = self.name if home in STATEFUL else min(self.names & MODES)
            self.refuse(f'refers to {home} and `{self.name}`: it may do something else at each call')
        own = is_own_module(module)
        for name in sorted(self.asked(known) if own else self.names):
            # What somebody may have put into a library is looked at, what is the library's own is not.
            there = name in known or '__getattr__' in known and hasattr(module, name)
            if there and (own or _may_be_put(known.get(name))):
                self.tokens.append(name)
                self.visit(getattr(module, name))

    def asked(self, known):
        """The attributes that the code may ask for, all of those `known` if it asks for names that it makes."""
        return {*self.names, *known} if self.names & BY_ANY_NAME else self.names

    def klass(self, klass):
        """A class, and of what is written in it, the methods of operators and what the code names."""
        self.by_name = True
        self.tokens.append(klass)
        self.check_name(klass.__name__, klass.__module__)
        for base in klass.__mro__:
            if is_librarys(base):
                continue
            if base.__flags__ & 1 << 9 == 0:  # not made by a class statement
                self.refuse(f'refers to `{self.name}`, a class of {base.__module__}: it may do something else at each '
                            'call, and a graph would not')
            own = dict(vars(base))
            asked = self.asked([name for name in own if not _is_dunder(name)])
            for name, value in own.items():
                if name in asked and not _is_slot(value) or _is_dunder(name) and isinstance(value, METHODS):
                    self.tokens.append(name)
                    self.visit(value)
        if type(klass) is not type:
            self.visit(type(klass))

    def wrapped(self, method):
        self.tokens.append(type(method))
        self.visit(method.__func__)

    def property(self, value):
        for function in (value.fget, value.fset, value.fdel):
            self.visit(function)

    def float(self, value):
        self.tokens += (float, float.__repr__(value))

    def sequence(self, values):
        self.tokens += (type(values), len(values))
        for value in values:
            self.visit(value)

    def mapping(self, values):
        self.tokens += (dict, len(values))
        # An OrderedDict has an order of its own, which dict.items does not know.
        for key, value in (OrderedDict if isinstance(values, OrderedDict) else dict).items(values):
            self.visit(key)
            self.visit(value)

    def unordered(self, values):
        """Of a set, the elements' contents in a fixed order."""
        if any(type(value) not in ATOMS for value in values):
            self.refuse(f'refers to `{self.name}`, a set of other things than numbers and texts')
        self.tokens += (set, *sorted(map(repr, values)))

    def array(self, array):
        if isinstance(array, NDArray):
            if array.grad is not None:
                self.visit(array.grad)
            array = array.asnumpy()
        self.bytes += array.nbytes
        if array.dtype.hasobject or self.bytes > 1000 * MOST:
            self.refuse(f'refers to `{self.name}`, an array that is too large to be compared at each call')
        self.tokens += (type(array), array.shape, str(array.dtype), array.tobytes())

    def object(self, value):
        """An object of a class of Python's: its class, what it holds as a number, list or dict, its attributes."""
        kind = type(value)
        if kind.__module__ == f'{__package__}.hybridization':
            self.refuse(f'refers to `{self.name}`, which is hybridized already; let it call the rule itself')
        base = next((b for b in BASES if isinstance(value, b)), object)
        slots = copyreg._slotnames(kind)
        if base is object and kind.__basicsize__ > _plain_size(kind, len(slots)) or kind is types.CoroutineType:
            self.refuse(f'refers to `{self.name}`, a {kind.__name__}: it may do something else at each call, and a '
                        'graph cannot follow its state')
        self.visit(kind)
        if isinstance(value, enum.Enum):
            self.tokens.append(value._name_)
            return self.visit(value._value_)
        if base is not object:
            self.base(base, value)
        if hasattr(value, 'default_factory') and isinstance(value, dict):
            self.visit(value.default_factory)
        attributes = {name: getattr(value, name) for name in slots if hasattr(value, name)}
        attributes.update(getattr(value, '__dict__', {}))
        self.mapping(attributes)

    def base(self, base, value):
        if base is dict:
            self.mapping(value)
        elif base in (set, frozenset):
            self.unordered(value)
        elif base in (list, tuple):
            self.sequence(base(base.__iter__(value)))
        else:
            self.tokens += (base, base.__repr__(value))


def _plain_size(kind, slots):
    """The size of an object with nothing inside but attributes; what is larger hides something."""
    pointers = slots + (kind.__dictoffset__ > 0) + (kind.__weakrefoffset__ > 0)
    return object.__basicsize__ + 8 * pointers


def is_librarys(klass):
    """Whether a class is a trusted library's own: not one that only says so, as a made dataclass does."""
    found = sys.modules.get(klass.__module__) if _root(klass.__module__) in TRUSTED else None
    for part in klass.__qualname__.split('.'):
        found = getattr(found, part, None)
    return found is klass


def _is_installed(code):
    """Whether code is Python's own or an installed package's."""
    return code.co_filename.startswith(INSTALLED)


INSTALLED = tuple({sysconfig.get_path(name) for name in ('stdlib', 'platstdlib', 'purelib', 'platlib')} | {'<frozen'})


def _imported(name):
    """A module that code imports: the first run of the code must not be what loads it."""
    if name not in sys.modules:
        try:
            importlib.import_module(name)
        except Exception:  # the code may have a way around that
            return None
    return sys.modules.get(name)


def _may_be_put(value):
    return type(value) in PLAIN or isinstance(value, types.FunctionType) and not is_trusted(value)


def _is_dunder(name):
    return name.startswith('__') and name.endswith('__')


def _is_slot(value):
    return isinstance(value, (types.MemberDescriptorType, types.GetSetDescriptorType))


METHODS = (types.FunctionType, staticmethod, classmethod, property)
C_FUNCTIONS = (types.BuiltinFunctionType, types.MethodWrapperType, types.WrapperDescriptorType,
               types.MethodDescriptorType, types.ClassMethodDescriptorType)
VISITS = {
    types.FunctionType: Walk.function, types.MethodType: Walk.method, types.ModuleType: Walk.module,
    functools.partial: Walk.partial, float: Walk.float, tuple: Walk.sequence, list: Walk.sequence, dict: Walk.mapping,
    set: Walk.unordered, frozenset: Walk.unordered, complex: lambda walk, value: walk.base(complex, value),
    staticmethod: Walk.wrapped, classmethod: Walk.wrapped, property: Walk.property,
    **{kind: Walk.builtin for kind in C_FUNCTIONS},
    np.ufunc: Walk.ufunc,
    **{kind: Walk.same for kind in (types.CodeType, range, mxnet.Context, type(namedtuple('Pair', 'x').x))},
}
VISITS.setdefault(type(np.clip), Walk.same)  # from NumPy 1.25 on a kind of its own
DERIVED = (
    (type, Walk.klass), (types.ModuleType, Walk.module), (NDArray, Walk.array), (np.ndarray, Walk.array),
    (np.generic, lambda walk, value: walk.array(np.asarray(value)) or walk.same(type(value))),
    (np.dtype, lambda walk, dtype: walk.same(str(dtype))),
)
