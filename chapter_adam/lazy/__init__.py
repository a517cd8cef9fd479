"""How a rule becomes fast: its arrays only write down what is to be computed, and many steps run as one graph."""
from .array import for_runs  # noqa: F401
from .graph import Layout, cached_op, equal  # noqa: F401
from .hybridize import arrays_in, hybridize, lazy  # noqa: F401
from .memory import are_apart  # noqa: F401
from .node import real  # noqa: F401
from .operators import NAME_OF  # noqa: F401
from .record import RECORDER, MixesRuns  # noqa: F401
