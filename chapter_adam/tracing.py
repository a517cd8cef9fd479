"""Stand-ins for NDArrays and numbers: they compute nothing, and write down what is done to them.

An `ArrayStandIn` holds the symbol of an NDArray's value so far; a `NumberStandIn` holds the Python expression of a
number that comes from hyperparameters. `Namespace` stands for `nd` and `math`. All write on one `Tape`.
"""
import functools
import math
import operator
import sys
import threading
import types
from numbers import Number

import numpy as np

from .compat import mxnet
from .expressions import Program

nd, sym = mxnet.nd, mxnet.sym


class UntraceableError(TypeError):
    """A trainer function does what a graph cannot; `hybridize=False` runs it.

    >>> from chapter_adam import hybridize
    >>> def careful(params, states, hyperparams):
    ...     if params[0].sum().asscalar() > 1:
    ...         params[0][:] = 0
    >>> hybridize(careful)([nd.ones(2)], None, {})  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    chapter_adam.tracing.UntraceableError: ...
    """
    latest = threading.local()  # so that a rule's own `except` does not hide it from us

    def __init__(self, message):
        super().__init__(message)
        self.latest.error = self


NOT_AN_ARGUMENT = ('computes with an array that is neither parameter, gradient nor state (nd.zeros_like(p) is fine '
                   'where nd.zeros(p.shape) is not)')


def per_run(value):
    """Whether a hyperparameter has a value for each run of an ensemble."""
    return isinstance(value, np.ndarray) and value.ndim == 3 and value.shape[1:] == (1, 1)


class NumberStandIn:
    """Stands for a number computed from hyperparameters: what it is now, and the program that computes it.

    Attributes:
        source: its name in the tape's `program`.
        value: the number that it is in this step.
        tape: the `Tape` that it is recorded on.
    """
    __array_priority__ = 1000

    def __init__(self, source, value, tape):
        self.source, self.value, self.tape = source, value, tape

    @property
    def __class__(self):
        # What `isinstance` asks; the graph is then good for as long as the type is the same.
        if per_run(self.value):
            raise UntraceableError('asks for the type of a hyperparameter that differs from run to run')
        kind = type(self.value)
        self.tape.guards[self.source, f'type({self.source}) is {self.tape.program.constant(kind)}'] = None
        return kind

    def __bool__(self):
        # A branch on a hyperparameter is followed; the graph is then good for as long as the answer is the same.
        if per_run(self.value):
            raise UntraceableError('branches on a hyperparameter that differs from run to run')
        answer = bool(self.value)
        self.tape.guards[self.source, self.source if answer else f'not {self.source}'] = None
        return answer

    def __array_ufunc__(self, ufunc, method, *inputs, **options):
        if method != '__call__' or options or getattr(np, ufunc.__name__, None) is not ufunc:
            raise UntraceableError(f'calls np.{ufunc.__name__} with a hyperparameter and options')
        return self.tape.scalar(f'np.{ufunc.__name__}', ufunc, *inputs)

    def __deepcopy__(self, _memo):
        return self

    __copy__ = __pos__ = lambda self: self

    def plain(self):
        """The number itself, for a text, a key, an index or `float`; the graph is then good for as long as it stays."""
        if per_run(self.value):
            raise UntraceableError('turns a hyperparameter that differs from run to run into a plain number')
        self.tape.guards[self.source, f'repr({self.source}) == {repr(self.value)!r}'] = None
        self.tape.made_plain = place_of(sys._getframe(2))
        return self.value

    __float__ = lambda self: float(self.plain())
    __int__ = lambda self: int(self.plain())
    __index__ = lambda self: operator.index(self.plain())
    __complex__ = lambda self: complex(self.plain())
    __str__ = lambda self: str(self.plain())
    __repr__ = lambda self: repr(self.plain())
    __format__ = lambda self, text: format(self.plain(), text)
    __hash__ = lambda self: hash(self.plain())

    def __round__(self, digits=None):
        return self.tape.scalar('round', round, self, digits)

    def __getattr__(self, name):
        if name in NUMPY_ASKS or name.startswith('__') and not hasattr(self.value, name) and self.__class__:
            raise AttributeError(name)
        raise UntraceableError(f'calls or reads .{name} of a hyperparameter')


# What NumPy looks for in any object, and does without.
NUMPY_ASKS = ('__array__', '__array_interface__', '__array_struct__', '__array_prepare__', '__array_wrap__',
              '__array_finalize__', '__array_function__')


