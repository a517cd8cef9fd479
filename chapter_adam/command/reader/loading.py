"""A rule named on the command line: one of the package, or FILE.py:FUNCTION."""
import importlib.util
import os
import sys
from contextlib import contextmanager, redirect_stdout
from importlib.machinery import SourceFileLoader
from inspect import isfunction, signature
from pathlib import Path

from ...grading.trial import line_of
from ...rules import RULES


class BadRule(ValueError):
    """What the command line names is no rule; the message says why."""


def load(text, modules):
    """(A name, the rule) for a name in RULES or FILE.py:FUNCTION; `modules` has the files that are loaded already."""
    if text in RULES:
        return text, RULES[text][0]
    file, _, name = text.rpartition(':')
    if not file or not name:
        raise BadRule(f'{text!r} is no rule: name one of {", ".join(RULES)}, or FILE.py:FUNCTION')
    path = Path(file)
    if path not in modules:
        modules[path] = module_of(path)
    rule = getattr(modules[path], name, None)
    if not callable(rule):
        raise BadRule(f'{file} has no function {name!r}; its rules: '
                      f'{", ".join(functions(modules[path])) or "none"}')
    return name, rule


def protect(target, rules):
    """BadRule if a file to be written is one of the rules' own."""
    files = {Path(text.rpartition(':')[0]).resolve() for text in rules if ':' in text}
    if target not in (None, '-') and Path(target).resolve() in files:
        raise BadRule(f'--json {target} would overwrite the file of a rule')


def functions(module):
    """The names of the rules that a file defines: its functions of three arguments."""
    return [name for name, value in vars(module).items() if isfunction(value) and value.__module__ == module.__name__
            and len(signature(value).parameters) == 3]


def module_of(path):
    """A file, executed as a module, with its folder on sys.path; BadRule says in a line what is wrong with it."""
    if not path.is_file():
        raise BadRule(f'{path}: no such file' if not path.exists() else f'{path} is not a file')
    name = path.stem if path.stem.isidentifier() and path.stem not in sys.modules else f'{path.stem}_checked'
    sys.path.insert(0, str(path.resolve().parent))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader(name, SourceFileLoader(name, str(path))))
    sys.modules[name] = module
    try:
        module.__spec__.loader.exec_module(module)
    except SyntaxError as error:
        line = f', line {error.lineno}' if error.lineno else ''
        raise BadRule(f'{error.filename or path}{line}: {error.msg}') from None
    except (Exception, SystemExit) as error:  # whatever a reader's file does
        where = line_of(error)
        raise BadRule(f'{path} cannot be run: {type(error).__name__}{": " if str(error) else ""}{error}'
                      + (f' ({where})' if where else '')) from None
    return module


@contextmanager
def readers_code():
    """While the block runs, what a reader's code prints goes to standard error, and its plots open no window.

    What it raises, or exits with, becomes a ValueError that names its line.
    """
    os.environ.setdefault('MPLBACKEND', 'Agg')
    sys.dont_write_bytecode, *before = True, sys.dont_write_bytecode, [*sys.path]
    try:
        with redirect_stdout(sys.stderr):
            yield
    except (Exception, SystemExit) as error:
        if not (where := line_of(error)):
            raise
        raise ValueError(f'{type(error).__name__}: {error} ({where})') from error
    finally:
        sys.dont_write_bytecode, sys.path[:] = before
