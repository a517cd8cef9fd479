"""The data: the file itself, what is made of it, and what is said about a bad one."""
import hashlib
import re

import numpy as np
import pytest

from chapter_adam import get_data_ch7
from chapter_adam.core import airfoil

ROWS = 12


def rows():
    """Twelve well-formed lines; no column is constant."""
    table = np.random.default_rng(0).uniform(1, 9, (ROWS, 6))
    return ['\t'.join(f'{x:.6f}' for x in row).encode() for row in table]


def with_line(number, line):
    """The same with another line at `number`, counted from 1."""
    return b'\r\n'.join([*rows()[:number - 1], line, *rows()[number:]])


@pytest.fixture
def data_file(tmp_path):
    """Writes bytes to a file and returns its path."""
    def write(content):
        path = tmp_path / 'own.dat'
        path.write_bytes(content)
        return path
    return write


@pytest.fixture
def lost(tmp_path, monkeypatch):
    """Where the packaged file belongs, in a place that the test may spoil; nothing is there yet."""
    path = tmp_path / 'data' / airfoil.NAME
    path.parent.mkdir()
    monkeypatch.setattr(airfoil, 'packaged_path', lambda: path)
    return path


@pytest.fixture(scope='module')
def content():
    return airfoil.packaged_path().read_bytes()


def test_its_hash_is_the_one_that_d2l_registers():
    from d2l.mxnet import DATA_HUB
    assert DATA_HUB['airfoil'][1] == airfoil.SHA1


def test_columns_have_the_published_ranges():
    table = airfoil.read_table()
    assert table.min(axis=0).tolist() == [200, 0, 0.0254, 31.7, 0.000400682, 103.38]
    assert table.max(axis=0).tolist() == [20000, 22.2, 0.3048, 71.3, 0.0584113, 140.987]


def test_every_column_is_standardised_as_numpy_does_it(airfoil_arrays):
    table = np.loadtxt(airfoil.packaged_path())
    expected = (table - np.mean(table, axis=0)) / np.std(table, axis=0, ddof=0)
    assert {each.dtype for each in airfoil_arrays} == {np.dtype('float32')}  # 7 digits of numbers below 6
    assert np.column_stack(airfoil_arrays) == pytest.approx(expected, abs=1e-6)


def test_the_cut_comes_after_the_standardisation(airfoil_arrays):
    features, labels = (a.asnumpy() for a in get_data_ch7(n=1500))
    assert (features == airfoil_arrays[0][:1500]).all() and (labels == airfoil_arrays[1][:1500]).all()
    assert abs(features.mean(axis=0)).max() > 1e-4  # so it was not standardised over these 1500


@pytest.mark.parametrize('n, floor', [(1503, 0.242145), (1500, 0.241688)])
def test_least_squares_floor_is_the_published_one(n, floor):
    assert round(airfoil.least_squares_floor(*get_data_ch7(n=n)), 6) == floor


@pytest.mark.parametrize('n, bound', [(0, 'least 1'), (1504, 'most 1503'), (2.5, 'least 1')])
def test_wrong_n(n, bound):
    with pytest.raises((TypeError, ValueError), match=f'n must be a whole number of at {bound}, got {n}'):
        get_data_ch7(n=n)


@pytest.mark.parametrize('content', [
    pytest.param(b'\n\n' + b'\n \n'.join(rows()) + b'\n\n', id='blank lines'),
    pytest.param(b'\n'.join(line.replace(b'\t', b'   ') for line in rows()), id='spaces'),
])
def test_another_file_of_the_same_form(data_file, content):
    features, labels = get_data_ch7(path=data_file(content))
    table = np.array([line.split() for line in rows()], float)
    assert np.column_stack([features.asnumpy(), labels.asnumpy()]) == pytest.approx(
        (table - table.mean(axis=0)) / table.std(axis=0), abs=1e-6)


@pytest.mark.parametrize('content, complaint', [
    pytest.param(b'', r': expected at least 2 rows of 6 numbers, found 0', id='empty'),
    pytest.param(with_line(3, b'1\t2\t3'), r', line 3: expected 6 columns, found 3', id='truncated row'),
    pytest.param(with_line(5, b'1 2 3 4,5 5 6'), r", line 5, column 4: .* found '4,5'", id='decimal comma'),
    pytest.param(with_line(4, b'1_000 2 3 4 5 6'), r", line 4, column 1: .* found '1_000'", id='underscore'),
    pytest.param(with_line(4, b'1 nan 3 4 5 6'), r", line 4, column 2: expected a finite .* 'nan'", id='nan'),
    pytest.param(b'\n'.join(b'7 ' + line.split(b'\t', 1)[1] for line in rows()),
                 rf', column 1 \(frequency\): all {ROWS} values are 7', id='constant column'),
    pytest.param(with_line(3, b'\x89PNG\xff\x00'), r', line 3: not a text file', id='binary'),
    pytest.param(with_line(3, b'1 2 3 4 5 ' + b'9' * 5000 + b'x'), r", line 3, column 6: .{,90}$", id='endless word'),
])
def test_a_bad_file_is_named_with_line_and_column(data_file, content, complaint):
    path = data_file(content)
    with pytest.raises(airfoil.DataError, match=re.escape(str(path)) + complaint):
        get_data_ch7(path=path)


@pytest.mark.parametrize('column', [[1e-300, 2e-300], [-1e308, 1], [1e300, 1]], ids=str)
def test_a_spread_beyond_float64_is_an_error_and_no_warning(column):
    """An overflowing deviation is infinite, and dividing by it would give a column of zeros."""
    with pytest.raises(airfoil.DataError, match=r'own.dat, column 2 \(angle of attack\): spans more than float64'):
        airfoil.standardise(np.transpose([[1, 2], column]), 'own.dat')


@pytest.mark.parametrize('name, reason', [('absent', 'No such file or directory'), ('a\0b', '.*null byte')],
                         ids=['missing', 'null byte'])
def test_a_path_that_cannot_be_read(tmp_path, name, reason):
    with pytest.raises(airfoil.DataError, match=rf'cannot read {re.escape(str(tmp_path / name))}: {reason}'):
        get_data_ch7(path=tmp_path / name)


@pytest.mark.parametrize('path', [3, ''], ids=repr)
def test_what_is_no_path(path):
    with pytest.raises(TypeError, match='path must be None or the path of a file, got '):
        get_data_ch7(path=path)


def test_a_lost_packaged_file(lost):
    with pytest.raises(airfoil.DataError, match='No such file .*restore it with: chapter-adam data --restore'):
        get_data_ch7()


def test_one_changed_byte_is_noticed(lost, content):
    damaged = content.replace(b'126.201', b'126.202', 1)
    lost.write_bytes(damaged)
    complaint = (f'{re.escape(str(lost))} is damaged: expected SHA-1 {airfoil.SHA1}, '
                 f'found {hashlib.sha1(damaged).hexdigest()}; restore it with: chapter-adam data --restore')
    with pytest.raises(airfoil.DataError, match=complaint):
        get_data_ch7()


def test_a_file_without_end(data_file, monkeypatch):
    monkeypatch.setattr(airfoil, 'LARGEST', 10)
    with pytest.raises(airfoil.DataError, match='cannot read .*: more than'):
        get_data_ch7(path=data_file(99 * b'1 '))
