"""Many rates of a rule, each with all seeds, trained as one ensemble."""
import numpy as np

from ..many.ensemble import train_ensemble


def sweep(rule, states, rates, features, labels, seeds, watch=None, hyperparams=(), **options):
    """The ensemble, rate after rate, and its losses as (records, rates, seeds); `watch` is told the part done."""
    runs = len(rates) * len(seeds)
    trained = train_ensemble(rule, states, {'lr': np.repeat(rates, len(seeds)), 't': 1, **dict(hyperparams)}, features,
                             labels, seeds=[*seeds] * len(rates), watch=watch and (lambda done: watch(done / runs)),
                             **options)
    return trained, trained.losses.reshape(len(trained.losses), len(rates), len(seeds))
