"""Where arrays are made lazy: while a block runs, and in `hybridize` for one call of a rule."""
from contextlib import suppress

import numpy as np

from ..compat import DEVICE, mxnet
from ..interrupts import hold_interrupts, whole
from .array import OWNERS, PATCHES, can_be_lazy
from .memory import are_apart
from .record import RECORDER as recorder, MixesRuns

nd, NDArray = mxnet.nd, mxnet.nd.NDArray


def hybridize(trainer_fn):
    """A function that does what a rule does, each call as one graph of MXNet's.

    The rule runs as it stands, at every call; only the arrays in its arguments are lazy while it runs.

    Args:
        trainer_fn: any function of the book's form, trainer_fn(params, states, hyperparams).

    Returns:
        A function of the same form, with the same results. Where a rule does what a graph cannot hold, such as writing
        through a view, it goes on eagerly from there and in later calls, and says so in one warning.

    >>> from chapter_adam import adam, init_adam_states
    >>> w, b = nd.ones((5, 1)), nd.ones(1)
    >>> for p in (w, b):
    ...     p.attach_grad()
    ...     p.grad[:] = 2
    >>> hyperparams = {'lr': 0.25, 't': 1}
    >>> hybridize(adam)([w, b], init_adam_states(), hyperparams)
    >>> round(float(b.asscalar()), 4), hyperparams['t']
    (0.75, 2)
    """
    return trainer_fn if isinstance(trainer_fn, Hybridized) else Hybridized(trainer_fn)


class Hybridized:
    """A rule and whether its laziness has ended; see `hybridize`."""

    def __init__(self, trainer_fn):
        self.trainer_fn, self.has_ended = trainer_fn, False
        self.__name__ = getattr(trainer_fn, '__name__', type(trainer_fn).__name__)
        self.__doc__ = getattr(trainer_fn, '__doc__', None)

    def __call__(self, params, states, hyperparams):
        with DEVICE:
            if self.has_ended or recorder.is_busy:
                return self.trainer_fn(params, states, hyperparams)
            arrays = arrays_in([params, states, hyperparams])
            if not are_apart(arrays):
                return self.trainer_fn(params, states, hyperparams)
            with lazy(arrays):
                recorder.begin('a step')
                result = self.trainer_fn(params, states, hyperparams)
                self.has_ended = recorder.has_ended
                if recorder.is_open:
                    recorder.finish()
            return result


def arrays_in(nested):
    """The NDArrays in nested tuples, lists and dicts that can become lazy, each once."""
    found, seen, todo = {}, set(), [nested]
    while todo:
        value = todo.pop()
        if id(value) in seen:
            continue
        seen.add(id(value))
        if type(value) is NDArray:
            if value.dtype == np.float32 and can_be_lazy(value):
                found[id(value)] = value
        elif isinstance(value, (tuple, list, dict)):
            todo += dict.values(value) if isinstance(value, dict) else value
    return list(found.values())


class lazy:
    """While the block runs, operators on these arrays are written down. See `Recorder.start`."""

    def __init__(self, arrays, shown=None):
        self.arrays, self.shown = arrays, shown

    @whole
    def __enter__(self):
        self.release, self.is_within = hold_interrupts(), recorder.is_open
        if self.is_within:
            recorder.end_laziness('another training begins')
        self.before = {name: vars(owner)[name] for name, owner in OWNERS.items() if name in vars(owner)}
        for name, owner in OWNERS.items():
            setattr(owner, name, PATCHES[name])
        recorder.start(self.arrays, self.shown)

    @whole
    def __exit__(self, *_):
        try:
            if recorder.is_open:
                with suppress(MixesRuns):  # the error that ends an ensemble is another one
                    recorder.finish(None)
        finally:
            recorder.close()
            recorder.has_ended |= self.is_within
            for name, owner in OWNERS.items():
                setattr(owner, name, self.before[name]) if name in self.before else delattr(owner, name)
            self.release()