class ArrayStandIn:
    """Stands for an NDArray: the symbol of its value so far, which an assignment in place replaces."""
    __array_ufunc__ = None
    __class__ = property(lambda self: nd.NDArray)  # what `isinstance` asks

    def __init__(self, symbol, shape, tape, grad=None):
        self.symbol, self.shape, self.tape, self._grad = symbol, shape, tape, grad

    @property
    def grad(self):
        if self._grad is UNKNOWN:
            raise UntraceableError('asks for the gradient of a state')
        return self._grad

    @grad.setter
    def grad(self, value):
        self._grad = value

    size = property(lambda self: math.prod(self.shape))
    ndim = property(lambda self: len(self.shape))
    dtype = np.float32
    stype = 'default'
    context = ctx = mxnet.cpu(0)  # others are refused

    def __len__(self):
        return self.shape[0]

    def __getitem__(self, key):
        if _is_whole(key):
            return self  # for an NDArray `p[:]` is `p` itself, seen again
        raise UntraceableError(f'reads a part of an array, [{key!r}]')

    def __setitem__(self, key, value):
        if not _is_whole(key):
            raise UntraceableError(f'writes to a part of an array, [{key!r}]')
        self.assign(value)

    def assign(self, value):
        """`self[:] = value`, broadcast to the shape that this array has."""
        if value is self:
            return
        value = value if type(value) is ArrayStandIn else self.zeros_like() + value
        if value.shape != self.shape:
            if np.broadcast_shapes(value.shape, self.shape) != self.shape:
                raise UntraceableError(f'assigns shape {value.shape} to an array of shape {self.shape}')
            if missing := len(self.shape) - len(value.shape):
                value = self.tape.operator('reshape', value, shape=(1,) * missing + value.shape)
            value = value.broadcast_to(shape=self.shape)
        self.symbol = value.symbol

    def clip(self, a_min, a_max):
        """As NDArray's, for bounds that are hyperparameters too: first a_min, then a_max, and a nan bounds nothing."""
        if not any(type(bound) is NumberStandIn for bound in (a_min, a_max)):
            return self.tape.operator('clip', self, a_min=float(a_min), a_max=float(a_max))
        result = self
        for sign, bound in (('lesser', a_min), ('greater', a_max)):
            beyond, full = self.tape.binary(sign, self, bound), self.tape.binary('mul', self.ones_like(), bound)
            result = self.tape.operator('where', beyond, full, result)
        return result

    def copyto(self, other):
        if type(other) is not ArrayStandIn:
            raise UntraceableError('copies to something that is not an array of the rule')
        other.assign(self)
        return other

    def as_in_context(self, _context):
        return self

    def wait_to_read(self):
        return None

    @property
    def T(self):
        return self.transpose()

    def copy(self):
        return ArrayStandIn(self.symbol, self.shape, self.tape)

    def astype(self, dtype, copy=True):
        if np.dtype(dtype) != np.float32:
            raise UntraceableError(f'makes an array one of {np.dtype(dtype)}; a graph computes in float32')
        return self.copy() if copy else self

    __copy__ = copy

    def __deepcopy__(self, _memo):
        return self.copy()

    def detach(self):
        return self  # which shares the memory

    def __getattr__(self, name):
        if name in METHODS:
            return lambda *args, **kwargs: self.tape.operator(name, self, *args, **kwargs)
        if name in NUMPY_ASKS:
            raise AttributeError(name)
        if name == 'handle':  # MXNet asks for it when an NDArray is to be combined with this stand-in
            raise UntraceableError(NOT_AN_ARGUMENT)
        if not hasattr(nd.NDArray, name):
            raise AttributeError(f'NDArray has no attribute {name!r}')
        hint = f' (nd.{name}(p, ...) is fine)' if name in ('reshape', 'slice_axis', 'topk', 'sort') else ''
        raise UntraceableError(f'calls or reads .{name} of an array{hint}')

    def _refuse(self, *_, **__):
        raise UntraceableError("asks for an array's value (a branch, a comparison, a conversion or a print)")

    __bool__ = __float__ = __int__ = __index__ = __array__ = __iter__ = __str__ = __format__ = __contains__ = _refuse
    __hash__ = __repr__ = __delitem__ = __complex__ = __round__ = _refuse


UNKNOWN = object()  # in the place of a gradient


def _is_whole(key):
    return key is Ellipsis or (isinstance(key, slice) and key == slice(None))


