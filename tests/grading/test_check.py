"""The grader: right rules are called right, wrong ones by the name of their mistake, and unknown ones are located."""
import json

import mxnet as mx
import numpy as np
import oracle
import pytest
import wrong
from mxnet import nd
from right import RIGHT

import chapter_adam as gb
from chapter_adam import rules
from chapter_adam.grading.known import ORACLES, make_stream, mistakes_of

FEW = 4  # steps, which tell all but what happens later


@pytest.mark.parametrize('name', RIGHT)
def test_a_right_adam_is_called_right(name):
    make, given = RIGHT[name]
    verdict = gb.check(make(), steps=FEW, **given)
    assert verdict.ok and verdict.mistake is verdict.step is verdict.parameter is None, verdict.text
    assert verdict.text.startswith('Right: ') and max(map(max, verdict.distances.values())) < 0.5


@pytest.mark.parametrize('name', [name for name in RIGHT if name.startswith('clock_') or name == 'a_method'])
def test_a_check_leaves_a_rule_as_it_was(name):
    make, given = RIGHT[name]
    rule = make()
    assert all(gb.check(rule, steps=2, **given).ok for _ in range(2))


@pytest.mark.parametrize('mistake, changes', [(name, changes) for name, *changes in wrong.WRONG], ids=str)
def test_a_wrong_adam_is_called_by_its_mistake(mistake, changes):
    verdict = gb.check(wrong.rule(*changes), steps=FEW)
    assert not verdict.ok and verdict.mistake == mistake and verdict.step >= 1, verdict.text
    assert verdict.text.startswith('Wrong: ') and verdict.text.count('. ') < 6


@pytest.mark.parametrize('step, parameter, changes', [(step, name, changes) for step, name, *changes in wrong.UNKNOWN])
def test_what_no_entry_fits_is_located(step, parameter, changes):
    verdict = gb.check(wrong.rule(*changes), steps=step + 1)
    assert (verdict.ok, verdict.mistake, verdict.step) == (False, None, step), verdict.text
    assert verdict.parameter.startswith(parameter) and f'at step {step}, in params[{"wb".index(parameter)}]' in (
        verdict.text)


@pytest.mark.parametrize('eps', ['1e-6', '1e-8'])
def test_the_convention_of_gluon_and_keras_is_not_called_wrong(eps):
    rule = wrong.rule(('1e-6', eps), ('v_hat / (s_hat.sqrt() + eps)',
                                      '(1 - beta2 ** t) ** 0.5 / (1 - beta1 ** t) * v / (s.sqrt() + eps)'))
    verdict = gb.check(rule, steps=FEW)
    assert verdict.ok and verdict.mistake == 'eps-hat' and verdict.step == 1 and verdict.eps == float(eps)
    assert "Gluon's and Keras's" in verdict.text and 'no mistake' in verdict.text and 'rong' not in verdict.text


# All rules


@pytest.mark.parametrize('name', gb.RULES)
def test_each_rule_of_the_package_is_itself_and_no_other(name):
    verdict = gb.check(gb.RULES[name][0], against=name, steps=FEW)
    assert verdict.ok and verdict.states == ('none' if name == 'sgd' else 'same'), verdict.text
    other = 'yogi' if name == 'adam' else 'adam'
    verdict = gb.check(gb.RULES[name][0], against=other, states=gb.RULES[name][1], steps=FEW)
    assert not verdict.ok and verdict.mistake in (f'{name} instead of {other}', 'no bias correction'), verdict.text


@pytest.mark.parametrize('name', gb.RULES)
def test_the_oracle_step_by_step_is_the_sum_over_all_gradients(name):
    for changed in ({}, {'eps': 0.1, 'beta1': 0.7, 'beta2': 0.9, 'momentum': 0.5, 'gamma': 0.6, 'rho': 0.6}):
        given = {key: value for key, value in changed.items() if key in ORACLES[name].hyperparams}
        stream = make_stream(7, steps=12)
        hyperparams = {'lr': 0.01, **ORACLES[name].hyperparams, **given}
        moves = [moved for moved, _ in ORACLES[name].moves(stream, hyperparams)]
        path = oracle.RULES[name](stream.gradients, stream.start, lr=0.01, **given)
        steps = np.diff(path, axis=0, prepend=stream.start[None])
        assert (abs(moves - steps) <= 1e-12 * (abs(path).max(axis=0) + 1)).all()


@pytest.mark.parametrize('name', gb.RULES)
@np.errstate(all='ignore')
def test_no_mistake_is_another_or_none(name):
    """Steps and states; but where hyperparams['t'], or the rule's own states, tell one from the other."""
    def steps_and_states(rule):
        moves = rule.moves(make_stream(steps=10), {'lr': 0.02, **rule.hyperparams})
        return np.nan_to_num([(moved, *held.values()) for moved, held in moves], nan=7.0)

    found = {'right': [steps_and_states(ORACLES[name])]}
    for each, rule in mistakes_of(name):
        if not each.in_turn and each.t_moved is None and not each.needs_states:
            path, others = steps_and_states(rule), np.array([path for paths in found.values() for path in paths])
            same = abs(others - path) <= 1e-9 * abs(path)
            assert not same.all(axis=tuple(range(1, same.ndim))).any(), each.names
            found.setdefault(each.names, []).append(path)


