"""Where arrays lie: whether two share memory, and a pool in which those of a training lie side by side."""
import ctypes
from itertools import accumulate
from math import prod

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

    What a call of a graph costs is for the most part its inputs and outputs, as long as these are small.
    """
    MOST = 1000  # numbers

    def __init__(self, lazies):
        self.first, self.shapes = lazies[0].start, [lazy.kind[0] for lazy in lazies]
        self.ends = [*accumulate(map(prod, self.shapes))]
        self.sides = [self._side(), self._side()]
        for lazy, view in zip(lazies, self.sides[0][1]):
            lazy.home.copyto(view)

    def _side(self):
        """An array, and its parts as views of the roots' shapes."""
        array = nd.zeros(self.ends[-1])
        return array, [array[begin:end].reshape(shape)
                       for begin, end, shape in zip([0, *self.ends], self.ends, self.shapes)]

    @classmethod
    def takes(cls, lazies):
        """Whether there is anything to gain: few numbers of one type, of roots that were there as the record began."""
        return (lazies and all(lazy.start >= 0 and lazy.kind[1] is np.float32 for lazy in lazies)
                and sum(prod(lazy.kind[0]) for lazy in lazies) <= cls.MOST)

    def holds(self, lazies):
        """Whether the roots' values are those of this pool, in its order."""
        return [id(lazy.home) for lazy in lazies] == [id(view) for view in self.sides[0][1]]

    def run(self, op, *inputs):
        """Calls a graph; returns the roots' new values as views, which hold until the call after the next."""
        op(*inputs, self.sides[0][0], out=self.sides[1][0])
        self.sides.reverse()
        return self.sides[0][1]

    def around(self, symbol, nodes):
        """The same graph with the inputs of the roots in one array, `pool`, and its results in another."""
        pieces = sym.split_v2(sym.var('pool'), tuple(self.ends[:-1]), axis=0)
        symbol = with_inputs(symbol, {node.symbol().name: piece.reshape(shape)
                                      for node, piece, shape in zip(nodes[self.first:], pieces, self.shapes)})
        # An operator that reads an input itself is prepared anew at each call, as slowly as outside of a graph.
        symbol = with_inputs(symbol, {name: sym.identity(sym.var(name)) for name in symbol.list_inputs()})
        return sym.concat(*[result.reshape((-1,)) for result in symbol], dim=0)


def with_inputs(symbol, values):
    """A symbol whose variables of these names, where it has them, are other symbols."""
    return symbol(**{name: values[name] for name in symbol.list_inputs() if name in values})
