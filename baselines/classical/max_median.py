"""Max-Median filter: the image minus the largest of four directional medians."""

from typing import Any

import numpy as np

from irsam_zoo.baselines.classical.parts.options import check_whole
from irsam_zoo.zoo import METHODS, Detector, MethodCard, UsageError

DIRECTIONS = ((1, 0), (0, 1), (1, 1), (1, -1))


@METHODS.register_module("max_median")
class MaxMedian(Detector):
    """Max-Median filter with the symmetric border of the public MATLAB port.

    Arguments:
        size: Length of the four lines in px, odd.
    """

    card = MethodCard(
        title="Max-Median",
        authors="Deshpande et al.",
        year=1999,
        venue="SPIE Signal and Data Processing of Small Targets",
        url="https://github.com/Linaom1214/ISTD-Benchmark",
        fidelity="public-port",
        notes=("Equal to maxMed.m of daxjuanxiong and ISTD-Benchmark (negatives are kept); no author code exists.",),
    )

    def __init__(self, *, size: int = 5, **kwargs: Any):  # ISTD-Benchmark, detector/MAXMEAN/run_MAXMEAN.m: sz = 5
        super().__init__(**kwargs)
        check_whole(size=size)
        if size % 2 == 0:
            raise UsageError(f"size must be odd, not {size}")
        self.size = size

    def score(self, image: np.ndarray) -> np.ndarray:
        radius = self.size // 2
        padded = np.pad(image, radius, mode="symmetric")
        height, width = image.shape
        background = np.full(image.shape, -np.inf)
        for down, right in DIRECTIONS:
            line = [
                padded[radius + k * down : radius + k * down + height, radius + k * right : radius + k * right + width]
                for k in range(-radius, radius + 1)
            ]
            np.maximum(background, plane_median(line), out=background)
        return image - background


def plane_median(planes):
    """HxW median of an odd number of HxW planes.

    Sorts whole planes by odd-even transposition, which for a few planes is far quicker than a median for each pixel.
    """
    planes = [plane.copy() for plane in planes]
    for first in range(len(planes)):
        for k in range(first % 2, len(planes) - 1, 2):
            low = np.minimum(planes[k], planes[k + 1])
            np.maximum(planes[k], planes[k + 1], out=planes[k + 1])
            planes[k] = low
    return planes[len(planes) // 2]
