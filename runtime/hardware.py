"""What computes: its name, its threads, and whether it is there. PyTorch is imported only where a device needs it."""

import os
import platform
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from irsam_zoo.zoo.errors import UsageError

if TYPE_CHECKING:
    import torch

# One thread a worker: the processes already fill the cores, and results do not depend on the number of threads.
SINGLE_THREAD: dict[str, str] = dict.fromkeys(
    ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS"), "1"
)


@cache
def processor() -> str:
    """The processor's name as Linux gives it, else as Python does."""
    info = Path("/proc/cpuinfo")
    if info.is_file():
        for line in info.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor()


def device_type(device: "str | torch.device") -> str:
    """``"cpu"`` or ``"cuda"`` of a device, a `torch.device` or its name."""
    return str(device).partition(":")[0]


def device_name(device: "str | torch.device") -> str:
    """The GPU's name for a CUDA device, the processor's for any other."""
    if device_type(device) != "cuda":
        return processor()
    import torch

    return torch.cuda.get_device_name(device)


def gpu_name() -> str | None:
    """The name of the GPU that PyTorch would compute on; None where there is none, or where nothing has asked for PyTorch."""
    torch = sys.modules.get("torch")
    return torch.cuda.get_device_name() if torch is not None and torch.cuda.is_available() else None


def usable_device(name: str) -> str:
    """``"cpu"`` or ``"cuda"`` for a device that a user names; ``"auto"`` is CUDA where there is one.

    Raises:
        UsageError: CUDA is asked for and there is none.
    """
    if name == "cpu":
        return name
    import torch

    available = torch.cuda.is_available()
    if name == "cuda" and not available:
        raise UsageError("--device cuda: this torch sees no CUDA device; use --device cpu")
    return "cuda" if available else "cpu"


def computing_threads() -> int:
    """Threads that numerical libraries compute with in this process: PyTorch's, or those that it would take."""
    torch = sys.modules.get("torch")
    if torch is not None:
        return torch.get_num_threads()
    return int(os.environ.get("OMP_NUM_THREADS") or os.cpu_count() or 1)


def wait_for(device: "str | torch.device") -> Callable[[], None]:
    """A function that returns once the device has done what it was given."""
    if device_type(device) != "cuda":
        return lambda: None
    import torch

    return lambda: torch.cuda.synchronize(device)


def one_thread() -> None:
    """Have numerical libraries compute in one thread, PyTorch too where it is imported later."""
    os.environ.update(SINGLE_THREAD)
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(1)


def free_device_memory() -> None:
    """Give back what PyTorch keeps of a GPU's memory and does not use."""
    if "torch" in sys.modules:
        sys.modules["torch"].cuda.empty_cache()  # does nothing where CUDA is not in use
