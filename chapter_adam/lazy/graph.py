"""A record's path as one cached graph of MXNet."""
from collections import Counter

import numpy as np

from ..compat import mxnet

nd, sym = mxnet.nd, mxnet.sym
OFTEN = 10  # as a number that is the same in each of ten steps
FAST = (('static_alloc', True), ('static_shape', True))


class Layout:
    """How a record becomes a graph: here each of its values becomes a symbol."""

    is_pooled = False  # whether its graphs have the roots in one array

    def same_numbers(self, nodes, numbers):
        """Pairs of indices of numbers: the graph takes the first of each, and fits only where both are the same."""
        return []

    def symbols(self, nodes, numbers, given, wanted):
        """The values at `wanted`, as symbols of the inputs and of the numbers, `given`."""
        values = []
        for node in nodes:
            values.append(node.apply(sym, values, given) if node.operator else node.symbol())
        return [sym.identity(values[at]) if nodes[at].operator is None else values[at] for at in wanted]


class Graph:
    """Called with the inputs and numbers of a record, it returns the values at `wanted`.

    `bakes`: numbers that come often are built in, and the graph fits only where they are the same: it is faster so.
    `pool`: the `Pool` that has the roots, if one has.
    """
    built = 0

    def __init__(self, nodes, wanted, numbers, layout, bakes, pool):
        Graph.built += 1
        counts = Counter(number for number in numbers if isinstance(number, float))
        self.fixed = {k: n for k, n in enumerate(numbers) if bakes and isinstance(n, float) and counts[n] >= OFTEN}
        pairs = [pair for pair in layout.same_numbers(nodes, numbers) if pair[0] not in self.fixed]
        self.ones, self.others = [one for one, _ in pairs], [other for _, other in pairs]
        self.free = [k for k in range(len(numbers)) if k not in self.fixed and k not in self.others]
        self.numbers = nd.array(packed([numbers[k] for k in self.free]))
        pieces = split(sym.var('numbers'), [numbers[k] for k in self.free])
        symbol = sym.Group(layout.symbols(nodes, numbers, {**self.fixed, **dict(zip(self.free, pieces))}, wanted))
        symbol = pool.around(symbol, nodes) if pool else symbol
        self.op = cached_op(symbol, ['numbers', *(node.symbol().name for node in nodes if not node.operator), 'pool'])

    def fits(self, numbers):
        return (equal([numbers[k] for k in self.ones], [numbers[k] for k in self.others])
                and equal([numbers[k] for k in self.fixed], [*self.fixed.values()]))

    def __call__(self, inputs, numbers, pool):
        numbers = packed([numbers[k] for k in self.free])
        if numbers.shape != self.numbers.shape:  # as many numbers, but for another count of runs
            self.numbers = nd.empty(numbers.shape)
        self.numbers._sync_copyfrom(numbers)
        if pool:
            return pool.run(self.op, self.numbers, *inputs)
        results = self.op(self.numbers, *inputs)
        return results if isinstance(results, list) else [results]


def cached_op(symbol, order):
    """A function of NDArrays, in the order of the names of a symbol's variables, that runs it as one graph."""
    names = symbol.list_inputs()
    op = mxnet.ndarray.CachedOp(symbol, [('data_indices', list(range(len(names)))), ('param_indices', []), *FAST])
    indices = [order.index(name) for name in names]  # what the graph does not use is left out
    return lambda *arrays, out=None: op(*[arrays[k] for k in indices], out=out)


def equal(numbers, others):
    """Whether two lists hold the same numbers; one may be an array, a value for each of many runs."""
    try:
        return numbers == others and (0 not in numbers or repr(numbers) == repr(others))  # 0.0 == -0.0
    except ValueError:
        return all(np.asarray(a).tobytes() == np.asarray(b).tobytes() for a, b in zip(numbers, others))


def split(symbol, numbers):
    """A symbol for each number in an array, of shape (1,), or (runs, 1, 1) where one has a value for each run."""
    pieces = list(symbol.split(num_outputs=len(numbers), axis=0)) if len(numbers) > 1 else [symbol]
    return pieces if all(isinstance(n, float) for n in numbers) else [piece.reshape((-3, 0, 0)) for piece in pieces]


def packed(numbers):
    """Numbers in float32, (count,), or (count, runs, 1, 1) where one has a value for each run."""
    runs = next((number.shape for number in numbers if isinstance(number, np.ndarray)), ())
    with np.errstate(over='ignore'):
        return np.array([np.broadcast_to(n, runs) for n in numbers] if runs else numbers or [0.0], dtype=np.float32)
