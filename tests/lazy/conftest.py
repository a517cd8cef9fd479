"""What the tests of lazy arrays share."""
import pytest


@pytest.fixture(scope='session')
def few_rows(airfoil_arrays):
    """The first 103 rows: ten minibatches of ten and one of three."""
    return [array[:103] for array in airfoil_arrays]


@pytest.fixture(autouse=True)
def soon(monkeypatch):
    """A path is worth a graph when it comes again: these trainings are short."""
    monkeypatch.setattr('chapter_adam.lazy.record.WORTH_A_GRAPH', 2)
