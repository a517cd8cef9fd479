"""A run of milliseconds in an empty folder, and what a command line must end with."""
import re

import numpy as np
import pytest

from chapter_adam.command import cli
from chapter_adam.output import figures


@pytest.fixture
def small(tmp_path, monkeypatch):
    """Options for a run of milliseconds, in an empty folder."""
    monkeypatch.chdir(tmp_path)
    table = np.random.default_rng(0).uniform(1, 9, (30, 6))
    path = tmp_path / 'small.dat'
    path.write_text('\n'.join('\t'.join(f'{x:.4f}' for x in row) for row in table))
    return ['--data', str(path), '--format', 'svg', '--out', 'out']


@pytest.fixture
def undrawn(monkeypatch):
    """Figures are not saved, which takes most of the time of a small run."""
    monkeypatch.setattr(figures, 'save', lambda figure, stem, formats: None)


@pytest.fixture
def fails(capsys):
    """Runs a command line and checks its exit code, and that it says one line that matches."""
    def check(arguments, code, message):
        assert cli.main(arguments) == code
        said = capsys.readouterr().err
        assert re.fullmatch(rf'chapter-adam: .*{message}.*\n', said), said
    return check
