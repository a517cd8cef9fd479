"""Where arrays lie: whether two share memory, and a pool in which those of a training lie side by side."""
import ctypes
from itertools import accumulate

import numpy as np

from ..compat import mxnet

base, nd, sym = mxnet.base, mxnet.nd, mxnet.sym


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


class Pool:
    """Two arrays that take turns: a graph reads the roots' values from one and writes them to the other.

    What a call of a graph costs is for the most part its inputs and outputs.
    """

    def __init__(self, shapes):
        sizes = [nd.empty(shape).size for shape in shapes]
        self.shapes, self.ends = shapes, [*accumulate(sizes)]
        self.sides = [self._side(), self._side()]

    def _side(self):
        """An array, and its parts as views of the roots' shapes."""
        array = nd.zeros(self.ends[-1])
        return array, [array[begin:end].reshape(shape)
                       for begin, end, shape in zip([0, *self.ends], self.ends, self.shapes)]

    def load(self, homes, starts):
        """Copies the roots' values, but for those that are there; `starts`: the positions of their inputs."""
        self.starts = starts
        # A root that others have left has moved up: no view is written to before its value has been copied.
        for home, view in zip(homes, self.sides[0][1]):
            if home is not view:
                home.copyto(view)

    def run(self, op, *inputs):
        """Calls a graph; returns the roots' new values as views, which hold until the call after the next."""
        op(*inputs, self.sides[0][0], out=self.sides[1][0])
        self.sides.reverse()
        return self.sides[0][1]

    def around(self, symbol, nodes):
        """The same graph with the inputs of the roots in one array, `pool`, and its results in another."""
        pieces = sym.split_v2(sym.identity(sym.var('pool')), tuple(self.ends[:-1]), axis=0)
        inputs = {nodes[at].symbol().name: piece.reshape(shape)
                  for at, piece, shape in zip(self.starts, pieces, self.shapes) if at >= 0}
        # An operator that reads an input itself is prepared anew at each call, as slowly as outside of a graph.
        symbol = symbol(**{name: inputs.get(name, sym.identity(sym.var(name))) for name in symbol.list_inputs()})
        return sym.concat(*[result.reshape((-1,)) for result in symbol], dim=0)
