"""Ctrl-C where it would leave things half done: it waits."""
import signal
from contextlib import contextmanager
from threading import current_thread, main_thread


@contextmanager
def interrupts_wait():
    """While the block runs Ctrl-C waits, for a moment only; at its end it does what it does elsewhere.

    >>> with interrupts_wait():
    ...     signal.raise_signal(signal.SIGINT)
    ...     print('whole')
    Traceback (most recent call last):
    KeyboardInterrupt
    """
    before = signal.getsignal(signal.SIGINT) if current_thread() is main_thread() else None
    if not callable(before):
        yield
        return
    came = []
    signal.signal(signal.SIGINT, lambda _number, frame: came.append(frame))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
        if came:
            before(signal.SIGINT, came[0])
