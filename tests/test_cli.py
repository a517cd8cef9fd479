"""The command: what it prints, writes and returns, and that every failure is one line and the right code."""
import errno
import fcntl
import io
import json
import os
import pty
import re
import signal
import struct
import subprocess
import sys
import termios
import time

import numpy as np
import outside
import pytest

import chapter_adam
from chapter_adam import History, airfoil, cli, files, section, training

LINE = r'loss: (0\.\d{6}), \d+\.\d{6} sec per epoch'
CURVES = ('scratch', 'gluon', 'comparison')
ALL_FILES = sorted([f'{name}.{kind}' for name in CURVES for kind in ('json', 'png', 'svg')] + ['run.timing.json'])


def contents(folder):
    """Every file that is the same each time, by name."""
    return {path.name: path.read_bytes() for path in folder.iterdir() if not path.match('*.timing.json')}


def names(folder):
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture
def small(tmp_path, monkeypatch):
    """Options for a run of milliseconds, in an empty folder."""
    monkeypatch.chdir(tmp_path)
    table = np.random.default_rng(0).uniform(1, 9, (30, 6))
    path = tmp_path / 'small.dat'
    path.write_text('\n'.join('\t'.join(f'{x:.4f}' for x in row) for row in table))
    return ['--data', str(path), '--format', 'svg', '--out', str(tmp_path / 'out')]


def fails_in_one_line(capsys, arguments, code, message):
    """Runs the command and checks that it says `message` in one line, and nothing else."""
    assert cli.main(arguments) == code
    err = capsys.readouterr().err
    assert re.fullmatch(rf'chapter-adam: .*{message}.*\n', err), err


# The default run


@pytest.fixture(scope='module')
def default(tmp_path_factory):
    """`python -m chapter_adam` in an empty folder: the finished process, with `folder`."""
    folder = tmp_path_factory.mktemp('default')
    process = outside.python('-m', 'chapter_adam', cwd=folder)
    process.folder = folder
    return process


def test_default_run_prints_the_books_two_lines_and_a_table(default):
    assert default.returncode == 0 and default.stderr == ''
    (scratch,), (gluon,) = (re.findall(rf'^{name} +{LINE}$', default.stdout, re.M)
                            for name in ('adam from scratch', 'Gluon adam'))
    # The 5 % and 95 % quantiles of a thousand seeds: an ordinary draw, as the book's 0.243957 and 0.242933 were.
    assert 0.24278 < float(scratch) < 0.24766
    assert abs(float(scratch) - float(gluon)) < 1e-5
    for words in ('1503 rows, 5 features', 'final loss', 'sec/epoch', 'least-squares floor +0.242145',
                  f'adam from scratch +{scratch} .* 0.243957 +0.449113', f'Gluon adam +{gluon} .* 0.242933 +0.182535',
                  'ratio scratch / Gluon', 'adam from scratch, hybridized +0', 'Gluon adam, hybridized +0',
                  'ratio scratch hybridized / Gluon', r'largest gap of the curves +\d\.\de-0\d',
                  'written to figures: '):
        assert re.search(words, default.stdout), words


def test_default_run_writes_figures_and_their_data(default):
    assert names(default.folder) == ['figures']
    folder = default.folder / 'figures'
    assert names(folder) == ALL_FILES
    assert all(path.stat().st_size for path in folder.iterdir())
    timing = json.loads((folder / 'run.timing.json').read_text())
    run = History(**json.loads((folder / 'scratch.json').read_text()), **timing['scratch'])
    assert len(run.losses) == 31 and run.settings['hyperparams'] == {'lr': 0.01, 't': 1}
    comparison = json.loads((folder / 'comparison.json').read_text())
    assert round(comparison['floor'], 6) == 0.242145
    assert comparison['scratch']['losses'] == list(run.losses)
    assert comparison['largest_gap'] < 1e-5


def test_a_second_run_changes_no_byte_but_the_times(default, tmp_path, capsys):
    """In another process and another folder: what git sees depends on the numbers alone."""
    assert cli.main(['--out', str(tmp_path)]) == 0
    assert contents(tmp_path) == contents(default.folder / 'figures')


# Options


def test_json_is_all_of_standard_output(small, capsys):
    assert cli.main([*small, '--json']) == 0
    out, err = capsys.readouterr()
    results = json.loads(out)
    assert err == '' and set(results) == {'floor', 'largest_gap', 'book', 'seeds', 'runs'}
    run = History.from_json(json.dumps(results['runs']['gluon']))
    assert run.settings['label'] == 'Gluon adam' and run.seconds_per_epoch > 0 and run.machine['cores']


RUNS = {'scratch', 'gluon', 'scratch_hybridized', 'gluon_hybridized'}


