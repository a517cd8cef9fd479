"""`chapter-adam exercise`, on an exercise of the test's own."""
import json
from types import SimpleNamespace

import pytest

from chapter_adam import exercises
from chapter_adam.command import cli
from chapter_adam.output import figures


def run(features, labels, seeds, watch=None):
    watch(0.5)
    return {'rows': len(labels), 'seeds': [seeds[0], seeds[-1]]}


def figure(facts):
    drawn, axes = figures.new_figure((3, 2))
    axes.plot([0, facts['rows']])
    return drawn


@pytest.fixture
def exercise(monkeypatch):
    """The one exercise that there is; the test may change it."""
    module = SimpleNamespace(QUESTION='Why?', run=run, figure=figure,
                             answer=lambda facts: [(f'It has {facts["rows"]} rows.', facts['rows'] == 30)])
    monkeypatch.setattr(exercises, 'discover', lambda: ['why'])
    monkeypatch.setattr(exercises, 'load', lambda name: module)
    return module


@pytest.fixture
def options(small):
    return small[2:]


def test_question_answer_figure_and_facts(exercise, options, tmp_path, capsys):
    exercise.answer = lambda facts: [(f'It has {facts["rows"]} rows.', True)]
    assert cli.main(['exercise', 'all', *options, '--seeds', '3', '--first-seed', '5']) == 0
    out = capsys.readouterr().out
    assert '\nWhy?\n\nIt has 1503 rows.\n' in out and 'written to ' in out
    assert json.loads((tmp_path / 'out' / 'exercise-why.json').read_text()) == {'rows': 1503, 'seeds': [5, 7]}
    assert {path.name for path in (tmp_path / 'out').iterdir()} == {
        'exercise-why.json', 'exercise-why.svg', 'exercise-why.timing.json'}


def test_a_sentence_that_does_not_hold_ends_with_1(exercise, options, capsys):
    assert cli.main(['exercise', 'why', *options, '--quiet']) == 1
    assert capsys.readouterr().out == 'DOES NOT HOLD HERE: It has 1503 rows.\n'


def test_json_is_all_of_standard_output(exercise, options, capsys):
    assert cli.main(['exercise', 'why', *options, '--json']) == 1
    result = json.loads(capsys.readouterr().out)['why']
    assert result['question'] == 'Why?' and result['timing']['seconds'] >= 0
    assert result['answer'] == [{'sentence': 'It has 1503 rows.', 'holds': False}]


def test_facts_are_plain_numbers(exercise, options, fails):
    exercise.run = lambda *_: {'x': float('nan')}
    fails(['exercise', 'why', *options], 1, 'float values')


def test_fewer_seeds_than_the_sentences_are_made_for_conclude_nothing(exercise, options, capsys):
    assert cli.main(['exercise', 'why', *options, '--quiet', '--seeds', '99']) == 0
    assert capsys.readouterr().out == 'TOO FEW SEEDS TO TELL: It has 1503 rows.\n'


def test_the_list_names_every_question(capsys):
    assert cli.main(['exercise', '--list']) == 0
    assert capsys.readouterr().out.count('\n') == len(exercises.discover())