# NDArray's elementwise methods and reductions; Symbol has them under the same names. Not `reshape`, which is a view:
# what is written to the array later shows through it.
METHODS = frozenset('''
    abs sign round rint fix floor ceil trunc square sqrt rsqrt cbrt rcbrt exp expm1 log log10 log2 log1p
    sin cos tan arcsin arccos arctan degrees radians sinh cosh tanh arcsinh arccosh arctanh sigmoid relu reciprocal
    sum nansum prod nanprod mean max min norm zeros_like ones_like broadcast_to broadcast_like flatten transpose
    expand_dims softmax log_softmax'''.split())

# Operators with two operands, by the graph's names and by Python's.
BINARY = ('add', 'sub', 'mul', 'div', 'mod', 'power', 'maximum', 'minimum',
          'greater', 'greater_equal', 'lesser', 'lesser_equal', 'equal', 'not_equal')
DUNDER = {'add': 'add', 'sub': 'sub', 'mul': 'mul', 'truediv': 'div', 'mod': 'mod', 'pow': 'power'}
COMPARISON = {'gt': 'greater', 'ge': 'greater_equal', 'lt': 'lesser', 'le': 'lesser_equal', 'eq': 'equal',
              'ne': 'not_equal'}
SIGN = {'add': '+', 'sub': '-', 'mul': '*', 'truediv': '/', 'mod': '%', 'pow': '**', 'floordiv': '//',
        'and': '&', 'or': '|', 'xor': '^', 'lshift': '<<', 'rshift': '>>',
        'gt': '>', 'ge': '>=', 'lt': '<', 'le': '<=', 'eq': '==', 'ne': '!='}
REFUSED_OF_ARRAYS = ('divmod', 'and', 'or', 'xor', 'lshift', 'rshift', 'matmul', 'floordiv')
REFUSED_OF_NUMBERS = ('divmod', 'matmul')
# What MXNet calls an operator with one array and one number, the number on the right and on the left.
WITH_NUMBER = {
    'add': ('_plus_scalar', '_plus_scalar'), 'sub': ('_minus_scalar', '_rminus_scalar'),
    'mul': ('_mul_scalar', '_mul_scalar'), 'div': ('_div_scalar', '_rdiv_scalar'),
    'mod': ('_mod_scalar', '_rmod_scalar'), 'power': ('_power_scalar', '_rpower_scalar'),
    'maximum': ('_maximum_scalar', '_maximum_scalar'), 'minimum': ('_minimum_scalar', '_minimum_scalar'),
    'greater': ('_greater_scalar', '_lesser_scalar'), 'lesser': ('_lesser_scalar', '_greater_scalar'),
    'greater_equal': ('_greater_equal_scalar', '_lesser_equal_scalar'),
    'lesser_equal': ('_lesser_equal_scalar', '_greater_equal_scalar'),
    'equal': ('_equal_scalar', '_equal_scalar'), 'not_equal': ('_not_equal_scalar', '_not_equal_scalar'),
}


def _give_operators():
    """Gives both stand-ins Python's operators."""
    for dunder, name in {**DUNDER, **COMPARISON}.items():
        setattr(ArrayStandIn, f'__{dunder}__', lambda a, b, name=name: a.tape.binary(name, a, b))
    for dunder, name in DUNDER.items():
        setattr(ArrayStandIn, f'__r{dunder}__', lambda a, b, name=name: a.tape.binary(name, b, a))
        setattr(ArrayStandIn, f'__i{dunder}__', lambda a, b, name=name: a.assign(a.tape.binary(name, a, b)) or a)
    ArrayStandIn.__neg__ = lambda a: a.tape.operator('negative', a)
    ArrayStandIn.__abs__ = lambda a: a.tape.operator('abs', a)
    for dunder, sign in SIGN.items():
        function = getattr(operator, f'__{dunder}__')
        setattr(NumberStandIn, f'__{dunder}__', lambda a, b, sign=sign, f=function: a.tape.infix(a, sign, f, b))
        if dunder not in COMPARISON:
            setattr(NumberStandIn, f'__r{dunder}__', lambda a, b, sign=sign, f=function: a.tape.infix(b, sign, f, a))
    NumberStandIn.__neg__ = lambda a: a.tape.number('(-{})', operator.neg, a)
    NumberStandIn.__abs__ = lambda a: a.tape.scalar('abs', abs, a)


