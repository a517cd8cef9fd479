"""`chapter-adam data`: the facts of a file, and the way back of a lost one, with a network of the test's own."""
import io
import re
import time

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


CONTENT = airfoil.packaged_path().read_bytes()


@pytest.fixture
def lost(tmp_path, monkeypatch):
    """Where the packaged file belongs, in a place that the test may spoil; what is there is damaged."""
    path = tmp_path / airfoil.NAME
    path.write_bytes(b'damaged')
    monkeypatch.setattr(airfoil, 'packaged_path', lambda: path)
    return path


def network(monkeypatch, body=b'', status=200, failure=None):
    """Answers every request with these bytes and this status, or fails."""
    def get(address, **_options):
        assert address.endswith(airfoil.NAME)
        if failure:
            raise failure
        answer = requests.Response()
        answer.status_code, answer.raw = status, io.BytesIO(body) if isinstance(body, bytes) else body
        return answer
    monkeypatch.setattr(requests, 'get', get)


@pytest.mark.parametrize('there', [False, True])
def test_restore_brings_the_file_back(lost, monkeypatch, capsys, there):
    if not there:
        lost.unlink()
    network(monkeypatch, CONTENT)
    assert cli.main(['data', '--restore']) == 0
    assert capsys.readouterr().out == f'restored and verified: {lost}\n'
    assert lost.read_bytes() == CONTENT and get_data_ch7()[0].shape == (1503, 5)


class Dripping(io.RawIOBase):
    """A body of which a byte comes now and then."""

    def read(self, _size=-1):
        time.sleep(0.02)
        return b'x'


@pytest.mark.parametrize('answer, complaint', [
    ({'body': b'sign in'}, f'expected SHA-1 {airfoil.SHA1}, found {airfoil.sha1(b"sign in")}'),
    ({'body': 5000 * b'x'}, f'found {airfoil.sha1(4096 * b"x")}'),  # it reads no more than it may
    ({'body': Dripping()}, 'TimeoutError; copy'),
    ({'status': 404}, 'cannot download http.*: HTTPError'),
    ({'failure': requests.ConnectionError('no route')}, 'ConnectionError; copy'),
], ids=['other bytes', 'endless', 'dripping', '404', 'no network'])
def test_a_failed_restore_leaves_all_as_it_was(lost, fails, monkeypatch, answer, complaint):
    monkeypatch.setattr(data, 'LARGEST', 4096)
    monkeypatch.setattr(data, 'LONGEST', 0.2)
    network(monkeypatch, **answer)
    fails(['data', '--restore'], 1, complaint)
    assert lost.read_bytes() == b'damaged' and list(lost.parent.iterdir()) == [lost]
