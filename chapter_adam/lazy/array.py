"""Lazy NDArrays: while a record is open, operators on them are written down and not run.

A lazy array is an NDArray like any other, `type(p) is NDArray`, but it has no handle, and its attribute `writable`
holds a `Lazy`: MXNet asks only whether that is true, or hands it on once it has the handle. Whatever MXNet does with an
array asks for the handle first; there the laziness ends. Only the methods below know lazy arrays, and `invoke`, through
which all generated functions go. While a block of `lazy` runs they replace MXNet's own, and leave it plain arrays.
"""
import numpy as np

from ..compat import mxnet
from ..interrupts import whole
from .memory import overlaps, span
from .node import Lazy
from .operators import NAME_OF, TWINS, Operator
from .record import RECORDER as recorder

base, NDArray, register = mxnet.base, mxnet.nd.NDArray, mxnet.ndarray.register
ALL = slice(None)
PATCHES = {}  # by name, our functions in place of MXNet's; MXNETS, below, has MXNet's own


def patch(name):
    """Puts a function into PATCHES."""
    def put(function):
        PATCHES[name] = function
        return function
    return put


def is_lazy(array):
    return type(array) is NDArray and type(array.writable) is Lazy


def operand(array):
    """Enters an operand into the record, a plain array as a copy; returns its position, or None if laziness ends."""
    if is_lazy(array):
        return array.writable.at
    if recorder.is_open and array.stype != 'default':
        recorder.end_laziness('an array is sparse')
    copy = array.copy()  # which ends the laziness if the array lies in a root's memory
    if not recorder.is_open:
        return None
    return recorder.enter(copy.reshape(for_runs(array.shape)) if recorder.runs else copy, (array.shape, array.dtype))


def for_runs(shape):
    """How the array of one run lies among those of many: (5, 1) as (1, 5, 1), and (1,) as (1, 1, 1)."""
    return (1, *shape) if len(shape) > 1 else (1, *shape, 1)


def lies_in_a_root(array):
    """Whether a plain array lies in the memory of a root, which may be out of date."""
    spans = [root.writable.span for root in recorder.roots]
    return recorder.aside(lambda: array.stype == 'default' and overlaps(span(array), spans))


def arithmetic(code, method, name):
    """A method such as __mul__. What no record has done yet goes to MXNet's method, and so to `invoke`."""
    # A position is below 2^20, so no two keys are the same.
    with_number, number_code, array_code = Operator(name), code << 20, (code + 1) << 40

    @patch(method)
    def patched(self, other):
        me, key = self.writable, None
        if type(me) is Lazy:
            is_number = type(other) is float or isinstance(other, base.numeric_types)
            if is_number:
                key = number_code + me.at
            elif type(other) is NDArray and type(other.writable) is Lazy:
                key = array_code + (me.at << 20) + other.writable.at
            elif recorder.runs and isinstance(other, np.ndarray):
                return recorder.follow((code, me.at), with_number, (me.at,), other)
            node = recorder.node.get(key)
            if node is not None:
                if is_number:
                    recorder.numbers.append(float(other))
                recorder.node = node
                return node.result
        return shortcut(key, recorder.node, MXNETS[method](self, other))


def unary(code, method):
    """A method such as sqrt."""
    @patch(method)
    def patched(self, *args, **kwargs):
        me, key = self.writable, None
        if type(me) is Lazy and not args and not kwargs:
            key = (code << 20) + me.at
            node = recorder.node.get(key)
            if node is not None:
                recorder.node = node
                return node.result
        return shortcut(key, recorder.node, MXNETS[method](self, *args, **kwargs))


def shortcut(key, before, result):
    """Notes under a key the node that has been added after another, so that next time it is found at once."""
    if key is not None and recorder.node.before is before and recorder.node.result is result:
        before[key] = recorder.node
    return result


for code, (method, name) in enumerate(dict(
        add='_plus', radd='_plus', sub='_minus', rsub='_rminus', mul='_mul', rmul='_mul', truediv='_div',
        rtruediv='_rdiv', pow='_power', rpow='_rpower').items()):
    arithmetic(code, f'__{method}__', f'{name}_scalar')
for code, name in enumerate(('square', 'sqrt', 'sign', 'abs'), 20):
    unary(code, name)


@patch('copy')
def copy(self):
    return mxnet.nd.identity(self) if is_lazy(self) else MXNETS['copy'](self)


@patch('_imperative_invoke')
def invoke(handle, arrays, keys, values, out, is_np, is_list):
    """In place of MXNet's `_imperative_invoke`: writes an operator down if any of its arrays is lazy."""
    if not any(map(is_lazy, arrays)) and not is_lazy(out):
        return MXNETS['_imperative_invoke'](handle, arrays, keys, values, out, is_np, is_list)
    name = NAME_OF.get(handle)
    is_known = name and 'raise' not in values and (name not in TWINS or list(keys) == ['scalar'])
    if not is_known or isinstance(out, (list, tuple)):
        recorder.end_laziness('this operator is not one that a graph can hold')
    sources = recorder.is_open and tuple([operand(array) for array in arrays])
    if not recorder.is_open:  # laziness has ended: all arrays are plain
        return MXNETS['_imperative_invoke'](handle, arrays, keys, values, out, is_np, is_list)
    number = float(values[0]) if name in TWINS else None
    operator = Operator(name, () if name in TWINS else tuple(zip(keys, map(str, values))))
    result = recorder.follow((operator, sources), operator, sources, number)
    if out is None:
        return result
    if (out.shape, out.dtype) != result.writable.kind:  # an error of MXNet's
        recorder.end_laziness('out= is of another shape or type')
        return MXNETS['_imperative_invoke'](handle, arrays, keys, values, out, is_np, is_list)
    out[:] = result
    return out


