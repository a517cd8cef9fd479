"""Where arrays lie: two NDArrays may share memory, as an array and a view of it do."""
import ctypes

import numpy as np

from ..compat import mxnet

base = mxnet.base


def span(array):
    """The addresses at which a plain array begins and ends; waits until it has its value."""
    # MXNet takes memory when an operator runs, or here: if both do so at once, the result is lost.
    array.wait_to_read()
    start = ctypes.c_void_p()
    base.check_call(base._LIB.MXNDArrayGetData(array.handle, ctypes.byref(start)))
    return start.value or 0, (start.value or 0) + array.size * np.dtype(array.dtype).itemsize


def overlaps(one, others):
    """Whether a span shares an address with one of the others."""
    begin, end = one
    return any(begin < stop and start < end for start, stop in others)


def are_apart(arrays):
    """Whether plain arrays share no memory, nor do their gradients."""
    spans = sorted(map(span, [*arrays, *(array.grad for array in arrays if array.grad is not None)]))
    return all(end <= start for (_, end), (start, _) in zip(spans, spans[1:]))
