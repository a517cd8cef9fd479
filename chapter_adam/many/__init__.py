"""A thousand runs as one: the same rule on arrays with a leading axis of runs."""
from .training import train_ensemble, train_gluon_ensemble  # noqa: F401
