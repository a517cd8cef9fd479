"""How a rule becomes fast: its arrays only write down what is to be computed, and ten steps run as one graph."""
from .array import lazy  # noqa: F401
from .graph import cached_op  # noqa: F401
from .record import for_runs, real  # noqa: F401
from .run import LazyModel, arrays_in, hybridize  # noqa: F401
from .steps import Batches, Steps, as_many  # noqa: F401
