"""All rules of `optimizers`: each against a float64 oracle, other libraries and its own broken copies, at every step.

A rule that is added to optimizers.RULES is taken along: has the form, starts from states of the right shapes, learns,
and (test_hybridization, test_ensemble) trains eagerly, traced and as an ensemble. Once an oracle for it stands in
oracle.RULES, it is held to all that the seven are held to: documented, zeros at first, right at every step.
"""
import ast
import inspect
import json
from pathlib import Path

import numpy as np
import oracle
import pytest
from mxnet import nd
from test_optimizers import FLOAT32, distance

import chapter_adam as gb
from chapter_adam import RULES, optimizers

HYPERPARAMETERS = {'lr': 0.02, 't': 1}
# One more setting for each: nothing as by default, eps large, and a second moment that forgets within the 50 steps.
OTHERS = {'sgd': {}, 'momentum': {'momentum': 0.5}, 'rmsprop': {'gamma': 0.6, 'eps': 0.1},
          **dict.fromkeys(('adam', 'adam_uncorrected', 'amsgrad', 'yogi'), {'beta1': 0.7, 'beta2': 0.9, 'eps': 0.1})}


def initial(name, shape=(5, 1)):
    """The states for one parameter of a rule."""
    states = RULES[name][1](shape[0])
    return states and states[:1]


def path_of(rule, states, hyperparams_at, gradients=None, start=None):
    """The parameter after each step; `hyperparams_at(t)` gives those of step t, which may change the states too."""
    p, path = nd.array(oracle.first_point() if start is None else start), []
    p.attach_grad()
    for t, g in enumerate(oracle.noisy_gradients() if gradients is None else gradients, 1):
        p.grad[:] = nd.array(g)
        rule([p], states, hyperparams_at(t))
        path.append(p.asnumpy())
    return np.array(path)


def ours(name, rule=None, **hyperparams):
    """The path of the rule (or of another, in its place) over the noisy gradients."""
    return path_of(rule or RULES[name][0], initial(name), lambda t: {**HYPERPARAMETERS, 't': t, **hyperparams})


def expected(name, **hyperparams):
    return oracle.RULES[name](oracle.noisy_gradients(), oracle.first_point(), lr=HYPERPARAMETERS['lr'], **hyperparams)


# The form


def test_the_seven_rules_are_there_and_each_has_an_oracle():
    assert [*RULES][:7] == ['sgd', 'momentum', 'rmsprop', 'adam', 'adam_uncorrected', 'amsgrad', 'yogi']
    assert [*oracle.RULES] == [*RULES][:7] and set(OTHERS) == set(oracle.RULES)


@pytest.mark.parametrize('name', RULES)
def test_a_rule_has_the_books_form_and_the_package_serves_it(name):
    rule, initialiser = RULES[name]
    assert [*inspect.signature(rule).parameters] == ['params', 'states', 'hyperparams']
    assert str(inspect.signature(initialiser)) == '(feature_dim=5)'
    assert (rule.__name__, initialiser.__name__) == (name, f'init_{name}_states')
    for function in (rule, initialiser):
        assert getattr(gb, function.__name__) is function
        assert function.__name__ in gb.__all__ and function.__name__ in dir(gb)


@pytest.mark.parametrize('name', oracle.RULES)
def test_a_rule_says_what_it_does_in_few_lines(name):
    rule, initialiser = RULES[name]
    for words in ('<-', 'Args:', 'Raises:', 'Where others differ:', '>>>'):
        assert words in rule.__doc__, f'{name} has no {words} in its docstring, as the other rules have'
    assert '>>>' in initialiser.__doc__
    function, = ast.parse(inspect.getsource(rule)).body
    assert function.end_lineno - function.body[1].lineno < 12


@pytest.mark.parametrize('name', RULES)
def test_states_have_the_parameters_shapes_and_those_of_the_seven_are_zeros(name):
    for d in (5, 3):
        entries = RULES[name][1](d)
        assert entries is None or len(entries) == 2
        for entry, shape in zip(entries or (), ((d, 1), (1,))):
            for state in entry if isinstance(entry, tuple) else (entry,):
                assert state.shape == shape
                assert name not in oracle.RULES or not state.asnumpy().any()


