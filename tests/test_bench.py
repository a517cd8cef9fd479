"""The benchmark: every competitor honours the contract, none is timed before its answer is right, and nothing is lost.

No test looks at how long anything took. Peers whose framework is not installed here are read, not run.
"""
import ast
import importlib.util
import json
import os
import runpy
import signal
import subprocess
import sys
import time

import numpy as np
import oracle
import outside
import pytest

from chapter_adam import bench, bench_figure, cli, gate, many_race, peers, race

COMPETITORS = list(peers.discover().values())
FILES = sorted({c.path for c in COMPETITORS})
HERE = [c for c in COMPETITORS if all(importlib.util.find_spec(name) for name in c.requires)]
NO_ENVIRONMENTS = outside.CLONE / 'no such folder'  # so that what runs does not depend on what was built here


def quietly(*_watched):
    """Takes the place of a progress line."""


@pytest.fixture(scope='module')
def task():
    return race.section_task()


@pytest.fixture(scope='module')
def expected(task):
    return gate.reference(task)


@pytest.fixture(scope='module')
def raced():
    """One race of all that can run here, by name; but for the gate alone where a run takes seconds."""
    slow = [c for c in COMPETITORS if not c.same_draws]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(race, 'OWN_DRAWS_RUNS', 1)
        entries = race.run(slow, 0, quietly, NO_ENVIRONMENTS)
    entries += race.run([c for c in COMPETITORS if c not in slow], 2, quietly, NO_ENVIRONMENTS)
    return {entry.competitor.name: entry for entry in entries}


def planted(folder, text, **changes):
    """A competitor from a file of its own, discovered as all are."""
    source = (peers.FOLDER / 'numpy_loop.py').read_text()
    for old, new in changes.get('replace', ()):
        assert old in source
        source = source.replace(old, new)
    (folder / 'planted.py').write_text(source + text)
    found, = peers.discover(folder).values()
    return found


def raced_alone(competitor, repeats=1):
    entry, = race.run([competitor], repeats, quietly, NO_ENVIRONMENTS)
    return entry


# Every peer honours the contract


def test_the_folder_holds_the_competitors_of_the_readme():
    assert {c.name for c in COMPETITORS} >= {
        'gluonbook-scratch', 'gluonbook-gluon', 'd2l-scratch', 'd2l-gluon', 'ours-scratch', 'ours-scratch-hybridized',
        'ours-gluon', 'ours-gluon-hybridized', 'torch_scratch', 'torch_adam-default', 'torch_adam-foreach',
        'torch_adam-fused', 'numpy_loop', 'jax_scan', 'jax_scan-draws', 'numba_loop'}
    labels = [c.label for c in COMPETITORS]
    assert len(set(labels)) == len(labels) and max(map(len, labels)) < 32  # a column of the table
    assert set(bench.ORIGINALS) <= {c.name for c in COMPETITORS}


