"""Where arrays keep their numbers: two NDArrays with one buffer are one array, and a view is a part of another."""
import ctypes

from ..core.compat import mxnet
from .stand_ins import UntraceableError

LIB, cpu = mxnet.base._LIB, mxnet.cpu(0)


def address(array):
    """Where an array's numbers lie in memory; waits if MXNet has not made room for them yet."""
    pointer = ctypes.c_void_p()
    mxnet.base.check_call(LIB.MXNDArrayGetData(array.handle, ctypes.byref(pointer)))
    if pointer.value is None and array.size:
        array.wait_to_read()
        mxnet.base.check_call(LIB.MXNDArrayGetData(array.handle, ctypes.byref(pointer)))
    return pointer.value


def kind(array):
    """An array's (shape, address), if a graph can compute with it."""
    if array.stype != 'default':
        raise UntraceableError(f'has an array of the storage type {array.stype}; a graph computes with dense ones')
    if array.dtype.__name__ != 'float32':
        raise UntraceableError(f'has parameters or states of {array.dtype.__name__}; a graph computes in float32')
    if array.context != cpu:
        raise UntraceableError(f'has an array on {array.context}; a graph computes on {cpu}')
    return array.shape, address(array)


def places(kinds):
    """For each array the place of the first with the same buffer; refuses arrays that share a part of one."""
    first = {}
    found = tuple(place if at is None else first.setdefault(at, (place, shape))[0]
                  for place, (shape, at) in enumerate(kinds))
    if len(first) < len(kinds) and any(at is not None and first[at][1] != shape for shape, at in kinds):
        raise UntraceableError('is given an array and a view of it in another shape')
    spans = sorted((at, at + 4 * _size(shape)) for at, (_, shape) in first.items())
    if any(end > start for (_, end), (start, _) in zip(spans, spans[1:])):
        raise UntraceableError('is given an array and a view of a part of it')
    return found


def _size(shape):
    size = 1
    for extent in shape:
        size *= extent
    return size
