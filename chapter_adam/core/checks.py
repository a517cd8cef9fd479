"""What a caller may pass: each check returns the value in the form the rooms work with, or says what was wrong.

Every message names the argument, the value and what was expected, and is raised before any work is done:
TypeError for a value of the wrong kind, ValueError for one out of range.
"""
import inspect
from copy import copy, deepcopy
from numbers import Integral, Real

import numpy as np

from .compat import mxnet
from ..old.nested import rebuilt


def whole_number(name, value, least):
    """An int of at least `least`; NumPy integers pass, floats and bools do not."""
    if isinstance(value, bool) or not isinstance(value, Integral):
        raise TypeError(f'{name} must be a whole number of at least {least}, got {value!r}')
    if value < least:
        raise ValueError(f'{name} must be a whole number of at least {least}, got {value}')
    return int(value)


def flag(name, value):
    """True or False; NumPy's and 0 and 1 pass."""
    if not isinstance(value, (bool, np.bool_)) and not (isinstance(value, int) and value in (0, 1)):
        raise TypeError(f'{name} must be True or False, got {_short(value)}')
    return bool(value)


def positive_number(name, value):
    """A finite number above 0, also in float32."""
    return _number(name, value, 'a finite number above 0', lambda x: x >= SMALLEST)


# What float32 can hold above 0.
SMALLEST, LARGEST = (float(x) for x in (np.finfo(np.float32).smallest_subnormal, np.finfo(np.float32).max))


def _number(name, value, expected, holds):
    """A number that float32 can hold; a Fraction, say, becomes a float, since an NDArray knows no others."""
    if isinstance(value, bool) or not isinstance(value, Real):
        raise TypeError(f'{name} must be {expected}, got {_short(value)}')
    if not (abs(value) <= LARGEST and holds(value)):
        beyond = 0 < value < SMALLEST or LARGEST < value
        hint = f'; float32 holds {SMALLEST:.1e} to {LARGEST:.1e}' if beyond else ''
        raise ValueError(f'{name} must be {expected}, got {_short(value)}{hint}')
    return value if isinstance(value, (int, float)) else float(value)


def _short(value):
    """A value as a message shows it."""
    text = ' '.join(repr(value).split())
    return text if len(text) <= 80 else f'{text[:60]} ... ({type(value).__name__})'


def _step_count(name, value):
    return _number(name, value, 'a whole number of at least 1 (the first step has t = 1)',
                   lambda t: t >= 1 and t == int(t))


def _decay_rate(name, value):
    return _number(name, value, 'a number from 0 to below 1', lambda beta: 0 <= beta < 1)


def _not_negative(name, value):
    return _number(name, value, 'a finite number of at least 0', lambda x: x == 0 or x >= SMALLEST)


# The names that mean the same in every rule; a reader's own rule may use any others as it likes.
CHECK_OF_HYPERPARAMETER = {
    'lr': positive_number, 'learning_rate': positive_number, 't': _step_count,
    'beta1': _decay_rate, 'beta2': _decay_rate, 'eps': _not_negative, 'epsilon': _not_negative,
}


def hyperparameters(name, values, example="{'lr': 0.01, 't': 1}", rule=None):
    """A copy of the dict, its NumPy scalars as Python numbers, with the well-known names in their ranges.

    A `rule` of the reader's own may count from t = 0 and take a schedule, a function, as its lr.
    """
    if not isinstance(values, dict):
        raise TypeError(f'{name} must be a dict such as {example}, got {_short(values)}')
    checked = copy(values)
    for key, value in values.items():
        # NumPy's scalars would try to multiply an NDArray element by element.
        value = value.item() if isinstance(value, np.generic) else _own(f'{name}[{key!r}]', value)
        check = CHECK_OF_HYPERPARAMETER.get(key)
        if _is_readers(rule) and (key == 't' and type(value) is int and value == 0 or key == 'lr' and callable(value)):
            check = None
        checked[key] = check(f'{name}[{key!r}]', value) if check else value
    return checked


