"""scripts/setup.sh among fake commands, without the network; and which Pythons pip refuses."""
import configparser
import re
import shutil
import subprocess

import outside
import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

FILES = 'scripts/setup.sh setup.cfg constraints.txt pyproject.toml'.split()
TOOLS = 'cat cksum cp date dirname env flock grep id mkdir mktemp mv perl rm sed seq sleep tail tr true'.split()
COMMANDS = {
    'uname': '[ "$1" = -s ] && echo Linux || echo x86_64',
    'ldd': 'echo GNU libc',
    'id': 'echo 1000',
    # A Python that says its version to whoever asks, lacks libraries where told so, and makes a venv when it may.
    'python3': '''
echo "$1 $2" >>../calls
for library in ${LACKS:-}; do
    [ -z "${LD_PRELOAD:-}" ] || echo "ERROR: ld.so: object '$library' from LD_PRELOAD cannot be preloaded" >&2
done
if [ "$1 $2" = "-m venv" ]; then
    for _ in $(seq 500); do [ ! -e ../wait ] || sleep 0.02; done
    mkdir -p "$3/bin" && cp "$0" "$3/bin/python"
fi
echo "${VERSION:-3.11.7} $0"''',
    'apt-get': '''
echo "$*" >>../calls
if [ "$1" = update ]; then echo >../updated; else [ -e ../updated ]; fi'''}
LACKS = 'libgomp.so.1 libquadmath.so.0'


class Machine:
    """A folder with a clone, whose set-up sees no commands but those in `bin`."""

    def __init__(self, folder):
        self.bin, self.clone, self.calls = folder / 'bin', folder / 'a clone', folder / 'calls'
        for path in [self.bin, self.clone / 'scripts']:
            path.mkdir(parents=True)
        for name in FILES:
            shutil.copy(outside.CLONE / name, self.clone / name)
        for name in filter(shutil.which, TOOLS):
            (self.bin / name).symlink_to(shutil.which(name))
        for name, script in COMMANDS.items():
            self.command(name, script)

    def command(self, name, script):
        path = self.bin / name
        path.unlink(missing_ok=True)
        path.write_text(f'#!/bin/sh\n{script}\n')
        path.chmod(0o755)

    def start(self, **variables):
        return subprocess.Popen(['/bin/sh', 'scripts/setup.sh'], cwd=self.clone, stderr=subprocess.PIPE, text=True,
                                env={'PATH': str(self.bin), 'HOME': '/nowhere', 'NO_UV': '1', **variables})

    def set_up(self, **variables):
        """The exit code and what it says."""
        process = self.start(**variables)
        said = process.communicate(timeout=outside.PATIENCE)[1]
        return process.returncode, said

    def called(self, *words):
        return [line for line in self.calls.read_text().splitlines() if line.startswith(words)]


@pytest.fixture
def machine(tmp_path):
    return Machine(tmp_path)


def test_it_builds_once(machine):
    assert machine.set_up()[0] == 0
    assert machine.set_up() == (0, '')
    assert machine.called('-m') == ['-m venv', '-m pip']


@pytest.mark.parametrize('file', FILES)
def test_it_builds_again_after_a_change_of_what_decides(machine, file):
    machine.set_up()
    with open(machine.clone / file, 'a') as opened:
        opened.write('\n')
    machine.set_up()
    assert len(machine.called('-m venv')) == 2


@pytest.mark.parametrize('system, processor, libc', [
    ('Darwin', 'arm64', ''), ('MINGW64_NT-10.0', 'x86_64', ''), ('Linux', 'aarch64', ''), ('Linux', 'x86_64', 'musl')])
def test_a_platform_without_mxnet_is_shown_docker(machine, system, processor, libc):
    machine.command('uname', f'[ "$1" = -s ] && echo {system} || echo {processor}')
    machine.command('ldd', f'echo {libc}')
    code, said = machine.set_up()
    command, = re.findall('^# +(docker .*)', (outside.CLONE / 'Dockerfile').read_text(), re.MULTILINE)
    assert code == 1 and f'{system} {processor}' in said and said.endswith(f': {command}\n') and said.count('\n') == 1
    assert not machine.calls.exists()


@pytest.mark.parametrize('version', ['3.9.18', '3.14.0'])
def test_another_python_is_refused(machine, version):
    code, said = machine.set_up(VERSION=version)
    assert code == 1 and said.startswith('setup: no Python 3.11, 3.10 or 3.12 works here') and said.count('\n') == 1
    assert not machine.called('-m')
    code, said = machine.set_up(VERSION=version, PYTHON='python3')
    assert code == 1 and f'is Python {version}' in said


@pytest.mark.parametrize('variables, python, packages', [
    ({'LACKS': 'libgomp.so.1'}, COMMANDS['python3'], 'libgomp1'),
    ({'LACKS': LACKS}, COMMANDS['python3'], 'libgomp1 libquadmath0'),
    ({}, 'exit 127', 'python3-venv')], ids=['library', 'libraries', 'shim'])
def test_what_the_system_lacks_is_named_before_any_download(machine, variables, python, packages):
    machine.command('python3', python)
    says = f'setup: this system lacks {packages}; type: sudo apt-get install {packages}\n'
    assert machine.set_up(**variables) == (1, says)
    assert not machine.calls.exists() or not machine.called('-m')


def test_root_has_it_installed_after_an_update_if_need_be(machine):
    machine.command('id', 'echo 0')
    code, said = machine.set_up(LACKS=LACKS)
    assert code == 0 and said.startswith('setup: installing libgomp1 libquadmath0 with apt-get\n')
    install = 'install --yes --no-install-recommends libgomp1 libquadmath0'
    assert machine.called('install', 'update', '-m') == [install, 'update', install, '-m venv', '-m pip']


@pytest.mark.parametrize('locker', ['flock', 'perl'])
def test_a_second_set_up_waits_for_the_first_and_uses_its_result(machine, locker):
    if not shutil.which(locker):
        pytest.skip(f'no {locker}')
    for name in {'flock', 'perl'} - {locker}:
        machine.command(name, 'exit 127')
    hold = machine.clone.parent / 'wait'
    hold.touch()
    with machine.start() as first:
        said = [first.stderr.readline(), first.stderr.readline()]
        assert 'installing' in said[-1]
        with machine.start() as second:
            assert second.stderr.readline() == 'setup: another set-up works in this folder: waiting for it\n'
            hold.unlink()
            assert second.stderr.read() == ''
    assert (first.returncode, second.returncode) == (0, 0)
    assert machine.called('-m venv') == ['-m venv']


@pytest.mark.parametrize('version, packages', [
    ('3.9', ''), ('3.10', 'd2l matplotlib mxnet numpy'), ('3.11', 'd2l matplotlib mxnet numpy'),
    ('3.12', 'd2l matplotlib mxnet numpy'), ('3.13', ''), ('3.14', '')])
def test_pip_downloads_and_compiles_nothing_large_for_a_python_that_it_refuses(version, packages):
    config = configparser.ConfigParser()
    config.read(outside.CLONE / 'setup.cfg')
    lines = map(Requirement, config['options']['install_requires'].strip().splitlines())
    wanted = sorted(one.name for one in lines if not one.marker or one.marker.evaluate({'python_version': version}))
    assert [name for name in wanted if name not in ('ipython', 'tqdm')] == packages.split()
    assert (version in SpecifierSet(config['options']['python_requires'])) == bool(packages)
