"""What a rule is given when it is checked: states for the number of features, and hyperparameters under any names."""
from inspect import isfunction, signature
from numbers import Real

import numpy as np

from ..core import checks
from ..rules import RULES
from .trial import arrays_of

LR = 0.02  # not the section's, so that a rule with 0.01 written into it differs
USUAL_EPS = (1e-8, 1e-7, 1e-6, 1e-5, 1e-4, 1e-3, 1e-9, 1e-10, 1e-12, 2.0 ** -23, 0.01)
# What the hyperparameters become in a second run.
OTHERS = {'lr': 0.3, 'beta1': 0.8, 'beta2': 0.95, 'eps': 0.1, 'momentum': 0.6, 'gamma': 0.7, 'rho': 0.7}
# How readers call them, without case and underlines.
NAMES = {name: words.split() for name, words in {
    'lr': 'lr learningrate alpha eta stepsize rate a', 't': 't step steps k n i iter iteration timestep time count',
    'beta1': 'beta1 b1 beta', 'beta2': 'beta2 b2', 'eps': 'eps epsilon', 'momentum': 'momentum mu mom beta gamma',
    'gamma': 'gamma gamma1 rho decay beta beta2 alpha', 'rho': 'rho gamma decay beta'}.items()}


def letters(key):
    """A key without case and underlines."""
    return key.lower().replace('_', '').replace(' ', '').replace('-', '') if isinstance(key, str) else ''


def roles_of(keys, oracle):
    """Which keys of a reader's mean which of the oracle's hyperparameters, by role; a key that is a role's name wins.

    >>> from .known import ORACLES
    >>> roles_of(['alpha', 'epsilon', 'wd'], ORACLES['adam'])
    {'lr': 'alpha', 'eps': 'epsilon'}
    >>> roles_of(['alpha', 'lr'], ORACLES['rmsprop'])
    {'lr': 'lr', 'gamma': 'alpha'}
    """
    roles = 'lr', 't', *oracle.hyperparams
    found = {role: key for key in keys for role in roles if letters(key) == role}
    for key in keys:
        if key not in found.values():
            role = next((role for role in roles if role not in found and letters(key) in NAMES[role]), None)
            found.update({role: key} if role else {})
    return found


def meaning(hyperparams, oracle, read):
    """A reader's hyperparameters under the oracle's names, with its defaults for the others.

    A key whose name could mean several things counts only if the rule has `read` it.
    """
    found, keys = {'lr': LR, 't': 1, **oracle.hyperparams}, roles_of(hyperparams, oracle)
    used = [key for key in hyperparams if key in read or letters(key) in found or key in (
        keys.get('lr'), keys.get('eps'))]
    given = {role: hyperparams[key] for role, key in keys.items() if key in used}
    for key in used:
        given.update(zip(('beta1', 'beta2'), hyperparams[key]) if letters(key) == 'betas' else ())
    found.update({role: number(keys.get(role, 'betas'), value) for role, value in given.items() if role in found})
    guess(found, given, [hyperparams[key] for key in used
                         if type(hyperparams[key]) is float and key not in keys.values()])
    checks.ranges({'lr': found['lr']})
    found['t'] = max(1, int(found['t']))  # a rule that advances it first is given 0
    return found


def steady(value):
    """A schedule of the learning rate, as one that stays at its first value."""
    if not callable(value):
        return value
    try:
        first = value(1)
    except Exception:  # it is no schedule: `meaning` says so
        return value
    return lambda *_: first


def other_value(value, role):
    """What a hyperparameter becomes in a second trial; a schedule stays one."""
    return (lambda *_: OTHERS[role]) if isfunction(value) else OTHERS[role]


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
    value = value(1) if isfunction(value) else value
    value = value.asscalar() if hasattr(value, 'asscalar') else value
    if not isinstance(value, (Real, np.generic)) or isinstance(value, bool):
        raise TypeError(f'hyperparams[{key!r}] must be a number to be checked, got {checks.short(value)}')
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
