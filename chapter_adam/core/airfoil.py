"""The NASA airfoil self-noise data: finds the file, verifies it, parses it, standardises it."""
import hashlib
import math
import os
from pathlib import Path

import numpy as np

from .. import compat

SHA1 = '76e5be1548fd8222e5074cf0faae75edff8cf93f'
NAME = 'airfoil_self_noise.dat'
COLUMNS = ('frequency', 'angle of attack', 'chord length', 'free-stream velocity',
           'displacement thickness', 'sound pressure level')
UNITS = ('Hz', 'deg', 'm', 'm/s', 'm', 'dB')
LARGEST = 256 << 20  # bytes of a data file; /dev/zero has no end


class DataError(ValueError):
    """A data file that is missing, damaged or not of the expected form."""


def packaged_path():
    """Where the data file belongs: inside the installed package, or in `data/` of a clone."""
    package = Path(__file__).resolve().parents[1]
    installed, cloned = package / 'data', package.parent / 'data'
    return (installed if installed.is_dir() else cloned) / NAME


def get_data_ch7(*, n=None, path=None):
    """The data of the book's optimisation chapter, standardised.

    Args:
        n: the number of rows to keep, from the first. None keeps all 1503, as the function behind the section's
            printed losses did; the book's text and later editions (`get_data_ch11`) keep 1500.
        path: another file of six numeric columns separated by white space, the label last.
            None reads the packaged file and verifies its SHA-1.

    Returns:
        (features, labels): float32 NDArrays of shape (N, 5) and (N,). Each column, the label too, has mean 0
        and population standard deviation 1 over all rows of the file; `n` cuts after that.

    Raises:
        DataError (a ValueError): the file is missing, damaged or malformed; says where.
        TypeError, ValueError: `n` is not a whole number from 1 to the file's number of rows; `path` is no path.

    >>> features, labels = get_data_ch7()
    >>> features.shape, labels.shape
    ((1503, 5), (1503,))
    >>> abs(float(labels.mean().asscalar())) < 1e-6
    True
    """
    table = read_table(path)
    from . import checks  # here: `chapter-adam data` needs no MXNet
    n = None if n is None else checks.whole_number('n', n, least=1, most=len(table))
    standard = standardise(table, path or NAME)[:n].astype(np.float32)
    array = compat.mxnet.nd.array
    return array(standard[:, :-1]), array(standard[:, -1])


def read_table(path=None):
    """The six columns as a float64 array of shape (N, 6), in the units of `UNITS`."""
    if path is not None:
        if not isinstance(path, (str, os.PathLike)) or not str(path):
            raise TypeError(f'path must be None or the path of a file, got {path!r}')
        return parse(_read(Path(path), 'check the path'), path)
    path = packaged_path()
    remedy = 'restore it with: chapter-adam data --restore'
    content = _read(path, remedy)
    if (found := sha1(content)) != SHA1:
        raise DataError(f'{path} is damaged: expected SHA-1 {SHA1}, found {found}; {remedy}')
    return parse(content, path)


def parse(content, name):
    """Turns the file's bytes into an array, or names the line and the column that is wrong.

    >>> parse(b'1 2 3 4 5 6\\n7 8 9 9 9 nine', 'mine.dat')
    Traceback (most recent call last):
    chapter_adam.core.airfoil.DataError: mine.dat, line 2, column 6: expected a number, found 'nine'
    """
    try:
        lines = content.decode('ascii').splitlines()
    except UnicodeDecodeError as error:
        line = content[:error.start].count(b'\n') + 1
        raise DataError(f'{name}, line {line}: not a text file of numbers, it has the byte '
                        f'0x{content[error.start]:02x}; save it as plain text without a byte-order mark') from None
    rows = [_parse_line(line.split(), f'{name}, line {number}') for number, line in enumerate(lines, 1) if line.strip()]
    if len(rows) < 2:
        raise DataError(f'{name}: expected at least 2 rows of {len(COLUMNS)} numbers, found {len(rows)}')
    table = np.array(rows)
    for column, values in enumerate(table.T):
        if values.min() == values.max():
            raise DataError(f'{name}, column {column + 1} ({COLUMNS[column]}): all {len(rows)} values are '
                            f'{values[0]:g}; a constant column cannot be standardised')
    return table


def _parse_line(words, where):
    if len(words) != len(COLUMNS):
        raise DataError(f'{where}: expected {len(COLUMNS)} columns, found {len(words)}')
    values = []
    for column, word in enumerate(words, 1):
        try:
            values.append(float(word.replace('_', '?')))  # Python reads 1_000, no other reader of such files does
        except ValueError:
            raise DataError(f'{where}, column {column}: expected a number, found {word[:40]!r}') from None
        if not math.isfinite(values[-1]):
            raise DataError(f'{where}, column {column}: expected a finite number, found {word[:40]!r}')
    return values


def standardise(table, name=NAME):
    """(table - mean) / population standard deviation, column by column, in float64; `name` is for the message.

    >>> standardise(np.array([[1.0, 10.0], [3.0, 30.0]])).tolist()
    [[-1.0, -1.0], [1.0, 1.0]]
    """
    with np.errstate(all='ignore'):
        deviation = table.std(axis=0)
        standard = (table - table.mean(axis=0)) / deviation
    # An infinite deviation makes a column of zeros.
    fine = np.isfinite(deviation) & np.isfinite(standard).all(axis=0)
    if not fine.all():
        column = int(np.argmin(fine))
        raise DataError(f'{name}, column {column + 1} ({COLUMNS[column]}): spans more than float64 can standardise')
    return standard


def least_squares_floor(features, labels):
    """The lowest loss, mean((X w + b - y)^2) / 2, that any w and b reach; solved in float64.

    Args:
        features, labels: arrays of shape (N, d) and (N,), NDArray or NumPy.

    >>> round(least_squares_floor(*get_data_ch7()), 4)
    0.2421
    """
    X, y = (np.asarray(a.asnumpy() if hasattr(a, 'asnumpy') else a, dtype=np.float64) for a in (features, labels))
    A = np.column_stack([X, np.ones(len(X))])
    residual = A @ np.linalg.lstsq(A, y, rcond=None)[0] - y
    return float(np.mean(residual ** 2) / 2)


def sha1(content):
    """The SHA-1 of some bytes: the hash that `d2l.DATA_HUB` registers for this file."""
    return hashlib.sha1(content).hexdigest()


def _read(path, remedy):
    try:
        with open(path, 'rb') as stream:
            content = stream.read(LARGEST + 1)
    except (OSError, ValueError) as error:  # a ValueError: a null byte in the name
        raise DataError(f'cannot read {path}: {getattr(error, "strerror", error)}; {remedy}') from None
    if len(content) > LARGEST:
        raise DataError(f'cannot read {path}: more than {LARGEST >> 20} MiB; {remedy}')
    return content
