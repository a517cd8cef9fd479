"""The command `chapter-adam`: runs a subcommand, and ends each failure and each signal with one line and a code.

The exit codes are in the help (`parser.EPILOG`). Until `main` runs, nothing that takes time is imported.
"""
import errno
import os
import signal
import sys
import threading
from contextlib import contextmanager
from importlib import import_module


def main(argv=None):
    """Runs the command line `argv` (without the program's name) and returns its exit code."""
    with clean_end():
        try:
            try:
                code = _run(list(sys.argv[1:] if argv is None else argv))
            finally:
                _flush_output()
            return code
        except SystemExit as stop:  # argparse has said what was wrong, or has printed the help; or a signal
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
            return _complain(f'out of memory{": " if str(error) else ""}{error}; ask for less at once', 1)
        except RuntimeError as error:  # MXNet's own: the last line of its stack says what
            return _complain(f'{type(error).__name__}: {(str(error).strip().splitlines() or [""])[-1]}', 1)


def _run(arguments):
    from . import parser
    if hasattr(sys.stdout, 'reconfigure'):
        sys.stdout.reconfigure(errors='backslashreplace')  # a path that the terminal's encoding cannot show
    options = parser.parser().parse_args(parser.with_default_command(arguments))
    code = import_module(f'chapter_adam.{options.module}').run(options) or 0
    if sys.stdout is None:  # the shell closed it (`>&-`): what was printed is lost
        raise OSError(errno.EBADF, os.strerror(errno.EBADF), 'standard output')
    return code


def _complain(message, code):
    from ..output.terminal import printable
    if sys.stderr:  # None if the shell closed it (`2>&-`)
        print(f'chapter-adam: {printable(" ".join(str(message).split()))}', file=sys.stderr)
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
def clean_end():
    """While the block runs, Ctrl-C raises KeyboardInterrupt, SIGTERM and SIGHUP raise SystemExit.

    One signal in thirty strikes inside an NDArray's `__del__`, where Python would print the exception and go on.
    """
    hook, before = sys.unraisablehook, {}
    if threading.current_thread() is threading.main_thread():
        for number in (signal.SIGTERM, signal.SIGHUP):
            if signal.getsignal(number) is signal.SIG_DFL:  # nohup ignores SIGHUP: so be it
                before[number] = signal.signal(number, lambda number, _frame: sys.exit(128 + number))
    sys.unraisablehook = _once_more(hook)
    try:
        yield
    finally:
        sys.unraisablehook = hook
        for number, handler in before.items():
            signal.signal(number, handler)


def _once_more(hook):
    def again(unraisable):
        error = unraisable.exc_value
        if isinstance(error, (KeyboardInterrupt, SystemExit)):  # a moment later, outside of the destructor
            number = getattr(error, 'code', 130) - 128
            threading.Timer(0.01, signal.pthread_kill, (threading.main_thread().ident, number)).start()
        elif not isinstance(error, AttributeError):  # that is an NDArray which the signal left half made
            hook(unraisable)
    return again
