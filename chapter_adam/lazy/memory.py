"""Where arrays lie: two NDArrays may share memory, as an array and a view of it do."""
import ctypes

import numpy as np

from ..core.compat import mxnet

base = mxnet.base


def span(array):
    """The addresses at which a plain array begins and ends."""
    start = ctypes.c_void_p()
    base.check_call(base._LIB.MXNDArrayGetData(array.handle, ctypes.byref(start)))
    return start.value or 0, (start.value or 0) + array.size * np.dtype(array.dtype).itemsize


def shares_memory(array, roots):
    """Whether a plain array lies in the memory of one of the roots of a record."""
    begin, end = span(array)
    return any(begin < stop and start < end for start, stop in (span(root.writable.home) for root in roots))


def are_apart(arrays):
    """Whether plain arrays share no memory."""
    spans = sorted(map(span, arrays))
    return all(end <= start for (_, end), (start, _) in zip(spans, spans[1:]))
