"""The gradients that a rule is fed: one stream in which every number of a parameter tells something else.

A rule works on each number by itself, so that one run of a hundred steps is as good as a run for each pattern. The
parameters are the book's, w of shape (d, 1) and b of shape (1,).
"""
from dataclasses import dataclass, replace

import numpy as np


def noisy(scale):
    """Gradients of both signs around a mean, all of one size."""
    return lambda t, noise: scale * noise


def steady(value):
    return lambda t, noise: value + 0 * t


# The first five, which a rule with states for five features sees, tell the most.
PATTERNS = (
    noisy(1), steady(0), noisy(1e-6), steady(1e-8),
    lambda t, noise: np.where(t % 20 == 7, 1e4, 1e-2 * noise),  # now and then a very large one
    *map(noisy, (1e-8, 1e-7, 1e-5, 1e-4, 1e-3, 1e-2, 0.1, 10, 100, 1e4)),
    steady(0.5), steady(-1e-6), steady(1e-4),
    lambda t, noise: (-1.0) ** t, lambda t, noise: 1e-5 * (-1.0) ** t,
    lambda t, noise: np.where(t < 10, 0, noise),  # silent at first
    lambda t, noise: np.where(t == 1, 1, 0.0),  # once and never again
    lambda t, noise: 0.8 ** t * noise, lambda t, noise: np.minimum(1e-6 * 1.2 ** t, 1e4) * noise,
)
BIAS = noisy(0.1)


@dataclass(frozen=True, eq=False)
class Stream:
    """The gradients of all parameters in one row: w's numbers, then b's.

    Attributes:
        gradients: (steps, n), float64 numbers that float32 holds.
        start: (n,), the parameters before the first step; every second number is 0.
        owner: (n,), the index of the parameter that a number belongs to.
        first: the number of the first step.
    """
    gradients: np.ndarray
    start: np.ndarray
    owner: np.ndarray
    first: int = 1

    def split(self, row):
        """A row's numbers of w (d, 1) and of b (1,), in float32."""
        d = int((self.owner == 0).sum())
        return row[:d].reshape(-1, 1).astype(np.float32), row[d:].astype(np.float32)

    def begin(self, steps):
        """The same for the first steps alone."""
        return replace(self, gradients=self.gradients[:steps])


def make_stream(d=len(PATTERNS), steps=60, first=1, seed=0):
    """A stream for d features; more features than patterns repeat them with other noise.

    >>> make_stream(5, steps=3).gradients.shape
    (3, 6)
    """
    noise, t = np.random.default_rng(seed).normal(0.3, 1, (steps, d + 1)), np.arange(1, steps + 1)
    patterns = (*(PATTERNS * (d // len(PATTERNS) + 1))[:d], BIAS)
    columns = [pattern(t, each) for pattern, each in zip(patterns, noise.T)]
    start = np.where(np.arange(d + 1) % 2, 0, np.linspace(-1, 1, d + 1))
    start[-1] = 0
    as_float32 = [np.asarray(array, np.float32).astype(float) for array in (np.transpose(columns), start)]
    return Stream(*as_float32, np.array([0] * d + [1]), first)
