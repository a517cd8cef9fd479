"""Every wrong argument of the two trainings: an error of the right kind that names the argument and the value."""
import math
import re
from collections import defaultdict, namedtuple

import numpy as np
import pytest
from mxnet import nd

from chapter_adam import (DivergenceError, adam, init_adam_states, momentum, train_ch7, train_ensemble,
                          train_gluon_ch7)

X = np.random.default_rng(0).normal(size=(40, 2)).astype(np.float32)
Y = X @ np.array([1, -2], np.float32)
SPOILT = np.where(np.arange(80).reshape(40, 2) == 7, np.nan, X)  # one nan, at (3, 1)
Z = nd.zeros


def sgd(params, _states, hyperparams):
    """A rule of the book's form that can be made to diverge: Adam's steps are bounded."""
    for p in params:
        p[:] = p - hyperparams['lr'] * p.grad


def scratch(**changed):
    arguments = {'trainer_fn': adam, 'states': init_adam_states(2), 'hyperparams': {'lr': 0.01, 't': 1}}
    return train_ch7(**{**arguments, 'features': X, 'labels': Y, 'plot': False, **changed})


def gluon(**changed):
    arguments = {'trainer_name': 'adam', 'trainer_hyperparams': {'learning_rate': 0.01}}
    return train_gluon_ch7(**{**arguments, 'features': X, 'labels': Y, 'plot': False, **changed})


def case(argument, value, error, *words, id=None):
    """One wrong value; `words` must follow the argument's name in the message, by default the value itself."""
    words = words or (f'got {value!r}',)
    return pytest.param({argument: value}, error, '.*'.join(map(re.escape, (argument, *words))),
                        id=f'{argument}={id or repr(value)}')


