"""How much memory this process may take, and what tells that there was too little."""

import re
from pathlib import Path


def limit_memory(gibibytes: float) -> None:
    """Let this process take no more than so many GiB beyond what it has now: more is a `MemoryError`. Linux alone."""
    import resource

    (kilobytes,) = re.findall(r"VmData:\s+(\d+) kB", Path("/proc/self/status").read_text())
    held = int(kilobytes) * 1024
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    resource.setrlimit(resource.RLIMIT_DATA, (held + int(gibibytes * 2**30), hard))


def is_out_of_memory(text: str) -> bool:
    """Whether the text of an error tells of memory, on the CPU or a GPU, whatever library wrote it."""
    return bool(re.search("memoryerror|out of memory|insufficient memory|can't allocate", text.lower()))
