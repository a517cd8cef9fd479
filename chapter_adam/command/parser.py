"""The command line as a table: the options, and which subcommand takes which."""
import argparse
import re
from pathlib import Path

from .. import __version__
from ..bench.peers import COMPETITORS
from ..output.terminal import printable

FORMATS = ('svg', 'png')
MANY = 10 ** 6  # above it a number is a slip: memory or patience would end first
LARGEST_SEED = 2 ** 32 - 1


def refused(expected, text):
    return argparse.ArgumentTypeError(f'expected {expected}, got {text[:60]!r}')


def whole(least, most=MANY):
    """The type of a whole number in a range."""
    def whole_number(text):
        value = int(text) if re.fullmatch('[+-]?[0-9]{1,20}', text) else None
        if value is None or not least <= value <= most:
            raise refused(f'a whole number from {least} to {most}', text)
        return value
    return whole_number


def sizes(text):
    return tuple(sorted({whole(1)(word) for word in text.split(',')}))


def positive(text):
    number = re.fullmatch(r'[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)(e[+-]?[0-9]+)?', text, re.IGNORECASE)
    if not number or not 1e-37 < float(text) < 1e38:  # what float32 holds
        raise refused('a finite number above 0', text)
    return float(text)


def path(text):
    if not text or '\0' in text:
        raise refused('a path', text)
    return Path(text)


def target(text):
    return text if text == '-' else str(path(text))


def formats(text):
    chosen = tuple(dict.fromkeys(text.lower().split(',')))
    if not set(chosen) <= set(FORMATS):
        raise refused('svg, png or svg,png', text)
    return chosen


def competitors(text):
    """The competitors that the names mean: one by its own, all variants by their file's."""
    chosen = []
    for name in text.split(','):
        named = [c for c in COMPETITORS.values() if name in (c.name, c.file)]
        if not named:
            raise argparse.ArgumentTypeError(f'no competitor is called {name!r}; there are {", ".join(COMPETITORS)}')
        chosen += named
    return list(dict.fromkeys(chosen))


def option(*names, **form):
    return names, form


def flag(name, help):
    return option(name, action='store_true', help=help)


def number(name, type, default, help, metavar='N'):
    return option(name, type=type, default=default, metavar=metavar, help=f'{help} (default {default})')


