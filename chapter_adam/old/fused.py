"""The scratch model once more, as fast as MXNet goes: forward, gradient and rule as one graph, ten steps a call.

What a step of the eager model spends is not arithmetic but dispatch: some fifty operators from Python, a tape for the
gradient, a slice for each batch. Here the trained function is the same, but

* the gradient is written in closed form, so that nothing needs to be recorded;
* the rule is traced (`hybridize`) and composed behind it, so that a step is one graph;
* `STEPS_AT_ONCE` steps follow each other in one graph, so that Python is asked once for all of them;
* weights and bias are one array where the rule does the same to both (`stacked`), so that there is half as much to do;
* the graph writes into a second set of arrays and the two sets change places, so that nothing is copied back.
"""
from ..core.compat import mxnet
from .hybridization import as_array, cached_op, hybridize
from .nested import leaves
from .stacked import alike, apply, one_step, stack, stackable, unstack
from .stacked import gradient as stacked_gradient

nd, sym = mxnet.nd, mxnet.sym

# An epoch's median with 1, 2, 5 and 10 steps a graph: 28, 21, 15 and 14 ms. Ten are also what lies between two records.
STEPS_AT_ONCE = 10


def residual(X, y, w, b):
    """X w + b - y, of shape (n, 1), for symbols X (n, d), y (n, 1), w (d, 1) and b (1,)."""
    return sym.broadcast_add(sym.dot(X, w), b) - y


def mean_loss(X, y, w, b):
    """L(w, b) = mean((X w + b - y)^2) / 2, of shape (1,)."""
    return (residual(X, y, w, b) ** 2 / 2).mean()


def gradient(X, y, w, b, n):
    """The gradient of `mean_loss`: with the residual r = X w + b - y, dL/dw = X^T (r / n) and dL/db = sum(r / n).

    Each example's share r / n first, as autograd does it: then even the rounding is autograd's.
    """
    share = residual(X, y, w, b) * (1 / n)
    return sym.dot(X, share, transpose_a=True), share.sum(axis=0)


class FusedModel:
    """Linear regression with a traced rule; does what `models.ScratchModel` does, with the same methods."""

    def __init__(self, w, b, trainer_fn, states, hyperparams):
        self.params, self.states, self.hyperparams = [nd.array(w), nd.array(b)], states, hyperparams
        for p in self.params:
            p.attach_grad()  # never filled: it tells the tracer that the rule may read it
        self.rule, self.d, self.is_warm, self.step = hybridize(trainer_fn), len(w), False, None
        separate = [*self.params, *leaves(states)]
        self._hold(separate, False)
        if stackable(states, self.d):
            self._hold(stack(separate), True)

    def _hold(self, arrays, stacked):
        """Goes on with these arrays, weights and bias stacked or not."""
        self.now, self.next, self.stacked = arrays, [a.copy() for a in arrays], stacked
        self.loss_op = cached_op(whole_loss(self.d, stacked), ['X', 'y', *(['wb'] if stacked else 'wb')])

    def _trace(self, of_all=False):
        """The trace that holds now. From where a graph cannot be stacked on, none is.

        In a batch `of_all` examples the gradient for the bias can be 0 but for rounding, which Adam makes a full step:
        then it has to be summed as autograd does it.
        """
        # Nothing of the reader's runs between the steps: what the rule refers to stays as it is for all of them.
        if self.step is None or not self.step.holds(self.hyperparams):
            self.step = self.rule.trace(self.params, self.states, self.hyperparams)
        if self.stacked and (of_all or not alike(self.step, 2 * len(self.now))):
            self._hold(unstack(self.now, self.d), False)
        return self.step

    def warm_up(self, X, y):
        """Traces the rule and lets MXNet prepare the graphs for batches of X's size, on copies: nothing is trained.

        Only batches of the first size, a full one, come ten in a row.
        """
        step, n, numbers_of_steps = self._trace(), len(X), (1,) if self.is_warm else (1, STEPS_AT_ONCE)
        self.is_warm, numbers = True, step.numbers(self.hyperparams)
        for steps in numbers_of_steps:
            many = nd.concat(*[X] * steps, dim=0), nd.concat(*[y] * steps, dim=0)
            self._op(step, n, steps)(*many, as_array(numbers * steps), *self.now, out=self.next)

    def train(self, X, y, bounds):
        """One step for each minibatch [start, stop) of X (N, d) and y (N,)."""
        bounds = list(bounds)
        while bounds:
            rows = bounds[0][1] - bounds[0][0]
            step = self._trace(of_all=rows == len(X))
            numbers = []
            # As many steps as one graph serves: same number of rows, same way through the rule.
            for start, stop in bounds:
                if stop - start != rows or not step.holds(self.hyperparams):
                    break
                numbers.append(step.numbers(self.hyperparams))
                step.advance(self.hyperparams)
            self._run(step, X, y, bounds[0][0], rows, numbers)
            del bounds[:len(numbers)]

    def _run(self, step, X, y, start, rows, numbers):
        """The steps on consecutive batches of `rows` rows, first as many at once as possible, then one by one."""
        inputs = as_array([value for each in numbers for value in each])
        done, width = 0, len(step.sources)
        while done < len(numbers):
            steps = STEPS_AT_ONCE if len(numbers) - done >= STEPS_AT_ONCE else 1
            stop = start + steps * rows
            own = inputs[done * width:(done + steps) * width] if width else inputs
            self._op(step, rows, steps)(X[start:stop], y[start:stop], own, *self.now, out=self.next)
            self.now, self.next = self.next, self.now
            start, done = stop, done + steps

    def _op(self, step, rows, steps):
        return self.rule.graph(steps_op, step, len(self.now), rows, steps, self.stacked)

    def loss(self, X, y):
        return float(self.loss_op(X, y.reshape((-1, 1)), *self.now[:1 if self.stacked else 2]).asscalar())

    def parameters(self):
        w, b = unstack(self.now[:1], self.d) if self.stacked else self.now[:2]
        return w.asnumpy(), b.asnumpy()