def _is_readers(rule):
    """Whether a rule is neither one of ours nor the book's adam, which divides by 1 - beta1 ** t."""
    return rule is not None and getattr(rule, '__name__', '') != 'adam' and not (
        getattr(rule, '__module__', None) or '').startswith('chapter_adam')


def _own(name, value):
    try:
        return deepcopy(value)
    except Exception as error:  # whatever an object's own way of copying raises
        raise TypeError(f'{name}: a training works on a copy, and this {type(value).__name__} cannot be copied '
                        f'({error})') from None


def hyperparameters_per_run(name, values, runs, rule=None):
    """As `hyperparameters`, but a value may be a sequence, one for each run: it becomes an array (runs, 1, 1).

    A tuple of another length is one value, a rule's (beta1, beta2) for instance.
    """
    if not isinstance(values, dict):
        return hyperparameters(name, values)
    sequences = {key: value for key, value in values.items() if isinstance(value, (list, range, np.ndarray))
                 or isinstance(value, tuple) and (len(value) == runs or key in CHECK_OF_HYPERPARAMETER)}
    checked = hyperparameters(name, {key: value for key, value in values.items() if key not in sequences}, rule=rule)
    for key, sequence in sequences.items():
        if len(sequence) != runs:
            raise ValueError(f'{name}[{key!r}] must be one value, or one for each of the {runs} runs, '
                             f'got {len(sequence)}')
        each = [_one_of(f'{name}[{key!r}]', hyperparameters(name, {key: value}, rule=rule)[key]) for value in sequence]
        checked[key] = np.array(each, dtype=np.float64).reshape(runs, 1, 1)
    return {key: checked[key] for key in values}


def _one_of(name, value):
    """One run's value: an array of them can hold numbers alone."""
    if isinstance(value, bool) or not isinstance(value, Real):
        raise TypeError(f'{name}: of a sequence with one value per run each must be a number, got {_short(value)}')
    return value


def seeds(values):
    """A tuple of seeds, each a whole number of at least 0; at least one."""
    try:
        values = tuple(values)
    except TypeError:
        raise TypeError('seeds must be a sequence of whole numbers such as range(1000), '
                        f'got {_short(values)}') from None
    if not values:
        raise ValueError('seeds must hold at least one seed, got none')
    return tuple(whole_number('seeds', value, least=0) for value in values)


# Gluon's optimisers that look at a parameter as a whole (its norm, its rows), or draw at random.
MIX_NUMBERS = ('groupadagrad', 'lamb', 'lars', 'lbsgd', 'sgld')


def gluon_optimizer(name, values):
    """The hyperparameters for `gluon.Trainer(..., name, values)`, if MXNet has that optimiser and it takes them."""
    known = {key: value for key, value in mxnet.optimizer.Optimizer.opt_registry.items() if key != 'test'}
    if not isinstance(name, str):
        raise TypeError(f"trainer_name must be the name of a Gluon optimiser such as 'adam', got {name!r}")
    if name.lower() not in known:
        names = ', '.join(sorted(known))
        raise ValueError(f'trainer_name must be one of {names}, got {name!r}')
    values = hyperparameters('trainer_hyperparams', values, example="{'learning_rate': 0.01}")
    accepted = _keywords(known[name.lower()])
    for key in values:
        if key not in accepted:
            raise ValueError(f'trainer_hyperparams: Gluon\'s {name} takes {", ".join(sorted(accepted))}, got {key!r}')
    try:
        _try_optimizer(name, deepcopy(values))
    except Exception as error:  # whatever the optimiser's own checks raise, an AssertionError without text included
        raise ValueError(f'trainer_hyperparams: Gluon\'s {name} cannot update a dense parameter with {values}: '
                         f'{" ".join(str(error).split()[-20:]) or type(error).__name__}') from None
    return values


def _try_optimizer(name, values):
    """One update of a parameter of no use: some optimisers look at their arguments no earlier."""
    optimizer, (weight, grad) = mxnet.optimizer.create(name, **values), mxnet.nd.zeros((2, 1))
    optimizer.update(0, weight, grad, optimizer.create_state(0, weight))
    weight.wait_to_read()


