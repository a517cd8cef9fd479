"""A record's path as one cached graph of MXNet, built once and found again at the path's last node."""
import numpy as np

from ..compat import mxnet

nd, sym = mxnet.nd, mxnet.sym
FAST = (('static_alloc', True), ('static_shape', True))
AT_ONCE = 16  # so many graphs are built of paths that are new; the others when a path comes again


def graph_for(path, wanted, numbers, layout, at_once):
    """The graph of a path that gives the values at `wanted`, or None where a replay is to do."""
    graphs = path[-1].graphs.setdefault(wanted, [])
    for graph in graphs:
        if graph.fits(numbers):
            return graph
    path[-1].visits += 1
    if not at_once and (Graph.built >= AT_ONCE and path[-1].visits < 2 or path[-1].visits < 0):
        return None
    Graph.built += 1
    graphs.append(Graph(path, wanted, numbers, layout, bakes=len(graphs) < 3))
    return graphs[-1]


class Layout:
    """How a record becomes a graph: here each of its values becomes a symbol. `steps`: how many steps it holds."""
    steps = 1

    def same_numbers(self, nodes, numbers):
        """The indices of numbers, in two lists, that have to be the same in each call of the graph."""
        return [], []

    def symbols(self, nodes, numbers, given, wanted):
        """The values at `wanted`, as symbols of the inputs and of `given`: numbers, or symbols of them."""
        values = []
        for node in nodes:
            number = given[node.number] if node.takes_number else None
            values.append(node.operator.apply(sym, [values[at] for at in node.sources], number) if node.operator
                          else node.symbol())
        return [sym.identity(values[at]) if nodes[at].operator is None else values[at] for at in wanted]


class Graph:
    """Called with the inputs and numbers of a record, it returns the values at `wanted`.

    `bakes`: a number that is the same in all of several steps, such as beta1, becomes a constant; `fits` checks it.
    """
    built = 0

    def __init__(self, nodes, wanted, numbers, layout, bakes):
        width = len(numbers) // layout.steps
        bakes = bakes and layout.steps > 1 and width * layout.steps == len(numbers)
        # A zero is never baked: 0.0 and -0.0 are equal, and not the same.
        same = [bakes and isinstance(number, float) and number != 0 and set(numbers[k % width::width]) == {number}
                for k, number in enumerate(numbers)]
        self.fixed, self.varying = (getter(k for k, one in enumerate(same) if one is kind) for kind in (True, False))
        self.constants, pieces = self.fixed(numbers), iter(split(sym.var('numbers'), numbers, same.count(False)))
        given = [number if is_fixed else next(pieces) for number, is_fixed in zip(numbers, same)]
        self.one, self.other = map(getter, layout.same_numbers(nodes, numbers))
        self.buffer = None
        self.op = cached_op(sym.Group(layout.symbols(nodes, numbers, given, wanted)),
                            ['numbers', *(node.symbol().name for node in nodes if node.operator is None)])

    def fits(self, numbers):
        return equal(self.fixed(numbers), self.constants) and equal(self.one(numbers), self.other(numbers))

    def __call__(self, inputs, numbers):
        numbers = packed(self.varying(numbers))
        if self.buffer is None or self.buffer.shape != numbers.shape:
            self.buffer = numbers.view()  # which stays writable
            self.numbers = nd.from_numpy(numbers, zero_copy=True)  # made once: it takes as long as ten operators
        self.buffer[:] = numbers
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


def getter(indices):
    """A function that takes the items at these indices from a list."""
    indices = tuple(indices)
    return lambda items: [items[k] for k in indices]


def split(symbol, numbers, count):
    """As many symbols as an array has numbers, of shape (1,), or (runs, 1, 1) where one has a value for each run."""
    pieces = [symbol] if count == 1 else list(symbol.split(num_outputs=count, axis=0)) if count else []
    return pieces if all(isinstance(n, float) for n in numbers) else [piece.reshape((-3, 0, 0)) for piece in pieces]


def packed(numbers):
    """Numbers in float32, (count,), or (count, runs, 1, 1) where one has a value for each run."""
    runs = next((number.shape for number in numbers if isinstance(number, np.ndarray)), ())
    with np.errstate(over='ignore'):
        return np.array([np.broadcast_to(n, runs) for n in numbers] if runs else numbers or [0.0], dtype=np.float32)
