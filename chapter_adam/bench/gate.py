"""The benchmark's gate: a competitor's times count if its losses are right and its clock is honest."""
import numpy as np

# The largest difference between a curve and the float64 reference. Float32 and the two places of eps explain less than
# 5e-6; the mildest known mistake, the short last batch divided by 10, makes 4e-4.
CURVE_TOLERANCE = 1e-5
# A closed loop has its own draws. It must end where the linear regression of these rows can: below the first number
# there is none, and none of a thousand seeds ended above the second.
FINAL_LOSSES = 0.2421, 0.2570
# d2l keeps only the first 1500 rows, whose floor is 0.24169.
ROUNDING = 0.0005
# The part of a training's wall time that the time from its first record to its last must be. Less would mean that the
# work is not done where the clock is read.
RECORDED = 0.5


def reference(task):
    """The recorded losses of the task (see `race.section_task`), in float64, one step at a time."""
    A = np.column_stack([task['features'], np.ones(len(task['labels']))]).astype(float)
    y, x = task['labels'].astype(float), np.append(task['w'], task['b']).astype(float)
    lr, beta1, beta2, eps = task['hyperparams']
    v, s, t, losses = np.zeros_like(x), np.zeros_like(x), 0, [_loss(A, y, x)]
    for order in task['orders']:
        for at in range(0, len(y), task['batch_size']):
            rows, t = order[at:at + task['batch_size']], t + 1
            g = A[rows].T @ (A[rows] @ x - y[rows]) / len(rows)
            v, s = beta1 * v + (1 - beta1) * g, beta2 * s + (1 - beta2) * g * g
            x = x - lr * (v / (1 - beta1 ** t)) / (np.sqrt(s / (1 - beta2 ** t)) + eps)
            if t in task['records']:
                losses.append(_loss(A, y, x))
    return losses


def _loss(A, y, x):
    return float(np.mean((A @ x - y) ** 2) / 2)


def verdict(training, expected, closed):
    """Why one training (an answer of `worker.answer`) is refused, or None."""
    losses = training['losses']
    if closed:
        return final_verdict(losses[-1])
    if len(losses) != len(expected):
        return f'it recorded {len(losses)} losses, not {len(expected)}'
    gap = largest_gap(losses, expected)
    if not gap <= CURVE_TOLERANCE:  # nan is refused too
        return f'its losses are up to {gap:.1e} away from the float64 reference, allowed are {CURVE_TOLERANCE:.0e}'
    if training['recorded'] < RECORDED:
        return f'its clock says {training["recorded"]:.0%} of the wall time, allowed is no less than {RECORDED:.0%}'
    return None


def final_verdict(loss):
    """Why the final loss from a competitor's own draws is refused, or None."""
    low, high = FINAL_LOSSES
    if not low - ROUNDING <= loss <= high:
        return f'its final loss {loss:.6f} is outside of {low} to {high}, where all of a thousand seeds end'
    return None


def largest_gap(losses, expected):
    """The largest difference, nan if one is nan."""
    return float(np.max(np.abs(np.subtract(losses, expected))))
