"""An ensemble is its single runs: each of them, in any company, in any chunk."""
import json
import math

import mxnet
import numpy as np
import pytest
from mxnet import nd
from rules import RULES

import chapter_adam as gb
from chapter_adam import (UntraceableError, adam, airfoil, choices, cli, ensemble, ensemble_models, init_adam_states,
                          seeds)

HYPERPARAMS = {'lr': 0.01, 't': 1}


def many(data, seeds, rule=adam, states=None, hyperparams=HYPERPARAMS, **options):
    states = init_adam_states(data[0].shape[1]) if rule is adam else states
    return gb.train_ensemble(rule, states, hyperparams, *data, seeds=seeds, **options)


def one(data, seed, rule=adam, states=None, hyperparams=HYPERPARAMS, **options):
    states = init_adam_states(data[0].shape[1]) if rule is adam else states
    return gb.train_ch7(rule, states, hyperparams, *data, seed=seed, plot=False, **options)


@pytest.fixture(scope='module')
def small():
    """93 rows of 3 features: quick, and with a short last batch."""
    x = np.random.default_rng(5).normal(size=(93, 3))
    return x.astype(np.float32), (x @ [1, -0.5, 0.3] + 0.1 * x[:, 0] ** 2).astype(np.float32)


@pytest.mark.parametrize('hybridize', [True, False], ids=['hybridized', 'eager'])
def test_each_run_is_the_single_run_of_its_seed(airfoil, hybridize):
    chosen = [3, 98765432109876543210, 999]
    together = many(airfoil, chosen, hybridize=hybridize)
    for k, seed in enumerate(chosen):
        single = one(airfoil, seed)
        assert tuple(together.epochs) == single.epochs
        assert np.abs(together.losses[:, k] - single.losses).max() < 1e-5
        assert together.weights[k] == pytest.approx(single.weights, abs=1e-5)
        assert together.biases[k] == pytest.approx(single.bias, abs=1e-5)


@pytest.mark.parametrize('hybridize', [True, False], ids=['hybridized', 'eager'])
def test_one_batch_of_all_examples(airfoil, hybridize):
    """The columns' means are 0, so the bias's gradient is rounding alone, and Adam makes a full step of it."""
    together = many(airfoil, range(5), batch_size=1503, num_epochs=3, hybridize=hybridize)
    for seed in range(5):
        assert np.abs(together.losses[:, seed] - one(airfoil, seed, batch_size=1503, num_epochs=3).losses).max() < 1e-6


@pytest.mark.parametrize('hybridize', [True, False], ids=['hybridized', 'eager'])
@pytest.mark.parametrize('full_division', [True, False], ids=['by 10', 'by 3'])
def test_each_gluon_run_is_the_single_run_of_its_seed(airfoil, hybridize, full_division):
    together = gb.train_gluon_ensemble('adam', {'learning_rate': 0.01}, *airfoil, seeds=[4, 11], hybridize=hybridize,
                                       full_division=full_division)
    for k, seed in enumerate([4, 11]):
        single = gb.train_gluon_ch7('adam', {'learning_rate': 0.01}, *airfoil, seed=seed, plot=False,
                                    full_division=full_division)
        assert np.abs(together.losses[:, k] - single.losses).max() < 1e-5


def single_gluon(data, seed, name, hyperparams):
    return gb.train_gluon_ch7(name, hyperparams, *data, seed=seed, plot=False)


@pytest.mark.parametrize('name', ['adam', 'nadam', 'adamax', 'rmsprop', 'ftrl', 'signum', 'nag', 'adadelta'])
def test_every_gluon_optimiser(small, name):
    """Nadam's update of one parameter depends on how many have been updated before."""
    together = gb.train_gluon_ensemble(name, {}, *small, seeds=[3, 4])
    assert np.abs(together.losses[:, 1] - single_gluon(small, 4, name, {}).losses).max() < 1e-5


def test_a_rate_scheduler_of_gluons_starts_anew_for_each_part_of_the_runs(small, monkeypatch):
    monkeypatch.setattr(ensemble, 'RUNS_AT_ONCE', 2)
    hyperparams = {'learning_rate': 0.3, 'lr_scheduler': mxnet.lr_scheduler.FactorScheduler(2, 0.8, base_lr=0.3)}
    together = gb.train_gluon_ensemble('sgd', hyperparams, *small, seeds=range(5))
    for k in range(5):
        assert np.abs(together.losses[:, k] - single_gluon(small, k, 'sgd', hyperparams).losses).max() < 1e-5


