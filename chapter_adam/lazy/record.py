"""What has been done to lazy arrays since the last graph: a path of operators in a trie, and how it is computed.

A value of a record is known by its position. Code that does what it did before follows a known path: one look-up
per operator finds the next node, and with it the result's shape. On a new path each operator is also run at once; that
gives the shape, and raises the error that the eager run would raise, where it would. In the end the values that are
still referred to are computed: those of a new path are there already, those of a known one come from its graph.
"""
import atexit
import warnings
from collections import defaultdict
from sys import getrefcount
from threading import get_ident

import numpy as np

from ..compat import mxnet
from ..interrupts import whole
from ..lines import running_line
from .graph import Graph, Layout, packed
from .memory import Pool, span
from .node import Lazy, Node, make_plain, path_to, without_handle

nd, NDArray = mxnet.nd, mxnet.nd.NDArray
WORTH_A_GRAPH = 3  # times that a path has come; to build one takes as long as the path three to six times one by one
MOST_NODES = 50_000  # of all paths and graphs together, some 20 MB; then they are forgotten


class MixesRuns(TypeError):
    """A rule in an ensemble needs more than elementwise operators on the arrays that it is given."""


class Recorder:
    """Records operators. A process has one; who uses it holds `compat.DEVICE`.

    Calls come in this order: start (begin follow... finish)... close; in the middle, end_laziness, which closes too.
    `is_busy` holds from start to close, `is_open` while a record is open, and that only for `thread`. `runs`: how many
    each root holds (0 where it is the one run). `values`: what has been computed, by position. `wanted`: the positions
    that the last record has returned. `written`: results that the rule has written to. `size`: of nodes and graphs.
    """
    __slots__ = ('node', 'numbers', 'inputs', 'values', 'roots', 'written', 'runs', 'thread', 'wanted', 'is_open',
                 'is_busy', 'has_ended', 'tries', 'nodes', 'size', 'pool')

    def __init__(self):
        self.is_open, self.is_busy, self.tries, self.nodes, self.size = False, False, defaultdict(Node), [], 0

    def start(self, arrays, shown=None):
        """Makes arrays lazy, as roots. `shown`: they hold many runs, along a first axis, and show these shapes."""
        self.is_busy, self.has_ended, self.roots, self.thread, self.pool = True, False, [], get_ident(), None
        self.runs = len(arrays[0]) if shown else 0
        for array, shape in zip(arrays, shown or [array.shape for array in arrays]):
            self.add_root(array, shape)

    @whole
    def add_root(self, array, shape):
        """Makes a plain array lazy, and its gradient."""
        grad = self.aside(self._make_root, array, shape)
        self.roots.append(array)
        if grad is not None:
            self.add_root(grad, shape)

    @staticmethod
    def _make_root(array, shape):
        home, grad, kind = NDArray.__new__(NDArray), array.grad, (shape, array.dtype)
        home.handle, home.writable = array.handle, True
        array.writable = Lazy(-1, kind, grad, home, span(home))
        del array.handle
        return grad

    @whole
    def begin(self, key, data=()):
        """Begins a record in the trie of `key`: first come the plain arrays `data`, then the roots."""
        if self.size > MOST_NODES:
            self.forget()
        self.node, self.numbers, self.inputs, self.values, self.written = self.tries[key], [], [], [], []
        for index, array in enumerate(data):
            self.enter(array, (index,))
        for lazy in [root.writable for root in self.roots]:
            lazy.at = lazy.start = self.enter(lazy.home, lazy.kind)
        self.is_open = True

    def enter(self, array, kind):
        """Adds an input; returns its position."""
        self.inputs.append(array)
        node = self.node.get(kind)
        self.node = self._new(kind, None, (), kind, len(self.inputs) - 1) if node is None else node
        return self.node.at

    def _new(self, key, *description):
        node = self.node[key] = Node(*description, before=self.node)
        self.nodes.append(node)
        self.size += 1
        return node

    def follow(self, key, operator, sources, number=None):
        """Goes on to the node of an operator; returns its result, lazy."""
        node = self.node.get(key)
        if node is None:
            return self._grow(key, operator, sources, number)
        if number is not None:
            self.numbers.append(number)
        self.node = node
        return node.result

    def _grow(self, key, operator, sources, number):
        """Runs an operator that has not followed here before, and writes it down."""
        if self.runs and not operator.is_elementwise:
            self.end_laziness(f'{operator.name} looks at more than one number of an array')
        values = self.evaluate()
        values.append(self._run(operator, sources, number))
        if number is not None:
            self.numbers.append(number)
        shape = values[-1].shape
        if self.runs:
            path = path_to(self.node)
            shape = operator.shape([path[at].kind[0] for at in sources])
        self.node = self._new(key, operator, sources, (shape, values[-1].dtype), len(self.numbers) - 1)
        return self.node.result

    def _run(self, operator, sources, number):
        number = nd.array(packed([number[:self.runs]])[0]) if isinstance(number, np.ndarray) else number
        return self.aside(operator.apply, nd, [self.values[at] for at in sources], number)

    @whole
    def aside(self, function, *args):
        """Calls a function whose operators are this record's own and no rule's."""
        before, self.is_open = self.is_open, False
        try:
            return function(*args)
        finally:
            self.is_open = before

    def value(self, at):
        """The value at a position so far, as a plain array that nobody else has; the laziness goes on."""
        return self.aside(lambda: self.evaluate()[at].copy())

    def evaluate(self):
        """All values so far, as plain arrays, computed one by one."""
        for node in path_to(self.node, len(self.values)):
            number = self.numbers[node.number] if node.takes_number else None
            self.values.append(self._run(node.operator, node.sources, number) if node.operator
                               else self.inputs[node.number])
        return self.values

    @whole
    def finish(self, layout=Layout()):
        """Ends the record: roots get their new values, other arrays that somebody refers to become plain.

        `layout`: how its graph is built; None: one operator after the other is run.
        """
        try:
            self.aside(self._settle, layout)
        finally:
            self.is_open = False

    def _settle(self, layout):
        path = self.node.path = self.node.path or path_to(self.node)
        self.node.times += 1
        # Three references are the list's, the loop's and getrefcount's: nobody else holds such a root any more.
        dropped = {id(root): root for root in self.roots if getrefcount(root) <= 3}
        # Two references are the node's and getrefcount's: where there are more, the rule has kept the result.
        kept = [node for node in path if getrefcount(node.result) > 2]
        # Eager operators may round in another way than a graph. Many runs, whose parts repeat this, never mix them.
        if not self.runs and (self.node.times < WORTH_A_GRAPH or len(self.values) == len(path)):
            layout = None
        changed = [root.writable for root in self.roots]
        pool = self._pool_of(changed) if layout and layout.is_pooled and not kept else None
        if not pool:
            changed = [lazy for lazy in changed if lazy.at != lazy.start]
        self.wanted = tuple([lazy.at for lazy in [*changed, *[node.result.writable for node in kept]]])
        results = self._results(layout, pool)
        for lazy, home in zip(changed, results):
            lazy.home = home
        for lazy in self.written:  # the rule wrote to these results, which their nodes hand out again
            lazy.at = lazy.start
        self._hand_out(kept, results[len(changed):])
        self.roots = [root for root in self.roots if id(root) not in dropped]
        self._release([*dropped.values()])

    def _hand_out(self, kept, results):
        """Makes results plain that the rule has kept; their nodes get new ones."""
        for node, result in zip(kept, results):
            make_plain(node.result, result.copy())
            node.result = without_handle(node.at, node.kind)
        if kept and self.runs:
            raise MixesRuns('a rule that keeps arrays of its own from step to step cannot train many runs: hand them '
                            'over as `states`, or train the runs one by one with train_ch7')

    @whole
    def repeat(self, inputs, numbers, layout):
        """The finished record on other inputs: the values at `wanted`, which the roots got."""
        self.inputs, self.numbers, self.values = inputs, numbers, []
        return self._results(layout)

    def _results(self, layout, pool=None):
        """The values at `wanted`, as plain arrays; by a graph, if there is a layout of one."""
        numbers = self.numbers
        if self.runs:  # this part's
            numbers = [n[:self.runs] if isinstance(n, np.ndarray) else n for n in numbers]
        results = layout and self.wanted and self._by_graph(numbers, layout, pool)
        if results:  # else the path is a new one, or no graph can hold it
            return results
        values = self.evaluate()
        # An input is a root's own array, which is to stay that root's alone.
        return [values[at] if self.node.path[at].operator else values[at].copy() for at in self.wanted]

    def _pool_of(self, lazies):
        """The pool that holds the roots' values; None where they are none for a pool."""
        if not self.pool or not self.pool.holds(lazies):
            self.pool = Pool(lazies) if Pool.takes(lazies) else None  # an old one's views may be inputs of this record
        return self.pool

    def _by_graph(self, numbers, layout, pool):
        """What the path's graph returns, or None if one of its operators cannot be part of a graph after all."""
        graphs = self.node.graphs.setdefault((self.wanted, bool(pool)), [])
        for graph in graphs:
            if not graph or graph.fits(numbers):
                return graph and graph(self.inputs, numbers, pool)
        self.size += len(self.node.path)  # a graph takes as much memory as its nodes
        try:
            # Numbers that have changed since the first graph was built will change again.
            graphs.append(Graph(self.node.path, self.wanted, numbers, layout, bakes=not graphs, pool=pool))
            return graphs[-1](self.inputs, numbers, pool)
        except mxnet.base.MXNetError:
            graphs[:] = [None]  # for good

    @whole
    def end_laziness(self, why):
        """Ends the laziness in the middle of a record: every array is what it would be in an eager run."""
        line = running_line()
        if self.runs:
            raise MixesRuns(f'{line}{why}, so the runs of an ensemble would mix; train them one by one with train_ch7')
        try:
            self.finish(None)
        finally:
            self.close()
            self.has_ended = True
        warnings.warn_explicit(f'{line}{why}; the run goes on eagerly from here', UserWarning, line.file, line.number)

    @whole
    def close(self):
        """Ends it all; the roots are plain again."""
        self.is_open, self.is_busy = False, False
        self._release(self.roots)
        self.roots, self.pool = [], None

    @staticmethod
    def _release(roots):
        """Gives roots their handles back, and their memory, of which there may be views, the new values."""
        lazies = [root.writable for root in roots]
        for root, lazy in zip(roots, lazies):
            make_plain(root, lazy.origin)
        for root, lazy in zip(roots, lazies):
            if lazy.home is not lazy.origin:
                lazy.home.copyto(root)

    def is_mine(self):
        """Whether a record is open, and this thread's."""
        return self.is_open and self.thread == get_ident()

    def forget(self):
        """Forgets all paths and their graphs."""
        for node in [*self.tries.values(), *self.nodes]:
            node.result.handle = None  # there is nothing to be freed
        self.tries, self.nodes, self.size = defaultdict(Node), [], 0


RECORDER = Recorder()
atexit.register(RECORDER.forget)  # else NDArray.__del__ asks for the handles
