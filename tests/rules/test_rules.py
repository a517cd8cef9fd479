"""The rules at every step: against the float64 oracle, in closed form, and against mistakes."""
import inspect
from contextlib import nullcontext
from unittest import mock

import numpy as np
import oracle
import pytest
from mxnet import nd
from oracle import first_point, noisy_gradients

from chapter_adam import rules
from chapter_adam.exercises.tools.training import Array
from chapter_adam.rules import RULES, adam

# float32 rounds a parameter near 1 by up to 6e-8 a step; measured over 50 steps: 4e-7. The nearest mutant is 6e-3 away.
FLOAT32 = 2e-6
# One more setting for each: nothing as by default, eps large, and an s that forgets within the 50 steps.
OTHERS = {'sgd': {}, 'momentum': {'momentum': 0.5}, 'adagrad': {'eps': 0.1},
          'rmsprop': {'gamma': 0.6, 'eps': 0.1}, 'adadelta': {'rho': 0.6, 'eps': 0.1},
          **dict.fromkeys(('adam', 'adam_uncorrected', 'amsgrad', 'yogi'), {'beta1': 0.7, 'beta2': 0.9, 'eps': 0.1})}


def path_of(rule, gradients=None, start=None, states=None, at=lambda t: {}, numpy=True, **hyperparams):
    """The parameter after each step, in NumPy's float64 (much faster) or in MXNet's float32.

    `states` are one parameter's; `at(t)` gives hyperparameters of step t.
    """
    def array(values):
        return np.array(values, float).view(Array) if numpy else nd.array(values)

    gradients = noisy_gradients() if gradients is None else gradients
    p, path = array(first_point() if start is None else start), []
    states = (np.zeros(p.shape), np.zeros(p.shape)) if states is None else states
    states = [tuple(map(array, states)) if isinstance(states, tuple) else array(states)]
    if not numpy:
        p.attach_grad()
    with mock.patch.dict(vars(rules.neighbours), {'nd': np if numpy else nd}):
        for t, g in enumerate(gradients, 1):
            if numpy:
                p.grad = array(g)
            else:
                p.grad[:] = nd.array(g)
            rule([p], states, {'lr': 0.01, **hyperparams, 't': t, **at(t)})
            path.append(np.array(p) if numpy else p.asnumpy())
    return np.array(path)


def initial(name):
    """One parameter's states of a rule."""
    count = {'sgd': 1, 'momentum': 1, 'adagrad': 1, 'rmsprop': 1, 'amsgrad': 3}.get(name, 2)
    return np.zeros((5, 1)) if count == 1 else (np.zeros((5, 1)),) * count


@np.errstate(all='ignore')  # a mistake may take the root of a number below 0
def off(name, source=None, numpy=True):
    """How far a rule, or what a source text makes of it, is from the oracle: with the defaults, with other numbers.

    MXNet's arrays, which are slow, with the defaults alone.
    """
    namespace = {'nd': np, name: RULES[name][0]}
    exec(source or '', namespace)
    return np.max([np.abs(path_of(namespace[name], states=initial(name), numpy=numpy, **each)
                          - oracle.RULES[name](noisy_gradients(), first_point(), **each)).max()
                   for each in ({}, OTHERS[name])[:1 + numpy]])  # NaN if any is


@pytest.mark.parametrize('name', RULES)
def test_a_rule_follows_the_oracle(name):
    assert off(name, numpy=False) < FLOAT32
    assert off(name) < 1e-12


@pytest.mark.parametrize('name', RULES)
def test_a_rule_has_the_form(name):
    rule, init_states = RULES[name]
    assert [*inspect.signature(rule).parameters] == ['params', 'states', 'hyperparams']
    assert all(words in rule.__doc__ for words in ('<-', 'Args:', 'Elsewhere:', '>>>'))
    entries, own = init_states(3) or (), init_states(5)
    for entry, shape in zip(entries, ((3, 1), (1,))):
        for state in entry if isinstance(entry, tuple) else (entry,):
            assert state.shape == shape and not state.asnumpy().any()
    p, hyperparams = nd.ones((5, 1)), {'lr': 0.01, 't': 1}
    p.attach_grad()
    with pytest.raises(KeyError, match='lr') if name != 'adadelta' else nullcontext():
        rule([p], own, {'t': 1})
    rule([p], own, hyperparams)  # the gradient is 0
    assert {**hyperparams, 't': 1} == {'lr': 0.01, 't': 1} and (p.asnumpy() == 1).all()


@pytest.mark.parametrize('wrong, error', [(0, ValueError), (1.5, TypeError)], ids=str)
def test_a_wrong_number_of_features_is_named(wrong, error):
    for name, (_, init_states) in RULES.items():
        with pytest.raises(error, match='feature_dim') if name != 'sgd' else pytest.raises(AssertionError):
            assert init_states(wrong) is not None


MISTAKES = [
    ('sgd', '- lr', '+ lr'), ('momentum', 'p - v', 'p - lr * v'), ('momentum', "'momentum', 0.9", "'momentum', 0.99"),
    ('rmsprop', '(s + eps).sqrt()', '(s.sqrt() + eps)'), ('adagrad', '(s + eps).sqrt()', '(s.sqrt() + eps)'),
    ('adadelta', '(delta + eps) /', 'eps /'), ('adadelta', "'eps', 1e-5", "'eps', 1e-6"),
    ('adam', '1 - beta2 ** t', '1 - beta1 ** t'), ('adam', "'eps', 1e-6", "'eps', 1e-2"),
    ('adam_uncorrected', 'beta1 * v', 'beta2 * v'), ('amsgrad', '(top.sqrt()', '(s.sqrt()'),
    ('yogi', '(g2 - s)', '(s - g2)'), ('yogi', "'eps', 1e-3", "'eps', 1e-6"),
]


