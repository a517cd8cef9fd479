"""Many steps of a rule on many problems of one parameter each, kept in [-1, 1]: the columns of one array.

A step of such a problem is next to no work: to call it from Python is what it costs. So ten steps are one graph.
"""
import numpy as np

from ..core.compat import mxnet
from ..old.fused import apply
from ..old.hybridization import cached_op, hybridize
from ..old.nested import leaves
from ..rules.optimizers import RULES

AT_ONCE = 10


def walk_columns(rule, starts, slopes, rate, betas):
    """Where each step leads before it is cut to [-1, 1], and the state that the step is divided by the root of.

    Both are (steps, columns). `starts` (1, columns), `slopes` (steps, columns), steps a multiple of ten; `rate`, a
    function of t; `betas`, for each name one number per column.
    """
    function, init_states = RULES[rule]
    x = mxnet.nd.array(starts)
    x.attach_grad()
    states = [tuple(mxnet.nd.zeros(x.shape) for _ in init_states(1)[0])]
    hyperparams = {'lr': rate(1), 't': 1, **{name: np.reshape(each, (-1, 1, 1)) for name, each in betas.items()}}
    step, now, walked = hybridize(function).trace([x], states, hyperparams), [x, *leaves(states)], []
    op = cached_op(_graph(step, len(now)), ['slopes', 'numbers', *(f'array{i}' for i in range(len(now)))])
    for done in range(0, len(slopes), AT_ONCE):
        numbers = [_numbers_at(step, {**hyperparams, 'lr': rate(t), 't': t}, starts.size)
                   for t in range(done + 1, done + AT_ONCE + 1)]
        *now, unkept, sizes = op(mxnet.nd.array(slopes[done:done + AT_ONCE]), mxnet.nd.array(np.vstack(numbers)), *now)
        walked.append((unkept, sizes))
    return [np.concatenate([part.asnumpy() for part in parts]) for parts in zip(*walked)]


def _numbers_at(step, hyperparams, columns):
    """What a traced step computes from the hyperparameters alone, (numbers, columns)."""
    numbers = np.empty((len(step.sources), columns), np.float32)
    for i, number in enumerate(step.numbers(hyperparams)):
        numbers[i] = np.ravel(number)  # one for all columns, or one for each
    return numbers


def _graph(step, count):
    """Ten steps of a traced rule on the slopes (10, columns), x cut to [-1, 1] after each, as one symbol."""
    sym = mxnet.sym
    arrays, unkept, sizes = [sym.var(f'array{i}') for i in range(count)], [], []
    slopes = sym.var('slopes').split(num_outputs=AT_ONCE, axis=0)
    numbers, width = sym.var('numbers').split(num_outputs=AT_ONCE * len(step.sources), axis=0), len(step.sources)
    for k in range(AT_ONCE):
        arrays = apply(step, arrays[:1], [slopes[k]], arrays[1:], [numbers[k * width + i] for i in range(width)])
        unkept.append(arrays[0])
        sizes.append(arrays[-1])  # Adam's and Yogi's s, AMSGrad's top
        arrays[0] = arrays[0].clip(-1, 1)
    return sym.Group([*arrays, sym.concat(*unkept, dim=0), sym.concat(*sizes, dim=0)])
