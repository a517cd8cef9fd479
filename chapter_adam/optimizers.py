"""The update rules over NDArrays, side by side: the difference between two of them is the lesson.

Each has the book's form, `rule(params, states, hyperparams)`: it reads each parameter's `grad` and changes
parameters and states in place. `hyperparams` is a dict; what it must and may hold stands with each rule.
"""
from .compat import mxnet

nd = mxnet.nd


def init_adam_states(feature_dim=5):
    """Adam's states before the first step, all 0: ((v_w, s_w), (v_b, s_b)).

    Shapes: v_w and s_w (feature_dim, 1), v_b and s_b (1,).

    >>> (v_w, s_w), (v_b, s_b) = init_adam_states()
    >>> v_w.shape, s_b.shape
    ((5, 1), (1,))
    """
    return tuple((nd.zeros(shape), nd.zeros(shape)) for shape in ((feature_dim, 1), (1,)))


def adam(params, states, hyperparams):
    """One step of Adam: Kingma & Ba, "Adam: A Method for Stochastic Optimization", ICLR 2015, Algorithm 1.

        v <- beta1 v + (1 - beta1) g            v_hat = v / (1 - beta1^t)
        s <- beta2 s + (1 - beta2) g * g        s_hat = s / (1 - beta2^t)
        p <- p - lr v_hat / (sqrt(s_hat) + eps)

    (The paper calls v, s and lr by the names m, v and alpha.)

    Args:
        params: NDArrays of any shapes, each with its gradient in `grad`; changed in place.
        states: one pair (v, s) per parameter, of the parameter's shape; changed in place.
        hyperparams: 'lr', the learning rate, and 't', the step's number, 1 at the first; 't' is advanced by one.
            May also hold 'beta1', 'beta2' and 'eps'; without them, the section's 0.9, 0.999 and 1e-6.

    Raises:
        KeyError: `hyperparams` lacks 'lr' or 't'.

    Where others differ: MXNet's (Gluon's) and Keras's Adam add eps to the root of the uncorrected s, which is
    this rule with eps_t = eps / sqrt(1 - beta2^t); optax and PyTorch compute as here, with eps = 1e-8.

    >>> p = nd.array([1.0, -2.0])
    >>> p.attach_grad()
    >>> p.grad[:] = nd.array([3.0, -0.5])
    >>> adam([p], [(nd.zeros(2), nd.zeros(2))], {'lr': 0.01, 't': 1})  # the first step is -lr sign(g)
    >>> [round(float(x), 4) for x in p.asnumpy()]
    [0.99, -1.99]
    """
    lr, t = hyperparams['lr'], hyperparams['t']
    beta1, beta2 = hyperparams.get('beta1', 0.9), hyperparams.get('beta2', 0.999)
    eps = hyperparams.get('eps', 1e-6)
    for p, (v, s) in zip(params, states):
        v[:] = beta1 * v + (1 - beta1) * p.grad
        s[:] = beta2 * s + (1 - beta2) * p.grad.square()
        v_hat = v / (1 - beta1 ** t)
        s_hat = s / (1 - beta2 ** t)
        p[:] = p - lr * v_hat / (s_hat.sqrt() + eps)
    hyperparams['t'] = t + 1
