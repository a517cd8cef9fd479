"""What has been done to lazy arrays since the last graph: a path of operators in a trie, and how it is computed.

A value of a record is known by its position. Code that does what it did before follows a known path: a look-up an
operator finds the next node, and with it the result's shape. On a new path each operator is also run at once; that
gives the shape, and raises the error that the eager run would raise, where it would. In the end the values that are
still referred to are computed, by the path's graph or, operator by operator, by a replay.
"""
import atexit
import linecache
import os
import sys
import warnings
from contextlib import contextmanager
from sys import getrefcount
from threading import get_ident

import numpy as np

from ..compat import mxnet
from .graph import Graph, Layout, graph_for, packed
from .node import Lazy, Node, make_plain, path_to, without_handle

nd, NDArray, autograd = mxnet.nd, mxnet.nd.NDArray, mxnet.autograd
MOST_NODES, MOST_GRAPHS = 50_000, 256  # of all paths together, some 20 MB; then they are forgotten


class MixesRuns(TypeError):
    """A rule in an ensemble looks at more than one number at a time."""


class Record:
    """The record of this moment. There is one; who uses it holds `compat.DEVICE`."""
    __slots__ = ('node', 'numbers', 'inputs', 'values', 'roots', 'moves', 'many', 'thread', 'wanted', 'is_open',
                 'is_used', 'has_ended', 'tries', 'count', 'written')

    def __init__(self):
        self.is_open, self.is_used, self.tries, self.count = False, False, {}, 0

    def start(self, arrays, moves=False, shown=None):
        """Makes arrays lazy, as roots.

        `moves`: a root's new value may lie in other memory than the old. `shown`: the arrays hold many runs, along a
        first axis, and these are the shapes that they show.
        """
        self.is_used, self.has_ended, self.moves, self.roots = True, False, moves, []
        self.many = len(arrays[0]) if shown else 0
        self.thread = get_ident()
        for array, shape in zip(arrays, shown or [array.shape for array in arrays]):
            self.add_root(array, shape, moves)

    def add_root(self, array, shape, moves=False):
        home = NDArray.__new__(NDArray)
        home.handle, home.writable, array.writable = array.handle, True, Lazy(-1, (shape, array.dtype), home, moves)
        del array.handle
        self.roots.append(array)

    def begin(self, key, data=()):
        """Begins a record of the kind `key`: first come the plain arrays `data`, then the roots."""
        if self.count > MOST_NODES or Graph.built > MOST_GRAPHS:
            self.forget()
        if key not in self.tries:
            self.tries[key] = Node()
        self.is_open, self.node = True, self.tries[key]
        self.numbers, self.inputs, self.values, self.written = [], [], [], []
        for index, array in enumerate(data):
            self.enter(array, (index,))
        for lazy in [root.writable for root in self.roots]:
            lazy.at = lazy.start = self.enter(lazy.home, lazy.kind)

    def enter(self, array, kind):
        """Adds an input; returns its position."""
        self.inputs.append(array)
        node = self.node.get(kind)
        self.node = self._new(kind, None, (), kind, len(self.inputs) - 1) if node is None else node
        return self.node.at

    def _new(self, key, *description):
        node = self.node[key] = Node(*description, before=self.node)
        self.count += 1
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
        if self.many and not operator.is_elementwise:
            self.end(f'{operator.name} looks at more than one number of an array')
        values, path = self.evaluate(), path_to(self.node)
        values.append(self._run(operator, sources, number))
        if number is not None:
            self.numbers.append(number)
        shape = operator.shape([path[at].kind[0] for at in sources]) if self.many else values[-1].shape
        self.node = self._new(key, operator, sources, (shape, values[-1].dtype), len(self.numbers) - 1)
        return self.node.result

    def _run(self, operator, sources, number):
        number = nd.array(packed([number[:self.many]])[0]) if isinstance(number, np.ndarray) else number
        with self.paused():
            return operator.apply(nd, [self.values[at] for at in sources], number)

    @contextmanager
    def paused(self):
        """While the block runs, operators are this record's own and no rule's."""
        before, self.is_open = self.is_open, False
        try:
            yield
        finally:
            self.is_open = before

    def value(self, at):
        """The value at a position so far, as a plain array that nobody else has; the laziness goes on."""
        with self.paused():
            return self.evaluate()[at].copy()

    def evaluate(self):
        """All values so far, as plain arrays, computed one by one."""
        for node in path_to(self.node, len(self.values)):
            number = self.numbers[node.number] if node.takes_number else None
            self.values.append(self._run(node.operator, node.sources, number) if node.operator
                               else self.inputs[node.number])
        return self.values

    def finish(self, layout=Layout()):
        """Ends the record: roots get their new values, other arrays that somebody refers to become plain.

        `layout`: how its graph is built; None: one operator after the other is run.
        """
        with self.paused():
            self._settle(layout)
        self.is_open = False

    def _settle(self, layout):
        path = self.node.path or path_to(self.node)
        self.node.path, held = path, [node for node in path if getrefcount(node.result) > 2]
        if held and self.many:
            for node in held:
                node.result.handle, node.result = None, without_handle(node.at, node.kind)
            raise MixesRuns('a rule that keeps arrays of its own from step to step cannot train many runs: hand them '
                            'over as `states`, or train the runs one by one with train_ch7')
        moved = [root.writable for root in self.roots if root.writable.at != root.writable.start]
        self.wanted = tuple(dict.fromkeys([*(lazy.at for lazy in moved), *(node.result.writable.at for node in held)]))
        results, taken = self._results(layout), set()
        for lazy in moved:
            if lazy.moves:
                lazy.home = results[lazy.at].copy() if lazy.at in taken else results[lazy.at]
                taken.add(lazy.at)
            else:
                results[lazy.at].copyto(lazy.home)
        for node in held:
            make_plain(node.result, results[node.result.writable.at].copy())
            node.result = without_handle(node.at, node.kind)
        for lazy in self.written:
            lazy.at = lazy.start

    def repeat(self, inputs, numbers, layout):
        """The finished record on other inputs: by position, the values that the roots got."""
        self.inputs, self.numbers, self.values = inputs, numbers, []
        return self._results(layout)

    def _results(self, layout):
        """The wanted values by position, as plain arrays that nobody else has."""
        numbers = self.numbers
        if self.many:
            numbers = [number[:self.many] if isinstance(number, np.ndarray) else number for number in numbers]
        # Many runs always take the graph, which rounds in another way: a repeated call has to give the same.
        if layout and self.wanted and (self.many or len(self.values) < len(self.node.path)):
            try:
                graph = graph_for(self.node.path, self.wanted, numbers, layout, self.many)
                if graph:
                    return dict(zip(self.wanted, graph(self.inputs, numbers)))
            except mxnet.base.MXNetError:  # an operator that cannot be part of a graph after all
                self.node.visits = -np.inf
        return {at: self.evaluate()[at].copy() for at in self.wanted}

    def end(self, why):
        """Ends the laziness in the middle of a record: every array is what it would be in an eager run."""
        line = line_of_the_rule()
        if self.many:
            raise MixesRuns(f'{line}{why}, so the runs of an ensemble would mix; train them one by one with train_ch7')
        self.finish(None)
        self.close()
        self.has_ended = True
        warnings.warn(f'{line}{why}; the run goes on eagerly from here', stacklevel=2)

    def close(self):
        """Gives the roots their handles back, with their values and gradients."""
        self.is_open, self.is_used, lazies = False, False, [root.writable for root in self.roots]
        for root, lazy in zip(self.roots, lazies):
            make_plain(root, lazy.home)
        for root, lazy in zip(self.roots, lazies):
            if self.moves and lazy.grad is not None:
                autograd.mark_variables(root, lazy.grad)
        self.roots = []

    def is_mine(self):
        """Whether a record is open, and this thread's."""
        return self.is_open and self.thread == get_ident()

    def forget(self):
        """Forgets all paths and their graphs."""
        nodes, self.tries, self.count, Graph.built = list(self.tries.values()), {}, 0, 0
        while nodes:
            node = nodes.pop()
            nodes += node.values()
            node.result.handle = None  # there is nothing to be freed


def line_of_the_rule():
    """Where the code is that now runs, neither MXNet's nor of this folder, as "file, line 3 `code`: "."""
    frame = sys._getframe()
    while frame and frame.f_globals.get('__name__', '').startswith(('mxnet', __package__)):
        frame = frame.f_back
    file, number = (frame.f_code.co_filename, frame.f_lineno) if frame else ('', 0)
    return f'{os.path.basename(file)}, line {number} `{linecache.getline(file, number).strip()}`: '


RECORD = Record()
atexit.register(RECORD.forget)  # else NDArray.__del__ asks for the handles
