"""What lazy arrays and records are made of: a lazy array's content, and a node of the trie of records."""
from ..compat import mxnet

NDArray = mxnet.nd.NDArray


class Lazy:
    """What the attribute `writable` of a lazy NDArray holds.

    `at` is its value's position and `start` where that was at first, or -1 where it has joined in this record; `kind`
    its shape and type, `grad` the lazy NDArray of its gradient. A root, an array from outside, also has `home`, a plain
    NDArray with its value before the record, and `origin`, one with its own memory, the addresses `span`, which gets
    the value in the end.
    """
    __slots__ = ('at', 'start', 'kind', 'grad', 'home', 'origin', 'span')

    def __init__(self, at, kind, grad=None, home=None, span=None):
        self.at = self.start = at
        self.kind, self.grad, self.home, self.origin, self.span = kind, grad, home, home, span


class Node(dict):
    """One value of a record; as a dict, the nodes that have followed it, by what was done.

    `operator` is None for an input; `sources` are its inputs' positions, `at` its own; `kind` is its shape and type;
    `number` is the index of its number, or of the input; `result` is the lazy array that is handed out for it.
    At the end of a record `path` holds its nodes, `times` how often it has come, and `graphs` its graphs, by what they
    return.
    """
    __slots__ = ('operator', 'sources', 'at', 'kind', 'before', 'number', 'result', 'path', 'graphs', 'times')

    def __init__(self, operator=None, sources=(), kind=None, number=None, before=None):
        self.operator, self.sources, self.kind, self.number, self.before = operator, sources, kind, number, before
        self.at, self.path, self.graphs, self.times = before.at + 1 if before is not None else -1, None, {}, 0
        self.result = without_handle(self.at, kind)

    def __repr__(self):  # a dict's shows all that has ever followed
        return f'<Node {self.at}: {self.operator or "input"}, {len(self)} follow>'

    @property
    def takes_number(self):
        return self.operator is not None and self.operator.takes_number

    def apply(self, F, values, numbers):
        """The value of an operator's node from those of the record: with F = mxnet.sym, a symbol."""
        number = numbers[self.number] if self.takes_number else None
        return self.operator.apply(F, [values[at] for at in self.sources], number)

    def symbol(self):
        """The variable of an input."""
        return mxnet.sym.var(f'input{self.number}')


def path_to(node, first=0):
    """The nodes of a record from the position `first` to a node."""
    nodes = []
    while node.at >= first:
        nodes.append(node)
        node = node.before
    return nodes[::-1]


def without_handle(at, kind):
    array = NDArray.__new__(NDArray)
    array.writable = Lazy(at, kind)
    return array


def make_plain(array, other):
    """Makes a lazy array plain, with the memory of a plain one, which ends with it."""
    array.handle, array.writable, other.handle = other.handle, True, None


def real(array):
    """The plain array with a root's value, between two records."""
    return array.writable.home if type(array.writable) is Lazy else array
