"""A verdict in words: what was found about a rule, each kind of finding in two or three sentences."""
import numpy as np

from .arguments import USUAL_EPS
from .known import ORACLES
from .matching import distances
from .trial import explain
from .verdict import Verdict


class Distances:
    """How far a rule's moves are from the oracle's, after each step, and where."""

    def __init__(self, oracle, trial, meant):
        self.owner, self.steps = trial.stream.owner, [*distances(oracle, {}, trial, meant)]

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

    def right(self, trial, meant, states, needed):
        """The rule is right."""
        eps, usual = meant.get('eps'), self.oracle.hyperparams.get('eps')
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
        return self._made(Distances(self.oracle, trial, meant), trial, meant, True, text=text, states=states)

    def convention(self, trial, meant, match):
        """The rule does on purpose, as others do, what differs a little."""
        far = Distances(self.oracle, trial, meant)
        step = far.first()
        text = [f'{self.name} is {self.oracle.title} in the convention that is {match.convention} ({match.name}).',
                f'That is no mistake. Only beside gradients about as small as eps ({meant["eps"]:.3g}) it is another '
                f'rule: here from step {step} on, first in {far.place(step)}.'
                if 'eps' in match.name else f'That is no mistake, but another rule from step {step} on.']
        return self._made(far, trial, meant, True, step, match.name, text, 'other')

    def wrong(self, trial, meant, step, match, eps, lost):
        """The rule differs; `match` is the known mistake that does the same, `eps` its eps where that is unusual."""
        far, text = Distances(self.oracle, trial, meant), []
        element = far.element(step)
        expected, _ = [*self.oracle.moves(trial.stream.begin(step), meant)][-1]
        text.append(f'Wrong: {self.name} first differs from {self.oracle.title} at step {step}, in '
                    f'{far.place(step)}: with the gradient '
                    f'{trial.stream.gradients[step - 1, element]:.3g} it moves by '
                    f'{trial.moves[step - 1, element]:.6g} instead of {expected[element]:.6g}.')
        if match:
            words = {word for name in match.names for word in name.replace(',', ' ').split()}
            letters = (' (v is the average of g, s that of g * g)' if self.oracle.states[:2] == ('v', 's')
                       and words & {'v', 's', 'v_hat', 's_hat'} else '')
            text.append(f'It does exactly what this mistake does: {" and ".join(match.names)}{letters}. {match.advice}')
            if eps is not None:
                text.append(f'Its eps is {eps:.3g}.')
        else:
            text.append('No known mistake does exactly that, nor do two at once.' + self._about_states(lost))
        name = match and (match.names if len(match.names) > 1 else match.name)
        return self._made(far, trial, meant, False, step, name or None, text, 'differ')

    def ignored(self, trial, meant, key, fit, given=None):
        """The rule is right with the usual hyperparameters only."""
        far, words = Distances(self.oracle, trial, meant), f' with {given}' if given else ''
        text = [f'Wrong: {self.name} is right with the usual hyperparameters, but{words} first differs from '
                f'{self.oracle.title} at step {fit.first}, in {far.place(fit.first)}.']
        name = key and f'hyperparams[{key!r}] not used'
        text.append(f'It does exactly what this mistake does: {name}.' if key else
                    'No known mistake does exactly that.')
        return self._made(far, trial, meant, False, fit.first, name, text, 'differ')

    def failed(self, trial, meant, hyperparams):
        """The rule raised."""
        failure, where = trial.failure, f' ({trial.failure.line})' if trial.failure.line else ''
        reason = f': {failure.reason.rstrip(".")}.' if failure.reason else '.'
        text = [f'Wrong: {self.name} raises {failure.kind} at step {failure.step}{where}{reason}',
                explain(trial, self.name, hyperparams)]
        return self._made(Distances(self.oracle, trial, meant), trial, meant, False, failure.step,
                          f'raises {failure.kind}', text, 'differ', no_place=True)

    def _made(self, far, trial, meant, ok, step=None, mistake=None, text=(), states='other', no_place=False):
        parameter = None if step is None or no_place else far.number(step)
        return Verdict(ok, step, parameter, mistake, ' '.join(filter(None, text)), self.name, self.against,
                       len(trial.moves), meant.get('eps'), states, far.by_parameter())

    def _about_states(self, lost):
        """Which states are the oracle's and which are not; nothing if none is."""
        if not lost or all(at == 1 for at in lost.values()):
            return ''
        parts = [f'{name} is right' if at is None else f'{name} is not from step {at} on' for name, at in lost.items()]
        return f' Of its states {" and ".join(parts)}.'
