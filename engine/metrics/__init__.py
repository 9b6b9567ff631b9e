"""Metrics of infrared small target detection. `engine.metrics.mm_metric` adds them to mmengine when it is imported."""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # also what `engine.code_version` follows
    from engine.metrics.bootstrap import bootstrap_ci, paired_bootstrap, ratio_ci
    from engine.metrics.compute import PROTOCOLS, Metric, add_metric, compute_metrics, ratio
    from engine.metrics.counts import count_image
    from engine.metrics.metric import IRSTDMetrics
    from engine.metrics.pyirstd import compute_pyirstd, count_pyirstd
    from engine.metrics.signal import mean_signal, signal_metrics
    from engine.metrics.stratify import strata
    from engine.metrics.sweep import best_iou, pd_fa_curve, quantize, roc, sum_sweeps, sweep_image

__all__ = [
    "PROTOCOLS",
    "IRSTDMetrics",
    "Metric",
    "add_metric",
    "best_iou",
    "bootstrap_ci",
    "compute_metrics",
    "compute_pyirstd",
    "count_image",
    "count_pyirstd",
    "mean_signal",
    "paired_bootstrap",
    "pd_fa_curve",
    "quantize",
    "ratio",
    "ratio_ci",
    "roc",
    "signal_metrics",
    "strata",
    "sum_sweeps",
    "sweep_image",
]

HOMES = ("bootstrap", "compute", "counts", "metric", "pyirstd", "signal", "stratify", "sweep")


def __getattr__(name):
    """Import a name's module when it is first asked for: a listing needs neither SciPy nor pandas."""
    if name in __all__:
        for home in HOMES:
            module = import_module(f"engine.metrics.{home}")
            if hasattr(module, name):
                globals()[name] = getattr(module, name)
                return globals()[name]
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
