"""The command `chapter-adam`: runs a subcommand, and ends each failure and each signal with one line and a code.

The exit codes are in the help (`parser.EPILOG`). Until `main` runs, nothing that takes time is imported.
"""
import errno
import os
import signal
import sys
import threading
import warnings
from contextlib import contextmanager
from importlib import import_module

SIGNALS = {signal.SIGINT: signal.default_int_handler, signal.SIGTERM: signal.SIG_DFL, signal.SIGHUP: signal.SIG_DFL}
INTERRUPTED = 'interrupted; what was finished before is kept'


class Stopped(KeyboardInterrupt):
    """A signal came. After a plain KeyboardInterrupt within an `exec`, Python ends itself by SIGINT, caught or not."""


def main(argv=None):
    """Runs the command line `argv` (without the program's name) and returns its exit code."""
    with stoppable() as received:
        code, message = _outcome(list(sys.argv[1:] if argv is None else argv))
        if received:  # whatever the library that it struck has made of it
            code = 128 + received[0]
            message = INTERRUPTED if received[0] == signal.SIGINT else ''
        if message and sys.stderr:  # None if the shell closed it (`2>&-`)
            from ..output.terminal import printable
            print(f'chapter-adam: {printable(" ".join(str(message).split()))}', file=sys.stderr)
    return code


def _outcome(arguments):
    """The exit code of a command line, and what to say about its failure."""
    try:
        try:
            return _run(arguments), ''
        finally:
            _flush_output()
    except SystemExit as stop:  # argparse has said what was wrong, or has printed the help
        return stop.code or 0, ''
    except KeyboardInterrupt:
        return 130, INTERRUPTED
    except BrokenPipeError:
        return 1, ''  # the reader of our output has gone (`| head`): nothing is left to say
    except OSError as error:
        return 1, f'cannot write {error.filename or "the output"}: {error.strerror or error}'
    except (ImportError, ValueError, TypeError, ArithmeticError) as error:
        return 1, str(error) or type(error).__name__
    except MemoryError as error:
        return 1, f'out of memory{": " if str(error) else ""}{error}; ask for less at once'
    except RuntimeError as error:  # MXNet's own: the last line of its stack says what
        return 1, f'{type(error).__name__}: {(str(error).strip().splitlines() or [""])[-1]}'


def _run(arguments):
    from ..output.terminal import printable, tell
    from . import parser
    if hasattr(sys.stdout, 'reconfigure'):
        sys.stdout.reconfigure(errors='backslashreplace')  # a path that the terminal's encoding cannot show
    options = parser.parser().parse_args(parser.with_default_command(arguments))
    with warnings.catch_warnings():
        warnings.showwarning = lambda message, *_: tell(f'chapter-adam: {printable(message)}')
        code = import_module(f'chapter_adam.{options.module}').run(options) or 0
    if sys.stdout is None:  # the shell closed it (`>&-`): what was printed is lost
        raise OSError(errno.EBADF, os.strerror(errno.EBADF), 'standard output')
    return code


def _flush_output():
    """Here, and not at the interpreter's exit, where a closed pipe or a full disk would end in a traceback."""
    try:
        if sys.stdout:
            sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise


@contextmanager
def stoppable():
    """While the block runs, Ctrl-C, SIGTERM and SIGHUP raise Stopped; yields the list of those that came.

    A signal that is ignored (nohup, a script's `&`) or handled by the caller stays so. One in thirty strikes inside an
    NDArray's `__del__`, where Python would print the exception and go on: that one is sent again.
    """
    received, hook, before = [], sys.unraisablehook, {}

    def stop(number, frame):
        received.append(number)
        while frame and frame.f_code is not again.__code__:
            frame = frame.f_back
        if not frame:  # else it is about to be sent again
            raise Stopped

    def again(unraisable):
        if isinstance(unraisable.exc_value, KeyboardInterrupt):  # a moment later, outside of the destructor
            number = received[-1] if received else signal.SIGINT
            threading.Timer(0.01, signal.pthread_kill, (threading.main_thread().ident, number)).start()
        elif unraisable.exc_type is not AttributeError:  # that is an NDArray which the signal left half made
            hook(unraisable)

    if threading.current_thread() is threading.main_thread():
        before = {number: signal.signal(number, stop) for number, default in SIGNALS.items()
                  if signal.getsignal(number) is default}
    sys.unraisablehook = again
    try:
        yield received
    finally:
        sys.unraisablehook = hook
        for number, handler in before.items():
            signal.signal(number, handler)
