"""White top-hat: the image minus its opening."""

from typing import Any

import numpy as np
from skimage.morphology import white_tophat

from irsam_zoo.baselines.classical.parts.options import check_whole
from irsam_zoo.zoo import METHODS, Detector, MethodCard


@METHODS.register_module("top_hat")
class TopHat(Detector):
    """White top-hat with a flat square.

    Arguments:
        size: Side of the square in px.
    """

    card = MethodCard(
        title="Top-Hat",
        authors="Rivest and Fortin",
        year=1996,
        venue="Optical Engineering 35(7)",
        url="https://github.com/Linaom1214/ISTD-Benchmark",
        fidelity="public-port",
        notes=("Equal to ISTD-Benchmark's run_TopHat.m (imtophat with ones(5)); no author code exists.",),
    )

    def __init__(self, *, size: int = 5, **kwargs: Any):  # ISTD-Benchmark, detector/TopHat/run_TopHat.m: ones(5)
        super().__init__(**kwargs)
        check_whole(size=size)
        self.footprint = np.ones((size, size), dtype=bool)

    def score(self, image: np.ndarray) -> np.ndarray:
        # skimage pads erosion with +inf and dilation with -inf in mode "ignore", as imtophat does.
        return white_tophat(image, self.footprint, mode="ignore")  # pyright: ignore[reportReturnType]
