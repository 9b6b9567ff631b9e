"""Names of what computes."""

import platform
from functools import cache
from pathlib import Path

import torch


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
