"""Steps of a training on lazy arrays: gradients in closed form, the rule behind them, some steps as one record."""
from functools import cache

from ..lazy import RECORDER, Layout, equal
from ..compat import mxnet

sym = mxnet.sym
STEPS_AT_ONCE = 10  # also what lies between two records of the book's curve


class Gradient:
    """The operator that computes the gradient of w (part 0) or b (part 1) in one step of a record."""
    takes_number, is_elementwise = False, True

    def __init__(self, batches, step, part):
        self.batches, self.step, self.part = batches, step, part

    def shape(self, shapes):
        return shapes[2 + self.part]

    def apply(self, F, arrays, number=None):
        *data, w, b = arrays
        return self.batches.gradient(F, self.batches.batch(F, *data, self.step), w, b)[self.part]


class Batches(Layout):
    """The minibatches of one record and the gradients on them; a subclass says how they are computed.

    In the graph w and b are one array, `wb`, where the record does the same to both, elementwise: half the work.

    Args:
        n, steps, d: rows of a minibatch, steps of the record, features. may_stack: w and b may become one array.
    """
    def __init__(self, n, steps, d, may_stack=True):
        self.n, self.steps, self.d, self.may_stack = n, steps, d, may_stack
        self.operators = [(Gradient(self, step, 0), Gradient(self, step, 1)) for step in range(steps)]

    @classmethod
    @cache
    def of(cls, *sizes):
        """The one for these sizes, which their graphs refer to."""
        return cls(*sizes)

    def same_numbers(self, nodes, numbers):
        return [(nodes[w].number, nodes[b].number) for b, w in self.pairs(nodes, numbers).items()
                if nodes[b].takes_number]

    def pairs(self, nodes, numbers):
        """For the position of each value of b that of w's value, if the record does the same to both; or {}."""
        gradient, own, pairs = next(node for node in nodes if type(node.operator) is Gradient), nodes[2:], {}
        of_w, of_b = ([node for node in own if node.kind == nodes[at].kind] for at in gradient.sources[2:])
        if not self.may_stack or not len(of_w) == len(of_b) == len(own) / 2:
            return {}
        for w, b in zip(of_w, of_b):
            pairs[b.at] = w.at
            if (w.operator, b.operator) in self.operators and pairs.get(w.sources[3]) == w.sources[2]:
                continue
            if w.operator != b.operator or [pairs.get(at) for at in b.sources] != [*w.sources]:
                return {}
            if w.operator and not w.operator.is_elementwise:
                return {}
            if w.takes_number and not equal([numbers[w.number]], [numbers[b.number]]):
                return {}
        return pairs

    def symbols(self, nodes, numbers, given, wanted):
        pairs, values = self.pairs(nodes, numbers), {}
        if not pairs:
            return super().symbols(nodes, numbers, given, wanted)
        data = [node.symbol() for node in nodes[:2]]
        for b, w in pairs.items():
            node, operator = nodes[w], nodes[w].operator
            if operator is None:
                values[w] = self.stack(node.symbol(), nodes[b].symbol())
            elif type(operator) is Gradient:
                values[w] = self.stacked_gradient(self.batch(sym, *data, operator.step), values[node.sources[2]])
            else:
                values[w] = node.apply(sym, values, given)
        return [self.unstack(values[pairs.get(at, at)])[at in pairs] for at in wanted]


class Steps:
    """Parameters, and a rule that is called on them while they are lazy."""

    def __init__(self, params, trainer_fn, states, hyperparams):
        self.params, self.trainer_fn, self.states, self.hyperparams = params, trainer_fn, states, hyperparams

    def take(self, batches, data, runs=None):
        """The steps of `batches`, whose minibatches are in the arrays `data`; returns how many were taken."""
        RECORDER.begin((batches, runs), data)
        rule, follow, arguments = self.trainer_fn, RECORDER.follow, (self.states, self.hyperparams)
        w, b = (p.writable for p in self.params)
        grad_w, grad_b = w.grad.writable, b.grad.writable
        for step, (of_w, of_b) in enumerate(batches.operators):
            sources = 0, 1, w.at, b.at
            grad_w.at = follow(sources, of_w, sources).writable.at
            grad_b.at = follow(Gradient, of_b, sources).writable.at  # behind `of_w` a key need not say more
            rule([*self.params], *arguments)
            if RECORDER.has_ended:
                return step + 1
        RECORDER.finish(batches)
        return batches.steps


def steps_of_record(sizes):
    """How many of the next minibatches one record takes: ten of one size, or one."""
    return STEPS_AT_ONCE if sizes[:STEPS_AT_ONCE].count(sizes[0]) == STEPS_AT_ONCE else 1
