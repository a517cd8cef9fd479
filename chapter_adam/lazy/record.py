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
from sys import getrefcount

import numpy as np

from ..core.compat import mxnet
from ..core.training import MixesRuns
from .graph import as_array, graph_for

nd, NDArray = mxnet.nd, mxnet.nd.NDArray
MOST_NODES = 50_000  # of all paths together, some 20 MB; then they are forgotten


class Node(dict):
    """One value of a record; as a dict, the nodes that have followed it, by what was done.

    `operator` is None for an input; `sources` are its inputs' positions, `at` its own; `kind` is its shape and type;
    `number` is the index of its number, or of the input; `result` is the lazy array that is given out for it.
    """
    __slots__ = ('operator', 'sources', 'at', 'kind', 'before', 'number', 'result', 'path',
                 'graphs', 'visits')


class Lazy:
    """What a lazy NDArray has in place of a handle.

    `at` is its value's position, `kind` its shape and type, `grad` the lazy NDArray of its gradient. A root, an array
    from outside, also has `home`, the NDArray that it was; `real`, the one with its value before the record; `start`,
    that value's position.
    """
    __slots__ = ('at', 'kind', 'grad', 'home', 'real', 'start')


class Record:
    """The record of this moment. There is one; who uses it holds `compat.DEVICE`."""
    __slots__ = ('node', 'numbers', 'inputs', 'values', 'path', 'roots', 'swaps', 'runs', 'is_open',
                 'has_ended', 'tries', 'count')

    def __init__(self):
        self.is_open, self.tries, self.count = False, {}, 0

    def open(self, arrays, swaps=False, runs=None):
        """Makes arrays lazy, as roots.

        `swaps`: until `close` a root's value may lie in other memory than its own. `runs`: along a first axis, which
        they do not show, the arrays hold so many runs.
        """
        self.has_ended, self.swaps, self.runs, self.roots = False, swaps, runs, []
        for array in arrays:
            self.add_root(array)

    def add_root(self, array):
        lazy, home = Lazy(), NDArray.__new__(NDArray)
        lazy.kind, lazy.grad, lazy.home, lazy.real = self.kind_of(array), None, home, home
        home.handle, home.writable, array.writable = array.handle, True, lazy
        lazy.at = lazy.start = -1
        del array.handle
        self.roots.append(array)

    def kind_of(self, array):
        return one(array.shape[1:] if self.runs else array.shape, array.dtype)

    def begin(self, key, data=()):
        """Starts a record of the kind `key`: first come the plain arrays `data`, then the roots."""
        if self.count > MOST_NODES:
            self.forget()
        if key not in self.tries:
            self.tries[key] = Node()
            self.tries[key].at = -1
        self.node, self.numbers, self.inputs, self.values, self.path = self.tries[key], [], [], [], []
        self.is_open = True
        for k, array in enumerate(data):
            self.enter(array, (k,))
        for lazy in [root.writable for root in self.roots]:
            lazy.at = lazy.start = self.enter(lazy.real, lazy.kind)

    def forget(self):
        """Forgets all paths and their graphs; there is nothing to be freed behind an array without a handle."""
        nodes, self.tries, self.count = list(self.tries.values()), {}, 0
        while nodes:
            node = nodes.pop()
            nodes += node.values()
            if node.at >= 0:
                node.result.handle = None

    def enter(self, array, kind):
        """Adds an input; returns its position."""
        self.inputs.append(array)
        self.node = self.node.get(kind) or self._new(kind, None, (), kind, len(self.inputs) - 1)
        return self.node.at

    def enter_plain(self, array):
        """The same for an array of the rule's own: a copy, since it may be written to later."""
        kind, copy = one(array.shape, array.dtype), array.copy()
        return self.enter(copy.reshape(for_runs(array.shape)) if self.runs else copy, kind)

    def _new(self, key, operator, sources, kind, number):
        node = self.node[key] = Node()
        node.operator, node.sources, node.kind, node.number = operator, sources, kind, number
        node.before, node.at, node.graphs, node.visits, node.path = self.node, self.node.at + 1, {}, 0, None
        node.result = _temporary(node)
        self.count += 1
        return node

    def grow(self, key, operator, sources, number=None):
        """Runs an operator that has not followed here before, and writes it down; returns the result, lazy."""
        if self.runs and not operator.is_elementwise:
            self.end(f'{operator.name} looks at more than one number of an array')
        values = self.evaluate()
        result = _run(operator, values, sources, number)
        if number is not None:
            self.numbers.append(number)
        shape = operator.shape([self.path[at].kind[0] for at in sources]) if self.runs else result.shape
        self.node = self._new(key, operator, sources, one(shape, result.dtype), len(self.numbers) - 1)
        values.append(result)
        self.path.append(self.node)
        return self.node.result

    def evaluate(self):
        """All values so far, as plain arrays, computed one by one."""
        nodes, node, values = [], self.node, self.values
        while node.at >= len(values):
            nodes.append(node)
            node = node.before
        for node in reversed(nodes):
            number = self.numbers[node.number] if node.operator and node.operator.takes_number else None
            values.append(_run(node.operator, values, node.sources, number) if node.operator
                          else self.inputs[node.number])
            self.path.append(node)
        return values

    def finish(self, steps=0, by_graph=True):
        """Ends the record: roots get their new values, other arrays that somebody refers to become plain.

        `steps`: how many steps of a training it holds, the data before them. `by_graph`: not one by one.
        """
        self.is_open, path = False, path_to(self.node)
        held = [node.at for node in path if getrefcount(node.result) > 2]
        moved = [root.writable for root in self.roots if root.writable.at != root.writable.start]
        wanted = tuple(dict.fromkeys([*(lazy.at for lazy in moved), *held]))
        graph = by_graph and wanted and len(self.values) < len(path) and graph_for(path, wanted, self.numbers, steps)
        results = dict(zip(wanted, graph(self.inputs, self.numbers) if graph else
                           [self.evaluate()[at].copy() for at in wanted]))
        for lazy in moved:
            if self.swaps:
                lazy.real = results[lazy.at]
            else:
                results[lazy.at].copyto(lazy.home)
        for at in held:
            _make_plain(path[at].result, results[at].copy())
            path[at].result = _temporary(path[at])

    def end(self, why):
        """Ends the laziness in the middle of a record: every array is what it would be in an eager run."""
        line = _line_of_the_rule()
        if self.runs:
            raise MixesRuns(f'{line}{why}, so the runs of an ensemble would mix; train them one by one with train_ch7')
        self.finish(by_graph=False)
        self.close()
        self.has_ended = True
        warnings.warn(f'{line}{why}; the run goes on eagerly from here', stacklevel=2)

    def close(self):
        """Gives the roots their handles back."""
        lazies = [root.writable for root in self.roots]
        for root, lazy in zip(self.roots, lazies):
            _make_plain(root, lazy.home)
        for root, lazy in zip(self.roots, lazies):
            if lazy.real is not lazy.home:
                lazy.real.copyto(root)
        self.roots = []


