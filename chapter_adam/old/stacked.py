"""Steps of a traced rule inside larger graphs, and weights and bias as one array: half the work.

Stacked along the features' axis, w (d, 1) and b (1,) are one array (d + 1, 1), and so are their states: one update does
for both what two did. Whether that is the same is read off the rule's trace. Many runs have a first axis more, and lie
in rows: w (runs, d, 1) and b (runs, 1, 1) are (runs, 1, d + 1).
"""
import json
from functools import lru_cache

from ..core.compat import mxnet
from .nested import leaves

nd, sym = mxnet.nd, mxnet.sym

# Operators that work on each number by itself: in a rule of these no run sees another, nor the weights the bias.
# Anything else might reduce or order along an axis, which a longer array would change.
ELEMENTWISE = frozenset('''
    elemwise_add elemwise_sub elemwise_mul elemwise_div broadcast_add broadcast_sub broadcast_mul broadcast_div
    broadcast_mod broadcast_power broadcast_maximum broadcast_minimum broadcast_greater broadcast_greater_equal
    broadcast_lesser broadcast_lesser_equal broadcast_equal broadcast_not_equal _plus_scalar _minus_scalar
    _rminus_scalar _mul_scalar _div_scalar _rdiv_scalar _mod_scalar _rmod_scalar _power_scalar _rpower_scalar
    _maximum_scalar _minimum_scalar _greater_scalar _lesser_scalar _greater_equal_scalar _lesser_equal_scalar
    _equal_scalar _not_equal_scalar negative abs sign round rint fix floor ceil trunc square sqrt rsqrt cbrt
    rcbrt exp expm1 log log10 log2 log1p sin cos tan arcsin arccos arctan degrees radians sinh cosh tanh arcsinh
    arccosh arctanh sigmoid relu softsign hard_sigmoid erf erfinv gamma gammaln smooth_l1 reciprocal logical_not
    broadcast_hypot broadcast_logical_and broadcast_logical_or broadcast_logical_xor add_n zeros_like ones_like _copy
    identity clip where null'''.split())


def apply(step, params, grads, states, numbers):
    """The parameters and states after one step of a `Trace`, as symbols."""
    arrays = [*params, *grads, *states]
    if not step.writes:
        return [*params, *states]
    given = {f'array{i}': arrays[i] for i in step.reads}
    given.update({f'number{i}': number for i, number in enumerate(numbers)})
    used = step.symbol.list_inputs()  # a number may have gone into what the rule has dropped again
    after = step.symbol(**{name: given[name] for name in used})
    for i, at in enumerate(step.writes):
        arrays[at] = after[i]
    return [*arrays[:len(params)], *arrays[len(params) + len(grads):]]


@lru_cache(maxsize=64)
def mixing(step):
    """The first operator in a `Trace` that is not elementwise, or None."""
    nodes = json.loads(step.symbol.tojson())['nodes'] if step.writes else ()
    return next((node['op'] for node in nodes if node['op'] not in ELEMENTWISE), None)


def stackable(states, d):
    """Whether w and b have as many states each, of their shapes: then the k-th of both can share an array."""
    if not leaves(states):
        return True
    of_w, of_b = (leaves(part) for part in states) if len(states) == 2 else ([], [None])
    return len(of_w) == len(of_b) and all(a.shape == (d, 1) for a in of_w) and all(a.shape == (1,) for a in of_b)


def stack(arrays):
    """[w, b, states of w, states of b] as [parameters, states]."""
    return [nd.concat(w, b.reshape((1, 1)), dim=0) for w, b in _pairs(arrays)]


def unstack(arrays, d):
    """What `stack` made one, made two again."""
    return _apart([(_cut(a, 0, 0, d), _cut(a, 0, d, d + 1).reshape((1,))) for a in arrays])


def stack_runs(arrays):
    """`stack` for many runs."""
    return [nd.concat(w, b, dim=1).reshape((0, 1, -1)) for w, b in _pairs(arrays)]


def unstack_runs(arrays, d):
    """`unstack` for many runs."""
    return _apart([(_cut(a, 2, 0, d).reshape((0, -1, 1)), _cut(a, 2, d, d + 1)) for a in arrays])


def _cut(array, axis, begin, end):
    return nd.slice_axis(array, axis=axis, begin=begin, end=end)


def _pairs(arrays):
    (w, b, *states), half = arrays, len(arrays) // 2 - 1
    return [(w, b), *zip(states[:half], states[half:])]


def _apart(pairs):
    return [*pairs[0], *(w for w, _ in pairs[1:]), *(b for _, b in pairs[1:])]


@lru_cache(maxsize=64)
def alike(step, arrays):
    """Whether a `Trace` over so many arrays (gradients not counted) does to b and its states what it does to w and its.

    Each of b's new values must be the expression of w's, with b, its gradient and its states in the place of w's, and
    elementwise: a sum or a softmax over w is another one over both.
    """
    if mixing(step):
        return False
    half = arrays // 2 - 1
    twin = {1: 0, 3: 2, **{4 + half + k: 4 + k for k in range(half)}}
    of_w, of_b = ([i for i in step.writes if (i in twin) == second] for second in (False, True))
    if of_w != [twin[i] for i in of_b]:
        return False
    names = {f'array{b}': f'array{w}' for b, w in twin.items()}
    forms = {i: _form(step.symbol[k], names if i in twin else {}) for k, i in enumerate(step.writes)}
    # In w's own expression a variable of b would have kept its name, in b's none of w's is left but by renaming.
    mixed = any(name in names for i in of_w for _, name, _, _ in forms[i])
    own = {f'array{i}' for i in twin.values()}
    mixed |= any(node[1] in own for k, i in enumerate(step.writes) if i in twin for node in _form(step.symbol[k], {}))
    return not mixed and all(forms[i] == forms[twin[i]] for i in of_b)


def _form(symbol, renamed):
    """An expression without the names of its operators: (operator, variable, attributes, inputs) for each node."""
    return [(node['op'], renamed.get(node['name'], node['name']) if node['op'] == 'null' else '', node.get('attrs'),
             node['inputs']) for node in json.loads(symbol.tojson())['nodes']]


def gradient(X, y, stacked, n):
    """The gradient of the mean loss for weights and bias in one array.

    Args:
        X: (rows, d + 1), a minibatch with a column of ones. y: (rows, 1), its labels.
        stacked: (d + 1, 1), the weights and below them the bias.
        n: what the sum over the minibatch is divided by, its number of rows.
    """
    return sym.dot(X, (sym.dot(X, stacked) - y) * (1 / n), transpose_a=True)


def gradient_of_runs(X, y, stacked, n):
    """The same for many runs: X (runs, rows, d + 1), y (runs, rows) and `stacked` (runs, 1, d + 1).

    With rows for columns, batch_dot has the vector on the left, where it takes three quarters of the time.
    """
    residual = sym.batch_dot(stacked, X, transpose_b=True) - y.expand_dims(axis=1)
    return sym.batch_dot(residual * (1 / n), X)


def one_step(step, arrays, g, numbers):
    """[parameters, states] after a step of a trace that is `alike`: w's expressions, on the stacked arrays."""
    after = apply(step, arrays[:1] * 2, [g] * 2, arrays[1:] * 2, numbers)
    return [after[0], *after[2:1 + len(arrays)]]