@pytest.mark.parametrize('name', RULES)
def test_every_rule(airfoil, name):
    rule, states, hyperparams = RULES[name]
    together = gb.train_ensemble(rule, states(), hyperparams, *airfoil, seeds=[1, 2])
    single = gb.train_ch7(rule, states(), hyperparams, *airfoil, seed=2, plot=False, hybridize=True)
    assert np.abs(together.losses[:, 1] - single.losses).max() < 1e-5


@pytest.mark.parametrize('options', [{'batch_size': 1}, {'batch_size': 7, 'num_epochs': 3}, {'batch_size': 500},
                                     {'record_every': 10}, {'record_every': None}], ids=str)
def test_other_settings(small, options):
    together, single = many(small, [5, 6], **options), one(small, 6, **options)
    assert tuple(together.epochs) == single.epochs
    assert np.abs(together.losses[:, 1] - single.losses).max() < 1e-5


def test_order_and_number_of_seeds_do_not_matter(small):
    alone, among, backwards = (many(small, s) for s in ([7], range(20), range(19, -1, -1)))
    # Another number of runs may be summed in another order: float32 rounding.
    assert np.abs(alone.losses[:, 0] - among.losses[:, 7]).max() < 1e-6
    assert np.abs(among.losses - backwards.losses[:, ::-1]).max() < 1e-6


def test_chunked_is_unchunked(small, monkeypatch):
    seen = []
    whole = many(small, range(10))
    monkeypatch.setattr(ensemble, 'RUNS_AT_ONCE', 4)
    chunked = many(small, range(10), watch=seen.append)
    assert np.abs(whole.losses - chunked.losses).max() < 1e-6
    assert np.abs(whole.weights - chunked.weights).max() < 1e-6
    assert seen == [2, 6, 10]


RATES = [0.001, 0.01, 0.1]


@pytest.mark.parametrize('hybridize', [True, False], ids=['hybridized', 'eager'])
@pytest.mark.parametrize('convert', [list, tuple, np.array], ids=['list', 'tuple', 'array'])
def test_a_learning_rate_for_each_run(small, convert, hybridize, monkeypatch):
    monkeypatch.setattr(ensemble, 'RUNS_AT_ONCE', 2)
    together = many(small, [0, 0, 1], hyperparams={'lr': convert(RATES), 't': 1}, hybridize=hybridize)
    for k, (rate, seed) in enumerate(zip(RATES, [0, 0, 1])):
        assert np.abs(together.losses[:, k] - one(small, seed, hyperparams={'lr': rate, 't': 1}).losses).max() < 1e-5


def test_other_hyperparameters_for_each_run_keep_double_precision(small):
    betas = [0.9, 0.999, 1 - 1e-9]
    together = many(small, [0, 1, 2], hyperparams={**HYPERPARAMS, 'beta2': betas})
    for k, beta2 in enumerate(betas):
        single = one(small, k, hyperparams={**HYPERPARAMS, 'beta2': beta2})
        assert np.abs(together.losses[:, k] - single.losses).max() < 1e-5


def milestones(params, states, hyperparams):
    passed = (hyperparams['t'] > hyperparams['first']) + (hyperparams['t'] > hyperparams['second'])
    for p in params:
        p[:] -= hyperparams['lr'] * 0.1 ** passed * p.grad
    hyperparams['t'] += 1


def branches_on_its_rate(params, states, hyperparams):
    rate = min(hyperparams['lr'], 0.05) if hyperparams['lr'] > 0.01 else math.sqrt(hyperparams['lr'])
    for p in params:
        p[:] -= rate * [1, 0.5][hyperparams['k']] * p.grad


def test_where_a_rule_branches_on_what_differs_runs_of_one_value_go_together(small, monkeypatch):
    monkeypatch.setattr(ensemble, 'RUNS_AT_ONCE', 2)
    rates, ks, seen = [0.001, 0.1, 0.02, 0.001, 0.001], [0, 1, 1, 0, 0], []
    together = many(small, range(5), branches_on_its_rate, hyperparams={'lr': np.array(rates), 'k': ks},
                    watch=seen.append)
    for k in range(5):
        single = one(small, k, branches_on_its_rate, hyperparams={'lr': rates[k], 'k': ks[k]})
        assert np.abs(together.losses[:, k] - single.losses).max() < 1e-5
        assert together.weights[k] == pytest.approx(single.weights, abs=1e-5)
    assert together.seeds == (0, 1, 2, 3, 4) and seen == [1, 3, 4, 5]