def test_json_to_a_file_keeps_the_table(small, tmp_path, capsys):
    target = tmp_path / 'new' / 'all.json'
    assert cli.main([*small, '--json', str(target)]) == 0
    assert 'least-squares floor' in capsys.readouterr().out
    assert set(json.loads(target.read_text())['runs']) == RUNS


def test_quiet_is_the_books_two_lines(small, capsys):
    assert cli.main([*small, '--quiet']) == 0
    assert re.fullmatch(f'{LINE}\n{LINE}\n', capsys.readouterr().out)


@pytest.mark.parametrize('formats, kinds', [('png', ['png']), ('SVG,png,svg', ['png', 'svg'])])
def test_format(small, tmp_path, formats, kinds):
    assert cli.main([*small, '--format', formats]) == 0
    assert names(tmp_path / 'out') == sorted(
        [f'{name}.{kind}' for name in CURVES for kind in ['json', *kinds]] + ['run.timing.json'])


def test_options_reach_the_runs(small, capsys):
    assert cli.main(['run', *small, '--seed', '7', '--lr', '0.5', '--epochs', '3', '--batch-size', '4', '--json']) == 0
    runs = json.loads(capsys.readouterr().out)['runs']
    expected = {'seed': 7, 'num_epochs': 3, 'batch_size': 4, 'rows': 30, 'features': 5}
    assert all(run['settings'].items() >= expected.items() for run in runs.values())
    rates = [run['settings']['hyperparams'] for run in runs.values()]
    assert rates == 2 * [{'lr': 0.5, 't': 1}, {'learning_rate': 0.5}]
    assert runs['scratch']['epochs'][-1] == 3


def test_another_file_is_named(small, capsys):
    assert cli.main(small) == 0
    assert capsys.readouterr().out.startswith(f'{small[1]}: 30 rows, 5 features, standardised\n')


@pytest.mark.parametrize('arguments', [['--version'], ['run', '--version']], ids=' '.join)
def test_version(capsys, arguments):
    assert cli.main(arguments) == 0
    assert capsys.readouterr().out == f'chapter-adam {chapter_adam.__version__}\n'


@pytest.mark.parametrize('arguments', [['--help'], ['-h'], ['run', '--help'], ['data', '--help']], ids=' '.join)
def test_help(capsys, arguments):
    assert cli.main(arguments) == 0
    assert capsys.readouterr().out.startswith('usage: chapter-adam')


def test_data_prints_the_facts_of_the_file(capsys):
    assert cli.main(['data']) == 0
    out = capsys.readouterr().out
    assert '1503 rows' in out and airfoil.SHA1 in out
    assert re.search(r'^frequency +Hz +200 +[\d.]+ +20000$', out, re.M)
    assert re.search(r'^sound pressure level +dB +103.38 +[\d.]+ +140.987$', out, re.M)


def test_data_of_another_file(small, capsys):
    assert cli.main(['data', '--data', small[1]]) == 0
    assert '30 rows' in (out := capsys.readouterr().out) and 'SHA-1' not in out


def test_data_restore(monkeypatch, capsys):
    monkeypatch.setattr(airfoil, 'restore', lambda: 'here')
    assert cli.main(['data', '--restore']) == 0
    assert capsys.readouterr().out == 'restored and verified: here\n'


# Bad usage: exit code 2


@pytest.mark.parametrize('arguments, cause', [
    ('--lr 0', "argument --lr: expected a finite number above 0, got '0'"),
    ('--lr -1', "argument --lr: expected a finite number above 0, got '-1'"),
    ('--lr nan', "argument --lr: expected a finite number above 0, got 'nan'"),
    ('--lr abc', "argument --lr: expected a finite number above 0, got 'abc'"),
    ('--epochs 0', "argument --epochs: expected a whole number of at least 1, got '0'"),
    ('--batch-size 2.5', "argument --batch-size: expected a whole number of at least 1, got '2.5'"),
    ('--seed -1', "argument --seed: expected a whole number of at least 0, got '-1'"),
    ('--format gif', "argument --format: expected svg, png or svg,png, got 'gif'"),
    ('--format svg,', "argument --format: expected svg, png or svg,png, got 'svg,'"),
    ('--out', 'argument --out: expected one argument'),
    ('walk', "argument COMMAND: invalid choice: 'walk'"),
    ('run walk', 'unrecognized arguments: walk'),
    ('--speed 3', 'unrecognized arguments: --speed 3'),
    ('data --restore --data x', 'not allowed with argument'),
])
def test_bad_usage(tmp_path, monkeypatch, capsys, arguments, cause):
    monkeypatch.chdir(tmp_path)
    assert cli.main(arguments.split()) == 2
    out, err = capsys.readouterr()
    assert out == '' and cause in err.splitlines()[-1] and 'Traceback' not in err
    assert names(tmp_path) == []


