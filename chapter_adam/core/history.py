"""Finished runs as data, one or many: losses, times and settings; JSON in and out; and the stopwatch."""
import json
import os
import platform
import time
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field

import numpy as np

from .. import compat


@dataclass(frozen=True)
class History:
    """One finished training run.

    Attributes:
        losses: the loss over all examples: before the first step, each time that a multiple of 100 examples is
            crossed, and at the end; 31 numbers for the section's settings.
        epochs: when each loss was recorded: 0.0 first, the number of epochs last.
        seconds_per_epoch: the time that the book prints: the last epoch's wall time, evaluations included.
        train_seconds_per_epoch: the same without the evaluations.
        weights, bias: the final parameters: d numbers and one.
        settings: method, rule, hyperparameters, batch size, epochs, seed and so on.
        versions, machine: of Python, MXNet and NumPy; processor, cores and system.

    >>> run = History((0.5, 0.25), (0.0, 2.0), 0.1, 0.1, settings={'label': 'adam'})
    >>> run
    History(adam: loss 0.250000 after 2 epochs, 0.100000 sec per epoch)
    >>> History.from_json('{}')
    Traceback (most recent call last):
    ValueError: not the JSON of a History: 'losses'
    """
    losses: tuple
    epochs: tuple
    seconds_per_epoch: float
    train_seconds_per_epoch: float
    weights: tuple = ()
    bias: float = 0.0
    settings: dict = field(default_factory=dict)
    versions: dict = field(default_factory=lambda: versions())
    machine: dict = field(default_factory=lambda: machine())

    def __repr__(self):
        return (f'History({self.settings.get("label", "run")}: loss {self.losses[-1]:.6f} '
                f'after {self.epochs[-1]:g} epochs, {self.seconds_per_epoch:.6f} sec per epoch)')

    def curve(self):
        """What a second run on the same machine repeats: losses, parameters, settings."""
        return {name: value for name, value in asdict(self).items() if name not in CHANGES_EACH_RUN}

    def timing(self):
        """What it does not: the times, the versions and the machine."""
        return {name: value for name, value in asdict(self).items() if name in CHANGES_EACH_RUN}

    def to_pandas(self):
        """The curve as a DataFrame with the columns epoch and loss; pandas comes with d2l."""
        from pandas import DataFrame
        return DataFrame({'epoch': self.epochs, 'loss': self.losses})

    def to_json(self):
        """The whole run as JSON text; `from_json` gives an equal History back."""
        return to_json(asdict(self))

    @classmethod
    def from_json(cls, text):
        """The History that `to_json` wrote. Raises ValueError if the text is not one."""
        try:
            values = json.loads(text)
            run = cls(**{**values, **{name: tuple(values[name]) for name in ('losses', 'epochs', 'weights')}})
            numbers = *run.losses, *run.epochs, *run.weights, run.bias, *[*run.timing().values()][:2]
            if not len(run.losses) == len(run.epochs) > 0 or not np.isfinite(numbers).all():
                raise TypeError('losses and epochs must be as many, at least one, and finite')
            if not all(isinstance(each, dict) for each in (run.settings, run.versions, run.machine)):
                raise TypeError('settings, versions and machine must be dicts')
            return run
        except (TypeError, KeyError, AttributeError, RecursionError) as error:
            raise ValueError(f'not the JSON of a History: {error}') from None


