"""Momentum and RMSProp as weighted means of all that came before: written another way than Adam, to compare it with.

A mean over the weights' sum is a true one from the first step on: nothing to correct. States: the weighted sum, and
the sum of the weights.
"""


def weighted_momentum(params, states, hyperparams):
    """Steps along the weighted mean of all gradients so far, weights 0.9^age."""
    for p, (total, weights) in zip(params, states):
        total[:] = 0.9 * total + p.grad
        weights[:] = 0.9 * weights + 1
        p[:] = p - hyperparams['lr'] * total / weights


def weighted_rmsprop(params, states, hyperparams):
    """Steps along the gradient over its usual size, the root of the weighted mean of all squares, weights 0.999^age."""
    for p, (total, weights) in zip(params, states):
        total[:] = 0.999 * total + p.grad.square()
        weights[:] = 0.999 * weights + 1
        p[:] = p - hyperparams['lr'] * p.grad / ((total / weights).sqrt() + 1e-6)
