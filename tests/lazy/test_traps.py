"""What lazy arrays could get wrong without anybody's noticing: graphs that pile up, and an MXNet that stays changed."""
import threading

import numpy as np
import outside
import pytest

import chapter_adam as gb
from chapter_adam.book import run_scratch
from chapter_adam.compat import mxnet
from chapter_adam.lazy import RECORD
from chapter_adam.lazy.graph import Graph

nd = mxnet.nd
SECTION = {'lr': 0.01, 't': 1}


def run(rule, data, **options):
    return run_scratch(rule, gb.init_adam_states(), SECTION, *data, hybridize=True, **options)


def sgd_with(factor):
    """SGD whose gradient is multiplied by factor(step)."""
    def rule(params, states, hyperparams):
        hyperparams['t'] += 1
        for p in params:
            p[:] = p - hyperparams['lr'] * factor(hyperparams['t'], p.grad)
    return rule


@pytest.mark.parametrize('factor', [
    lambda t, g: g * np.float32(1 / t), lambda t, g: g / t, lambda t, g: g.abs() ** (1 / t), lambda t, g: 1 / t * g],
    ids=['NumPy', 'int', 'power', 'left'])
def test_a_number_that_changes_belongs_to_no_graph(few_rows, factor):
    for seed in range(2):  # a path's graph may be built when the path comes again
        run(sgd_with(factor), few_rows, seed=seed)
    built, nodes = Graph.built, RECORD.size
    for seed in range(5):
        run(sgd_with(factor), few_rows, seed=seed)
    assert (Graph.built, RECORD.size) == (built, nodes)


def test_keywords_that_change_at_each_step_do_not_pile_up(few_rows, monkeypatch):
    RECORD.forget()
    rule, built = sgd_with(lambda t, g: g.clip(-1 / (t + seed), 1 / t)), Graph.built
    for seed in range(12):
        run(rule, few_rows)
    assert Graph.built == built
    monkeypatch.setattr('chapter_adam.lazy.record.MOST_NODES', 1000)
    for seed in range(100, 112):
        run(rule, few_rows)
        assert RECORD.size <= 1000 + 500  # a record is not cut


def test_a_training_that_is_repeated_builds_nothing(few_rows):
    for seed in range(2):
        run(gb.adam, few_rows, seed=seed)
    built, nodes = Graph.built, RECORD.size
    for seed in range(20):
        run(gb.adam, few_rows, seed=seed)
    assert (Graph.built, RECORD.size) == (built, nodes)


def test_a_rate_that_changes_between_trainings_takes_a_graph_that_holds_for_all(few_rows):
    for rate in np.linspace(0.01, 0.05, 9):
        runs = [run_scratch(gb.sgd, None, {'lr': float(rate)}, *few_rows, hybridize=hybridize)
                for hybridize in (False, True)]
        assert runs[0].weights == runs[1].weights
    built = Graph.built
    run_scratch(gb.sgd, None, {'lr': 0.0625}, *few_rows, hybridize=True)
    assert Graph.built == built


def as_it_is():
    return dict(vars(nd.NDArray)), mxnet.ndarray.register._imperative_invoke, mxnet.autograd.set_recording


AT_FIRST = as_it_is()


@pytest.mark.parametrize('error', [KeyboardInterrupt, ZeroDivisionError, SystemExit, None])
@pytest.mark.parametrize('step', [1, 7, 11])
def test_mxnet_is_left_as_it_was(few_rows, error, step):
    kept = []

    def rule(params, states, hyperparams):
        hyperparams['t'] += 1
        for p in params:
            kept.append(p * 2)
            p[:] = p - hyperparams['lr'] * p.grad
            if error and hyperparams['t'] == step + 1:
                raise error
    if error:
        with pytest.raises(error):
            run(rule, few_rows)
        assert len(kept) == 2 * step - 1
    else:
        run(rule, few_rows)
    assert as_it_is() == AT_FIRST and not RECORD.is_open
    assert all(np.isfinite(array.asnumpy()).all() for array in kept)
    assert gb.train_ensemble(gb.sgd, None, {'lr': 0.1}, *few_rows, seeds=[1]).losses.shape == (3, 1)


INTERRUPTED = '''
import signal, threading
import numpy as np
import chapter_adam as gb
from mxnet import nd
from chapter_adam.lazy import RECORD

signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored where a shell has put us into the background
(w, b), states, kept = [nd.ones((5, 1)), nd.ones(1)], gb.init_adam_states(), []
for p in (w, b):
    p.attach_grad()
    p.grad[:] = 1

def rule(params, states, hyperparams):
    gb.adam(params, states, hyperparams)
    kept.append(params[0] * 2)
    del kept[:-3]

def interrupt(moment, done):
    while not done.wait(moment):  # again, since one that strikes in a destructor is lost
        signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)
        moment = 0.05

fast, before = gb.hybridize(rule), dict(vars(nd.NDArray))
for moment in np.random.default_rng(0).uniform(2e-4, 4e-3, 20):
    done = threading.Event()
    try:
        threading.Thread(target=interrupt, args=[moment, done]).start()
        while True:
            fast([w, b], states, {'lr': 0.01, 't': 1})
    except KeyboardInterrupt:
        done.set()
    assert dict(vars(nd.NDArray)) == before and not RECORD.is_open and not RECORD.is_used
    assert all(np.isfinite(array.asnumpy()).all() for array in [*kept, w, b, w.grad, *states[0]])
print('whole')
'''


def test_ctrl_c_at_any_moment_leaves_nothing_half_done(tmp_path):
    process = outside.python('-c', INTERRUPTED, cwd=tmp_path)
    assert process.stdout == 'whole\n', process.stderr


def test_an_error_comes_at_the_step_where_the_eager_run_has_it(few_rows):
    def rule(params, states, hyperparams):
        steps.append(hyperparams['t'])
        hyperparams['t'] += 1
        for p in params:
            p[:] = p - hyperparams['lr'] * (p.grad if hyperparams['t'] < 14 else nd.ones((3, 3)) * p.grad)
    seen = []
    for hybridize in (False, True):
        steps = []
        with pytest.raises(ValueError, match='rule failed') as caught:
            run_scratch(rule, None, SECTION, *few_rows, hybridize=hybridize)
        seen.append((steps, type(caught.value.__cause__)))
    assert seen[0] == seen[1]


def test_two_threads_train_at_once(airfoil_arrays):
    data = [array[:303] for array in airfoil_arrays]
    expected, found = {seed: run(gb.adam, data, seed=seed).losses for seed in (1, 2)}, {}

    def train(seed):
        for _ in range(3):
            found[seed] = run(gb.adam, data, seed=seed).losses

    threads = [threading.Thread(target=train, args=[seed]) for seed in expected]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == expected


def test_looking_changes_nothing(few_rows):
    told = []
    watched = run(gb.adam, few_rows, watch=lambda epochs, loss: told.append(nd.array([loss]).asscalar().item()))
    assert watched.losses == run(gb.adam, few_rows).losses == pytest.approx(told)
