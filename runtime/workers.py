"""How a worker process starts, and how it keeps to its time."""

import faulthandler
import os
from collections.abc import Iterator
from contextlib import contextmanager

import cv2

from irsam_zoo.runtime.hardware import one_thread
from irsam_zoo.runtime.interrupts import end_with_parent
from irsam_zoo.runtime.memory import limit_memory
from irsam_zoo.zoo.foreign_code import contained
from irsam_zoo.zoo.memory import keep_freed_memory

GRACE = 5.0  # seconds


def prepare_worker(memory: float | None = None, parent: int | None = None) -> None:
    """Give this worker process one thread in every numerical library, and memory that it keeps.

    Arguments:
        memory: GiB that it may take for its images, or None.
        parent: Id of the process that it ends with, or None.
    """
    global _worker, _limited
    _worker = True
    if parent is not None:
        end_with_parent(parent)
    keep_freed_memory()
    if memory is not None:
        limit_memory(memory)
        _limited = True
    one_thread()
    cv2.setNumThreads(1)


_worker = _limited = False  # whether this process is a worker, and one with a limit to its memory


def is_limited() -> bool:
    """Whether this process is a worker with a limit to its memory."""
    return _limited


@contextmanager
def in_time(seconds: float | None) -> Iterator[None]:
    """Run code of a method within so many seconds; None for no limit.

    Python code that takes longer is an `OutOfTime`. Compiled code cannot be stopped: after `GRACE` its worker process ends.
    """
    with contained(seconds), open(os.devnull, "w") as nowhere:
        if seconds and _worker:
            faulthandler.dump_traceback_later(seconds + GRACE, exit=True, file=nowhere)
        try:
            yield
        finally:
            if seconds and _worker:
                faulthandler.cancel_dump_traceback_later()
