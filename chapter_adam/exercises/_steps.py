"""A rule's single steps: recorded in a training, or replayed on given gradients."""
import numpy as np

from ..core.compat import mxnet

nd = mxnet.nd


class Recorder:
    """A rule that keeps what `look(params, states)` returns after each of its steps, in the list `seen`.

    A training takes it as it takes the rule; `train_ensemble` with hybridize=False, as a traced rule runs no Python.
    """

    def __init__(self, rule, look):
        self.rule, self.look, self.seen = rule, look, []

    def __call__(self, params, states, hyperparams):
        self.rule(params, states, hyperparams)
        self.seen.append(self.look(params, states))


def replay(rule, gradients, dtype='float32', start=0.0, **hyperparams):
    """The steps of a rule with two states on gradients (steps, ...), and its states v and s after each.

    Three arrays (steps, ...). The parameter is put back to 0 before each step, so that no digit of the step is lost in
    it. `start` is what the states hold before the first.
    """
    given = nd.array(gradients, dtype=dtype)
    p = nd.zeros(given.shape[1:], dtype=dtype)
    p.attach_grad()
    state, kept = tuple(nd.full(p.shape, start, dtype=dtype) for _ in range(2)), []
    hyperparams = {'lr': 0.01, 't': 1, **hyperparams}
    for g in given:
        p[:] = 0
        p.grad[:] = g
        rule([p], [state], hyperparams)
        kept.append([a.asnumpy() for a in (p, *state)])
    return tuple(np.stack(each) for each in zip(*kept))
