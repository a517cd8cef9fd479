"""Adam's neighbours, in the form of `optimizers`: the correction left out, and other usual sizes.

    adam_uncorrected     Adam without the correction
    amsgrad              without it, and with a usual size that never shrinks
    yogi                 without it, and with a usual size that changes by small steps
"""
from ..compat import mxnet
from .optimizers import init_adam_states, zeros

nd = mxnet.nd

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
    return tuple(zip(*(zeros(feature_dim) for _ in range(3))))


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
