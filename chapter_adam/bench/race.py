"""Competitors of the benchmark as processes: start them, ask them for runs, end them whatever happens."""
import json
import os
import shutil
import subprocess
import sys
import threading
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from . import gate
from ..core import airfoil, training

FOLDER = Path(__file__).resolve().parent
RUNNER = FOLDER / 'peers' / '__main__.py'
ENVIRONMENTS = FOLDER.parents[1] / '.peers'
PATIENCE = 300  # seconds for one answer; the slowest, a first import and compilation, needs a few
OWN_DRAWS_RUNS = 3  # how often a peer with draws of its own passes the gate


class PeerError(Exception):
    """A competitor that is out of the race; `state` is the one its entry gets."""

    def __init__(self, state, reason):
        super().__init__(reason)
        self.state = state


@dataclass
class Entry:
    """One competitor in the race.

    Attributes:
        state: 'timed', 'skipped' (what it needs is not here), 'failed' (it has ended, or has not answered) or
            'refused' (its answer is wrong); `reason` says why.
        versions, prepared: of its Python and packages; the seconds it took to prepare, compilation included.
        final_loss, gap: its last loss, and how far its curve is from the reference (None with draws of its own).
        samples: the seconds per epoch of each repeat.
    """
    competitor: object
    state: str = 'timed'
    reason: str = ''
    versions: dict = field(default_factory=dict)
    prepared: float = None
    final_loss: float = None
    gap: float = None
    samples: list = field(default_factory=list)

    def drop(self, state, reason):
        self.state, self.reason = state, ' '.join(str(reason).split())


def section_task(seed=0, num_epochs=2, batch_size=10):
    """The section's training as arrays: data, the start and shuffles of the seed, and when the loss is recorded."""
    features, labels = (a.asnumpy() for a in airfoil.get_data_ch7())
    draws, step, records = training.Draws(seed), 0, []
    w, b = draws.start(features.shape[1])
    for parts in training.stretches(len(labels), batch_size, num_epochs):
        for part in parts:
            step += len(list(part.batches(batch_size)))
            records += [step] if part.record else []
    return {'features': features, 'labels': labels, 'w': w, 'b': b, 'batch_size': batch_size,
            'orders': np.array([draws.order(len(labels)) for _ in range(num_epochs)]),
            'records': records, 'hyperparams': (0.01, 0.9, 0.999, 1e-6)}


def run(competitors, repeats, watch, environments=None):
    """Races the competitors and returns their entries.

    All of them stay alive, and each repeat is one run of every one in turn: what slows the machine for a while slows
    all of them alike.

    Args:
        watch: called as watch(done, total, what is being done).
        environments: the folder with the environments that `make bench` builds; None: the clone's.
    """
    entries, task, alive = [Entry(c) for c in competitors], section_task(), {}
    total = len(entries) * (repeats + 1)
    with ExitStack() as stack:
        environments = environments or ENVIRONMENTS
        folder = stack.enter_context(stage(task))
        expected = gate.reference(task)
        for done, entry in enumerate(entries):
            watch(done, total, f'{entry.competitor.label}: start, gate')
            with dropping(entry):
                peer = stack.enter_context(Peer.started(entry, folder, environments))
                admit(entry, peer, expected)
                if entry.state == 'timed':
                    alive[entry.competitor.name] = peer
        for repeat in range(repeats):
            for place, entry in enumerate(entries):
                watch(len(entries) * (repeat + 1) + place, total, f'{entry.competitor.label}: repeat {repeat + 1}')
                if entry.state == 'timed':
                    with dropping(entry):
                        entry.samples.append(alive[entry.competitor.name].train()['seconds'])
    return entries


@contextmanager
def stage(task):
    """A temporary folder with the task and, laid out as the book's, the data and a folder to work in."""
    with TemporaryDirectory(prefix='chapter_adam-bench-') as name:
        folder = Path(name)
        (folder / 'data').mkdir()
        (folder / 'work').mkdir()
        shutil.copy(airfoil.packaged_path(), folder / 'data')
        np.savez(folder / 'task.npz', **task)
        yield folder