def asks_for_the_kind(params, states, hyperparams):
    k = hyperparams['k']
    for p in params:
        p[:] -= (0.1 if isinstance(k, int) else 0.2) * len(str(k)) * p.grad


def divides(params, states, hyperparams):
    for p in params:
        p[:] -= 1 / (20 + hyperparams['t'] / hyperparams['k']) * p.grad
    hyperparams['t'] += 1


def test_one_and_one_point_zero_are_two_values(small):
    ks = [1, 1.0, 2]
    together = many(small, range(3), asks_for_the_kind, hyperparams={'k': ks})
    for k in range(3):
        single = one(small, k, asks_for_the_kind, hyperparams={'k': ks[k]})
        assert np.abs(together.losses[:, k] - single.losses).max() < 1e-5


def test_an_error_of_one_run_is_not_an_infinity(small):
    assert many(small, range(2), divides, hyperparams={'k': [1, 2], 't': 1}).diverged == ()
    with pytest.raises(ZeroDivisionError):
        many(small, range(3), divides, hyperparams={'k': [1, 0, 2], 't': 1})


def test_an_error_of_the_callers_own_watch_is_its_own(small, monkeypatch):
    monkeypatch.setattr(ensemble, 'RUNS_AT_ONCE', 1)
    seen = []

    def watch(done):
        seen.append(done)
        raise ValueError('stop')
    with pytest.raises(ValueError, match='stop'):
        many(small, range(3), hyperparams={'lr': [0.1, 0.2, 0.3], 't': 1}, watch=watch)
    assert seen == [1]


def test_plain_numbers_of_many_runs_are_no_fault_of_the_rules(small):
    def rule(params, states, hyperparams):
        for p in params:
            p[:] -= float(hyperparams['lr']) * p.grad
    rates = np.linspace(0.01, 0.2, 40)
    together = many(small, range(40), rule, hyperparams={'lr': rates}, num_epochs=1, batch_size=93)
    single = one(small, 39, rule, hyperparams={'lr': rates[39]}, num_epochs=1, batch_size=93)
    assert np.abs(together.losses[:, 39] - single.losses).max() < 1e-5


def both_betas(params, states, hyperparams):
    beta1, beta2 = hyperparams['betas']
    adam(params, states, inner := {**hyperparams, 'beta1': beta1, 'beta2': beta2})
    hyperparams['t'] = inner['t']


def test_a_tuple_of_another_length_is_one_value(small):
    together = many(small, [0, 1, 2], both_betas, init_adam_states(3), {'lr': 0.1, 't': 1, 'betas': (0.8, 0.99)},
                    hybridize=False)
    single = one(small, 2, hyperparams={'lr': 0.1, 't': 1, 'beta1': 0.8, 'beta2': 0.99})
    assert np.abs(together.losses[:, 2] - single.losses).max() < 1e-5


def test_a_tuple_of_as_many_values_as_runs_is_one_for_each(small):
    together = many(small, [3, 4], milestones, hyperparams={'lr': 0.3, 't': 1, 'first': (2, 4), 'second': 5})
    single = one(small, 4, milestones, hyperparams={'lr': 0.3, 't': 1, 'first': 4, 'second': 5})
    assert np.abs(together.losses[:, 1] - single.losses).max() < 1e-5


def test_two_milestones_of_each_run_are_two(small):
    """For NumPy True + True is True."""
    common, first, second = {'lr': 0.3, 't': 1}, [2, 4, 6], [5, 6, 7]
    together = many(small, [3, 4, 5], milestones, hyperparams={**common, 'first': first, 'second': second})
    for k in range(3):
        single = one(small, 3 + k, milestones, hyperparams={**common, 'first': first[k], 'second': second[k]})
        assert np.abs(together.losses[:, k] - single.losses).max() < 1e-5


