"""The original: `train_ch7` and `train_gluon_ch7` of gluonbook 0.8.10, unmodified, on MXNet 1.9.1.

The losses are read from the curve that it plots. It draws from global generators. It divides the Gluon run's short last
batch by 10, and records the last loss before that batch.
"""
import gluonbook as gb
from mxnet import nd


def prepare(task, variant):
    features, labels = gb.get_data_ch7()

    def train():
        if variant == 'scratch':
            states = [(nd.zeros(shape), nd.zeros(shape)) for shape in ((5, 1), (1,))]
            hyperparams = {'lr': task.lr, 't': 1, 'betas': (task.beta1, task.beta2), 'eps': task.eps}
            gb.train_ch7(adam, states, hyperparams, features, labels, num_epochs=task.num_epochs)
        else:
            gb.train_gluon_ch7('adam', {'learning_rate': task.lr}, features, labels, num_epochs=task.num_epochs)
        for loss in gb.plt.gca().lines[0].get_ydata():
            task.record(loss)
        gb.plt.close('all')
    return train


def adam(params, states, hyperparams):
    """The section's rule, as its reader types it in."""
    (beta1, beta2), t = hyperparams['betas'], hyperparams['t']
    for p, (v, s) in zip(params, states):
        v[:] = beta1 * v + (1 - beta1) * p.grad
        s[:] = beta2 * s + (1 - beta2) * p.grad.square()
        v_hat, s_hat = v / (1 - beta1 ** t), s / (1 - beta2 ** t)
        p[:] = p - hyperparams['lr'] * v_hat / (s_hat.sqrt() + hyperparams['eps'])
    hyperparams['t'] = t + 1
