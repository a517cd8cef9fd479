"""The command line: every failure and every signal is one clear line and the right exit code."""
import contextlib
import errno
import io
import os
import signal
import subprocess
import sys
import threading

import outside
import pytest

import chapter_adam
from chapter_adam.command import cli, parser, section
from chapter_adam.output import files

KEPT = 'interrupted; what was finished before is kept'


def names(folder):
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize('command', ['', *parser.COMMANDS])
def test_help(capsys, command):
    assert cli.main([*command.split(), '--help']) == 0
    shown = capsys.readouterr().out
    assert shown.startswith(f'usage: chapter-adam {command}')
    assert command or all(word in shown for word in (*parser.COMMANDS, '130', '143', '129'))
    assert cli.main(['--version']) == 0
    assert capsys.readouterr().out == f'chapter-adam {chapter_adam.__version__}\n'


@pytest.mark.parametrize('line, cause', [
    ('--lr 0', "argument --lr: expected a finite number above 0, got '0'"),
    ('--lr nan', "above 0, got 'nan'"),
    ('--lr 1_0', "above 0, got '1_0'"),
    ('--epochs 0', "argument --epochs: expected a whole number from 1 to 100000, got '0'"),
    ('--epochs=--', "argument --epochs: expected a value, got '--'"),
    ('--batch-size 2.5', "argument --batch-size: expected a whole number from 1 to 1000000, got '2.5'"),
    ('--seed -1', "argument --seed: expected a whole number from 0 to 4294967295, got '-1'"),
    ('choices --first-seed 4294967296', 'from 0 to 4294967295, got'),
    ('exercise', 'expected an exercise (bias-correction, '),
    ('bench --runs 3', '--runs is for --many'),
    ('bench --only walk', "no competitor is called 'walk'; there are"),
    ('--format gif', "argument --format: expected svg, png or svg,png, got 'gif'"),
    ('--out', 'argument --out: expected one argument'),
    ('--out=', "argument --out: expected a path, got ''"),
    ('walk', "argument COMMAND: invalid choice: 'walk'"),
    ('run \x1b[31m', r'unrecognized argument: \x1b[31m'),
    ('data --restore --data x', '--restore is for the packaged file'),
])
def test_wrong_usage_ends_with_2(tmp_path, monkeypatch, capsys, line, cause):
    monkeypatch.chdir(tmp_path)
    assert cli.main(line.split(' ')) == 2
    out, err = capsys.readouterr()
    assert out == '' and cause in err.splitlines()[-1] and 'Traceback' not in err and '\x1b' not in err
    assert names(tmp_path) == []


@pytest.mark.parametrize('options, message', [
    ('--out small.dat', 'cannot write small.dat: exists and is not a folder'),
    ('--json small.dat/x.json', 'cannot write .*small.dat: exists and is not a folder'),
    ('--json new', '--json new is a folder'),
    ('--json data-link', '--json data-link is the data file'),
    ('--json out/scratch.json', 'the command writes a file of this name itself'),
    ('--data no\x1bsuch', r'cannot read no\\x1bsuch'),
    ('--lr 1e30', 'the run diverged: the loss is'),
])
def test_what_cannot_work_ends_with_1_before_the_run(small, undrawn, tmp_path, fails, monkeypatch, options, message):
    (tmp_path / 'data-link').symlink_to('small.dat')
    (tmp_path / 'new').mkdir()
    before = (tmp_path / 'small.dat').read_bytes()
    if '--lr' not in options:
        monkeypatch.setattr(section, 'run_scratch', lambda *_args, **_options: pytest.fail('too late'))
    fails([*small, *options.split(' ')], 1, message)
    assert (tmp_path / 'small.dat').read_bytes() == before
    assert not (tmp_path / 'out').exists() or names(tmp_path / 'out') == []


def raises(error):
    def run(_options=None):
        raise error
    return run


