"""Code of others, kept from what would harm the runs around it."""

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from irsam_zoo.zoo.errors import OutOfTime

AGAIN = 1.0  # seconds after which code that passes over the end of its time is told again


@contextmanager
def contained(seconds: float | None = None) -> Iterator[None]:
    """Run code of a method, a plug-in or a configuration.

    Behind it the working folder is what it was: relative paths, such as ``--out``, mean the same to all methods. ``os._exit``
    is a `SystemExit` in it, which is told, and not the end of the program without a word. It is no sandbox: such code can do
    whatever its user can.

    Arguments:
        seconds: What takes longer is an `OutOfTime`, on a system with alarms (not Windows); None for no limit.

    In any other thread than the main one, as in Dask's workers, it does nothing: folder and ``os._exit`` are the process's.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    folder, leave, process = os.getcwd(), os._exit, os.getpid()

    def leave_politely(status):
        if os.getpid() != process:  # a process that the code forked, and that ends as it should
            leave(status)
        raise SystemExit(f"os._exit({status})")

    os._exit = leave_politely
    try:
        with _alarm(seconds):
            yield
    finally:
        os._exit = leave
        os.chdir(folder)


@contextmanager
def _alarm(seconds: float | None) -> Iterator[None]:
    if seconds is None or not hasattr(signal, "setitimer"):
        yield
        return

    def end(*_):
        raise OutOfTime(f"not done after {seconds:g} s")

    before = signal.signal(signal.SIGALRM, end)
    signal.setitimer(signal.ITIMER_REAL, seconds, AGAIN)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
