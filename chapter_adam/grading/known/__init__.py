"""What is known about rules, in float64: each step by step, the mistakes in them, and gradients that tell these."""
from .mistake import Mistake, mistake  # noqa: F401
from .oracles import ORACLES  # noqa: F401
from .others import mistakes_of, pairs_of  # noqa: F401
from .streams import PATTERNS, make_stream  # noqa: F401
