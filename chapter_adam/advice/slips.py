"""What a run did that was hardly meant: one UserWarning each, never an error."""
import warnings
from contextlib import contextmanager
from numbers import Real

import numpy as np

from ..compat import DEVICE, mxnet
from ..lines import running_line

draws = mxnet.ndarray.random


class Hyperparams(dict):
    """Hyperparameters that note which of them have been read.

    >>> hyperparams = Hyperparams({'lr': 0.1, 't': 1})
    >>> hyperparams['lr'], hyperparams.get('eps', 1e-6), sorted(hyperparams.read)
    (0.1, 1e-06, ['eps', 'lr'])
    """

    def __init__(self, given):
        super().__init__(given)
        self.given, self.read, self.first_t = dict(given), set(), _number(given.get('t'))


def _number(value):
    """A number, or what an array of one holds; None for anything else."""
    value = value.asscalar() if isinstance(value, mxnet.nd.NDArray) and value.size == 1 else value
    return value if isinstance(value, (Real, np.floating)) else None


def _reads_one(name):
    of_dict = getattr(dict, name)

    def method(self, key, *rest):
        self.read.add(key)
        return of_dict(self, key, *rest)
    return method


def _reads_all(name):  # **hyperparams and dict(hyperparams) call __iter__
    def method(self, *rest):
        self.read.update(dict.keys(self))
        return getattr(dict, name)(self, *rest)
    return method


for name in ('__getitem__', '__contains__', 'get', 'pop', 'setdefault'):
    setattr(Hyperparams, name, _reads_one(name))
for name in ('__iter__', '__or__', '__eq__', '__repr__', 'copy', 'items', 'keys', 'values'):
    setattr(Hyperparams, name, _reads_all(name))


def watched(hyperparams):
    """The hyperparameters, which note what is read; a dict of the reader's own class stays as it is."""
    return Hyperparams(hyperparams) if type(hyperparams) is dict else hyperparams


def warn_of_slips(name, hyperparams, steps, left, is_own=False, states=None):
    """Warns of keys that were not read, of a t that does not count the steps, of parameters where they started.

    Args:
        name: the rule's. is_own: every rule of this package takes 'lr' and 't', read or not.
        hyperparams: as they are after the run. steps: how many there were.
        left: the names of the parameters that the run left as they were. states: as the rule was given them.
    """
    if isinstance(hyperparams, Hyperparams):
        _warn_of_keys(name, hyperparams, steps, is_own)
    if left:
        why = 'is lr too small?' if is_own else 'it should write in place, p[:] = ..., where p = ... only renames'
        if isinstance(states, (tuple, list)) and len(states) == 1:
            why = 'states has one entry for two parameters, and zip(params, states) ends with it'
        _warn(f'{name} left {" and ".join(left)} as at the start; {why}')


def _warn_of_keys(name, hyperparams, steps, is_own):
    unread = sorted(map(repr, hyperparams.given.keys() - hyperparams.read - ({'lr', 't'} if is_own else set())))
    if unread:
        _warn(f'{name} never read {", ".join(unread)} of hyperparams; it reads '
              f'{", ".join(sorted(map(repr, hyperparams.read))) or "none"}')
    first, last = hyperparams.first_t, _number(dict.get(hyperparams, 't'))
    if 't' in hyperparams.read and first is not None and last != first + steps:
        _warn(f"{name} moved hyperparams['t'] from {first:g} to {last} in {steps} steps; it should add 1 in each")


@contextmanager
def draws_noted(name):
    """Warns if a rule draws random numbers from MXNet while the block runs."""
    def first(*arguments):
        draws._random_helper = helper
        _warn(f'{running_line()}{name} draws with nd.random, which `seed` does not reach; for a run that can be '
              'repeated call mxnet.random.seed(0) before it')
        return helper(*arguments)

    with DEVICE:
        helper, draws._random_helper = draws._random_helper, first
        try:
            yield
        finally:
            draws._random_helper = helper


def _warn(message):
    line = running_line()
    warnings.warn_explicit(message, UserWarning, line.file or 'chapter_adam', line.number or 1)
