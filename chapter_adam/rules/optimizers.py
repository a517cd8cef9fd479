"""The update rules over NDArrays, side by side: the difference between two neighbours is the lesson.

    sgd                  against the gradient
    momentum             against an average of the past gradients
    rmsprop              against the gradient, each number measured by its usual size
    adam                 both averages in one quotient, each corrected for having started at 0
    adam_uncorrected     without that correction
    amsgrad              ... and a usual size that never shrinks
    yogi                 ... or one that shrinks and grows by small steps

Each has the book's form, `rule(params, states, hyperparams)`: it reads each parameter's `grad` and changes parameters
and states in place. `hyperparams` is a dict; what it must and may hold stands with each rule, and {'lr': 0.01, 't': 1}
is enough for all. `states` is what init_<rule>_states gives: one entry per parameter, for the weights (feature_dim, 1)
and the bias (1,), all 0 before the first step.

To add a rule, write it and its initialiser init_<rule>_states(feature_dim=5) here and name both in RULES, below: the
package, its exercises and its tests find them there, and train it eagerly, traced and as an ensemble.

>>> rule, init_states = RULES['momentum']
>>> rule.__name__, [state.shape for state in init_states(5)]
('momentum', [(5, 1), (1,)])

Sources: the book's sections of the same names; the paper of each rule. In all formulas g is a parameter's gradient,
p the parameter, and everything happens to each number by itself.
"""
from ..core.checks import whole_number
from ..core.compat import mxnet

nd = mxnet.nd


def init_sgd_states(feature_dim=5):
    """None: SGD remembers nothing.

    >>> init_sgd_states() is None
    True
    """
    return None


def sgd(params, states, hyperparams):
    """One step of stochastic gradient descent: Robbins & Monro, "A Stochastic Approximation Method", 1951.

        p <- p - lr g

    Args:
        params: NDArrays of any shapes, each with its gradient in `grad`; changed in place.
        states: not looked at.
        hyperparams: 'lr', the learning rate.

    Raises:
        KeyError: `hyperparams` lacks 'lr'.

    Where others differ: Gluon's, PyTorch's and optax's `sgd` are this rule while their momentum is 0, the default.

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
    """Momentum's states before the first step, all 0: (v_w, v_b), of shapes (feature_dim, 1) and (1,).

    >>> [v.shape for v in init_momentum_states()]
    [(5, 1), (1,)]
    """
    return _zeros(feature_dim)


def momentum(params, states, hyperparams):
    """One step of gradient descent with momentum: Polyak, "Some methods of speeding up the convergence of iteration
    methods", 1964 (the heavy ball), in the book's two lines.

        v <- momentum v + lr g
        p <- p - v

    Args:
        params: NDArrays of any shapes, each with its gradient in `grad`; changed in place.
        states: one v per parameter, of the parameter's shape; changed in place.
        hyperparams: 'lr', the learning rate; may also hold 'momentum', without it 0.9.

    Raises:
        KeyError: `hyperparams` lacks 'lr'.

    Where others differ: Gluon's `sgd` with momentum keeps -v, so lr is inside the memory as here. PyTorch's and optax's
    `sgd` keep v / lr and multiply by lr at the end: the same steps until lr changes, then theirs rescales the past.
    None has the factor (1 - momentum) that Adam's average has: steps grow to 1 / (1 - momentum) times sgd's.

    >>> p = nd.array([1.0])
    >>> p.attach_grad()
    >>> p.grad[:] = 1
    >>> v = nd.zeros(1)
    >>> for _ in range(100):  # one gradient again and again: steps of lr, 1.9 lr, ... and in the end 10 lr
    ...     momentum([p], [v], {'lr': 0.01})
    >>> round(float(v.asscalar()), 4)
    0.1
    """
    lr, momentum = hyperparams['lr'], hyperparams.get('momentum', 0.9)
    for p, v in zip(params, states):
        v[:] = momentum * v + lr * p.grad
        p[:] = p - v


def init_rmsprop_states(feature_dim=5):
    """RMSProp's states before the first step, all 0: (s_w, s_b), of shapes (feature_dim, 1) and (1,).

    >>> [s.shape for s in init_rmsprop_states()]
    [(5, 1), (1,)]
    """
    return _zeros(feature_dim)


def rmsprop(params, states, hyperparams):
    """One step of RMSProp: Tieleman & Hinton, "Neural Networks for Machine Learning", lecture 6.5, 2012.

        s <- gamma s + (1 - gamma) g * g
        p <- p - lr g / sqrt(s + eps)

    Args:
        params: NDArrays of any shapes, each with its gradient in `grad`; changed in place.
        states: one s per parameter, of the parameter's shape; changed in place.
        hyperparams: 'lr', the learning rate; may also hold 'gamma' and 'eps', without them 0.9 and 1e-6.

    Raises:
        KeyError: `hyperparams` lacks 'lr'.

    Where others differ: eps is inside the root here as in the book's RMSProp section, in Gluon (`gamma1` 0.9, `epsilon`
    1e-8) and in optax (`decay` 0.9, `eps` 1e-8). PyTorch (`alpha` 0.99, `eps` 1e-8) adds it to the root.
    The average starts at 0 and nobody corrects it: the first step is lr / sqrt(1 - gamma) long, 3.16 lr.

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
    """Adam's states before the first step, all 0: ((v_w, s_w), (v_b, s_b)).

    Shapes: v_w and s_w (feature_dim, 1), v_b and s_b (1,).

    >>> (v_w, s_w), (v_b, s_b) = init_adam_states()
    >>> v_w.shape, s_b.shape
    ((5, 1), (1,))
    """
    return tuple(zip(_zeros(feature_dim), _zeros(feature_dim)))


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


