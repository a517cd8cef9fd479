"""Whether a reader's rule is right: its steps beside those of a float64 oracle, and the known mistakes beside it."""
from .check import check  # noqa: F401
from .verdict import Verdict  # noqa: F401
