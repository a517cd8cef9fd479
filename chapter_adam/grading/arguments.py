"""What a rule is given when it is checked: states for the number of features, and hyperparameters under any names."""
from inspect import signature
from numbers import Real

import numpy as np

from ..core.checks import short
from ..rules import RULES
from .trial import arrays_of

LR = 0.02  # not the section's, so that a rule with 0.01 written into it differs
USUAL_EPS = (1e-8, 1e-7, 1e-6, 1e-5, 1e-4, 1e-3, 1e-9, 1e-10, 1e-12, 2.0 ** -23, 0.01)
# What the hyperparameters become in a second run.
OTHERS = {'lr': 0.3, 'beta1': 0.8, 'beta2': 0.95, 'eps': 0.1, 'momentum': 0.6, 'gamma': 0.7, 'rho': 0.7}
# How readers call them, without case and underlines.
NAMES = {name: words.split() for name, words in {
    'lr': 'lr learningrate alpha eta stepsize rate a', 't': 't step steps k n i iter iteration timestep time count',
    'beta1': 'beta1 b1 beta', 'beta2': 'beta2 b2', 'eps': 'eps epsilon e', 'momentum': 'momentum mu mom beta gamma',
    'gamma': 'gamma gamma1 rho decay beta beta2', 'rho': 'rho gamma decay beta'}.items()}


def letters(key):
    """A key without case and underlines."""
    return key.lower().replace('_', '').replace(' ', '').replace('-', '') if isinstance(key, str) else ''


def role_of(key, oracle):
    """Which of the oracle's hyperparameters a reader's key means; None if none.

    >>> from .known import ORACLES
    >>> role_of('learning_rate', ORACLES['adam']), role_of('Beta_2', ORACLES['adam']), role_of('wd', ORACLES['adam'])
    ('lr', 'beta2', None)
    """
    return next((role for role in ('lr', 't', *oracle.hyperparams) if letters(key) in NAMES[role]), None)


def meaning(hyperparams, oracle):
    """A reader's hyperparameters under the oracle's names, with its defaults for those that are not given."""
    found = {'lr': LR, 't': 1, **oracle.hyperparams}
    for key, value in hyperparams.items():
        values = list(zip(('beta1', 'beta2'), value)) if letters(key) == 'betas' else [(role_of(key, oracle), value)]
        found.update({role: number(key, each) for role, each in values if role in found})
    guess(found, {role_of(key, oracle) for key in hyperparams}, [
        value for key, value in hyperparams.items() if type(value) is float and not role_of(key, oracle)])
    found['t'] = max(1, int(found['t']))  # a rule that advances it first is given 0
    return found


def guess(found, given, unknown):
    """Gives numbers under unknown names to the hyperparameters that were not given, by their size."""
    missing = [role for role in found if role not in given]
    decays = sorted(value for value in unknown if 0.3 <= value < 1)
    names = [role for role in ('beta1', 'beta2', 'momentum', 'gamma', 'rho') if role in missing]
    if len(decays) == len(names):
        found.update(zip(names, decays))
    found.update({'eps': value for value in unknown if value < 1e-4 and 'eps' in missing})
    rates = [value for value in unknown if 1e-4 <= value < 0.3]
    if 'lr' in missing and len(rates) == 1:
        found['lr'] = rates[0]


def number(key, value):
    value = value.asscalar() if hasattr(value, 'asscalar') else value
    if not isinstance(value, (Real, np.generic)) or isinstance(value, bool):
        raise TypeError(f'hyperparams[{key!r}] must be a number to be checked, got {short(value)}')
    return float(value)


def initial_states(rule, against, given, d):
    """A rule's states for d features, or for as many as they are made for; and that number."""
    if given is None or callable(given):
        make = given or beside(rule, against) or RULES.get(getattr(rule, '__name__', ''), RULES[against])[1]
        given = make(d) if signature(make).parameters else make()
    arrays = arrays_of(given)
    if any(d in array.shape for array in arrays):
        return given, d
    return given, next((array.shape[0] for array in arrays if array.shape[1:] == (1,)), d)


def beside(rule, against):
    """The function that stands beside a rule and gives its states, or None."""
    known, name = getattr(rule, '__globals__', {}), getattr(rule, '__name__', '')
    names = (f'init_{name}_states', f'init_{name}_state', f'init_{against}_states', 'init_states')
    return next((known[each] for each in names if callable(known.get(each))), None)
