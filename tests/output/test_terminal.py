"""What the terminal shows: no escape codes, and progress in a pipe now and then; and where --json goes."""
import io
import os
import sys
from types import SimpleNamespace

import pytest

from chapter_adam.output import report, terminal

CLEAR = '\r\x1b[K'


@pytest.mark.parametrize('text, shown', [
    ('plain \xe9\n', 'plain \xe9\n'), ('\x1b[31mred', r'\x1b[31mred'), ('\udcff', r'\udcff'), ('\u202e', r'\u202e')])
def test_printable(text, shown):
    assert terminal.printable(text) == shown


@pytest.mark.parametrize('terminal_, said', [
    (False, 'gluon: 2.5 of 20 epochs\ngluon: 5 of 20 epochs\n'),
    (True, ''.join(f'\r[{"#" * (n // 2):20}] gluon: {n / 2:g} of 20 epochs\x1b[K' for n in range(13)) + CLEAR)])
def test_progress_is_a_bar_or_in_a_pipe_a_line_now_and_then(monkeypatch, capsys, terminal_, said):
    now = [100.0]
    monkeypatch.setattr(terminal, 'monotonic', lambda: now[0])
    monkeypatch.setattr(sys.stderr, 'isatty', lambda: terminal_, raising=False)
    with terminal.progress('gluon', 20) as watch:
        for second in range(13):
            now[0] = 100 + second
            watch(second / 2, 0.5)
            watch(second / 2, 0.5)
    assert capsys.readouterr().err == said


class Gone(io.StringIO):
    def write(self, _text):
        raise BrokenPipeError


@pytest.mark.parametrize('stream', [None, Gone()], ids=['closed', 'gone'])
def test_progress_that_nobody_reads_ends_nothing(monkeypatch, stream):
    monkeypatch.setattr(terminal, 'PAUSE', 0)
    monkeypatch.setattr(sys, 'stderr', stream)
    with terminal.progress('gluon', 2) as watch:
        watch(1)


def test_json_through_a_link_or_a_pipe_leaves_it_there(tmp_path):
    """As /dev/stdout is one; a file of the same name would be replaced as a whole."""
    link, pipe, file = (tmp_path / name for name in ('link', 'pipe', 'file'))
    link.symlink_to('file')
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    for target in (link, pipe):
        report.Report.end(SimpleNamespace(json=str(target)), {'a': 1})
    assert os.read(reader, 100) == file.read_bytes() == b'{\n  "a": 1\n}\n'
    os.close(reader)
    assert link.is_symlink() and pipe.is_fifo()
