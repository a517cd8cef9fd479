"""What is checked: the data, the counts, Gluon's optimiser. Each check returns the value in the form that is used.

Every message names the argument, the value and what was expected, and is raised before any work is done: TypeError for
a value of the wrong kind, ValueError for one out of range.
"""
from copy import deepcopy
from numbers import Integral, Real

import numpy as np

from ..compat import mxnet


def whole_number(name, value, least, most=None):
    """An int of at least `least`; NumPy integers pass, floats and bools do not."""
    if isinstance(value, bool) or not isinstance(value, Integral):
        raise TypeError(f'{name} must be a whole number of at least {least}, got {short(value)}')
    if value < least:
        raise ValueError(f'{name} must be a whole number of at least {least}, got {value}')
    if most is not None and value > most:
        raise ValueError(f'{name} must be a whole number of at most {most}, got {value}')
    return int(value)


def flag(name, value):
    """True or False; NumPy's and 0 and 1 pass."""
    if not isinstance(value, (bool, np.bool_)) and not (isinstance(value, int) and value in (0, 1)):
        raise TypeError(f'{name} must be True or False, got {short(value)}')
    return bool(value)


def short(value):
    """A value as a message shows it."""
    text = ' '.join(repr(value).split())
    return text if len(text) <= 80 else f'{text[:60]} ... ({type(value).__name__})'


def plain(value):
    """A hyperparameter as JSON holds it: a number or text as it is, anything else as text."""
    value = value.item() if isinstance(value, np.generic) else value
    return value if isinstance(value, (str, int)) or isinstance(value, float) and np.isfinite(value) else repr(value)


def training(features, labels, batch_size, num_epochs, record_every):
    """The arguments of every training: data, a batch size of at most all rows, epochs, and how often to record."""
    features, labels = data(features, labels)
    batch_size = min(whole_number('batch_size', batch_size, least=1), len(labels))
    num_epochs = whole_number('num_epochs', num_epochs, least=1)
    if record_every is not None:
        record_every = whole_number('record_every', record_every, least=1)
    return features, labels, batch_size, num_epochs, record_every


def rule(trainer_fn):
    """A function of the book's form trainer_fn(params, states, hyperparams)."""
    if not callable(trainer_fn):
        raise TypeError(f'trainer_fn must be a function of (params, states, hyperparams), got {short(trainer_fn)}')
    return trainer_fn


def watch(value):
    """None, or a function that is told the progress."""
    if value is not None and not callable(value):
        raise TypeError(f'watch must be a function or None, got {short(value)}')
    return value


def seed(value):
    """None, for fresh entropy, or a whole number of at least 0."""
    return None if value is None else whole_number('seed', value, least=0)


def seeds(values):
    """A tuple of seeds, each a whole number of at least 0; at least one."""
    try:
        values = tuple(values)
    except TypeError:
        raise TypeError(f'seeds must be a sequence of whole numbers such as range(1000), got {short(values)}') from None
    if not values:
        raise ValueError('seeds must hold at least one seed, got none')
    return tuple(whole_number('seeds', value, least=0) for value in values)


def copies(states, hyperparams):
    """Copies of a rule's states and dict, in which what was one object stays one; what cannot be copied is shared."""
    if not isinstance(hyperparams, dict):
        raise TypeError(f"hyperparams must be a dict such as {{'lr': 0.01, 't': 1}}, got {short(hyperparams)}")
    try:
        return deepcopy((states, hyperparams))
    except Exception:  # whatever an object's own way of copying raises; a generator has none
        return states, dict(hyperparams)


# float32 holds numbers from about 1e-45 to 3e38.
RANGES = {'lr': ('a finite number above 0', lambda x: 1.4e-45 <= x <= 3.4e38),
          't': ('a whole number of at least 1 (the first step has t = 1)', lambda t: 1 <= t < 3.4e38 and t == int(t)),
          'beta1': ('a number from 0 to below 1', lambda beta: 0 <= beta < 1),
          'beta2': ('a number from 0 to below 1', lambda beta: 0 <= beta < 1),
          'eps': ('a finite number of at least 0', lambda x: x == 0 or 1.4e-45 <= x <= 3.4e38)}