@dataclass(frozen=True, eq=False)
class Ensemble:
    """Finished runs that differ in nothing but the seed (and in hyperparameters given one per run).

    Attributes:
        losses: (records, runs), the loss over all examples; nan where a run has diverged.
        epochs: (records,), as in a History.
        seeds: (runs,).
        weights, biases: the parameters at the end, (runs, d) and (runs,).
        seconds: the wall time of it all.
        settings, versions, machine: as in a History.

    >>> losses = np.array([[0.5, 0.5, 0.5], [0.3, 0.2, np.nan]])
    >>> runs = Ensemble(losses, np.array([0.0, 2.0]), (0, 1, 2), np.zeros((3, 5)), np.zeros(3), 0.1)
    >>> runs.final.tolist(), runs.diverged
    ([0.3, 0.2, nan], (2,))
    >>> runs.quantiles([0.5]).tolist()
    [[0.5, 0.25]]
    >>> runs
    <Ensemble of 3 runs: median of the final losses 0.250000, 1 diverged>
    """
    losses: np.ndarray
    epochs: np.ndarray
    seeds: tuple
    weights: np.ndarray
    biases: np.ndarray
    seconds: float
    settings: dict = field(default_factory=dict)
    versions: dict = field(default_factory=lambda: versions())
    machine: dict = field(default_factory=lambda: machine())

    def __repr__(self):
        median = f'median of the final losses {np.median(self.final[self._fine]):.6f}' if self._fine.any() else (
            'no final losses')
        return f'<Ensemble of {len(self.seeds)} runs: {median}, {len(self.diverged)} diverged>'

    @property
    def _fine(self):
        return np.isfinite(self.losses).all(axis=0)

    @property
    def final(self):
        """The last loss of each run, (runs,)."""
        return self.losses[-1]

    @property
    def diverged(self):
        """The seeds of the runs whose loss did not stay a finite number."""
        return tuple(seed for seed, fine in zip(self.seeds, self._fine) if not fine)

    def quantiles(self, q):
        """Quantiles over the runs that did not diverge, at each record: (len(q), records). ValueError if all did."""
        if not self._fine.any():
            raise ValueError(f'all {len(self.seeds)} runs diverged: there are no quantiles')
        return np.quantile(self.losses[:, self._fine], q, axis=1)

    def to_pandas(self):
        """The curves as a DataFrame, one column for each seed, indexed by the epoch."""
        from pandas import DataFrame, Index
        return DataFrame(self.losses, Index(self.epochs, name='epoch'), Index(self.seeds, name='seed'))

    def to_json(self):
        """The ensemble as JSON text; a loss that is not finite is null."""
        curves = [[round(x, 7) if np.isfinite(x) else None for x in curve] for curve in self.losses.T.tolist()]
        return json.dumps({'epochs': self.epochs.tolist(), 'seeds': list(self.seeds), 'losses': curves,
                           'diverged': list(self.diverged), 'seconds': self.seconds, 'settings': self.settings,
                           'versions': self.versions, 'machine': self.machine}, default=repr)


CHANGES_EACH_RUN = ('seconds_per_epoch', 'train_seconds_per_epoch', 'versions', 'machine')


def to_json(value, figures=None):
    """JSON text as this project writes it: indented, one line for each list of numbers, no NaN.

    `figures`: the significant figures kept of each float; beyond them processors differ.

    >>> print(to_json({'losses': [0.5, 0.25], 'settings': {'lr': 0.01}}), end='')
    {
      "losses": [0.5, 0.25],
      "settings": {
        "lr": 0.01
      }
    }
    >>> print(to_json([1 / 3, {'n': (1, 2e-9 / 3)}], figures=3), end='')
    [0.333, {"n": [1, 6.67e-10]}]
    """
    return _on_lines(rounded(value, figures) if figures else value, '') + '\n'


def rounded(value, figures):
    if isinstance(value, dict):
        return {key: rounded(each, figures) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [rounded(each, figures) for each in value]
    return float(f'{value:.{figures}g}') if isinstance(value, float) else value


def _on_lines(value, indent):
    if isinstance(value, dict) and value:
        inner = indent + '  '
        items = (f'{inner}{json.dumps(str(k))}: {_on_lines(v, inner)}' for k, v in value.items())
        return '{\n' + ',\n'.join(items) + f'\n{indent}}}'
    return json.dumps(value, allow_nan=False, default=repr)


def versions():
    """The versions of Python and of the packages that a result depends on."""
    return {'python': platform.python_version(), 'mxnet': compat.mxnet.__version__, 'numpy': np.__version__}


def machine():
    """Processor, core count and system, as far as they can be read without asking another program."""
    return {'processor': _processor(), 'cores': os.cpu_count(), 'system': f'{platform.system()} {platform.machine()}'}


def _processor():
    try:
        with open('/proc/cpuinfo') as lines:
            return next(line.split(':', 1)[1].strip() for line in lines if line.startswith('model name'))
    except (OSError, StopIteration):
        return platform.processor() or 'unknown'


class Stopwatch:
    """Adds up the wall time of the blocks that it is told to time.

    >>> watch = Stopwatch()
    >>> with watch.running():
    ...     pass
    >>> watch.seconds >= 0
    True
    """

    def __init__(self):
        self.seconds = 0.0

    @contextmanager
    def running(self):
        """Times the block. The device must have finished when the block ends: MXNet only queues its work."""
        start = time.perf_counter()
        try:
            yield
        finally:
            self.seconds += time.perf_counter() - start
