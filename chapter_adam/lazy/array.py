"""Lazy NDArrays: while a record is open, operators on them are written down and not run.

A lazy array is an NDArray like any other, `type(p) is NDArray`, but it has no handle. Whatever MXNet does with an array
asks for the handle first; there the laziness ends. Only the methods below know lazy arrays, and `invoke`, through which
all functions go that MXNet generates. They stand in NDArray while a record is open, and leave plain arrays to MXNet.
"""
from contextlib import contextmanager

import numpy as np

from ..core.compat import mxnet
from .memory import shares_memory
from .operators import NAME_OF, TWINS, Operator
from .record import RECORD as now
from .record import Lazy, one

NDArray, register, autograd = mxnet.nd.NDArray, mxnet.ndarray.register, mxnet.autograd
NUMBERS, EVERYTHING = mxnet.base.numeric_types, slice(None)


def is_lazy(array):
    return type(array) is NDArray and type(array.writable) is Lazy


def position(array):
    """The position of an operand's value, or None if laziness has ended over it. A plain array enters as a copy."""
    if is_lazy(array):
        return array.writable.at
    if autograd.is_recording() or shares_memory(array, now.roots):
        now.end('an array is recorded by autograd, or lies in the memory of a parameter or state')
        return None
    return now.enter_plain(array)


def follow(key, operator, sources, number=None):
    """Goes on to the node of an operator, and returns its result."""
    node = now.node.get(key)
    if node is None:
        return now.grow(key, operator, sources, number)
    if number is not None:
        now.numbers.append(number)
    now.node = node
    return node.result


def arithmetic(method, code, name):
    """A method such as __mul__: the operator `name` with a number, or its twin with an array. The hot path."""
    with_number, (twin, is_reversed) = Operator(name), TWINS[name]
    with_array, number_code, array_code = Operator(twin), code << 20, code << 40

    def patched(self, other):
        me = self.writable
        if type(me) is Lazy:
            if type(other) is float:
                node = now.node.get(number_code + me.at)
                if node is not None:
                    now.numbers.append(other)
                    now.node = node
                    return node.result
            elif type(other) is NDArray and type(other.writable) is Lazy:
                node = now.node.get(array_code + (me.at << 20) + other.writable.at)
                if node is not None:
                    now.node = node
                    return node.result
            return first_time(self, me.at, other)
        return MXNETS[method](self, other)

    def first_time(self, at, other):
        if type(other) is NDArray:
            second = position(other)
            if second is not None:
                return follow(array_code + (at << 20) + second, with_array,
                              (second, at) if is_reversed else (at, second))
        elif isinstance(other, NUMBERS):
            return follow(number_code + at, with_number, (at,), float(other))
        elif now.runs and isinstance(other, np.ndarray):
            return follow((code, at), with_number, (at,), other)
        return MXNETS[method](self, other)
    return patched


def unary(method, code, name):
    """A method such as sqrt."""
    operator, code = Operator(name), code << 20

    def patched(self, *args, **kwargs):
        me = self.writable
        if type(me) is not Lazy or args or kwargs:
            return MXNETS[method](self, *args, **kwargs)
        return follow(code + me.at, operator, (me.at,))
    return patched


def in_place(method, operation):
    """A method such as __isub__."""
    def patched(self, other):
        if type(self.writable) is Lazy:
            result = getattr(NDArray, operation)(self, other)
            if is_lazy(result) and result.writable.kind is self.writable.kind:
                self.writable.at = result.writable.at
                return self
        return MXNETS[method](self, other)
    return patched


def invoke(handle, arrays, keys, values, out, is_np, is_list):
    """In place of MXNet's `_imperative_invoke`: writes an operator down if any of its arrays is lazy."""
    if not any(map(is_lazy, arrays)) and not is_lazy(out):
        if isinstance(out, NDArray) and now.is_open and shares_memory(out, now.roots):
            now.end('memory of a parameter or state is written to')
        return MXNETS['invoke'](handle, arrays, keys, values, out, is_np, is_list)
    name = NAME_OF.get(handle)
    if name is None or isinstance(out, (list, tuple)):
        now.end('this operator is not one that a graph can hold')
    sources = now.is_open and tuple([position(array) for array in arrays])
    if not now.is_open:
        return MXNETS['invoke'](handle, arrays, keys, values, out, is_np, is_list)
    number = float(values[0]) if name in TWINS else None
    operator = Operator(name, () if name in TWINS else tuple(zip(keys, map(str, values))))
    result = follow((operator, sources), operator, sources, number)
    if out is None:
        return result
    out[:] = result
    return out