@pytest.mark.parametrize('path', FILES, ids=lambda path: path.stem)
def test_a_peer_imports_what_it_declares_and_explains_itself(path):
    tree = ast.parse(path.read_text())
    labels, family, environment, requires, same_draws, many = peers.declarations(path)
    imported = {alias.name.split('.')[0] for node in ast.walk(tree) if isinstance(node, ast.Import)
                for alias in node.names}
    imported |= {node.module.split('.')[0] for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert imported - set(sys.stdlib_module_names) <= {*requires, 'numpy'}
    assert ast.get_docstring(tree) and all(labels.values())
    assert set(same_draws) == set(labels) and all(isinstance(same, bool) for same in same_draws.values())
    assert environment == 'main' or path.with_name(f'{environment}.txt').exists()
    arguments = {node.name: [argument.arg for argument in node.args.args] for node in tree.body
                 if isinstance(node, ast.FunctionDef)}
    assert arguments['prepare'] == ['task', 'variant']
    assert set(many) <= set(labels) and arguments.get('prepare_many') == (['task', 'variant'] if many else None)


@pytest.mark.parametrize('path', sorted(peers.FOLDER.glob('*.txt')), ids=lambda path: path.stem)
def test_an_environment_pins_every_version_and_names_what_its_peers_require(path):
    lines = [line for line in path.read_text().splitlines() if not line.startswith('#')]
    pinned = dict(line.split('==') for line in lines)
    required = {name for c in COMPETITORS if c.environment == path.stem for name in c.requires}
    assert required and required <= set(pinned)
    assert not [name for name in pinned if name.startswith(('nvidia', 'triton'))]


@pytest.mark.parametrize('competitor', HERE, ids=lambda c: c.name)
def test_a_peer_that_can_run_here_passes_the_gate(competitor, raced):
    entry = raced[competitor.name]
    assert (entry.state, entry.reason) == ('timed', '')
    assert len(entry.samples) == 2 * competitor.same_draws and all(x > 0 for x in entry.samples)
    assert entry.prepared >= 0 and 0.24 < entry.final_loss < 0.26
    assert set(entry.versions) == {'python', *competitor.requires}


def test_an_absent_framework_is_skipped_with_its_reason(raced, tmp_path):
    for competitor in COMPETITORS:
        if competitor not in HERE:
            entry = raced[competitor.name]
            assert entry.state == 'skipped' and entry.reason.endswith('is not installed') and not entry.samples
    absent = planted(tmp_path, "\nREQUIRES = ('no_such_framework',)\n")
    entry = raced_alone(absent)
    assert (entry.state, entry.reason) == ('skipped', 'no_such_framework is not installed')


def test_an_incomplete_file_is_named(tmp_path):
    (tmp_path / 'mine.py').write_text("LABELS = {'': 'mine'}\nFAMILY = 'others'\n")
    with pytest.raises(ValueError, match='mine.py: a peer must declare ENVIRONMENT, REQUIRES, SAME_DRAWS'):
        peers.discover(tmp_path)
    (tmp_path / 'mine.py').unlink()
    with pytest.raises(ValueError, match="FAMILY must be one of .* got 'friends'"):
        planted(tmp_path, "\nFAMILY = 'friends'\n")


# The gate


def test_the_reference_is_the_oracle_of_the_other_tests(task, expected):
    every_step = oracle.train(task['features'], task['labels'], seed=0)
    assert len(expected) == 31
    np.testing.assert_allclose(expected, every_step[[0, *task['records']]], rtol=0, atol=1e-12)


@pytest.mark.parametrize('old, new', [
    ('task.lr *', '1.01 * task.lr *'),
    ('v, s, t = np.zeros_like(x), np.zeros_like(x), 0', 'v, s, t = np.zeros_like(x), np.zeros_like(x), 1'),
    ('@ rows / len(rows)', '@ rows / 10'),
    ('x = np.append(task.w, task.b)', 'x = 0 * np.append(task.w, task.b)'),
    ('s / (1 - task.beta2 ** t)', 's'),
], ids=['wrong rate', 'late clock', 'short batch by 10', 'other start', 'no correction'])
def test_a_peer_with_a_wrong_answer_is_refused_and_not_timed(tmp_path, old, new):
    entry = raced_alone(planted(tmp_path, '', replace=[(old, new)]))
    assert entry.state == 'refused' and entry.samples == []
    assert 'away from the float64 reference' in entry.reason or 'recorded' in entry.reason


@pytest.mark.parametrize('loss, passes', [(0.2441, True), (0.2570, True), (0.495, False), (0.2573, False),
                                          (0.2410, False), (float('nan'), False)])
def test_own_draws_are_refused_outside_of_what_a_thousand_seeds_gave(loss, passes):
    reason = gate.own_draws_verdict([0.2441, loss])
    assert (reason is None) == passes and (passes or f'{loss:.6f}' in reason)


def test_a_curve_that_is_short_or_not_finite_is_refused(expected):
    assert gate.same_draws_verdict(expected, expected) is None
    assert gate.same_draws_verdict(expected[1:], expected) == 'it recorded 30 losses, not 31'
    assert 'nan away' in gate.same_draws_verdict([float('nan')] * 31, expected)


# A competitor that fails


@pytest.mark.parametrize('text, reason', [
    ("\ndef prepare(task, variant):\n    raise RuntimeError('out of luck')\n", 'RuntimeError: out of luck'),
    ('\ndef prepare(task, variant):\n    return lambda: None\n', 'it has handed over no losses, or no time'),
    ('\nimport os\ndef prepare(task, variant):\n    os._exit(3)\n', 'it ended without a word'),
])
def test_a_peer_that_fails_is_out_and_the_race_goes_on(tmp_path, text, reason):
    good, bad = peers.discover()['numpy_loop'], planted(tmp_path, text)
    first, second = race.run([bad, good], 1, quietly, NO_ENVIRONMENTS)
    assert (first.state, first.reason, second.state) == ('failed', reason, 'timed')


def test_a_peer_may_print_what_it_likes(tmp_path):
    noisy = planted(tmp_path, '\nprint("hello")\nimport os\nos.system("echo from below")\n')
    assert raced_alone(noisy).state == 'timed'


def test_a_peer_that_hangs_is_ended(tmp_path, monkeypatch):
    monkeypatch.setattr(race, 'PATIENCE', 1)
    entry = raced_alone(planted(tmp_path, '\nimport time\ndef prepare(task, variant):\n    time.sleep(99)\n'))
    assert (entry.state, entry.reason) == ('failed', 'no answer within 1 s')


def test_ctrl_c_ends_every_process(tmp_path, ctrl_c):
    command = [sys.executable, '-m', 'chapter_adam', 'bench', '--only', 'numpy_loop,ours-scratch',
               '--repeats', '999999', '--out', str(tmp_path)]
    process = subprocess.Popen(command, env=outside.environment(TMPDIR=str(tmp_path)), stderr=subprocess.PIPE,
                               text=True, start_new_session=True)
    until = time.monotonic() + outside.PATIENCE
    while len(children(process.pid)) < 2 and time.monotonic() < until:
        time.sleep(0.05)
    started = children(process.pid)
    os.kill(process.pid, signal.SIGINT)
    _, said = process.communicate(timeout=outside.PATIENCE)
    assert process.returncode == 130 and said.startswith('chapter-adam: interrupted') and said.count('\n') == 1
    # One that the interrupt caught while it was being started ends by itself when its input does: a moment later.
    while alive(started) and time.monotonic() < until:
        time.sleep(0.05)
    assert len(started) == 2 and not alive(started)
    assert list(tmp_path.iterdir()) == []


def alive(pids):
    return [pid for pid in pids if os.path.exists(f'/proc/{pid}')]


def children(pid):
    try:
        with open(f'/proc/{pid}/task/{pid}/children') as listing:
            return [int(word) for word in listing.read().split()]
    except FileNotFoundError:
        pytest.skip('this system does not list the children of a process')


# What comes out


@pytest.fixture(scope='module')
def result(raced):
    return bench.summary([entry for entry in raced.values() if entry.competitor.same_draws], 2)


def test_the_result_holds_every_sample_machine_and_versions(result):
    assert set(result['machine']) == {'processor', 'cores', 'system'} and result['repeats'] == 2
    assert set(result['peers']) == {c.name for c in COMPETITORS if c.same_draws}
    for peer in result['peers'].values():
        if peer['state'] == 'timed':
            assert len(peer['samples_ms']) == 2 and peer['versions']['python']
            assert peer['quartiles_ms'][0] <= peer['median_ms'] <= peer['quartiles_ms'][1]
            assert peer['gap_to_reference'] <= gate.CURVE_TOLERANCE
        else:
            assert peer['reason'] and 'median_ms' not in peer
    medians = [peer['median_ms'] for peer in result['peers'].values() if peer['state'] == 'timed']
    assert medians == sorted(medians, reverse=True)


def invented():
    """A result of four competitors, one of them refused."""
    def entry(name, seconds, **other):
        found = peers.discover()[name]
        return race.Entry(found, versions={'python': '3', 'x': '1'}, prepared=0.5, final_loss=0.2447,
                          samples=[seconds * k for k in (1, 0.9, 1.2)], **other)
    refused = race.Entry(peers.discover()['jax_scan'])
    refused.drop('refused', 'its curve\nis elsewhere')
    return bench.summary([entry('numpy_loop', 0.002), entry('gluonbook-scratch', 0.3), refused,
                          entry('gluonbook-gluon', 0.15)], 3)


def test_speeds_are_over_the_original_and_stand_in_the_table():
    result = invented()
    assert list(result['peers']) == ['gluonbook-scratch', 'gluonbook-gluon', 'numpy_loop', 'jax_scan']
    numpy = result['peers']['numpy_loop']
    assert numpy['times_as_fast_as_gluonbook-scratch'] == pytest.approx(150)
    assert numpy['times_as_fast_as_gluonbook-gluon'] == pytest.approx(75)
    lines = bench.table(result['peers']).splitlines()
    assert lines[1].split()[:7] == ['gluonbook', 'train_ch7', '300', '285', '-', '330', '1.0']
    assert lines[3].split()[:8] == ['NumPy', '2.00', '1.90', '-', '2.20', '150', '75.0', '0.244700']
    assert lines[4].split(maxsplit=2)[2] == 'refused: its curve is elsewhere'
    assert 'evaluations included' in lines[-1]


@pytest.mark.parametrize('value, text', [(281.4, '281'), (40.21, '40.2'), (9.114, '9.11'), (0.0994, '0.099')])
def test_times_are_written_with_a_sensible_number_of_figures(value, text):
    assert bench._ms(value) == text


def test_the_figure_has_a_bar_for_each_slowest_on_top_and_its_speed_at_the_end():
    axes, = bench_figure.draw(invented()).axes
    assert axes.get_xscale() == 'log' and axes.yaxis_inverted() and 'milliseconds per epoch' in axes.get_xlabel()
    assert [label.get_text() for label in axes.get_yticklabels()] == [
        'gluonbook train_ch7', 'gluonbook train_gluon_ch7', 'NumPy']
    bars = {round(bar.get_y() + bar.get_height() / 2): bar for bar in axes.patches}
    assert [bars[place].get_width() for place in range(3)] == pytest.approx([300, 150, 2])
    assert bars[0].get_facecolor() == bars[1].get_facecolor() != bars[2].get_facecolor()
    assert [text.get_text() for text in axes.texts] == ['300 ms,  1 x', '150 ms,  2 x', '2 ms,  150 x']
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ['the original', 'others']
    assert len(axes.containers) == 4  # bars and error bars of two families


def test_the_command_writes_table_json_and_figure(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(race, 'ENVIRONMENTS', NO_ENVIRONMENTS)
    assert cli.main(['bench', '--only', 'numpy_loop', '--repeats', '1', '--out', str(tmp_path), '--format', 'svg']) == 0
    captured = capsys.readouterr()
    assert captured.err == '' and 'NumPy' in captured.out and 'written to' in captured.out
    assert sorted(path.name for path in tmp_path.iterdir()) == ['bench.json', 'bench.svg']
    assert list(json.loads((tmp_path / 'bench.json').read_text())['peers']) == ['numpy_loop']


def test_list_runs_nothing(capsys):
    assert cli.main(['bench', '--list', '--only', 'torch_adam']) == 0
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == [
        'torch_adam-default', 'torch_adam-foreach', 'torch_adam-fused']


def test_an_unknown_competitor_is_a_usage_error(capsys):
    assert cli.main(['bench', '--only', 'numpy_loop,caffe']) == 2
    assert "no competitor is called 'caffe'; there are d2l-scratch" in capsys.readouterr().err


# --- many runs

MANY = [c for c in COMPETITORS if c.many and c.environment == 'main']


@pytest.fixture(scope='module')
def many():
    return many_race.measure([*MANY, *(c for c in COMPETITORS if c.name == many_race.ORIGINAL)], [1, 21], 1,
                             environments=NO_ENVIRONMENTS)


def test_many_runs_are_timed_and_pass_the_gate(many):
    assert {c.name for c in MANY} == {'ours-scratch', 'ours-scratch-hybridized'}
    for c in MANY:
        assert many['peers'][c.name]['state'] == 'timed', many['peers'][c.name]['reason']
        assert set(many['peers'][c.name]['seconds_per_run_epoch']) == {'1', '21'}
    assert many['peers'][many_race.ORIGINAL]['state'] == 'skipped'


def test_the_race_of_many_runs_as_table_and_figure(many):
    assert 'ours: scratch, hybridized' in many_race.table(many)
    figure = bench_figure.draw_many(many)
    assert [text.get_text() for text in figure.axes[0].get_legend().get_texts()] == [c.label for c in MANY]


def test_a_wrong_final_loss_is_refused():
    class Wrong:
        def ask(self, _request):
            return {'seconds': 1.0, 'finals': [0.2450]}
    entry = race.Entry(MANY[0])
    many_race._sample(entry, {MANY[0].name: Wrong()}, 1, 0, {1: []}, [0.2447])
    assert entry.state == 'refused' and 'away from the float64 reference' in entry.reason


@pytest.mark.parametrize('final, state', [(0.2434, 'timed'), (0.2640, 'refused')])
def test_final_losses_from_draws_of_its_own_must_be_draws(final, state):
    class Own:
        def ask(self, _request):
            return {'seconds': 1.0, 'finals': [final]}
    own = next(c for c in COMPETITORS if c.many and not c.same_draws)
    entry, samples = race.Entry(own), {1: []}
    many_race._sample(entry, {own.name: Own()}, 1, 1, samples, [0.2447])
    assert entry.state == state and bool(samples[1]) == (state == 'timed')


def test_draws_of_the_peers_are_those_of_the_training(tmp_path):
    np.savez(tmp_path / 'task.npz', **race.section_task())
    runner = runpy.run_path(str(peers.FOLDER / '__main__.py'))
    w, b, orders = runner['Task'](tmp_path / 'task.npz').draw([5, 0])
    task = race.section_task(5)
    assert (w[0] == task['w']).all() and (orders[0] == task['orders']).all() and not b.any()


def test_the_titles_say_how_fast_ours_is():
    assert '25 times the original' in bench_figure.title(
        {'repeats': 7, 'peers': {'ours-scratch-hybridized': {'times_as_fast_as_gluonbook-scratch': 25.0}}})
    assert 'original\'s speed' not in bench_figure.title({'repeats': 7, 'peers': {}})
    result = {'repeats': 3, 'peers': {
        'gluonbook-scratch': {'seconds_per_run_epoch': {'1': [0.2, 0.3, 0.4]}},
        'ours-scratch-hybridized': {'seconds_per_run_epoch': {'1': [0.01] * 3, '1000': [5e-5, 6e-5, 7e-5]}}}}
    found = bench_figure.title_of_many(result)
    assert '1,000 seeded runs at once: ours takes 60 microseconds each, 5,000 times' in found
    assert bench_figure.title_of_many({'repeats': 3, 'peers': {}}).startswith('Many seeded runs')
