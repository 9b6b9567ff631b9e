"""Names of what computes."""

import platform
from functools import cache
from pathlib import Path

import torch

from irsam_zoo.zoo.errors import UsageError


@cache
def processor():
    """The processor's name as Linux gives it, else as Python does."""
    info = Path("/proc/cpuinfo")
    if info.is_file():
        for line in info.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor()


def device_name(device):
    """The GPU's name for a CUDA device, the processor's for any other."""
    device = torch.device(device)
    return torch.cuda.get_device_name(device) if device.type == "cuda" else processor()


def usable_device(name):
    """``"cpu"`` or ``"cuda"`` for a device that a user names; ``"auto"`` is CUDA where there is one.

    Raises:
        UsageError: CUDA is asked for and there is none.
    """
    available = torch.cuda.is_available()
    if name == "cuda" and not available:
        raise UsageError("--device cuda: this torch sees no CUDA device; use --device cpu")
    return name if name != "auto" else "cuda" if available else "cpu"
