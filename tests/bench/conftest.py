"""No environment is built: all competitors run in this Python."""
import pytest

from chapter_adam.bench import process


@pytest.fixture(autouse=True)
def here(tmp_path_factory, monkeypatch):
    monkeypatch.setattr(process, 'ENVIRONMENTS', tmp_path_factory.getbasetemp() / 'none')
    monkeypatch.setattr(process, 'WARM_UP', 0)
