"""What the writer of a rule is told: where it failed, where a nan came from, what was hardly meant."""
from .failures import advice_on, explained  # noqa: F401
from .nans import with_origin  # noqa: F401
from .slips import Hyperparams, draws_noted, warn_of_slips, watched  # noqa: F401
