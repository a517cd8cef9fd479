"""Whether a rule moved its parameters as an oracle does, step by step, to the rounding of float32.

Steps are compared, not positions: what was rounded in one step does not count in the next. The tolerance of step t is

    roundoff (1 / (1 - decay) + 2 t + 8) * the longest step so far  +  roundoff * |p|

for each number, with roundoff = 2^-23, one unit of the last digit of 1. The terms, in their order: a rule may compute
1 - decay^t in float32, whose error is that of 1 but whose value begins at 1 - decay (1.2e-4 of a step for Adam); each
step adds two roundings to the averages; the quotient takes some eight operations; and p itself is rounded. An average
of both signs may be much smaller than what was rounded, hence the longest step so far.
"""
import numpy as np

ROUNDOFF = 2.0 ** -23
TINIEST, SMALLEST = 1e-44, 1e-38  # float32's last digit at 0, and its smallest number of full precision
LARGEST = 3e38  # of float32


def distances(oracle, trial):
    """After each step: how far the rule's move is from the oracle's, in units of the tolerance, (n,)."""
    memory, longest = memory_of(oracle, trial), 0
    moves = zip(trial.moves, oracle.moves(trial.stream, trial.meant), trial.path, trial.path[1:])
    for t, (moved, (expected, _), before, after) in enumerate(moves, 1):
        expected = np.where(abs(expected) < LARGEST, expected, np.nan)
        longest = np.fmax(longest, abs(expected))
        allowed = ROUNDOFF * ((memory + 2 * t + 8) * longest + np.fmax(abs(before), abs(after))) + TINIEST
        off = abs(moved - expected) / allowed
        both = ~np.isfinite(moved) & np.isnan(expected)
        yield np.where(both, 0, np.where(np.isfinite(off), off, np.inf))


def memory_of(oracle, trial):
    """How many steps the longest memory goes back."""
    decay = {**oracle.hyperparams, **trial.meant}[oracle.decay] if oracle.decay else 0
    return 1 / (1 - decay) if decay < 1 else 1e4


def follow(oracle, trial):
    """(How many steps an oracle moves as a rule did, the root of the mean square distance there, in units of the
    tolerance).
    """
    squares = []
    for off in distances(oracle, trial):
        if (off > 1).any():
            break
        squares.append((off ** 2).mean())
    return len(squares), np.sqrt(np.mean(squares or 0))


def fits(oracle, trial):
    """Whether no step differs."""
    return follow(oracle, trial)[0] == len(trial.moves)


def begins_alike(oracle, trial, seen, **columns):
    """Whether a rule's first step is roughly an oracle's; for each value of hyperparameters that are `columns`."""
    expected = oracle.first_move(trial.stream, {**trial.meant, **columns}, seen)
    size = abs(expected)
    near = abs(trial.moves[0] - expected) <= 2e-3 * size + 1e-6
    if not near.all():
        near |= ~np.isfinite(trial.moves[0]) & ~(size < LARGEST)
    return near.all(axis=-1)


def first_lost(oracle, trial):
    """For each state of the oracle's, the first step after which no array of the rule's holds it; None if all do."""
    parts = [trial.stream.owner == owner for owner in (0, 1)]
    lost, largest = dict.fromkeys(oracle.states), dict.fromkeys(oracle.states, 0)
    memory = memory_of(oracle, trial)
    for t, ((_, held), arrays) in enumerate(zip(oracle.moves(trial.stream, trial.meant), trial.states), 1):
        for name in [name for name, at in lost.items() if at is None]:
            largest[name] = np.fmax(largest[name], abs(held[name]))
            allowed = ROUNDOFF * (memory + 4 * t + 8) * largest[name] + SMALLEST
            if not all(is_held(held[name][part], arrays, allowed[part]) for part in parts):
                lost[name] = t
    return lost


def is_held(state, arrays, allowed):
    """Whether one of the arrays has a state's numbers, but where these are not finite."""
    return any(len(array) == len(state) and ((abs(array - state) <= allowed) | ~np.isfinite(state)).all()
               for array in arrays)
