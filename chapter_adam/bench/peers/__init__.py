"""The competitors of `chapter-adam bench`: a table, and a file beside it for each framework.

A file imports its framework and NumPy. Its docstring says how its training departs from the section's. It defines

    def prepare(task, variant):       does what is done once; returns a function without arguments that trains once:
                                      Adam on minibatches `task.batches`, from `task.w`, `task.b`, in `task.orders`.
                                      `task.steps` is that loop. One of its own hands each loss to `task.record`: at
                                      the start, and after the steps of `task.due`, or at the end of their epoch.
    def prepare_many(task, variant):  returns a function of a number of runs, which trains them from the starts and in
                                      the orders of `task.draw(runs)` and returns their final losses.

`worker.Task` says what is in `task`. `gate` decides whether the losses and the clock are right.
"""
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).resolve().parent


@dataclass(frozen=True)
class Competitor:
    """One variant of one file.

    Attributes:
        name: 'file' or 'file-variant'.
        label: its name in tables and figures.
        family: its colour in the figures: 'the original', 'later edition', 'ours' or 'others'.
        environment: where it runs: 'main', or .peers/NAME, made from scripts/peers/NAME.txt.
        packages: what it imports, the framework first.
        many: it can train many runs at once.
        closed: it calls a library's own loop, which draws by itself, hands over its losses at the end, and trains
            `task.num_epochs` epochs.
    """
    name: str
    label: str
    family: str
    environment: str
    packages: tuple
    many: bool = False
    closed: bool = False
    folder: Path = FOLDER

    @property
    def file(self):
        return self.name.partition('-')[0]

    def job(self, runs):
        """What `worker.answer` has to know about it; `runs`: how many at once, 0: the section's own training."""
        return {'file': str(self.folder / f'{self.file}.py'), 'variant': self.name.partition('-')[2],
                'packages': self.packages, 'closed': self.closed, 'runs': runs}


BOOK = 'the original', 'book', ('gluonbook', 'mxnet')
D2L = 'later edition', 'main', ('d2l', 'mxnet')
OURS = 'ours', 'main', ('chapter_adam', 'mxnet')
TORCH = 'others', 'torch', ('torch', 'numpy')
COMPETITORS = {c.name: c for c in (
    Competitor('gluonbook-scratch', 'gluonbook train_ch7', *BOOK, closed=True),
    Competitor('gluonbook-gluon', 'gluonbook train_gluon_ch7', *BOOK, closed=True),
    Competitor('d2l-scratch', 'd2l train_ch11', *D2L, closed=True),
    Competitor('d2l-gluon', 'd2l train_concise_ch11', *D2L, closed=True),
    Competitor('ours-scratch', 'ours: scratch', *OURS),
    Competitor('ours-scratch-hybridized', 'ours: scratch, hybridized', *OURS, many=True),
    Competitor('ours-gluon', 'ours: Gluon', *OURS),
    Competitor('ours-gluon-hybridized', 'ours: Gluon, hybridized', *OURS),
    Competitor('torch_loop-scratch', 'PyTorch: scratch', *TORCH, many=True),
    Competitor('torch_loop-foreach', 'PyTorch: optim.Adam(foreach)', *TORCH),
    Competitor('torch_loop-fused', 'PyTorch: optim.Adam(fused)', *TORCH),
    Competitor('numpy_loop', 'NumPy', 'others', 'arrays', ('numpy',), many=True),
    Competitor('jax_scan', 'JAX jit(scan)', 'others', 'arrays', ('jax', 'numpy'), many=True),
    Competitor('numba_loop', 'Numba', 'others', 'arrays', ('numba', 'numpy'), many=True),
)}