def _refuse_operators():
    """What neither stand-in can do is refused, so that a rule's own `except TypeError` does not take another way."""
    for kind, dunders in ((ArrayStandIn, REFUSED_OF_ARRAYS), (NumberStandIn, REFUSED_OF_NUMBERS)):
        for dunder in dunders:
            def refuse(a, *_, dunder=dunder):
                raise UntraceableError(f'computes {dunder} of an array or a hyperparameter')
            for form in ('__{}__', '__r{}__', '__i{}__'):
                setattr(kind, form.format(dunder), refuse)
        kind.__invert__ = refuse


_refuse_operators()
_give_operators()


class Tape:
    """What one run of a trainer function on stand-ins has written down.

    Attributes:
        program: the numbers' definitions.
        shapes: name -> shape, of the variables that stand for arrays.
        inputs: name -> symbol, for each number that enters the graph.
        guards: (name, test), for each branch on a hyperparameter that was taken and each type that was asked for.
        stand_ins: id -> (stand-in, value), of what is global.
        tests_identity: whether the code has an `is True` or `is False`, or a `match`, which is made of these.
        made_plain: (file, line) where a hyperparameter was last turned into a plain number, or None.
        thread: the one that it belongs to.
    """

    def __init__(self, tests_identity=False):
        self.program, self.shapes, self.inputs, self.guards, self.stand_ins = Program(), {}, {}, {}, {}
        self.tests_identity = tests_identity
        self.thread, self.made_plain = threading.get_ident(), None

    def variable(self, name, shape, grad=None):
        self.shapes[name] = shape
        return ArrayStandIn(sym.var(name), shape, self, grad)

    def hyperparameter(self, key, value):
        name = self.program.define('h[{}]', repr(key) if type(key) is str else self.program.constant(key))
        return NumberStandIn(name, value, self)

    def number(self, template, function, *arguments):
        """What a function makes of numbers: now, and as an expression."""
        sources = [self.source(argument) for argument in arguments]
        try:
            value = function(*(a.value if type(a) is NumberStandIn else a for a in arguments))
        except Exception as error:
            raise UntraceableError(f'computes a number that raises {type(error).__name__}: {error}') from error
        if value is NotImplemented:
            return NotImplemented
        if not isinstance(value, (Number, np.generic)) and not per_run(value):
            raise UntraceableError(f'computes a {type(value).__name__} from a hyperparameter, not a number')
        if per_run(value) and value.dtype == bool:
            if self.tests_identity:
                raise UntraceableError('tests whether a comparison that differs from run to run is True or False')
            template, value = f'({template} * 1)', value * 1  # for Python True + True is 2, for NumPy True
        made = NumberStandIn(self.program.define(template, *sources), value, self)
        if isinstance(value, (bool, np.bool_)):
            bool(made)
            return value  # itself: `is True`, and with it `match`, asks a stand-in nothing
        return made

    def scalar(self, name, function, *arguments):
        return self.number(f'{name}({", ".join("{}" for _ in arguments)})', function, *arguments)

    def infix(self, left, sign, function, right):
        if _is_array(left) or _is_array(right):
            return NotImplemented
        return self.number(f'({{}} {sign} {{}})', function, left, right)

    def source(self, value):
        """A number, or a stand-in for one, as an expression."""
        if type(value) is NumberStandIn:
            return value.source
        if isinstance(value, (Number, str, type(None))):
            return self.program.constant(value)
        raise UntraceableError(f'computes with a hyperparameter and a {type(value).__name__}')

    def input(self, scalar):
        """The graph's input for a number: of one element, given anew at each call."""
        if scalar.source not in self.inputs:
            self.inputs[scalar.source] = sym.var(f'number{len(self.inputs)}')
        return self.inputs[scalar.source]

    def binary(self, name, left, right):
        """`left` and `right` are arrays, numbers or stand-ins for either, at least one of them an array."""
        for operand in (left, right):
            if type(operand) in STAND_INS:
                continue
            if isinstance(operand, nd.NDArray):
                raise UntraceableError(NOT_AN_ARGUMENT)
            if not isinstance(operand, (Number, np.generic)):
                raise UntraceableError(f'computes with an array and a {type(operand).__name__}')
        if ArrayStandIn not in (type(left), type(right)):
            raise UntraceableError(f'calls nd.{name} on numbers alone; Python can do that')
        if type(left) is type(right) is ArrayStandIn:
            same = left.shape == right.shape and name in ELEMENTWISE
            function = getattr(sym, ELEMENTWISE[name]) if same else getattr(sym, f'broadcast_{name}')
            return self._result(function(left.symbol, right.symbol), np.broadcast_shapes(left.shape, right.shape))
        array, number, reverse = (left, right, 0) if type(left) is ArrayStandIn else (right, left, 1)
        if type(number) is NumberStandIn:
            operands = [array.symbol, self.input(number)]
            function = getattr(sym, f'broadcast_{name}')
            return self._result(function(*(operands[::-1] if reverse else operands)), array.shape)
        function = getattr(sym._internal, WITH_NUMBER[name][reverse])
        return self._result(function(array.symbol, scalar=float(number)), array.shape)

    def function(self, name, *args, out=None, **kwargs):
        """A call of nd.name: an operator of two operands, `clip`, or any other."""
        if name in NAMED_BINARY and len(args) == 2 and not kwargs:
            result = self.binary(NAMED_BINARY[name], *args)
        elif name == 'clip':
            result = _clip(*args, **kwargs)
        else:
            result = self.operator(name, *args, **kwargs)
        if out is None:
            return result
        out.assign(result)
        return out

    def operator(self, name, *args, **kwargs):
        """An operator by its name in `nd`, which is its name in `sym`."""
        function = getattr(sym, name, None)
        if function is None or is_random(name) or writes_to_its_inputs(name):
            raise UntraceableError(f'calls nd.{name}, which has no form as a graph')
        for value in (*args, *kwargs.values()):
            if type(value) is NumberStandIn or type(value) is not ArrayStandIn and _is_array(value):
                raise UntraceableError(f'passes a hyperparameter or an array of its own to nd.{name}')
        symbol = function(*map(_symbol_of, args), **{key: _symbol_of(v) for key, v in kwargs.items()})
        results = [self._result(each, shape) for each, shape in zip(symbol, self.shapes_of(symbol))]
        return results if len(results) > 1 else results[0]

    def _result(self, symbol, shape):
        return ArrayStandIn(symbol, shape, self)

    def shapes_of(self, symbol):
        """The shapes of a symbol's outputs."""
        shapes = {**self.shapes, **{entry.name: (1,) for entry in self.inputs.values()}}
        needed = {name: shapes[name] for name in symbol.list_arguments()}
        return symbol.infer_shape(**needed)[1]


