"""What the commands that train have in common: the book's numbers, the data, and where words and files go."""
import os
import re
from pathlib import Path

from ..core import airfoil, history
from . import figures
from .files import usable_folder, write_text
from .terminal import printable

# What the book printed: final loss, seconds per epoch.
BOOK = {'scratch': (0.243957, 0.449113), 'gluon': (0.242933, 0.182535)}
OUR_FILES = re.compile(
    r'(scratch|gluon|comparison|run|seeds|choices|check|compare|exercise-.*)(\.timing)?\.(json|svg|png)')


def is_books(options):
    """Whether the options are the settings that the book's losses came from."""
    return (options.lr, options.epochs, options.batch_size, options.data) == (0.01, 2, 10, None)


class Report:
    """A command's data, and where its words and files go: --data, --out, --format, --quiet and --json.

    They are checked before the work begins.
    """

    def __init__(self, options):
        self.features, self.labels = airfoil.get_data_ch7(path=options.data)
        self.out, self.formats, self.json = usable_folder(options.out), options.formats, options.json
        self.quiet = options.quiet or self.json == '-'
        if self.json not in (None, '-'):
            self._check_json(options.data or airfoil.packaged_path())
        source, proof = ((f'{options.data}', '') if options.data else
                         ('NASA airfoil self-noise', f'; SHA-1 {airfoil.SHA1[:8]}... verified'))
        self.say(f'{source}: {len(self.labels)} rows, {self.features.shape[1]} features, standardised{proof}')

    def _check_json(self, data):
        """Raises if --json names what cannot be written, the data, or a file that the command writes itself."""
        target = Path(self.json)
        real = target.resolve()
        if target.is_dir():
            raise ValueError(f'--json {target} is a folder; name a file in it')
        if target.exists() and os.path.samefile(target, data):
            raise ValueError(f'--json {target} is the data file; take another name')
        if real.parent == self.out.resolve() and OUR_FILES.fullmatch(real.name):
            raise ValueError(f'--json {target}: the command writes a file of this name itself; take another')
        if target.is_file() or not target.exists():  # a device or a pipe needs no folder
            usable_folder(real.parent)

    def print(self, text):
        """Prints a result, unless standard output is for JSON."""
        if self.json != '-':
            print(printable(text), flush=True)

    def say(self, text):
        """Prints what --quiet leaves out."""
        if not self.quiet:
            print(printable(text), flush=True)

    def write(self, name, data, figure):
        """Writes name.json and the figure."""
        write_text(self.out / f'{name}.json', history.to_json(data))
        figures.save(figure, self.out / name, self.formats)

    def write_all(self, name, facts, seconds, draw):
        """Writes the facts, the figure that `draw(facts)` makes, and the time and machine, which it returns."""
        timing = {'seconds': seconds, 'versions': history.versions(), 'machine': history.machine()}
        write_text(self.out / f'{name}.timing.json', history.to_json(timing))
        with figures.style():
            figure = draw(facts)
        self.write(name, facts, figure)
        self.say_written(name)
        return timing

    def say_written(self, names):
        self.say(f'written to {self.out}: {names} as {", ".join(self.formats)} and json')

    def end(self, data):
        """All results as JSON, to standard output ('-'), to a file, or nowhere (None)."""
        write_json(self.json, data)


def write_json(target, data):
    """Data as JSON, to standard output ('-'), to a file, or nowhere (None)."""
    if target is None:
        return
    text, path = history.to_json(data), Path(target)
    if target == '-':
        print(text, end='')
    elif path.is_symlink() or path.exists() and not path.is_file():
        path.write_text(text, encoding='utf-8')  # /dev/stdout, a pipe: written to, not replaced
    else:
        write_text(path, text)