@contextmanager
def dropping(entry):
    """A competitor that fails is out; the race goes on."""
    try:
        yield
    except PeerError as error:
        entry.drop(error.state, error)


def admit(entry, peer, expected):
    """The gate: sets the entry's state by its answers. These runs are the warm-up too."""
    if entry.competitor.same_draws:
        losses = peer.train()['losses']
        reason = gate.same_draws_verdict(losses, expected)
        entry.gap = gate.largest_gap(losses, expected) if len(losses) == len(expected) else None
        entry.final_loss = losses[-1] if losses else None
    else:
        finals = [peer.train()['losses'][-1] for _ in range(OWN_DRAWS_RUNS)]
        reason = gate.own_draws_verdict(finals)
        entry.final_loss = float(np.median(finals))
    if reason:
        entry.drop('refused', reason)


def interpreter(environment, environments):
    """The Python of an environment, or this one if that is not built: it may have what the peer needs."""
    python = environments / environment / 'bin' / 'python'
    return python if python.exists() else sys.executable


class Peer:
    """The process of a competitor, between start and end."""

    def __init__(self, process, errors):
        self.process, self.errors = process, errors

    @classmethod
    @contextmanager
    def started(cls, entry, folder, environments):
        """Starts the competitor's process and waits until it is prepared; ends it with the block, however it ends."""
        rival = entry.competitor
        command = [interpreter(rival.environment, environments), '-I', RUNNER, rival.environment, rival.path,
                   rival.variant, folder / 'task.npz', *rival.requires]
        with open(folder / f'{rival.name}.log', 'w+') as errors:
            process = subprocess.Popen(
                [str(word) for word in command], cwd=folder / 'work', env=_environment(folder), text=True,
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors)
            try:
                peer = cls(process, errors)
                answer = peer._answer()
                if 'absent' in answer:
                    raise PeerError('skipped', answer['absent'])
                entry.prepared, entry.versions = answer['prepared'], answer['versions']
                yield peer
            finally:
                process.kill()  # it has nothing to finish, and may be in the middle of a run
                process.wait()
                process.stdin.close()
                process.stdout.close()

    def train(self):
        """One training: {'seconds': of its last epoch, 'losses': recorded ones}."""
        answer = self.ask('train')
        if answer['seconds'] is None or not answer['losses']:
            raise PeerError('failed', 'it has handed over no losses, or no time')
        return answer

    def ask(self, request):
        """Sends one line and returns the answer."""
        try:
            self.process.stdin.write(f'{request}\n')
            self.process.stdin.flush()
        except BrokenPipeError:
            pass  # it has died; the answer that does not come says so
        return self._answer()

    def _answer(self):
        """The next line from the process, as data; raises PeerError if none comes."""
        late = threading.Event()
        alarm = threading.Timer(PATIENCE, lambda: (late.set(), self.process.kill()))
        alarm.start()
        try:
            line = self.process.stdout.readline()
        finally:
            alarm.cancel()
        if not line:
            raise PeerError('failed', f'no answer within {PATIENCE} s' if late.is_set() else self._last_words())
        return json.loads(line)

    def _last_words(self):
        self.errors.seek(0)
        return (self.errors.read().strip().splitlines() or ['it ended without a word'])[-1]


def _environment(folder):
    """The environment without what steers frameworks; where plots need no display, and IPython leaves no traces."""
    steering = ('PYTHON', 'MXNET_', 'OMP_', 'JAX_', 'XLA_', 'NUMBA_', 'TORCH', 'DISPLAY')
    kept = {name: value for name, value in os.environ.items() if not name.startswith(steering)}
    return {**kept, 'MPLBACKEND': 'agg', 'IPYTHONDIR': str(folder / 'ipython')}
