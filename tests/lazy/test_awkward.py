"""Whatever a rule does, hybridized it does the same: curve, parameters, and what it has seen on the way."""
import warnings

import pytest
from awkward import ENDING, RULES

import chapter_adam as gb
from chapter_adam.book import run_scratch


def train(make, data, hybridize):
    rule, seen = make()
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter('always', UserWarning)
        run = run_scratch(rule, gb.init_adam_states(), {'lr': 0.01, 't': 1}, *data, hybridize=hybridize)
    seen = [one() if callable(one) else one for one in seen]
    messages = [str(one.message) for one in said]
    return (run.losses, run.weights, run.bias), seen, [text for text in messages if 'eagerly' in text]


def check(make, data):
    (eager, eager_seen, _), (run, seen, said) = (train(make, data, hybridize) for hybridize in (False, True))
    assert (run, seen) == (eager, eager_seen)
    assert train(make, data, True)[0] == eager  # now that its graphs are known
    return said


@pytest.mark.parametrize('name', RULES)
def test_a_rule_that_stays_lazy(few_rows, name):
    assert check(RULES[name], few_rows) == []


@pytest.mark.parametrize('name', ENDING)
def test_a_rule_whose_laziness_ends_says_so_once_and_where(few_rows, name):
    said, = check(ENDING[name], few_rows)
    assert said.startswith('awkward.py, line ') and said.endswith('the run goes on eagerly from here')


@pytest.mark.parametrize('name', gb.RULES)
def test_the_rules_of_the_package_which_take_their_graphs(few_rows, monkeypatch, name):
    rule, init_states = gb.RULES[name]

    def outcome(hybridize):
        run = run_scratch(rule, init_states(), {'lr': 0.01, 't': 1}, *few_rows, hybridize=hybridize)
        return run.losses, run.weights, run.bias
    eager = outcome(False)
    assert outcome(True) == eager
    monkeypatch.delattr('chapter_adam.lazy.record.Recorder.evaluate')  # which runs one operator after another
    assert outcome(True) == eager


@pytest.mark.parametrize('batch_size, rows', [(1, 21), (7, 50), (10, 93), (1000, 103)])
def test_the_number_of_rows_belongs_to_a_graph(airfoil_arrays, batch_size, rows):
    data = [array[:rows] for array in airfoil_arrays]
    eager, fast = (run_scratch(gb.adam, gb.init_adam_states(), {'lr': 0.01, 't': 1}, *data, batch_size, 3,
                               hybridize=hybridize) for hybridize in (False, True))
    assert fast.losses == eager.losses and fast.weights == eager.weights
