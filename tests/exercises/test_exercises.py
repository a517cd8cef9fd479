"""Every exercise: its form, a small run, and the committed facts, of which every sentence is true and could fail."""
import copy
import inspect
import json
from pathlib import Path

import numpy as np
import outside
import pytest

from chapter_adam import exercises
from chapter_adam.output import figures

NAMES = exercises.discover()
FORM = {'run': ['features', 'labels', 'seeds', 'watch'], 'answer': ['facts'], 'figure': ['facts']}
FIGURES = outside.CLONE / 'figures'


def facts_of(name):
    return json.loads((FIGURES / f'exercise-{name}.json').read_text())


def figure_of(name, facts):
    with figures.style():
        return exercises.load(name).figure(facts)


def test_the_seven_exercises_are_there():
    assert {'learning-rate', 'two-averages', 'bias-correction', 'decay', 'divergence', 'paths', 'epsilon'} <= {*NAMES}
    assert len([*outside.CLONE.glob('chapter_adam/exercises/*.py')]) <= 8


@pytest.mark.parametrize('name', NAMES)
def test_an_exercise_has_the_form_and_its_place_in_the_gallery(name):
    module, gallery = exercises.load(name), (FIGURES / 'README.md').read_text()
    assert module.QUESTION.endswith('?') and module.__doc__.startswith(f'Exercise `{name}`')
    assert {function: [*inspect.signature(vars(module)[function]).parameters] for function in FORM} == FORM
    text = Path(module.__file__).read_text()
    assert text.count('\n') <= 130 and '..lazy' not in text
    assert not any(f'from .{other.replace("-", "_")} ' in text for other in NAMES)
    assert f'## exercise-{name}\n' in gallery and f'    chapter-adam exercise {name}\n' in gallery
    assert {f'exercise-{name}.{kind}' for kind in ('json', 'svg', 'png')} <= outside.committed('figures')


@pytest.mark.parametrize('name', NAMES)
def test_a_small_run_gives_facts_an_answer_and_a_figure(name, airfoil):
    """On 100 rows few sentences hold; they must still be told and drawn."""
    module, told = exercises.load(name), []
    facts = json.loads(json.dumps(module.run(*(a[:100] for a in airfoil), range(5, 8), told.append), allow_nan=False))
    assert told == sorted(told) and all(0 <= part <= 1.001 for part in told)
    assert facts['settings']['seeds'] == 3 and facts['settings']['first_seed'] == 5
    assert all(isinstance(sentence, str) and holds in (True, False) for sentence, holds in module.answer(facts))
    assert figure_of(name, facts).axes


@pytest.mark.parametrize('name', ['epsilon', 'paths'])
def test_two_runs_give_the_same_facts(name, airfoil):
    first, second = (exercises.load(name).run(*(a[:60] for a in airfoil), range(2)) for _ in range(2))
    assert first == second


@pytest.mark.parametrize('name', NAMES)
def test_the_committed_facts_make_every_sentence_hold(name):
    answer = exercises.load(name).answer(facts_of(name))
    assert [sentence for sentence, holds in answer if not holds] == []
    assert 1 < len(answer) <= 4
    assert all(sentence[0].isupper() and sentence.endswith('.') and 'nan' not in sentence for sentence, _ in answer)


def leaves(facts, *path):
    """The paths to each number, text or list of numbers, but those of the settings."""
    for key, value in facts.items():
        if isinstance(value, dict) and key != 'settings':
            yield from leaves(value, *path, key)
        elif not isinstance(value, (dict, str)):
            yield (*path, key), value


@pytest.mark.parametrize('name', NAMES)
def test_each_sentence_fails_for_some_other_number(name):
    """One fact is changed at a time. Without such a number a sentence would hold whatever was measured."""
    module, facts, failed = exercises.load(name), facts_of(name), set()
    for (*path, key), value in leaves(facts):
        for change in (lambda x: 0 * x, lambda x: -x, lambda x: 1000 * x, lambda x: x[::-1] if np.ndim(x) else x):
            changed = copy.deepcopy(facts)
            place = changed
            for step in path:
                place = place[step]
            place[key] = np.asarray(change(np.array(value))).tolist()
            with np.errstate(all='ignore'):
                try:
                    failed |= {k for k, (_, holds) in enumerate(module.answer(changed)) if not holds}
                except (ArithmeticError, ValueError, LookupError, TypeError):
                    pass  # an answer may need the number to be possible
    assert failed == {*range(len(module.answer(facts)))}


@pytest.mark.parametrize('name', NAMES)
def test_the_figure_has_at_most_four_named_panels(name):
    picture = figure_of(name, facts_of(name))
    assert picture.get_suptitle() if hasattr(picture, 'get_suptitle') else picture._suptitle.get_text()
    assert len(picture.axes) <= 4
    for axes in picture.axes:
        assert axes.get_xlabel() and axes.get_title() and axes.lines
        low, high = axes.get_ylim()
        for line in axes.lines:  # some of each line is in sight
            assert any(low <= y <= high for y in np.asarray(line.get_ydata(), float)), axes.get_title()