def _clip(data, a_min, a_max):
    if type(data) is not ArrayStandIn:
        raise UntraceableError('clips a number with nd.clip')
    return data.clip(a_min, a_max)


def is_random(name):
    """Whether a function of `nd` draws at random, or does during training."""
    return name in RANDOM or name.lstrip('_').startswith(('random', 'sample', 'shuffle'))


def writes_to_its_inputs(name):
    """Whether a function of `nd` changes what it is given, as the optimisers' kernels do."""
    return '_update' in name or name == 'reset_arrays'


RANDOM = frozenset('''Dropout RNN shuffle uniform normal exponential poisson negative_binomial multinomial randn
    generalized_negative_binomial randint BatchNorm'''.split())


def _is_array(value):
    """Whether it is an NDArray or stands for one, without asking a number for its type."""
    return type(value) is not NumberStandIn and isinstance(value, nd.NDArray)


def _symbol_of(value):
    return value.symbol if type(value) is ArrayStandIn else value


# On equal shapes the plain operators do what the broadcasting ones do, and start sooner.
ELEMENTWISE = {'add': 'elemwise_add', 'sub': 'elemwise_sub', 'mul': 'elemwise_mul', 'div': 'elemwise_div'}


# nd's functions with two operands, under the names of the operators.
NAMED_BINARY = {
    'subtract': 'sub', 'multiply': 'mul', 'divide': 'div', 'true_divide': 'div', 'modulo': 'mod',
    **{name: name for name in BINARY if name not in ('sub', 'mul', 'div', 'mod')},
    **{f'broadcast_{name}': name for name in BINARY},
}
STAND_INS = (ArrayStandIn, NumberStandIn)


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
        return (tape.function(name, *args, **kwargs) if _any_stand_in((*args, *kwargs.values()))
                else function(*args, **kwargs))
    return call


def place_of(frame):
    """The file and line where a frame is."""
    return frame.f_code.co_filename, frame.f_lineno


def type_of(value, *more):
    """`type` for a traced function: for a stand-in, the type of what it stands for."""
    return value.__class__ if not more and type(value) in STAND_INS else type(value, *more)


def _any_stand_in(values):
    return any(type(value) in STAND_INS for value in values)
