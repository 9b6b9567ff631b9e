"""WSLCM: the local contrast of TLLCM, weighted by how uneven the cell and its surround are."""

from typing import Any

import torch

from irsam_zoo.baselines.classical.parts.local_contrast import (
    LARGEST,
    brightest_surround,
    cell_largest,
    cell_mean,
    centre_cell,
    checked_scales,
    core_layer,
    surrounding_cells,
)
from irsam_zoo.baselines.classical.parts.tensor_detector import TensorDetector
from irsam_zoo.zoo import METHODS, MethodCard

FLATTEST = 5.0  # xi: lower bound of the spread of the surround (WSLCM.m)


@METHODS.register_module("wslcm")
class WSLCM(TensorDetector):
    """Weighted strengthened local contrast measure.

    A cell's irregularity is the mean of its nine largest pixels minus its mean. A pixel's weight is the irregularity of
    the centre cell, times its excess over the most irregular surrounding cell, over the standard deviation of the
    irregularities of the surround. Scores reach 1e4 to 1e6: they are products of grey levels.

    Arguments:
        scales: Sides of a cell in px, odd and at least 3.
    """

    card = MethodCard(
        title="WSLCM",
        authors="Han et al.",
        year=2021,
        venue="IEEE GRSL 18(9)",
        url="https://github.com/moradisaed/WSLCM",
        fidelity="author-code",
        notes=(
            "The 3x3 median filter that ISTD-Benchmark's copy puts first is not in the author's code and not here.",
            "Outside the image the nine largest pixels see 0 and the mean sees the repeated border, as in the author's code.",
            "A surround of exactly 0 gives a finite score; the author's code gives NaN or Inf there.",
        ),
    )

    def __init__(self, *, scales=(5, 7, 9, 11), **kwargs: Any):  # WSLCM.m
        super().__init__(**kwargs)
        self.scales = checked_scales(scales)

    def score_tensor(self, image: torch.Tensor) -> torch.Tensor:
        best, core = torch.zeros_like(image), core_layer(image)
        for size in self.scales:
            largest = cell_largest(image, size=size, count=LARGEST)
            surround = brightest_surround(largest, size)
            contrast = (core * core / surround - core).clamp_(min=0)
            irregularity = largest - cell_mean(image, size=size)
            best = torch.maximum(best, _weight(irregularity, size) * contrast)
        return best


def _weight(irregularity, size):
    target = centre_cell(irregularity, size)
    background = torch.stack(surrounding_cells(irregularity, size))
    excess = (target - background.amax(0)).clamp_(min=0)
    return target * excess / background.std(0).clamp_(min=FLATTEST)
