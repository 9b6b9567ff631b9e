"""Benchmark suite and method zoo for infrared small target detection.

The rooms (`irsam_zoo.zoo`, `irsam_zoo.datasets`, ...) lie beside this folder in a checkout and in it where the package is
installed; they have these names in both.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from irsam_zoo._lazy import lazy_names
from irsam_zoo._yapf import leave_cache_alone

__version__ = "0.1.0"
PACKAGE = Path(__file__).resolve().parent
IN_CHECKOUT = (PACKAGE.parent / "run_benchmark.py").is_file()
# The folder of the rooms and of `configs`; in a checkout of `checkpoints` and `reports/results` too.
ROOT = PACKAGE.parent if IN_CHECKOUT else PACKAGE
PROGRAM = "python run_benchmark.py" if IN_CHECKOUT else "irsam-zoo"  # the command line, as messages name it
if IN_CHECKOUT:
    __path__.append(str(ROOT))

if TYPE_CHECKING:
    from irsam_zoo.datasets import DATASETS, IRSTDDataset, build_dataset, list_datasets
    from irsam_zoo.metrics import IRSTDMetrics
    from irsam_zoo.zoo import (
        METHODS,
        THRESHOLDS,
        Detector,
        MethodCard,
        Oracle,
        Threshold,
        UsageError,
        ZooError,
        build_method,
        build_threshold,
        list_configs,
        list_methods,
        load_plugin,
    )
    from irsam_zoo.zoo.neural import NeuralDetector

__all__ = [
    "DATASETS",
    "METHODS",
    "THRESHOLDS",
    "Detector",
    "IRSTDDataset",
    "IRSTDMetrics",
    "MethodCard",
    "NeuralDetector",
    "Oracle",
    "Threshold",
    "UsageError",
    "ZooError",
    "build_dataset",
    "build_method",
    "build_threshold",
    "list_configs",
    "list_datasets",
    "list_methods",
    "load_plugin",
]


def refuse_bare(name: str) -> None:
    """ImportError where a room of a checkout is imported by its bare name: its registry would be a second, dead one."""
    if not name.startswith(f"{__name__}."):
        raise ImportError(f"import irsam_zoo.{name} in place of {name}, or take what you need from irsam_zoo")


leave_cache_alone()  # before anything imports mmengine
__getattr__ = lazy_names(__name__, __all__, ("zoo", "zoo.neural", "datasets", "metrics"))
