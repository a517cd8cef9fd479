"""What the failure of a rule means: the line of it that failed, and what to do."""
import math
import re
from contextlib import contextmanager
from difflib import get_close_matches

import numpy

from ..compat import mxnet
from ..core.checks import short
from ..lazy import MixesRuns
from ..lines import failed_line
from ..rules import RULES


# What MXNet or Python says where a rule is written as no rule can be, and what to write.
HABITS = {'positional arguments but 3 were given': 'a rule has the form rule(params, states, hyperparams)',
          "'NDArray' object is not callable": 'an array such as p.grad is no function: leave out its brackets',
          'for ^': 'a power is p ** 2',
          'list indices must be integers': 'params is a list: for p, state in zip(params, states)'}


@contextmanager
def explained(name, hyperparams):
    """Says what a rule's failure means where the arguments of the run, or habits from NumPy and PyTorch, are the cause.

    A KeyError for a key that hyperparams lack becomes a ValueError, as MXNet's and an IndexError do; other types stay.
    """
    try:
        yield
    except KeyError as error:
        key = error.args[0] if error.args else None
        if not isinstance(key, str) or key in hyperparams:
            raise
        gluons = "; Gluon's 'learning_rate' is 'lr' here" if 'learning_rate' in hyperparams and key == 'lr' else ''
        raise ValueError(f'hyperparams must hold {key!r}, which {name} reads; '
                         f'got {short(dict(hyperparams))}{gluons}') from error
    except MixesRuns:
        raise
    except (mxnet.base.MXNetError, AttributeError, TypeError, ValueError, IndexError) as error:
        kind = next((kind for kind in (AttributeError, TypeError) if isinstance(error, kind)), ValueError)
        line, reason = failed_line(error), ' '.join(str(error).strip().splitlines()[-1:])
        raise kind(f'{name} failed: {line}{reason}; {advice_on(error, line, reason, hyperparams, name)}') from error


def advice_on(error, line, reason, hyperparams, name=''):
    """What to do about an error that a rule raised at a line, in words without a full stop."""
    if 'mxnet.ndarray.ndarray.NDArray' in reason:
        return 'arrays of mx.np and NDArrays do not mix: make the states with nd.zeros'
    called = [(line.names or {}).get(name) for name in re.findall(r'(?<![\w.])(\w+)(?:\.\w+)*\(', line.text)]
    if any(each is numpy or each is math or isinstance(each, numpy.ufunc) for each in called):
        return 'NumPy and math cannot compute with NDArrays: use nd.sqrt(x) or x.sqrt(), not np.sqrt(x)'
    if any(isinstance(value, numpy.ndarray) for value in hyperparams.values()):
        return 'a value per run takes part in + - * / ** with an array, and in nothing else'
    if 'numpy.ndarray' in reason:
        return 'NumPy arrays and NDArrays do not mix: make the states with nd.zeros'
    texts = [key for key, value in hyperparams.items() if isinstance(value, str)]
    if texts and 'str' in reason:
        return f'hyperparams[{texts[0]!r}] is a text: leave out its quotes'
    for words, advice in HABITS.items():
        if words in reason:
            return advice
    meant = get_close_matches(error.name, dir(error.obj), 1, cutoff=0.7) if getattr(error, 'name', None) else ()
    if meant:
        return f'did you mean {meant[0]!r}?'
    if isinstance(error, AttributeError):
        return 'an NDArray is changed in place, p[:] = ...; is it one, and do its states fit?'
    known = f'; init_{name}_states() makes those of {name}' if name in RULES else ''
    return f'do the states (their number, shapes and types{known}) and hyperparams {short(dict(hyperparams))} fit?'
