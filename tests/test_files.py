"""Files are there whole or not at all."""
import contextlib
import errno
import io
import os
import resource
import stat

import pytest

from chapter_adam import files


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_nothing_is_seen_until_the_block_is_done(tmp_path):
    path = tmp_path / 'result'
    with files.whole_file(path) as stream:
        stream.write(b'half')
        assert not path.exists()
        stream.write(b' and half')
    assert path.read_bytes() == b'half and half'
    assert names(tmp_path) == ['result']


@pytest.mark.parametrize('linked', [False, True], ids=['file', 'link'])
def test_the_temporary_file_is_beside_its_target(tmp_path, linked):
    """From another file system, such as /tmp, it could not be moved to its place."""
    folder, path = tmp_path / 'folder', tmp_path / 'folder' / 'result'
    folder.mkdir()
    if linked:
        path, link = folder / 'target', tmp_path / 'link'
        link.symlink_to(path)
    with files.whole_file(link if linked else path):
        name, = names(folder)
        assert name.startswith(f'.{path.name}.')
    assert names(folder) == [path.name]


@pytest.mark.parametrize('failure', [ValueError, OSError, KeyboardInterrupt, SystemExit])
@pytest.mark.parametrize('before', [None, b'old'], ids=['new', 'old'])
def test_a_failure_leaves_what_was_there(tmp_path, before, failure):
    path = tmp_path / 'result'
    if before:
        path.write_bytes(before)
    with pytest.raises(failure), files.whole_file(path) as stream:
        stream.write(b'half')
        raise failure
    assert names(tmp_path) == (['result'] if before else [])
    assert not before or path.read_bytes() == before


def test_a_failure_names_the_file_and_not_the_temporary_one(tmp_path):
    (tmp_path / 'result').mkdir()
    with pytest.raises(OSError) as failure, files.whole_file(tmp_path / 'result'):
        pass
    assert failure.value.filename == str(tmp_path / 'result')
    assert names(tmp_path) == ['result']


def test_a_full_disk_names_the_file(tmp_path):
    with pytest.raises(OSError) as failure, files.whole_file(tmp_path / 'result'):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    assert failure.value.filename == str(tmp_path / 'result')


def test_others_may_read_it_as_far_as_the_umask_lets_them(tmp_path):
    """A temporary file is private, a result must not be."""
    before = os.umask(0o027)
    try:
        files.write_text(tmp_path / 'result', 'x')
        assert os.umask(0o027) == 0o027  # reading the mask did not change it
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / 'result').stat().st_mode) == 0o640


def test_text_is_utf8_with_unchanged_line_ends(tmp_path):
    files.write_text(str(tmp_path / 'result'), 'β\n')
    assert (tmp_path / 'result').read_bytes() == b'\xce\xb2\n'


def test_usable_folder_makes_it_and_leaves_nothing_in_it(tmp_path):
    folder = files.usable_folder(str(tmp_path / 'a' / 'b'))
    assert folder == tmp_path / 'a' / 'b' and names(folder) == []
    assert files.usable_folder(folder) == folder


@pytest.mark.parametrize('parts', [['file'], ['file', 'below']], ids='/'.join)
def test_usable_folder_refuses_a_file(tmp_path, parts):
    (tmp_path / 'file').write_bytes(b'')
    with pytest.raises(OSError):
        files.usable_folder(tmp_path.joinpath(*parts))


def test_usable_folder_tries_a_whole_block_there(tmp_path, monkeypatch):
    """The name of a file, and a few bytes, find room on many a full disk."""
    @contextlib.contextmanager
    def temporary(dir):
        probe = io.BytesIO()
        yield probe
        tried.append((dir, len(probe.getvalue())))
    tried = []
    monkeypatch.setattr(files.tempfile, 'TemporaryFile', temporary)
    files.usable_folder(tmp_path)
    (folder, size), = tried
    assert folder == tmp_path and 4096 <= size < 2 ** 20


def test_usable_folder_refuses_one_that_takes_no_whole_block(tmp_path):
    """Where files end before 4096 bytes, as they do on a disk that is nearly full."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4095, hard))
    try:
        with pytest.raises(OSError):
            files.usable_folder(tmp_path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert names(tmp_path) == []


@pytest.mark.skipif(os.geteuid() == 0, reason='root may write anywhere')
def test_usable_folder_refuses_a_read_only_one(tmp_path):
    tmp_path.chmod(0o555)
    try:
        with pytest.raises(PermissionError):
            files.usable_folder(tmp_path)
    finally:
        tmp_path.chmod(0o755)


def test_a_link_stays_and_its_target_is_replaced(tmp_path):
    target, link = tmp_path / 'target', tmp_path / 'link'
    target.write_text('old')
    link.symlink_to(target)
    files.write_text(link, 'new')
    assert link.is_symlink() and target.read_text() == 'new'


def test_a_pipe_is_written_to_and_stays_a_pipe(tmp_path):
    pipe = tmp_path / 'pipe'
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        files.write_text(pipe, 'through it')
        assert os.read(reader, 100) == b'through it'
    finally:
        os.close(reader)
    assert pipe.is_fifo() and [p.name for p in tmp_path.iterdir()] == ['pipe']
