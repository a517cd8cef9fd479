"""A verdict in words: what was found about a rule, each kind of finding in two or three sentences."""
import numpy as np

from .arguments import USUAL_EPS
from .known import ORACLES
from .matching import distances
from .trial import explain
from .verdict import Verdict


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
        return self._made(trial, meant, True, text=text, states=states)

    def convention(self, trial, meant, match):
        """The rule does on purpose, as others do, what differs a little."""
        step = self._first(trial, meant)
        text = [f'{self.name} is {self.oracle.title} in the convention that is {match.convention} ({match.name}).',
                f'That is no mistake. Only beside gradients about as small as eps ({meant["eps"]:.3g}) it is another '
                f'rule: here from step {step} on, first in {self._place(trial, meant, step)}.'
                if 'eps' in match.name else f'That is no mistake, but another rule from step {step} on.']
        return self._made(trial, meant, True, step, match.name, text, 'other')

    def wrong(self, trial, meant, step, match, eps, lost):
        """The rule differs; `match` is the known mistake that does the same, `eps` its eps where that is unusual."""
        element, text = self._element(trial, meant, step), []
        expected, _ = [*self.oracle.moves(trial.stream.begin(step), meant)][-1]
        text.append(f'Wrong: {self.name} first differs from {self.oracle.title} at step {step}, in '
                    f'{self._place(trial, meant, step)}: with the gradient '
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
        return self._made(trial, meant, False, step, name or None, text, 'differ')

    def ignored(self, trial, meant, key, fit, given=None):
        """The rule is right with the usual hyperparameters only."""
        words = f' with {given}' if given else ''
        text = [f'Wrong: {self.name} is right with the usual hyperparameters, but{words} first differs from '
                f'{self.oracle.title} at step {fit.first}, in {self._place(trial, meant, fit.first)}.']
        name = key and f'hyperparams[{key!r}] not used'
        text.append(f'It does exactly what this mistake does: {name}.' if key else
                    'No known mistake does exactly that.')
        return self._made(trial, meant, False, fit.first, name, text, 'differ')

    def failed(self, trial, meant, hyperparams):
        """The rule raised."""
        failure, where = trial.failure, f' ({trial.failure.line})' if trial.failure.line else ''
        reason = f': {failure.reason.rstrip(".")}.' if failure.reason else '.'
        text = [f'Wrong: {self.name} raises {failure.kind} at step {failure.step}{where}{reason}',
                explain(trial, self.name, hyperparams)]
        return self._made(trial, meant, False, failure.step, f'raises {failure.kind}', text, 'differ', no_place=True)

    def _made(self, trial, meant, ok, step=None, mistake=None, text=(), states='other', no_place=False):
        owner = trial.stream.owner
        offs = [*distances(self.oracle, {}, trial, meant)]
        far = {name: [float(off[owner == which].max()) for off in offs] for which, name in enumerate('wb')}
        element = None if step is None or no_place else self._element(trial, meant, step)
        return Verdict(ok, step, None if element is None else self._number(trial, element), mistake,
                       ' '.join(filter(None, text)), self.name, self.against, len(trial.moves), meant.get('eps'),
                       states, far)

    def _first(self, trial, meant):
        return next(t for t, off in enumerate(distances(self.oracle, {}, trial, meant), 1) if (off > 1).any())

    def _element(self, trial, meant, step):
        """The number that is farthest off at a step."""
        return int(np.argmax([*distances(self.oracle, {}, trial, meant)][step - 1]))

    def _number(self, trial, element):
        return 'b' if trial.stream.owner[element] else f'w[{element}]'

    def _place(self, trial, meant, step):
        element = self._element(trial, meant, step)
        return f'params[{trial.stream.owner[element]}] ({self._number(trial, element)})'

    def _about_states(self, lost):
        """Which states are the oracle's and which are not; nothing if none is."""
        if not lost or all(at == 1 for at in lost.values()):
            return ''
        parts = [f'{name} is right' if at is None else f'{name} is not from step {at} on' for name, at in lost.items()]
        return f' Of its states {" and ".join(parts)}.'
