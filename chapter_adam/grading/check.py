"""The grader: a rule beside its oracle on the same gradients, and the known mistakes beside the rule."""
from dataclasses import replace

import numpy as np

from ..core import checks
from . import verdict as showing
from .arguments import LR, OTHERS, initial_states, meaning, other_value, roles_of, steady
from .known import ORACLES, PATTERNS, make_stream
from .matching import first_lost, fits
from .naming import closest_eps, known_mistake, scaled_gradient
from .sentences import Sentences
from .trial import Trial, arrays_of

STEPS = 60


def check(rule, against='adam', states=None, hyperparams=None, plot=False, *, steps=STEPS):
    """Whether a rule of the book's form is right, and if not, at which step it differs and which mistake that is.

    The rule and a float64 oracle are fed the same gradients, from 1e-8 to 1e4, with parameters w (d, 1) and b (1,); the
    parameters are compared after every step, to the rounding of float32, and the states where the rule keeps the same.

    Args:
        rule: a function rule(params, states, hyperparams).
        against: the name of the rule in RULES that it is to be.
        states: the rule's states before the first step, or a function of the number of features that gives them; None:
            init_<rule>_states, if that stands where the rule does, else the states of `against`.
        hyperparams: its hyperparameters; None: {'lr': 0.02, 't': 1}. The names of others are understood ('alpha',
            'learning_rate', 'betas'), and eps may be any usual value: the verdict says which.
        plot: draw the distance over the steps with pyplot.
        steps: how many steps.

    Returns:
        A `Verdict`: prints as two or three sentences; `ok`, `step`, `parameter`, `mistake`, `to_json()`.

    >>> def adam(params, states, hyperparams):
    ...     for p, (v, s) in zip(params, states):
    ...         v[:] = 0.9 * v + 0.1 * p.grad
    ...         s[:] = 0.999 * s + 0.001 * p.grad.square()
    ...         p[:] = p - hyperparams['lr'] * v / (s.sqrt() + 1e-6)
    >>> check(adam).mistake
    'no bias correction'
    """
    if not callable(rule):
        raise TypeError(f'rule must be a function of (params, states, hyperparams), got {checks.short(rule)}')
    if against not in ORACLES:
        raise ValueError(f'against must be one of {", ".join(ORACLES)}, got {checks.short(against)}')
    if hyperparams is not None and not isinstance(hyperparams, dict):
        raise TypeError(f"hyperparams must be a dict such as {{'lr': 0.02, 't': 1}}, got {checks.short(hyperparams)}")
    plot, steps = checks.flag('plot', plot), checks.whole_number('steps', steps, least=1)
    with np.errstate(all='ignore'):  # a rule, or a mistake, may divide by 0
        found = Check(rule, against, states, hyperparams, steps).verdict()
    if plot:
        showing.show(found)
    return found


