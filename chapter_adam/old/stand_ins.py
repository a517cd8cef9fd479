"""Stand-ins for NDArrays and numbers: they compute nothing, and write down what is done to them.

An `ArrayStandIn` holds the symbol of an NDArray's value so far; a `NumberStandIn` holds the Python expression of a
number that comes from hyperparameters. Both write on a `Tape` (room `tracing`).
"""
import math
import operator
import sys
import threading

import numpy as np

from ..core.compat import mxnet

nd = mxnet.nd


class UntraceableError(TypeError):
    """A trainer function does what a graph cannot; `hybridize=False` runs it.

    >>> from chapter_adam import hybridize
    >>> def careful(params, states, hyperparams):
    ...     if params[0].sum().asscalar() > 1:
    ...         params[0][:] = 0
    >>> hybridize(careful)([nd.ones(2)], None, {})  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    chapter_adam.stand_ins.UntraceableError: ...
    """
    latest = threading.local()  # so that a rule's own `except` does not hide it from us

    def __init__(self, message):
        super().__init__(message)
        self.latest.error = self


NOT_AN_ARGUMENT = ('computes with an array that is neither parameter, gradient nor state, nor made of one number in '
                   'the rule, as nd.zeros(1) is')


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

    def plain(self, template, *given):
        """The number, or what is made of it, as it is now; the graph is then good for as long as that stays."""
        if per_run(self.value):
            raise UntraceableError('turns a hyperparameter that differs from run to run into a plain number')
        made = eval(template.format('value', *map(repr, given)), {'value': self.value})
        test = f'repr({template.format(self.source, *map(repr, given))}) == {repr(made)!r}'
        self.tape.guards[self.source, test] = None
        self.tape.made_plain = place_of(sys._getframe(2))
        return made

    __float__ = lambda self: float(self.plain('{}'))
    __int__ = lambda self: self.plain('int({})')
    __index__ = lambda self: operator.index(self.plain('{}'))
    __complex__ = lambda self: complex(self.plain('{}'))
    __str__ = lambda self: self.plain('str({})')
    __repr__ = lambda self: self.plain('repr({})')
    __format__ = lambda self, text: self.plain('format({}, {})', text)
    __hash__ = lambda self: hash(self.plain('{}'))

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

# Python's operators, and what the graph calls them.
DUNDER = {'add': 'add', 'sub': 'sub', 'mul': 'mul', 'truediv': 'div', 'mod': 'mod', 'pow': 'power'}
COMPARISON = {'gt': 'greater', 'ge': 'greater_equal', 'lt': 'lesser', 'le': 'lesser_equal', 'eq': 'equal',
              'ne': 'not_equal'}
SIGN = {'add': '+', 'sub': '-', 'mul': '*', 'truediv': '/', 'mod': '%', 'pow': '**', 'floordiv': '//',
        'and': '&', 'or': '|', 'xor': '^', 'lshift': '<<', 'rshift': '>>',
        'gt': '>', 'ge': '>=', 'lt': '<', 'le': '<=', 'eq': '==', 'ne': '!='}
REFUSED_OF_ARRAYS = ('divmod', 'and', 'or', 'xor', 'lshift', 'rshift', 'matmul', 'floordiv')
REFUSED_OF_NUMBERS = ('divmod', 'matmul')


def _give_operators():
    """Gives both stand-ins Python's operators."""
    for dunder, name in {**DUNDER, **COMPARISON}.items():
        setattr(ArrayStandIn, f'__{dunder}__', lambda a, b, name=name: a.tape.binary(name, a, b))
    for dunder, name in DUNDER.items():
        setattr(ArrayStandIn, f'__r{dunder}__', lambda a, b, name=name: a.tape.binary(name, b, a))
        if hasattr(nd.NDArray, f'__i{dunder}__'):  # there is none for **
            setattr(ArrayStandIn, f'__i{dunder}__', lambda a, b, name=name: a.assign(a.tape.binary(name, a, b)) or a)
    ArrayStandIn.__neg__ = lambda a: a.tape.operator('negative', a)
    ArrayStandIn.__abs__ = lambda a: a.tape.operator('abs', a)
    for dunder, sign in SIGN.items():
        function = getattr(operator, f'__{dunder}__')
        setattr(NumberStandIn, f'__{dunder}__', lambda a, b, *, sign=sign, f=function: a.tape.infix(a, sign, f, b))
        if dunder not in COMPARISON:
            setattr(NumberStandIn, f'__r{dunder}__', lambda a, b, *, sign=sign, f=function: a.tape.infix(b, sign, f, a))
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
STAND_INS = (ArrayStandIn, NumberStandIn)


def is_array(value):
    """Whether it is an NDArray or stands for one, without asking a number for its type."""
    return type(value) is not NumberStandIn and isinstance(value, nd.NDArray)


def place_of(frame):
    """The file and line where a frame is."""
    return frame.f_code.co_filename, frame.f_lineno