def test_mistakes_in_other_rules():
    def lines(*body):
        names = {'nd': nd}
        exec('def rule(params, states, hyperparams):\n  lr = hyperparams["lr"]\n'
             '  for p, s in zip(params, states):\n    ' + '\n    '.join(body), names)
        return names['rule']

    for against, body, mistake, ok in [
            ('momentum', ('s[:] = 0.9 * s + 0.1 * lr * p.grad', 'p[:] = p - s'), 'factor (1 - momentum)', False),
            ('momentum', ('s[:] = 0.9 * s + p.grad', 'p[:] = p - lr * s'), None, True),
            ('adagrad', ('s[:] = s + p.grad ** 2', 'p[:] = p - lr * p.grad / (s.sqrt() + 1e-6)'),
             'eps outside the root', True),
            ('adagrad', ('s = s + p.grad ** 2', 'p[:] = p - lr * p.grad / (s + 1e-6).sqrt()'), 's rebound', False),
            ('rmsprop', ('s[:] = 0.9 * s + p.grad ** 2', 'p[:] = p - lr * p.grad / (s + 1e-6).sqrt()'),
             'factor (1 - gamma) forgotten', False),
            ('yogi', ('v, s = s', 'g = p.grad', 'v[:] = 0.9 * v + 0.1 * g',
                      's[:] = s + 0.001 * (g * g - s).sign()', 'p[:] = p - lr * v / (s.sqrt() + 1e-3)'),
             'factor g * g forgotten', False)]:
        verdict = gb.check(lines(*body), against, steps=FEW)
        assert (verdict.ok, verdict.mistake) == (ok, mistake), verdict.text


# States, clocks, failures


def one_for_v_and_s(d):
    pair = nd.zeros((d, 1)), nd.zeros(1)
    return tuple((each, each) for each in pair)


@pytest.mark.parametrize('states, mistake', [
    (one_for_v_and_s, 'v and s are one array'),
    (lambda d: [(nd.zeros((d, 1)), nd.zeros((d, 1)))] * 2, 'one state for both parameters')])
def test_arrays_that_are_given_twice(states, mistake):
    assert gb.check(wrong.rule(), states=states, steps=FEW).mistake == mistake


def test_states_may_be_arrays_and_stay_as_they_are():
    states = gb.init_adam_states(5)
    verdict = gb.check(gb.adam, states=states, steps=FEW)
    assert verdict.ok and verdict.states == 'same' and not states[0][0].asnumpy().any()


def test_a_clock_that_ran_before_is_told_and_the_readers_own_stays():
    names = {'t': 303}
    exec(wrong.ADAM.replace("    lr, t = hyperparams['lr'], hyperparams['t']",
                            "    global t\n    t, lr = t + 1, hyperparams['lr']")
         .replace("    hyperparams['t'] = t + 1\n", ''), names)
    verdict = gb.check(names['adam'], steps=FEW)
    assert verdict.mistake == 't starts at 304' and 'called before' in verdict.text and names['t'] == 303


def test_a_failure_is_told_with_the_readers_line(tmp_path, monkeypatch):
    path = tmp_path / 'with_a_slip.py'
    path.write_text('def adam(params, states, hyperparams):\n'
                    '    for p, (v, s) in zip(params, states):\n'
                    "        p[:] = p - hyperparams['learning_rate'] * p.grad\n")
    monkeypatch.syspath_prepend(tmp_path)
    import with_a_slip as mine
    verdict = gb.check(mine.adam)
    assert (verdict.ok, verdict.step, verdict.mistake) == (False, 1, 'raises KeyError')
    assert "(with_a_slip.py, line 3 `p[:] = p - hyperparams['learning_rate'] * p.grad`)" in verdict.text
    assert 'check it with hyperparams=' in verdict.text
    assert gb.check(mine.adam, 'sgd', states=gb.init_adam_states, hyperparams={'learning_rate': 0.1}).ok


@pytest.mark.parametrize('line, words', [
    ('v = np.sqrt(p)', r'use nd.sqrt\(x\) or x.sqrt\(\)'),
    ('a, b, c = states[0]', r'Do the states \(.*init_adam_states'),
    ('v = p.data()', r'changed in place'), ('v = p - mx.np.ones(p.shape)', 'make the states with nd.zeros'),
    ('t += 1; t = 1', 'assigned in the rule and used before')])
