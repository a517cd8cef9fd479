"""Steps of a training on lazy arrays: gradients in closed form, the rule behind them, some steps as one record."""
from ..lazy import RECORD

STEPS_AT_ONCE = 10  # also what lies between two records of the book's curve


class Gradient:
    """The operator that computes the gradient of w (part 0) or b (part 1) in one step of a record."""
    takes_number, is_elementwise = False, True

    def __init__(self, batches, step, part):
        self.batches, self.step, self.part = batches, step, part

    @property
    def twin(self):
        return self.batches.operators[self.step][1]

    def shape(self, shapes):
        return shapes[2 + self.part]

    def apply(self, F, arrays, number=None):
        *data, w, b = arrays
        return self.batches.gradient(F, self.batches.batch(F, *data, self.step), w, b)[self.part]


class Batches:
    """The gradients on the minibatches of one record, for one kind of training; a subclass says how they are computed.

    Args:
        n, steps, d: rows of a minibatch, steps of the record, features. may_stack: w and b may become one array.
    """
    known = {}

    def __init__(self, n, steps, d, may_stack=True):
        self.n, self.steps, self.d, self.may_stack = n, steps, d, may_stack
        self.operators = [(Gradient(self, step, 0), Gradient(self, step, 1)) for step in range(steps)]

    @classmethod
    def of(cls, *sizes):
        """The one for these sizes, which their graphs refer to."""
        key = cls, *sizes
        return key, cls.known.setdefault(key, cls(*sizes))


class Steps:
    """Parameters, their gradients, and a rule that is called on them while they are lazy."""

    def __init__(self, params, grads, trainer_fn, states, hyperparams):
        self.params, self.grads, self.trainer_fn = params, grads, trainer_fn
        self.states, self.hyperparams = states, hyperparams

    def take(self, kind, sizes, data, runs=None):
        """As many steps as `sizes` says, on the minibatches in the arrays `data`; returns how many were taken."""
        key, batches = kind.of(*sizes)
        RECORD.begin((key, runs), data)
        w, b, grad_w, grad_b = (array.writable for array in (*self.params, *self.grads))
        w.grad, b.grad = self.grads
        for step, (of_w, of_b) in enumerate(batches.operators):
            sources = 0, 1, w.at, b.at
            grad_w.at = RECORD.follow(-1 - (w.at << 20) - (b.at << 40), of_w, sources).writable.at
            grad_b.at = RECORD.follow(-1, of_b, sources).writable.at
            self.trainer_fn([*self.params], self.states, self.hyperparams)
            if RECORD.has_ended:
                return step + 1
        grad_w.start, grad_b.start = grad_w.at, grad_b.at  # nobody asks for them any more
        RECORD.finish(len(batches.operators))
        return len(batches.operators)


def as_many(sizes):
    """How many of the next minibatches one record takes: ten of one size, or one."""
    return STEPS_AT_ONCE if sizes[:STEPS_AT_ONCE].count(sizes[0]) == STEPS_AT_ONCE else 1
