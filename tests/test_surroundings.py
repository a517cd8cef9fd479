"""The command where it is not at home: closed streams, early signals, odd names, targets that it must not take."""
import os
import signal
import subprocess
import sys

import outside
import pytest
from test_cli import LINE, command, fails_in_one_line, names, small  # noqa: F401  a fixture

from chapter_adam import airfoil, cli

TWO_LINES = f'{LINE}\n{LINE}\n'


def shell(line, cwd, **extra):
    """Runs a line of the shell in which "$@" is the command; returns it finished, its output as text."""
    return subprocess.run(['sh', '-c', line, 'sh', sys.executable, '-m', 'chapter_adam', '--quiet', '--format', 'svg'],
                          cwd=cwd, env=outside.environment(**extra), capture_output=True, text=True,
                          timeout=outside.PATIENCE)


def test_without_standard_error_it_runs(tmp_path):
    done = shell('"$@" 2>&-', tmp_path)
    assert (done.returncode, done.stderr) == (0, '') and 'loss: ' in done.stdout


def test_without_standard_output_it_says_that_the_results_are_lost(tmp_path):
    done = shell('"$@" >&-', tmp_path)
    assert done.returncode == 1
    assert done.stderr == 'chapter-adam: cannot write standard output: Bad file descriptor\n'
    assert 'scratch.svg' in names(tmp_path / 'figures')


def test_a_backend_that_matplotlib_does_not_know_is_no_matter(tmp_path):
    done = shell('"$@"', tmp_path, MPLBACKEND='nosuch')
    assert (done.returncode, done.stderr) == (0, '')


def test_the_callers_backend_stays(small, monkeypatch):  # noqa: F811
    monkeypatch.setenv('MPLBACKEND', 'svg')
    assert cli.main(['data']) == 0 and os.environ['MPLBACKEND'] == 'svg'


def test_a_path_that_the_terminal_cannot_show(tmp_path):
    ascii_only = {'LC_ALL': 'C', 'PYTHONUTF8': '0', 'PYTHONCOERCECLOCALE': '0'}
    (tmp_path / 'd\xe9j\xe0').write_bytes(airfoil.packaged_path().read_bytes())
    done = subprocess.run([sys.executable, '-m', 'chapter_adam', 'data', '--data', 'd\xe9j\xe0'], cwd=tmp_path,
                          env=outside.environment(**ascii_only), capture_output=True, timeout=outside.PATIENCE)
    assert done.returncode == 0 and b'1503 rows' in done.stdout


def test_an_interrupt_before_anything_is_imported_is_one_line(tmp_path, ctrl_c):
    (tmp_path / 'numpy.py').write_text('import os, signal, time\nos.kill(os.getpid(), signal.SIGINT)\ntime.sleep(20)')
    done = outside.python('-m', 'chapter_adam', cwd=tmp_path, paths=[tmp_path, outside.CLONE])
    assert (done.returncode, done.stderr) == (130, 'chapter-adam: interrupted\n')


def test_a_program_that_imports_the_package_keeps_its_ctrl_c(tmp_path, ctrl_c):
    (tmp_path / 'own.py').write_text('import signal, chapter_adam\n'
                                     'assert signal.getsignal(signal.SIGINT) is signal.default_int_handler')
    assert outside.python('own.py', cwd=tmp_path).returncode == 0
    assert outside.python('-m', 'own', cwd=tmp_path, paths=[tmp_path, outside.CLONE]).returncode == 0


def test_sigterm_ends_it_quietly(tmp_path):
    with command('--epochs', '2000', cwd=tmp_path, stderr=subprocess.PIPE) as process:
        assert process.stdout.readline().startswith('NASA')
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=outside.PATIENCE)
    assert (process.returncode, err) == (143, '')
    assert names(tmp_path / 'figures') == []


def test_mains_caller_keeps_its_own_handlers():
    before = signal.getsignal(signal.SIGTERM), sys.unraisablehook
    cli.main(['--version'])
    assert (signal.getsignal(signal.SIGTERM), sys.unraisablehook) == before


@pytest.mark.parametrize('error, words', [
    (MemoryError('cannot take 9 GiB'), 'out of memory: cannot take 9 GiB'),
    (RuntimeError('Traceback (most recent call last):\n  File "engine.cc"\nthe engine stopped'), 'the engine stopped'),
], ids=['memory', 'runtime'])
def test_what_only_the_machine_can_cause_is_one_line(small, monkeypatch, capsys, error, words):  # noqa: F811
    def fail(*_args, **_options):
        raise error
    monkeypatch.setattr('chapter_adam.training.train_scratch', fail)
    fails_in_one_line(capsys, small, 1, words)


@pytest.mark.parametrize('name', ['scratch.json', 'comparison.svg', 'run.timing.json'])
def test_json_onto_a_file_of_the_runs_own(small, capsys, name):  # noqa: F811
    target = os.path.join(small[-1], name)
    fails_in_one_line(capsys, [*small, '--json', target], 1, 'writes a file of its own under this name')
    assert not os.path.exists(target)


def test_json_without_a_name(small, capsys):  # noqa: F811
    fails_in_one_line(capsys, [*small, '--json', ''], 1, "--json '' is a folder")


def test_a_link_to_nowhere_is_no_folder(small, tmp_path, capsys):  # noqa: F811
    (tmp_path / 'link').symlink_to('nowhere')
    fails_in_one_line(capsys, [*small[:-1], str(tmp_path / 'link')], 1, 'link: exists and is not a folder')


def test_a_data_file_that_is_not_there_makes_no_folder(tmp_path, capsys):
    fails_in_one_line(capsys, ['--data', str(tmp_path / 'nosuch'), '--out', str(tmp_path / 'fresh')], 1, 'cannot read')
    assert names(tmp_path) == []


def test_a_data_file_without_end(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(airfoil, 'LARGEST', 10)
    (tmp_path / 'long').write_text('1 ' * 99)
    fails_in_one_line(capsys, ['data', '--data', str(tmp_path / 'long')], 1, 'cannot read .*long: more than')


@pytest.mark.parametrize('arguments', ['--epochs 1_0', '--epochs \u0663', '--lr 1_0', '--lr 1e-300', '--lr 1e39'])
def test_numbers_that_only_python_reads_or_float32_cannot_hold(small, capsys, arguments):  # noqa: F811
    assert cli.main([*small, *arguments.split()]) == 2
    assert 'expected a' in capsys.readouterr().err


def test_a_million_epochs_start_at_once():
    """The plan is made epoch by epoch; all at once it would take minutes and gigabytes."""
    from chapter_adam.training import stretches
    assert next(iter(stretches(1503, 10, 10 ** 12)))[0].start == 0
