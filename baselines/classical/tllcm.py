"""TLLCM: a smoothed core against the brightest of eight surrounding cells."""

from typing import Any

import torch

from irsam_zoo.baselines.classical.parts.local_contrast import (
    LARGEST,
    brightest_surround,
    cell_largest,
    checked_scales,
    core_layer,
)
from irsam_zoo.baselines.classical.parts.tensor_detector import TensorDetector
from irsam_zoo.zoo import METHODS, MethodCard


@METHODS.register_module("tllcm")
class TLLCM(TensorDetector):
    """Tri-layer local contrast measure.

    With core b of a pixel and brightest surrounding cell m, the score is max(0, b * b / m - b), the largest over scales.
    Where all eight surrounding cells are exactly 0, m is taken as 1/9 grey level.

    Arguments:
        scales: Sides of a cell in px, odd and at least 3.
    """

    card = MethodCard(
        title="TLLCM",
        authors="Han et al.",
        year=2020,
        venue="IEEE GRSL 17(10)",
        url="https://github.com/moradisaed/TLLCM",
        fidelity="author-code",
        notes=(
            "The author's code has one scale, 9; the paper's three scales are the configuration tllcm_paper.",
            "Pixels outside the image count as 0 in a cell and repeat the border in the core, as in the author's code.",
            "A surround of exactly 0 gives a finite score; the author's code gives NaN or Inf there.",
        ),
    )

    def __init__(self, *, scales=(9,), **kwargs: Any):  # TLLCM.m: one scale, 9
        super().__init__(**kwargs)
        self.scales = checked_scales(scales)

    def score_tensor(self, image: torch.Tensor) -> torch.Tensor:
        best, core = torch.zeros_like(image), core_layer(image)
        for size in self.scales:
            surround = brightest_surround(cell_largest(image, size=size, count=LARGEST), size)
            best = torch.maximum(best, core * core / surround - core)
        return best