@pytest.mark.parametrize('name', oracle.RULES)
def test_lr_is_asked_for_and_only_t_is_changed(name):
    p = nd.ones((5, 1))
    p.attach_grad()
    with pytest.raises(KeyError, match='lr'):
        RULES[name][0]([p], initial(name), {'t': 1})
    hyperparams = dict(HYPERPARAMETERS)
    RULES[name][0]([p], initial(name), hyperparams)
    assert {**hyperparams, 't': 1} == HYPERPARAMETERS


@pytest.mark.parametrize('name', oracle.RULES)
def test_zero_gradients_move_nothing(name):
    start = oracle.first_point()
    path = path_of(RULES[name][0], initial(name), lambda t: {**HYPERPARAMETERS, 't': t}, [0 * start] * 3)
    assert (path == start).all()


@pytest.mark.parametrize('name', RULES)
def test_every_rule_learns_something(airfoil, name):
    rule, states = RULES[name]
    losses = gb.train_ch7(rule, states(), dict(HYPERPARAMETERS), *airfoil, plot=False).losses
    assert losses[-1] < (0.4 if name in oracle.RULES else losses[0])


# The oracle, and copies with one broken line


def oracled(name):
    return name if name in oracle.RULES else pytest.param(name, marks=pytest.mark.skip('not in oracle.RULES'))


@pytest.mark.parametrize('name', map(oracled, RULES))
@pytest.mark.parametrize('others', [False, True], ids=['defaults', 'others'])
def test_a_rule_follows_the_float64_oracle_at_every_step(name, others):
    hyperparams = OTHERS[name] if others else {}
    assert distance(ours(name, **hyperparams), expected(name, **hyperparams)) < FLOAT32


MISTAKES = {
    'sgd': [('- lr', '+ lr')],
    'momentum': [('lr * p.grad', '(1 - momentum) * lr * p.grad'),
                 ('p - v', 'p - lr * v'),
                 ("get('momentum', 0.9)", "get('momentum', 0.99)")],
    'rmsprop': [('(s + eps).sqrt()', '(s.sqrt() + eps)'), ('(1 - gamma) *', '1 *'),
                ('lr * p.grad / (s + eps).sqrt()', 'lr * p.grad / s.sqrt() + eps'),
                ("get('eps', 1e-6)", "get('eps', 1e-2)")],
    'adam': [('s / (1 - beta2 ** t)', 's / (1 - beta1 ** t)'), ('v / (1 - beta1 ** t)', 'v')],
    'adam_uncorrected': [('beta1 * v', 'beta2 * v'), ('(s.sqrt() + eps)', '(s + eps).sqrt()')],
    'amsgrad': [('nd.maximum(top, s)', 'nd.minimum(top, s)'), ('nd.maximum(top, s)', 's'),
                ('(top.sqrt()', '(s.sqrt()'), ('nd.maximum(top, s)', 'nd.maximum(top, p.grad.square())')],
    'yogi': [('.sign() * g2', '.sign()'), ('(g2 - s)', '(s - g2)'), ('(g2 - s).sign() * g2', '(g2 - s)'),
             ("get('eps', 1e-3)", "get('eps', 1e-6)")],
}
CASES = [(name, old, new) for name, pairs in MISTAKES.items() for old, new in pairs]


def broken(name, old, new):
    source = inspect.getsource(RULES[name][0]).replace(RULES[name][0].__doc__, '')
    assert source.count(old) == 1, f'{name} has no longer just one {old!r}'
    return executed(name, source.replace(old, new))


def executed(name, source):
    names = {'nd': nd}
    exec(source, names)
    return names[name]


def caught(name, rule):
    """Whether the comparisons with the oracle notice it: by far, so that it is no matter of the tolerance."""
    try:
        return any(not distance(ours(name, rule, **hyperparams), expected(name, **hyperparams)) < 10 * FLOAT32
                   for hyperparams in ({}, OTHERS[name]))
    except NameError:
        return True


@pytest.mark.parametrize('name, old, new', CASES, ids=[f'{name}: {new}' for name, _, new in CASES])
def test_a_mistake_is_caught(name, old, new):
    assert caught(name, broken(name, old, new))


@pytest.mark.parametrize('name', map(oracled, RULES))
def test_no_line_of_a_rule_can_be_left_out(name):
    function, = ast.parse(source := inspect.getsource(RULES[name][0])).body
    loop = next(node for node in function.body if isinstance(node, ast.For))
    for line in loop.body:
        lines = source.splitlines()
        lines[line.lineno - 1] = ' ' * line.col_offset + 'pass'
        assert caught(name, executed(name, '\n'.join(lines))), source.splitlines()[line.lineno - 1]
    assert not caught(name, executed(name, source))


