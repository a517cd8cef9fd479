"""MXNet 1.9.1 on today's Pythons: puts back the names that it needs, only where missing, and loads it.

Importing this module (the package does) imports no NumPy and no MXNet: it places a finder, so that whoever imports
MXNet first gets it with the names put back and under our settings, a reader's `from mxnet import nd` included. This
package takes MXNet from here (`from .compat import mxnet`), which says in one line what to do if it cannot be loaded.
Nothing in site-packages is touched.
"""
import importlib.machinery
import os
import re
import sys
import threading
import types
import warnings
from contextlib import contextmanager

# MXNet's NaiveEngine has one workspace for all threads: whoever computes holds this lock.
DEVICE = threading.RLock()
# A process that is forked while another thread computes would wait for it forever.
os.register_at_fork(before=DEVICE.acquire, after_in_parent=DEVICE.release, after_in_child=DEVICE.release)
ENGINES = ('NaiveEngine', 'ThreadedEngine', 'ThreadedEnginePerDevice')


def restore_numpy_names(module):
    """Gives NumPy its alias `bool` again (gone since 1.24, a warning since 1.20)."""
    if 'bool' not in vars(module):
        module.bool = bool


def restore_scipy_names(sparse):
    """Gives scipy.sparse, where it is installed, its `csr.csr_matrix` again (each use is a warning since 1.8)."""
    if sparse is not None:
        sparse.csr.csr_matrix = sparse.csr_matrix


def restore_distutils():
    """Gives Python 3.12, which dropped distutils, the two version classes that MXNet compares with."""
    try:
        import distutils.version  # noqa: F401  present up to 3.11, and wherever setuptools is
    except ImportError:
        from packaging.version import Version
        version = types.ModuleType('distutils.version')
        version.LooseVersion = version.StrictVersion = Version
        package = types.ModuleType('distutils')
        package.version = version
        sys.modules.update({'distutils': package, 'distutils.version': version})


def explain_import_failure(error):
    """What to do about an MXNet that cannot be loaded, in one line."""
    library = re.search(r'lib\w+\.so[.\d]*', str(error))
    if library and 'libmxnet' not in library.group():
        return (f'MXNet cannot be loaded: the system library {library.group()} is missing; install it, '
                'for example with: apt-get install libgomp1 libquadmath0')
    if isinstance(error, ModuleNotFoundError) and error.name == 'mxnet':
        return 'MXNet is not installed in this environment: run `make run` in the clone, or pip install mxnet==1.9.1'
    if sys.flags.optimize > 1:
        return 'MXNet 1.9.1 cannot be loaded under `python -OO`: it reads docstrings; run Python without -OO'
    return f'MXNet 1.9.1 cannot be loaded: {error}'


def import_mxnet():
    """Imports MXNet, or raises an ImportError that says in one line what to do."""
    try:
        import mxnet
    except Exception as error:  # the library's own errors are of many types
        raise ImportError(explain_import_failure(error)) from error
    return mxnet


class Finder:
    """Finds MXNet for whoever imports it first, and has it loaded under our settings."""

    def find_spec(self, name, path=None, target=None):
        spec = importlib.machinery.PathFinder.find_spec(name, path) if name == 'mxnet' else None
        if spec and spec.loader:
            load = spec.loader.exec_module
            spec.loader.exec_module = lambda module: under_settings(load, module)
        return spec


def under_settings(load, module):
    """Loads MXNet's module, and has it choose its engine, which it does when it is first asked for anything."""
    import numpy
    for name in [name for name in sys.modules if name.startswith('mxnet.')]:
        del sys.modules[name]  # what an import before ours left, which failed for lack of what is put back here
    with chosen(settings(numpy)), warnings.catch_warnings():
        warnings.simplefilter('ignore')  # its code of 2022 does not load under -W error or -bb
        restore_numpy_names(numpy)
        restore_distutils()
        load(module)
        restore_scipy_names(module.nd.utils.spsp)
        with silent_stderr():  # "MXNet start using engine: NaiveEngine"
            module.nd.waitall()


def settings(numpy):
    """What MXNet is told by the environment while it is loaded, by name.

    NaiveEngine computes where it is called. The usual engine hands all work to a thread, and to wake that one takes
    longer than forty operators on five weights.

    Left alone, MXNet's OpenBLAS of 2019 chooses its kernels by processor, those of 2004 where it does not know it, and
    each kernel rounds its sums in its own way: the last digit of a loss would depend on the machine. The kernels named
    Haswell run on every processor with AVX2, AMD's or Intel's.
    """
    engine = os.environ.get('MXNET_ENGINE_TYPE', ENGINES[0])
    if engine not in ENGINES:  # MXNet's own failure comes twice, the second time at Python's exit
        raise ImportError(f'MXNET_ENGINE_TYPE must be one of {", ".join(ENGINES)}, got {engine!r}')
    known = numpy.core._multiarray_umath.__cpu_features__
    kernels = {'OPENBLAS_CORETYPE': 'Haswell'} if known.get('AVX2') and known.get('FMA3') else {}
    return {'MXNET_ENGINE_TYPE': engine, **kernels}


@contextmanager
def chosen(values):
    """Sets environment variables while the block runs; what the user has set stays."""
    added = {name: value for name, value in values.items() if name not in os.environ}
    os.environ.update(added)
    try:
        yield
    finally:
        for name in added:
            del os.environ[name]


@contextmanager
def silent_stderr():
    """Drops what is written to standard error, past Python too. Keep the block short: a crash inside says nothing."""
    try:
        real = os.dup(2)
    except OSError:  # closed
        yield
        return
    try:
        with open(os.devnull, 'wb') as nowhere:
            os.dup2(nowhere.fileno(), 2)
        yield
    finally:
        os.dup2(real, 2)
        os.close(real)


def __getattr__(name):
    if name == 'mxnet':
        return import_mxnet()
    raise AttributeError(f'module {__name__!r} has no attribute {name!r}')


if 'mxnet' not in sys.modules:
    sys.meta_path.insert(0, Finder())
