"""Every competitor's file keeps the contract of `chapter_adam.bench.peers`; one that does not is named."""
import ast
import re
import sys

import numpy as np
import outside
import pytest

from chapter_adam.bench import peers, race, worker

COMPETITORS = peers.discover()
FILES = sorted({c.path for c in COMPETITORS.values()})
PINS = outside.CLONE / 'scripts' / 'peers'


def test_the_folder_holds_the_competitors_of_the_readme():
    assert set(COMPETITORS) == {
        'gluonbook-scratch', 'gluonbook-gluon', 'd2l-scratch', 'd2l-gluon', 'ours-scratch', 'ours-scratch-hybridized',
        'ours-gluon', 'ours-gluon-hybridized', 'torch_loop-scratch', 'torch_loop-adam', 'torch_loop-foreach',
        'torch_loop-fused', 'numpy_loop', 'jax_scan', 'jax_scan-draws', 'numba_loop'}
    labels = [c.label for c in COMPETITORS.values()]
    assert len(set(labels)) == len(labels) and max(map(len, labels)) < 32  # a column of the table


@pytest.mark.parametrize('path', FILES, ids=lambda path: path.stem)
def test_a_competitor_imports_only_what_it_declares(path):
    labels, _, environment, requires, *optional = peers.declarations(path)
    tree = ast.parse(path.read_text())
    imported = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    imported |= {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert {name.split('.')[0] for name in imported} - set(sys.stdlib_module_names) <= {*requires, 'numpy'}
    assert environment == 'main' or (PINS / f'{environment}.txt').exists()
    assert ast.get_docstring(tree) and all(set(variants) <= set(labels) for variants in optional)
    functions = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
    assert 'prepare' in functions and ('prepare_many' in functions) == bool(optional[-1])


@pytest.mark.parametrize('path', sorted(PINS.glob('*.txt')), ids=lambda path: path.stem)
def test_an_environment_pins_what_its_competitors_require(path):
    lines = [line for line in path.read_text().splitlines() if not line.startswith('#')]
    assert all(re.fullmatch(r'[\w.-]+==[\w.+]+', line) for line in lines)
    required = {name for c in COMPETITORS.values() if c.environment == path.stem for name in c.requires}
    assert required and required <= {line.split('==')[0] for line in lines}


@pytest.mark.parametrize('text, reason', [
    ("LABELS = {'': 'mine'}\nFAMILY = 'others'\n", 'mine.py: a competitor must declare ENVIRONMENT, REQUIRES'),
    ("LABELS = {'': 'mine'}\nFAMILY = ENVIRONMENT = 'x'\nREQUIRES = ()\n", "FAMILY must be one of .* got 'x'"),
])
def test_an_incomplete_file_is_named(tmp_path, text, reason):
    (tmp_path / 'mine.py').write_text(text)
    with pytest.raises(ValueError, match=reason):
        peers.discover(tmp_path)


def test_the_draws_of_many_runs_are_those_of_the_training(tmp_path):
    np.savez(tmp_path / 'task.npz', **race.section_task())
    w, b, orders = worker.Task(tmp_path / 'task.npz').draw(6)
    expected = race.section_task(seed=5)
    assert (w[5] == expected['w']).all() and (orders[5] == expected['orders']).all() and not b.any()


@pytest.mark.parametrize('num_epochs', [1, 2])
def test_the_clock_takes_the_last_epoch(tmp_path, monkeypatch, num_epochs):
    np.savez(tmp_path / 'task.npz', **race.section_task())
    task, seconds = worker.Task(tmp_path / 'task.npz'), iter(range(99))
    monkeypatch.setattr(worker.time, 'perf_counter', lambda: next(seconds))
    task.start(num_epochs)
    for loss in range(1 + 15 * num_epochs):
        task.record(loss)
    assert task.seconds() == 15 and len(task.orders) == num_epochs
