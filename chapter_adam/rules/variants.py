"""Published variants and mistakes of Adam, and its two halves written another way.

    eps_inside, eps_hat                   Adam, with eps added in another place
    true_averages                         Adam, with averages that need no correction
    scaled_first, averaged_first          Adam's two averages one after the other: other rules
    weighted_momentum, weighted_rmsprop   its halves, as means over all gradients so far

They have the form of `optimizers` and Adam's states; the last two keep (weighted sum, sum of weights) instead.
"""


def eps_inside(params, states, hyperparams):
    """eps inside the root: v_hat / sqrt(s_hat + eps). The section's first printing; optax's `eps_root`."""
    lr, t, eps = hyperparams['lr'], hyperparams['t'], hyperparams.get('eps', 1e-6)
    for p, (v, s) in zip(params, states):
        v[:] = 0.9 * v + 0.1 * p.grad
        s[:] = 0.999 * s + (1 - 0.999) * p.grad.square()
        p[:] = p - lr * (v / (1 - 0.9 ** t)) / (s / (1 - 0.999 ** t) + eps).sqrt()
    hyperparams['t'] = t + 1


def eps_hat(params, states, hyperparams):
    """eps on the root of the uncorrected s, the corrections in the rate. MXNet and Keras; a remark of the paper."""
    lr, t, eps = hyperparams['lr'], hyperparams['t'], hyperparams.get('eps', 1e-6)
    for p, (v, s) in zip(params, states):
        v[:] = 0.9 * v + 0.1 * p.grad
        s[:] = 0.999 * s + (1 - 0.999) * p.grad.square()
        p[:] = p - lr * (1 - 0.999 ** t) ** 0.5 / (1 - 0.9 ** t) * v / (s.sqrt() + eps)
    hyperparams['t'] = t + 1


def true_averages(params, states, hyperparams):
    """Averages whose weights always add up to 1: nothing to correct. A later edition's exercise asks for it.

        v <- b1 v + (1 - b1) g             b1 = beta1 (1 - beta1^(t-1)) / (1 - beta1^t)
        s <- b2 s + (1 - b2) g * g         b2 = beta2 (1 - beta2^(t-1)) / (1 - beta2^t)
        p <- p - lr v / (sqrt(s) + eps)

    At t = 1 both b are 0: what the states held before does not matter.
    """
    lr, t, eps = hyperparams['lr'], hyperparams['t'], hyperparams.get('eps', 1e-6)
    b1, b2 = true_weight(t, hyperparams.get('beta1', 0.9)), true_weight(t, hyperparams.get('beta2', 0.999))
    for p, (v, s) in zip(params, states):
        v[:] = b1 * v + (1 - b1) * p.grad
        s[:] = b2 * s + (1 - b2) * p.grad.square()
        p[:] = p - lr * v / (s.sqrt() + eps)
    hyperparams['t'] = t + 1


def true_weight(t, beta):
    """The part of the past that step t of a true average keeps.

    >>> [round(true_weight(t, 0.9), 3) for t in (1, 2, 100)]
    [0.0, 0.474, 0.9]
    """
    return beta * (1 - beta ** (t - 1)) / (1 - beta ** t)


def scaled_first(params, states, hyperparams):
    """Momentum after RMSProp: the average of gradients that are scaled already. A common misreading of Adam."""
    lr, t = hyperparams['lr'], hyperparams['t']
    for p, (v, s) in zip(params, states):
        s[:] = 0.999 * s + 0.001 * p.grad.square()
        scaled = p.grad / ((s / (1 - 0.999 ** t)).sqrt() + 1e-6)
        v[:] = 0.9 * v + 0.1 * scaled
        p[:] = p - lr * v / (1 - 0.9 ** t)
    hyperparams['t'] = t + 1


def averaged_first(params, states, hyperparams):
    """RMSProp after momentum: the average divided by its own usual size. The other misreading."""
    lr, t = hyperparams['lr'], hyperparams['t']
    for p, (v, s) in zip(params, states):
        v[:] = 0.9 * v + 0.1 * p.grad
        averaged = v / (1 - 0.9 ** t)
        s[:] = 0.999 * s + 0.001 * averaged.square()
        p[:] = p - lr * averaged / ((s / (1 - 0.999 ** t)).sqrt() + 1e-6)
    hyperparams['t'] = t + 1


def weighted_momentum(params, states, hyperparams):
    """Steps along the weighted mean of all gradients so far, weights 0.9^age. Adam with an eps far above them."""
    for p, (total, weights) in zip(params, states):
        total[:] = 0.9 * total + p.grad
        weights[:] = 0.9 * weights + 1
        p[:] = p - hyperparams['lr'] * total / weights


def weighted_rmsprop(params, states, hyperparams):
    """Steps along the gradient over the root of the weighted mean of all squares, weights 0.999^age. beta1 = 0."""
    for p, (total, weights) in zip(params, states):
        total[:] = 0.999 * total + p.grad.square()
        weights[:] = 0.999 * weights + 1
        p[:] = p - hyperparams['lr'] * p.grad / ((total / weights).sqrt() + 1e-6)