# PyTorch and optax, whose paths peer_paths.py has written down

PATHS = json.loads(Path(__file__).with_name('peer_paths.json').read_text())
LR, EPS, BETA, HALVED = 0.02, 0.1, 0.9, 25  # as in peer_paths
ADAMS = {'lr': LR, 'eps': EPS, 'beta1': BETA, 'beta2': BETA}


def as_is(**hyperparams):
    return lambda t: {'lr': LR, 't': t, **hyperparams}


def folded(t):
    """What PyTorch's and optax's corrections of both averages are for a rule that has none."""
    root = (1 - BETA ** t) ** 0.5
    return {**ADAMS, 'lr': LR * root / (1 - BETA ** t), 'eps': EPS * root}


def halved(t):
    return {'lr': LR / 2 if t >= HALVED else LR}


def rescaling(v):
    """The bridge to a memory without lr in it: when lr is halved, so is v."""
    def at(t):
        if t == HALVED:
            v[:] = v / 2
        return halved(t)
    return at


# peer: our rule, its hyperparameters at step t
PEERS = {
    'torch SGD': ('sgd', as_is()),
    'torch SGD, momentum': ('momentum', as_is()),
    'torch RMSprop, eps 0': ('rmsprop', as_is(eps=0)),
    'torch Adam': ('adam', as_is(**ADAMS)),
    'torch Adam, correction undone': ('adam_uncorrected', as_is(**ADAMS)),
    'torch Adam, amsgrad': ('amsgrad', folded),
    'optax sgd': ('sgd', as_is()),
    'optax sgd, momentum': ('momentum', as_is()),
    'optax rmsprop': ('rmsprop', as_is(eps=EPS)),
    'optax adam': ('adam', as_is(**ADAMS)),
    'optax adam, correction undone': ('adam_uncorrected', as_is(**ADAMS)),
    'optax amsgrad, no correction': ('amsgrad', as_is(**ADAMS)),
}
# Same name, another rule.
OTHER_RULES = {
    'torch SGD, momentum, lr halved': ('momentum', halved),
    'optax sgd, momentum, lr halved': ('momentum', halved),
    'torch RMSprop': ('rmsprop', as_is(eps=EPS)),
    'torch Adam, amsgrad': ('amsgrad', as_is(**ADAMS)),
    'optax amsgrad': ('amsgrad', folded),
    'optax yogi': ('yogi', as_is(**ADAMS)),
}


def peer(name):
    library, call = name.split(' ', 1)
    return np.array(PATHS[library]['paths'][call]).reshape(oracle.STEPS, 5, 1)


@pytest.mark.parametrize('name', PEERS)
def test_a_peer_is_ours_through_its_bridge_at_every_step(name):
    rule, hyperparams_at = PEERS[name]
    assert distance(path_of(RULES[rule][0], initial(rule), hyperparams_at), peer(name)) < FLOAT32


@pytest.mark.parametrize('name', OTHER_RULES)
def test_without_the_bridge_it_is_another_rule(name):
    rule, hyperparams_at = OTHER_RULES[name]
    assert distance(path_of(RULES[rule][0], initial(rule), hyperparams_at), peer(name)) > 1e-2


@pytest.mark.parametrize('name', ['torch SGD, momentum, lr halved', 'optax sgd, momentum, lr halved'])
def test_a_memory_without_lr_rescales_the_past(name):
    v = nd.zeros((5, 1))
    assert distance(path_of(optimizers.momentum, [v], rescaling(v)), peer(name)) < FLOAT32


def test_optaxs_yogi_starts_at_a_millionth_and_is_corrected():
    states = [(nd.full((5, 1), 1e-6), nd.full((5, 1), 1e-6))]
    assert distance(path_of(optimizers.yogi, states, folded), peer('optax yogi')) < FLOAT32


def test_every_rule_has_met_torch_or_optax_and_every_path_is_used():
    met = {rule for rule, _ in [*PEERS.values(), *OTHER_RULES.values()]}
    assert met == set(oracle.RULES)
    assert {*PEERS, *OTHER_RULES} == {f'{library} {call}' for library in PATHS for call in PATHS[library]['paths']}
