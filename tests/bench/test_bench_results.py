"""What comes out of the benchmark: the table, the data, the figures and the command's end."""
import json

import pytest

from chapter_adam.bench import command, figure, many_race, peers, process, race
from chapter_adam.command import cli


@pytest.fixture(scope='module')
def result():
    """Three timed competitors and a refused one, as the race would leave them."""
    class Ended:
        versions, prepared = {'python': '3', 'x': '1'}, 0.5

    def entry(name, seconds):
        return race.Entry(peers.discover()[name], process=Ended, final_loss=0.2447,
                          samples=[seconds * k for k in (1, 0.9, 1.2)])
    refused = race.Entry(peers.discover()['jax_scan'], process=Ended)
    refused.drop('refused', 'its curve\nis elsewhere')
    return command.summary([entry('numpy_loop', 0.002), entry('gluonbook-scratch', 0.3), refused,
                            entry('ours-scratch-hybridized', 0.006)], 3)


@pytest.fixture(scope='module')
def result_of_many():
    def peer(name, *seconds):
        c = peers.discover()[name]
        return name, {'label': c.label, 'family': c.family, 'state': 'timed', 'reason': '', 'seconds_per_run_epoch': {
            size: [x, 2 * x, 1.5 * x] for size, x in zip(('1', '1000'), seconds)}}
    lines = dict([peer('numpy_loop', 0.002, 6.1e-5), peer('ours-scratch-hybridized', 0.01, 6e-5),
                  peer('numba_loop', 0.0002), peer('gluonbook-scratch', 0.3), peer('jax_scan', 0.002, 6.2e-5)])
    return {'sizes': [1, 1000], 'repeats': 3, 'peers': lines}


def test_the_table_goes_from_slow_to_fast_and_ends_with_the_refused(result):
    assert list(result['peers']) == ['gluonbook-scratch', 'ours-scratch-hybridized', 'numpy_loop', 'jax_scan']
    lines = command.table(result).splitlines()
    assert lines[1].split()[:7] == ['gluonbook', 'train_ch7', '300', '285', '-', '330', '1.0']
    assert lines[3].split()[:7] == ['NumPy', '2.00', '1.90', '-', '2.20', '150', '0.244700']
    assert lines[4].split(maxsplit=2)[2] == 'refused: its curve is elsewhere'
    assert result['clock'] in lines[-2] and set(result['machine']) == {'processor', 'cores', 'system'}
    assert result['peers']['numpy_loop']['samples_ms'] == pytest.approx([2, 1.8, 2.4])


def test_the_figure_shows_dots_with_intervals_slowest_on_top(result):
    axes, = figure.draw(result).axes
    assert axes.get_xscale() == 'log' and axes.yaxis_inverted() and not axes.patches
    assert [label.get_text() for label in axes.get_yticklabels()] == [
        'gluonbook train_ch7', 'ours: scratch, hybridized', 'NumPy']
    intervals, dots = axes.lines[::2], axes.lines[1::2]
    assert [list(line.get_xdata()) for line in intervals] == [
        pytest.approx([0.9 * ms, 1.2 * ms]) for ms in (300, 6, 2)]
    assert [(dot.get_xdata()[0], dot.get_ydata()[0]) for dot in dots] == [
        (pytest.approx(ms), place) for place, ms in enumerate((300, 6, 2))]
    assert len({dot.get_color() for dot in dots}) == 3
    assert [text.get_text() for text in axes.texts] == ['300 ms', '1.0 x', '6.0 ms', '50 x', '2.0 ms', '150 x']
    assert '50 times as fast' in axes.get_title()


def test_the_lines_of_many_runs_are_named_at_their_ends_in_order(result_of_many):
    axes, = figure.draw_many(result_of_many).axes
    ascending = sorted(axes.texts, key=lambda text: text.xyann[1])
    assert [text.get_text() for text in ascending] == [
        'ours: scratch, hybridized, 90', 'NumPy, 92', 'JAX jit(scan), 93', 'Numba, 300', 'gluonbook train_ch7, 450,000']
    places = [text.xyann[1] for text in ascending]
    assert all(b - a > 0.99 * figure.LINE for a, b in zip(places, places[1:])) and axes.get_legend() is None
    assert 'each 5,000 times as fast' in axes.get_title() and '1,000 seeded runs' in axes.get_title()


def test_the_table_of_many_runs(result_of_many):
    rows = {line[:32].strip(): line[32:].split() for line in many_race.table(result_of_many).splitlines()}
    assert rows['NumPy'] == ['3000.0', '91.5'] and rows['Numba'] == ['300.0', '-']


@pytest.mark.parametrize('name, options, only', [
    ('bench', (), 'ours-scratch-hybridized'), ('bench_many', ('--many', '--runs', '1,3'), 'numpy_loop')])
def test_the_command_says_its_progress_and_writes_all(tmp_path, capsys, monkeypatch, name, options, only):
    monkeypatch.setattr(process, 'ENVIRONMENTS', tmp_path / 'none')
    arguments = ['bench', *options, '--only', only, '--repeats', '1', '--format', 'svg', '--out', str(tmp_path)]
    assert cli.main(arguments) == 0
    captured = capsys.readouterr()
    assert 'written to' in captured.out and ': passes the gate' in captured.err
    assert sorted(path.name for path in tmp_path.iterdir()) == [f'{name}.json', f'{name}.svg']
    data = json.loads((tmp_path / f'{name}.json').read_text())
    assert list(data['peers']) == [only] and data['peers'][only]['state'] == 'timed'


@pytest.mark.parametrize('options', [(), ('--many',)])
def test_a_race_that_nobody_finishes_fails_and_writes_nothing(tmp_path, capsys, monkeypatch, result, options):
    failed = {'label': 'NumPy', 'state': 'failed', 'reason': 'no luck', 'seconds_per_run_epoch': {}}
    monkeypatch.setattr(command, 'summary', lambda *_: {**result, 'peers': {'numpy_loop': failed}})
    monkeypatch.setattr(race, 'run', lambda *_: [])
    monkeypatch.setattr(many_race, 'run', lambda *_: {'sizes': [1], 'peers': {'numpy_loop': failed}})
    assert cli.main(['bench', *options, '--quiet', '--out', str(tmp_path)]) == 1
    captured = capsys.readouterr()
    assert 'failed: no luck' in captured.out
    assert captured.err == 'chapter-adam: no competitor could be timed; the table says why\n'
    assert list(tmp_path.iterdir()) == []


def test_list_runs_nothing_and_an_unknown_name_is_a_usage_error(capsys):
    assert cli.main(['bench', '--list', '--only', 'torch_loop']) == 0
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == [
        'torch_loop-scratch', 'torch_loop-adam', 'torch_loop-foreach', 'torch_loop-fused']
    assert cli.main(['bench', '--only', 'numpy_loop,caffe']) == 2
    assert "no competitor is called 'caffe'" in capsys.readouterr().err
