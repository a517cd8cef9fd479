"""Ctrl-C where it would leave things half done: there it comes a moment later."""
import signal
from threading import Timer, current_thread, main_thread

WHOLE = set()  # the code of functions that are not to be interrupted
PAUSE = 0.005  # seconds until a signal that came too early is sent again


def whole(function):
    """Marks a function that Ctrl-C does not interrupt while `hold_interrupts` holds."""
    WHOLE.add(function.__code__)
    return function


def hold_interrupts():
    """From now on Ctrl-C spares functions marked by `whole`; returns a function that ends this."""
    before = signal.getsignal(signal.SIGINT) if current_thread() is main_thread() else None
    if not callable(before):
        return lambda: None

    def handler(number, frame):
        at = frame
        while at and at.f_code not in WHOLE:
            at = at.f_back
        if at is None:
            return before(number, frame)
        Timer(PAUSE, signal.pthread_kill, (main_thread().ident, number)).start()

    signal.signal(signal.SIGINT, handler)
    return lambda: signal.signal(signal.SIGINT, before)
