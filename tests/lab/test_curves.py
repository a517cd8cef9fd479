"""The page's runs are Python's: the data, the curves at every record, the ends of many seeds."""
import math
from functools import cache

import build_html
import numpy as np
import pytest
from engine import ask, source
from test_rules import OTHERS

from chapter_adam import get_data_ch7, rules, train_ch7, train_ensemble, train_gluon_ch7
from chapter_adam.core import airfoil
from chapter_adam.core.training import DivergenceError
from chapter_adam.exercises import decay, divergence

data = cache(lambda rows=None: get_data_ch7(n=rows))


def train(requests):
    parts = {rows: build_html.data_of(rows) for rows in {each['settings'].get('rows', 1503) for each in requests}}
    return ask('train', requests, data={rows: {'X': X, 'y': y, **best} for rows, (X, y, best) in parts.items()})


@pytest.mark.parametrize('rows', [1503, 1500])
def test_the_data_and_their_best_weights_are_pythons(rows):
    features, labels = (array.asnumpy() for array in data(rows))
    X, y, best = build_html.data_of(rows)
    assert np.float32(X).tolist() == features.ravel().tolist() and np.float32(y).tolist() == labels.tolist()
    A = np.column_stack([features, np.ones(rows)]).astype(float)
    assert best['weights'] == pytest.approx(np.linalg.lstsq(A, labels.astype(float), rcond=None)[0], abs=1e-10)
    assert best['floor'] == pytest.approx(airfoil.least_squares_floor(features, labels), abs=1e-10)


NAMES = {'batchSize': 'batch_size', 'epochs': 'num_epochs', 'recordEvery': 'record_every', 'seed': 'seed'}
RUNS = [
    {}, *({'rule': name, 'seed': k, 'epochs': 1} for k, name in enumerate(rules.RULES)),
    *({'rule': name, 'seed': 7, 'batchSize': 64, **OTHERS[name]} for name in rules.RULES),
    {'batchSize': 1, 'epochs': 3, 'rows': 150}, {'batchSize': 7, 'epochs': 1}, {'batchSize': 751}, {'batchSize': 1502},
    {'batchSize': 2000, 'rule': 'momentum'}, {'rows': 1500, 'batchSize': 1400},
    {'rows': 30, 'batchSize': 4, 'epochs': 20}, {'batchSize': 50, 'lr': 0.3, 'seed': 2 ** 32 - 1},
    {'batchSize': 30, 'recordEvery': 45}, {'batchSize': 90, 'recordEvery': None},
    *({'rule': name, 'schedule': schedule, 'lr': 0.1, 'seed': k, 'batchSize': 64}
      for name in rules.RULES if name != 'adadelta' for k, schedule in enumerate(decay.SCHEDULES)),
    {'schedule': 'cosine', 'epochs': 8, 'batchSize': 64, 'lr': 0.1}, {'schedule': '1/t', 'batchSize': 2000},
]
# The bias's gradient on all rows is little more than float32's rounding. RMSProp and Adagrad multiply a bias that
# small tenfold a step, and it is another where a weight differs in its last digit.
ALL_ROWS = [({'rule': name, 'batchSize': size, 'epochs': 9}, limit) for name, size, limit in (
    ('sgd', 1503, 1e-6), ('adam', 1503, 1e-5), ('adam_uncorrected', 2000, 1e-5), ('amsgrad', 2000, 1e-5),
    ('rmsprop', 1503, 1e-3), ('adagrad', 1503, 1e-3))]


def in_python(settings):
    """The same run with `train_ch7`, as a History."""
    settings = {**settings}
    rule, init_states = rules.RULES[settings.pop('rule', 'adam')]
    features, labels = data(settings.pop('rows', None))
    given = {NAMES[key]: settings.pop(key) for key in NAMES if key in settings}
    if schedule := settings.pop('schedule', None):
        steps = given.get('num_epochs', 2) * math.ceil(len(labels) / given.get('batch_size', 10))
        rule = scheduled(rule, decay.SCHEDULES[schedule], settings['lr'] if 'lr' in settings else 0.01, steps)
    hyperparams = {'lr': 0.01, 't': 1, **settings}
    return train_ch7(rule, init_states(), hyperparams, features, labels, hybridize=True, plot=False, **given)


def scheduled(rule, schedule, first, steps):
    """A rule at the rates of a schedule."""
    def stepped(params, states, hyperparams):
        step = hyperparams['step'] = hyperparams.get('step', 0) + 1
        hyperparams['lr'] = schedule(first, step, steps)
        rule(params, states, hyperparams)
    return stepped


def test_the_curves_are_pythons():
    runs = [*((settings, 1e-6) for settings in RUNS), *ALL_ROWS]
    found = train([{'settings': settings} for settings, _ in runs])
    for (settings, limit), ours in zip(runs, found):
        theirs = in_python(settings)
        assert ours['epochs'] == pytest.approx(theirs.epochs, abs=1e-12), settings
        assert ours['losses'] == pytest.approx(theirs.losses, abs=limit), settings
        assert ours['finalLoss'] == ours['losses'][-1] and ours['diverged'] is ours['trace'] is None
        if limit == 1e-6:
            assert ours['weights'] == pytest.approx([*theirs.weights, theirs.bias], abs=1e-5), settings


