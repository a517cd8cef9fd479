"""Which known mistake, or which two, do exactly what a rule did."""
import numpy as np

from .arguments import USUAL_EPS
from .known import ORACLES, FirstStep, Mistake, mistakes_of, pairs_of
from .matching import first_lost, follow, is_near


def eps_to_try(meant, trial=None):
    """The usual values of eps, the right one first, and the one of Adam's quotient; [None] for a rule without."""
    if 'eps' not in meant:
        return [None]
    tiny = trial and int(np.argmin(np.where(trial.stream.gradients[0] == 0, np.inf, abs(trial.stream.gradients[0]))))
    seen = []
    if trial and trial.moves[0, tiny]:  # the first step is lr g / (|g| + eps)
        g = abs(trial.stream.gradients[0, tiny])
        seen = [float(f'{g * (meant["lr"] / abs(trial.moves[0, tiny]) - 1):.3g}')]
    return list(dict.fromkeys([meant['eps'], *USUAL_EPS, *[eps for eps in seen if 0 < eps < np.inf]]))


def with_eps(meant, eps):
    return meant if eps is None else {**meant, 'eps': eps}


def closest_eps(oracle, trial, meant):
    """The eps with which the oracle follows the rule for longest, and its Fit; the right one if it is as good."""
    fits = {}
    for eps in eps_to_try(meant, trial):
        fits[eps] = follow(oracle, {}, trial, with_eps(meant, eps))
        if len(fits) == 1 and fits[eps].fits:
            break
    eps = max(fits, key=lambda each: (fits[each].first, fits[each].fits and -fits[each].misfit))
    return eps, fits[eps]


def shared_state(against, trial, meant):
    """`known_mistake` for a rule that runs only where each parameter is one number: one state for both, or that too."""
    oracle = ORACLES[against]
    singles = mistakes_of(against, oracle)
    pairs = (pair for pair in pairs_of(singles) if pair.in_turn)
    return closest([each for each in singles if each.in_turn], oracle, trial, meant) or closest(
        pairs, oracle, trial, meant) or (None, None)


def known_mistake(against, trial, meant):
    """The mistake that the rule follows in every step, and its eps; else (None, None). One is tried before two."""
    oracle = ORACLES[against]
    singles = [each for each in mistakes_of(against, oracle)
               if each.t_moved in (None, trial.t_moved) and not each.in_turn]
    for kinds in (singles, numbers(oracle, trial, meant), other_rules(against), pairs_of(singles),
                  ratio(oracle, trial, meant)):
        if found := closest(kinds, oracle, trial, meant):
            return found
    return None, None


def closest(mistakes, oracle, trial, meant):
    """Of the mistakes that fit in every step the best, with its eps: the right eps, then the rule's states, then least
    misfit. What the rule's states speak against is none.
    """
    found, begin, right = [], Beginning(oracle, trial, meant), None
    with np.errstate(all='ignore'):
        for order, each in enumerate(mistakes):
            here = Beginning(each.oracle, trial, {**each.oracle.hyperparams, **meant}) if each.oracle else begin
            for k, eps in here.alike(each.pieces):
                at = with_eps(here.meant, eps)
                if (fit := follow(here.oracle, each.pieces, trial, at)).fits:
                    lost = first_lost(here.oracle, each.pieces, trial, at)
                    right = right or first_lost(oracle, {}, trial, meant)  # only now: most mistakes do not fit
                    if not contradicted(each, lost, right):
                        found.append((k > 0, any(lost.values()), round(fit.misfit, 3), order, each, eps))
    return min(found, key=lambda entry: entry[:4])[4:] if found else None


def contradicted(each, lost, right):
    """Whether a rule's states speak against a mistake: they hold the right ones, or do not show what only they can."""
    if each.needs_states:  # of what is rebound itself, or of all that a rebound parameter leaves behind
        names = [name for name in lost if f'keep_{name}' in each.pieces] or lost
        return not lost or any(lost[name] for name in names)
    return any(at and not right.get(name, at) for name, at in lost.items())


