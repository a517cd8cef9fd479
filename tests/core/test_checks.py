"""Every wrong argument of the two trainings: an error of the right kind that names the argument and the value."""
import math
import re

import numpy as np
import pytest

import chapter_adam as gb

X = np.random.default_rng(0).normal(size=(40, 2)).astype(np.float32)
Y = X @ np.array([1, -2], np.float32)
SPOILT = np.where(np.arange(80).reshape(40, 2) == 7, np.nan, X)  # one nan, at (3, 1)
DATA = {'features': X, 'labels': Y, 'plot': False}


def scratch(**changed):
    return gb.train_ch7(**{'trainer_fn': gb.adam, 'states': gb.init_adam_states(2),
                           'hyperparams': {'lr': 0.01, 't': 1}, **DATA, **changed})


def gluon(**changed):
    return gb.train_gluon_ch7(**{'trainer_name': 'adam', 'trainer_hyperparams': {'learning_rate': 0.01},
                                 **DATA, **changed})


def case(argument, value, error, *words, id=None):
    """One wrong value; `words` must follow the argument's name in the message, by default the value itself."""
    words = words or (f'got {value!r}',)
    return pytest.param({argument: value}, error, '.*'.join(map(re.escape, (argument, *words))),
                        id=f'{argument}={id or repr(value)}')


def cases(argument, error, *values):
    return [case(argument, value, error) for value in values]


BOTH = [
    *cases('batch_size', ValueError, 0), *cases('batch_size', TypeError, 2.5, '10', True, None),
    *cases('num_epochs', ValueError, 0), *cases('num_epochs', TypeError, 1.5),
    *cases('record_every', ValueError, 0), *cases('record_every', TypeError, 10.0),
    *cases('seed', ValueError, -1), *cases('seed', TypeError, 'a'),
    *cases('hybridize', TypeError, 'yes', 2, None), *cases('plot', TypeError, 'no'),
    case('hybridize', X, TypeError, 'True or False', id='array'),
    case('features', X[:39], ValueError, 'labels must have the same number of rows, got 39 and 40', id='short'),
    case('features', X[0], ValueError, '(N, d)', 'got (2,)', id='rank 1'),
    case('features', X[:0], ValueError, 'at least one row, got (0, 2)', id='empty'),
    case('features', SPOILT, ValueError, 'finite', 'got nan at (3, 1)', id='nan'),
    case('features', 1e300 * X.astype(float), ValueError, 'finite in float32', 'inf', id='beyond float32'),
    case('features', X.astype(str), TypeError, 'array of numbers', 'ndarray of <U', id='strings'),
    case('features', X + 1j, TypeError, 'array of numbers', 'complex64', id='complex'),
    case('features', X.astype('m8[D]'), TypeError, 'array of numbers', 'timedelta64', id='time spans'),
    case('features', np.ma.masked_less(X, 0), ValueError, 'masked entries', id='masked'),
    case('labels', X, ValueError, '(N,)', 'got (40, 2)', id='rank 2'),
    case('labels', np.full(40, -np.inf), ValueError, 'finite', 'got -inf at (0,)', id='inf'),
    case('labels', None, ValueError, 'got ()'),
]


def hyperparams(key, error, *values):
    """Wrong hyperparameters of our own rules."""
    for value in values:
        yield case('hyperparams', {'lr': 0.01, 't': 1, key: value}, error, f'[{key!r}] must be', f'got {value!r}')


