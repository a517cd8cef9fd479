"""Numbers as the facts hold them, and what sentences and panels look up in lists of them."""
import numpy as np


def rounded(values, figures=6, noise=0.0):
    """Plain floats, or nested lists of them, to so many figures: six are more than the seeds can tell.

    Of what is no larger than `noise`, rounding error, only the first figure is kept: another machine's may be another.

    >>> rounded([[2 / 3, 1e-15 / 3]], noise=1e-12)
    [[0.666667, 3e-16]]
    """
    if np.ndim(values):
        return [rounded(x, figures, noise) for x in values]
    return float(f'{values:.{figures if abs(values) > noise else 1}g}')


def band(values, axis=-1):
    """Median and 5-95 % along an axis, that of the seeds, as facts."""
    return dict(zip(('5 %', 'median', '95 %'), rounded(np.quantile(values, (.05, .5, .95), axis=axis))))


def nearest(values, value):
    """Where the value nearest to another is in a list, on a log axis.

    >>> nearest([0.001, 0.01, 0.1], 0.02)
    1
    """
    return int(np.argmin(np.abs(np.log(values) - np.log(value))))


def crossing(x, y):
    """Where y falls below 0, by a straight line between two points over a log axis of x; None if nowhere.

    >>> round(crossing([1, 10, 100], [2, 1, -1]), 1)
    31.6
    """
    for k in range(len(x) - 1):
        if y[k] >= 0 > y[k + 1]:
            return float(x[k] * (x[k + 1] / x[k]) ** (y[k] / (y[k] - y[k + 1])))
    return None


def percent(part, decimals=1):
    """A part of 1, as a sentence says it.

    >>> percent(0.125)
    '12.5 %'
    """
    return f'{100 * part:.{decimals}f} %'
