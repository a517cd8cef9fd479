"""Finished runs that differ in the seed, as data."""
import json
from dataclasses import dataclass, field

import numpy as np

from ..core import history


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
    versions: dict = field(default_factory=history.versions)
    machine: dict = field(default_factory=history.machine)

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

    def to_json(self):
        """The ensemble as JSON text; a loss that is not finite is null."""
        curves = [[round(x, 7) if np.isfinite(x) else None for x in curve] for curve in self.losses.T.tolist()]
        return json.dumps({'epochs': self.epochs.tolist(), 'seeds': list(self.seeds), 'losses': curves,
                           'diverged': list(self.diverged), 'seconds': self.seconds, 'settings': self.settings,
                           'versions': self.versions, 'machine': self.machine}, default=repr)
