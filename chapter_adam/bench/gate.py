"""The benchmark's gate: a competitor's times count if its losses are right and its clock is honest."""
import numpy as np

# The largest difference between a curve and the float64 reference. Float32 and the two places of eps explain less than
# 5e-6; the mildest known mistake, the short last batch divided by 10, makes 4e-4.
CURVE_TOLERANCE = 1e-5
# A closed loop has its own draws. None can end below the least loss of linear regression on these rows, 0.242145, or on
# the first 1500, 0.241688, which are d2l's. Of 100,000 seeds (`train_ensemble`) the last ended at 0.26619.
FINAL_LOSSES = 0.2416, 0.2667
# The part of a training's wall time that the time from its first record to its last must be. Less would mean that the
# work is not done where the clock is read.
RECORDED = 0.5


def reference(task, w, b, orders):
    """The recorded losses of the task from this start, in these orders: in float64, one step at a time."""
    A, y, x, t = task.A.astype(float), task.labels.astype(float), np.append(w, b).astype(float), 0
    v, s, losses = np.zeros_like(x), np.zeros_like(x), [_loss(A, y, x)]
    for order, due in zip(orders, task.due):
        for batch, is_due in zip(task.batches, due):
            rows, t = order[batch], t + 1
            g = A[rows].T @ (A[rows] @ x - y[rows]) / len(rows)
            v, s = task.beta1 * v + (1 - task.beta1) * g, task.beta2 * s + (1 - task.beta2) * g * g
            x = x - task.lr * (v / (1 - task.beta1 ** t)) / (np.sqrt(s / (1 - task.beta2 ** t)) + task.eps)
            if is_due:
                losses.append(_loss(A, y, x))
    return losses


def _loss(A, y, x):
    return float(np.mean((A @ x - y) ** 2) / 2)


def verdict(training, expected, closed):
    """Why one training (an answer of `worker.answer`) is refused, or None."""
    losses, (low, high) = training['losses'], FINAL_LOSSES
    if closed:
        return None if low <= losses[-1] <= high else (
            f'its final loss {losses[-1]:.6f} is outside of {low} to {high}, where all of 100,000 seeds end')
    if len(losses) != len(expected):
        return f'it recorded {len(losses)} losses, not {len(expected)}'
    gap = largest_gap(losses, expected)
    if not gap <= CURVE_TOLERANCE:  # nan is refused too
        return f'its losses are up to {gap:.1e} away from the float64 reference, allowed are {CURVE_TOLERANCE:.0e}'
    if training['recorded'] < RECORDED:
        return f'its clock says {training["recorded"]:.0%} of the wall time, allowed is no less than {RECORDED:.0%}'
    return None


def largest_gap(losses, expected):
    """The largest difference, nan if one is nan."""
    return float(np.max(np.abs(np.subtract(losses, expected))))
