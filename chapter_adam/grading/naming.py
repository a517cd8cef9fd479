"""Which known mistake, or which two, do exactly what a rule did."""
import numpy as np

from .arguments import USUAL_EPS
from .known import ORACLES, mistake, mistakes_of, pairs_of
from .matching import begins_alike, first_lost, fits, follow


def eps_to_try(oracle, trial):
    """The usual values of eps, the right one first; [None] for a rule without."""
    eps = oracle.hyperparams.get('eps')
    return [None] if eps is None else [*dict.fromkeys([trial.meant.get('eps', eps), *USUAL_EPS])]


def quotients_eps(trial):
    """The eps of Adam's quotient: its first step is lr g / (|g| + eps); none or one."""
    sizes = abs(trial.stream.gradients[0])
    tiny = np.argmin(np.where(sizes == 0, np.inf, sizes))
    eps = float(f'{sizes[tiny] * (trial.meant["lr"] / abs(trial.moves[0, tiny]) - 1):.3g}')
    return [eps] if 0 < eps < np.inf else []


def closest_eps(oracle, trial):
    """The trial taken to have the eps with which the oracle follows it for longest; the right eps if it is as good."""
    if 'eps' not in trial.meant or fits(oracle, trial):
        return trial
    found = []
    for eps in dict.fromkeys([*eps_to_try(oracle, trial), *quotients_eps(trial)]):
        steps, misfit = follow(oracle, trial.at(eps))
        found.append((steps, -misfit if steps == len(trial.moves) else 0, trial.at(eps)))
    return max(found, key=lambda each: each[:2])[-1]


def known_mistake(against, trial, in_turn=False):
    """The mistake that the rule follows in every step, and the trial taken to have its eps; else (None, trial).

    One is tried before two. `in_turn`: those alone that show only where each parameter is one number.
    """
    oracle = ORACLES[against]
    singles, pairs = ([(each, wrong) for each, wrong in kind if each.in_turn == in_turn and
                       each.t_moved in (None, trial.t_moved)] for kind in (mistakes_of(against), pairs_of(against)))
    kinds = (singles, pairs) if in_turn else (
        singles, with_a_number(oracle, trial), other_rules(against), pairs, ratio(oracle, trial))
    return next(filter(None, (closest(each, oracle, trial) for each in kinds)), (None, trial))


def closest(candidates, oracle, trial):
    """Of the mistakes, each with its oracle, that fit in every step the best: with the right eps, then with the rule's
    states, then of least misfit. What the rule's states speak against is none.
    """
    found, right, seen = [], None, {}
    for order, (each, wrong) in enumerate(candidates):
        values = eps_to_try(wrong, trial)
        column = {} if values == [None] else {'eps': np.array(values)[:, None]}
        near = begins_alike(wrong, trial, seen, **column)
        for k in np.flatnonzero(np.broadcast_to(near, len(values))) if near.any() else ():
            at = trial.at(values[k])
            steps, misfit = follow(wrong, at)
            if steps == len(trial.moves):
                lost = first_lost(wrong, at)
                right = right or first_lost(oracle, trial)  # only now: most mistakes do not fit
                if not contradicted(each, lost, right):
                    found.append((k > 0, any(lost.values()), round(misfit, 3), order, each, at))
    return min(found, key=lambda entry: entry[:4])[4:] if found else None


def contradicted(each, lost, right):
    """Whether a rule's states speak against a mistake: they hold the right ones, or do not show what only they can."""
    if each.needs_states:  # of what is rebound itself, or of all that a rebound parameter leaves behind
        names = [name for name in lost if f'keep_{name}' in each.pieces] or lost
        return not lost or any(lost[name] for name in names)
    return any(at and not right.get(name, at) for name, at in lost.items())


def other_rules(against):
    """The other rules of the package, taken for this one."""
    for name, oracle in ORACLES.items():
        if name != against:
            yield mistake(f'{name} instead of {against}', f'This is {oracle.title}.'), oracle


def known(oracle, name, advice, **pieces):
    return mistake(name, advice, **pieces), oracle.changed(pieces)


def with_a_number(oracle, trial):
    """Mistakes that are told by a number: a clock that was running before, a decay of the parameters as AdamW's."""
    late = np.arange(2, 3000)[:, None]
    near = np.broadcast_to(begins_alike(oracle.changed({'t': 'k + late'}), trial, {}, late=late), len(late))
    for start in late[near, 0][:200]:
        yield known(oracle, f't starts at {start + 1}', 'Was the rule called before? A clock of its own has to start '
                    'anew.', t=f'k + {start}')
    silent = np.flatnonzero((trial.stream.gradients[0] == 0) & (trial.stream.start != 0))
    part = -float(trial.moves[0, silent[0]] / trial.stream.start[silent[0]]) if len(silent) else np.nan
    if np.isfinite(part) and part:
        yield known(oracle, f'weight decay of {part / trial.meant["lr"]:.3g}',
                    'The rule takes no part of the parameter away.', p=f'p - shift - {part!r} * p')


def ratio(oracle, trial):
    """The mistake in which every step is the right one times a number."""
    expected, _ = next(oracle.moves(trial.stream, trial.meant))
    large = abs(trial.stream.gradients[0]) > 0.01
    times = float(np.median(trial.moves[0][large] / expected[large])) if large.any() else np.nan
    if np.isfinite(times) and times:
        yield known(oracle, f'every step times {times:.3g}', 'Is there a number too many in the last line, or a '
                    'learning rate written into it?', move=f'{times!r} * step')


def scaled_gradient(oracle, trial, eps):
    """The mistake, and the trial at its eps, of a rule that seems to have the eps given, but whose states hold
    multiples of g: Adam divides by the size of its gradients, so that only eps tells how large they are.
    """
    for usual in (trial.meant['eps'], *USUAL_EPS[:2]) if eps != trial.meant.get('eps') else ():
        times, at = float(f'{usual / eps:.3g}'), trial.at(usual)
        scaled = oracle.changed({'g': f'{times!r} * g'})
        if times != 1 and fits(scaled, at) and not any(first_lost(scaled, at).values()):
            return mistake(f'gradient times {times:.3g}', 'Take p.grad as it is.', **scaled.pieces), at
    return None