# Failures: exit code 1


@pytest.mark.parametrize('out', [
    'small.dat',
    'small.dat/below',
    # No user, root included, can make a folder there.
    pytest.param('/proc/chapter-adam', marks=pytest.mark.skipif(not sys.platform.startswith('linux'), reason='Linux')),
])
def test_a_folder_that_takes_no_files_is_noticed_before_the_run(small, monkeypatch, capsys, out):
    monkeypatch.setattr(training, 'train_scratch', lambda *_args, **_kwargs: pytest.fail('too late'))
    fails_in_one_line(capsys, [*small, '--out', out], 1, f'cannot write {out}.*: ')
    fails_in_one_line(capsys, [*small, '--json', f'{out}/x.json'], 1, f'cannot write {out}.*: ')


@pytest.mark.parametrize('content, complaint', [
    pytest.param('1 2 3\n', r'bad\.dat, line 1: expected 6 columns, found 3', id='truncated'),
    pytest.param(None, r'cannot read bad\.dat: No such file', id='missing'),
])
@pytest.mark.parametrize('command', ['run', 'data'])
def test_a_bad_data_file(tmp_path, monkeypatch, capsys, command, content, complaint):
    monkeypatch.chdir(tmp_path)
    if content is not None:
        (tmp_path / 'bad.dat').write_text(content)
    fails_in_one_line(capsys, [command, '--data', 'bad.dat'], 1, complaint)


def test_a_run_that_cannot_work_is_one_line(small, capsys):
    fails_in_one_line(capsys, [*small, '--lr', '1e30'], 1, 'the run diverged: the loss is')


def instead_of_gluon(monkeypatch, action):
    """Lets the scratch run pass, and does `action` where the Gluon run would begin."""
    original = training.train_gluon

    def train(*args, **kwargs):
        action()
        return original(*args, **kwargs)
    monkeypatch.setattr(training, 'train_gluon', train)


def interrupt():
    raise KeyboardInterrupt


class FullDisk(io.FileIO):
    """A file on a disk without room."""

    def write(self, _data):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_a_disk_that_fills_up_keeps_what_is_finished(small, tmp_path, monkeypatch, capsys):
    assert cli.main([*small, '--seed', '1']) == 0
    before = contents(tmp_path / 'out')
    instead_of_gluon(monkeypatch, lambda: monkeypatch.setattr(files.os, 'fdopen', FullDisk))
    capsys.readouterr()
    fails_in_one_line(capsys, small, 1, f'cannot write {tmp_path}/out/gluon.json: No space left on device')
    after = contents(tmp_path / 'out')
    assert set(after) == set(before)  # no temporary file
    assert {name for name in after if after[name] != before[name]} == {'scratch.json', 'scratch.svg'}
    History(**json.loads(after['scratch.json']), seconds_per_epoch=0, train_seconds_per_epoch=0)


def test_an_interrupted_run_keeps_what_is_finished(small, tmp_path, monkeypatch, capsys):
    instead_of_gluon(monkeypatch, interrupt)
    fails_in_one_line(capsys, small, 130, 'interrupted; what was finished before is kept')
    assert names(tmp_path / 'out') == ['scratch.json', 'scratch.svg']
    assert (tmp_path / 'out' / 'scratch.svg').read_text().rstrip().endswith('</svg>')


class Last:
    """Its end is interrupted, as that of an NDArray may be: Python prints such an exception and drops it."""

    def __del__(self):
        raise KeyboardInterrupt


def test_an_interrupt_inside_a_destructor_is_not_lost(small, monkeypatch, capsys, ctrl_c):
    def action():
        Last()
        time.sleep(20)
    instead_of_gluon(monkeypatch, action)
    fails_in_one_line(capsys, small, 130, 'interrupted; what was finished before is kept')


# As a process: signals, terminals, pipes


def command(*arguments, cwd, **options):
    """Starts the command in the background; its output comes unbuffered, so that the test sees how far it is."""
    return subprocess.Popen([sys.executable, '-m', 'chapter_adam', *arguments], cwd=cwd, text=True,
                            env=outside.environment(PYTHONUNBUFFERED='1'), stdout=subprocess.PIPE, **options)


def test_ctrl_c_ends_it_in_one_line(tmp_path, ctrl_c):
    with command('--epochs', '2000', cwd=tmp_path, stderr=subprocess.PIPE) as process:
        assert process.stdout.readline().startswith('NASA')
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=outside.PATIENCE)
    assert process.returncode == 130
    assert err == 'chapter-adam: interrupted; what was finished before is kept\n'
    assert names(tmp_path / 'figures') == []


