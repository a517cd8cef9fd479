"""The original: gluonbook 0.8.10, its own `train_ch7` and `train_gluon_ch7`, unmodified, on MXNet 1.9.1.

Its data reader, its DataLoader, its clock (the last epoch, evaluations included) and its printed line are its own; the
shim is an Agg backend and the working directory. The start and the shuffles come from global generators. It divides the
Gluon run's short last batch by 10, and its last record is before that batch.
"""
import contextlib
import io
import re

import gluonbook as gb
from mxnet import nd

LABELS = {'scratch': 'gluonbook train_ch7', 'gluon': 'gluonbook train_gluon_ch7'}
FAMILY = 'the original'
ENVIRONMENT = 'book'
REQUIRES = ('gluonbook', 'mxnet')
SAME_DRAWS = False


def prepare(task, variant):
    features, labels = gb.get_data_ch7()

    def train():
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            if variant == 'scratch':
                states = [(nd.zeros(shape), nd.zeros(shape)) for shape in ((5, 1), (1,))]
                hyperparams = {'lr': task.lr, 't': 1, 'betas': (task.beta1, task.beta2), 'eps': task.eps}
                gb.train_ch7(adam, states, hyperparams, features, labels)
            else:
                gb.train_gluon_ch7('adam', {'learning_rate': task.lr}, features, labels)
        gb.plt.close('all')
        loss, seconds = re.match(r'loss: (\S+), (\S+) sec per epoch', printed.getvalue()).groups()
        task.report(seconds, [loss])
    return train


def adam(params, states, hyperparams):
    """The section's rule, which the reader of the book types in."""
    (beta1, beta2), t = hyperparams['betas'], hyperparams['t']
    for p, (v, s) in zip(params, states):
        v[:] = beta1 * v + (1 - beta1) * p.grad
        s[:] = beta2 * s + (1 - beta2) * p.grad.square()
        v_hat, s_hat = v / (1 - beta1 ** t), s / (1 - beta2 ** t)
        p[:] = p - hyperparams['lr'] * v_hat / (s_hat.sqrt() + hyperparams['eps'])
    hyperparams['t'] = t + 1
