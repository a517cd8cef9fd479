"""The roots' values in one array: what a graph's call costs is for the most part its inputs and outputs."""
from itertools import accumulate

from ..compat import mxnet

nd, sym = mxnet.nd, mxnet.sym


class Pool:
    """Two arrays that take turns: a graph reads the roots' values from one and writes them to the other."""

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
