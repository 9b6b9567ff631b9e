"""The types of what metrics take and give."""

from typing import TypedDict

import numpy as np
import numpy.typing as npt

Mask = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Levels = npt.NDArray[np.uint8]
Pairs = tuple[Ints, Ints, Floats]  # target index, prediction index, and what there is to say of the pair
Counts = dict[str, float]  # of one image, by column
Sweep = dict[str, Ints]  # (256,) by column: what is counted at each cut
Interval = tuple[float, float] | tuple[None, None]


class TargetSignal(TypedDict):
    """One target of an image, as `metrics.signal_metrics` tells of it; without a mask the last two are absent."""

    area: int
    scr_in: float | None
    scr_out: float | None
    scrg: float | None
    bsf: float | None
    matched: bool
    iou: float


class ImageSignal(TypedDict):
    """The targets of an image, in raster order of their first pixels."""

    targets: list[TargetSignal]


class Stratum(TypedDict):
    """The targets of one bin, as `metrics.strata` counts them."""

    bin: str
    targets: int
    matched: int
    Pd: float | None
    IoU: float | None


class PairedDifference(TypedDict):
    """The metric of one method less that of another, as `metrics.paired_bootstrap` gives it."""

    difference: float | None
    low: float | None
    high: float | None
    p: float | None
