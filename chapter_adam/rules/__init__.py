"""The update rules of the book and its neighbours, and the published variants and mistakes of Adam."""
from .optimizers import *  # noqa: F401, F403
from .optimizers import RULES  # noqa: F401