# What both trainings share.
COMMON = [
    case('batch_size', 0, ValueError),
    case('batch_size', -10, ValueError),
    case('batch_size', 2.5, TypeError),
    case('batch_size', '10', TypeError),
    case('batch_size', True, TypeError),
    case('batch_size', None, TypeError),
    case('num_epochs', 0, ValueError),
    case('num_epochs', -1, ValueError),
    case('num_epochs', 1.5, TypeError),
    case('seed', -1, ValueError),
    case('seed', 1.5, TypeError),
    case('seed', 'a', TypeError),
    case('record_every', 0, ValueError),
    case('record_every', 'a', TypeError),
    case('features', X[:39], ValueError, 'labels must have the same number of rows, got 39 and 40', id='short'),
    case('features', X[0], ValueError, '(N, d)', 'got (2,)', id='rank 1'),
    case('features', X[:0], ValueError, 'at least one row, got (0, 2)', id='empty'),
    case('features', SPOILT, ValueError, 'finite', 'got nan at (3, 1)', id='nan'),
    case('features', 1e300 * X.astype(float), ValueError, 'finite in float32', 'inf', id='beyond float32'),
    case('features', X.astype(str), TypeError, 'array of numbers', 'ndarray', id='strings'),
    case('features', [['a', 'b']] * 40, TypeError, 'array of numbers', 'list', id='words'),
    case('features', X + 1j, TypeError, 'array of numbers', 'ndarray', id='complex'),
    case('labels', X, ValueError, '(N,)', 'got (40, 2)', id='rank 2'),
    case('labels', np.full(40, -np.inf), ValueError, 'finite', 'got -inf at (0,)', id='inf'),
    case('features', X.astype('m8[D]'), TypeError, 'array of numbers', 'timedelta64', id='time spans'),
    case('features', np.zeros((40, 2), [('a', float)]), TypeError, 'array of numbers', id='records'),
    case('features', np.ma.masked_less(X, 0), ValueError, 'masked entries', id='masked'),
    case('features', 1e30 * X, DivergenceError, 'too large for float32; standardise', id='huge'),
    case('labels', None, ValueError, 'got ()'),
    case('hybridize', 'yes', TypeError, 'True or False'),
    case('hybridize', X, TypeError, 'True or False', id='array'),
    case('plot', 'no', TypeError, 'True or False'),
]
SCRATCH = [
    case('trainer_fn', 'adam', TypeError),
    case('trainer_fn', None, TypeError),
    case('hyperparams', None, TypeError),
    case('hyperparams', [('lr', 0.01), ('t', 1)], TypeError),
    case('hyperparams', {'t': 1}, ValueError, "must hold 'lr', which adam reads; got {'t': 1}"),
    case('hyperparams', {'lr': 0.01}, ValueError, "must hold 't', which adam reads; got {'lr': 0.01}"),
    case('hyperparams', {'lr': 0.01, 't': 0}, ValueError, "['t']", 'first step has t = 1', 'got 0'),
    case('hyperparams', {'lr': 0.01, 't': -1}, ValueError, "['t']", 'got -1'),
    case('hyperparams', {'lr': 0.01, 't': 1.5}, ValueError, "['t']", 'got 1.5'),
    case('hyperparams', {'lr': 0.01, 't': '1'}, TypeError, "['t']", "got '1'"),
    case('hyperparams', {'lr': 0.01, 't': 1, 'beta1': 1}, ValueError, "['beta1']", 'below 1, got 1'),
    case('hyperparams', {'lr': 0.01, 't': 1, 'eps': -1}, ValueError, "['eps']", 'at least 0, got -1'),
    case('hyperparams', {'lr': 0.01, 't': 10 ** 400}, ValueError, "['t']", '... (int)', id='long t'),
    case('hyperparams', {'lr': 1e-60, 't': 1}, ValueError, "['lr']", 'got 1e-60'),
    case('hyperparams', {'lr': 1e39, 't': 1}, ValueError, "['lr']", 'got 1e+39'),
    *(case('hyperparams', {'lr': value, 't': 1}, error, f"['lr'] must be a finite number above 0, got {value!r}")
      for error, values in ((ValueError, (0, -0.1, math.nan, math.inf)), (TypeError, ('0.1', True, None, [0.1])))
      for value in values),
]
# Wrong only for this rule, which is found out when it is called: the rule's own words, and where to look.
UNFIT_STATES = [
    pytest.param((), ValueError, r'changed no parameter .*in place', id='empty'),
    pytest.param(None, TypeError, r'adam failed: .*not iterable; do the states', id='None'),
    pytest.param(((Z((2, 1)),), (Z(1),)), ValueError, r'adam failed: .*unpack.* states', id='one of two parts'),
    pytest.param(((Z((2, 1)),) * 3, (Z(1),) * 3), ValueError, r'adam failed: .*unpack.* states', id='three parts'),
    pytest.param((1, 2), TypeError, r'adam failed: .*unpack.* states', id='numbers'),
    pytest.param(((Z(1), Z(1)),) * 2, ValueError, r'adam failed: .* states .*shapes', id='one element for w'),
]
GLUON = [
    case('trainer_name', 'adamm', ValueError, 'must be one of', 'adam, ', "got 'adamm'"),
    case('trainer_name', 'test', ValueError, "got 'test'"),
    case('trainer_name', None, TypeError),
    case('trainer_name', adam, TypeError, 'got <function adam', id='a function'),
    case('trainer_hyperparams', {'lr': 0.01}, ValueError, "Gluon's adam", "'lr'"),
    case('trainer_hyperparams', None, TypeError),
    case('trainer_hyperparams', [0.01], TypeError, "such as {'learning_rate': 0.01}, got [0.01]"),
    case('trainer_hyperparams', {'begin_num_update': 'x'}, ValueError, "'begin_num_update': 'x'"),
    case('full_division', 'yes', TypeError, 'True or False'),
    case('trainer_hyperparams', {'wd': 'a'}, ValueError, "'wd': 'a'"),
    case('trainer_hyperparams', {'clip_gradient': 'a'}, ValueError, "'clip_gradient': 'a'"),
]


@pytest.mark.parametrize('wrong, error, message', COMMON + SCRATCH)
def test_train_ch7(capsys, wrong, error, message):
    with pytest.raises(error, match=message):
        scratch(**wrong)
    assert capsys.readouterr().out == ''


@pytest.mark.parametrize('wrong, error, message', COMMON + GLUON)
def test_train_gluon_ch7(capsys, wrong, error, message):
    message = message.replace('trainer_hyperparams', '(trainer_)?hyperparams')
    with pytest.raises(error, match=message):
        gluon(**wrong)
    assert capsys.readouterr().out == ''


def test_an_optimiser_that_cannot_update_a_bias_is_refused_before_the_run():
    with pytest.raises(ValueError, match="Gluon's groupadagrad cannot update a dense parameter"):
        gluon(trainer_name='groupadagrad', trainer_hyperparams={'learning_rate': 0.1})


Pair = namedtuple('Pair', 'v s')


@pytest.mark.parametrize('hybridize', [False, True])
@pytest.mark.parametrize('like', [lambda pairs: [list(pair) for pair in pairs],
                                  lambda pairs: [Pair(*pair) for pair in pairs]])
def test_states_keep_their_kind(like, hybridize):
    """A rule may write `states[0] = ...` to a list, and ask a namedtuple for its fields."""
    states = like(init_adam_states(2))
    kind = type(states[0])

    def rule(params, states, hyperparams):
        assert type(states) is list and type(states[0]) is kind
        adam(params, states, hyperparams)
    run = scratch(trainer_fn=rule, states=states, hybridize=hybridize)
    assert run.losses == pytest.approx(scratch(states=init_adam_states(2)).losses, abs=2e-6)


