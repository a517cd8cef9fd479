"""The race: each rule on the same seeds, at once or one by one, with its best rate where that is asked for."""
import json
import warnings

import numpy as np
import pytest

import chapter_adam as gb
from chapter_adam.comparing.compare import difference, race, racer
from chapter_adam.comparing.training import RATES

X = np.random.default_rng(0).normal(size=(40, 2)).astype(np.float32)
DATA = X, (X @ [1.0, -2.0] + 0.1 * np.random.default_rng(1).normal(size=40)).astype(np.float32)


def compare(rules, **options):
    return gb.compare(rules, *DATA, plot=False, **{'seeds': 6, **options})


def normed(params, states, hyperparams):
    """Looks at all numbers of a parameter."""
    for p in params:
        p[:] = p - hyperparams['lr'] * p.grad / (p.grad.norm() + 1e-6)


def init_scaled_states(feature_dim):
    return [3.0, 3.0]


def scaled(params, states, hyperparams):
    for p, factor in zip(params, states):
        p[:] = p - factor * hyperparams['lr'] * p.grad


def clocked(params, states, hyperparams):
    """Keeps t in its module."""
    global clock
    clock = clock + 1
    gb.adam(params, states, {**hyperparams, 't': clock})


clock = 0


def test_each_rule_is_trained_on_the_seeds_and_compared_with_the_first(capsys):
    done = compare({'adam': 'adam', 'mine': gb.adam, 'slow': ('sgd', None, {'lr': 1e-4})}, seeds=[5, 7, 9])
    alone = gb.train_ensemble(gb.adam, gb.init_adam_states(2), {'lr': 0.01, 't': 1}, *DATA, seeds=[5, 7, 9])
    assert np.array_equal(done.runs['adam'].losses, alone.losses)
    facts = done.facts['rules']
    assert facts['adam']['final']['median'] == pytest.approx(np.median(alone.final), abs=1e-5)
    assert facts['adam']['difference'] is None and facts['mine']['difference'] == {'mean': 0, 'interval': [0, 0]}
    low, high = facts['slow']['difference']['interval']
    assert facts['slow']['lr'] == 1e-4 and low < facts['slow']['difference']['mean'] < high
    table = capsys.readouterr().out
    assert table == f'{done}\n' and 'minus adam, seed by seed' in table and '3 seeds; least-squares floor' in table
    assert json.loads(done.to_json())['rules'].keys() == done.seconds.keys() == {'adam', 'mine', 'slow'}


def test_a_difference_is_the_mean_over_pairs_with_its_interval():
    found = difference(np.array([1.0, 2.0, np.nan, 6.0]), np.array([0.5, 1.0, 1.0, 4.5]))
    assert found['mean'] == 1.0 and np.ptp(found['interval']) == pytest.approx(2 * 4.303 * 0.5 / 3 ** 0.5, rel=1e-3)
    assert difference(np.array([1.0, np.nan]), np.ones(2)) is None
    many = difference(np.arange(100.0), np.zeros(100))
    assert np.ptp(many['interval']) == pytest.approx(2 * 1.984 * 29.011 / 10, rel=1e-3)


def test_a_rule_that_mixes_runs_is_trained_one_by_one():
    with warnings.catch_warnings():
        warnings.simplefilter('error')
        done = compare({'sgd': 'sgd', 'normed': (normed, None)})
    runs, each = done.runs['normed'], done.facts['rules']['normed']
    alone = gb.book.run_scratch(normed, None, {'lr': 0.01}, *DATA, seed=3)
    assert np.allclose(runs.losses[:, 3], alone.losses, atol=1e-6) and runs.losses.shape == (len(runs.epochs), 6)
    assert not each['at_once'] and each['final'] and '(one by one)' in str(done)
    assert done.facts['rules']['sgd']['at_once']


def test_states_stand_beside_a_rule_and_a_clock_begins_anew():
    done = compare({'scaled': scaled, 'sgd': ('sgd', None, {'lr': 0.03}), 'clocked': clocked, 'again': clocked,
                    'adam': 'adam'})
    finals = {name: runs.final for name, runs in done.runs.items()}
    assert np.allclose(finals['scaled'], finals['sgd'], atol=1e-6)
    assert np.array_equal(finals['clocked'], finals['adam']) and np.array_equal(finals['again'], finals['adam'])


