"""What MXNet 1.9.1 misses on newer Pythons is put back only where missing; what cannot be is said in one line."""
import os
import platform
import sys
from types import ModuleType, SimpleNamespace

import numpy
import outside
import pytest

from chapter_adam import compat


def test_a_new_numpy_gets_its_bool_back():
    new = SimpleNamespace()
    compat.restore_numpy_names(new)
    assert new.bool is bool


def test_an_old_numpy_keeps_its_own():
    own = object()
    old = SimpleNamespace(bool=own)
    compat.restore_numpy_names(old)
    assert old.bool is own


def test_looking_for_the_name_does_not_trip_numpys_own_warning():
    """NumPy warns, or raises, from its module `__getattr__`: asking with hasattr would set that off."""
    module = ModuleType('numpy')
    module.__getattr__ = lambda name: pytest.fail(f'asked for {name}')
    compat.restore_numpy_names(module)
    assert module.bool is bool


def test_this_numpy_has_it():
    assert numpy.bool is bool


@pytest.fixture
def no_distutils(monkeypatch):
    """A Python that has dropped distutils: importing it fails."""
    for name in ('distutils', 'distutils.version'):
        monkeypatch.setitem(sys.modules, name, None)


def test_distutils_is_put_back_where_it_is_gone(no_distutils):
    compat.restore_distutils()
    from distutils.version import LooseVersion, StrictVersion
    for version in (LooseVersion, StrictVersion):
        assert version('1.9.1') < version('1.10')  # as versions, not as texts


def test_distutils_is_left_alone_where_it_is(monkeypatch):
    present = ModuleType('distutils.version')
    package = ModuleType('distutils')
    package.version = present
    monkeypatch.setitem(sys.modules, 'distutils', package)
    monkeypatch.setitem(sys.modules, 'distutils.version', present)
    compat.restore_distutils()
    assert sys.modules['distutils.version'] is present and not hasattr(present, 'LooseVersion')


CORE = 'OPENBLAS_CORETYPE'


@pytest.mark.parametrize('features, core', [
    ({'AVX2': True, 'FMA3': True}, 'Haswell'), ({'AVX2': True, 'FMA3': False}, None), ({'ASIMD': True}, None)])
def test_the_kernels_of_openblas_are_chosen_only_where_they_run_and_only_for_the_import(monkeypatch, features, core):
    monkeypatch.delenv(CORE, raising=False)
    monkeypatch.setattr(numpy.core._multiarray_umath, '__cpu_features__', features)
    with compat.chosen(compat.settings()):
        assert os.environ.get(CORE) == core
    assert CORE not in os.environ


def test_a_choice_of_the_users_own_stays(monkeypatch):
    monkeypatch.setenv(CORE, 'Zen')
    with compat.chosen(compat.settings()):
        assert os.environ[CORE] == 'Zen'
    assert os.environ[CORE] == 'Zen'


@pytest.mark.skipif(platform.machine() != 'x86_64' or CORE in os.environ, reason='other kernels, or chosen by hand')
def test_mxnets_openblas_takes_them(tmp_path):
    process = outside.python('-c', 'import chapter_adam.compat as compat; compat.mxnet', cwd=tmp_path,
                             paths=[outside.CLONE], OPENBLAS_VERBOSE='2')
    known = numpy.core._multiarray_umath.__cpu_features__
    assert (process.stderr.split()[-1] == 'Haswell') == (known['AVX2'] and known['FMA3'])


ENGINE = '{}; import os; print(os.environ.get("MXNET_ENGINE_TYPE"))'


@pytest.mark.parametrize('chosen', [{}, {'MXNET_ENGINE_TYPE': 'ThreadedEngine'}])
@pytest.mark.parametrize('statement', [
    'from chapter_adam.compat import mxnet', 'import chapter_adam; import mxnet',
    'import chapter_adam, importlib.util; importlib.util.find_spec("mxnet"); import mxnet'])