def test_a_dict_keeps_its_class():
    def rule(params, states, hyperparams):
        sgd_step(params, 0.1 + hyperparams['not there'])

    def sgd_step(params, lr):
        for p in params:
            p[:] = p - lr * p.grad
    hyperparams = defaultdict(float)
    run = scratch(trainer_fn=rule, states=(), hyperparams=hyperparams)
    assert run.losses[-1] < run.losses[0]
    assert not hyperparams
    assert scratch(trainer_fn=rule, states=(), hyperparams=hyperparams, hybridize=True).losses == run.losses


@pytest.mark.parametrize('states, error, message', UNFIT_STATES)
def test_states_that_do_not_fit_the_rule(states, error, message):
    with pytest.raises(error, match=message):
        scratch(states=states)


def test_a_rules_own_failure_keeps_its_cause():
    """The reader who writes a rule needs the line in it that failed."""
    def broken(params, states, hyperparams):
        raise IndexError('mine')
    with pytest.raises(ValueError, match='broken failed: mine') as failure:
        scratch(trainer_fn=broken)
    assert isinstance(failure.value.__cause__, IndexError)


@pytest.mark.parametrize('key', [(2, 1), 'lr'], ids=repr)
def test_a_key_that_the_rule_misses_elsewhere_is_no_missing_hyperparameter(key):
    def broken(params, states, hyperparams):
        return {}[key]
    with pytest.raises(KeyError):
        scratch(trainer_fn=broken)


@pytest.mark.parametrize('train, options', [
    (scratch, {}), (scratch, {'hybridize': True}), (gluon, {}), (gluon, {'hybridize': True}),
    (gluon, {'full_division': True}),
], ids=['scratch', 'scratch hybridized', 'gluon', 'gluon hybridized', 'gluon full division'])
@pytest.mark.parametrize('batch_size', [41, 10 ** 12], ids=str)
def test_a_batch_larger_than_the_data_is_one_batch_of_it(train, options, batch_size):
    """In its curve, its parameters and its settings: full division too divides by the 40 rows there are."""
    assert train(batch_size=batch_size, **options).curve() == train(batch_size=40, **options).curve()


@pytest.mark.parametrize('train, wrong', [
    pytest.param(scratch, {'trainer_fn': sgd, 'states': None, 'hyperparams': {'lr': 1e30}}, id='scratch'),
    pytest.param(gluon, {'trainer_name': 'sgd', 'trainer_hyperparams': {'learning_rate': 1e30}}, id='gluon'),
])
def test_a_diverging_run_says_at_which_step(capsys, train, wrong):
    """Steps of 4 examples, a record each: the first record at which the loss overflowed is named."""
    with pytest.raises(DivergenceError, match=r'the loss is (nan|inf) after step 1 \(epoch 0\.10\); try a smaller'):
        train(batch_size=4, record_every=4, **wrong)
    assert capsys.readouterr().out == ''  # nan is never printed as a result


@pytest.mark.parametrize('lr', [0.1, lambda t: 0.1 / (1 + t)], ids=['number', 'schedule'])
def test_a_readers_own_rule_may_count_from_zero_and_take_a_schedule(airfoil, lr):
    def rule(params, states, h):
        rate = h['lr'](h['t']) if callable(h['lr']) else h['lr'] * 0.5 ** (h['t'] // 50)
        for p in params:
            p[:] -= rate * p.grad
        h['t'] += 1
    curves = [train_ch7(rule, None, {'lr': lr, 't': 0}, *airfoil, hybridize=hybridize, plot=False).losses
              for hybridize in (False, True)]
    curves.append(train_ensemble(rule, None, {'lr': lr, 't': 0}, *airfoil, seeds=[0, 1]).losses[:, 0])
    assert np.ptp(curves, axis=0).max() < 2e-6


def test_our_own_rules_count_from_one():
    with pytest.raises(ValueError, match='first step has t = 1'):
        train_ch7(momentum, None, {'lr': 0.1, 't': 0}, X, X[:, 0], plot=False)


def test_a_readers_rule_named_adam_is_its_own_master():
    def adam(params, states, hyperparams):
        for p in params:
            p[:] = p - hyperparams['lr'][0] * p.grad
    run = train_ch7(adam, None, {'lr': [0.1], 't': 0, 'beta1': 2, 'eps': 'none'}, X, X[:, 0], plot=False)
    assert run.losses[-1] < run.losses[0]
