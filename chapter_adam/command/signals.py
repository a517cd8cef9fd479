"""Ctrl-C and SIGTERM end the command cleanly, whenever they strike: no traceback, no half of a file.

Stdlib only: the package imports it before anything that takes time.
"""
import os
import signal
import sys
import threading
from contextlib import contextmanager

INTERRUPTED, TERMINATED = 130, 143


def until_main():
    """Ends a program that is interrupted while it still imports NumPy: nothing is begun then, nothing to clean up."""
    module = sys.argv[:1] == ['-m'] and 'chapter_adam' in sys.orig_argv
    program = module or os.path.basename(sys.argv[0] if sys.argv else '') == 'chapter-adam'
    if program and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _at_once)


def _at_once(*_):
    os.write(2, b'chapter-adam: interrupted\n')
    os._exit(INTERRUPTED)


@contextmanager
def clean_end():
    """While the block runs, Ctrl-C raises KeyboardInterrupt and SIGTERM SystemExit, also inside a destructor.

    One Ctrl-C in thirty strikes inside an NDArray's `__del__`, where Python would print the exception and go on.
    """
    hook, terminate = sys.unraisablehook, None
    if signal.getsignal(signal.SIGINT) is _at_once:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if threading.current_thread() is threading.main_thread():
        terminate = signal.signal(signal.SIGTERM, lambda *_: sys.exit(TERMINATED))
    sys.unraisablehook = _once_more(hook)
    try:
        yield
    finally:
        sys.unraisablehook = hook
        if terminate is not None:
            signal.signal(signal.SIGTERM, terminate)


def _once_more(hook):
    sent = {KeyboardInterrupt: signal.SIGINT, SystemExit: signal.SIGTERM}

    def again(unraisable):
        if unraisable.exc_type in sent:  # a moment later, outside of the destructor
            number = sent[unraisable.exc_type]
            threading.Timer(0.01, signal.pthread_kill, (threading.main_thread().ident, number)).start()
        elif unraisable.exc_type is not AttributeError:  # that is an NDArray which the interrupt left half made
            hook(unraisable)
    return again


@contextmanager
def held():
    """While the block runs, Ctrl-C waits: for what must not be left half done."""
    before = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or not callable(before):
        yield
        return
    waiting = []
    signal.signal(signal.SIGINT, lambda *event: waiting.append(event))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
        if waiting:
            before(*waiting[-1])
