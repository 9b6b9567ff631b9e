"""Metrics that are fed image by image."""

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from irsam_zoo.metrics.components import label_top, target_masks
from irsam_zoo.metrics.compute import compute_metrics, protocol_rule
from irsam_zoo.metrics.counts import count_image
from irsam_zoo.metrics.typing import Counts, Mask
from irsam_zoo.zoo.detector import SMALLEST_SIDE, look_like_probabilities
from irsam_zoo.zoo.errors import UsageError, ZooError

if TYPE_CHECKING:
    import torch

PROBABILITIES = "all scores are between 0 and 1: probabilities, not logits, which the threshold 0 is for; take 0.5"
GREY_LEVELS = (
    "the prediction holds grey levels, or scores without a negative one, of which all but 0 are above the threshold 0; "
    "take 127, half of the highest score, or give a bool mask"
)
ALL_ABOVE = "all scores are above the threshold 0, so that every pixel is target; take another one"
TWO_FORMS = "labels of 0 and 1, and now one of levels up to {high:g}: what is target is decided once for a set; give bool masks"
NO_LEVEL = "no label has a level above 127, so that none has a target; store targets as 255, or all of a label as 0 and 1"


class IRSTDMetrics:
    """IoU, nIoU, Pd and Fa of a set of images under one protocol.

    Arguments:
        protocol: ``"exact"``, ``"irsam"``, ``"dnanet"`` or ``"basicirstd"``; `compute_metrics` says what they do.
        threshold: Scores above it are target. At the default, 0, scores are taken for logits, and the float32 sigmoid that
            BasicIRSTD (and ACM and IRSAM for nIoU) cut at 0.5 is reproduced, which is not above 0.5 for the smallest
            positive logits.

    Attributes:
        per_image: The counts of each image so far, in order; rows of `count_image`.
        label_top: How labels are read, as `target_masks` takes it: decided by the first that are neither bool nor empty.

    Raises:
        UsageError: No such protocol.
    """

    def __init__(self, *, protocol: str = "exact", threshold: float = 0.0):
        protocol_rule(protocol)
        self.protocol = protocol
        self.threshold = threshold
        self.label_top: int | None = None
        self.per_image: list[Counts] = []

    def update(
        self,
        pred_or_logits: "npt.ArrayLike | torch.Tensor",
        label: "npt.ArrayLike | torch.Tensor",
        *,
        tolerant: bool = False,
    ) -> None:
        """Count one image or a batch.

        Arguments:
            pred_or_logits (np.ndarray or torch.Tensor): HxW, BxHxW or Bx1xHxW; the one channel may come last. Bool is taken
                as the mask, anything else is cut at the threshold.
            label (np.ndarray or torch.Tensor): Of the same size; bool, 0/1 or grey 0..255, as all other labels of the set. A
                label of 0 and 1 after one of grey levels has no target. There is a warning where some have levels and none has
                one above 127.
            tolerant: Warn of scores that look like probabilities or grey levels: a network that has learned nothing yet may
                have such logits.

        Raises:
            ZooError: Sizes differ, there are several channels, scores are NaN, or are probabilities or grey levels though
                the threshold is that of logits, or the label cannot be read, or is grey after labels of 0 and 1. Nothing of
                the batch is counted then.
        """
        pred, label = _as_batch(pred_or_logits, "prediction"), _as_batch(label, "label")
        if pred.shape != label.shape:
            raise ZooError(f"prediction of shape {pred.shape} does not fit a label of shape {label.shape}")
        if pred.dtype != bool and np.isnan(pred).any():
            raise ZooError("the scores hold NaN; the method diverged or its checkpoint is broken")
        told = _no_logits(pred) if self.threshold == 0 else None
        if told is not None:
            if not tolerant and told != ALL_ABOVE:
                raise ZooError(told)
            warnings.warn(told, stacklevel=2)
        top = self._top_with(label)
        masks = [target_masks(one, top)[0] for one in label]
        if top == 255 and label.dtype != bool and label.any() and not any(mask.any() for mask in masks):
            warnings.warn(NO_LEVEL, stacklevel=2)
        self.label_top = top
        for scores, one in zip(pred, label, strict=True):
            mask, samplewise = self._cut(scores)
            self.per_image.append(count_image(mask, one, samplewise_pred=samplewise, top=top))

    def compute(self) -> dict[str, float | None]:
        """The metrics of all images so far, as `compute_metrics` returns them."""
        return compute_metrics(self.per_image, self.protocol)

    def reset(self) -> None:
        """Forget all images."""
        self.per_image, self.label_top = [], None

    def merge(self, other: "IRSTDMetrics") -> None:
        """Add the images of another object, such as one of another process.

        Raises:
            UsageError: It has another protocol or threshold, or labels of another form.
        """
        if (other.protocol, other.threshold) != (self.protocol, self.threshold):
            raise UsageError(
                f"cannot merge {other.protocol} at threshold {other.threshold} into {self.protocol} at {self.threshold}"
            )
        if {self.label_top, other.label_top} == {1, 255}:
            raise UsageError("cannot merge images with labels of 0 and 1 and images with grey ones; give bool masks")
        self.label_top = self.label_top or other.label_top
        self.per_image = self.per_image + other.per_image

    def _top_with(self, label: npt.NDArray[Any]) -> int | None:
        """`label_top` with one more label or batch of them; ZooError where it is of another form than those before."""
        if label.dtype == bool or not label.any():
            return self.label_top
        top = label_top(label)
        if self.label_top == 1 < top:
            raise ZooError(TWO_FORMS.format(high=label.max()))
        return self.label_top or top

    def _cut(self, scores: npt.NDArray[Any]) -> tuple[Mask, Mask]:
        """The mask of one image, and the mask for the samplewise IoU."""
        if scores.dtype == bool:
            return scores, scores
        mask = scores > self.threshold
        if self.protocol == "exact" or self.threshold != 0:
            return mask, mask
        with np.errstate(over="ignore"):  # exp of a very negative logit is Inf and its sigmoid 0, as it should be
            rounded = 1 / (1 + np.exp(-scores.astype(np.float32))) > 0.5
        return (rounded if self.protocol == "basicirstd" else mask), rounded


