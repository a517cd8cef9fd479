"""What the terminal shows: text without escape codes, and progress."""
import contextlib
import sys
from time import monotonic

PAUSE = 5  # seconds between two lines of progress in a pipe


def printable(text):
    """The text with escapes for what a terminal would obey, such as a colour code in a file's name."""
    return ''.join(c if c.isprintable() or c == '\n' else c.encode('unicode_escape', 'surrogatepass').decode()
                   for c in str(text))


def tell(text, end='\n'):
    """Prints to standard error, if anybody reads it."""
    if sys.stderr:  # None if the shell closed it (`2>&-`)
        with contextlib.suppress(OSError):
            print(text, end=end, file=sys.stderr, flush=True)


@contextlib.contextmanager
def progress(name, total, unit='epochs'):
    """Shows progress, on a terminal as a bar, else as a line now and then; yields the run's `watch`."""
    terminal = sys.stderr and sys.stderr.isatty()
    pause, last = (0.1, 0) if terminal else (PAUSE, monotonic())

    def watch(done, _loss=None):
        nonlocal last
        if monotonic() - last >= pause:
            last = monotonic()
            line, bar = f'{name}: {done:.4g} of {total} {unit}', '#' * int(20 * done / total)
            tell(f'\r[{bar:20}] {line}\x1b[K' if terminal else line, end='' if terminal else '\n')
    try:
        yield watch
    finally:
        if terminal:
            tell('\r\x1b[K', end='')