@pytest.mark.parametrize('hybridize', [True, False], ids=['hybridized', 'eager'])
def test_a_diverging_run_is_reported_and_disturbs_no_other(small, hybridize):
    sgd = RULES['sgd'][0]
    together = many(small, [5, 6, 7], sgd, hyperparams={'lr': [0.05, 1e30, 0.05]}, hybridize=hybridize)
    assert together.diverged == (6,)
    assert np.isnan(together.final[1]) and np.isfinite(together.losses[:, [0, 2]]).all()
    alone = one(small, 7, sgd, hyperparams={'lr': 0.05})
    assert np.abs(together.losses[:, 2] - alone.losses).max() < 1e-5
    assert json.loads(together.to_json())['losses'][1][-1] is None
    assert together.quantiles([0.5])[0] == pytest.approx(together.losses[:, [0, 2]].mean(axis=1))


@pytest.mark.parametrize('hybridize', [True, False], ids=['hybridized', 'eager'])
def test_what_float32_cannot_hold_has_diverged(hybridize):
    x = np.random.default_rng(0).normal(size=(20, 2)).astype(np.float32)
    with pytest.raises(gb.DivergenceError):
        gb.train_ch7(gb.sgd, None, {'lr': 1e5}, x, x[:, 0], seed=0, plot=False)
    assert gb.train_ensemble(gb.sgd, None, {'lr': 1e5}, x, x[:, 0], seeds=[0], hybridize=hybridize).diverged == (0,)


def test_quantiles_are_numpys(small):
    together = many(small, range(9))
    assert (together.quantiles([0.1, 0.5]) == np.quantile(together.losses, [0.1, 0.5], axis=1)).all()
    assert (together.final == together.losses[-1]).all()


def test_what_the_caller_passed_is_untouched(small):
    states, hyperparams = init_adam_states(3), {'lr': [0.01, 0.02], 't': 1}
    gb.train_ensemble(adam, states, hyperparams, *small, seeds=[0, 1])
    assert hyperparams == {'lr': [0.01, 0.02], 't': 1}
    assert not any(a.asnumpy().any() for pair in states for a in pair)


def mixes(params, states, hyperparams):
    for p in params:
        p[:] = p - hyperparams['lr'] * p.grad / p.grad.norm()


def counts_elements(params, states, hyperparams):
    """p.size is the one of a single run."""
    for p in params:
        p[:] = p - hyperparams['lr'] / p.size * p.grad


def test_a_rule_that_would_mix_the_runs_is_refused(small):
    with pytest.raises(UntraceableError, match='mixes uses norm, .* train them one by one'):
        many(small, [0, 1], mixes)
    with pytest.raises(ValueError, match='lamb looks at whole parameters'):
        gb.train_gluon_ensemble('lamb', {}, *small, seeds=[0])


@pytest.mark.parametrize('rule', [mixes, counts_elements, lambda params, states, h: [
    p.__setitem__(slice(None), p - h['lr'] * (2 if p.ndim == 2 else 1) * p.grad) for p in params]])
def test_an_eager_rule_that_would_mix_the_runs_is_refused(small, rule):
    one(small, 0, rule, hyperparams={'lr': 0.1})
    with pytest.raises(ValueError, match='something else to runs side by side than to each alone'):
        many(small, [0, 1], rule, hyperparams={'lr': 0.1}, hybridize=False)


def test_an_eager_rule_made_for_many_runs_is_let_be(small):
    seen = []

    def looks(params, states, hyperparams):
        seen.append(nd.concat(*params, dim=1).shape)
        for p in params:
            p[:] -= 0.1 * p.grad
    many(small, [0, 1], looks, hyperparams={}, hybridize=False)
    assert seen == [(2, 4, 1)] * 20


def clips(theta):
    def rule(params, states, hyperparams):
        norm = sum((p.grad ** 2).sum() for p in params).sqrt().asscalar()
        for p in params:
            p[:] -= hyperparams['lr'] * (theta / norm if norm > theta else 1) * p.grad
    return rule


def mixes_later(params, states, hyperparams):
    for p in params:
        p[:] -= hyperparams['lr'] * (p.grad / p.grad.norm() if hyperparams['t'] > 5 else p.grad)
    hyperparams['t'] += 1


@pytest.mark.parametrize('rule', [clips(5), mixes_later, gb.hybridize(mixes),
                                  lambda params, states, h: [p.__isub__(p.grad / nd.maximum(1, p.grad.norm() / 5))
                                                             for p in params]])
def test_an_eager_rule_that_mixes_many_runs_or_later_is_refused(small, rule):
    with pytest.raises(ValueError, match='something else to runs side by side'):
        many(small, range(100), rule, hyperparams={'lr': 0.1, 't': 1}, hybridize=False)