def _no_logits(scores: npt.NDArray[Any]) -> str | None:
    """Why scores can be no logits, of which some are negative, or None. Those of 0 and one other level are a mask."""
    if scores.dtype == bool or scores.size == 0 or scores.min() < 0:
        return None
    if look_like_probabilities(scores):
        return PROBABILITIES
    low, high = scores.min(), scores.max()
    if low == high:
        return ALL_ABOVE if low > 0 else None
    return GREY_LEVELS if low > 0 or ((scores > 0) & (scores < high)).any() else None


def _as_batch(array: Any, name: str) -> npt.NDArray[Any]:
    """BxHxW NumPy array of an image or a batch, from NumPy or a torch tensor on any device."""
    if hasattr(array, "detach"):
        array = array.detach().cpu()
        if array.is_floating_point() and array.element_size() < 4:  # NumPy has no bfloat16
            array = array.float()
    array = np.asarray(array)
    if array.dtype.kind not in "buif":
        raise ZooError(f"expected a numeric {name}, got {array.dtype}")
    shape = array.shape
    if array.ndim == 4 and shape[1] == 1:
        array = array[:, 0]
    elif array.ndim in (3, 4) and shape[-1] == 1:  # as OpenCV, scikit-image and Keras have it
        array = array[..., 0]
    if array.ndim not in (2, 3) or _channels_last(array.shape):
        raise ZooError(f"expected a {name} of shape (H, W), (B, H, W) or (B, 1, H, W), got {shape}; take one channel")
    return array if array.ndim == 3 else array[None]


def _channels_last(shape: tuple[int, ...]) -> bool:
    """Whether (B, H, W) can only be an image of two to four channels: no image is so narrow."""
    return len(shape) == 3 and shape[2] in (2, 3, 4) and min(shape[:2]) >= SMALLEST_SIDE