@pytest.mark.parametrize('error, message', [
    (MemoryError('cannot take 9 GiB'), 'out of memory: cannot take 9 GiB; ask for less'),
    (RuntimeError('Traceback:\n  File "engine.cc"\nthe engine stopped'), 'RuntimeError: the engine stopped'),
    (ImportError('MXNet is not installed'), 'MXNet is not installed'),
    (ZeroDivisionError(), 'ZeroDivisionError'),
    (ValueError('two\nlines\x1b[31m'), r'two lines\\x1b\[31m'),
], ids=repr)
def test_a_failure_is_one_line(monkeypatch, fails, error, message):
    monkeypatch.setattr(section, 'run', raises(error))
    fails([], 1, message)


class FullDisk(io.FileIO):
    def write(self, _data):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.mark.parametrize('action, code, message', [
    (raises(KeyboardInterrupt()), 130, KEPT),
    (lambda patch: patch.setattr(files, 'open', FullDisk, raising=False), 1,
     'cannot write .*out/gluon.json: No space left on device')], ids=['Ctrl-C', 'full disk'])
def test_a_run_that_ends_early_keeps_what_is_finished(small, tmp_path, monkeypatch, fails, action, code, message):
    original = section.run_gluon

    def run_gluon(*args, **options):
        action(monkeypatch)
        return original(*args, **options)
    monkeypatch.setattr(section, 'run_gluon', run_gluon)
    (tmp_path / 'out').mkdir()
    (tmp_path / 'out' / 'gluon.json').write_text('old')
    fails(small, code, message)
    assert names(tmp_path / 'out') == ['gluon.json', 'scratch.json', 'scratch.svg']
    assert (tmp_path / 'out' / 'gluon.json').read_text() == 'old'
    assert (tmp_path / 'out' / 'scratch.svg').read_text().rstrip().endswith('</svg>')


# Signals


class Last:
    """Its end is struck, as that of an NDArray may be: Python prints such an exception and drops it."""

    def __del__(self):
        signal.raise_signal(self.number)


def in_a_destructor(number):
    last = Last()
    last.number = number
    del last
    signal.sigtimedwait([], 20)  # ends with the second signal


def swallowed(number):
    with contextlib.suppress(BaseException):
        signal.raise_signal(number)


def taken_for_another(number):
    try:
        signal.raise_signal(number)
    except BaseException:
        raise ImportError('numpy could not import datetime') from None


@pytest.fixture
def defaults():
    """The handlers that a shell's process has."""
    before = {each: signal.signal(each, default) for each, default in cli.SIGNALS.items()}
    yield
    for each, handler in before.items():
        signal.signal(each, handler)


@pytest.mark.parametrize('strike', [signal.raise_signal, in_a_destructor, swallowed, taken_for_another])
@pytest.mark.parametrize('number, said', [
    (signal.SIGINT, f'chapter-adam: {KEPT}\n'), (signal.SIGTERM, ''), (signal.SIGHUP, '')], ids=['INT', 'TERM', 'HUP'])
def test_a_signal_is_never_lost(tmp_path, monkeypatch, capsys, defaults, number, said, strike):
    def run(_options):
        with files.whole_file(tmp_path / 'result'):
            strike(number)
    monkeypatch.setattr(section, 'run', run)
    assert cli.main([]) == 128 + number and capsys.readouterr().err == said
    assert all(signal.getsignal(each) is default for each, default in cli.SIGNALS.items())
    assert names(tmp_path) == (['result'] if strike is swallowed else [])


def test_a_signal_that_strikes_while_a_lost_one_is_sent_again_says_nothing(monkeypatch, capsys, defaults):
    class Struck(threading.Timer):
        def start(self):
            signal.raise_signal(signal.SIGTERM)
            super().start()
    monkeypatch.setattr(cli.threading, 'Timer', Struck)
    monkeypatch.setattr(section, 'run', lambda _options: in_a_destructor(signal.SIGTERM))
    assert cli.main([]) == 143 and capsys.readouterr().err == ''


