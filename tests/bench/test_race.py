"""The race: no time counts unless losses and clock are right, and no competitor can stop the others."""
import pytest

from chapter_adam.bench import gate, peers, process, race, worker

TASK = race.section_task()
CURVES = race.references(worker.Task(**TASK), worker.CHECKED)
# What is replaced in a good competitor, and why it is refused.
WRONG = {
    'rate': ('task.lr /', '1.01 * task.lr /', 'away from the float64 reference'),
    'not_finite': ('residual @ residual', 'float("nan")', 'nan away'),
    'record': ('x = np.append', 'task.due[0, 9] = False; x = np.append', 'it recorded 30 losses, not 31'),
    'clock': ('x = np.append', 'import time; time.sleep(.5); x = np.append', 'of the wall time, allowed'),
}


@pytest.fixture
def competitor(tmp_path):
    """Makes one from NumPy's, with `old` replaced and `more` at the end."""
    good = (peers.FOLDER / 'numpy_loop.py').read_text()

    def make(name, old='', new='', more='', packages=('numpy',)):
        assert old in good
        (tmp_path / f'{name}.py').write_text(f'{good.replace(old, new, 1)}\n{more}\n')
        return peers.Competitor(name, name, 'others', 'main', packages, many=True, folder=tmp_path)
    return make


def verdict(competitor, expected=CURVES[0], runs=0):
    """The gate's, about a training in this process."""
    answer = worker.answer({**competitor.job(runs), 'warm_up': 0, 'task': TASK})
    return gate.verdict(answer, expected, closed=False)


@pytest.mark.parametrize('name', WRONG)
def test_a_wrong_answer_or_clock_is_refused(competitor, name):
    old, new, reason = WRONG[name]
    assert reason in verdict(competitor(name, old, new))


@pytest.mark.parametrize('name', ['ours-scratch-hybridized', 'ours-gluon-hybridized'])
def test_ours_pass(name):
    assert verdict(peers.COMPETITORS[name]) is None


def test_many_runs_must_end_with_the_losses_of_their_seeds(competitor):
    finals = [curve[-1] for curve in CURVES]
    for c in (competitor('good'), peers.COMPETITORS['ours-scratch-hybridized']):
        assert verdict(c, finals, runs=21) is None
    assert verdict(competitor('wrong', 'task.lr', '1.01 * task.lr'), finals, runs=21)


def test_own_draws_must_end_where_100_000_seeds_ended():
    low, *inside, high = (gate.verdict({'losses': [loss]}, [], closed=True) for loss in (0.241, 0.2441, 0.2661, 0.2673))
    assert inside == [None, None] and '0.241000 is outside of' in low and '0.267300 is outside of' in high


def test_the_race_goes_on_after_a_failure_and_says_a_line_for_each(competitor):
    said, failing = [], 'def prepare(task, variant):\n    '
    result = race.run([
        competitor('dies', more=f'import os\n{failing}os._exit(3)'),
        competitor('silent', more=f'{failing}return lambda: None'),
        competitor('absent', more='import no_such_framework', packages=('no_such_framework', 'numpy')),
        competitor('wrong', '/ len(X)', '/ (10 if REPEATED else len(X))', more=(
            'import os\nREPEATED = os.path.exists(__file__ + ".ran")\nopen(__file__ + ".ran", "w")')),
        competitor('good', more='print("hello")\nimport os\nos.system("echo from below")')], 2, watch=said.append)
    *out, wrong, good = result['peers'].values()
    assert [(peer['state'], peer['reason']) for peer in out] == [
        ('failed', 'it ended without a word'), ('failed', 'ValueError: it recorded no losses'),
        ('skipped', "ModuleNotFoundError: No module named 'no_such_framework'")]
    assert wrong['state'] == 'refused' and not wrong['seconds_per_run_epoch']
    assert good['state'] == 'timed' and set(good['versions']) == {'python', 'numpy'}
    assert good['gap_to_reference'] < gate.CURVE_TOLERANCE and round(good['final_loss'], 6) == 0.244703
    assert len(good['seconds_per_run_epoch']['1']) == 2 and min(good['seconds_per_run_epoch']['1']) > 0
    assert len(said) == 7 and said[-1] == 'repeat 2 of 2, 5/5 good: passes the gate'


def test_a_competitor_that_hangs_is_ended(competitor, monkeypatch):
    monkeypatch.setattr(process, 'PATIENCE', 0.5)
    with pytest.raises(process.Out, match='failed.*no answer within 0.5 s'):
        process.run(competitor('hangs', more='import time\ntime.sleep(99)'), TASK, runs=0)


@pytest.mark.parametrize('closed', [False, True])
def test_the_clock_takes_the_last_epoch(monkeypatch, closed):
    """Each look at the clock takes a second: 31 records, between two of the worker's own."""
    task, seconds = worker.Task(**TASK), iter(range(999))
    monkeypatch.setattr(worker.time, 'perf_counter', lambda: next(seconds))

    def train():
        for loss in range(1 + 15 * task.num_epochs):
            task.record(loss)
    trained = worker.once(task, train, closed)
    assert trained['seconds'] == 15 and trained['losses'] == list(range(31))
    assert trained['recorded'] == (1 if closed else 30 / 32)


def test_only_those_who_can_train_many_runs():
    with pytest.raises(ValueError, match='none of these competitors can train many runs'):
        race.run([peers.COMPETITORS['d2l-scratch']], 1, (1, 2))
