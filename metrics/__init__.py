"""Metrics of infrared small target detection. `metrics.mm_metric` adds them to mmengine when it is imported."""

from typing import TYPE_CHECKING

from irsam_zoo import refuse_bare
from irsam_zoo._lazy import lazy_names

if TYPE_CHECKING:  # also what `results.code_version` follows
    from irsam_zoo.metrics.bootstrap import bootstrap_ci, paired_bootstrap, ratio_ci
    from irsam_zoo.metrics.compute import PROTOCOLS, Metric, add_metric, compute_metrics, ratio
    from irsam_zoo.metrics.counts import count_image
    from irsam_zoo.metrics.metric import IRSTDMetrics
    from irsam_zoo.metrics.pyirstd import compute_pyirstd, count_pyirstd
    from irsam_zoo.metrics.signal import mean_signal, signal_metrics
    from irsam_zoo.metrics.stratify import strata
    from irsam_zoo.metrics.sweep import best_iou, pd_fa_curve, quantize, roc, sum_sweeps, sweep_image

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

# A listing needs neither SciPy nor pandas.
__getattr__ = lazy_names(
    __name__, __all__, ("bootstrap", "compute", "counts", "metric", "pyirstd", "signal", "stratify", "sweep")
)

refuse_bare(__name__)
