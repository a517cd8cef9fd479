"""A verdict in words: what was found about a rule, each kind of finding in two or three sentences."""
import numpy as np

from .arguments import USUAL_EPS
from .known import ORACLES
from .matching import distances
from .trial import explain
from .verdict import Verdict


class Distances:
    """How far a rule's moves are from the oracle's, after each step, and where."""

    def __init__(self, oracle, trial):
        self.owner, self.steps = trial.stream.owner, [*distances(oracle, trial)]

    def first(self):
        return next(t for t, off in enumerate(self.steps, 1) if (off > 1).any())

    def element(self, step):
        """The number that is farthest off at a step."""
        return int(np.argmax(self.steps[step - 1]))

    def number(self, step):
        element = self.element(step)
        return 'b' if self.owner[element] else f'w[{element}]'

    def place(self, step):
        return f'params[{self.owner[self.element(step)]}] ({self.number(step)})'

    def by_parameter(self):
        """The largest distance after each step, for w and b."""
        return {name: [float(off[self.owner == which].max()) for off in self.steps] for which, name in enumerate('wb')}


class Sentences:
    """Makes the verdicts about a rule."""

    def __init__(self, name, against):
        self.name, self.against, self.oracle = name, against, ORACLES[against]

    def right(self, trial, states, needed):
        """The rule is right; `states` as in a Verdict, `needed` the hyperparameters that it asked for."""
        eps, usual = trial.meant.get('eps'), self.oracle.hyperparams.get('eps')
        text = [f'Right: {self.name} does what {self.oracle.title} does, to float32 rounding, in {len(trial.moves)} '
                'steps on gradients from 1e-8 to 1e4.']
        if eps != usual:
            scaled = '' if states == 'same' or eps in USUAL_EPS else ', or its gradients are scaled'
            text.append(f"Its eps is {eps:.3g}{scaled} (this package's is {usual:g}).")
        if states == 'same':
            text.append(f'Its states are right too ({" and ".join(self.oracle.states)}).')
        if states == 'other':
            text.append(f"It keeps other states than {self.oracle.title}'s: the parameters alone were compared.")
        if needed:
            text.append(f'It needs hyperparams[{needed[0]!r}], for which it has no default.')
        return self._verdict(trial, text, ok=True, states=states)

    def convention(self, trial, match):
        """The rule does on purpose, as others do, what differs a little."""
        far, name = Distances(self.oracle, trial), match.names[0]
        step = far.first()
        text = [f'{self.name} is {self.oracle.title} in the convention that is {match.convention} ({name}).',
                f'That is no mistake. Only beside gradients about as small as eps ({trial.meant["eps"]:.3g}) it is '
                f'another rule: here from step {step} on, first in {far.place(step)}.'
                if 'eps' in name else f'That is no mistake, but another rule from step {step} on.']
        return self._verdict(trial, text, step, name, ok=True, states='other')

    def wrong(self, trial, match, eps, lost):
        """The rule differs; `match` is the known mistake that does the same, `eps` its eps where that is unusual,
        `lost` says which states are not the oracle's.
        """
        far = Distances(self.oracle, trial)
        step = far.first()
        element = far.element(step)
        expected, _ = [*self.oracle.moves(trial.stream.begin(step), trial.meant)][-1]
        text = [f'Wrong: {self.name} first differs from {self.oracle.title} at step {step}, in {far.place(step)}: with '
                f'the gradient {trial.stream.gradients[step - 1, element]:.3g} it moves by '
                f'{trial.moves[step - 1, element]:.6g} instead of {expected[element]:.6g}.']
        if not match:
            text.append(f'No known mistake does exactly that, nor do two at once.{about_states(lost)}')
            return self._verdict(trial, text, step)
        words = {word for name in match.names for word in name.replace(',', ' ').split()}
        letters = (' (v is the average of g, s that of g * g)' if self.oracle.states[:2] == ('v', 's')
                   and words & {'v', 's', 'v_hat', 's_hat'} else '')
        text.append(f'It does exactly what this mistake does: {" and ".join(match.names)}{letters}. {match.advice}')
        if eps is not None:
            text.append(f'Its eps is {eps:.3g}.')
        return self._verdict(trial, text, step, match.names if len(match.names) > 1 else match.names[0])

    def ignored(self, trial, key, given=None):
        """The rule is right with the usual hyperparameters only."""
        far, words = Distances(self.oracle, trial), f' with {given}' if given else ''
        step, name = far.first(), key and f'hyperparams[{key!r}] not used'
        text = [f'Wrong: {self.name} is right with the usual hyperparameters, but{words} first differs from '
                f'{self.oracle.title} at step {step}, in {far.place(step)}.',
                f'It does exactly what this mistake does: {name}.' if key else 'No known mistake does exactly that.']
        return self._verdict(trial, text, step, name)

    def failed(self, trial, hyperparams):
        """The rule raised."""
        failure, where = trial.failure, f' ({trial.failure.line})' if trial.failure.line else ''
        reason = f': {failure.reason.rstrip(".")}.' if failure.reason else '.'
        text = [f'Wrong: {self.name} raises {failure.kind} at step {failure.step}{where}{reason}',
                explain(trial, self.name, hyperparams)]
        return self._verdict(trial, text, failure.step, f'raises {failure.kind}')

    def _verdict(self, trial, text, step=None, mistake=None, ok=False, states='differ'):
        far = Distances(self.oracle, trial)
        parameter = None if step is None or trial.failure else far.number(step)
        return Verdict(ok, step, parameter, mistake, ' '.join(filter(None, text)), self.name, self.against,
                       len(trial.moves), trial.meant.get('eps'), states, far.by_parameter())


def about_states(lost):
    """Which states are the oracle's and which are not; nothing if none is."""
    if not lost or all(at == 1 for at in lost.values()):
        return ''
    parts = [f'{name} is right' if at is None else f'{name} is not from step {at} on' for name, at in lost.items()]
    return f' Of its states {" and ".join(parts)}.'
