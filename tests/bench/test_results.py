"""What comes out of the benchmark: the table, the data, the figures and the command's end."""
import json
import re

import outside
import pytest

from chapter_adam.bench import command, figure, peers, race, results
from chapter_adam.command import cli

PINS = outside.CLONE / 'scripts' / 'peers'


def timed(name, *milliseconds):
    """A competitor with three samples at each number of runs."""
    samples = {runs: [k * ms / 1e3 for k in (1, 0.9, 1.3)] for runs, ms in zip(('1', '1000'), milliseconds)}
    return name, {**race.blank(peers.COMPETITORS[name]), 'versions': {'python': '3', 'x': '1'}, 'prepare_seconds': 0.5,
                  'final_loss': 0.2447, 'seconds_per_run_epoch': samples}


def result_of(sizes, *entries):
    return {'clock': 'ours', 'repeats': 3, 'sizes': sizes, 'peers': dict(entries)}


OUT = 'jax_scan', {**race.blank(peers.COMPETITORS['jax_scan']), 'state': 'refused', 'reason': 'its curve is elsewhere'}
ONE = result_of([1], timed('numpy_loop', 2), timed('gluonbook-scratch', 300), OUT, timed('ours-scratch-hybridized', 6))
SEVERAL = result_of([1, 1000], timed('numpy_loop', 2, .061), timed('ours-scratch-hybridized', 10, .06),
                    timed('numba_loop', .2), timed('gluonbook-scratch', 300), timed('jax_scan', 2, .062))


def test_the_table_goes_from_slow_to_fast_and_ends_with_the_refused():
    _, *lines = results.table(ONE).splitlines()
    assert lines[0].split() == 'gluonbook train_ch7 300 ±10% 1.0 0.244700 0.5 s x 1'.split()
    assert lines[2].split() == 'NumPy 2.00 ±10% 150 0.244700 0.5 s x 1'.split()
    assert lines[3].split(maxsplit=2)[2] == 'refused: its curve is elsewhere' and lines[-2] == 'clock: ours'


def test_the_table_of_many_runs():
    rows = {line[:30].strip(): line[30:].split() for line in results.table(SEVERAL).splitlines()}
    assert rows['NumPy'][:5] == ['2.00', '±10%', '0.0610', '±10%', '4,918'] and rows['Numba'][2:4] == ['-', '1,500']


def test_the_figure_shows_dots_with_intervals_slowest_on_top():
    axes, = figure.draw(ONE).axes
    assert [label.get_text() for label in axes.get_yticklabels()] == [
        'gluonbook train_ch7', 'ours: scratch, hybridized', 'NumPy']
    assert [list(line.get_xdata()) for line in axes.lines[::2]] == [
        pytest.approx([0.95 * ms, 1.15 * ms]) for ms in (300, 6, 2)]
    assert [(dot.get_xdata()[0], dot.get_ydata()[0]) for dot in axes.lines[1::2]] == [
        (pytest.approx(ms), place) for place, ms in enumerate((300, 6, 2))]
    assert [text.get_text() for text in axes.texts] == ['300 ms', '1.0 x', '6.0 ms', '50 x', '2.0 ms', '150 x']
    assert axes.get_title() == 'Ours, hybridized: 50 times as fast as the original'


def test_the_lines_of_many_runs_are_named_at_their_ends_in_order():
    axes, = figure.draw(SEVERAL).axes
    ascending = sorted(axes.texts, key=lambda text: text.xyann[1])
    assert [text.get_text() for text in ascending] == [
        'ours: scratch, hybridized, 0.060', 'NumPy, 0.061', 'JAX jit(scan), 0.062', 'Numba, 0.20',
        'gluonbook train_ch7, 300']
    places = [text.xyann[1] for text in ascending]
    assert all(b - a > 0.99 * figure.LINE for a, b in zip(places, places[1:])) and len(axes.lines) == 5
    assert axes.get_title() == 'Ours, hybridized: 5,000 times as fast as the original, 1,000 runs at once'


@pytest.mark.parametrize('name', ['bench', 'bench_many'])
def test_the_committed_data_is_drawn(name):
    data = json.loads((outside.CLONE / 'figures' / f'{name}.json').read_text())
    assert ' times as fast' in figure.draw(data).axes[0].get_title()


@pytest.mark.parametrize('name, options', [('bench', ''), ('bench_many', '--many --runs 1,3')])
def test_the_command_says_its_progress_and_writes_all(tmp_path, capsys, name, options):
    words = f'bench {options} --only numpy_loop --repeats 1 --format svg --out'.split()
    assert cli.main([*words, str(tmp_path)]) == 0
    captured = capsys.readouterr()
    assert 'written to' in captured.out and ': passes the gate' in captured.err
    assert sorted(path.name for path in tmp_path.iterdir()) == [f'{name}.json', f'{name}.svg']
    data = json.loads((tmp_path / f'{name}.json').read_text())
    assert set(data['machine']) == {'processor', 'cores', 'system'} and data['settings']['lr'] == 0.01
    assert list(data['peers']['numpy_loop']['seconds_per_run_epoch']) == ['1', '3'][:len(data['sizes'])]


def test_a_race_that_nobody_finishes_fails_and_writes_nothing(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(command.race, 'run', lambda *_: result_of([1], OUT))
    assert cli.main(['bench', '--quiet', '--out', str(tmp_path)]) == 1
    captured = capsys.readouterr()
    assert 'refused: its curve is elsewhere' in captured.out and not list(tmp_path.iterdir())
    assert captured.err == 'chapter-adam: no competitor could be timed; the table says why\n'


def test_list_runs_nothing(capsys):
    assert cli.main('bench --list --only torch_loop'.split()) == 0
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == [
        'torch_loop-scratch', 'torch_loop-foreach', 'torch_loop-fused']


def test_the_table_of_competitors_fits_files_and_environments():
    for c in peers.COMPETITORS.values():
        text = (c.folder / f'{c.file}.py').read_text()
        assert 'def prepare(' in text and (not c.many or 'def prepare_many(' in text) and len(c.label) < 30
        pins = PINS / f'{c.environment}.txt'
        assert c.environment == 'main' or all(re.search(f'(?m)^{name}==', pins.read_text()) for name in c.packages)
    assert {path.stem for path in PINS.glob('*.txt')} < {c.environment for c in peers.COMPETITORS.values()}
