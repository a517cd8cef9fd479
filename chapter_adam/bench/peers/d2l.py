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
            d2l.train_ch11(*task.rule(np), data, d, task.num_epochs)
        else:
            d2l.train_concise_ch11('adam', {'learning_rate': task.lr}, data, task.num_epochs)
        for loss in Curve.last.Y[0]:
            task.record(loss)
    return train
