"""The command `chapter-adam`: reads the arguments, calls the rooms, and turns every failure into one clear line.

Exit codes: 0, 1 (failed), 2 (bad usage), 130 (interrupted).
"""
import argparse
import errno
import os
import re
import sys
from contextlib import contextmanager
from pathlib import Path

from . import signals
from .. import __version__

FORMATS = ('svg', 'png')


@signals.clean_end()
def main(argv=None):
    """Runs the command line `argv` (without the program's name) and returns its exit code."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    try:
        try:
            with _surroundings():
                options = parser().parse_args(with_default_command(arguments))
                code = options.command(options) or 0
        finally:
            _flush_output()
        if sys.stdout is None:  # the shell closed it (`>&-`): what was printed is lost
            raise OSError(errno.EBADF, os.strerror(errno.EBADF), 'standard output')
        return code
    except SystemExit as stop:  # argparse has said what was wrong, or has printed the help
        return stop.code or 0
    except KeyboardInterrupt:
        return _complain('interrupted; what was finished before is kept', 130)
    except BrokenPipeError:
        return 1  # the reader of our output has gone (`| head`): nothing is left to say
    except OSError as error:
        return _complain(f'cannot write {error.filename or "the output"}: {error.strerror or error}', 1)
    except (ImportError, ValueError, TypeError, ArithmeticError) as error:
        return _complain(error, 1)
    except MemoryError as error:
        return _complain(f'out of memory: {error}; ask for less at once', 1)
    except RuntimeError as error:  # MXNet's own: the last line of its stack says what
        return _complain(f'{type(error).__name__}: {(str(error).strip().splitlines() or [""])[-1]}', 1)


@contextmanager
def _surroundings():
    """Keeps apart what would end a run that is otherwise fine."""
    # Figures go to files here; a backend's name that matplotlib does not know would stop its import.
    backend = os.environ.pop('MPLBACKEND', None)
    if hasattr(sys.stdout, 'reconfigure'):
        sys.stdout.reconfigure(errors='backslashreplace')  # a path that the terminal's encoding cannot show
    try:
        yield
    finally:
        if backend is not None:
            os.environ['MPLBACKEND'] = backend


def _complain(message, code):
    if sys.stderr:  # None if the shell closed it (`2>&-`)
        print(f'chapter-adam: {" ".join(str(message).split())}', file=sys.stderr)
    return code


def _flush_output():
    """Here, and not at the interpreter's exit, where a closed pipe or a full disk would end in a traceback."""
    try:
        if sys.stdout:
            sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise


def with_default_command(arguments):
    """`run` is meant where no command is named."""
    first = arguments[0] if arguments else ''
    own = first in ('-h', '--help', '--version')
    return arguments if own or (first and not first.startswith('-')) else ['run', *arguments]


def parser():
    top = argparse.ArgumentParser(
        prog='chapter-adam', description='The Adam section of Dive into Deep Learning, run again.',
        epilog='Without a command: run. The options of each: chapter-adam COMMAND --help')
    top.add_argument('--version', action='version', version=f'chapter-adam {__version__}')
    commands = top.add_subparsers(title='commands', metavar='COMMAND', required=True)
    add_run(commands)
    add_seeds(commands)
    add_choices(commands)
    add_exercise(commands)
    add_bench(commands)
    add_data(commands)
    return top


def add_run(commands):
    run = commands.add_parser('run', help="the section's two runs, a table and the figures (the default)",
                              description="Runs the section's Adam from scratch and with Gluon, on the same seed.")
    add_common(run)
    run.add_argument('--version', action='version', version=f'chapter-adam {__version__}')
    run.set_defaults(command=_run)


def add_common(command):
    """The options of every command that trains."""
    command.add_argument('--seed', type=_whole(0), default=0, metavar='N', help='the run\'s seed (default 0)')
    command.add_argument('--lr', type=_positive, default=0.01, metavar='X', help='learning rate (default 0.01)')
    command.add_argument('--epochs', type=_whole(1), default=2, metavar='N', help='passes over the data (default 2)')
    command.add_argument('--batch-size', type=_whole(1), default=10, metavar='N', help='examples a step (default 10)')
    command.add_argument('--data', type=Path, metavar='FILE', help='another file of six numeric columns')
    add_output(command)


def add_output(command):
    """Where results go."""
    command.add_argument('--out', type=Path, default=Path('figures'), metavar='DIR',
                         help='where figures and results are written (default figures)')
    command.add_argument('--format', type=_formats, default=FORMATS, metavar='LIST', dest='formats',
                         help='of the figures: svg, png or svg,png (the default)')
    command.add_argument('--json', nargs='?', const='-', metavar='FILE',
                         help='all results, with times and machine, as JSON to standard output or to FILE')
    command.add_argument('--quiet', action='store_true', help='print only the results')


def add_seeds(commands):
    seeds = commands.add_parser('seeds', help='many seeds of both methods at once: what the book\'s losses mean',
                                description='Trains many seeded runs of both methods and shows where the book lies.')
    add_common(seeds)
    add_runs(seeds)
    seeds.set_defaults(command=_seeds)


def add_choices(commands):
    choices = commands.add_parser('choices', help='what the small choices around Adam change, paired over many seeds',
                                  description='Changes one choice at a time and measures its effect on the loss.')
    add_common(choices)
    add_runs(choices)
    choices.set_defaults(command=_choices)