def set_item(self, key, value):
    """self[key] = value."""
    me = self.writable
    if type(value) is NDArray and type(me) is Lazy and key == EVERYTHING:
        him = value.writable
        if type(him) is Lazy and him.kind is me.kind:
            me.at = him.at
            return
    whole = type(key) is slice and key == EVERYTHING
    if type(me) is Lazy and whole and not is_lazy(value):
        value = (mxnet.nd.full(self.shape, float(value)) if isinstance(value, NUMBERS) else
                 value if type(value) is NDArray else mxnet.nd.array(value))
    if is_lazy(value):
        if whole and (type(me) is Lazy or can_join(self, value)):
            return store(self, value)
        value = value_of(value)
    elif type(me) is not Lazy and now.is_open and shares_memory(self, now.roots):
        now.end('memory of a parameter or state is written to')
    elif type(me) is Lazy and whole:
        return store(self, value)
    MXNETS['__setitem__'](self, key, value)


def store(array, value):
    """array[:] = value, one of them lazy."""
    if not is_lazy(array):
        now.add_root(array)
    if value.shape != array.shape:
        value = value.broadcast_to(array.shape)
    at = position(value)
    if at is None:
        MXNETS['__setitem__'](array, EVERYTHING, value)
    else:
        array.writable.at = at


def can_join(array, value):
    """Whether a plain array that is given a lazy value can go on as a lazy one, a root."""
    return (type(array) is NDArray and array.writable and one(array.shape, array.dtype) is value.writable.kind
            and array.stype == 'default' and not shares_memory(array, now.roots))


def value_of(array):
    """A lazy array's value, as a plain array that must not be changed; the laziness goes on."""
    if now.runs:
        now.end('the value of an array is asked for')
    return now.evaluate()[array.writable.at]


def copyto(self, other):
    if type(other) is NDArray and (is_lazy(self) or is_lazy(other)):
        other[:] = self
        return other
    return MXNETS['copyto'](value_of(self) if is_lazy(self) else self, other)


def asnumpy(self):
    return MXNETS['asnumpy'](value_of(self) if is_lazy(self) else self)


def wait_to_read(self):
    return None if is_lazy(self) else MXNETS['wait_to_read'](self)


def attribute(name, of_lazy):
    """A property such as shape."""
    return property(lambda self: of_lazy(self.writable) if type(self.writable) is Lazy else MXNETS[name].__get__(self))


def get_grad(self):
    me = self.writable
    return me.grad if type(me) is Lazy else MXNETS['grad'].__get__(self)


def get_attribute(self, name):
    """Called where an attribute is missing, as a lazy array's handle is."""
    if name == 'handle' and type(self.writable) is Lazy and now.is_open:
        now.end('the memory of an array is asked for')
        return self.handle
    raise AttributeError(f'{type(self).__name__!r} object has no attribute {name!r}')


def delete(self):
    if type(self.writable) is not Lazy:
        MXNETS['__del__'](self)


OURS = {
    **{f'__{name}__': arithmetic(f'__{name}__', code, operator) for code, (name, operator) in enumerate(dict(
        add='_plus_scalar', radd='_plus_scalar', sub='_minus_scalar', rsub='_rminus_scalar', mul='_mul_scalar',
        rmul='_mul_scalar', truediv='_div_scalar', rtruediv='_rdiv_scalar', pow='_power_scalar',
        rpow='_rpower_scalar').items())},
    **{f'__i{name}__': in_place(f'__i{name}__', f'__{name}__') for name in ('add', 'sub', 'mul', 'truediv')},
    **{name: unary(name, 20 + code, name) for code, name in enumerate(('square', 'sqrt', 'sign', 'abs'))},
    'copy': unary('copy', 30, '_copy'), '__setitem__': set_item, 'copyto': copyto, 'asnumpy': asnumpy,
    'wait_to_read': wait_to_read, '__getattr__': get_attribute, '__del__': delete,
    'shape': attribute('shape', lambda lazy: lazy.kind[0]), 'dtype': attribute('dtype', lambda lazy: lazy.kind[1]),
    'context': attribute('context', lambda lazy: mxnet.cpu()), 'grad': property(get_grad),
    'stype': attribute('stype', lambda lazy: 'default')}
# What stands there when no record is open; __del__ and __getattr__ are not NDArray's own.
MXNETS = {name: getattr(NDArray, name, None) if name not in vars(NDArray) else vars(NDArray)[name] for name in OURS}
MXNETS['invoke'] = register._imperative_invoke


@contextmanager
def lazy(arrays, **options):
    """While the block runs, operators on these arrays are written down; yields the record. See `Record.open`."""
    own = {name: vars(NDArray)[name] for name in OURS if name in vars(NDArray)}
    try:
        for name, method in OURS.items():
            setattr(NDArray, name, method)
        register._imperative_invoke = invoke
        now.open(arrays, **options)
        yield now
    finally:
        try:
            if now.is_open:
                now.finish(by_graph=False)
            now.close()
        finally:
            register._imperative_invoke = MXNETS['invoke']
            for name in OURS:
                setattr(NDArray, name, own[name]) if name in own else delattr(NDArray, name)
