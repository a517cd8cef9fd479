"""The Adam section of *Dive into Deep Learning* (early MXNet/Gluon edition), running again.

    import chapter_adam as gb

    features, labels = gb.get_data_ch7()
    gb.train_ch7(gb.adam, gb.init_adam_states(), {'lr': 0.01, 't': 1}, features, labels)
    gb.train_gluon_ch7('adam', {'learning_rate': 0.01}, features, labels)

Each public name is loaded from its room on first use: the table below is also the map of the package. The functions of
`optimizers` need no entry: `from chapter_adam import yogi, init_yogi_states` works for any rule that stands there.
"""
import re
from importlib import import_module
from pathlib import Path

from . import signals

signals.until_main()
from . import compat  # noqa: E402, F401  before anybody's import of mxnet

__version__ = '1.0.0'

ROOM_OF = {
    'get_data_ch7': 'airfoil',
    'RULES': 'optimizers',
    'train_ch7': 'book',
    'train_gluon_ch7': 'book',
    'hybridize': 'hybridization',
    'train_ensemble': 'ensemble',
    'train_gluon_ensemble': 'ensemble',
    'Ensemble': 'ensemble',
    'History': 'history',
    'DivergenceError': 'training',
    'UntraceableError': 'stand_ins',
}
# The rules and their initialisers, whichever there are: read, not imported, which would import MXNet.
_rules = Path(__file__).with_name('optimizers.py').read_text(encoding='utf-8')
ROOM_OF.update(dict.fromkeys(re.findall(r'^def ([a-zA-Z]\w*)', _rules, re.MULTILINE), 'optimizers'))
__all__ = list(ROOM_OF)


def __getattr__(name):
    if name not in ROOM_OF:
        raise AttributeError(f'module {__name__!r} has no attribute {name!r}')
    value = globals()[name] = getattr(import_module(f'.{ROOM_OF[name]}', __name__), name)
    return value


def __dir__():
    return sorted([*globals(), *ROOM_OF])