def _keywords(optimizer_class):
    """The keywords of an optimiser's constructor, those it passes on to its base classes included."""
    constructors = (base.__init__ for base in optimizer_class.__mro__[:-1] if '__init__' in vars(base))
    parameters = (p for init in constructors for p in inspect.signature(init).parameters.values())
    return {p.name for p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD} - {'self', *GIVEN_BY_TRAINER}


# What gluon.Trainer passes to an optimiser itself, or would if its model were a symbol.
GIVEN_BY_TRAINER = ('param_dict', 'param_idx2name', 'sym')


def callable_rule(trainer_fn):
    """A function of the book's form trainer_fn(params, states, hyperparams)."""
    if not callable(trainer_fn):
        raise TypeError(f'trainer_fn must be a function of (params, states, hyperparams), got {_short(trainer_fn)}')
    return trainer_fn


def seed(value):
    """None, for fresh entropy, or a whole number of at least 0."""
    return None if value is None else whole_number('seed', value, least=0)


def data(features, labels):
    """Features (N, d) and labels (N,) as float32 NumPy arrays; NDArrays and anything NumPy understands pass."""
    X, y = _finite_array('features', features, rank=2), _finite_array('labels', labels, rank=1)
    if len(X) != len(y):
        raise ValueError(f'features and labels must have the same number of rows, got {len(X)} and {len(y)}')
    return X, y


def _finite_array(name, values, rank):
    shape = '(N, d)' if rank == 2 else '(N,)'
    try:
        array = values.asnumpy() if isinstance(values, mxnet.nd.NDArray) else np.asarray(values)
        if array.dtype.kind not in 'biufO':  # NumPy would read the text '1.5' and a date, and drop an imaginary part
            raise TypeError
        with np.errstate(over='ignore'):  # NumPy >= 1.24 warns; what overflows is refused below
            array = array.astype(np.float32)
    except (TypeError, ValueError):
        kind = f'an ndarray of {values.dtype}' if isinstance(values, np.ndarray) else type(values).__name__
        raise TypeError(f'{name} must be an array of numbers of shape {shape}, got {kind}') from None
    if np.ma.is_masked(values):
        raise ValueError(f'{name} must not have masked entries; drop or fill their rows')
    if array.ndim != rank or 0 in array.shape:
        raise ValueError(f'{name} must be of shape {shape} with at least one row, got {array.shape}')
    if not np.isfinite(array).all():
        place = tuple(int(i) for i in np.argwhere(~np.isfinite(array))[0])
        raise ValueError(f'{name} must be finite in float32, got {array[place]} at {place}')
    return array


def states(values, shapes):
    """Copies of a rule's states: one entry a parameter; None and empty stay, for a rule without states.

    Args:
        values: None, or a sequence with one entry per parameter: an NDArray of the parameter's shape (or of one
            element, for a rule that keeps one number a parameter), or tuples, lists and dicts of such.
        shapes: the parameters' shapes, for instance ((5, 1), (1,)).
    """
    if values is None:
        return None
    if not isinstance(values, (tuple, list)):
        raise TypeError(f'states must be a tuple with one entry per parameter, got {type(values).__name__}')
    if values and len(values) != len(shapes):
        raise ValueError(f'states must have one entry per parameter ({len(shapes)}: w and b), got {len(values)}')
    return rebuilt(values, [_state(entry, shape, f'states[{k}]')
                            for k, (entry, shape) in enumerate(zip(values, shapes))])


def _state(entry, shape, name):
    if isinstance(entry, mxnet.nd.NDArray):
        if entry.shape != shape and entry.size != 1:
            raise ValueError(f'{name} must have the shape of its parameter, {shape}, got {entry.shape}')
        return entry.copy()
    if isinstance(entry, (tuple, list)):
        return rebuilt(entry, [_state(part, shape, f'{name}[{k}]') for k, part in enumerate(entry)])
    if isinstance(entry, dict):
        return rebuilt(entry, [_state(part, shape, f'{name}[{key!r}]') for key, part in entry.items()])
    if isinstance(entry, Real):
        return entry
    raise TypeError(f'{name} must be an NDArray or a tuple of NDArrays, got {type(entry).__name__}')
