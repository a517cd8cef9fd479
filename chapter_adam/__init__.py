"""The Adam section of *Dive into Deep Learning* (early MXNet/Gluon edition), running again.

    import chapter_adam as gb

    features, labels = gb.get_data_ch7()
    gb.train_ch7(gb.adam, gb.init_adam_states(), {'lr': 0.01, 't': 1}, features, labels)
    gb.train_gluon_ch7('adam', {'learning_rate': 0.01}, features, labels)

Each public name is imported from its module on first use; the table below says from which.
"""
from importlib import import_module

from . import compat  # noqa: F401  before anybody's import of mxnet

__version__ = '2.0.0'

NAMES = {
    'book': ('train_ch7', 'train_gluon_ch7'),
    'comparing': ('Comparison', 'compare'),
    'core.airfoil': ('get_data_ch7',),
    'core.history': ('Ensemble', 'History'),
    'core.regression': ('linreg', 'squared_loss'),
    'core.training': ('DivergenceError',),
    'grading': ('Verdict', 'check'),
    'lazy': ('hybridize',),
    'many': ('train_ensemble', 'train_gluon_ensemble'),
    'rules': ('RULES', 'sgd', 'momentum', 'adagrad', 'rmsprop', 'adadelta', 'adam', 'adam_uncorrected', 'amsgrad',
              'yogi', 'init_sgd_states', 'init_momentum_states', 'init_adagrad_states', 'init_rmsprop_states',
              'init_adadelta_states', 'init_adam_states', 'init_adam_uncorrected_states', 'init_amsgrad_states',
              'init_yogi_states'),
    'sections': ('plt', 'set_figsize', 'show_trace_2d', 'train_2d'),
}
MODULE_OF = {name: module for module, names in NAMES.items() for name in names}
__all__ = list(MODULE_OF)


def __getattr__(name):
    if name not in MODULE_OF:
        raise AttributeError(f'module {__name__!r} has no attribute {name!r}')
    value = globals()[name] = getattr(import_module(f'.{MODULE_OF[name]}', __name__), name)
    return value


def __dir__():
    return sorted([*globals(), *MODULE_OF])
