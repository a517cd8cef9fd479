"""The race: no competitor is timed before its losses and its clock are right, and none can stop the others."""
import os
import signal
import subprocess
import sys
import time

import outside
import pytest

import chapter_adam as gb
from chapter_adam.bench import gate, many_race, peers, process, race
from chapter_adam.book import run_scratch

NO_ENVIRONMENTS = outside.CLONE / 'no such folder'  # every competitor runs in this Python
GOOD = (peers.FOLDER / 'numpy_loop.py').read_text()
# What is replaced in a good competitor, and the verdict.
REFUSED = {
    'rate': ('task.lr /', '1.01 * task.lr /', 'away from the float64 reference'),
    'step': ('np.zeros_like(x), 0', 'np.zeros_like(x), 1', 'away from the float64 reference'),
    'short': ('t in task.records', 't in task.records - {20}', 'it recorded 30 losses, not 31'),
    'short_batch': ('@ X / len(X)', '@ X / 10', 'away from the float64 reference'),
    'start': ('np.append(task.w', 'np.append(0 * task.w', 'away from the float64 reference'),
    'correction': ('np.sqrt(s / (1 - task.beta2 ** t))', 'np.sqrt(s)', 'away from the float64 reference'),
    'not_finite': ('residual @ residual', 'float("nan")', 'nan away'),
    'fast_clock': ('def train():', 'task.seconds = lambda: 1e-6\n\n    def train():', 'its clock says 0.001 ms'),
    'slow_clock': ('def train():', 'task.seconds = lambda: 9\n\n    def train():', 'its clock says 9e+03 ms'),
}
# What is added to it, and why it fails.
FAILED = {
    'raises': ("def prepare(task, variant):\n    raise RuntimeError('out of luck')", 'RuntimeError: out of luck'),
    'silent': ('def prepare(task, variant):\n    return lambda: None', 'it has recorded no losses'),
    'dies': ('import os\ndef prepare(task, variant):\n    os._exit(3)', 'it ended without a word'),
    'garbage': ('import os\nfor fd in range(3, 9):\n    try:\n        os.write(fd, b"hello\\n")\n    except OSError:\n'
                '        pass', "its answer is not JSON: 'hello\\n'"),
    'absent': ("REQUIRES = ('no_such_framework',)", "ModuleNotFoundError: No module named 'no_such_framework'"),
}


@pytest.fixture(scope='module')
def raced(tmp_path_factory):
    """One race of all of these and of a noisy good one, which comes last: the entries by name, and what was said."""
    folder, said = tmp_path_factory.mktemp('competitors'), []
    for name, (old, new, _) in REFUSED.items():
        assert old in GOOD, name
        (folder / f'{name}.py').write_text(GOOD.replace(old, new, 1))
    for name, (text, _) in FAILED.items():
        (folder / f'{name}.py').write_text(f'{GOOD}\n{text}\n')
    (folder / 'zz_good.py').write_text(f'{GOOD}\nprint("hello")\nimport os\nos.system("echo from below")\n')
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(race, 'GATE_SECONDS', 0)
        entries = race.run(peers.discover(folder).values(), 2, said.append, NO_ENVIRONMENTS)
    return {entry.competitor.name: entry for entry in entries}, said


@pytest.mark.parametrize('name', REFUSED)
def test_a_wrong_answer_or_clock_is_refused_and_not_timed(raced, name):
    entry = raced[0][name]
    assert entry.state == 'refused' and REFUSED[name][2] in entry.reason and entry.samples == []


@pytest.mark.parametrize('name', FAILED)
def test_a_competitor_that_fails_is_out_with_its_reason(raced, name):
    entry = raced[0][name]
    assert (entry.state, entry.reason) == ('skipped' if name == 'absent' else 'failed', FAILED[name][1])


def test_the_race_goes_on_and_says_a_line_for_each(raced):
    entries, said = raced
    good = entries['zz_good']
    assert (good.state, len(good.samples)) == ('timed', 2) and min(good.samples) > 0
    assert good.gap < gate.CURVE_TOLERANCE and set(good.process.versions) == {'python', 'numpy'}
    assert len(said) == len(entries) + 2 and said[-3] == f'{len(entries)}/{len(entries)} NumPy: passes the gate'


