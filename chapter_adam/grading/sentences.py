"""A verdict in words: what was found about a rule, each kind of finding in two or three sentences."""
import numpy as np

from .arguments import USUAL_EPS
from .matching import distances
from .trial import explain
from .verdict import Verdict

NAMED = 'It does exactly what this mistake does: '


class Sentences:
    """Makes the verdicts about a trial: where it is farthest from its oracle after the first step that differs."""

    def __init__(self, name, against, oracle, trial):
        self.name, self.against, self.oracle, self.trial = name, against, oracle, trial
        self.far = np.array([*distances(oracle, trial)]).reshape(len(trial.moves), len(trial.stream.owner))
        differs = (self.far > 1).any(axis=1)
        self.step = int(np.argmax(differs)) + 1 if differs.any() else None
        self.element = int(np.argmax(self.far[self.step - 1])) if self.step else 0
        self.owner, self.eps = trial.stream.owner, trial.meant.get('eps')
        self.number = 'b' if self.owner[self.element] else f'w[{self.element}]'
        self.place = f'params[{self.owner[self.element]}] ({self.number})'

    def right(self, states, needed):
        """The rule is right; `states` as in a Verdict, `needed` the hyperparameters that it asked for."""
        usual = self.oracle.hyperparams.get('eps')
        text = [f'Right: {self.name} does what {self.oracle.title} does, to float32 rounding, in {len(self.far)} '
                'steps on gradients from 1e-8 to 1e4.']
        if self.eps != usual:
            scaled = '' if states == 'same' or self.eps in USUAL_EPS else ', or its gradients are scaled'
            text.append(f"Its eps is {self.eps:.3g}{scaled} (this package's is {usual:g}).")
        if states == 'same':
            text.append(f'Its states are right too ({" and ".join(self.oracle.states)}).')
        if states == 'other':
            text.append(f"It keeps other states than {self.oracle.title}'s: the parameters alone were compared.")
        if needed:
            text.append(f'It needs hyperparams[{needed[0]!r}], for which it has no default.')
        return self._verdict(text, ok=True, states=states)

    def convention(self, match):
        """The rule does on purpose, as others do, what differs a little."""
        name = match.names[0]
        text = [f'{self.name} is {self.oracle.title} in the convention that is {match.convention} ({name}).',
                f'That is no mistake. Only beside gradients about as small as eps ({self.eps:.3g}) it is another rule: '
                f'here from step {self.step} on, first in {self.place}.'
                if 'eps' in name else f'That is no mistake, but another rule from step {self.step} on.']
        return self._verdict(text, name, ok=True, states='other')

    def wrong(self, match, eps, lost):
        """The rule differs; `match` is the known mistake that does the same, `eps` its eps where that is unusual,
        `lost` says which states are not the oracle's.
        """
        expected, _ = [*self.oracle.moves(self.trial.stream.begin(self.step), self.trial.meant)][-1]
        at = self.step - 1, self.element
        text = [f'Wrong: {self.name} first differs from {self.oracle.title} at step {self.step}, in {self.place}: with '
                f'the gradient {self.trial.stream.gradients[at]:.3g} it moves by {self.trial.moves[at]:.6g} instead of '
                f'{expected[self.element]:.6g}.']
        if not match:
            text.append(f'No known mistake does exactly that, nor do two at once.{about_states(lost)}')
            return self._verdict(text)
        words = {word for name in match.names for word in name.replace(',', ' ').split()}
        letters = (' (v is the average of g, s that of g * g)' if self.oracle.states[:2] == ('v', 's')
                   and words & {'v', 's', 'v_hat', 's_hat'} else '')
        text.append(f'{NAMED}{" and ".join(match.names)}{letters}. {match.advice}')
        if eps is not None:
            text.append(f'Its eps is {eps:.3g}.')
        return self._verdict(text, match.names if len(match.names) > 1 else match.names[0])

    def ignored(self, key, given=None):
        """The rule is right with the usual hyperparameters only."""
        words, name = f' with {given}' if given else '', key and f'hyperparams[{key!r}] not used'
        text = [f'Wrong: {self.name} is right with the usual hyperparameters, but{words} first differs from '
                f'{self.oracle.title} at step {self.step}, in {self.place}.',
                f'{NAMED}{name}.' if key else 'No known mistake does exactly that.']
        return self._verdict(text, name)

    def failed(self, hyperparams):
        """The rule raised."""
        failure = self.trial.failure
        where, reason = (f' ({failure.line})' if failure.line else ''), failure.reason.rstrip('.')
        text = [f'Wrong: {self.name} raises {failure.kind} at step {failure.step}{where}{reason and ": "}{reason}.',
                explain(self.trial, self.name, hyperparams)]
        self.step, self.number = failure.step, None
        return self._verdict(text, f'raises {failure.kind}')

    def _verdict(self, text, mistake=None, ok=False, states='differ'):
        by_parameter = {name: self.far[:, self.owner == which].max(axis=1).tolist() for which, name in enumerate('wb')}
        return Verdict(ok, self.step, self.step and self.number, mistake, ' '.join(filter(None, text)), self.name,
                       self.against, len(self.far), self.eps, states, by_parameter)


def about_states(lost):
    """Which states are the oracle's and which are not; nothing if none is."""
    if not lost or all(at == 1 for at in lost.values()):
        return ''
    parts = [f'{name} is right' if at is None else f'{name} is not from step {at} on' for name, at in lost.items()]
    return f' Of its states {" and ".join(parts)}.'
