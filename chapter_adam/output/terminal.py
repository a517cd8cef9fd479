"""What the terminal shows: text without escape codes, and progress."""
import contextlib
import sys
from time import monotonic

PAUSE = 5  # seconds between two lines of progress in a pipe


def printable(text):
    """The text with escapes for what a terminal would obey, such as a colour code in a file's name."""
    return ''.join(c if c.isprintable() or c == '\n' else c.encode('unicode_escape', 'surrogatepass').decode()
                   for c in str(text))


@contextlib.contextmanager
def progress(name, total, unit='epochs'):
    """Shows progress on standard error, a bar on a terminal, else now and then a line; yields the run's `watch`."""
    if sys.stderr is None:  # the shell closed it (`2>&-`)
        yield None
    elif not sys.stderr.isatty():
        yield _lines(name, total, unit)
    else:
        from tqdm import tqdm
        with tqdm(total=total, desc=name, leave=False, bar_format='{desc} {bar} {n:.4g}/{total} ' + unit) as bar:
            yield lambda done, _loss=None: bar.update(done - bar.n)


def _lines(name, total, unit):
    last = monotonic()

    def watch(done, _loss=None):
        nonlocal last
        if monotonic() - last >= PAUSE:
            last = monotonic()
            with contextlib.suppress(OSError):  # nobody reads it any more
                print(f'{name}: {done:.4g} of {total} {unit}', file=sys.stderr)
    return watch