class Check:
    """A rule, what it is to be, and what it did in a trial."""

    def __init__(self, rule, against, states, hyperparams, steps):
        self.rule, self.against, self.oracle = rule, against, ORACLES[against]
        self.given_states, self.given, self.steps = states, hyperparams, steps
        given = {'lr': LR, 't': 1} if hyperparams is None else hyperparams
        self.hyperparams = {key: steady(value) for key, value in given.items()}
        self.trial = self.try_it()
        while self.trial.failure and self.supply(self.trial.failure.error):
            self.trial = self.try_it()

    def try_it(self, d=len(PATTERNS), steps=None, changed={}):
        """A new trial, of d features or as many as the states are made for, with some hyperparameters changed."""
        self.states, d = initial_states(self.rule, self.against, self.given_states, d)
        hyperparams = {**self.hyperparams, **changed}
        trial = Trial(self.rule, make_stream(d, steps or self.steps), self.states, hyperparams)
        trial.meant = meaning(hyperparams, self.oracle, trial.hyperparams.read)
        trial.stream = replace(trial.stream, first=trial.meant.pop('t'))
        return trial

    def supply(self, error):
        """Adds a hyperparameter that the rule asks for and that the oracle has a default for."""
        key = error.args[0] if isinstance(error, KeyError) and error.args else None
        roles = roles_of([*self.hyperparams, key], self.oracle)
        role = next((role for role in roles if roles[role] == key), None)
        if role not in self.oracle.hyperparams or key in self.hyperparams or key not in self.trial.hyperparams.read:
            return False
        self.hyperparams[key] = self.oracle.hyperparams[role]
        return True

    def say(self, trial):
        name = getattr(self.rule, '__name__', type(self.rule).__name__)
        return Sentences(name, self.against, self.oracle, trial)

    def verdict(self):
        """What was found: it raises, it differs, eps is not used, it scales its gradients, it is right only with the
        usual hyperparameters, or it is right; the first of these that is true.
        """
        if self.trial.failure:
            return self.failed()
        trial = closest_eps(self.oracle, self.trial)
        if not fits(self.oracle, trial):
            return self.wrong(trial, *known_mistake(self.against, self.trial))
        if 'eps' in roles_of(self.given or (), self.oracle) and trial.meant != self.trial.meant:
            return self.say(self.trial).ignored(roles_of(self.given, self.oracle)['eps'])
        if scaled := scaled_gradient(self.oracle, self.trial, trial.meant.get('eps')):
            return self.wrong(self.trial, *scaled)
        other = self.with_other_hyperparams(trial.meant)
        asked_for = {'lr', 't'} if self.given is None else self.given
        return other if other is not None else self.say(trial).right(
            self.states_of(trial), [key for key in self.hyperparams if key not in asked_for])

    def states_of(self, trial):
        """'same', 'other' or 'none', as in a Verdict."""
        if not self.oracle.states:
            return 'other' if arrays_of(self.states) else 'none'
        return 'other' if any(first_lost(self.oracle, trial).values()) else 'same'

    def wrong(self, trial, match, at):
        """The rule differs; `match` is the mistake that it makes, or None, and `at` the trial with the eps of that."""
        if match and match.convention:
            return self.say(at).convention(match)
        eps = at.meant.get('eps')
        return self.say(trial).wrong(match, eps if eps != self.trial.meant.get('eps') else None,
                                     first_lost(self.oracle, trial))

    def failed(self):
        """The rule raises; but where each parameter is one number it may run, and have one state for both."""
        small = self.try_it(d=1)
        if not small.failure:
            match, at = known_mistake(self.against, small, in_turn=True)
            if match:
                return self.wrong(closest_eps(self.oracle, small), match, at)
        return self.say(self.trial).failed(self.hyperparams)

    def with_other_hyperparams(self, meant):
        """A verdict if the rule, right as `meant`, is wrong with other values of what it reads; else None.

        A rule that keeps something to itself where no copy begins anew, such as a clock of its class, is left alone.
        """
        again = Trial(self.rule, self.trial.stream.begin(3), self.states, self.hyperparams)
        if again.path.tobytes() != self.trial.path[:4].tobytes():
            return None
        roles = self.roles_to_change()
        changed = {key: other_value(self.hyperparams.get(key), role) for key, role in roles.items()}
        trial = self.try_it(d=5, steps=8, changed=changed)
        trial = trial if 'eps' in roles.values() else trial.at(meant.get('eps'))
        if trial.failure or fits(self.oracle, trial):
            return None
        unused = [key for key, role in roles.items() if fits(self.oracle, trial.at(meant[role], role))]
        given = {key: OTHERS[role] for key, role in roles.items()}
        return self.say(trial).ignored(unused[0] if unused else None, given)

    def roles_to_change(self):
        """Which hyperparameters that the rule reads are to have other values in a second trial, by key; the rate in any
        case, but for Adadelta, which has none: PyTorch's is 1.
        """
        read = sorted(self.trial.hyperparams.read, key=str)
        return {key: role for role, key in roles_of([*self.hyperparams, *read], self.oracle).items()
                if role in OTHERS and key in (role, *self.hyperparams) and key in (*read, 'lr')
                and (self.against, role) != ('adadelta', 'lr')}