def one(*kind, known={}):
    """A shape and a type as a tuple, always the same one: then `is` compares kinds."""
    return known.setdefault(kind, kind)


def path_to(node):
    """The nodes of a record up to its last."""
    if node.path is None:
        nodes = [node]
        while nodes[-1].before.at >= 0:
            nodes.append(nodes[-1].before)
        node.path = nodes[::-1]
    return node.path


def real(array):
    """An array that is no value of a record now, as a plain array; of a root its value since the last record."""
    return array.writable.real if type(array.writable) is Lazy else array


def for_runs(shape):
    """How the array of one run lies among those of many: (5, 1) as (1, 5, 1), and (1,) as (1, 1, 1)."""
    return (1, *shape) if len(shape) > 1 else (1, *shape, 1)


def _run(operator, values, sources, number):
    if isinstance(number, np.ndarray):
        number = as_array([number])[0]
    return operator.apply(nd, [values[at] for at in sources], number)


def _temporary(node):
    array, lazy = NDArray.__new__(NDArray), Lazy()
    array.writable, lazy.at, lazy.kind, lazy.grad, lazy.home = lazy, node.at, node.kind, None, None
    return array


def _make_plain(array, real):
    """Gives a lazy array the handle of a plain one, which is left empty."""
    array.handle, array.writable, real.handle = real.handle, True, None


def _line_of_the_rule():
    """Where the code is that now runs, neither MXNet's nor of this folder, as "file, line 3 `code`: "."""
    frame = sys._getframe()
    while frame and frame.f_globals.get('__name__', '').startswith(('mxnet', __package__)):
        frame = frame.f_back
    file, number = (frame.f_code.co_filename, frame.f_lineno) if frame else ('', 0)
    return f'{os.path.basename(file)}, line {number} `{linecache.getline(file, number).strip()}`: '


RECORD = Record()
atexit.register(RECORD.forget)  # before NDArray.__del__ asks for the handles
