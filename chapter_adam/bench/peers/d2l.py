"""A later edition: d2l (1.0.3 up to Python 3.11), its own `train_ch11` and `train_concise_ch11` on MXNet's NumPy mode.

Unmodified, on its own data iterator: 1500 rows, for with 1503 it records nothing in the second epoch. Its clock is the
mean of both epochs and stops while it evaluates, which it does through the shuffled loader: it is let off what the
others are timed for. The concise run's time and loss are as printed, with three decimals.
"""
import contextlib
import io
import re

from d2l import mxnet as d2l
from mxnet import np, npx

LABELS = {'scratch': 'd2l train_ch11', 'gluon': 'd2l train_concise_ch11'}
FAMILY = 'later edition'
ENVIRONMENT = 'main'
REQUIRES = ('d2l', 'mxnet')
SAME_DRAWS = False

npx.set_np()


def prepare(task, variant):
    data, d = d2l.get_data_ch11(batch_size=10)

    def train():
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            if variant == 'scratch':
                states = [(np.zeros(shape), np.zeros(shape)) for shape in ((d, 1), (1,))]
                hyperparams = {'lr': task.lr, 't': 1, 'betas': (task.beta1, task.beta2), 'eps': task.eps}
                times, losses = d2l.train_ch11(adam, states, hyperparams, data, d)
            else:
                d2l.train_concise_ch11('adam', {'learning_rate': task.lr}, data)
        d2l.plt.close('all')
        if variant == 'scratch':
            task.report(times[-1] / 2, losses)
        else:
            loss, seconds = re.search(r'loss: (\S+), (\S+) sec/epoch', printed.getvalue()).groups()
            task.report(seconds, [loss])
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