DATA = option('--data', type=path, metavar='FILE', help='another file of six numeric columns')
TRAINING = (
    number('--lr', positive, 0.01, 'learning rate', 'X'),
    number('--epochs', whole(1, MANY // 10), 2, 'passes over the data'),
    number('--batch-size', whole(1), 10, 'examples per step'),
    DATA,
)
RUNS = number('--runs', whole(1), 1000, 'how many seeds')
FIRST_SEED = number('--first-seed', whole(0, LARGEST_SEED), 0, 'the first of them')
FILES = (
    option('--out', type=path, default=Path('figures'), metavar='DIR',
           help='folder for figures and results (default figures)'),
    option('--format', type=formats, default=FORMATS, metavar='LIST', dest='formats',
           help='of the figures: svg, png or svg,png (the default)'),
    flag('--quiet', 'print only the results'),
)
OUTPUT = (*FILES, option('--json', nargs='?', const='-', type=target, metavar='FILE',
                         help='all results, with times and machine, as JSON to standard output or to FILE'))
# name: module with run(options), help, options.
COMMANDS = {
    'run': ('command.section', "the section's two runs on one seed, a table and the figures (the default)", (
        number('--seed', whole(0, LARGEST_SEED), 0, "the run's seed"), *TRAINING, *OUTPUT)),
    'seeds': ('command.seeds', "many seeds of both methods, and where the book's losses lie", (
        RUNS, FIRST_SEED, *TRAINING, *OUTPUT)),
    'choices': ('command.choices', 'one small choice at a time made otherwise, and how far it moves the loss', (
        RUNS, FIRST_SEED, *TRAINING, *OUTPUT)),
    'exercise': ('command.exercise', "the section's exercises, answered by runs", (
        option('name', nargs='?', metavar='NAME', help='as --list shows it; or all'),
        flag('--list', 'print names and questions, and run none'),
        number('--seeds', whole(1), 100, 'how many seeds'), FIRST_SEED, *OUTPUT)),
    'check': ('command.reader.check', 'whether a rule is right; if not, the step and the known mistake', (
        option('rule', metavar='RULE', help='FILE.py:FUNCTION, or a rule of the package'),
        option('--against', choices=('sgd', 'momentum', 'adagrad', 'rmsprop', 'adadelta', 'adam', 'adam_uncorrected',
                                     'amsgrad', 'yogi'), metavar='RULE',
               help="the rule that it is to be (default: the package's of that name, else adam)"),
        flag('--plot', 'draw the distance over the steps'), *OUTPUT)),
    'compare': ('command.reader.compare', 'rules on the same seeds: a table and a figure', (
        option('rules', nargs='+', metavar='RULE', help='each FILE.py:FUNCTION, or a rule of the package'),
        number('--seeds', whole(1), 100, 'how many seeds'), FIRST_SEED,
        flag('--best-rate', "first find each rule's best learning rate"), *TRAINING, *OUTPUT)),
    'bench': ('bench.command', 'the section timed beside the original, later editions and other frameworks', (
        option('--only', type=competitors, metavar='NAMES', default=tuple(COMPETITORS.values()),
               help='comma-separated, as --list shows them; a file of chapter_adam/bench/peers means all of its own'),
        number('--repeats', whole(1), 7, 'runs of each; a repeat of all takes about a minute, with --many four'),
        flag('--many', 'instead, race through many seeded runs at once'),
        option('--runs', type=sizes, metavar='LIST',
               help='with --many: how many at once (default 1,100,1000,10000)'),
        flag('--list', 'print the competitors, and run none'), *FILES)),
    'data': ('command.data', "the data set's facts; --restore downloads a lost file again", (
        flag('--restore', 'download the file from the address registered in d2l, verify it, put it in place'), DATA)),
}
EPILOG = ('Without a command: run. The options of each: chapter-adam COMMAND --help. Exit codes: 0 done; 1 failed, '
          'an answer does not hold or a rule is wrong; 2 wrong usage; '
          '130 interrupted (Ctrl-C), 143 terminated, 129 hung up.')


class Parser(argparse.ArgumentParser):
    """Refuses abbreviations, and names the first word that nothing takes."""

    def __init__(self, **form):
        super().__init__(allow_abbrev=False, **form)

    def parse_known_args(self, args=None, namespace=None):
        for word in args:
            if word.endswith('=--'):  # argparse would hand on an empty list
                self.error(f'argument {word[:-3]}: expected a value, got {"--"!r}')
        namespace, unknown = super().parse_known_args(args, namespace)
        if unknown:
            self.error(f'unrecognized argument: {unknown[0] or repr(unknown[0])}')
        return namespace, unknown

    def error(self, message):
        super().error(printable(message))


def parser():
    top = Parser(prog='chapter-adam', description='The Adam section of Dive into Deep Learning, run again.',
                 epilog=EPILOG)
    top.add_argument('--version', action='version', version=f'chapter-adam {__version__}')
    commands = top.add_subparsers(title='commands', metavar='COMMAND', required=True)
    for name, (module, help, options) in COMMANDS.items():
        command = commands.add_parser(name, help=help, description=f'{help[0].upper()}{help[1:]}.')
        command.set_defaults(module=module, usage=command.error, data=None, json=None)
        for names, form in options:
            command.add_argument(*names, **form)
    return top


def with_default_command(arguments):
    """`run` is meant where no command is named."""
    first = arguments[0] if arguments else ''
    complete = first in ('-h', '--help', '--version') or first and not first.startswith('-')
    return arguments if complete else ['run', *arguments]
