"""What the commands that train have in common on the terminal: the book's figures, progress, and what is said where."""
import sys
from contextlib import contextmanager
from pathlib import Path

from ..core import airfoil, history
from .files import usable_folder, write_text

# What the book printed: final loss, seconds per epoch.
BOOK = {'scratch': (0.243957, 0.449113), 'gluon': (0.242933, 0.182535)}


def start(options, own):
    """Loads the data and checks where results go: (folder, say, features, labels).

    `own` are the names, without the last suffix, of the files that the command writes itself.
    """
    features, labels = airfoil.get_data_ch7(path=options.data)
    out = usable_folder(options.out)
    if options.json not in (None, '-'):
        _usable_target(options.json, out, own)
    say = (lambda *_words: None) if options.quiet or options.json == '-' else print
    say(data_line(options.data, features))
    return out, say, features, labels


def _usable_target(json, out, own):
    """Raises if --json names what cannot be written, or what the command writes itself."""
    target = Path(json)
    if target.is_dir():
        raise ValueError(f'--json {json!r} is a folder; name a file in it')
    if target.resolve().parent == out.resolve() and target.stem in own:
        raise ValueError(f'--json {json}: the command writes a file of its own under this name; take another')
    if target.is_file() or not target.exists():  # a device or a pipe needs no folder
        usable_folder((target.resolve() if target.is_symlink() else target).parent)


def data_line(path, features):
    """What was loaded, in one line."""
    source = f'{path}: ' if path else 'NASA airfoil self-noise: '
    proof = '' if path else f'; SHA-1 {airfoil.SHA1[:8]}... verified'
    return f'{source}{features.shape[0]} rows, {features.shape[1]} features, standardised{proof}'


def write_json(target, data):
    """Everything, to standard output ('-'), to a file, or nowhere (None)."""
    if target == '-':
        print(history.to_json(data), end='')
    elif target is not None:
        write_text(target, history.to_json(data))


@contextmanager
def progress(name, total, unit='epochs'):
    """A progress bar on a terminal, nothing in a pipe; yields the `watch` of a training."""
    if not (sys.stderr and sys.stderr.isatty()):  # None if the shell closed it (`2>&-`)
        yield None
        return
    from tqdm import tqdm
    with tqdm(total=total, desc=name, leave=False, bar_format='{desc} {bar} {n:.4g}/{total} ' + unit) as bar:
        def watch(done, _loss=None):
            bar.update(done - bar.n)
        yield watch