def counted(params, states, hyperparams):
    """Keeps t to itself, and looks at numbers, so that it is trained one by one."""
    counted.t += 1
    assert params[0].norm().asscalar() < 1e9
    gb.adam(params, states, {**hyperparams, 't': counted.t})


counted.t = 0


def test_a_clock_begins_anew_with_each_seed():
    done = compare({'adam': 'adam', 'counted': counted, 'again': counted}, seeds=np.int64(3))
    for name in ('counted', 'again'):
        assert np.allclose(done.runs[name].final, done.runs['adam'].final, atol=1e-6)
    assert counted.t == 0


def test_the_best_rate_is_swept_on_other_seeds():
    done = compare({'sgd': 'sgd', 'mine': (normed, None), 'adadelta': 'adadelta'}, best_rate=True, seeds=3,
                   batch_size=20, num_epochs=1)
    facts = done.facts['rules']
    for name in ('sgd', 'mine'):
        medians = [np.inf if x is None else x for x in facts[name]['sweep']['medians']]
        assert facts[name]['lr'] == pytest.approx(RATES[np.argmin(medians)], rel=1e-2) and len(medians) == len(RATES)
    assert [facts[name]['sweep']['seeds'] for name in facts] == [20, 3, 20]
    assert facts['sgd']['lr'] > 0.02 and facts['adadelta']['lr'] is None and 'best of 21 rates' in str(done)
    at_best = gb.train_ensemble(gb.sgd, None, {'lr': facts['sgd']['lr']}, *DATA, 20, 1, seeds=range(3))
    assert np.array_equal(done.runs['sgd'].losses, at_best.losses)


def test_what_diverges_is_counted_and_no_nan_is_shown():
    done = compare({'sgd': 'sgd', 'adam': 'adam'}, lr=1e30)
    assert done.facts['rules']['sgd']['diverged'] == 6 and 'all diverged' in str(done) and 'nan' not in str(done)
    assert 'NaN' not in done.to_json() and done.figure().axes[0].get_legend()


def test_the_figure_has_a_band_for_each_rule_over_the_floor():
    axes, = compare({'adam': 'adam', 'sgd': 'sgd'}).figure().axes
    adam, sgd, floor = axes.lines
    assert [line.get_label().split(':')[0] for line in (adam, sgd)] == ['adam, lr 0.01', 'sgd, lr 0.01']
    assert floor.get_label().startswith('least-squares floor') and len(axes.collections) == 2
    for band, line in zip(axes.collections, (adam, sgd)):
        assert band.get_paths()[0].vertices[:, 1].min() <= line.get_ydata()[-1]
    assert axes.get_ylim()[0] < floor.get_ydata()[0] < min(adam.get_ydata())


def test_plot_and_watch():
    from matplotlib import pyplot as plt
    plt.close('all')
    seen = []
    gb.compare({'adam': 'adam'}, *DATA, seeds=2, watch=lambda name, done: seen.append((name, done)))
    assert len(plt.gcf().axes) == 1 and seen[-1] == ('adam', 2)
    plt.close('all')
    one_by_one = race({'n': racer('n', (normed, None), 2)}, DATA, (0, 1), 0.01, False,
                      lambda name, done: seen.append(done))
    assert seen[-2:] == [1, 2] and one_by_one.facts['seeds'] == 2


@pytest.mark.parametrize('rules, options, error, words', [
    ([], {}, TypeError, 'rules must be a dict'), ({'a': 'lion'}, {}, ValueError, "rules\\['a'\\] must be a function"),
    ({'a': 3}, {}, TypeError, 'must be a function'), ({'a': 'adam'}, {'seeds': 0}, ValueError, 'seeds must be'),
    ({'a': 'adam'}, {'best_rate': 2}, TypeError, 'best_rate must be'),
    ({'a': 'adam'}, {'lr': [.1, .2]}, TypeError, 'lr must be a finite number'),
    ({'a': (gb.adam, None, 3)}, {}, TypeError, "rules\\['a'\\]: hyperparams must be a dict"),
    ({'a': lambda params, *_: params[0].__imul__(np.inf)}, {'best_rate': True}, ArithmeticError, '^a: all runs div')])
def test_wrong_arguments_are_named(rules, options, error, words):
    with pytest.raises(error, match=words):
        compare(rules, **options)
