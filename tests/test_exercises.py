"""The exercises: every file has the form, a new file is found, and every committed answer is true of its facts."""
import ast
import copy
import doctest
import itertools
import json
import re
import sys
from importlib import import_module
from pathlib import Path

import matplotlib
import numpy as np
import outside
import pytest
from test_layers import MAY_IMPORT, imports

import chapter_adam as gb
from chapter_adam import answers, cli, exercises, figures
from chapter_adam.exercises import learning_rate
from chapter_adam.exercises._numbers import nearest

NAMES = [*exercises.discover()]
FOLDER = Path(exercises.__file__).parent
HELPERS = sorted(path.stem for path in FOLDER.glob('_[!_]*.py'))
ABOVE = {'cli', '__main__', 'answers', 'bench', 'section', 'chapter', 'exercises', 'peers'}
BELOW = {'numpy', 'matplotlib', 'mxnet', *(set(MAY_IMPORT) - ABOVE), *HELPERS}
COMMITTED = outside.CLONE / 'figures'

PLANTED = '''"""An exercise as a teacher might add it."""
import numpy as np

from .. import figures
from ..ensemble import train_ensemble
from ..optimizers import RULES

QUESTION = 'Does SGD learn?'


def run(features, labels, seeds, watch=None):
    rule, states = RULES['sgd']
    runs = train_ensemble(rule, states(), {'lr': 0.05}, features, labels, seeds=seeds,
                          watch=watch and (lambda done: watch(done / len(seeds))))
    return {'settings': runs.settings, 'seeds': list(seeds), 'median': round(float(np.median(runs.final)), 6)}


def figure(facts):
    figure, axes = figures.new_figure((3, 2))
    axes.plot(facts['seeds'], [facts['median']] * len(facts['seeds']))
    return figure


def answer(facts):
    return [(f'It ends at {facts["median"]:.3f}.', facts['median'] < 0.3), ('It ends above 1.', facts['median'] > 1)]
'''


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A further folder of exercises, forgotten after the test."""
    monkeypatch.setattr(exercises, '__path__', [*exercises.__path__, str(tmp_path)])
    before = set(sys.modules)
    yield tmp_path
    for name in set(sys.modules) - before:
        if name.startswith('chapter_adam.exercises.'):
            del sys.modules[name]
            vars(exercises).pop(name.rpartition('.')[2], None)


@pytest.fixture
def planted(folder):
    """The exercise `new-one` in that folder; returns a function that puts another text in its place."""
    def plant(*replacements):
        text = PLANTED
        for old, new in replacements:
            assert old in text
            text = text.replace(old, new)
        (folder / 'new_one.py').write_text(text)
    plant()
    return plant


def facts_of(name):
    path = COMMITTED / f'exercise-{name}.json'
    if not path.exists():  # that a committed exercise has its facts is a test of its own
        pytest.skip(f'{path} is not there yet: chapter-adam exercise {name}')
    return json.loads(path.read_text())


# The form


def test_the_exercises_of_the_section_are_there():
    assert 'learning-rate' in NAMES and not any('_' in name or name.startswith('-') for name in NAMES)


@pytest.mark.parametrize('name', NAMES)
def test_an_exercise_has_the_form_and_imports_rooms_below(name):
    assert exercises.question(name) == exercises.load(name).QUESTION
    assert foreign(exercises.discover()[name]) <= BELOW


@pytest.mark.parametrize('helper', HELPERS)
def test_a_helper_is_needed_has_true_examples_and_imports_no_exercise(helper):
    path, module = FOLDER / f'{helper}.py', import_module(f'chapter_adam.exercises.{helper}')
    assert foreign(path) <= BELOW and module.__doc__ and doctest.testmod(module).failed == 0
    assert any(helper in foreign(other) for other in FOLDER.glob('*.py') if other != path)


def foreign(path):
    """What a file of the folder imports beyond the standard library."""
    return {each for each, _ in imports(ast.parse(path.read_text())) if each not in sys.stdlib_module_names}


def test_a_committed_exercise_has_its_facts_and_figures():
    for name in NAMES:
        if exercises.discover()[name].name in outside.committed('chapter_adam/exercises'):
            for kind in ('json', 'svg', 'png'):
                assert f'exercise-{name}.{kind}' in outside.committed('figures'), (
                    f'chapter-adam exercise {name} draws figures/exercise-{name}.*: commit them with the exercise')


def test_a_new_file_is_discovered_and_listed(planted, capsys):
    assert [*exercises.discover()] == sorted([*NAMES, 'new-one'])
    assert cli.main(['exercise', '--list']) == 0
    listed = dict(re.split(r' {2,}', line) for line in capsys.readouterr().out.splitlines())
    assert listed['new-one'] == 'Does SGD learn?' and set(listed) == {*NAMES, 'new-one'}


def test_a_file_without_the_form_hides_no_other(planted, capsys):
    planted(('def figure(facts)', 'def draw(facts)'))
    assert cli.main(['exercise', '--list']) == 1
    out, err = capsys.readouterr()
    assert [line.split()[0] for line in out.splitlines()] == NAMES
    assert re.fullmatch(r'chapter-adam: .*new_one\.py: an exercise must define figure\(facts\).*\n', err)


def test_a_file_with_an_underscore_in_front_is_a_helper(folder):
    (folder / '_shared.py').write_text('')
    assert [*exercises.discover()] == NAMES


@pytest.mark.parametrize('old, new, complaint', [
    ('def figure(facts)', 'def draw(facts)', r'new_one\.py: an exercise must define figure\(facts\)'),
    ('seeds, watch=None)', 'seeds)', r'must define run\(features, labels, seeds, watch\)'),
    ("QUESTION = 'Does SGD learn?'", 'QUESTION = str(1)', "must declare QUESTION = '...'"),
    ('def answer(facts):', 'def answer(facts)', r'new_one\.py, line \d+: '),
    ("round(float(np.median(runs.final)), 6)", 'runs.final', 'new-one: the facts must be plain JSON'),
    ("round(float(np.median(runs.final)), 6)", "float('nan')", 'new-one: the facts must be plain JSON'),
    ("('It ends above 1.', facts['median'] > 1)", "'It ends.'", "an answer is pairs .* got 'It ends.'"),
    ("facts['median'] > 1", "'yes'", 'an answer is pairs'),
])
def test_a_file_without_the_form_is_one_line(planted, tmp_path, capsys, old, new, complaint):
    planted((old, new))
    assert cli.main(['exercise', 'new-one', '--seeds', '2', '--out', str(tmp_path / 'out')]) == 1
    assert re.fullmatch(f'chapter-adam: .*{complaint}.*\n', capsys.readouterr().err)
    assert [*(tmp_path / 'out').glob('*')] == []


# The command


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_new_file_is_run_and_what_does_not_hold_is_marked(planted, tmp_path, capsys):
    out = tmp_path / 'out'
    assert cli.main(['exercise', 'new-one', '--seeds', '3', '--first-seed', '7', '--out', str(out)]) == 1
    said = capsys.readouterr()
    facts = json.loads((out / 'exercise-new-one.json').read_text())
    assert facts['seeds'] == [7, 8, 9] and said.err == ''
    assert said.out.splitlines()[1:] == ['', 'Does SGD learn?', '', f'It ends at {facts["median"]:.3f}.',
                                         'DOES NOT HOLD HERE: It ends above 1.',
                                         f'written to {out}: exercise-new-one as svg, png and json', '']
    assert names(out) == [f'exercise-new-one.{kind}' for kind in ('json', 'png', 'svg', 'timing.json')]


def test_all_that_holds_is_success_and_a_second_run_changes_no_byte(planted, tmp_path, capsys):
    planted(("facts['median'] > 1", "True"))
    written = []
    for folder in (tmp_path / 'a', tmp_path / 'b'):
        assert cli.main(['exercise', 'new-one', '--seeds', '2', '--format', 'svg', '--out', str(folder)]) == 0
        written.append({path.name: path.read_bytes() for path in folder.iterdir() if not path.match('*.timing.json')})
    assert written[0] == written[1] and len(written[0]) == 2


def test_quiet_is_the_answer_alone(planted, tmp_path, capsys):
    cli.main(['exercise', 'new-one', '--seeds', '2', '--quiet', '--out', str(tmp_path / 'out')])
    first, second = capsys.readouterr().out.splitlines()
    assert first.startswith('It ends at') and second == 'DOES NOT HOLD HERE: It ends above 1.'


def test_json_is_all_of_standard_output(planted, tmp_path, capsys):
    assert cli.main(['exercise', 'new-one', '--seeds', '2', '--json', '--out', str(tmp_path / 'out')]) == 1
    result = json.loads(capsys.readouterr().out)['new-one']
    assert [each['holds'] for each in result['answer']] == [True, False]
    assert result['question'] == 'Does SGD learn?' and result['timing']['seconds'] > 0
    assert result['facts'] == json.loads((tmp_path / 'out' / 'exercise-new-one.json').read_text())


def test_a_rule_of_ones_own_in_an_exercise_of_ones_own(planted, tmp_path, capsys):
    planted(("RULES['sgd']", "RULES['yogi']"), ("{'lr': 0.05}", "{'lr': 0.01}"))
    assert cli.main(['exercise', 'new-one', '--seeds', '2', '--out', str(tmp_path / 'out')]) == 1
    assert re.search(r'It ends at 0\.24', capsys.readouterr().out)


@pytest.mark.parametrize('arguments, cause', [
    ('new-two', "argument NAME: no exercise is called 'new-two'; there are .*learning-rate.*, all$"),
    ('learning_rate', 'there are .*learning-rate'),
    ('', 'name an exercise: .*learning-rate.*, all; or --list$'),
    ('all --seeds 0', "argument --seeds: expected a whole number of at least 1, got '0'"),
    ('all --seed 3', 'unrecognized arguments: --seed 3'),
])
def test_bad_usage(tmp_path, monkeypatch, capsys, arguments, cause):
    monkeypatch.chdir(tmp_path)
    assert cli.main(['exercise', *arguments.split()]) == 2
    out, err = capsys.readouterr()
    assert out == '' and re.search(cause, err.splitlines()[-1]) and names(tmp_path) == []


@pytest.mark.parametrize('name', NAMES)
def test_each_runs_with_a_few_seeds(name, tmp_path, capsys):
    """Too few for every sentence to hold: that must be said, and be all."""
    code = cli.main(['exercise', name, '--seeds', '3', '--first-seed', '50', '--format', 'svg', '--out', str(tmp_path)])
    out = capsys.readouterr().out
    assert code == (answers.MARK in out) and exercises.question(name).split()[0] in out
    assert names(tmp_path) == [f'exercise-{name}.{kind}' for kind in ('json', 'svg', 'timing.json')]


# The answers


@pytest.mark.parametrize('name', NAMES)
def test_the_committed_facts_give_a_true_answer_and_the_committed_figure(name, tmp_path):
    exercise, facts = exercises.load(name), facts_of(name)
    judged = answers.judged(name, exercise.answer(facts))
    assert [each['sentence'] for each in judged if not each['holds']] == []
    assert all(each['sentence'][0].isupper() and each['sentence'].endswith('.') for each in judged) and judged
    with figures.style():
        picture = exercise.figure(facts)
    assert isinstance(picture, matplotlib.figure.Figure)
    assert all(axes.get_xlabel() for axes in picture.axes), f'{name}: each x axis needs a label'


@pytest.mark.parametrize('name', NAMES)
def test_some_planted_number_makes_a_sentence_fail(name):
    """Without them, a sentence might hold whatever was measured."""
    exercise, failing = exercises.load(name), 0
    for change, part in itertools.product((lambda x: 0 * x, lambda x: -x, lambda x: 1000 * x), (0, 1)):
        with np.errstate(all='ignore'):
            try:
                failing += not all(holds for _, holds in exercise.answer(changed(facts_of(name), change, part)))
            except (ArithmeticError, ValueError):
                failing += 1
    assert failing, f'{name}: whatever its numbers are, every sentence holds'


def changed(facts, change, part):
    """Every second number of the facts changed, from the first or the second on, the settings left."""
    count = iter(range(10 ** 9))

    def walk(value):
        if isinstance(value, dict):
            return {key: each if key == 'settings' else walk(each) for key, each in value.items()}
        if isinstance(value, list):
            return [walk(each) for each in value]
        return change(value) if isinstance(value, float) and next(count) % 2 == part else value
    return walk(facts)


# learning-rate


@pytest.fixture
def facts():
    return facts_of('learning-rate')


def test_the_learning_rate_facts_are_those_of_independent_runs(airfoil, airfoil_arrays, facts):
    k = facts['rates'].index(0.01)
    runs = gb.train_ensemble(gb.adam, gb.init_adam_states(), {'lr': 0.01, 't': 1}, *airfoil, seeds=range(100))
    assert facts['settings']['seeds_per_rate'] == 100 and facts['settings']['first_seed'] == 0
    assert facts['short']['median'][k] == pytest.approx(np.median(runs.final), abs=1e-5)
    assert facts['short']['excess'][k] == pytest.approx(runs.final.mean() - facts['floor'], abs=1e-5)
    # The noise as what it is: the scatter of the weights, in the metric of the data's second moments.
    X = np.column_stack([airfoil_arrays[0], np.ones(1503)])
    weights = np.column_stack([runs.weights, runs.biases]).astype(float)
    noise = np.trace(np.cov(weights.T) @ (X.T @ X / len(X))) / 2
    assert facts['short']['noise'][k] == pytest.approx(noise, rel=1e-3)
    assert facts['farthest_weight'] == pytest.approx(0.586, abs=1e-3)


def test_the_two_parts_add_up(facts):
    for when in ('short', 'longer'):
        parts = np.add(facts[when]['to_go'], facts[when]['noise'])
        np.testing.assert_allclose(parts, facts[when]['excess'], rtol=1e-4, atol=1e-8)


def test_a_single_seed_has_no_noise_and_still_an_answer(airfoil):
    facts = learning_rate.run(*(a[:40] for a in airfoil), range(1))
    assert not all(holds for _, holds in learning_rate.answer(facts)) and learning_rate.figure(facts)


def test_the_watch_is_told_the_part_that_is_done(airfoil):
    told = []
    learning_rate.run(*(a[:40] for a in airfoil), range(2), told.append)
    assert told == sorted(told) and told[-1] == pytest.approx(1)


def swap(table, key, value, rate=None):
    """A change of the facts: one number (at a rate), or a whole list by a function."""
    def change(facts):
        target = facts[table] if table else facts
        if rate is None:
            target[key] = value(target[key])
        else:
            target[key][nearest(facts['rates'], rate)] = value
    return change


@pytest.mark.parametrize('sentence, change', [
    (0, swap('short', 'median', 0.24, 1e-4)),
    (1, swap('short', 'median', 0.25, 0.01)),
    (1, swap('short', 'median', lambda values: [x + (0.1 if x > min(values) else 0) for x in values])),
    (2, swap('short', 'moved', 3.2, 1e-4)),
    (2, swap('short', 'to_go', 0.05, 1e-3)),
    (3, swap('short', 'noise', 0.01, 0.1)),
    (3, swap('short', 'noise', 0.01, 0.01)),
    (3, swap('short', 'to_go', lambda values: [1000 * x for x in values])),
    (4, swap('longer', 'median', 0.2, 0.1)),
    (4, swap('longer', 'median', 0.33, 1e-3)),
    (5, swap('within_10_percent', 'examples', lambda values: values[::-1])),
])
def test_a_wrong_number_makes_its_sentence_fail(facts, sentence, change):
    assert all(holds for _, holds in learning_rate.answer(copy.deepcopy(facts)))
    change(facts)
    assert not learning_rate.answer(facts)[sentence][1]


def test_the_learning_rate_figure_shows_the_facts(facts):
    with figures.style():
        loss, curves, parts, speed = learning_rate.figure(facts).axes
    assert [*loss.lines[0].get_ydata()] == facts['short']['median'] and loss.get_xscale() == 'log'
    assert [*parts.lines[0].get_ydata()] == facts['short']['excess']
    assert len(curves.lines) == len(facts['curves']['median']) + 1
    assert [*speed.lines[0].get_ydata()] == [x for x in facts['within_10_percent']['examples'] if x]