MISTAKES = [
    ('normal(0, 0.01, D)', 'normal(0, 0.1, D)'), ('order[at] * D', 'at * D'), ('y[order[at]]', 'y[at]'),
    ('output + p[D]', 'output'), ('g[D] = sum', ''), ('first / t', 'first * t'), ('t - 1', 't'), ('g.fill(0)', ''),
    ('first, t, steps) => (first', 'first, t, steps) => (1'), ('1 / divisor', '1 / 10'),
    ('1 && stop', '1 && false && stop'), ('stop > n - all.batchSize', 'stop > n'), ('% all.recordEvery <', '* 0 <'),
    ("=== 'full'", "!== 'full'"), ('epoch * n + stop', 'stop'),
    ('epoch === all.epochs - 1', 'epoch === all.epochs'), ('epoch + stop / n', 'epoch'), ('++t', 't++'),
    ('...p, -1', '...p, 1'), ('all.seed', '0'),
]


def test_mistakes_in_the_training_are_caught():
    settings = [{'seed': 3}, {'recordEvery': 70},
                {'rule': 'sgd', 'batchSize': 2000, 'recordEvery': 1000, 'divideLastBy': 'full'},
                *({'lr': 0.1, 'schedule': schedule} for schedule in decay.SCHEDULES)]
    assert [old for old, _ in MISTAKES if source('training').count(old) != 1] == []
    found = train([{'settings': each, 'edit': edit} for edit in (None, *MISTAKES) for each in settings])
    count = len(settings)
    right = found[:count]
    assert [edit for k, edit in enumerate(MISTAKES, 1)
            if not any(map(differ, found[count * k:count * (k + 1)], right))] == []


def differ(ours, theirs):
    """Whether two runs of the page do, by more than float32 may; one may be an error."""
    return ('error' in ours or ours['epochs'] != theirs['epochs']
            or not np.allclose(np.array(ours['losses'], float), theirs['losses'], rtol=0, atol=2e-6))


@pytest.mark.parametrize('divisor', ['own', 'full'])
def test_the_last_batch_is_divided_as_gluon_does_it(divisor):
    settings = {'epsPlace': 'hat', 'eps': 1e-8, 'batchSize': 100, 'divideLastBy': divisor}
    ours, = train([{'settings': settings}])
    theirs = train_gluon_ch7('adam', {'learning_rate': 0.01}, *data(), 100, plot=False, full_division=divisor == 'full')
    assert ours['losses'] == pytest.approx(theirs.losses, abs=1e-6)


def test_a_run_diverges_at_pythons_step():
    settings = [{'rule': 'sgd', 'lr': 10}, {'rule': 'momentum', 'lr': 3, 'epochs': 4}, {'lr': 1e30},
                {'rule': 'sgd', 'lr': 1.2, 'seed': 5}]  # grows slowly
    for given, ours in zip(settings, train([{'settings': each} for each in settings])):
        with pytest.raises(DivergenceError, match=f'after step {ours["diverged"]} '):
            in_python(given)
        assert ours['finalLoss'] is None  # JSON has no NaN


def test_many_seeds_end_as_pythons_ensemble():
    ours = train([{'settings': {'rule': 'sgd', 'lr': 1.1, 'seed': seed}} for seed in range(100, 160)])
    theirs = train_ensemble(rules.sgd, None, {'lr': 1.1}, *data(), seeds=range(100, 160))
    expected = np.where(np.isin(theirs.seeds, theirs.diverged), np.nan, theirs.final)
    assert 0 < len(theirs.diverged) < 60
    losses = np.array([run['finalLoss'] for run in ours], float)
    assert losses == pytest.approx(expected, rel=1e-2, nan_ok=True)  # losses up to 1e38, growing tenfold


def test_the_periodic_problem_is_pythons():
    """x of Adam, AMSGrad and Yogi at some steps, the last among them, for the paper's betas and the book's."""
    columns = [(3, 0, 1 / 17), (2, 0.5, 0.1), (10, 0.9, 0.5), (100, 0, 0.99), (1000, 0.9, 0.999), (5000, 0.9, 0.999)]
    t, steps = np.arange(1, divergence.STEPS + 1), [*divergence.CURVE.tolist(), divergence.STEPS]
    gradients = np.stack([np.where(t % period == 1, period * 4 / 3, -1) for period, *_ in columns], axis=1)
    theirs, _ = divergence.positions(np.zeros(len(columns)), gradients, *np.array(columns)[:, 1:].T)
    names = [name.lower() for name in divergence.NAMES]
    ours = iter(ask('positions', [{'rule': rule, 'numbers': numbers} for rule in names for numbers in columns],
                    steps=steps))
    for rule in range(3):
        for column, numbers in enumerate(columns):
            assert next(ours) == pytest.approx(theirs[rule, np.array(steps) - 1, column], abs=1e-4), (rule, numbers)
