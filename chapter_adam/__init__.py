"""The Adam section of *Dive into Deep Learning* (early MXNet/Gluon edition), running again.

    import chapter_adam as gb

    features, labels = gb.get_data_ch7()
    gb.train_ch7(gb.adam, gb.init_adam_states(), {'lr': 0.01, 't': 1}, features, labels)
    gb.train_gluon_ch7('adam', {'learning_rate': 0.01}, features, labels)

Each public name is loaded from its room on first use: the table below is also the map of the package.
"""
from importlib import import_module

from . import signals

signals.until_main()
from . import compat  # noqa: E402, F401  before anybody's import of mxnet

__version__ = '1.0.0'

ROOM_OF = {
    'get_data_ch7': 'airfoil',
    'adam': 'optimizers',
    'init_adam_states': 'optimizers',
    'train_ch7': 'book',
    'train_gluon_ch7': 'book',
    'hybridize': 'hybridization',
    'train_ensemble': 'ensemble',
    'train_gluon_ensemble': 'ensemble',
    'Ensemble': 'ensemble',
    'History': 'history',
    'DivergenceError': 'training',
    'UntraceableError': 'tracing',
}
__all__ = list(ROOM_OF)


def __getattr__(name):
    if name not in ROOM_OF:
        raise AttributeError(f'module {__name__!r} has no attribute {name!r}')
    value = globals()[name] = getattr(import_module(f'.{ROOM_OF[name]}', __name__), name)
    return value


def __dir__():
    return sorted([*globals(), *ROOM_OF])
