"""The update rules of the book and its neighbours, and the published variants and mistakes of Adam.

>>> rule, init_states = RULES['momentum']
>>> rule.__name__, [state.shape for state in init_states(5)]
('momentum', [(5, 1), (1,)])
"""
from .neighbours import adam_uncorrected, amsgrad, yogi
from .neighbours import init_adam_uncorrected_states, init_amsgrad_states, init_yogi_states
from .optimizers import adadelta, adagrad, adam, momentum, rmsprop, sgd
from .optimizers import init_adadelta_states, init_adagrad_states, init_adam_states
from .optimizers import init_momentum_states, init_rmsprop_states, init_sgd_states
from .variants import averaged_first, eps_hat, eps_inside, scaled_first, true_averages, true_weight  # noqa: F401
from .variants import weighted_momentum, weighted_rmsprop  # noqa: F401

# name: the rule, and what gives its states before the first step
RULES = {
    'sgd': (sgd, init_sgd_states),
    'momentum': (momentum, init_momentum_states),
    'adagrad': (adagrad, init_adagrad_states),
    'rmsprop': (rmsprop, init_rmsprop_states),
    'adadelta': (adadelta, init_adadelta_states),
    'adam': (adam, init_adam_states),
    'adam_uncorrected': (adam_uncorrected, init_adam_uncorrected_states),
    'amsgrad': (amsgrad, init_amsgrad_states),
    'yogi': (yogi, init_yogi_states),
}


def is_own(trainer_fn):
    """Whether a rule is one in RULES, and no reader's."""
    return any(trainer_fn is rule for rule, _ in RULES.values())
