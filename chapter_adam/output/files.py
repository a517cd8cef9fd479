"""Writing files so that a reader of the folder never sees half of one."""
import contextlib
import errno
import os
import secrets
import stat
import tempfile
from pathlib import Path


@contextlib.contextmanager
def whole_file(path):
    """Yields a temporary binary file beside `path`, which takes its place only if the block succeeds.

    Whatever is there, a link or a pipe too, is replaced and not written to. A file keeps its mode.
    """
    path = Path(path)
    temporary = path.with_name(f'.chapter-adam-{secrets.token_hex(4)}')
    try:
        with open(temporary, 'xb') as stream:
            if path.is_file() and not path.is_symlink():
                os.fchmod(stream.fileno(), stat.S_IMODE(path.stat().st_mode))
            yield stream
        os.replace(temporary, path)
    except BaseException as error:
        if isinstance(error, OSError):  # a full disk names no file, a failed move the temporary one
            error.filename, error.filename2 = str(path), None
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise


def write_text(path, text):
    """Writes `text` as UTF-8, whole or not at all."""
    with whole_file(path) as stream:
        stream.write(text.encode())


def usable_folder(path):
    """Makes the folder `path` if need be and returns it, or raises OSError if nothing can be written there.

    Called before a run, so that a folder that takes no files is noticed before minutes of work.
    """
    path = Path(path)
    try:
        path.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=path) as probe:
            probe.write(b'can this disk still take a block?' * 128)
    except FileExistsError:
        raise NotADirectoryError(errno.ENOTDIR, 'exists and is not a folder', str(path)) from None
    except OSError as error:
        error.filename = str(path)  # a full disk names no file, a failed probe a random one
        raise
    return path
