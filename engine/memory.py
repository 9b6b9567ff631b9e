"""Memory of this process: what the C library does with what is freed, and how much there may be."""

import ctypes
import re
import sys
from pathlib import Path

# Numbers of the options of mallopt(3).
M_TRIM_THRESHOLD = -1
M_MMAP_MAX = -4
LARGEST_INT = 2**31 - 1


def keep_freed_memory():
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


def limit_memory(gibibytes):
    """Let this process take no more than so many GiB beyond what it has now: more is a `MemoryError`. Linux alone."""
    import resource

    held = int(re.search(r"VmData:\s+(\d+) kB", Path("/proc/self/status").read_text())[1]) * 1024
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    resource.setrlimit(resource.RLIMIT_DATA, (held + int(gibibytes * 2**30), hard))


def is_out_of_memory(text):
    """Whether the text of an error tells of memory, on the CPU or a GPU, whatever library wrote it."""
    return bool(re.search("memoryerror|out of memory|insufficient memory|can't allocate", text.lower()))
