"""A competitor's process: starts it, asks it for trainings, ends it whatever happens."""
import json
import os
import shutil
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from ..core import airfoil

FOLDER = Path(__file__).resolve().parent
ENVIRONMENTS = FOLDER.parents[1] / '.peers'
PATIENCE = 300  # seconds for one answer; a first import and compilation takes some


class Failure(Exception):
    """A competitor that leaves the race; `state` says how."""

    def __init__(self, state, reason):
        super().__init__(reason)
        self.state = state


@contextmanager
def stage(task):
    """A temporary folder with the task, the data where the book's code looks for it, and a folder to work in."""
    with TemporaryDirectory(prefix='chapter_adam-bench-') as name:
        folder = Path(name)
        (folder / 'data').mkdir()
        (folder / 'work').mkdir()
        shutil.copy(airfoil.packaged_path(), folder / 'data')
        np.savez(folder / 'task.npz', **task)
        yield folder


@contextmanager
def started(competitor, folder, environments=None):
    """Yields the competitor's Process, prepared; kills it when the block ends."""
    command = [interpreter(competitor.environment, environments or ENVIRONMENTS), '-I', FOLDER / 'worker.py',
               competitor.environment, competitor.path, competitor.variant, folder / 'task.npz', *competitor.requires]
    with open(folder / f'{competitor.name}.log', 'w+') as errors:
        child = subprocess.Popen(
            [str(word) for word in command], cwd=folder / 'work', env=environment(folder), text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors)
        try:
            yield Process(child, errors)
        finally:
            child.kill()  # it may be in the middle of a run, and has nothing to save
            child.wait()
            child.stdin.close()
            child.stdout.close()


def interpreter(name, environments):
    """The Python of an environment, or this one if that is not built: it may have what is required."""
    python = environments / name / 'bin' / 'python'
    return python if python.exists() else sys.executable


def environment(folder):
    """The environment variables, without those that configure frameworks; plots need no display."""
    steering = ('PYTHON', 'MXNET_', 'OMP_', 'JAX_', 'XLA_', 'NUMBA_', 'TORCH', 'DISPLAY')
    kept = {name: value for name, value in os.environ.items() if not name.startswith(steering)}
    return {**kept, 'MPLBACKEND': 'agg', 'IPYTHONDIR': str(folder / 'ipython')}


class Process:
    """A running competitor.

    Attributes:
        prepared: the seconds that it took to prepare, compilation included.
        versions: those of its Python and packages.
    """

    def __init__(self, child, errors):
        self.child, self.errors = child, errors
        hello = self._answer()
        if 'absent' in hello:
            raise Failure('skipped', hello['absent'])
        self.prepared, self.versions = hello['prepared'], hello['versions']

    def train(self, num_epochs=2):
        """One training: {'seconds': of its last epoch, 'losses': [...], 'wall': see `ask`}."""
        answer = self.ask(f'train {num_epochs}')
        if not answer['losses']:
            raise Failure('failed', 'it has recorded no losses')
        return answer

    def ask(self, request):
        """Sends one line and returns the answer; its 'wall' holds the seconds from one to the other."""
        start = time.perf_counter()
        try:
            self.child.stdin.write(f'{request}\n')
            self.child.stdin.flush()
        except BrokenPipeError:
            pass  # it has died; the missing answer says so
        answer = self._answer()
        return {**answer, 'wall': time.perf_counter() - start}

    def _answer(self):
        late = threading.Event()
        alarm = threading.Timer(PATIENCE, lambda: (late.set(), self.child.kill()))
        alarm.start()
        try:
            line = self.child.stdout.readline()
        finally:
            alarm.cancel()
        if not line:
            raise Failure('failed', f'no answer within {PATIENCE} s' if late.is_set() else self._last_words())
        try:
            return dict(json.loads(line))
        except (ValueError, TypeError):
            raise Failure('failed', f'its answer is not JSON: {line[:60]!r}') from None

    def _last_words(self):
        self.errors.seek(0)
        return (self.errors.read().strip().splitlines() or ['it ended without a word'])[-1]
