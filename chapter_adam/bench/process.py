"""Runs the process of one competitor: a job goes in, an answer comes out."""
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from ..core import airfoil

FOLDER = Path(__file__).resolve().parent
ENVIRONMENTS = FOLDER.parents[1] / '.peers'
PATIENCE = 600  # seconds for a process; only a hang takes so long
WARM_UP = 0.3  # seconds of training after the first and before the one that counts


class Out(Exception):
    """A competitor leaves the race: 'skipped' (a package is missing), 'failed' (it ended early, or never) or 'refused'
    (by the gate), and why."""

    def __init__(self, state, reason):
        super().__init__(state, ' '.join(str(reason).split()))


def run(competitor, task, runs):
    """The answer of `worker.answer`; raises Out if there is none. `runs`: how many at once; 0: the task itself.

    The process works in an empty folder beside `../data`, where the book's code looks for the data.
    """
    with TemporaryDirectory(prefix='chapter_adam-bench-') as name:
        folder = Path(name)
        (folder / 'data').mkdir()
        (folder / 'work').mkdir()
        shutil.copy(airfoil.packaged_path(), folder / 'data')
        errors = start(competitor.environment, {**competitor.job(runs), 'warm_up': WARM_UP, 'task': task}, folder)
        if not (folder / 'answer.json').exists():
            raise Out('failed', (errors.strip().splitlines() or ['it ended without a word'])[-1])
        answer = json.loads((folder / 'answer.json').read_text())
    if 'absent' in answer:
        raise Out('skipped', answer['absent'])
    return answer


def start(name, job, folder):
    """Runs the worker to its end and returns what it wrote to standard error."""
    python = ENVIRONMENTS / name / 'bin' / 'python'
    if not python.exists():
        python = sys.executable  # this one may have what is required
    try:
        return subprocess.run([python, '-I', FOLDER / 'worker.py'], input=json.dumps(job), cwd=folder / 'work',
                              env=environment(folder), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
                              errors='replace', timeout=PATIENCE).stderr
    except subprocess.TimeoutExpired:
        raise Out('failed', f'no answer within {PATIENCE} s') from None


def environment(folder):
    """The environment variables, without those that configure frameworks; plots need no display."""
    steering = ('PYTHON', 'MXNET_', 'OMP_', 'JAX_', 'XLA_', 'NUMBA_', 'TORCH', 'DISPLAY')
    kept = {name: value for name, value in os.environ.items() if not name.startswith(steering)}
    return {**kept, 'MPLBACKEND': 'agg', 'IPYTHONDIR': str(folder / 'ipython')}
