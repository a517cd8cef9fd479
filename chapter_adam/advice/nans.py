"""Where a nan comes from: the run again, with a look at the result of every operator of its rule."""
from contextlib import contextmanager

import numpy as np

from ..compat import mxnet
from ..core.training import DivergenceError
from ..lazy import NAME_OF
from ..lines import running_line

register, NDArray = mxnet.ndarray.register, mxnet.nd.NDArray
DIVISION = dict.fromkeys(('div', 'rdiv', 'reciprocal'), 'a division by 0')
OF_NAN = {'sqrt': 'the root of a negative number', 'power': 'the root of a negative number', **DIVISION}
OF_INF = {'power': 'a division by 0', **DIVISION}
# What makes an infinity of finite numbers although none of them is large.
AT_ZERO = ('div', 'reciprocal', 'log', 'rsqrt', 'rcbrt', 'power')


class NotFinite(ArithmeticError):
    """An operator has made nan or inf of finite numbers; the message says which one, where."""


def with_origin(error, train):
    """A run's DivergenceError; if its rule made a nan of finite numbers, with the operator and the line that did.

    `train` is the training again, a function of a wrapper for its rule.
    """
    try:
        train(looked_at)
    except NotFinite as origin:
        return DivergenceError(f'{str(error).split(";")[0]}; {origin}')
    except Exception:  # a rule that keeps something of its own may do otherwise this time
        pass
    return error


def looked_at(trainer_fn):
    """The rule, with a look at every result; it raises NotFinite at the first nan or inf made of finite numbers."""
    def rule(*arguments):
        with _looking():
            return trainer_fn(*arguments)
    return rule


@contextmanager
def _looking():
    invoke = register._imperative_invoke

    def look(handle, arrays, keys, values, out, *flags):
        before = all(map(_is_finite, arrays))
        result = invoke(handle, arrays, keys, values, out, *flags)
        if before and isinstance(result, NDArray) and not _is_finite(result):
            name, is_nan = NAME_OF.get(handle, 'an operator'), np.isnan(result.asnumpy()).any()
            if is_nan or name != '_power_scalar' or float(values[0]) < 0:  # else a large number has grown too large
                _raise_with_cause(name, is_nan)
        return result

    register._imperative_invoke = look
    try:
        yield
    finally:
        register._imperative_invoke = invoke


def _is_finite(array):
    return bool(np.isfinite(array.asnumpy()).all())


def _raise_with_cause(operator, is_nan):
    name = operator.replace('broadcast_', '').replace('elemwise_', '').replace('_scalar', '').strip('_')
    if is_nan or any(word in name for word in AT_ZERO):
        cause = (OF_NAN if is_nan else OF_INF).get(name, name)
        raise NotFinite(f'{running_line()}{cause} gives {"nan" if is_nan else "inf"} there')