STRUCK = """import signal, sys, types
from chapter_adam.command import cli
def run(_options):
    exec('signal.raise_signal(signal.SIGTERM)')
sys.modules['chapter_adam.command.section'] = types.SimpleNamespace(run=run)
sys.exit(cli.main([]))
"""


def test_a_signal_within_an_exec_leaves_the_exit_code(tmp_path):
    """After a plain KeyboardInterrupt there, `python -m` ends itself by SIGINT, 130 for the shell, whatever came."""
    (tmp_path / 'struck.py').write_text(STRUCK)
    ended = outside.python('-m', 'struck', cwd=tmp_path, paths=[outside.CLONE, tmp_path])
    assert (ended.returncode, ended.stderr) == (143, '')


def test_the_callers_own_handlers_stay(defaults):
    """nohup ignores SIGHUP, a script's `&` SIGINT: then they are ignored here too."""
    hook, _ = sys.unraisablehook, signal.signal(signal.SIGHUP, signal.SIG_IGN)
    with cli.stoppable() as received:
        signal.raise_signal(signal.SIGHUP)
    assert (received, signal.getsignal(signal.SIGHUP), sys.unraisablehook) == ([], signal.SIG_IGN, hook)


def test_before_main_nothing_is_imported_that_takes_time(tmp_path):
    """A signal that comes before the handlers are there ends in Python's own traceback."""
    code = 'import sys, chapter_adam.command.cli; print({"numpy", "mxnet", "argparse", "pathlib"} & {*sys.modules})'
    assert outside.python('-S', '-c', code, cwd=tmp_path).stdout == 'set()\n'  # site may import pathlib


def command(*arguments, cwd, **options):
    """Starts the command as a process; its output comes unbuffered, so that the test sees how far it is."""
    return subprocess.Popen([sys.executable, '-m', 'chapter_adam', *arguments], cwd=cwd, text=True,
                            env=outside.environment(PYTHONUNBUFFERED='1'), **options)


def test_ctrl_c_ends_a_process_in_one_line(tmp_path, ctrl_c):
    with command('--epochs', '2000', cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout.readline().startswith('NASA')
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=outside.PATIENCE)
    assert (process.returncode, err) == (130, f'chapter-adam: {KEPT}\n')
    assert names(tmp_path / 'figures') == []


# Terminals and pipes


@pytest.mark.parametrize('target, said', [
    ('/dev/full', 'chapter-adam: cannot write the output: No space left on device\n'), (None, '')],
    ids=['full', 'gone'])
def test_an_output_that_takes_nothing(tmp_path, target, said):
    """As in `chapter-adam data | true`: what is still in the buffer at the end must not complain."""
    read, write = os.pipe()
    os.close(read)
    with open(target or write, 'wb') as stdout, command('data', cwd=tmp_path, stdout=stdout,
                                                        stderr=subprocess.PIPE) as process:
        assert process.stderr.read() == said
    assert process.returncode == 1


def test_closed_streams(monkeypatch, fails):
    monkeypatch.setattr(sys, 'stdout', None)
    fails(['data'], 1, 'cannot write standard output: Bad file descriptor')
    monkeypatch.setattr(sys, 'stderr', None)
    assert cli.main(['data', '--data', 'nosuch']) == 1


def test_a_path_that_the_terminal_cannot_show(small, tmp_path, monkeypatch):
    (tmp_path / 'small.dat').rename(tmp_path / 'd\xe9j\xe0')
    terminal = io.TextIOWrapper(io.BytesIO(), encoding='ascii')
    monkeypatch.setattr(sys, 'stdout', terminal)
    assert cli.main(['data', '--data', 'd\xe9j\xe0']) == 0
    assert terminal.buffer.getvalue().startswith(b'd\\xe9j\\xe0: 30 rows\n')
