"""The update rules over NDArrays, side by side: the difference between two neighbours is the lesson.

    sgd                  against the gradient
    momentum             against an average of the past gradients
    rmsprop              against the gradient, each number divided by its usual size
    adam                 both averages in one quotient, each corrected for having started at 0
    adam_uncorrected     without that correction
    amsgrad              without it, and with a usual size that never shrinks
    yogi                 without it, and with a usual size that changes by small steps

All have the book's form, `rule(params, states, hyperparams)`, and return nothing:

    params       NDArrays of any shapes, each with its gradient in `grad`; changed in place
    states       one entry per parameter, of its shape, as init_<rule>_states gives them; changed in place
    hyperparams  a dict; {'lr': 0.01, 't': 1} is enough for every rule

In the formulas p is a parameter and g its gradient; everything happens to each number by itself. To add a rule, write
it and its initialiser here and name both in RULES.

>>> rule, init_states = RULES['momentum']
>>> rule.__name__, [state.shape for state in init_states(5)]
('momentum', [(5, 1), (1,)])
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
    return _zeros(feature_dim)


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


init_rmsprop_states = init_momentum_states


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


def init_adam_states(feature_dim=5):
    """Zeros ((v_w, s_w), (v_b, s_b))."""
    return tuple(zip(_zeros(feature_dim), _zeros(feature_dim)))


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


init_adam_uncorrected_states = init_adam_states


def adam_uncorrected(params, states, hyperparams):
    """Adam without bias correction, the comparison of Kingma & Ba's section 6.4.

        v <- beta1 v + (1 - beta1) g
        s <- beta2 s + (1 - beta2) g * g
        p <- p - lr v / (sqrt(s) + eps)

    Args: states as Adam's; hyperparams 'lr' (else KeyError), optional 'beta1' (0.9), 'beta2' (0.999) and 'eps' (1e-6).
    Elsewhere: MLX's Adam by default, and MXNet's kernel `nd.adam_update`, which Gluon corrects by the rate it passes.
        It is `adam` with lr_t = lr (1 - beta1^t) / sqrt(1 - beta2^t) and eps_t = eps / sqrt(1 - beta2^t).

    >>> p = nd.array([1.0, -2.0])
    >>> p.attach_grad()
    >>> p.grad[:] = nd.array([3.0, -0.5])
    >>> adam_uncorrected([p], [(nd.zeros(2), nd.zeros(2))], {'lr': 0.01})  # 3.16 times as long as adam's first step
    >>> [round(float(x), 4) for x in p.asnumpy()]
    [0.9684, -1.9684]
    """
    lr, eps = hyperparams['lr'], hyperparams.get('eps', 1e-6)
    beta1, beta2 = hyperparams.get('beta1', 0.9), hyperparams.get('beta2', 0.999)
    for p, (v, s) in zip(params, states):
        v[:] = beta1 * v + (1 - beta1) * p.grad
        s[:] = beta2 * s + (1 - beta2) * p.grad.square()
        p[:] = p - lr * v / (s.sqrt() + eps)


def init_amsgrad_states(feature_dim=5):
    """Zeros ((v_w, s_w, top_w), (v_b, s_b, top_b))."""
    return tuple(zip(*(_zeros(feature_dim) for _ in range(3))))


def amsgrad(params, states, hyperparams):
    """AMSGrad: Reddi, Kale & Kumar, "On the Convergence of Adam and Beyond", ICLR 2018, Algorithm 2.

        v <- beta1 v + (1 - beta1) g
        s <- beta2 s + (1 - beta2) g * g
        top <- max(top, s)
        p <- p - lr v / (sqrt(top) + eps)

    Args: states triples (v, s, top); hyperparams 'lr' (else KeyError), optional 'beta1' (0.9), 'beta2' (0.999) and
        'eps' (1e-6). The paper has no eps, which gives 0 / 0 for a gradient that has always been 0.
    Elsewhere: PyTorch's `Adam(amsgrad=True)` corrects both averages when it uses them: this rule with lr_t = lr
        sqrt(1 - beta2^t) / (1 - beta1^t) and eps_t = eps sqrt(1 - beta2^t). optax's `amsgrad` takes the largest of the
        corrected averages, another rule unless `bias_correction_mu` and `bias_correction_nu` are False. Gluon has none.

    >>> p, states = nd.array([0.0]), [(nd.zeros(1), nd.zeros(1), nd.zeros(1))]
    >>> p.attach_grad()
    >>> for g in [3.0, 0.0, 0.0]:
    ...     p.grad[:] = g
    ...     amsgrad([p], states, {'lr': 0.01, 'beta2': 0.5})
    >>> [round(float(state.asscalar()), 3) for state in states[0]]  # s forgets the 3, top does not
    [0.243, 1.125, 4.5]
    """
    lr, eps = hyperparams['lr'], hyperparams.get('eps', 1e-6)
    beta1, beta2 = hyperparams.get('beta1', 0.9), hyperparams.get('beta2', 0.999)
    for p, (v, s, top) in zip(params, states):
        v[:] = beta1 * v + (1 - beta1) * p.grad
        s[:] = beta2 * s + (1 - beta2) * p.grad.square()
        top[:] = nd.maximum(top, s)
        p[:] = p - lr * v / (top.sqrt() + eps)


init_yogi_states = init_adam_states  # the paper starts s at the squared gradient of a large batch instead


def yogi(params, states, hyperparams):
    """Yogi: Zaheer et al., "Adaptive Methods for Nonconvex Optimization", NeurIPS 2018, Algorithm 2.

        v <- beta1 v + (1 - beta1) g
        s <- s + (1 - beta2) sign(g * g - s) g * g
        p <- p - lr v / (sqrt(s) + eps)

    Args: states as Adam's; hyperparams 'lr' (else KeyError), optional 'beta1' (0.9), 'beta2' (0.999) and 'eps' (1e-3,
        the paper's, a thousand times Adam's here).
    Elsewhere: later editions of the book and optax correct both averages: this rule with lr_t = lr sqrt(1 - beta2^t) /
        (1 - beta1^t) and eps_t = eps sqrt(1 - beta2^t). optax also starts v and s at 1e-6. Gluon and PyTorch have none.

    >>> p, v, s = nd.array([0.0]), nd.array([0.0]), nd.array([4.0])
    >>> p.attach_grad()
    >>> p.grad[:] = 1
    >>> yogi([p], [(v, s)], {'lr': 0.01, 'beta2': 0.5})  # Adam's s would have gone to 2.5
    >>> round(float(s.asscalar()), 3)
    3.5
    """
    lr, eps = hyperparams['lr'], hyperparams.get('eps', 1e-3)
    beta1, beta2 = hyperparams.get('beta1', 0.9), hyperparams.get('beta2', 0.999)
    for p, (v, s) in zip(params, states):
        g2 = p.grad.square()
        v[:] = beta1 * v + (1 - beta1) * p.grad
        s[:] = s + (1 - beta2) * (g2 - s).sign() * g2
        p[:] = p - lr * v / (s.sqrt() + eps)


def _zeros(feature_dim):
    """One array for the weights and one for the bias."""
    return nd.zeros((whole_number('feature_dim', feature_dim, least=1), 1)), nd.zeros(1)


# name: the rule, and what gives its states before the first step
RULES = {
    'sgd': (sgd, init_sgd_states),
    'momentum': (momentum, init_momentum_states),
    'rmsprop': (rmsprop, init_rmsprop_states),
    'adam': (adam, init_adam_states),
    'adam_uncorrected': (adam_uncorrected, init_adam_uncorrected_states),
    'amsgrad': (amsgrad, init_amsgrad_states),
    'yogi': (yogi, init_yogi_states),
}