def add_runs(command):
    """The options of a command that trains many seeds."""
    command.add_argument('--runs', type=_whole(1), default=1000, metavar='N', help='how many seeds (default 1000)')
    command.add_argument('--first-seed', type=_whole(0), dest='seed', metavar='N', help='the first of them (default 0)')


def add_exercise(commands):
    exercise = commands.add_parser('exercise', allow_abbrev=False,  # --seed would be read as --seeds
                                   help="the section's exercises, answered by runs",
                                   description='Runs an exercise: prints question and answer, draws its figure. '
                                               'A file put in chapter_adam/exercises is one more.')
    exercise.add_argument('names', nargs='?', type=_exercises, metavar='NAME', help='as --list shows it; or all')
    exercise.add_argument('--list', action='store_true', help='print names and questions, and run none')
    exercise.add_argument('--seeds', type=_whole(1), default=100, metavar='N', help='how many (default 100)')
    exercise.add_argument('--first-seed', type=_whole(0), default=0, dest='seed', metavar='N',
                          help='the first of them (default 0)')
    add_output(exercise)
    exercise.set_defaults(command=_exercise, data=None, usage=exercise.error)


def add_bench(commands):
    bench = commands.add_parser('bench', help='the side-by-side with the original, later editions, other frameworks',
                                description='Times each competitor on the same training, once its answer is right. '
                                            '`make bench` first builds the environments that they need.')
    bench.add_argument('--only', type=_competitors, metavar='NAMES',
                       help='comma-separated, as --list shows them; a file of chapter_adam/bench/peers means all of its own')
    bench.add_argument('--repeats', type=_whole(1), default=7, metavar='N', help='runs of each (default 7)')
    bench.add_argument('--out', type=Path, default=Path('figures'), metavar='DIR',
                       help='where bench.json and the figure are written (default figures)')
    bench.add_argument('--format', type=_formats, default=FORMATS, metavar='LIST', dest='formats',
                       help='of the figure: svg, png or svg,png (the default)')
    bench.add_argument('--quiet', action='store_true', help='print only the table')
    bench.add_argument('--many', action='store_true', help='instead, race through many seeded runs at once')
    bench.add_argument('--runs', type=_sizes, default=(1, 100, 1000, 10000), metavar='LIST',
                       help='with --many: how many at once (default 1,100,1000,10000)')
    bench.add_argument('--list', action='store_true', help='print the competitors, and run none')
    bench.set_defaults(command=_bench)


def add_data(commands):
    data = commands.add_parser('data', help="the data set's facts; --restore brings a lost file back",
                               description='Prints what is in the data file, or restores it.')
    what = data.add_mutually_exclusive_group()
    what.add_argument('--restore', action='store_true',
                      help='download the file again from the address registered in d2l, verify it, put it in place')
    what.add_argument('--data', type=Path, metavar='FILE', help='another file of six numeric columns')
    data.set_defaults(command=_data)


def _run(options):
    from . import section
    return section.run(options)


def _seeds(options):
    from . import seeds
    return seeds.run(options)


def _choices(options):
    from . import choices
    return choices.run(options)


def _exercise(options):
    from . import answers
    if not (options.names or options.list):
        options.usage(f'name an exercise: {_known_exercises()}; or --list')
    return answers.run(options)


def _bench(options):
    from ..bench import command as bench
    return bench.run(options)


def _data(options):
    from ..core import airfoil
    if options.restore:
        print(f'restored and verified: {airfoil.restore()}')
        return 0
    table = airfoil.read_table(options.data)
    print(f'{options.data or airfoil.packaged_path()}: {len(table)} rows')
    print(f'{"column":24}{"unit":6}{"min":>12}{"mean":>12}{"max":>12}')
    for name, unit, values in zip(airfoil.COLUMNS, airfoil.UNITS, table.T):
        print(f'{name:24}{unit:6}{values.min():12.6g}{values.mean():12.6g}{values.max():12.6g}')
    if options.data is None:
        print(f'SHA-1 {airfoil.SHA1}, as registered in d2l.DATA_HUB')
    return 0


def _whole(least):
    def whole_number(text):
        value = int(text) if re.fullmatch('[+-]?[0-9]{1,100}', text) else None
        if value is None or value < least:
            raise argparse.ArgumentTypeError(f'expected a whole number of at least {least}, got {text!r}')
        return value
    return whole_number


def _sizes(text):
    return tuple(sorted({_whole(1)(word) for word in text.split(',')}))


def _positive(text):
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 1e-45 < value < 1e38 or '_' in text:  # what float32 holds
        raise argparse.ArgumentTypeError(f'expected a finite number above 0, got {text!r}')
    return value


def _competitors(text):
    from ..bench import peers
    chosen, known = tuple(dict.fromkeys(text.split(','))), peers.discover()
    if wrong := [name for name in chosen if not peers.named(known, name)]:
        raise argparse.ArgumentTypeError(f'no competitor is called {wrong[0]!r}; there are {", ".join(known)}')
    return chosen


def _exercises(text):
    from .. import exercises
    known = exercises.discover()
    if text not in ('all', *known):
        raise argparse.ArgumentTypeError(f'no exercise is called {text!r}; there are {_known_exercises()}')
    return tuple(known) if text == 'all' else (text,)


def _known_exercises():
    from .. import exercises
    return ', '.join([*exercises.discover(), 'all'])


def _formats(text):
    chosen = tuple(dict.fromkeys(text.lower().split(',')))
    if not set(chosen) <= set(FORMATS):
        raise argparse.ArgumentTypeError(f'expected svg, png or svg,png, got {text!r}')
    return chosen
