"""A record's path as one cached graph of MXNet."""
import numpy as np

from ..compat import mxnet

nd, sym = mxnet.nd, mxnet.sym
FAST = (('static_alloc', True), ('static_shape', True))


class Layout:
    """How a record becomes a graph: here each of its values becomes a symbol."""

    def same_numbers(self, nodes, numbers):
        """The indices of numbers, in two lists, that have to be the same in each call of the graph."""
        return [], []

    def symbols(self, nodes, numbers, given, wanted):
        """The values at `wanted`, as symbols of the inputs and of the numbers, `given`."""
        values = []
        for node in nodes:
            number = given[node.number] if node.takes_number else None
            values.append(node.operator.apply(sym, [values[at] for at in node.sources], number) if node.operator
                          else node.symbol())
        return [sym.identity(values[at]) if nodes[at].operator is None else values[at] for at in wanted]


class Graph:
    """Called with the inputs and numbers of a record, it returns the values at `wanted`."""
    built = 0

    def __init__(self, nodes, wanted, numbers, layout):
        Graph.built += 1
        self.one, self.other = layout.same_numbers(nodes, numbers)
        self.numbers = nd.array(packed(numbers))
        symbols = layout.symbols(nodes, numbers, split(sym.var('numbers'), numbers), wanted)
        order = ['numbers', *(node.symbol().name for node in nodes if not node.operator)]
        self.op = cached_op(sym.Group(symbols), order)

    def fits(self, numbers):
        return equal([numbers[k] for k in self.one], [numbers[k] for k in self.other])

    def __call__(self, inputs, numbers):
        numbers = packed(numbers)
        if numbers.shape != self.numbers.shape:  # as many numbers, but for another count of runs
            self.numbers = nd.empty(numbers.shape)
        self.numbers._sync_copyfrom(numbers)
        results = self.op(self.numbers, *inputs)
        return results if isinstance(results, list) else [results]


def cached_op(symbol, order):
    """A function of NDArrays, in the order of the names of a symbol's variables, that runs it as one graph."""
    names = symbol.list_inputs()
    op = mxnet.ndarray.CachedOp(symbol, [('data_indices', list(range(len(names)))), ('param_indices', []), *FAST])
    indices = [order.index(name) for name in names]  # what the graph does not use is left out
    return lambda *arrays: op(*[arrays[k] for k in indices])


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
