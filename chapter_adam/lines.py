"""The line of a reader's code that messages quote."""
import linecache
import os
import sys
import traceback
from dataclasses import dataclass

# Modules whose lines no message quotes, by the start of their names.
OURS = ('advice', 'book', 'command', 'comparing', 'core', 'grading', 'lazy', 'lines', 'many')
ELSEWHERE = ('mxnet', 'numpy', *(f'chapter_adam.{name}' for name in OURS))


@dataclass(frozen=True)
class Line:
    """A line of a file, and the names that it sees."""
    file: str = ''
    number: int = 0
    names: dict = None

    @property
    def text(self):
        return linecache.getline(self.file, self.number).strip()

    def __str__(self):
        text = f' `{self.text}`' if self.text else ''
        return f'{os.path.basename(self.file)}, line {self.number}{text}: ' if self.number else ''


def running_line():
    """The line of a rule that now runs."""
    return _innermost(traceback.walk_stack(sys._getframe()))


def failed_line(error):
    """The line of a rule at which an error came up."""
    return _innermost(reversed([*traceback.walk_tb(error.__traceback__)]))


def _innermost(frames):
    for frame, number in frames:
        module, file = frame.f_globals.get('__name__') or '', frame.f_code.co_filename
        is_pythons = file.startswith(os.path.dirname(os.__file__)) and 'site-packages' not in file
        if not is_pythons and not any(f'{module}.'.startswith(f'{name}.') for name in ELSEWHERE):
            return Line(frame.f_code.co_filename, number, {**frame.f_globals, **frame.f_locals})
    return Line()