@pytest.mark.parametrize('name, old, new', MISTAKES, ids=[f'{name}: {new}' for name, _, new in MISTAKES])
def test_a_mistake_is_caught(name, old, new):
    source = inspect.getsource(RULES[name][0]).replace(RULES[name][0].__doc__, '')
    assert source.count(old) == 1 and not off(name, source.replace(old, new)) < 1e-5


@pytest.mark.parametrize('name', RULES)
def test_no_line_can_be_left_out(name):
    lines = inspect.getsource(RULES[name][0]).replace(RULES[name][0].__doc__, '').splitlines()
    for k in range(next(k for k, line in enumerate(lines) if 'for p' in line) + 1, len(lines)):
        if lines[k].startswith('        '):
            try:
                assert not off(name, '\n'.join([*lines[:k], '        pass', *lines[k + 1:]])) < 1e-5, lines[k]
            except NameError:
                pass  # a line further down needs it


@pytest.mark.parametrize('eps, least, mutant', [
    pytest.param(1e-6, 0.3, {'move': oracle.uncorrected}, id='no bias correction'),
    pytest.param(1e-6, 2e-2, {'swapped': True}, id='betas swapped'),
    pytest.param(1e-6, 3e-3, {'move': oracle.late_clock}, id='clock starts at 2'),
    pytest.param(0.1, 1e-2, {'move': oracle.epsilon_hat}, id='eps-hat instead of eps'),
    pytest.param(0.1, 2e-3, {'move': oracle.epsilon_inside}, id='eps inside the root'),
])
def test_adam_is_not_a_published_mutant(eps, least, mutant):
    """`eps` is where the mutant shows: at 1e-6 the last two do not."""
    ours = path_of(adam, eps=eps)
    assert np.abs(ours - oracle.adam(noisy_gradients(), first_point(), eps=eps)).max() < 1e-12
    assert np.abs(ours - oracle.adam(noisy_gradients(), first_point(), eps=eps, **mutant)).max() > least


# Adam in closed form


def test_the_first_step_is_the_rate_against_the_sign():
    g = np.array([3, -0.5, 1e-2, -40])
    assert path_of(adam, [g], 0 * g, lr=0.25)[0] == pytest.approx(-0.25 * np.sign(g), rel=1e-3)


def test_a_constant_gradient_moves_by_lr_g_over_g_plus_eps_each_step():
    g = np.array([2.0, -0.3, 0.05])
    exact = -0.01 * np.arange(1, 101)[:, None] * g / (np.abs(g) + 0.1)
    assert np.abs(path_of(adam, [g] * 100, 0 * g, eps=0.1) - exact).max() < 1e-12


def test_t_advances_once_a_step_and_updates_happen_in_place():
    params, states = [nd.ones((5, 1)), nd.ones((2, 3, 4))], [(nd.zeros(s), nd.zeros(s)) for s in ((5, 1), (2, 3, 4))]
    for p in params:
        p.attach_grad()
        p.grad[:] = 2
    hyperparams = {'lr': 0.5, 't': 1}
    adam(params, states, hyperparams)
    assert hyperparams == {'lr': 0.5, 't': 2} and params[1].asnumpy() == pytest.approx(0.5, rel=1e-5)
    assert states[1][0].asnumpy() == pytest.approx(0.2) and states[1][1].asnumpy() == pytest.approx(0.004)


# The variants


@pytest.mark.parametrize('name, move', [('eps_inside', oracle.epsilon_inside), ('eps_hat', oracle.epsilon_hat),
                                        ('true_averages', oracle.correct)])
def test_a_variant_of_adam_follows_the_oracle(name, move):
    for eps, numpy, limit in ((1e-6, True, 1e-12), (0.1, True, 1e-12), (0.1, False, FLOAT32)):
        expected = oracle.adam(noisy_gradients(), first_point(), eps=eps, move=move)
        assert np.abs(path_of(getattr(rules, name), eps=eps, numpy=numpy) - expected).max() < limit


def test_true_averages_do_not_depend_on_their_first_states():
    states = (np.full((5, 1), 3), np.full((5, 1), 3))
    assert np.abs(path_of(rules.true_averages, states=states) - path_of(rules.true_averages)).max() < 1e-12


def test_the_halves_are_weighted_means_and_the_chained_rules_other_quotients():
    g, ones = np.array(noisy_gradients(), float), np.ones((oracle.STEPS, 5, 1))
    mean = oracle.weighted(g, 0.9) / oracle.weighted(ones, 0.9)
    size = np.sqrt(oracle.weighted(g ** 2, 0.999) / oracle.weighted(ones, 0.999)) + 1e-6
    chained = oracle.weighted(g / size, 0.9) / oracle.weighted(ones, 0.9)
    of_means = np.sqrt(oracle.weighted(mean ** 2, 0.999) / oracle.weighted(ones, 0.999)) + 1e-6
    for rule, step in ((rules.weighted_momentum, mean), (rules.weighted_rmsprop, g / size),
                       (rules.scaled_first, chained), (rules.averaged_first, mean / of_means)):
        assert np.abs(path_of(rule) - first_point() + 0.01 * np.cumsum(step, axis=0)).max() < 1e-12, rule.__name__
