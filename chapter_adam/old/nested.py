"""A rule's states: NDArrays, nested as the rule likes in tuples, namedtuples, lists and dicts."""
from collections import OrderedDict, defaultdict
from copy import copy

from ..core.compat import mxnet
from .stand_ins import UntraceableError

NDArray = mxnet.nd.NDArray


def leaves(states):
    """The arrays in states, in order."""
    if isinstance(states, NDArray):
        return [states]
    kind = type(states)
    if kind in (tuple, list) or isinstance(states, tuple) and hasattr(states, '_fields'):
        return [leaf for part in states for leaf in leaves(part)]
    if kind in (dict, OrderedDict, defaultdict):
        return [leaf for part in states.values() for leaf in leaves(part)]
    if states is None:
        return []
    raise UntraceableError('states must hold NDArrays alone, in tuples, lists and dicts, to become part of a graph, '
                           f'got {kind.__name__}; hybridize=False takes them as they are')


def replace_arrays(states, replacements):
    """The same structure with other arrays, taken from the iterator `replacements`."""
    if isinstance(states, NDArray):
        return next(replacements)
    if states is None:
        return None
    parts = states.values() if isinstance(states, dict) else states
    return rebuilt(states, [replace_arrays(part, replacements) for part in parts])


def rebuilt(original, parts):
    """A tuple, namedtuple, list or dict like `original` with other parts (in a dict, other values)."""
    if isinstance(original, dict):
        new = copy(original)
        new.update(zip(original, parts))
        return new
    if isinstance(original, list):
        return list(parts)
    return type(original)(*parts) if hasattr(original, '_fields') else tuple(parts)


def flat(nested):
    """What is in nested tuples, lists and dicts, in order, be it arrays or not."""
    if isinstance(nested, dict):
        nested = tuple(nested.values())
    return [leaf for part in nested for leaf in flat(part)] if isinstance(nested, (tuple, list)) else [
        leaf for leaf in (nested,) if leaf is not None]


def structure(states):
    """What must not change between two calls of one graph: the shapes, and how the states are nested."""
    if isinstance(states, NDArray):
        return states.shape
    if not isinstance(states, (tuple, list, dict)):
        return type(states)
    parts = states.items() if isinstance(states, dict) else enumerate(states)
    return (type(states), *((key, structure(part)) for key, part in parts))