def test_a_state_of_an_eager_rule_is_not_carried_from_part_to_part(small, monkeypatch):
    monkeypatch.setattr(ensemble, 'RUNS_AT_ONCE', 2)

    class Counting:
        def __init__(self):
            self.t = 0

        def __call__(self, params, states, hyperparams):
            self.t += 1
            for p in params:
                p[:] -= 0.3 / self.t * p.grad
    seen = []

    def counting(params, states, hyperparams):
        seen.append(1)
        for p in params:
            p[:] -= 0.3 / len(seen) * p.grad
    for rule in (Counting(), counting):
        together = many(small, range(5), rule, hyperparams={}, hybridize=False)
        seen.clear()
        single = one(small, 4, Counting(), hyperparams={})
        assert np.abs(together.losses[:, 4] - single.losses).max() < 1e-5


def test_states_of_numbers_are_told_where_they_can_be_trained(small):
    with pytest.raises(TypeError, match='states must hold NDArrays alone.*one by one'):
        many(small, [0, 1], both_betas, [[0.0], [0.0]], {'lr': 0.1, 't': 1}, hybridize=False)


def test_that_check_moves_nothing_of_the_rules(small):
    counted, schedule = [], {'steps': 0}

    def rule(params, states, hyperparams):
        counted.append(1)
        schedule['steps'] += 1
        for p in params:
            p[:] -= 0.1 / schedule['steps'] * p.grad
    together = many(small, [0, 1], rule, hyperparams={}, hybridize=False)
    assert len(counted) == schedule['steps'] == 20
    schedule['steps'] = 0
    assert np.abs(together.losses[:, 1] - one(small, 1, rule, hyperparams={}).losses).max() < 1e-5


def test_a_rule_sees_the_shapes_of_one_run(small):
    together = many(small, [3, 4], counts_elements, hyperparams={'lr': 0.1})
    assert np.abs(together.losses[:, 1] - one(small, 4, counts_elements, hyperparams={'lr': 0.1}).losses).max() < 1e-5


@pytest.mark.parametrize('options, error, words', [
    ({'seeds': []}, ValueError, 'at least one seed'), ({'seeds': 5}, TypeError, 'sequence of whole numbers'),
    ({'seeds': [1, -1]}, ValueError, 'at least 0, got -1'), ({'seeds': [0.5]}, TypeError, 'got 0.5'),
    ({'seeds': [0, 1], 'hyperparams': {'lr': [0.1], 't': 1}}, ValueError, r"hyperparams\['lr'\].*2 runs, got 1"),
    ({'seeds': [0, 1], 'hyperparams': {'lr': (0.1,), 't': 1}}, ValueError, r"hyperparams\['lr'\].*2 runs, got 1"),
    ({'seeds': [0, 1], 'hyperparams': {'lr': [0.1, -1], 't': 1}}, ValueError, 'above 0, got -1'),
    ({'seeds': [0], 'hyperparams': {'lr': 0.1}}, ValueError, "must hold 't'"),
    ({'seeds': [0], 'batch_size': 0}, ValueError, 'batch_size'),
    ({'seeds': [0], 'num_epochs': 1.5}, TypeError, 'num_epochs'),
], ids=str)
def test_wrong_arguments(small, options, error, words):
    with pytest.raises(error, match=words):
        many(small, **options)


def test_states_of_the_wrong_shape(small):
    with pytest.raises(ValueError, match=r'states\[0\]\[0\] must have the shape of its parameter, \(3, 1\)'):
        gb.train_ensemble(adam, init_adam_states(4), HYPERPARAMS, *small, seeds=[0])


def test_the_loss_is_the_mean_over_the_examples(airfoil_arrays):
    X, y = airfoil_arrays
    parameters = np.random.default_rng(0).normal(size=(4, 6)).astype(np.float32)
    direct = [np.mean((X.astype(float) @ p[:5] + p[5] - y) ** 2) / 2 for p in parameters]
    assert ensemble.Loss(ensemble_models.extended(X, y))(parameters) == pytest.approx(direct, rel=1e-12)


# --- the commands

