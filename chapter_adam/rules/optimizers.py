"""The book's update rules over NDArrays, side by side: the difference between two neighbours is the lesson.

    sgd         the gradient
    momentum    a moving average of the gradients
    adagrad     the gradient over the root of the sum of its squares
    rmsprop     the gradient over the root of a moving average of its squares
    adadelta    the same, times the root of a moving average of the squared steps: no learning rate
    adam        momentum's average over rmsprop's root, both corrected for having started at 0

All have the book's form, `rule(params, states, hyperparams)`, and return nothing:

    params       NDArrays of any shapes, each with its gradient in `grad`; changed in place
    states       one entry per parameter, of its shape, as init_<rule>_states gives them; changed in place
    hyperparams  a dict; {'lr': 0.01, 't': 1} is enough for every rule

In the formulas p is a parameter and g its gradient; all operations are elementwise. Adam's neighbours are in
`neighbours`. docs/contributing.md says how to add a rule.
"""
from ..core.checks import whole_number
from ..compat import mxnet

nd = mxnet.nd


def init_sgd_states(feature_dim=5):
    """None: SGD remembers nothing."""
    return None


def sgd(params, states, hyperparams):
    """Stochastic gradient descent: Robbins & Monro, "A Stochastic Approximation Method", 1951.

        p <- p - lr g

    Args: states None; hyperparams 'lr' (else KeyError).
    Elsewhere: Gluon's, PyTorch's and optax's `sgd` are this rule while their momentum is 0, the default.

    >>> p = nd.array([1.0, -2.0])
    >>> p.attach_grad()
    >>> p.grad[:] = nd.array([3.0, -0.5])
    >>> sgd([p], None, {'lr': 0.1})
    >>> [round(float(x), 4) for x in p.asnumpy()]
    [0.7, -1.95]
    """
    lr = hyperparams['lr']
    for p in params:
        p[:] = p - lr * p.grad


def init_momentum_states(feature_dim=5):
    """Zeros (v_w, v_b)."""
    return zeros(feature_dim)


def momentum(params, states, hyperparams):
    """Momentum: Polyak, "Some methods of speeding up the convergence of iteration methods", 1964, the heavy ball.

        v <- momentum v + lr g
        p <- p - v

    Args: states (v_w, v_b); hyperparams 'lr' (else KeyError), optional 'momentum' (0.9).
    Elsewhere: Gluon keeps -v, so lr is inside the memory as here. PyTorch and optax keep v / lr and multiply by lr at
        the end: the same steps until lr changes, then theirs rescales the past. None has Adam's factor (1 - momentum):
        steps grow to 1 / (1 - momentum) times sgd's.

    >>> p, v = nd.array([1.0]), nd.zeros(1)
    >>> p.attach_grad()
    >>> p.grad[:] = 1
    >>> for _ in range(100):  # a constant gradient: steps of lr, 1.9 lr, ... and in the end 10 lr
    ...     momentum([p], [v], {'lr': 0.01})
    >>> round(float(v.asscalar()), 4)
    0.1
    """
    lr, momentum = hyperparams['lr'], hyperparams.get('momentum', 0.9)
    for p, v in zip(params, states):
        v[:] = momentum * v + lr * p.grad
        p[:] = p - v


def init_adagrad_states(feature_dim=5):
    """Zeros (s_w, s_b)."""
    return zeros(feature_dim)


def adagrad(params, states, hyperparams):
    """Adagrad: Duchi, Hazan & Singer, "Adaptive Subgradient Methods for Online Learning", JMLR 2011.

        s <- s + g * g
        p <- p - lr g / sqrt(s + eps)

    Args: states (s_w, s_b); hyperparams 'lr' (else KeyError), optional 'eps' (1e-6).
    Elsewhere: Gluon (`eps` 1e-7) and optax (`eps` 1e-7) have eps inside the root as here and in the book; optax starts
        s at 0.1. PyTorch (`eps` 1e-10) adds it to the root. The first step is lr long, the t-th of a constant gradient
        lr / sqrt(t).

    >>> p, s = nd.array([1.0]), nd.zeros(1)
    >>> p.attach_grad()
    >>> p.grad[:] = 3
    >>> for _ in range(4):  # steps of lr, lr / sqrt(2), lr / sqrt(3), lr / 2
    ...     adagrad([p], [s], {'lr': 0.01})
    >>> round(float(p.asscalar()), 4), float(s.asscalar())
    (0.9722, 36.0)
    """
    lr, eps = hyperparams['lr'], hyperparams.get('eps', 1e-6)
    for p, s in zip(params, states):
        s[:] = s + p.grad.square()
        p[:] = p - lr * p.grad / (s + eps).sqrt()


def init_rmsprop_states(feature_dim=5):
    """Zeros (s_w, s_b)."""
    return zeros(feature_dim)