@patch('set_recording')
def set_recording(is_recording):
    """In place of autograd's: what it records has to be done at once."""
    if is_recording and recorder.is_mine():
        recorder.end_laziness('autograd records')
    return MXNETS['set_recording'](is_recording)


@patch('__setitem__')
def set_item(self, key, value):
    me, is_whole = self.writable, type(key) is slice and key == ALL
    if is_whole and type(me) is Lazy:
        him = value.writable if type(value) is NDArray else None
        if me.home is None:
            recorder.written.append(me)
        if type(him) is Lazy and him.kind == me.kind:
            me.at = him.at
            return
        if type(value) is not NDArray:
            value, given = mxnet.nd.empty(self.shape, dtype=self.dtype), value
            MXNETS['__setitem__'](value, ALL, given)
        store(self, value)
    elif is_lazy(value) and is_whole and can_join(self, value):
        recorder.add_root(self, self.shape)
        store(self, value)
    else:
        if recorder.runs and is_lazy(value) and type(me) is not Lazy:
            recorder.end_laziness('an array is written to that is not among the states')
        MXNETS['__setitem__'](self, key, value_of(value) if is_lazy(value) else value)


def store(array, value):
    """array[:] = value, for a lazy array."""
    value = value if value.shape == array.shape else value.broadcast_to(array.shape)
    if recorder.runs and not is_lazy(value):
        value = array.zeros_like() + value  # as many times as there are runs
    at = operand(value if value.dtype == array.dtype else value.astype(array.dtype))
    if at is None:
        MXNETS['__setitem__'](array, ALL, value)
    else:
        array.writable.at = at


def can_be_lazy(array):
    """Whether a plain array, with its gradient, may become lazy."""
    grad = array.grad
    return (array.writable and array.stype == 'default' and array.size and array.context == mxnet.cpu()
            and (grad is None or (grad.stype, grad.shape) == ('default', array.shape)))


def can_join(array, value):
    """Whether a plain array that is given a lazy value can go on as a lazy one, a root."""
    # The memory comes first: to ask a view of a root for anything would end the laziness of `value` too.
    return (type(array) is NDArray and not recorder.runs and not lies_in_a_root(array) and can_be_lazy(array)
            and array.grad is None and (array.shape, array.dtype) == value.writable.kind)


def value_of(array):
    """A lazy array's value, as a plain array; the laziness goes on."""
    if recorder.runs:
        recorder.end_laziness('the value of an array is asked for')
    return recorder.value(array.writable.at)


@patch('__getitem__')
def get_item(self, key):
    return self if type(key) is slice and key == ALL and is_lazy(self) else MXNETS['__getitem__'](self, key)


@patch('copyto')
def copyto(self, other):
    if (type(other) is NDArray and other is not self and (is_lazy(self) or is_lazy(other))
            and (self.shape, self.dtype) == (other.shape, other.dtype)):
        other[:] = self
        return other
    return MXNETS['copyto'](value_of(self) if is_lazy(self) else self, other)


@patch('asnumpy')
def asnumpy(self):
    return MXNETS['asnumpy'](value_of(self) if is_lazy(self) else self)


@patch('__del__')
@whole  # in a destructor an interrupt would be lost
def delete(self):
    if type(self.writable) is not Lazy:
        base.check_call(base._LIB.MXNDArrayFree(HANDLE.__get__(self)))


def get_handle(self):
    """The one thing that all of MXNet asks an array for."""
    if type(self.writable) is Lazy:
        if recorder.is_open:
            recorder.end_laziness('the memory of an array is asked for')
    elif recorder.is_mine() and lies_in_a_root(self):
        recorder.end_laziness('memory of a parameter or state is used in another way')
    return HANDLE.__get__(self)


HANDLE = NDArray.handle  # the slot
PATCHES['handle'] = property(get_handle, HANDLE.__set__, HANDLE.__delete__)


def attribute(name, of_lazy):
    PATCHES[name] = property(lambda self: of_lazy(self.writable) if type(self.writable) is Lazy
                             else MXNETS[name].__get__(self))


PATCHES['__array_ufunc__'] = None  # NumPy's functions refuse at once, and NumPy's numbers leave operators to NDArray
attribute('grad', lambda lazy: lazy.grad)
attribute('shape', lambda lazy: lazy.kind[0])
attribute('dtype', lambda lazy: lazy.kind[1])
attribute('stype', lambda lazy: 'default')
attribute('context', lambda lazy: mxnet.cpu())
FUNCTIONS = {'_imperative_invoke': register, 'set_recording': mxnet.autograd}  # whose they are; the others NDArray's
OWNERS = {name: FUNCTIONS.get(name, NDArray) for name in PATCHES}
MXNETS = {name: vars(owner).get(name, getattr(owner, name, None)) for name, owner in OWNERS.items()}
