"""What a result folder says of the run that made it."""

import platform
import sys
from importlib.metadata import PackageNotFoundError, version

import torch

from engine.hardware import processor
from engine.training.provenance import code_commit

PACKAGES = ("torch", "numpy", "scipy", "scikit-image", "opencv-python", "mmengine", "mmcv-lite", "segment-anything")


def manifest(config, data, seconds):
    """Versions, hardware, code and data behind a result folder.

    Arguments:
        config: The options of the run, JSON-able.
        data: Fingerprint of the test images by ``<data set>/<split>``.
        seconds: Wall time of the run.
    """
    return {
        "command": " ".join(["run_benchmark.py", *sys.argv[1:]]),
        "config": config,
        "data": data,
        "wall_seconds": round(seconds, 3),
        "code": code_commit(),
        "python": platform.python_version(),
        "packages": {name: _version(name) for name in PACKAGES},
        "platform": platform.platform(),
        "processor": processor(),
        "cuda": torch.cuda.get_device_name() if torch.cuda.is_available() else None,
    }


def _version(name):
    try:
        return version(name)
    except PackageNotFoundError:
        return None
