"""A reader's rule, run on a stream: what it does to parameters and states, what it reads, and where it fails."""
import os
import warnings
from copy import copy, deepcopy
from types import CellType, CodeType, FunctionType, MethodType, ModuleType

import numpy as np

from ..advice import Hyperparams, advice_on
from ..compat import DEVICE, mxnet
from ..core.checks import copies, short
from ..lines import failed_line

nd = mxnet.nd
PACKAGES = ('chapter_adam', 'mxnet', 'numpy')


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
        hyperparams: as the rule left them, with the keys that it has `read`.
        meant: its hyperparameters under the oracle's names.
    """

    def __init__(self, rule, stream, states, hyperparams):
        self.stream, self.failure, self.states, self.meant = stream, None, [], {}
        rule = fresh(rule)
        states, hyperparams = copies(states, dict(hyperparams))
        self.hyperparams = Hyperparams(hyperparams)
        with DEVICE, warnings.catch_warnings(record=True) as self.warned:
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
            except (Exception, SystemExit) as error:  # whatever a reader's code raises
                self.failure = Failure(error, step)
                return
            self.states.append([array.asnumpy().ravel().astype(float) for array in arrays_of(states)])
            yield np.concatenate([p.asnumpy().ravel() for p in params]).astype(float)

    def at(self, value, role='eps'):
        """The same trial, of a rule taken to have this eps, or another hyperparameter; None: as it is."""
        other = copy(self)
        other.meant = self.meant if value is None else {**self.meant, role: value}
        return other

    @property
    def t_moved(self):
        """Whether the rule changed the number of the step in its hyperparams."""
        return self.hyperparams.get('t') != self.stream.first


def fresh(value, memo=None):
    """A copy of a rule, of the reader's functions that it calls, and of what they read and change; `memo`: deepcopy's.

    What cannot be copied, such as a generator, is shared.

    >>> from functools import partial
    >>> from itertools import count
    >>> clock = partial(next, count(1))
    >>> fresh(clock)(), fresh(clock)(), clock()
    (1, 1, 1)
    """
    memo = {} if memo is None else memo
    if id(value) in memo or isinstance(value, (ModuleType, type)):
        return memo.get(id(value), value)
    if isinstance(value, FunctionType):
        return _function(value, memo) if _is_readers(value) else value
    if isinstance(value, MethodType):
        return MethodType(fresh(value.__func__, memo), fresh(value.__self__, memo))
    for part in (*getattr(value, '__dict__', {}).values(), getattr(value, 'func', None)):  # deepcopy shares functions
        if isinstance(part, FunctionType):
            fresh(part, memo)
    try:
        return deepcopy(value, memo)
    except Exception:  # whatever an object's own way of copying raises
        return value


def _function(value, memo):
    names = memo.setdefault(id(value.__globals__), dict(value.__globals__))
    old = value.__closure__ or ()
    copy = memo[id(value)] = FunctionType(value.__code__, names, value.__name__, closure=tuple(
        memo.setdefault(id(cell), CellType()) for cell in old) or None)
    for cell, new in zip(old, copy.__closure__ or ()):
        if cell != CellType() and new == CellType():  # neither is empty before it is filled, in a recursion
            new.cell_contents = fresh(cell.cell_contents, memo)
    for name in _names(value.__code__) & value.__globals__.keys():
        names[name] = fresh(value.__globals__[name], memo)
    copy.__defaults__ = value.__defaults__ and tuple(fresh(each, memo) for each in value.__defaults__)
    copy.__kwdefaults__ = fresh(value.__kwdefaults__, memo)
    copy.__dict__.update({name: fresh(each, memo) for name, each in vars(value).items()})
    copy.__module__, copy.__qualname__, copy.__doc__ = value.__module__, value.__qualname__, value.__doc__
    return copy


def _names(code):
    """The names that code reads or changes, within functions too."""
    return {*code.co_names}.union(*(_names(each) for each in code.co_consts if isinstance(each, CodeType)))


def _is_readers(function):
    """Whether a function is the reader's, and not a library's."""
    file = function.__code__.co_filename
    return (function.__module__ or '').partition('.')[0] not in PACKAGES and 'site-packages' not in file and (
        not file.startswith(os.path.dirname(os.__file__)))


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
        key, given = error.args[0], short(dict(hyperparams))
        return (f"The book calls a rule with {{'lr': ..., 't': 1}}: read those, with hyperparams.get({key!r}, ...) for "
                f'more; or check it with hyperparams={{{key!r}: ..., ...}} (given here: {given}).')
    if isinstance(error, UnboundLocalError):
        return 'A name is assigned in the rule and used before: is a `global` missing, or the assignment further down?'
    if not failure.line and isinstance(error, TypeError):
        return f'It is called as {name}(params, states, hyperparams).'
    # NumPy makes an array of arrays of an NDArray, which fails a line later; from 1.24 on it fails itself.
    if 'number of dimension' in reason or any('nested sequences' in str(each.message) for each in trial.warned):
        return 'NumPy cannot compute with NDArrays: use nd.sqrt(x) or x.sqrt().'
    if not isinstance(error, (mxnet.base.MXNetError, AttributeError, TypeError, ValueError, IndexError, KeyError)):
        return ''
    advice = advice_on(error, failed_line(error), reason, hyperparams)
    if advice.endswith('fit?'):
        advice += f' The states are those of init_{name}_states if that stands beside it, else zeros'
    return f'{advice[0].upper()}{advice[1:]}.'
