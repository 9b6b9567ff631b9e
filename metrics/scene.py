"""The label and the mask of one image, with what several metrics ask of them."""

from functools import cached_property

import numpy as np
import numpy.typing as npt

from irsam_zoo.metrics.components import Components, checked_mask, label_components, target_masks
from irsam_zoo.metrics.hiou import overlap_pairs
from irsam_zoo.metrics.matching import candidate_pairs, match_optimal
from irsam_zoo.metrics.typing import Ints, Pairs


class Scene:
    """A label and a mask; whatever is found in them is found once.

    Arguments:
        label (np.ndarray): HxW bool, or grey 0..255 as a data set reads its masks; of other labels ``top`` says more.
        pred (np.ndarray): HxW bool, the mask of the method; optional for metrics of targets alone.
        top: As `target_masks` takes it. An image of a set must not decide it: a mask of 0 and 1 among masks of 0 and 255 has no
            target.

    Attributes:
        target, full: The two masks of `target_masks`.
        pred: The mask.

    Raises:
        ZooError: pred is no bool mask of the label's shape, or the label cannot be read.
    """

    def __init__(self, label: npt.ArrayLike, pred: npt.ArrayLike | None = None, top: int | None = 255):
        self.target, self.full = target_masks(label, top)
        self.pred = None if pred is None else checked_mask(pred, self.target.shape)

    @cached_property
    def targets(self) -> Components:
        """The `Components` of the target mask."""
        return label_components(self.target)

    @cached_property
    def full_targets(self) -> Components:
        """The `Components` of the pixels of exactly 255; the same object as `targets` where the masks are equal."""
        return self.targets if np.array_equal(self.full, self.target) else label_components(self.full)

    @cached_property
    def predictions(self) -> Components:
        """The `Components` of the method's mask."""
        assert self.pred is not None
        return label_components(self.pred)

    @cached_property
    def pairs(self) -> Pairs:
        """Target index, prediction index and distance, as `candidate_pairs` gives them."""
        return candidate_pairs(self.targets.centroid, self.predictions.centroid)

    @cached_property
    def full_pairs(self) -> Pairs:
        """As `pairs`, of `full_targets`."""
        same = self.full_targets is self.targets
        return self.pairs if same else candidate_pairs(self.full_targets.centroid, self.predictions.centroid)

    @cached_property
    def matched(self) -> tuple[Ints, Ints]:
        """The matching of the `exact` protocol: (M,) target index and (M,) prediction index, sorted by target."""
        target, prediction, distance = self.pairs
        found = match_optimal(target, prediction, distance, self.predictions.area[prediction])
        return target[found], prediction[found]

    @cached_property
    def overlaps(self) -> Pairs:
        """Target index, prediction index and IoU, as `overlap_pairs` gives them."""
        return overlap_pairs(self.targets, self.predictions)
