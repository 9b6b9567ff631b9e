"""The synthetic data set: 200 infrared-like scenes with small targets, made when asked for and equal on every machine.

What makes the bytes equal everywhere: randomness is the raw 64-bit output of PCG64, which NumPy guarantees to stay as it is
(the distributions of `Generator`, such as ``normal``, may change); all arithmetic is on int64, with box filters by sums of
differences, so no rounding, summation order, BLAS, FFT or libm enters; roots are `math.isqrt`.
"""

from functools import lru_cache

import numpy as np

from irsam_zoo.datasets.backgrounds import BACKGROUNDS, Dice
from irsam_zoo.datasets.base import IRSTDDataset
from irsam_zoo.datasets.targets import add_targets
from irsam_zoo.zoo.errors import UsageError

SEED = 20240
TRAIN_COUNT = 160
TEST_COUNT = 40
SIDES = (128, 256)
SPLITS = ("irsam", "dnanet")


class Synthetic(IRSTDDataset):
    """Clouds, sea, sky-line and plain sensor noise in turn, at 128x128 and 256x256, each with 1 to 4 targets.

    A target covers 1 to 80 px and is a Gaussian spot, round or elongated; its mask is where the spot has at least half of
    its height, and holds 255 there and 0 elsewhere. Its signal-to-clutter ratio, (mean over the mask - mean of the ring
    around it) / standard deviation of that ring, is 1 to 20 (see `datasets.targets`). No image is without a target.

    Training and test images are ``syn001`` to ``syn160`` and ``syn161`` to ``syn200``; both names of splits stand for this one.
    """

    name = "synthetic"
    title = "Synthetic"
    offered = SPLITS

    def list_ids(self) -> list[str]:
        if self.split not in SPLITS:
            raise UsageError(f"no split {self.split!r} of synthetic; known: {', '.join(SPLITS)}, which are the same")
        first, last = {"train": (1, TRAIN_COUNT), "test": (TRAIN_COUNT + 1, TRAIN_COUNT + TEST_COUNT)}.get(
            self.subset, (1, TRAIN_COUNT + TEST_COUNT)
        )
        return [f"syn{number:03d}" for number in range(first, last + 1)]

    def read_grey_pair(self, id: str) -> tuple[np.ndarray, np.ndarray]:
        image, label = make_scene(int(id.removeprefix("syn")))
        return image.copy(), label.copy()

    def stamp(self, id: str) -> tuple[int]:
        return (SEED,)


@lru_cache(maxsize=TRAIN_COUNT + TEST_COUNT)
def make_scene(number: int) -> tuple[np.ndarray, np.ndarray]:
    """Image and mask of one scene, both HxW uint8. Do not write to them: they are kept.

    Arguments:
        number: From 1. Its kind is ``number % 4``; kinds alternate in size so that each comes in both.
    """
    dice = Dice(SEED, number)
    side = SIDES[(number // len(BACKGROUNDS)) % len(SIDES)]
    background = BACKGROUNDS[number % len(BACKGROUNDS)](dice, side)
    return add_targets(dice, background)
