"""What MXNet 1.9.1 misses is put back only where missing; it gets our engine; what cannot be is said in one line."""
import os
import re
import sys
import threading
from types import ModuleType, SimpleNamespace

import numpy
import outside
import pytest

from chapter_adam import compat


def test_numpys_bool_is_put_back_where_it_is_gone_and_never_asked_for():
    """NumPy warns, or raises, from its module `__getattr__`: asking with hasattr would set that off."""
    gone, mine = ModuleType('numpy'), object()
    gone.__getattr__ = lambda name: pytest.fail(f'asked for {name}')
    there = SimpleNamespace(bool=mine)
    for module in (gone, there):
        compat.restore_numpy_names(module)
    assert gone.bool is bool and there.bool is mine and numpy.bool is bool


def test_distutils_is_put_back_where_it_is_gone(monkeypatch):
    for name in ('distutils', 'distutils.version'):
        monkeypatch.setitem(sys.modules, name, None)  # importing it fails
    compat.restore_distutils()
    from distutils.version import LooseVersion, StrictVersion
    for version in (LooseVersion, StrictVersion):
        assert version('1.9.1') < version('1.10')  # as versions, not as texts


CORE, ENGINE = 'OPENBLAS_CORETYPE', 'MXNET_ENGINE_TYPE'


@pytest.mark.parametrize('features, core', [
    ({'AVX2': True, 'FMA3': True}, 'Haswell'), ({'AVX2': True, 'FMA3': False}, None)])
def test_the_settings_hold_only_for_the_import_and_only_where_they_can(monkeypatch, features, core):
    for name in (CORE, ENGINE):
        monkeypatch.delenv(name, raising=False)
    processor = SimpleNamespace(core=SimpleNamespace(_multiarray_umath=SimpleNamespace(__cpu_features__=features)))
    with compat.chosen(compat.settings(processor)):
        assert (os.environ.get(CORE), os.environ[ENGINE]) == (core, 'NaiveEngine')
    assert CORE not in os.environ and ENGINE not in os.environ


def test_what_the_user_has_set_stays(monkeypatch):
    monkeypatch.setenv(CORE, 'Zen')
    monkeypatch.setenv(ENGINE, 'ThreadedEngine')
    with compat.chosen(compat.settings(numpy)):
        assert (os.environ[CORE], os.environ[ENGINE]) == ('Zen', 'ThreadedEngine')
    assert (os.environ[CORE], os.environ[ENGINE]) == ('Zen', 'ThreadedEngine')
    monkeypatch.setenv(ENGINE, 'bad')
    with pytest.raises(ImportError, match="MXNET_ENGINE_TYPE must be one of NaiveEngine, .*, got 'bad'"):
        compat.settings(numpy)


PROGRAM = '''
import sys, warnings
sys.modules["distutils"] = None  # as on Python 3.12: MXNet fails, and leaves half of its modules
try:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from mxnet import nd
except Exception:  # with NumPy from 1.24 on it is an AttributeError
    del sys.modules["distutils"]
import chapter_adam
import importlib.util; importlib.util.find_spec("mxnet")
from mxnet import nd
import numpy as np
a = np.zeros(3000000, np.float32); out = nd.from_numpy(a, zero_copy=True)
nd.ones(3000000)._slice(0, 3000000).copyto(out)
print(int(a[-1]))  # NaiveEngine computes in the thread that asks: after the call, the numbers are there
chapter_adam.train_ch7(chapter_adam.sgd, None, {"lr": 0.1}, a[:20].reshape(10, 2), a[:10], plot=False)
'''


def test_a_readers_import_gets_the_naive_engine_without_a_word(tmp_path):
    """Even where an import before ours has failed, and warnings are errors."""
    process = outside.python('-W', 'error', '-bb', '-c', PROGRAM, cwd=tmp_path, paths=[outside.CLONE])
    assert process.stdout.startswith('1\nloss: ')
    assert re.sub('.*overriding existing custom operator.*\n', '', process.stderr) == ''  # the failed import's


def test_mxnets_last_words_are_heard(tmp_path):
    process = outside.python('-m', 'chapter_adam', cwd=tmp_path, OMP_NUM_THREADS='4,2')
    assert 'Invalid Parameter format for OMP_NUM_THREADS' in process.stderr and process.returncode


def test_what_is_dropped_ends_with_the_block(capfd):
    os.write(2, b'one\n')
    with compat.silent_stderr():
        os.write(2, b'MXNet start using engine\n')
    os.write(2, b'two\n')
    assert capfd.readouterr().err == 'one\ntwo\n'


def test_a_closed_standard_error_stays_closed():
    kept = os.dup(2)
    os.close(2)
    try:
        with compat.silent_stderr():
            pass
        with pytest.raises(OSError):
            os.fstat(2)
    finally:
        os.dup2(kept, 2)
        os.close(kept)


def test_a_fork_waits_for_the_device_and_leaves_it_free():
    """Else the child of a fork would wait for ever for another thread, which it does not have."""
    taken, release, waited = threading.Event(), threading.Event(), []

    def compute():
        with compat.DEVICE:
            taken.set()
            release.wait(0.2)
            waited.append(True)
    thread = threading.Thread(target=compute)
    thread.start()
    taken.wait()
    child = os.fork()
    if not child:
        os._exit(0 if waited and compat.DEVICE.acquire(timeout=5) else 1)
    thread.join()
    assert os.waitpid(child, 0)[1] == 0
    assert compat.DEVICE.acquire(timeout=5) is True
    compat.DEVICE.release()


INSTALL = 'apt-get install libgomp1 libquadmath0'


@pytest.mark.parametrize('error, words', [
    (OSError('libgomp.so.1: cannot open shared object file: No such file or directory'),
     ['the system library libgomp.so.1 is missing', INSTALL]),
    (ModuleNotFoundError("No module named 'mxnet'", name='mxnet'),
     ['MXNet is not installed', 'make run', 'pip install mxnet==1.9.1']),
    (ModuleNotFoundError("No module named 'graphviz'", name='graphviz'),
     ["MXNet 1.9.1 cannot be loaded: No module named 'graphviz'"]),
    (RuntimeError('Cannot find the MXNet library libmxnet.so in ...'), ['MXNet 1.9.1 cannot be loaded: Cannot find']),
], ids=['libgomp', 'no mxnet', 'half installed', 'its library'])
def test_an_import_failure_is_explained_in_one_line(monkeypatch, error, words):
    class Broken:
        @staticmethod
        def find_spec(name, path=None, target=None):
            if name == 'mxnet':
                raise error
    monkeypatch.delitem(sys.modules, 'mxnet')
    monkeypatch.setattr(sys, 'meta_path', [Broken, *sys.meta_path])
    with pytest.raises(ImportError) as failure:
        compat.import_mxnet()
    message = str(failure.value)
    assert failure.value.__cause__ is error and all(part in message for part in words) and '\n' not in message
    assert (INSTALL in message) == (INSTALL in words)


def test_without_docstrings_mxnet_cannot_be_loaded(monkeypatch):
    monkeypatch.setattr(compat.sys, 'flags', SimpleNamespace(optimize=2))
    assert 'run Python without -OO' in compat.explain_import_failure(TypeError('expected str'))
