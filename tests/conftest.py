"""What every test may use: the data, once."""
import matplotlib
import pytest

import chapter_adam

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