class Beginning:
    """The first steps of an oracle with all usual values of eps, beside that of a rule."""

    def __init__(self, oracle, trial, meant):
        self.oracle, self.meant, self.moved, self.values = oracle, meant, trial.moves[0], eps_to_try(meant)
        column = meant if self.values == [None] else {**meant, 'eps': np.array(self.values)[:, None]}
        with np.errstate(all='ignore'):
            self.first = FirstStep(oracle, trial.stream, column)

    def alike(self, pieces):
        """The positions and values of eps with which pieces begin as the rule did."""
        near = is_near(self.moved, self.first.move(pieces))
        if not near.any():
            return []
        return [(k, eps) for k, eps in enumerate(self.values) if np.broadcast_to(near, len(self.values))[k]]


def other_rules(against):
    """The other rules of the package, taken for this one."""
    return [Mistake(f'{name} instead of {against}', f'This is {oracle.title}.', {}, oracle=oracle)
            for name, oracle in ORACLES.items() if name != against]


def numbers(oracle, trial, meant):
    """Mistakes that are told by a number: no step, a clock that was running before, a decay of the parameters."""
    return [each for each in (find(oracle, trial, meant) for find in (unmoved, late_clock, decay)) if each]


def unmoved(oracle, trial, meant):
    """No parameter ever moves."""
    if not trial.moves.any():
        return Mistake('no parameter changed', 'Write into the arrays, p[:] = ...; what a rule returns is not used.',
                       {'p': lambda x: x.p})


def late_clock(oracle, trial, meant):
    """The rule's own clock, if it was running before."""
    late = np.arange(2, 3000)[:, None]
    with np.errstate(all='ignore'):
        near = is_near(trial.moves[0], FirstStep(oracle, trial.stream, meant).move({'t': lambda x: x.k + late}))
    alike = np.flatnonzero(np.broadcast_to(near, len(late)))
    fits = {int(late[k, 0]): follow(oracle, {'t': lambda x, k=k: x.k + late[k, 0]}, trial, meant) for k in alike[:200]}
    fits = {start: fit.misfit for start, fit in fits.items() if fit.fits}
    if fits:
        start = min(fits, key=fits.get)
        return Mistake(f't starts at {start + 1}', 'Was the rule called before? A clock of its own has to start anew.',
                       {'t': lambda x: x.k + start})


def ratio(oracle, trial, meant):
    """The mistakes, none or one, in which every step is the right one times a number."""
    expected, _ = next(oracle.moves(trial.stream, meant))
    large = abs(trial.stream.gradients[0]) > 0.01
    with np.errstate(all='ignore'):
        times = float(np.median(trial.moves[0][large] / expected[large])) if large.any() else np.nan
    if np.isfinite(times) and times:
        return [Mistake(f'every step times {times:.3g}', 'Is there a number too many in the last line, or a learning '
                        'rate written into it?', {'move': lambda x: times * x.step})]
    return []


def decay(oracle, trial, meant):
    """Every step also takes a part of the parameter, as AdamW's does."""
    silent = np.flatnonzero((trial.stream.gradients[0] == 0) & (trial.stream.start != 0))
    part = -float(trial.moves[0, silent[0]] / trial.stream.start[silent[0]]) if len(silent) else np.nan
    if np.isfinite(part) and part:
        return Mistake(f'weight decay of {part / meant["lr"]:.3g}', 'The rule takes no part of the parameter away.',
                       {'p': lambda x: x.p - x.shift - part * x.p})


def scaled_gradient(oracle, trial, meant, eps):
    """The mistake, and its eps, of a rule that seems to have another eps, but whose states hold multiples of g.

    Adam divides by the size of its gradients: only eps tells how large they are.
    """
    for usual in (meant['eps'], *USUAL_EPS[:2]) if eps != meant.get('eps') else ():
        times = float(f'{usual / eps:.3g}')
        pieces, at = {'g': lambda x, times=times: times * x.g}, with_eps(meant, usual)
        if times != 1 and follow(oracle, pieces, trial, at).fits and not any(
                first_lost(oracle, pieces, trial, at).values()):
            return Mistake(f'gradient times {times:.3g}', 'Take p.grad as it is.', pieces), usual
    return None
