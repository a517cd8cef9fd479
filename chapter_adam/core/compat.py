"""MXNet 1.9.1 on today's Pythons: puts back the names it needs, only where missing, and imports it.

The names are put back when this module is imported, with the package, so that a reader's `from mxnet import nd` works
after `import chapter_adam`; MXNet is then told which engine and which kernels to take. The rooms take MXNet from here
(`from .compat import mxnet`), which imports it at the first request and says what to do if it cannot. Nothing in
site-packages is touched.
"""
import importlib.machinery
import os
import re
import sys
import tempfile
import threading
import types
from contextlib import contextmanager

import numpy


def restore_numpy_names(module=numpy):
    """Gives NumPy its alias `bool` again (gone since 1.24, a warning since 1.20)."""
    if 'bool' not in vars(module):
        module.bool = bool


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
    return f'MXNet 1.9.1 cannot be loaded: {error}'


def import_mxnet():
    """Imports MXNet, or raises an ImportError that says in one line what to install."""
    try:
        import mxnet
    except (OSError, ImportError, RuntimeError) as error:
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
    """Loads MXNet's module; it chooses its engine when it is first asked for anything, which is done here too."""
    with chosen(settings()), without_line_of(b'start using engine'):
        load(module)
        module.nd.waitall()


def settings():
    """What MXNet is told by the environment when it is loaded, by name.

    NaiveEngine computes where it is called. The usual engine hands all work to a thread, and to wake that one takes
    longer than forty operators on five weights. (One engine has one scratch memory: see DEVICE.)

    Left alone, MXNet's OpenBLAS of 2019 takes other kernels for each kind of processor, for one that it does not know
    those of 2004, and each rounds its sums in its own way: the last digit of a loss would depend on the machine. Those
    named Haswell run wherever there is AVX2, AMD's or Intel's.
    """
    known = numpy.core._multiarray_umath.__cpu_features__
    kernels = {'OPENBLAS_CORETYPE': 'Haswell'} if known.get('AVX2') and known.get('FMA3') else {}
    return {'MXNET_ENGINE_TYPE': 'NaiveEngine', **kernels}


@contextmanager
def chosen(values):
    """Sets environment variables while the block runs; what the user has set stays."""
    own = {name: value for name, value in values.items() if name not in os.environ}
    os.environ.update(own)
    try:
        yield
    finally:
        for name in own:
            del os.environ[name]


@contextmanager
def without_line_of(text):
    """Keeps a line off standard error that MXNet writes past Python; what else is written comes when the block ends."""
    try:
        real, said = os.dup(2), tempfile.TemporaryFile()
    except OSError:  # standard error is closed, or no file can be made: then let it speak
        yield
        return
    os.dup2(said.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(real, 2)
        os.close(real)
        said.seek(0)
        for line in said:
            if text not in line:
                os.write(2, line)
        said.close()


# Who computes holds it: the scratch memory of NaiveEngine is the same for all threads.
DEVICE = threading.RLock()


def __getattr__(name):
    if name == 'mxnet':
        return import_mxnet()
    raise AttributeError(f'module {__name__!r} has no attribute {name!r}')


restore_numpy_names()
restore_distutils()
if 'mxnet' not in sys.modules:
    sys.meta_path.insert(0, Finder())
