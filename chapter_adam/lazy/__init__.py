"""How a rule becomes fast: its arrays only write down what is to be computed, and ten steps run as one graph."""
from .run import LazyModel, hybridize  # noqa: F401
