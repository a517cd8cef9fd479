"""What every test may use: the data, once; and a Ctrl-C that works."""
import os
import signal

os.environ.setdefault('OMP_NUM_THREADS', '1')  # two workers of two threads each are slower than of one

import matplotlib  # noqa: E402
import pytest  # noqa: E402

import chapter_adam  # noqa: E402
from chapter_adam.compat import mxnet  # noqa: E402, F401  before a test's own import

matplotlib.use('Agg')  # no window, wherever the tests run


@pytest.fixture(scope='session')
def airfoil():
    """The book's data: features (1503, 5), labels (1503,)."""
    return chapter_adam.get_data_ch7()


@pytest.fixture(scope='session')
def airfoil_arrays(airfoil):
    """The same as float32 NumPy arrays."""
    features, labels = airfoil
    return features.asnumpy(), labels.asnumpy()


@pytest.fixture
def ctrl_c():
    """Ctrl-C as in a shell, for this process and those it starts, even where the suite runs with it ignored.

    A script's `&` and its `trap '' INT` ignore SIGINT, and every process that is started from there inherits that.
    """
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)
