"""The proof of a new trace: one step of the rule and one of its graph, on copies, must do the same."""
from contextlib import contextmanager
from copy import deepcopy
from types import ModuleType

import numpy as np

from .buffers import address
from ..core.compat import mxnet
from .nested import leaves, replace_arrays, structure
from ..command.signals import held
from .stand_ins import UntraceableError, per_run
from .surroundings import content

nd = mxnet.nd
CONTAINERS = (list, dict, set)


@contextmanager
def left_alone(walk):
    """Puts back what a walk has seen, arrays, containers and objects' attributes, however the block ends.

    The proof runs the rule; one that is refused because it keeps a state of its own must not have moved it.
    """
    found = [value for _, value in walk.seen.values()]
    found += [vars(value) for value in found if type(getattr(value, '__dict__', None)) is dict
              and not isinstance(value, (type, ModuleType))]
    kept = [(value, value.copy()) for value in found
            if isinstance(value, nd.NDArray) or isinstance(value, np.ndarray) and value.flags.writeable]
    kept += [(value, kind(value)) for value in found for kind in CONTAINERS if isinstance(value, kind)]
    try:
        yield
    finally:
        with held():
            for value, before in kept:
                _put_back(value, before)


def _put_back(value, before):
    if isinstance(value, (list, nd.NDArray)):
        value[:] = before
    elif isinstance(value, np.ndarray):
        value[...] = before
    else:
        value.clear()
        value.update(before)


def run_eagerly(trainer_fn, params, states, hyperparams):
    """Runs the function as it is, on copies, and returns them; what it raises is its own."""
    arguments = _copies(params, states, hyperparams)
    trainer_fn(*arguments)
    nd.waitall()
    return arguments


def check(step, eager, params, states, hyperparams):
    """Raises UntraceableError unless a `Trace` does to copies what the function has done to `eager`."""
    arguments = _copies(params, states, hyperparams)
    try:
        step.run(*arguments)
        nd.waitall()
    except (mxnet.base.MXNetError, OverflowError) as error:  # the latter from an int too large for a float
        reason = str(error).strip().splitlines()[-1]
        raise UntraceableError(f'does something that MXNet cannot run as a graph ({reason})') from error
    if not _same(eager, arguments):
        raise UntraceableError('does something that the graph does not repeat, with arrays, hyperparameters or states')


def _same(one, other):
    (params, states, hyperparams), (params2, states2, hyperparams2) = one, other
    if structure(states) != structure(states2) or content(hyperparams) != content(hyperparams2):
        return False
    arrays, arrays2 = ([*ps, *(p.grad for p in ps if p.grad is not None), *leaves(s)]
                       for ps, s in ((params, states), (params2, states2)))
    return len(arrays) == len(arrays2) and all(
        np.allclose(a.asnumpy(), b.asnumpy(), rtol=1e-5, atol=1e-6, equal_nan=True) for a, b in zip(arrays, arrays2))


def _copies(params, states, hyperparams):
    """Copies that share buffers where the originals do; equal at each call, and nowhere 0.

    A template's arrays are all 0, and a rule that is wrong with other numbers could be right with those: something is
    added, to gradients of either sign, to the rest above 0, so that a root stays real.
    """
    draws, made = np.random.default_rng(7), {}
    for p in params:
        if address(p) not in made:
            made[address(p)] = copy = _moved(p, draws.uniform(0.01, 0.1, p.shape))
            if p.grad is not None:
                copy.attach_grad()
                copy.grad[:] = _moved(p.grad, draws.normal(0, 1, p.shape))
                made[address(p.grad)] = copy.grad
    for a in leaves(states):
        if address(a) not in made:
            made[address(a)] = _moved(a, draws.uniform(0.01, 0.1, a.shape))
    own = replace_arrays(states, iter([made[address(a)] for a in leaves(states)]))
    return type(params)(made[address(p)] for p in params), own, _own(hyperparams)


def _moved(array, by):
    return nd.array(array.asnumpy() + by.astype(np.float32))


def _own(hyperparams):
    """A copy of the hyperparameters; of one that has a value for each run the first run's."""
    try:
        copy = deepcopy(hyperparams)
    except Exception as error:  # whatever an object's own way of copying raises
        raise UntraceableError(f'has something in hyperparams that cannot be copied ({error})') from error
    for key, value in hyperparams.items():
        if per_run(value):
            copy[key] = value.flat[0].item()
    return copy
