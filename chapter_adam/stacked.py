"""Weights and bias of many runs as one array: half the work, where a rule does the same to both.

Stacked along the features' axis, w (runs, d, 1) and b (runs, 1, 1) are one array (runs, d + 1, 1), and so are their
states: one update does for both what two did. Whether that is the same is read off the rule's trace.
"""
import json

from .compat import mxnet
from .fused import apply
from .nested import leaves

nd, sym = mxnet.nd, mxnet.sym


def stackable(states):
    """Whether w and b have as many states each, so that the k-th of w and the k-th of b can share an array."""
    return not leaves(states) or len(states) == 2 and len(leaves(states[0])) == len(leaves(states[1]))


def stack(arrays):
    """[w, b, states of w, states of b], each (runs, ..., 1), as [parameters, states], each (runs, d + 1, 1)."""
    return [nd.concat(of_w, of_b, dim=1) for of_w, of_b in _pairs(arrays)]


def unstack(arrays, d):
    """What `stack` made one, made two again."""
    halves = [(a[:, :d].copy(), a[:, d:].copy()) for a in arrays]
    return [*halves[0], *(w for w, _ in halves[1:]), *(b for _, b in halves[1:])]


def _pairs(arrays):
    (w, b, *states), half = arrays, len(arrays) // 2 - 1
    return [(w, b), *zip(states[:half], states[half:])]


def alike(step, arrays):
    """Whether a `Trace` over so many arrays (gradients not counted) does to b and its states what it does to w and its.

    Each of b's new values must be the expression of w's, with b, its gradient and its states in the place of w's.
    """
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


def gradient(F, X, y, stacked, n):
    """The gradient of each run's mean loss for its weights and bias in one array, with F = nd or sym.

    Args:
        X: (runs, rows, d + 1), each run's minibatch with a column of ones. y: (runs, rows, 1), its labels.
        stacked: (runs, d + 1, 1), the weights and below them the bias.
        n: what the sum over the minibatch is divided by, its number of rows.
    """
    return F.batch_dot(X, (F.batch_dot(X, stacked) - y) * (1 / n), transpose_a=True)


def one_step(step, arrays, g, numbers):
    """[parameters, states] after a step of a trace that is `alike`: w's expressions, on the stacked arrays."""
    after = apply(step, arrays[:1] * 2, [g] * 2, arrays[1:] * 2, numbers)
    return [after[0], *after[2:1 + len(arrays)]]
