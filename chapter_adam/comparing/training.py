"""One rule on many seeds: all at once where the rule permits, else one after the other; and its best learning rate."""
import warnings
from contextlib import suppress
from dataclasses import dataclass

import numpy as np

from ..book import run_scratch
from ..core.history import Ensemble, Stopwatch
from ..core.training import DivergenceError
from ..grading.trial import fresh
from ..lazy import MixesRuns
from ..many import train_ensemble
from ..rules import is_own

RATES = np.geomspace(1e-4, 10, 21)  # four per factor of ten
SWEPT, SWEPT_SINGLY = 20, 3  # seeds of a sweep


@dataclass(frozen=True)
class Racer:
    """A rule with its states and hyperparameters; trainings leave them as they are."""
    rule: object
    states: object
    hyperparams: dict

    def train(self, data, seeds, lr, **options):
        """(The Ensemble, whether the seeds were trained at once)."""
        try:
            return self._at_once(data, seeds, lr, **options), True
        except MixesRuns:
            return self._one_by_one(data, seeds, lr, **options), False

    def _at_once(self, data, seeds, lr, **options):
        """The Ensemble; a list of rates has one for each seed."""
        rule = self.rule if is_own(self.rule) else fresh(self.rule)
        with warnings.catch_warnings():
            warnings.filterwarnings('ignore', ".* never read 't'")  # which every rule is given here
            return train_ensemble(rule, self.states, {**self.hyperparams, 'lr': lr}, *data, seeds=seeds, **options)

    def _one_by_one(self, data, seeds, lr, watch=None, **options):
        runs, clock, hyperparams = [], Stopwatch(), {**self.hyperparams, 'lr': lr}
        with clock.running(), warnings.catch_warnings():
            warnings.simplefilter('ignore')  # else each run says why it is slow
            for done, seed in enumerate(seeds, 1):
                try:
                    runs.append(run_scratch(fresh(self.rule), self.states, hyperparams, *data, seed=seed,
                                            hybridize=True, **options))
                except DivergenceError:
                    runs.append(None)
                if watch:
                    watch(done)
        fine = next((run for run in runs if run), None)
        if fine is None:
            raise DivergenceError(f'{getattr(self.rule, "__name__", "the rule")} diverged with all {len(runs)} seeds; '
                                  'try a smaller learning rate')
        lost = np.full(len(fine.losses), np.nan)
        losses = np.transpose([run.losses if run else lost for run in runs])
        weights = np.array([run.weights if run else [np.nan] * len(fine.weights) for run in runs])
        return Ensemble(losses, np.array(fine.epochs), tuple(seeds), weights,
                        np.array([run.bias if run else np.nan for run in runs]), clock.seconds, fine.settings)

    def sweep(self, data, first_seed, **options):
        """(The median final loss with each of RATES, how many seeds were tried with each).

        A median is infinite where most seeds diverge, and at every second rate of a rule that is trained one by one.
        """
        seeds, medians = range(first_seed, first_seed + SWEPT), np.full(len(RATES), np.inf)
        options['record_every'] = None
        try:
            runs = self._at_once(data, [*seeds] * len(RATES), np.repeat(RATES, SWEPT).tolist(), **options)
            return median_of(runs, len(RATES)), SWEPT
        except DivergenceError:
            return medians, SWEPT
        except (TypeError, ValueError):  # it cannot compute at once, or with an array of rates
            for k in range(0, len(RATES), 2):
                with suppress(DivergenceError):
                    medians[k] = median_of(self.train(data, seeds[:SWEPT_SINGLY], float(RATES[k]), **options)[0])[0]
            return medians, SWEPT_SINGLY


def median_of(runs, groups=1):
    """The median final loss of each group of runs; what diverged counts as infinite."""
    final = np.where(np.isfinite(runs.final), runs.final, np.inf)
    return np.median(final.reshape(groups, -1), axis=1)
