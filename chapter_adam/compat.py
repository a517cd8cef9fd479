"""MXNet 1.9.1 on today's Pythons: puts back the names it needs, only where missing, and imports it.

The names are put back when this module is imported, with the package, so that a reader's `from mxnet import nd` works
after `import chapter_adam`. The rooms take MXNet from here (`from .compat import mxnet`), which imports it at the first
request and says what to do if it cannot. Nothing in site-packages is touched.
"""
import os
import re
import sys
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


@contextmanager
def same_sums():
    """While MXNet is loaded, chooses for its OpenBLAS the kernels that every x86-64 with AVX2 has, AMD's or Intel's.

    Left alone, that OpenBLAS of 2019 takes others for each kind of processor, for one that it does not know those of
    2004, and each rounds its sums in its own way: the last digit of a loss would depend on the machine.
    """
    name, features = 'OPENBLAS_CORETYPE', numpy.core._multiarray_umath.__cpu_features__
    if name in os.environ or not (features.get('AVX2') and features.get('FMA3')):
        yield
        return
    os.environ[name] = 'Haswell'
    try:
        yield
    finally:
        del os.environ[name]


def import_mxnet():
    """Imports MXNet, or raises an ImportError that says in one line what to install."""
    try:
        with same_sums():
            import mxnet
    except (OSError, ImportError, RuntimeError) as error:
        raise ImportError(explain_import_failure(error)) from error
    return mxnet


def __getattr__(name):
    if name == 'mxnet':
        return import_mxnet()
    raise AttributeError(f'module {__name__!r} has no attribute {name!r}')


restore_numpy_names()
restore_distutils()
