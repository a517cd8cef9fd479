"""A record's path as one cached graph of MXNet, built once and found again at the path's last node."""
import numpy as np

from ..core.compat import mxnet

nd, sym = mxnet.nd, mxnet.sym
FAST = (('static_alloc', True), ('static_shape', True))
AT_ONCE = 16  # so many graphs are built of paths that are new; the others when a path comes again


def graph_for(path, wanted, numbers, steps):
    """The graph of a path that gives the values at `wanted`, or None where a replay is to do."""
    graphs = path[-1].graphs.setdefault(wanted, [])
    for graph in graphs:
        if graph.fits(numbers):
            return graph
    path[-1].visits += 1
    if Graph.built >= AT_ONCE and path[-1].visits < 2 or path[-1].visits < 0:
        return None
    Graph.built += 1
    graphs.append(Graph(path, wanted, numbers, steps, bake=len(graphs) < 3))
    return graphs[-1]


class Graph:
    """Called with the inputs and numbers of a record, it returns the values at `wanted`.

    `bake`: a number that is the same in all of several steps, such as beta1, becomes a constant; `fits` checks it.
    Where the record does the same to w and b, elementwise, the two are one array in the graph (`twins`).
    """
    built = 0

    def __init__(self, nodes, wanted, numbers, steps, bake):
        width = len(numbers) // max(steps, 1)
        bake = bake and steps > 1 and width * steps == len(numbers)
        same = [bake and isinstance(number, float) and set(numbers[k % width::width]) == {number}
                for k, number in enumerate(numbers)]
        self.fixed, self.varying = (getter(k for k, one in enumerate(same) if one is kind) for kind in (True, False))
        self.constants, pieces = self.fixed(numbers), iter(split(sym.var('numbers'), numbers, same.count(False)))
        given = [number if is_fixed else next(pieces) for number, is_fixed in zip(numbers, same)]
        pairs = twins(nodes, numbers) if steps else {}
        self.of_w, self.of_b = (getter(nodes[at].number for at in side if takes_number(nodes[at]))
                                for side in (pairs.values(), pairs))
        symbol = sym.Group(symbols(nodes, pairs, given, wanted))
        self.op = cached_op(symbol, ['numbers', *(f'input{node.number}' for node in nodes if node.operator is None)])

    def fits(self, numbers):
        return self.fixed(numbers) == self.constants and equal(self.of_w(numbers), self.of_b(numbers))

    def __call__(self, inputs, numbers):
        results = self.op(as_array(self.varying(numbers)), *inputs)
        return results if isinstance(results, list) else [results]


def twins(nodes, numbers):
    """For the position of each value of b that of w's value, if a record does the same to both, elementwise; or {}."""
    gradient = next(node for node in nodes if hasattr(node.operator, 'batches'))
    if not gradient.operator.batches.may_stack:
        return {}
    kinds, own = [nodes[at].kind for at in gradient.sources[2:]], nodes[2:]  # the data come first
    of_w, of_b = ([node for node in own if node.kind == kind] for kind in kinds)
    if len(of_w) != len(of_b) or len(of_w) + len(of_b) != len(own):
        return {}
    pairs = {}
    for w, b in zip(of_w, of_b):
        pairs[b.at] = w.at
        if w.operator is None and b.operator is None:
            continue
        if w.operator is None or b.operator is None or w.operator.twin != b.operator or not w.operator.is_elementwise:
            return {}
        if takes_number(w) and not np.array_equal(numbers[w.number], numbers[b.number]):
            return {}
        if not hasattr(w.operator, 'batches') and [pairs.get(at) for at in b.sources] != list(w.sources):
            return {}
    return pairs


def symbols(nodes, pairs, given, wanted):
    """The values at `wanted`, as symbols of the inputs and of `given`, numbers or symbols of them."""
    model = next((node.operator.batches for node in nodes if hasattr(node.operator, 'batches')), None)
    inputs = {node.at: sym.var(f'input{node.number}') for node in nodes if node.operator is None}
    steps, stacks, values = model and model.all(inputs[0], inputs[1]), {w: b for b, w in pairs.items()}, {}
    for node in nodes:
        at, operator = pairs.get(node.at, node.at), node.operator
        if at in values:
            continue
        sources = [values[pairs.get(source, source)] for source in node.sources]
        if operator is None:
            values[at] = model.stack(inputs[at], inputs[stacks[at]]) if at in stacks else inputs[at]
        elif hasattr(operator, 'batches'):
            values[at] = (model.stacked_gradient(steps[operator.step], sources[2]) if pairs
                          else model.gradient(sym, steps[operator.step], *sources[2:])[operator.part])
        else:
            values[at] = operator.apply(sym, sources, given[node.number] if operator.takes_number else None)
    return [model.unstack(values[pairs[at]])[1] if at in pairs else model.unstack(values[at])[0] if at in stacks
            else sym.identity(values[at]) if nodes[at].operator is None else values[at] for at in wanted]


def cached_op(symbol, order):
    """A function of NDArrays, in the order of the names of a symbol's variables, that runs it as one graph."""
    names = symbol.list_inputs()
    op = mxnet.ndarray.CachedOp(symbol, [('data_indices', list(range(len(names)))), ('param_indices', []), *FAST])
    places = [order.index(name) for name in names]  # what the graph does not use is left out
    return lambda *arrays: op(*[arrays[k] for k in places])


def takes_number(node):
    return node.operator is not None and node.operator.takes_number


def equal(numbers, others):
    """Whether two lists hold the same numbers; a number may be a NumPy array, a value for each of many runs."""
    try:
        return numbers == others
    except ValueError:
        return all(map(np.array_equal, numbers, others))


def getter(indices):
    """A function that takes the items at these indices from a list."""
    indices = tuple(indices)
    return lambda items: [items[k] for k in indices]


def split(symbol, numbers, count):
    """As many symbols as an array has numbers, of shape (1,), or (runs, 1, 1) where one has a value for each run."""
    pieces = [symbol] if count == 1 else list(symbol.split(num_outputs=count, axis=0)) if count else []
    return pieces if all(isinstance(n, float) for n in numbers) else [piece.reshape((-3, 0, 0)) for piece in pieces]


def as_array(numbers):
    """Numbers as a float32 NDArray (count,), or (count, runs, 1, 1) where one has a value for each run."""
    runs = next((number.shape for number in numbers if isinstance(number, np.ndarray)), ())
    with np.errstate(over='ignore'):
        packed = np.asarray([np.broadcast_to(n, runs) for n in numbers] if runs else numbers or [0.0], dtype=np.float32)
    return nd.from_numpy(packed, zero_copy=True)
