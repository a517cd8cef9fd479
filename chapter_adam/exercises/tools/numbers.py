"""Numbers as the facts hold them, and look-ups in lists of them."""
import numpy as np


def rounded(values, figures=5):
    """Floats, or nested lists of them, to so many figures.

    >>> rounded([[2 / 3, 1]], 3)
    [[0.667, 1.0]]
    """
    return [rounded(x, figures) for x in values] if np.ndim(values) else float(f'{values:.{figures}g}')


def above(noise, values):
    """Differences to four figures, but for rounding errors, which differ between processors: those become `noise`."""
    return rounded(np.maximum(values, noise), 4)


def band(values, axis=-1):
    """Median and 5-95 % over the seeds, as facts."""
    return dict(zip(('5 %', 'median', '95 %'), rounded(np.quantile(values, (.05, .5, .95), axis=axis))))


def nearest(values, value):
    """The index of the value nearest to another on a log axis.

    >>> nearest([0.001, 0.01, 0.1], 0.02)
    1
    """
    return int(np.argmin(np.abs(np.log(values) - np.log(value))))


def crossing(x, y):
    """Where y first falls below 0, between two points on a straight line over log x; NaN if nowhere.

    >>> round(crossing([1, 10, 100], [2, 1, -1]), 1)
    31.6
    """
    for a, b, before, after in zip(x, x[1:], y, y[1:]):
        if before >= 0 > after:
            return float(a * (b / a) ** (before / (before - after)))
    return np.nan
