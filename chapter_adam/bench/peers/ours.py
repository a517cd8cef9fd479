"""This project: the section's rule from scratch and Gluon's Adam, eager and hybridized.

A hybridized training makes its graphs anew, in its first epoch. Many hybridized runs use the graphs of the first call.
"""
import chapter_adam as gb
from chapter_adam.book import run_gluon, run_scratch

LABELS = {
    'scratch': 'ours: scratch', 'scratch-hybridized': 'ours: scratch, hybridized',
    'gluon': 'ours: Gluon', 'gluon-hybridized': 'ours: Gluon, hybridized',
}
FAMILY = 'ours'
ENVIRONMENT = 'main'
REQUIRES = ('chapter_adam', 'mxnet')
MANY = ('scratch', 'scratch-hybridized')


def prepare(task, variant):
    features, labels = gb.get_data_ch7()
    method, _, hybridized = variant.partition('-')

    def train():
        common = {'num_epochs': task.num_epochs, 'seed': 0, 'hybridize': bool(hybridized),
                  'watch': lambda _epochs, loss: task.record(loss)}
        if method == 'scratch':
            run_scratch(gb.adam, gb.init_adam_states(), hyperparams(task), features, labels, **common)
        else:
            run_gluon('adam', {'learning_rate': task.lr}, features, labels, **common)
    return train


def prepare_many(task, variant):
    features, labels = gb.get_data_ch7()
    rule = gb.hybridize(gb.adam) if variant == 'scratch-hybridized' else gb.adam

    def train(runs):
        return gb.train_ensemble(rule, gb.init_adam_states(), hyperparams(task), features, labels, seeds=range(runs),
                                 record_every=None).final
    return train


def hyperparams(task):
    return {'lr': task.lr, 't': 1, 'beta1': task.beta1, 'beta2': task.beta2, 'eps': task.eps}
