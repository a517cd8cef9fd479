"""Where arrays lie: two NDArrays may share memory, as an array and a view of it do."""
import ctypes

import numpy as np

from ..compat import mxnet

base = mxnet.base


def span(array):
    """The addresses at which a plain array begins and ends."""
    start = ctypes.c_void_p()
    base.check_call(base._LIB.MXNDArrayGetData(array.handle, ctypes.byref(start)))
    return start.value or 0, (start.value or 0) + array.size * np.dtype(array.dtype).itemsize


def shares_memory(array, others):
    """Whether a plain array lies in the memory of one of the others."""
    if array.stype != 'default':
        return False
    begin, end = span(array)
    return any(begin < stop and start < end for start, stop in map(span, others))


def are_apart(arrays):
    """Whether plain arrays share no memory, nor do their gradients."""
    spans = sorted(map(span, [*arrays, *(array.grad for array in arrays if array.grad is not None)]))
    return all(end <= start for (_, end), (start, _) in zip(spans, spans[1:]))
