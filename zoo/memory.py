"""What the C library does with memory that is freed."""

import ctypes
import sys
from functools import cache

# Numbers of the options of mallopt(3).
M_TRIM_THRESHOLD = -1
M_MMAP_MAX = -4
LARGEST_INT = 2**31 - 1


@cache
def keep_freed_memory() -> bool:
    """Have glibc keep the memory of freed arrays for the next ones, which then come without page faults.

    By default it takes arrays above 32 MiB from the system and gives them back each time, and the kernel fills every page with
    zeros: two fifths of ISNet's time at 512x512. In return a process holds its peak until it ends, and the peak may rise by a
    third.

    Returns:
        bool: Whether the C library took the settings; on any but glibc nothing is done.
    """
    if not sys.platform.startswith("linux"):
        return False
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    return mallopt is not None and bool(mallopt(M_MMAP_MAX, 0) and mallopt(M_TRIM_THRESHOLD, LARGEST_INT))
