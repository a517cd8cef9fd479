"""What the commands that train have in common: the book's numbers, the data, and where results go."""
import os
from pathlib import Path

from ..core import airfoil, history
from . import figures
from .files import usable_folder, write_text
from .terminal import printable

# What the book printed: final loss, seconds per epoch.
BOOK = {'scratch': (0.243957, 0.449113), 'gluon': (0.242933, 0.182535)}


def is_books(options):
    """Whether the options are the settings that the book's losses came from."""
    return (options.lr, options.epochs, options.batch_size, options.data) == (0.01, 2, 10, None)


def start(options, names):
    """Loads the data and checks where results go: (folder, say, features, labels).

    `names`: the files that the command writes into the folder, without their last suffix.
    """
    data = getattr(options, 'data', None)
    features, labels = airfoil.get_data_ch7(path=data)
    out = usable_folder(options.out)
    if options.json not in (None, '-'):
        _check_target(options, out, names, data or airfoil.packaged_path())
    silent = options.quiet or options.json == '-'
    say = (lambda *_words: None) if silent else (lambda *words: print(*map(printable, words)))
    say(data_line(data, features))
    return out, say, features, labels


def _check_target(options, out, names, data):
    """Raises if --json names what cannot be written, the data, or a file that the command writes itself."""
    target = Path(options.json)
    if target.is_dir():
        raise ValueError(f'--json {options.json} is a folder; name a file in it')
    if target.exists() and os.path.samefile(target, data):
        raise ValueError(f'--json {options.json} is the data file; take another name')
    real = target.resolve()
    if real.parent == out.resolve() and real.stem in names:
        raise ValueError(f'--json {options.json}: the command writes a file of this name itself; take another')
    if target.is_file() or not target.exists():  # a device or a pipe needs no folder
        usable_folder(real.parent)


def data_line(path, features):
    """What was loaded, in one line."""
    source = f'{path}: ' if path else 'NASA airfoil self-noise: '
    proof = '' if path else f'; SHA-1 {airfoil.SHA1[:8]}... verified'
    return f'{source}{features.shape[0]} rows, {features.shape[1]} features, standardised{proof}'


def write_results(options, out, name, facts, seconds, draw):
    """Writes name.json (the facts), name.timing.json, and the figure that `draw(facts)` makes; returns the timing."""
    timing = {'seconds': seconds, 'versions': history.versions(), 'machine': history.machine()}
    write_text(out / f'{name}.json', history.to_json(facts))
    write_text(out / f'{name}.timing.json', history.to_json(timing))
    with figures.style():
        figure = draw(facts)
    figures.save(figure, out / name, options.formats)
    if not (options.quiet or options.json == '-'):
        print(printable(f'written to {out}: {name} as {", ".join(options.formats)} and json'))
    return timing


def write_json(target, data):
    """All results, to standard output ('-'), to a file, or nowhere (None)."""
    text = history.to_json(data)
    if target == '-':
        print(text, end='')
    elif target is None:
        return
    elif Path(target).is_symlink() or Path(target).exists() and not Path(target).is_file():
        with open(target, 'w', encoding='utf-8') as stream:  # /dev/stdout, a pipe: written to, not replaced
            stream.write(text)
    else:
        write_text(target, text)
