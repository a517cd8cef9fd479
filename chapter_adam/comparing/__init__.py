"""Rules in a race: many seeds of each on the section's training, seed beside seed."""
from .compare import Comparison, compare  # noqa: F401
