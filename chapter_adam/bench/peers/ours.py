"""This project: the section's rule from scratch and Gluon's Adam, eager and hybridized.

A hybridized training makes its graphs anew, in its first epoch.
"""
import chapter_adam as gb
from chapter_adam.book import run_gluon, run_scratch


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

    def train(runs):
        return gb.train_ensemble(gb.adam, gb.init_adam_states(), hyperparams(task), features, labels, seeds=range(runs),
                                 record_every=None).final
    return train


def hyperparams(task):
    return {'lr': task.lr, 't': 1, 'beta1': task.beta1, 'beta2': task.beta2, 'eps': task.eps}
