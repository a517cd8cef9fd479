"""One rule on many seeds: all at once where the rule permits, else one after the other; and its best learning rate."""
import warnings
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
        """(The Ensemble, whether the seeds were trained at once); a list of rates has one for each seed."""
        hyperparams, rule = {**self.hyperparams, 'lr': lr}, self.rule if is_own(self.rule) else fresh(self.rule)
        with warnings.catch_warnings():
            warnings.filterwarnings('ignore', ".* never read 't'")  # which every rule is given here
            try:
                return train_ensemble(rule, self.states, hyperparams, *data, seeds=seeds, **options), True
            except MixesRuns:
                warnings.simplefilter('ignore')  # else each run says why it is slow
                return self._one_by_one(data, seeds, lr, **options), False

    def _one_by_one(self, data, seeds, lr, watch=None, **options):
        rates, runs, clock = lr if isinstance(lr, list) else [lr] * len(seeds), [], Stopwatch()
        with clock.running():
            for done, (seed, rate) in enumerate(zip(seeds, rates), 1):
                rule, hyperparams = fresh(self.rule), {**self.hyperparams, 'lr': rate}
                try:
                    runs.append(run_scratch(rule, self.states, hyperparams, *data, seed=seed, hybridize=True,
                                            **options))
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
        try:
            return self._medians(data, range(first_seed, first_seed + SWEPT), **options), SWEPT
        except (TypeError, ValueError):  # it cannot compute with an array of rates: every second, on fewer seeds
            medians, seeds = np.full(len(RATES), np.inf), range(first_seed, first_seed + SWEPT_SINGLY)
            for k in range(0, len(RATES), 2):
                medians[k] = self._medians(data, seeds, RATES[k:k + 1], **options)[0]
            return medians, SWEPT_SINGLY

    def _medians(self, data, seeds, rates=RATES, **options):
        lr = np.repeat(rates, len(seeds)).tolist() if len(rates) > 1 else float(rates[0])
        try:
            final = self.train(data, [*seeds] * len(rates), lr, record_every=None, **options)[0].final
        except DivergenceError:
            return np.full(len(rates), np.inf)
        return np.median(np.where(np.isfinite(final), final, np.inf).reshape(len(rates), -1), axis=1)