def test_the_summary_says_where_the_book_lies(airfoil):
    options = cli.parser().parse_args(['seeds', '--runs', '60'])
    scratch, gluon = seeds.both(*airfoil, range(60), options)
    facts = seeds.summary(scratch, gluon, airfoil_floor(airfoil))
    below = np.mean(scratch.final < 0.243957)
    assert facts['book']['scratch']['percentile'] == pytest.approx(100 * below, abs=0.1)
    assert facts['largest_gap'] == np.abs(scratch.losses - gluon.losses).max() < 1e-4
    pairs = scratch.final - gluon.final
    assert facts['pairs']['effect_size'] == pytest.approx(pairs.mean() / scratch.final.std(ddof=1))
    assert 'one distribution' in seeds.words(facts) and '60 seeds' in seeds.words(facts)


def airfoil_floor(data):
    return airfoil.least_squares_floor(*data)


def test_other_methods_are_not_called_one_distribution(airfoil):
    """Half the learning rate is another method, and the words say so."""
    scratch, other = (many(airfoil, range(40), hyperparams={'lr': rate, 't': 1}) for rate in (0.01, 0.005))
    facts = seeds.summary(scratch, other, 0.242)
    assert 'two distributions' in seeds.words(facts)
    assert facts['pairs']['distance'] == pytest.approx(ks_distance(scratch.final, other.final))


def ks_distance(a, b):
    return max(abs(np.mean(a <= x) - np.mean(b <= x)) for x in (*a, *b))


def test_seeds_command(tmp_path, capsys):
    assert cli.main(['seeds', '--runs', '30', '--first-seed', '100', '--out', str(tmp_path)]) == 0
    out = capsys.readouterr().out
    assert '30 seeds' in out and "the book's scratch run 0.243957" in out
    facts = json.loads((tmp_path / 'seeds.json').read_text())
    assert facts['runs'] == 30 and facts['first_seed'] == 100
    assert {p.name for p in tmp_path.iterdir()} == {'seeds.json', 'seeds.svg', 'seeds.png', 'seeds.timing.json'}


def test_seeds_that_all_diverge_are_an_error(tmp_path, capsys, monkeypatch):
    assert cli.main(['seeds', '--runs', '3', '--lr', '1e30', '--out', str(tmp_path)]) == 1
    assert 'all 3 runs diverged' in capsys.readouterr().err


def test_choices_command(tmp_path, capsys):
    assert cli.main(['choices', '--runs', '40', '--out', str(tmp_path), '--format', 'svg']) == 0
    out = capsys.readouterr().out
    effects = json.loads((tmp_path / 'choices.json').read_text())['effects']
    assert list(effects) == list(choices.CHOICES) and all(name in out for name in effects)
    typical = {name: effect['curve_typical'] for name, effect in effects.items()}
    # What the table tells the reader: no correction is seen by anybody, a late clock on the curve, eps by nobody.
    assert typical['no bias correction'] > 0.1 and 1e-3 < typical['t starts at 2'] < 1e-2
    assert max(typical['eps-hat (uncorrected root)'], typical['eps inside the root']) < 1e-5
    assert effects['t starts at 2']['final_typical'] < 1e-4
    assert effects['last batch of 3 divided by 10']['curve_largest'] > 1e-3


def test_the_states_are_spread_over_the_runs():
    (v_w, s_w), (v_b, _) = ensemble_models.spread(((nd.ones((3, 1)), nd.zeros((3, 1))), (nd.ones(1), nd.zeros(1))), 4)
    assert (v_w.shape, s_w.shape, v_b.shape) == ((4, 3, 1), (4, 3, 1), (4, 1, 1))
    assert v_w.asnumpy().all() and not s_w.asnumpy().any()


def test_a_sum_of_arrays_number_by_number_mixes_nothing(airfoil):
    def rule(params, states, hyperparams):
        for p in params:
            p[:] = nd.add_n(p, -0.05 * p.grad, -0.01 * p)
    runs = gb.train_ensemble(rule, None, {}, *airfoil, seeds=[0, 5], num_epochs=1)
    single = gb.train_ch7(rule, None, {}, *airfoil, seed=5, num_epochs=1, plot=False)
    assert np.abs(runs.losses[:, 1] - single.losses).max() < 1e-5


@pytest.mark.parametrize('hybridize', [True, False])
def test_a_rule_that_trains_nothing_is_told_so(airfoil, hybridize):
    def renames(params, states, hyperparams):
        for p in params:
            p = p - 0.1 * p.grad
    with pytest.raises(ValueError, match='renames changed no parameter'):
        gb.train_ensemble(renames, None, {}, *airfoil, seeds=[0, 1], num_epochs=1, hybridize=hybridize)