def rmsprop(params, states, hyperparams):
    """RMSProp: Tieleman & Hinton, "Neural Networks for Machine Learning", lecture 6.5, 2012.

        s <- gamma s + (1 - gamma) g * g
        p <- p - lr g / sqrt(s + eps)

    Args: states (s_w, s_b); hyperparams 'lr' (else KeyError), optional 'gamma' (0.9) and 'eps' (1e-6).
    Elsewhere: Gluon (`gamma1` 0.9, `epsilon` 1e-8) and optax (`decay` 0.9, `eps` 1e-8) have eps inside the root as here
        and in the book; PyTorch (`alpha` 0.99, `eps` 1e-8) adds it to the root. None corrects the average for having
        started at 0: the first step is lr / sqrt(1 - gamma) long, 3.16 lr.

    >>> p = nd.array([1.0, -2.0])
    >>> p.attach_grad()
    >>> p.grad[:] = nd.array([3.0, -0.5])
    >>> rmsprop([p], [nd.zeros(2)], {'lr': 0.01})
    >>> [round(float(x), 4) for x in p.asnumpy()]
    [0.9684, -1.9684]
    """
    lr, gamma, eps = hyperparams['lr'], hyperparams.get('gamma', 0.9), hyperparams.get('eps', 1e-6)
    for p, s in zip(params, states):
        s[:] = gamma * s + (1 - gamma) * p.grad.square()
        p[:] = p - lr * p.grad / (s + eps).sqrt()


def init_adadelta_states(feature_dim=5):
    """Zeros ((s_w, delta_w), (s_b, delta_b))."""
    return tuple(zip(zeros(feature_dim), zeros(feature_dim)))


def adadelta(params, states, hyperparams):
    """Adadelta: Zeiler, "ADADELTA: An Adaptive Learning Rate Method", 2012, Algorithm 1.

        s <- rho s + (1 - rho) g * g
        step <- sqrt((delta + eps) / (s + eps)) g
        p <- p - step
        delta <- rho delta + (1 - rho) step * step

    Args: states ((s_w, delta_w), (s_b, delta_b)); hyperparams optional 'rho' (0.9) and 'eps' (1e-5); no 'lr'.
    Elsewhere: Gluon (`rho` 0.9, `epsilon` 1e-5) is this rule. PyTorch (`rho` 0.9, `eps` 1e-6) and optax (`rho` 0.9,
        `eps` 1e-6) multiply the step by a learning rate, 1 by default in PyTorch. eps sets the first steps: sqrt(eps)
        times the gradient's size of late.

    >>> p, s, delta = nd.array([1.0, -2.0]), nd.zeros(2), nd.zeros(2)
    >>> p.attach_grad()
    >>> p.grad[:] = nd.array([3.0, -0.5])
    >>> adadelta([p], [(s, delta)], {'eps': 1e-4})  # the first step is sqrt(eps / (1 - rho)), 0.0316
    >>> [round(float(x), 4) for x in p.asnumpy()]
    [0.9684, -1.9684]
    """
    rho, eps = hyperparams.get('rho', 0.9), hyperparams.get('eps', 1e-5)
    for p, (s, delta) in zip(params, states):
        s[:] = rho * s + (1 - rho) * p.grad.square()
        step = ((delta + eps) / (s + eps)).sqrt() * p.grad
        p[:] = p - step
        delta[:] = rho * delta + (1 - rho) * step.square()


def init_adam_states(feature_dim=5):
    """Zeros ((v_w, s_w), (v_b, s_b))."""
    return tuple(zip(zeros(feature_dim), zeros(feature_dim)))


def adam(params, states, hyperparams):
    """Adam: Kingma & Ba, "Adam: A Method for Stochastic Optimization", ICLR 2015, Algorithm 1 (there m, v and alpha).

        v <- beta1 v + (1 - beta1) g            v_hat = v / (1 - beta1^t)
        s <- beta2 s + (1 - beta2) g * g        s_hat = s / (1 - beta2^t)
        p <- p - lr v_hat / (sqrt(s_hat) + eps)

    Args: states ((v_w, s_w), (v_b, s_b)); hyperparams 'lr' and 't' (else KeyError), optional 'beta1' (0.9), 'beta2'
        (0.999) and 'eps' (1e-6), the section's. 't' is the number of the step, 1 at the first; it is advanced by one.
    Elsewhere: optax and PyTorch compute this with eps = 1e-8. MXNet (Gluon) and Keras add eps to the root of the
        uncorrected s, which is this rule with eps_t = eps / sqrt(1 - beta2^t).

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


def zeros(feature_dim):
    """One array for the weights and one for the bias."""
    return nd.zeros((whole_number('feature_dim', feature_dim, least=1, most=10 ** 8), 1)), nd.zeros(1)
