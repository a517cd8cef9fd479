"""A later edition: `train_ch11` and `train_concise_ch11` of d2l (1.0.3 up to Python 3.11) on MXNet's NumPy mode.

Unmodified but for the live plot, which is left out. It trains on 1500 rows and draws from global generators. It
evaluates half as often as the others, but batch by batch through its data loader, which takes as long as the training.
"""
import chapter_adam  # noqa: F401  with it, MXNet loads on today's Pythons
from d2l import mxnet as d2l
from mxnet import np, npx

npx.set_np()


class Curve:
    """In the place of d2l's live plot: keeps the losses."""

    def __init__(self, **_style):
        self.Y = [[]]
        Curve.last = self

    def add(self, _epoch, losses):
        self.Y[0] += losses


def prepare(task, variant):
    d2l.Animator = Curve
    data, d = d2l.get_data_ch11(batch_size=10)

    def train():
        if variant == 'scratch':
            states = [(np.zeros(shape), np.zeros(shape)) for shape in ((d, 1), (1,))]
            hyperparams = {'lr': task.lr, 't': 1, 'betas': (task.beta1, task.beta2), 'eps': task.eps}
            d2l.train_ch11(adam, states, hyperparams, data, d, task.num_epochs)
        else:
            d2l.train_concise_ch11('adam', {'learning_rate': task.lr}, data, task.num_epochs)
        for loss in Curve.last.Y[0]:
            task.record(loss)
    return train


def adam(params, states, hyperparams):
    """The section's rule, in NumPy's names."""
    (beta1, beta2), t = hyperparams['betas'], hyperparams['t']
    for p, (v, s) in zip(params, states):
        v[:] = beta1 * v + (1 - beta1) * p.grad
        s[:] = beta2 * s + (1 - beta2) * np.square(p.grad)
        v_hat, s_hat = v / (1 - beta1 ** t), s / (1 - beta2 ** t)
        p[:] = p - hyperparams['lr'] * v_hat / (np.sqrt(s_hat) + hyperparams['eps'])
    hyperparams['t'] = t + 1
