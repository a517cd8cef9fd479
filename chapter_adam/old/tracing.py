"""The tape: what one run of a trainer function on stand-ins has written down, as symbols and expressions."""
import threading
from numbers import Number

import numpy as np

from ..core.compat import mxnet
from .expressions import Program
from .stand_ins import NOT_AN_ARGUMENT, STAND_INS, ArrayStandIn, NumberStandIn, UntraceableError, is_array, per_run

nd, sym = mxnet.nd, mxnet.sym


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

    def constant(self, array):
        """A stand-in for an array that the rule makes of one number, such as nd.zeros(1); None for any other."""
        numbers = np.unique(array.asnumpy())
        if array.dtype is not np.float32 or len(numbers) != 1:
            return None
        return ArrayStandIn(sym.full(array.shape, float(numbers[0])), array.shape, self)

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
        if is_array(left) or is_array(right):
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
            if type(value) is NumberStandIn or type(value) is not ArrayStandIn and is_array(value):
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


def _symbol_of(value):
    return value.symbol if type(value) is ArrayStandIn else value


# On equal shapes the plain operators do what the broadcasting ones do, and start sooner.
ELEMENTWISE = {'add': 'elemwise_add', 'sub': 'elemwise_sub', 'mul': 'elemwise_mul', 'div': 'elemwise_div'}

# Operators with two operands, by the graph's names.
BINARY = ('add', 'sub', 'mul', 'div', 'mod', 'power', 'maximum', 'minimum',
          'greater', 'greater_equal', 'lesser', 'lesser_equal', 'equal', 'not_equal')

# nd's functions with two operands, under the names of the operators.
NAMED_BINARY = {
    'subtract': 'sub', 'multiply': 'mul', 'divide': 'div', 'true_divide': 'div', 'modulo': 'mod',
    **{name: name for name in BINARY if name not in ('sub', 'mul', 'div', 'mod')},
    **{f'broadcast_{name}': name for name in BINARY},
}

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
