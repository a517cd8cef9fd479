"""What is known about rules, in float64: each step by step, and the mistakes that are made in them."""
from .mistake import Mistake, pairs_of  # noqa: F401
from .oracles import ORACLES  # noqa: F401
from .others import mistakes_of  # noqa: F401
