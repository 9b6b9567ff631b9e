"""How work is ended from outside: by a signal, by its time limit, or by the end of the process that it is done for."""

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

POLL = 0.2  # seconds
EXIT = os._exit  # itself, whatever stands in its place while a method runs


class Ended(KeyboardInterrupt):
    """As of an interrupt from the keyboard, what is stored stays, and the same command goes on later.

    Arguments:
        why: In words, for a line of text.
        status: Exit status of the program.
    """

    def __init__(self, why: str, status: int):
        super().__init__(why)
        self.status = status


class TimeIsOver(Ended):
    """The end by a `time_limit`."""


def listen() -> None:
    """Have the first SIGTERM or interrupt from the keyboard end this program in order, and a second interrupt at once.

    An interrupt that the caller has ignored, as ``nohup`` does, stays ignored.
    """

    def end(number, frame):
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
            signal.signal(signal.SIGINT, signal.SIG_DFL)
        raise Ended("stopped", 128 + number)

    signal.signal(signal.SIGTERM, end)
    if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
        signal.signal(signal.SIGINT, end)


@contextmanager
def time_limit(seconds: float | None) -> Iterator[Callable[..., None]]:
    """End what is done here after some seconds; gives a function that does so when it is called after them.

    Where there is SIGUSR1, work is ended wherever it is, and by that signal from outside as well.

    Arguments:
        seconds: None for no limit.
    """
    if seconds is None:
        yield lambda *_, **__: None
        return
    deadline = time.monotonic() + seconds

    def over(*_, **__):
        raise TimeIsOver("the time is over", 1)

    def check(*_, **__):
        if time.monotonic() > deadline:
            over()

    if not hasattr(signal, "SIGUSR1") or threading.current_thread() is not threading.main_thread():
        yield check
        return
    before = signal.signal(signal.SIGUSR1, over)
    timer = threading.Timer(seconds, signal.pthread_kill, (threading.main_thread().ident, signal.SIGUSR1))
    timer.daemon = True
    timer.start()
    try:
        yield check
    finally:
        timer.cancel()
        signal.signal(signal.SIGUSR1, signal.SIG_IGN)  # one that was on its way
        signal.signal(signal.SIGUSR1, before)


def end_with_parent(parent: int) -> None:
    """End this process when the one that started it has ended, however that ended.

    Arguments:
        parent: Its process id.
    """
    threading.Thread(target=_end_after, args=(parent,), daemon=True).start()


def _end_after(parent: int) -> None:
    if sys.platform == "win32":
        import _winapi

        _winapi.WaitForSingleObject(_winapi.OpenProcess(_winapi.SYNCHRONIZE, False, parent), _winapi.INFINITE)
    else:
        while os.getppid() == parent:
            time.sleep(POLL)
    EXIT(1)