def whole_loss(d, stacked):
    """The symbol of the loss over X and y, of 'w' and 'b' or of both in one, 'wb'."""
    if not stacked:
        return mean_loss(*map(sym.var, 'Xywb'))
    w, b = (sym.slice_axis(sym.var('wb'), axis=0, begin=begin, end=end) for begin, end in ((0, d), (d, d + 1)))
    return mean_loss(sym.var('X'), sym.var('y'), w, b.reshape((1,)))


def steps_op(step, count, rows, steps, stacked):
    """The graph of `steps` steps of a trace over `count` arrays on batches of `rows` rows."""
    names = [f'array{i}' for i in range(count)]
    graph = (unrolled_stacked if stacked else unrolled)(step, names, rows, steps)
    return cached_op(graph, ['X', 'y', 'numbers', *names])


def unrolled(step, names, rows, steps):
    """The symbol of `steps` steps: from X (steps * rows, d), y (steps * rows,), numbers and arrays to new arrays."""
    arrays, width = [sym.var(name) for name in names], len(step.sources)
    X, y = _parts(sym.var('X'), steps), _parts(sym.var('y').reshape((-1, 1)), steps)
    numbers = _parts(sym.var('numbers'), steps * width)
    for k in range(steps):
        g = gradient(X[k], y[k], *arrays[:2], rows)
        arrays = apply(step, arrays[:2], g, arrays[2:], numbers[k * width:(k + 1) * width])
    return sym.Group(arrays)


def unrolled_stacked(step, names, rows, steps):
    """The same with weights and bias in one array, for which X gets a column of ones."""
    arrays, width = [sym.var(name) for name in names], len(step.sources)
    ones = sym.ones_like(sym.slice_axis(sym.var('X'), axis=1, begin=0, end=1))
    X, y = _parts(sym.concat(sym.var('X'), ones, dim=1), steps), _parts(sym.var('y').reshape((-1, 1)), steps)
    numbers = _parts(sym.var('numbers'), steps * width)
    for k in range(steps):
        g = stacked_gradient(X[k], y[k], arrays[0], rows)
        arrays = one_step(step, arrays, g, numbers[k * width:(k + 1) * width])
    return sym.Group(arrays)


def _parts(symbol, count):
    """`count` equal parts along the first axis."""
    return [symbol] if count == 1 else list(symbol.split(num_outputs=count, axis=0)) if count else []
