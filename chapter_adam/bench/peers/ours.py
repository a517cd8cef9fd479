"""This project: the section's rule from scratch and Gluon's, eager and hybridized, by the loop of room `training`.

Its own clock is the book's: the last epoch, evaluations included, the device synced. Tracing the rule and preparing its
graph, some 40 ms, happens anew in each training, before that clock starts. With many runs the rule is hybridized once,
and traced in the warm-up, as others compile there.
"""
import chapter_adam as gb
from chapter_adam import training

LABELS = {
    'scratch': 'ours: scratch', 'scratch-hybridized': 'ours: scratch, hybridized',
    'gluon': 'ours: Gluon', 'gluon-hybridized': 'ours: Gluon, hybridized',
}
FAMILY = 'ours'
ENVIRONMENT = 'main'
REQUIRES = ('chapter_adam', 'mxnet')
SAME_DRAWS = True  # from the same seed, 0
MANY = ('scratch', 'scratch-hybridized')


def prepare(task, variant):
    features, labels = gb.get_data_ch7()
    method, _, hybridized = variant.partition('-')

    def scratch():
        hyperparams = {'lr': task.lr, 't': 1, 'beta1': task.beta1, 'beta2': task.beta2, 'eps': task.eps}
        return training.train_scratch(gb.adam, gb.init_adam_states(), hyperparams, features, labels,
                                      hybridize=bool(hybridized))

    def gluon():
        return training.train_gluon('adam', {'learning_rate': task.lr}, features, labels, hybridize=bool(hybridized))

    def train():
        history = scratch() if method == 'scratch' else gluon()
        task.report(history.seconds_per_epoch, history.losses)
    return train


def prepare_many(task, variant):
    features, labels = gb.get_data_ch7()
    hybridize = variant == 'scratch-hybridized'
    rule = gb.hybridize(gb.adam) if hybridize else gb.adam

    def train(seeds):
        hyperparams = {'lr': task.lr, 't': 1, 'beta1': task.beta1, 'beta2': task.beta2, 'eps': task.eps}
        return gb.train_ensemble(rule, gb.init_adam_states(), hyperparams, features, labels, seeds=seeds,
                                 hybridize=hybridize, record_every=None).final
    return train