SCRATCH = [
    *cases('trainer_fn', TypeError, 'adam', None),
    *cases('hyperparams', TypeError, None, [('lr', 0.01), ('t', 1)]),
    case('hyperparams', {'t': 1}, ValueError, "must hold 'lr', which adam reads; got {'t': 1}"),
    case('hyperparams', {'lr': 0.01}, ValueError, "must hold 't', which adam reads; got {'lr': 0.01}"),
    case('hyperparams', {'lr': 0.01, 't': 10 ** 400}, ValueError, "['t']", '... (int)', id='long t'),
    *hyperparams('lr', ValueError, 0, -0.1, 1e-60, 1e39, math.nan, math.inf),
    *hyperparams('lr', TypeError, '0.1', True, None, [0.1]),
    *hyperparams('t', ValueError, 0, -1, 1.5), *hyperparams('t', TypeError, '1'),
    *hyperparams('beta1', ValueError, 1, -0.1, math.nan), *hyperparams('beta2', ValueError, 1.0, -1),
    *hyperparams('eps', ValueError, -1, 1e-60, math.inf),
]
GLUON = [
    *cases('trainer_name', TypeError, None, 3),
    case('trainer_name', gb.adam, TypeError, 'got <function adam', id='a function'),
    case('trainer_name', 'adamm', ValueError, 'must be one of', 'adam, ', "got 'adamm'"),
    case('trainer_name', 'test', ValueError, "got 'test'"),
    *cases('trainer_hyperparams', TypeError, None, [0.01]),
    *[case('trainer_hyperparams', {key: 'a'}, ValueError, "Gluon's adam cannot update", f'{{{key!r}: \'a\'}}')
      for key in ('lr', 'wd', 'clip_gradient', 'begin_num_update')],
    *cases('full_division', TypeError, 'yes', None),
]


@pytest.mark.parametrize('wrong, error, message', BOTH + SCRATCH)
def test_a_wrong_argument_of_train_ch7_is_named(capsys, wrong, error, message):
    with pytest.raises(error, match=message):
        scratch(**wrong)
    assert capsys.readouterr().out == ''


@pytest.mark.parametrize('wrong, error, message', BOTH + GLUON)
def test_a_wrong_argument_of_train_gluon_ch7_is_named(capsys, wrong, error, message):
    with pytest.raises(error, match=message):
        gluon(**wrong)
    assert capsys.readouterr().out == ''


def test_an_optimiser_that_cannot_update_a_bias_is_refused():
    with pytest.raises(ValueError, match="Gluon's groupadagrad cannot update a dense parameter"):
        gluon(trainer_name='groupadagrad', trainer_hyperparams={'learning_rate': 0.1})
    with pytest.raises(ValueError, match="'lr'; Gluon calls it 'learning_rate'"):
        gluon(trainer_hyperparams={'lr': 0.1})


def test_the_limits_themselves_pass():
    hyperparams = {'lr': 1e-3, 't': np.int64(1), 'beta1': 0, 'beta2': 0.0, 'eps': np.float32(0)}
    assert scratch(hyperparams=hyperparams, batch_size=np.int32(1), num_epochs=1, seed=0, record_every=1, plot=0,
                   hybridize=np.bool_(True)).losses
    assert gluon(trainer_name='Adam', seed=10 ** 30, full_division=1, labels=Y.astype(np.int64)).losses


@pytest.mark.parametrize('rule', [rule for rule, _ in gb.RULES.values()], ids=gb.RULES)
def test_all_of_our_own_rules_have_ranges(rule):
    with pytest.raises(ValueError, match='first step has t = 1'):
        scratch(trainer_fn=rule, hyperparams={'lr': 0.1, 't': 0})


def test_a_readers_rule_named_adam_is_its_own_master():
    def adam(params, states, hyperparams):
        for p in params:
            p[:] = p - hyperparams['lr'][0](hyperparams['t']) * p.grad
        hyperparams['t'] += 1
    strange = {'lr': [lambda t: 0.1 / (1 + t)], 't': 0, 'beta1': 2, 'eps': 'none'}
    runs = [scratch(trainer_fn=adam, hyperparams=strange, hybridize=hybridize) for hybridize in (False, True)]
    assert runs[0].losses == runs[1].losses and runs[0].losses[-1] < runs[0].losses[0]
    assert runs[0].settings['hyperparams'] == {**strange, 'lr': repr(strange['lr'])}