def test_a_competitor_that_hangs_is_ended(tmp_path, monkeypatch):
    monkeypatch.setattr(process, 'PATIENCE', 0.5)
    (tmp_path / 'hangs.py').write_text(f'{GOOD}\nimport time\ndef prepare(task, variant):\n    time.sleep(99)\n')
    entry, = race.run(peers.discover(tmp_path).values(), 1, environments=NO_ENVIRONMENTS)
    assert (entry.state, entry.reason) == ('failed', 'no answer within 0.5 s')


def test_the_reference_is_the_section_s_curve():
    curve = run_scratch(gb.adam, gb.init_adam_states(), {'lr': 0.01, 't': 1}, *gb.get_data_ch7()).losses
    expected = gate.reference(race.section_task())
    assert len(curve) == 31 and gate.largest_gap(curve, expected) < 1e-6
    assert gate.losses_verdict(expected, expected) is None and gate.losses_verdict(expected[1:], expected)


@pytest.mark.parametrize('loss, passes', [(0.2441, True), (0.2570, True), (0.495, False), (0.2573, False),
                                          (0.2410, False), (float('nan'), False)])
def test_own_draws_must_end_where_a_thousand_seeds_ended(loss, passes):
    reason = gate.finals_verdict([0.2441, loss])
    assert (reason is None) == passes and (passes or f'{loss:.6f}' in reason)


def test_a_library_that_keeps_its_loop_is_timed_from_outside():
    class Closed:
        def train(self, num_epochs):
            return {'wall': 1 + 0.25 * num_epochs, 'seconds': 9, 'losses': [1]}
    closed, = peers.named(peers.discover(), 'gluonbook-scratch')
    assert race.epoch_seconds(race.Entry(closed, process=Closed())) == 0.25


@pytest.fixture(scope='module')
def many():
    found = peers.discover()
    return many_race.run([found['numpy_loop'], found['d2l-scratch']], (1, 21), 1, environments=NO_ENVIRONMENTS)


def test_many_runs_are_timed_by_those_who_can(many):
    assert list(many['peers']) == ['numpy_loop'] and many['peers']['numpy_loop']['state'] == 'timed'
    one, several = (many['peers']['numpy_loop']['seconds_per_run_epoch'][size] for size in ('1', '21'))
    assert len(one) == len(several) == 1 and 0 < several[0] < one[0]


@pytest.mark.parametrize('name, final, state', [
    ('numpy_loop', 0.2447, 'timed'), ('numpy_loop', 0.2450, 'refused'),
    ('jax_scan-draws', 0.2434, 'timed'), ('jax_scan-draws', 0.2640, 'refused')])
def test_wrong_final_losses_of_many_runs_are_refused(name, final, state):
    class Asked:
        def ask(self, _request):
            return {'seconds': 1.0, 'finals': [final]}
    entry = race.Entry(peers.discover()[name], process=Asked(), samples={1: []})
    assert many_race.sample(entry, 1, [0.2447]) == ([0.5] if state == 'timed' else []) and entry.state == state


def test_more_runs_than_fit_are_refused_before_anything_starts():
    with pytest.raises(ValueError, match='9,999,999,999,999 runs at once need .* GB'):
        many_race.run([peers.discover()['numpy_loop']], (1, 9999999999999), 1)


def test_ctrl_c_ends_every_process(tmp_path, ctrl_c):
    command = [sys.executable, '-m', 'chapter_adam', 'bench', '--only', 'numpy_loop', '--repeats', '999999', '--out',
               str(tmp_path)]
    parent = subprocess.Popen(command, env=outside.environment(TMPDIR=str(tmp_path)), stderr=subprocess.PIPE,
                              text=True, start_new_session=True)
    until = time.monotonic() + outside.PATIENCE
    while not (started := children(parent.pid)) and time.monotonic() < until:
        time.sleep(0.05)
    os.kill(parent.pid, signal.SIGINT)
    _, said = parent.communicate(timeout=outside.PATIENCE)
    assert parent.returncode == 130 and said.splitlines()[-1].startswith('chapter-adam: interrupted')
    # A process that was just starting ends by itself, when its input does.
    while any(os.path.exists(f'/proc/{pid}') for pid in started) and time.monotonic() < until:
        time.sleep(0.05)
    assert started and not any(os.path.exists(f'/proc/{pid}') for pid in started) and not list(tmp_path.iterdir())


def children(pid):
    try:
        with open(f'/proc/{pid}/task/{pid}/children') as listing:
            return listing.read().split()
    except FileNotFoundError:
        pytest.skip('this system does not list the children of a process')
