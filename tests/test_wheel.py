"""The wheel, built without the network: all of the package is in it, the data too, and the section runs from it."""
import configparser
import hashlib
import re
import shutil
import subprocess
import zipfile

import outside
import pytest

import chapter_adam
from chapter_adam.core import airfoil

BUILD = 'import sys; from setuptools import build_meta; build_meta.build_wheel(sys.argv[1])'
SECTION = '''
import chapter_adam as gb

features, labels = gb.get_data_ch7()
gb.train_ch7(gb.adam, gb.init_adam_states(), {'lr': 0.01, 't': 1}, features, labels)
gb.train_gluon_ch7('adam', {'learning_rate': 0.01}, features, labels)
print(gb.__file__)
'''


def source_files():
    """What a commit of the work tree would hold: nothing that was built or left behind gets into the wheel."""
    listing = subprocess.run(['git', 'ls-files', '-z', '-co', '--exclude-standard'], cwd=outside.CLONE,
                             capture_output=True, text=True)
    if listing.returncode:
        pytest.skip('not in a git clone')
    return [name for name in listing.stdout.split('\0') if name and (outside.CLONE / name).is_file()]


@pytest.fixture(scope='module')
def wheel(tmp_path_factory):
    """The path of the wheel of these sources."""
    clone, out = tmp_path_factory.mktemp('clone'), tmp_path_factory.mktemp('wheel')
    for name in source_files():
        (clone / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(outside.CLONE / name, clone / name)
    process = outside.python('-c', BUILD, out, cwd=clone, paths=[clone])
    assert process.returncode == 0, process.stderr
    path, = out.iterdir()
    return path


@pytest.fixture(scope='module')
def archive(wheel):
    with zipfile.ZipFile(wheel) as opened:
        yield opened


def test_its_name_is_that_of_a_pure_package(wheel):
    assert wheel.name == f'chapter_adam-{chapter_adam.__version__}-py3-none-any.whl'


def test_the_data_file_is_in_it_byte_for_byte(archive):
    content = archive.read(f'chapter_adam/data/{airfoil.NAME}')
    assert hashlib.sha1(content).hexdigest() == airfoil.SHA1
    assert 'CC BY 4.0' in archive.read('chapter_adam/data/README.md').decode()


def test_every_module_and_nothing_else_is_in_it(archive):
    package = outside.CLONE / 'chapter_adam'
    files = [*package.rglob('*.py'), package / 'adam.ipynb']
    modules = {path.relative_to(outside.CLONE).as_posix() for path in files}
    packed = {name for name in archive.namelist() if '.dist-info/' not in name}
    assert packed == modules | {f'chapter_adam/data/{name}' for name in (airfoil.NAME, 'README.md')}


def test_it_installs_the_command_and_the_licence(archive):
    info = {name.split('/', 1)[1]: name for name in archive.namelist() if '.dist-info/' in name}
    entry_points = configparser.ConfigParser()
    entry_points.read_string(archive.read(info['entry_points.txt']).decode())
    assert dict(entry_points['console_scripts']) == {'chapter-adam': 'chapter_adam.command.cli:main'}
    assert any(name.endswith('LICENSE') for name in info)
    assert 'Requires-Dist: mxnet==1.9.1' in archive.read(info['METADATA']).decode()


def test_the_sections_cells_run_far_from_the_clone(archive, tmp_path):
    """In an empty folder and without a display: nothing is looked for there, and nothing left."""
    installed, empty = tmp_path / 'installed', tmp_path / 'empty'
    archive.extractall(installed)
    empty.mkdir()
    process = outside.python('-c', SECTION, cwd=empty, paths=[installed])
    assert (process.returncode, process.stderr) == (0, '')
    *lines, path = process.stdout.splitlines()
    scratch, gluon = [float(re.fullmatch(r'loss: (0\.24\d{4}), \d+\.\d{6} sec per epoch', line)[1]) for line in lines]
    assert abs(scratch - gluon) < 1e-5
    assert path == str(installed / 'chapter_adam' / '__init__.py')
    assert list(empty.iterdir()) == []
