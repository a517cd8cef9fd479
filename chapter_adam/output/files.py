"""Writing files so that a reader of the folder never sees half of one."""
import contextlib
import errno
import os
import tempfile
from pathlib import Path


@contextlib.contextmanager
def whole_file(path):
    """Yields a temporary binary file beside `path`, which takes its place only if the block succeeds.

    A link stays, and what it points to is replaced. A device or a pipe is written to: its place is not ours to take.
    """
    path = Path(path)
    if path.exists() and not path.is_file():
        with open(path, 'wb') as stream:
            yield stream
        return
    path = path.resolve()
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f'.{path.name}.')
    try:
        with os.fdopen(handle, 'wb') as stream:
            yield stream
        os.chmod(temporary, 0o666 & ~_umask())
        os.replace(temporary, path)
    except BaseException as error:
        if isinstance(error, OSError):  # a full disk names no file, a failed move the temporary one
            error.filename = str(path)
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary)
        raise


def write_text(path, text):
    """Writes `text` as UTF-8, whole or not at all."""
    with whole_file(path) as stream:
        stream.write(text.encode())


def usable_folder(path):
    """Makes the folder `path` if need be and returns it, or raises OSError if nothing can be written there.

    Called before a run, so that minutes of work do not end at a folder that cannot take them.
    """
    path = Path(path)
    try:
        path.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=path) as probe:
            probe.write(b'can this disk still take a block?' * 128)
    except FileExistsError:
        raise NotADirectoryError(errno.ENOTDIR, 'exists and is not a folder', str(path)) from None
    except OSError as error:
        error.filename = str(path)  # a full disk names no file, a failed probe its own
        raise
    return path


def _umask():
    """The process's file mode mask; reading it is only possible by setting it."""
    mask = os.umask(0)
    os.umask(mask)
    return mask
