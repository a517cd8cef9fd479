"""A finished run as data: there and back through JSON, and the stopwatch."""
import json
import math
from dataclasses import FrozenInstanceError, replace

import numpy as np
import pytest

from chapter_adam import Ensemble, History
from chapter_adam.core import history

RUN = History(losses=(0.5, 0.1 + 0.2, 1e-300), epochs=(0.0, 1 / 3, 2.0), seconds_per_epoch=0.449113,
              train_seconds_per_epoch=0.4, weights=(0.1, -0.2), bias=1e-7,
              settings={'label': 'adam from scratch', 'hyperparams': {'lr': 0.01, 't': 1}, 'seed': 0})


def changed(**values):
    """The JSON of RUN with other values; None takes a name away."""
    data = {**json.loads(RUN.to_json()), **values}
    return json.dumps({name: value for name, value in data.items() if value is not None})


def test_json_gives_an_equal_run_back():
    again = History.from_json(RUN.to_json())
    assert again == RUN
    assert again.to_json() == RUN.to_json()
    shortest = History((0.5,), (0.0,), 1, 1)
    assert History.from_json(shortest.to_json()) == shortest


@pytest.mark.parametrize('text', [
    pytest.param('', id='empty'),
    pytest.param(changed(weights=None), id='a value missing'),
    pytest.param(changed(losses='0.5'), id='text for a list'),
    pytest.param(changed(losses=[0.5]), id='fewer losses than epochs'),
    pytest.param(changed(settings=3), id='settings that are no dict'),
    pytest.param(changed(losses=[math.nan, 0.1, 0.2]), id='NaN'),
    pytest.param(100_000 * '[', id='nested deeply'),
])
def test_other_json_is_a_value_error(text):
    with pytest.raises(ValueError):
        History.from_json(text)


def test_json_holds_finite_numbers_only():
    """NaN is no JSON: other readers stop at it."""
    with pytest.raises(ValueError):
        replace(RUN, losses=(0.5, math.nan)).to_json()


def test_curve_and_timing_share_nothing_and_miss_nothing():
    curve, timing = RUN.curve(), RUN.timing()
    assert set(timing) == {'seconds_per_epoch', 'train_seconds_per_epoch', 'versions', 'machine'}
    assert set(curve) == {'losses', 'epochs', 'weights', 'bias', 'settings'}
    assert {**curve, **timing} == json.loads(RUN.to_json()) | {
        'losses': RUN.losses, 'epochs': RUN.epochs, 'weights': RUN.weights}


def test_a_run_notes_what_it_ran_on():
    import mxnet
    import numpy
    assert RUN.versions['mxnet'] == mxnet.__version__ and RUN.versions['numpy'] == numpy.__version__
    assert RUN.machine['cores'] >= 1 and RUN.machine['processor']


def test_a_run_cannot_be_changed():
    with pytest.raises(FrozenInstanceError):
        RUN.losses = ()


def test_stopwatch_adds_up_only_what_runs_also_where_it_fails(monkeypatch):
    now, watch = [100.0], history.Stopwatch()
    monkeypatch.setattr(history.time, 'perf_counter', lambda: now[0])
    for _ in range(2):
        with pytest.raises(KeyError), watch.running():
            now[0] += 1.5
            raise KeyError
        now[0] += 10
    assert watch.seconds == 3.0


def test_curves_as_tables_of_pandas():
    assert RUN.to_pandas().to_dict('list') == {'epoch': list(RUN.epochs), 'loss': list(RUN.losses)}
    losses, epochs = np.array([[0.5, 0.5], [0.3, 0.25]]), np.array([0.0, 2.0])
    runs = Ensemble(losses, epochs, (7, 3), np.zeros((2, 5)), np.zeros(2), 0.1)
    table = runs.to_pandas()
    assert table[3].tolist() == [0.5, 0.25] and table.index.tolist() == [0, 2]
    assert (table.index.name, table.columns.name) == ('epoch', 'seed')
