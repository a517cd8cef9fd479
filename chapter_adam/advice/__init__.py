"""What the writer of a rule is told: where it failed, where a nan came from, what was hardly meant."""
from .failures import explained  # noqa: F401
from .nans import with_origin  # noqa: F401
from .slips import draws_noted, noted, warn_of_slips  # noqa: F401
