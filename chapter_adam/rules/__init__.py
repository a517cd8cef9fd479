"""The update rules of the book and its neighbours, and the published variants and mistakes of Adam."""
from .optimizers import RULES, adam, adam_uncorrected, amsgrad, momentum, rmsprop, sgd, yogi  # noqa: F401
from .optimizers import init_adam_states, init_adam_uncorrected_states, init_amsgrad_states  # noqa: F401
from .optimizers import init_momentum_states, init_rmsprop_states, init_sgd_states, init_yogi_states  # noqa: F401
from .variants import averaged_first, eps_hat, eps_inside, scaled_first, true_averages, true_weight  # noqa: F401
from .variants import weighted_momentum, weighted_rmsprop  # noqa: F401


def is_own(trainer_fn):
    """Whether a rule is one in RULES, and no reader's."""
    return any(trainer_fn is rule for rule, _ in RULES.values())
