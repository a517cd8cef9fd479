"""`chapter-adam data`: the facts of a file, and the way back of a lost one, with a network of the test's own."""
import hashlib
import io
import re
import time
from types import SimpleNamespace

import pytest
import requests

from chapter_adam import get_data_ch7
from chapter_adam.command import cli, data
from chapter_adam.core import airfoil


def test_the_facts_of_the_packaged_file(capsys):
    assert cli.main(['data']) == 0
    out = capsys.readouterr().out
    assert '1503 rows' in out and airfoil.SHA1 in out
    assert re.search(r'^frequency +Hz +200 +2886.38 +20000$', out, re.M)
    assert re.search(r'^sound pressure level +dB +103.38 +124.836 +140.987$', out, re.M)


def test_the_facts_of_another_file(small, tmp_path, capsys):
    (tmp_path / 'large').write_text('1 2 3 4 5 1.7e308\n2 3 4 5 6 1.7e308\n3 4 5 6 7 1.4e308\n')
    for name, words in (('small.dat', '30 rows'), ('large', '1.4e+308     1.6e+308     1.7e+308')):
        assert cli.main(['data', '--data', name]) == 0
        out, err = capsys.readouterr()
        assert words in out and 'SHA-1' not in out and 'nan' not in out and err == ''


@pytest.fixture
def lost(tmp_path, monkeypatch):
    """Where the packaged file belongs, in a place that the test may spoil; nothing is there yet."""
    path = tmp_path / 'data' / airfoil.NAME
    monkeypatch.setattr(airfoil, 'packaged_path', lambda: path)
    return path


@pytest.fixture(scope='module')
def content():
    return airfoil.packaged_path().read_bytes()


@pytest.fixture
def network(monkeypatch):
    """A network that answers every request with the given bytes and status, or fails; notes what was asked."""
    net = SimpleNamespace(content=b'', body=None, status=200, failure=None, asked=[])

    def get(address, **_options):
        net.asked.append(address)
        if net.failure:
            raise net.failure
        answer = requests.Response()
        answer.status_code, answer.raw = net.status, net.body or io.BytesIO(net.content)
        return answer
    monkeypatch.setattr(requests, 'get', get)
    return net


@pytest.mark.parametrize('before', [None, b'damaged'], ids=['lost', 'damaged'])
def test_restore_brings_the_file_back(lost, network, content, capsys, before):
    if before:
        lost.parent.mkdir()
        lost.write_bytes(before)
    network.content = content
    assert cli.main(['data', '--restore']) == 0
    assert capsys.readouterr().out == f'restored and verified: {lost}\n'
    assert lost.read_bytes() == content and get_data_ch7()[0].shape == (1503, 5)
    assert [address.rsplit('/')[-1] for address in network.asked] == [airfoil.NAME]


class Dripping(io.RawIOBase):
    """A body of which a byte comes now and then."""

    def read(self, _size=-1):
        time.sleep(5)
        return b''


@pytest.mark.parametrize('answer, complaint', [
    ({'content': b'sign in'}, f'expected SHA-1 {airfoil.SHA1}, found {hashlib.sha1(b"sign in").hexdigest()}'),
    ({'content': 5000 * b'x'}, f'found {hashlib.sha1(4096 * b"x").hexdigest()}'),  # it reads no more than it may
    ({'status': 404}, 'cannot download http.*: HTTPError'),
    ({'failure': requests.ConnectionError('no route')}, 'ConnectionError; copy'),
    ({'failure': requests.Timeout()}, 'Timeout; copy'),
    ({'body': Dripping()}, 'TimeoutError; copy'),
], ids=['other bytes', 'endless', '404', 'no network', 'timeout', 'dripping'])
def test_a_failed_restore_leaves_all_as_it_was(lost, network, fails, monkeypatch, answer, complaint):
    monkeypatch.setattr(data, 'KIBIBYTES', 4)
    monkeypatch.setattr(data, 'LONGEST', 0.2)
    lost.parent.mkdir()
    lost.write_bytes(b'damaged')
    vars(network).update(answer)
    fails(['data', '--restore'], 1, complaint)
    assert lost.read_bytes() == b'damaged' and list(lost.parent.iterdir()) == [lost]