def test_a_terminal_sees_a_progress_bar(tmp_path):
    """In a pipe there is none: the default run's stderr is empty, above."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack('HHHH', 24, 80, 0, 0))  # rows, columns; at first 0
    with command('--quiet', '--format', 'svg', cwd=tmp_path, stderr=theirs) as process:
        os.close(theirs)
        shown = b''
        while chunk := read_or_nothing(ours):
            shown += chunk
        out, _ = process.communicate(timeout=outside.PATIENCE)
    os.close(ours)
    assert process.returncode == 0 and re.fullmatch(f'{LINE}\n{LINE}\n', out)
    for words in (rb'scratch .*/2 epochs', rb'gluon .*/2 epochs', rb'gluon hybridized .*/2 epochs'):
        assert re.search(words, shown), shown


def read_or_nothing(terminal):
    """What was written there; nothing once the other side is closed (an error on Linux)."""
    try:
        return os.read(terminal, 4096)
    except OSError:
        return b''


@pytest.mark.parametrize('arguments', [['data'], ['--version']], ids=' '.join)
def test_a_reader_that_goes_away_gets_no_traceback(tmp_path, arguments):
    """As in `chapter-adam | true`: also what is still in the buffer at the end must not complain."""
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, 'wb') as closed:
        process = subprocess.run([sys.executable, '-m', 'chapter_adam', *arguments], cwd=tmp_path, text=True,
                                 env=outside.environment(), stdout=closed, stderr=subprocess.PIPE)
    assert (process.returncode, process.stderr) == (1, '')


def test_a_reader_that_goes_away_in_the_middle(tmp_path):
    """As in `chapter-adam | head -1`."""
    with command(cwd=tmp_path, stderr=subprocess.PIPE) as process:
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == ''
    assert process.returncode == 1


@pytest.mark.skipif(not os.path.exists('/dev/full'), reason='no /dev/full here')
def test_an_output_that_is_full_is_one_line(tmp_path):
    with open('/dev/full', 'w') as full:
        process = subprocess.run([sys.executable, '-m', 'chapter_adam', 'data'], cwd=tmp_path, text=True,
                                 env=outside.environment(), stdout=full, stderr=subprocess.PIPE)
    assert (process.returncode, process.stderr) == (
        1, 'chapter-adam: cannot write the output: No space left on device\n')


# The parts of the table


def test_largest_gap_is_the_largest():
    runs = {'scratch': History((0.5, 0.3, 0.2), (), 1, 1), 'gluon': History((0.5, 0.4, 0.25), (), 1, 1)}
    assert section.largest_gap(runs) == pytest.approx(0.1)


def timed(label, loss, seconds, training_alone):
    return History((0.5, loss), (0.0, 2.0), seconds, training_alone, settings={'label': label})


def test_the_table_has_each_number_in_its_column():
    runs = {'scratch': timed('from scratch', 0.25, 6, 5), 'gluon': timed('Gluon', 0.26, 2, 1),
            'scratch_hybridized': timed('fast', 0.25, 1, 0.25), 'gluon_hybridized': timed('Gluon fast', 0.26, 3, 4)}
    lines = [re.split(' {2,}', line.strip()) for line in section.table(runs, 0.242).splitlines()]
    assert lines == [
        ['final loss', 'sec/epoch', 'training only', 'book: loss', 'sec/epoch'],
        ['from scratch', '0.250000', '6.000000', '5.000000', '0.243957', '0.449113'],
        ['Gluon', '0.260000', '2.000000', '1.000000', '0.242933', '0.182535'],
        ['fast', '0.250000', '1.000000', '0.250000'],
        ['Gluon fast', '0.260000', '3.000000', '4.000000'],
        ['ratio scratch / Gluon', '3.00', '5.00', '2.46'],
        ['ratio scratch hybridized / Gluon', '0.50', '0.25'],
        ['least-squares floor', '0.242000'],
        ['largest gap of the curves', '1.0e-02'],
    ]


def many_seeds(monkeypatch, *arguments):
    """Which seeds `chapter-adam run` would train; None if it would not."""
    asked = []
    monkeypatch.setattr(section.seeds, 'both', lambda features, labels, chosen, options: asked.append(chosen) or 'xy')
    monkeypatch.setattr(section.seeds, 'summary', lambda scratch, gluon, floor: 'the facts')
    facts = section.many_seeds(cli.parser().parse_args(['run', *arguments]), None, None, 0.242)
    assert facts == ('the facts' if asked else None)
    return asked[0] if asked else None


def test_the_run_is_placed_among_seeds_0_to_999(monkeypatch):
    assert list(many_seeds(monkeypatch)) == list(range(1000))


@pytest.mark.parametrize('arguments', ['--lr 0.02', '--epochs 3', '--batch-size 20', '--data x'])
def test_other_settings_than_the_books_are_placed_nowhere(monkeypatch, arguments):
    assert many_seeds(monkeypatch, *arguments.split()) is None