def init_adam_uncorrected_states(feature_dim=5):
    """As Adam's: ((v_w, s_w), (v_b, s_b)), all 0.

    >>> len(init_adam_uncorrected_states()[0])
    2
    """
    return init_adam_states(feature_dim)


def adam_uncorrected(params, states, hyperparams):
    """One step of Adam without bias correction: Kingma & Ba 2015, Algorithm 1 without its two lines of m_hat and v_hat,
    as in their section 6.4, which asks what the correction is good for.

        v <- beta1 v + (1 - beta1) g
        s <- beta2 s + (1 - beta2) g * g
        p <- p - lr v / (sqrt(s) + eps)

    Args:
        params: NDArrays of any shapes, each with its gradient in `grad`; changed in place.
        states: one pair (v, s) per parameter, of the parameter's shape; changed in place.
        hyperparams: 'lr', the learning rate; may also hold 'beta1', 'beta2' and 'eps', else 0.9, 0.999 and 1e-6.

    Raises:
        KeyError: `hyperparams` lacks 'lr'.

    Where others differ: this is `adam` with lr_t = lr (1 - beta1^t) / sqrt(1 - beta2^t) and eps_t = eps / sqrt(1 -
    beta2^t). MLX's Adam is this by default; MXNet's kernel `nd.adam_update` is this, and Gluon's Adam corrects by the
    rate that it hands over; PyTorch and optax have no name for it.

    >>> p = nd.array([1.0, -2.0])
    >>> p.attach_grad()
    >>> p.grad[:] = nd.array([3.0, -0.5])
    >>> adam_uncorrected([p], [(nd.zeros(2), nd.zeros(2))], {'lr': 0.01})  # 3.16 times as far as adam's first step
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
    """AMSGrad's states before the first step, all 0: ((v_w, s_w, top_w), (v_b, s_b, top_b)).

    Shapes: v_w, s_w and top_w (feature_dim, 1); v_b, s_b and top_b (1,).

    >>> [[state.shape for state in each] for each in init_amsgrad_states(2)]
    [[(2, 1), (2, 1), (2, 1)], [(1,), (1,), (1,)]]
    """
    return tuple(zip(*(_zeros(feature_dim) for _ in range(3))))


def amsgrad(params, states, hyperparams):
    """One step of AMSGrad: Reddi, Kale & Kumar, "On the Convergence of Adam and Beyond", ICLR 2018, Algorithm 2.

        v <- beta1 v + (1 - beta1) g
        s <- beta2 s + (1 - beta2) g * g
        top <- max(top, s)
        p <- p - lr v / (sqrt(top) + eps)

    (The paper calls v, s, top and lr by the names m, v, v_hat and alpha. It has no eps: without one, a gradient that
    has always been 0 gives 0 / 0.)

    Args:
        params: NDArrays of any shapes, each with its gradient in `grad`; changed in place.
        states: one triple (v, s, top) per parameter, of the parameter's shape; changed in place.
        hyperparams: 'lr', the learning rate; may also hold 'beta1', 'beta2' and 'eps', else 0.9, 0.999 and 1e-6.

    Raises:
        KeyError: `hyperparams` lacks 'lr'.

    Where others differ: PyTorch's `Adam(amsgrad=True)` keeps this top and corrects both averages when it uses them,
    which is this rule with lr_t = lr sqrt(1 - beta2^t) / (1 - beta1^t) and eps_t = eps sqrt(1 - beta2^t). optax's
    `amsgrad` takes the largest of the *corrected* averages, another rule: the very first gradient may stay the
    largest. With `bias_correction_mu=False, bias_correction_nu=False` it is this one. Gluon has none.

    >>> p = nd.array([0.0])
    >>> p.attach_grad()
    >>> states = [(nd.zeros(1), nd.zeros(1), nd.zeros(1))]
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


def init_yogi_states(feature_dim=5):
    """As Adam's: ((v_w, s_w), (v_b, s_b)), all 0.

    The paper's experiments start s at the squared gradient of a large batch at the first point instead.

    >>> [state.shape for state in init_yogi_states()[1]]
    [(1,), (1,)]
    """
    return init_adam_states(feature_dim)


def yogi(params, states, hyperparams):
    """One step of Yogi: Zaheer et al., "Adaptive Methods for Nonconvex Optimization", NeurIPS 2018, Algorithm 2.

        v <- beta1 v + (1 - beta1) g
        s <- s + (1 - beta2) sign(g * g - s) g * g
        p <- p - lr v / (sqrt(s) + eps)

    In Adam s changes by (1 - beta2)(g * g - s), however large s is; here by no more than (1 - beta2) g * g.
    (The paper calls v, s and lr by the names m, v and eta.)

    Args:
        params: NDArrays of any shapes, each with its gradient in `grad`; changed in place.
        states: one pair (v, s) per parameter, of the parameter's shape; changed in place.
        hyperparams: 'lr', the learning rate; may also hold 'beta1', 'beta2' and 'eps', without them 0.9, 0.999 and 1e-3
            (the paper's, a thousand times that of Adam here).

    Raises:
        KeyError: `hyperparams` lacks 'lr'.

    Where others differ: the later editions of the book correct both averages, and so does optax, which also starts v
    and s at 1e-6; from the same states that is this rule with lr_t = lr sqrt(1 - beta2^t) / (1 - beta1^t) and eps_t =
    eps sqrt(1 - beta2^t). Gluon and PyTorch have none.

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