def ranges(hyperparams):
    """Checks the hyperparameters of one of this package's own rules; a value may be an array, one number per run."""
    for key in RANGES.keys() & hyperparams.keys():
        expected, holds = RANGES[key]
        values = hyperparams[key]
        values = values.asnumpy() if isinstance(values, mxnet.nd.NDArray) else values
        for value in np.ravel(values) if isinstance(values, np.ndarray) else [values]:
            if isinstance(value, bool) or not isinstance(value, (Real, np.generic)):
                raise TypeError(f'hyperparams[{key!r}] must be {expected}, got {short(value)}')
            if not holds(value):
                raise ValueError(f'hyperparams[{key!r}] must be {expected}, got {short(value)}')


def gluon_optimizer(name, values):
    """The name of a Gluon optimiser, and one of our own that has proved to work; `name` may be an optimiser itself."""
    known = sorted(set(mxnet.optimizer.Optimizer.opt_registry) - {'test'})
    if isinstance(name, mxnet.optimizer.Optimizer):
        if values:
            raise ValueError(f'trainer_hyperparams must be {{}} beside an optimiser with its own, got {short(values)}')
        return type(name).__name__.lower(), deepcopy(name)
    if not isinstance(name, str):
        raise TypeError(f"trainer_name must be a Gluon optimiser or the name of one such as 'adam', got {short(name)}")
    if name.lower() not in known:
        raise ValueError(f'trainer_name must be one of {", ".join(known)}, got {name!r}')
    if not isinstance(values, dict):
        raise TypeError(f"trainer_hyperparams must be a dict such as {{'learning_rate': 0.01}}, got {short(values)}")
    try:  # some optimisers look at their arguments no earlier than in an update
        optimizer, (weight, grad) = mxnet.optimizer.create(name, **deepcopy(values)), mxnet.nd.zeros((2, 1))
        optimizer.update(0, weight, grad, optimizer.create_state(0, weight))
        weight.wait_to_read()
    except Exception as error:  # whatever the optimiser's own checks raise, an AssertionError without text included
        reason = ' '.join(str(error).split()[-20:]) or type(error).__name__
        raise ValueError(f"trainer_hyperparams: Gluon's {name} cannot update a dense parameter with {short(values)}: "
                         f'{reason}' + ("; Gluon calls it 'learning_rate'" if 'lr' in values else '')) from None
    return name, mxnet.optimizer.create(name, **deepcopy(values))


def data(features, labels):
    """Features (N, d) and labels (N,) as float32 NumPy arrays; NDArrays, labels (N, 1) and what NumPy reads pass."""
    X, y = _float32('features', features, '(N, d)'), _float32('labels', labels, '(N,)')
    y = y[:, 0] if y.ndim == 2 and y.shape[1] == 1 else y
    for name, array, rank, shape in (('features', X, 2, '(N, d)'), ('labels', y, 1, '(N,)')):
        if array.ndim != rank or 0 in array.shape:
            raise ValueError(f'{name} must be of shape {shape} with at least one row, got {array.shape}')
        if not np.isfinite(array).all():
            at = tuple(int(i) for i in np.argwhere(~np.isfinite(array))[0])
            raise ValueError(f'{name} must be finite in float32, got {array[at]} at {at}')
    if len(X) != len(y):
        raise ValueError(f'features and labels must have the same number of rows, got {len(X)} and {len(y)}')
    return X, y


def _float32(name, values, shape):
    try:
        array = values.asnumpy() if isinstance(values, mxnet.nd.NDArray) else np.asarray(values)
        if array.dtype.kind not in 'biufO':  # NumPy would read the text '1.5' and a date, and drop an imaginary part
            raise TypeError
        with np.errstate(over='ignore'):  # NumPy >= 1.24 warns; what overflows is refused
            array = array.astype(np.float32)
    except (TypeError, ValueError):
        kind = f'an ndarray of {values.dtype}' if isinstance(values, np.ndarray) else type(values).__name__
        raise TypeError(f'{name} must be an array of numbers of shape {shape}, got {kind}') from None
    if np.ma.is_masked(values):
        raise ValueError(f'{name} must not have masked entries; drop or fill their rows')
    return array
