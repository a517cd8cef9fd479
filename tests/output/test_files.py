"""Files are there whole or not at all, with the mode that they had; what lies in their place is not followed."""
import errno
import os
import resource
import stat

import pytest

from chapter_adam.output import files


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_nothing_is_seen_until_the_block_is_done(tmp_path):
    path = tmp_path / 'result'
    with files.whole_file(path) as stream:
        stream.write(b'half')
        temporary, = names(tmp_path)  # beside its target: from another file system it could not be moved there
        assert temporary.startswith('.chapter-adam-')
        stream.write(b' and half')
    assert path.read_bytes() == b'half and half' and names(tmp_path) == ['result']


@pytest.mark.parametrize('failure', [OSError, KeyboardInterrupt])
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


@pytest.mark.parametrize('cause', ['a folder is there', 'its folder is missing', 'the disk is full'])
def test_an_error_names_the_file_and_not_the_temporary_one(tmp_path, cause):
    path = tmp_path / 'result' if cause != 'its folder is missing' else tmp_path / 'missing' / 'result'
    if cause == 'a folder is there':
        path.mkdir()
    with pytest.raises(OSError) as failure, files.whole_file(path):
        if cause == 'the disk is full':
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    assert failure.value.filename == str(path) and '.chapter-adam' not in str(failure.value)
    assert not any(name.startswith('.') for name in names(tmp_path))


@pytest.mark.parametrize('before, after', [(None, 0o640), (0o644, 0o644)])
def test_a_new_file_has_the_umasks_mode_and_an_old_one_its_own(tmp_path, before, after):
    path, umask = tmp_path / 'result', os.umask(0o027)
    try:
        if before:
            path.touch()
            path.chmod(before)
        files.write_text(str(path), 'β\n')
        assert path.read_bytes() == b'\xce\xb2\n'
        assert os.umask(0o027) == 0o027
    finally:
        os.umask(umask)
    assert stat.S_IMODE(path.stat().st_mode) == after


@pytest.mark.parametrize('plant', [lambda path: path.symlink_to('victim'), os.mkfifo], ids=['link', 'pipe'])
def test_what_was_planted_in_its_place_is_replaced_and_not_written_to(tmp_path, plant):
    victim, path = tmp_path / 'victim', tmp_path / 'result'
    victim.write_text('mine')
    victim.chmod(0o600)
    plant(path)
    files.write_text(path, 'new')
    assert path.read_text() == 'new' and path.is_file() and not path.is_symlink()
    assert victim.read_text() == 'mine' and stat.S_IMODE(path.stat().st_mode) & 0o044


def test_usable_folder_makes_it_and_leaves_nothing_in_it(tmp_path):
    folder = tmp_path / 'a' / 'b'
    for _ in range(2):
        assert files.usable_folder(str(folder)) == folder and names(folder) == []


def test_usable_folder_refuses_one_that_takes_no_whole_block(tmp_path):
    """Where files end before 4096 bytes, as they do on a disk that is nearly full."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4095, hard))
    try:
        with pytest.raises(OSError) as failure:
            files.usable_folder(tmp_path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert failure.value.filename == str(tmp_path) and names(tmp_path) == []