def test_the_engine_is_the_naive_one_unless_chosen_and_says_nothing_of_it(tmp_path, chosen, statement):
    process = outside.python('-c', ENGINE.format(statement), cwd=tmp_path, paths=[outside.CLONE], **chosen)
    assert process.stdout.strip() == str(chosen.get('MXNET_ENGINE_TYPE')) and process.returncode == 0
    assert process.stderr == ''
    other = outside.python('-c', 'import mxnet; mxnet.nd.ones(1).wait_to_read()', cwd=tmp_path, paths=[outside.CLONE],
                           MXNET_ENGINE_TYPE='NaiveEngine')
    assert 'start using engine: NaiveEngine' in other.stderr  # which is the line that is kept away


@pytest.mark.parametrize('first', ['', 'import importlib.util; importlib.util.find_spec("mxnet");'])
def test_it_is_the_naive_engine(tmp_path, first):
    """Which computes in the thread that asks: after the call, the numbers are there."""
    code = (f'import chapter_adam; {first} from mxnet import nd; import numpy as np;'
            'a = np.zeros(3000000, np.float32); out = nd.from_numpy(a, zero_copy=True);'
            'nd.ones(3000000)._slice(0, 3000000).copyto(out); print(int(a[-1]))')
    assert outside.python('-c', code, cwd=tmp_path, paths=[outside.CLONE]).stdout == '1\n'


def test_what_else_is_said_while_mxnet_is_loaded_is_heard(capfd):
    with compat.without_line_of(b'engine'):
        os.write(2, b'one\nMXNet start using engine\ntwo\n')
    assert capfd.readouterr().err == 'one\ntwo\n'


def test_a_closed_standard_error_stays_closed(tmp_path):
    process = outside.python('-c', 'import os, sys; os.close(2); from chapter_adam.compat import mxnet; print(1)',
                             cwd=tmp_path, paths=[outside.CLONE])
    assert process.stdout == '1\n'


INSTALL = 'apt-get install libgomp1 libquadmath0'


@pytest.mark.parametrize('error, words', [
    pytest.param(OSError('libgomp.so.1: cannot open shared object file: No such file or directory'),
                 ['the system library libgomp.so.1 is missing', INSTALL], id='libgomp'),
    pytest.param(OSError('libquadmath.so.0: cannot open shared object file'),
                 ['the system library libquadmath.so.0 is missing', INSTALL], id='libquadmath'),
    pytest.param(ModuleNotFoundError("No module named 'mxnet'", name='mxnet'),
                 ['MXNet is not installed', 'make run', 'pip install mxnet==1.9.1'], id='no mxnet'),
    pytest.param(ModuleNotFoundError("No module named 'graphviz'", name='graphviz'),
                 ["MXNet 1.9.1 cannot be loaded: No module named 'graphviz'"], id='half installed'),
    pytest.param(RuntimeError('Cannot find the MXNet library libmxnet.so in ...'),
                 ['MXNet 1.9.1 cannot be loaded: Cannot find'], id='own library'),
])
def test_an_import_failure_is_explained_in_one_line(error, words):
    message = compat.explain_import_failure(error)
    assert all(part in message for part in words) and '\n' not in message
    assert (INSTALL in message) == (INSTALL in words)


@pytest.mark.parametrize('error', [OSError, RuntimeError, ImportError])
def test_import_mxnet_raises_an_import_error_with_the_cause(monkeypatch, error):
    class Broken:
        @staticmethod
        def find_spec(name, path=None, target=None):
            if name == 'mxnet':
                raise error('libgomp.so.1: cannot open shared object file')
    monkeypatch.delitem(sys.modules, 'mxnet', raising=False)
    monkeypatch.setattr(sys, 'meta_path', [Broken, *sys.meta_path])
    with pytest.raises(ImportError, match='libgomp.so.1 is missing') as failure:
        compat.import_mxnet()
    assert isinstance(failure.value.__cause__, error)


def test_the_command_says_what_to_install(tmp_path):
    """On a slim Debian, MXNet's import dies with this very OSError."""
    stand_in = tmp_path / 'mxnet.py'
    stand_in.write_text("raise OSError('libquadmath.so.0: cannot open shared object file: No such file or directory')")
    process = outside.python('-m', 'chapter_adam', cwd=tmp_path, paths=[tmp_path, outside.CLONE])
    assert process.returncode == 1 and process.stdout == ''
    assert process.stderr == ('chapter-adam: MXNet cannot be loaded: the system library libquadmath.so.0 is missing; '
                              f'install it, for example with: {INSTALL}\n')
