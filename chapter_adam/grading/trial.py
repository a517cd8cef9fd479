"""A reader's rule, run on a stream: what it does to parameters and states, what it reads, and where it fails."""
import os
import warnings
from copy import deepcopy
from functools import update_wrapper
from types import FunctionType

import numpy as np

from ..advice import Hyperparams
from ..compat import DEVICE, mxnet
from ..core.checks import copies, short
from ..lines import failed_line

nd = mxnet.nd


class Failure:
    """An exception that a rule raised: the step, the kind, and the reader's own line."""

    def __init__(self, error, step):
        self.error, self.step, self.kind = error, step, type(error).__name__
        self.reason = ' '.join((str(error).strip().splitlines() or [''])[-1].split())
        self.line = line_of(error)


def line_of(error):
    """The line of the rule that failed, as "my_rules.py, line 3 `code`"; '' if it is none of the reader's."""
    line = failed_line(error)
    code = f' `{line.text}`' if line.text else ''
    return f'{os.path.basename(line.file)}, line {line.number}{code}' if line.number else ''


class Trial:
    """What a rule did on a stream.

    Attributes:
        path: (steps + 1, n), the parameters before the first step and after each, as many as it took.
        states: after each step, the arrays in its states, flattened, as a list.
        failure: None, or a Failure.
        hyperparams: as the rule left them, with the keys that it `asked` for.
    """

    def __init__(self, rule, stream, states, hyperparams):
        self.stream, self.failure, self.states = stream, None, []
        rule = fresh(rule)
        states, hyperparams = copies(states, dict(hyperparams))
        self.hyperparams = Hyperparams(hyperparams)
        with DEVICE, np.errstate(all='ignore'), warnings.catch_warnings(record=True) as self.warned:
            warnings.simplefilter('always')
            self.path = np.array([stream.start, *self._steps(rule, states)])
            self.moves = np.diff(self.path, axis=0)

    def _steps(self, rule, states):
        """The parameters after each step, until the rule raises."""
        start, *gradients = (self.stream.split(row) for row in (self.stream.start, *self.stream.gradients))
        params = [nd.array(part, dtype=np.float32) for part in start]
        for p in params:
            p.attach_grad()
        for step, parts in enumerate(gradients, 1):
            for p, part in zip(params, parts):
                p.grad._sync_copyfrom(part)
            try:
                rule([*params], states, self.hyperparams)
                nd.waitall()
            except Exception as error:  # whatever a reader's code raises
                self.failure = Failure(error, step)
                return
            self.states.append([array.asnumpy().ravel().astype(float) for array in arrays_of(states)])
            yield np.concatenate([p.asnumpy().ravel() for p in params]).astype(float)

    @property
    def t_moved(self):
        """Whether the rule changed the number of the step in its hyperparams."""
        return self.hyperparams.get('t') != self.stream.first


def fresh(rule):
    """A copy of a rule that begins anew: an object's own numbers, and those of a function's module, such as a clock.

    >>> def adam():
    ...     global clock
    ...     clock = clock + 1 if 'clock' in globals() else 1
    ...     return clock
    >>> fresh(adam)(), fresh(adam)()
    (1, 1)
    """
    if not isinstance(rule, FunctionType):
        return deepcopy(rule)
    copy = FunctionType(rule.__code__, dict(rule.__globals__), rule.__name__, rule.__defaults__, rule.__closure__)
    copy.__kwdefaults__ = rule.__kwdefaults__
    return update_wrapper(copy, rule)


def arrays_of(value, seen=()):
    """The NDArrays in nested tuples, lists, dicts and objects, as often as they stand there."""
    if isinstance(value, nd.NDArray):
        return [value]
    if isinstance(value, np.ndarray) and value.dtype.kind == 'f':
        return [nd.array(value)]
    if id(value) in seen or isinstance(value, (str, bytes, type, FunctionType)):
        return []
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, (tuple, list)) else (
        vars(value).values() if hasattr(value, '__dict__') else ())
    return [array for part in parts for array in arrays_of(part, (*seen, id(value)))]


def explain(trial, name, hyperparams):
    """What a rule's failure means, as a sentence or two; '' where nothing more is known."""
    error, reason, failure = trial.failure.error, trial.failure.reason, trial.failure
    if isinstance(error, KeyError) and error.args and isinstance(error.args[0], str) and (
            error.args[0] not in hyperparams):
        key, given = error.args[0], ', '.join(f'{key!r}: {short(value)}' for key, value in hyperparams.items())
        return (f"The book calls a rule with {{'lr': ..., 't': 1}}: read those, with hyperparams.get({key!r}, ...) for "
                f'more; or check it with hyperparams={{{key!r}: ..., ...}} (given here: {given}).')
    if 'ufunc' in reason or any('nested sequences' in str(each.message) for each in trial.warned):
        return 'NumPy cannot compute with NDArrays here: use nd.sqrt(x) or x.sqrt().'
    if isinstance(error, UnboundLocalError):
        return 'A name is assigned in the rule and used before: is a `global` missing, or the assignment further down?'
    if not failure.line and isinstance(error, TypeError):
        return f'It is called as {name}(params, states, hyperparams).'
    if isinstance(error, (mxnet.base.MXNetError, TypeError, ValueError, IndexError, KeyError)):
        return (f'Do the states fit? It got those of init_{name}_states if that stands beside it, else zeros; give '
                'others with states=..., and each parameter its own.')
    return ''
