"""What lazy arrays could get wrong without anybody's noticing: graphs that pile up, and an MXNet that stays changed."""
import threading

import numpy as np
import outside
import pytest

import chapter_adam as gb
from chapter_adam.book import run_scratch
from chapter_adam.compat import mxnet
from chapter_adam.lazy import RECORDER
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


def size():
    return Graph.built, RECORDER.size


@pytest.mark.parametrize('factor', [
    lambda t, g: g * np.float32(1 / t), lambda t, g: nd.maximum(g, -1 / t), lambda t, g: g.abs() ** (1 / t)],
    ids=['NumPy', 'function', 'power'])
def test_a_number_that_changes_belongs_to_no_graph(few_rows, factor):
    rule = sgd_with(lambda t, g: factor(t + 100 * seed, g))
    for seed in range(2):  # a path's graph may be built when the path comes again
        run(rule, few_rows)
    before = size()
    for seed in range(2, 4):
        run(rule, few_rows)
    assert size() == before


def test_keywords_that_change_at_each_step_do_not_pile_up(few_rows, monkeypatch):
    RECORDER.forget()
    rule, built = sgd_with(lambda t, g: g.clip(-1 / (t + seed), 1 / t)), Graph.built
    for seed in range(2):
        run(rule, few_rows)
    assert Graph.built == built
    monkeypatch.setattr('chapter_adam.lazy.record.MOST_NODES', 400)
    for seed in range(100, 104):
        run(rule, few_rows)
        assert RECORDER.size <= 400 + 300  # a record is not cut


def test_a_rate_that_changes_between_trainings_takes_a_graph_that_holds_for_all(few_rows):
    for rate in (0.01, 0.02, 0.05):
        runs = [run_scratch(gb.sgd, None, {'lr': rate}, *few_rows, hybridize=hybridize) for hybridize in (False, True)]
        assert runs[0].weights == runs[1].weights
    before = size()
    assert RECORDER.size > len(RECORDER.nodes)  # a graph counts, too
    run_scratch(gb.sgd, None, {'lr': 0.0625}, *few_rows, hybridize=True)
    assert size() == before


def test_a_training_takes_its_graphs_from_the_third_time_on(few_rows, monkeypatch):
    monkeypatch.undo()  # a fixture has them taken sooner
    RECORDER.forget()
    run(gb.adam, few_rows, num_epochs=2)
    before = Graph.built
    run(gb.adam, few_rows, num_epochs=1)
    assert before == Graph.built - 2  # of ten steps and of the short batch
    assert all(len(repr(node)) < 100 for node in RECORDER.nodes)  # in a traceback, not all that has followed it


def as_it_is():
    return dict(vars(nd.NDArray)), mxnet.ndarray.register._imperative_invoke, mxnet.autograd.set_recording


AT_FIRST = as_it_is()


@pytest.mark.parametrize('error, step', [(ZeroDivisionError, 1), (KeyboardInterrupt, 7), (SystemExit, 11), (None, 0)])
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
    assert as_it_is() == AT_FIRST and not RECORDER.is_open
    assert all(np.isfinite(array.asnumpy()).all() for array in kept)
    assert gb.train_ensemble(gb.sgd, None, {'lr': 0.1}, *few_rows, seeds=[1]).losses.shape == (3, 1)


INTERRUPTED = '''
import signal, threading
import chapter_adam as gb
from mxnet import nd
from chapter_adam.lazy import RECORDER

(w, b), states, kept = [nd.ones((5, 1)), nd.ones(1)], gb.init_adam_states(), []
for p in (w, b):
    p.attach_grad()
    p.grad[:] = 1

def rule(params, states, hyperparams):
    gb.adam(params, states, hyperparams)
    kept.append(params[0] * 2)
    del kept[:-3]

fast, before = gb.hybridize(rule), dict(vars(nd.NDArray))

def train():
    while True:
        fast([w, b], states, {"lr": 0.01, "t": 1})

def on_ctrl_c(number, frame):
    while frame and frame.f_code is not train.__code__:
        frame = frame.f_back
    if frame:  # a signal that comes late strikes nothing else
        raise KeyboardInterrupt

def interrupt(moment, done):
    while not done.wait(moment):  # again, since one that strikes in a destructor is lost
        signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)
        moment = 0.05

signal.signal(signal.SIGINT, on_ctrl_c)
for k in range(10):
    done = threading.Event()
    threading.Thread(target=interrupt, args=[2e-4 + 3.7e-4 * k, done]).start()
    try:
        train()
    except KeyboardInterrupt:
        done.set()
    assert dict(vars(nd.NDArray)) == before and not RECORDER.is_open and not RECORDER.is_busy
    assert all((array.asnumpy() < 9).all() for array in [*kept, w, b, w.grad, *states[0]])
print("whole")
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
    data = [array[:203] for array in airfoil_arrays]
    expected, found = {seed: run(gb.adam, data, seed=seed).losses for seed in (1, 2)}, {}

    def train(seed):
        for _ in range(2):
            found[seed] = run(gb.adam, data, seed=seed).losses

    threads = [threading.Thread(target=train, args=[seed]) for seed in expected]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == expected


QUEUED = '''
from chapter_adam.compat import mxnet
from chapter_adam.lazy.memory import span

for count in range(3000):  # without its wait, some ten of them are lost
    array = mxnet.nd.ones(5) + 1
    span(array)
    assert (array.asnumpy() == 2).all(), count
'''


def test_an_engine_that_queues_operators_keeps_results_whose_address_is_asked(tmp_path):
    process = outside.python('-c', QUEUED, cwd=tmp_path, MXNET_ENGINE_TYPE='ThreadedEnginePerDevice')
    assert process.returncode == 0, process.stderr