def test_common_failures_are_explained(line, words):
    names = {'np': np, 'nd': nd, 'mx': mx}
    exec(f'def adam(params, states, hyperparams):\n  for p in params:\n    {line}\n    p[:] = v * 1.0', names)
    verdict = gb.check(names['adam'])
    assert verdict.mistake.startswith('raises ')
    with pytest.raises(AssertionError, match=words):
        assert not verdict.text, verdict.text


def test_a_given_eps_must_be_used():
    verdict = gb.check(wrong.rule(), hyperparams={'lr': 0.02, 't': 1, 'eps': 1e-8}, steps=FEW)
    assert verdict.mistake == "hyperparams['eps'] not used"
    assert gb.check(wrong.rule(), hyperparams={'lr': 0.02, 't': 7}, steps=FEW).ok
    for rate in ('0.02', "hyperparams.get('learning_rate', 0.02)"):
        verdict = gb.check(wrong.rule(("lr, t = hyperparams['lr']", f'lr, t = {rate}')), steps=FEW)
        assert verdict.mistake == "hyperparams['lr'] not used"


@pytest.mark.parametrize('rule, mistake', [
    (wrong.rule(('(1 - beta2) * g', '(1 - 0.99) * g')), None),  # not two factors and another eps
    (wrong.rule(('+ (1 - beta1) * g', '- (1 - beta1) * g')), 'sign of g in v turned round'),
    (lambda params, states, hyperparams: [p - p.grad for p in params], 'no parameter changed')])
def test_what_the_states_speak_against_is_not_named(rule, mistake):
    assert gb.check(rule, steps=FEW).mistake == mistake


def test_many_steps_stay_within_float32():
    assert abs(make_stream(steps=1000).gradients).max() < 1e6


def test_a_rule_without_states_may_scale_its_gradients():
    names = {}
    exec('''
def adam(params, states, hyperparams):
    doubled = [2 * p.grad for p in params]
    for p, g in zip(params, doubled):
        p.grad[:] = g
    own(params, states, hyperparams)
''', names)
    names['own'] = RIGHT['an_object'][0]()
    verdict = gb.check(names['adam'], steps=FEW)
    assert verdict.ok and 'Its eps is 5e-07, or its gradients are scaled' in verdict.text, verdict.text


def test_only_an_error_of_rounding_is_let_through():
    """In the second average a part in a thousand is seen, the rounding of 1 - beta2 in float32 (1e-5) is not."""
    for factor, ok in ((1 + 1e-5, True), (1 + 1e-3, False)):
        assert gb.check(wrong.rule(('* g * g', f'* g * g * {factor}')), steps=FEW).ok == ok


# The verdict


def test_a_verdict_is_data_and_a_figure():
    verdict = gb.check(gb.adam_uncorrected, steps=FEW)
    assert isinstance(verdict, gb.Verdict) and str(verdict) == verdict.text and not verdict
    data = json.loads(verdict.to_json())
    assert data['mistake'] == 'no bias correction' and data['step'] == 1 and len(data['distances']['b']) == FEW
    pair = json.loads(gb.check(wrong.rule(*wrong.WRONG[-1][1:]), steps=FEW).to_json())
    assert pair['mistake'] == list(wrong.WRONG[-1][0]) and None in pair['distances']['w']  # nan


def test_plot_draws_the_distances_with_the_tolerance():
    from matplotlib import pyplot as plt
    plt.close('all')
    gb.check(gb.adam_uncorrected, steps=FEW, plot=True)
    axes, = plt.gcf().axes
    labels = [line.get_label() for line in axes.lines]
    assert labels == ['w', 'b', 'tolerance: float32 rounding', 'step 1'] and axes.get_yscale() == 'log'
    assert 'no bias correction' in axes.get_title() and len(axes.lines[0].get_ydata()) == FEW
    plt.close('all')


@pytest.mark.parametrize('arguments, error, words', [
    ({'rule': 3}, TypeError, 'rule must be a function'),
    ({'against': 'lion'}, ValueError, 'against must be one of'),
    ({'hyperparams': [1]}, TypeError, 'hyperparams must be a dict'), ({'steps': 0}, ValueError, 'steps must be'),
    ({'plot': 'yes'}, TypeError, 'plot must be'),
    ({'hyperparams': {'lr': 0, 't': 1}}, ValueError, r"hyperparams\['lr'\] must be a finite number above 0"),
    ({'hyperparams': {'lr': len, 't': 1}}, TypeError, r"hyperparams\['lr'\] must be a number")])
def test_wrong_arguments_are_named(arguments, error, words):
    with pytest.raises(error, match=words):
        gb.check(**{'rule': gb.adam, **arguments})


def test_published_variants_of_the_package():
    expected = {'eps_inside': 'eps inside the root', 'averaged_first': 's averages v_hat * v_hat',
                'eps_hat': 'eps-hat', 'true_averages': None}
    assert {name: gb.check(getattr(rules, name), steps=FEW).mistake for name in expected} == expected
