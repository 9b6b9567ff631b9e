"""Metrics that are fed image by image."""

import warnings

import numpy as np

from engine.metrics.components import target_masks
from engine.metrics.compute import compute_metrics, protocol_rule
from engine.metrics.counts import count_image
from zoo.detector import SMALLEST_SIDE, look_like_probabilities
from zoo.errors import UsageError, ZooError

PROBABILITIES = "all scores are between 0 and 1: probabilities, not logits, which the threshold 0 is for; take 0.5"
GREY_LEVELS = "the prediction holds grey levels, of which all but 0 are above the threshold 0; take 127, or give a bool mask"
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

    Raises:
        UsageError: No such protocol.
    """

    def __init__(self, *, protocol="exact", threshold=0.0):
        protocol_rule(protocol)
        self.protocol = protocol
        self.threshold = threshold
        self.per_image = []

    def update(self, pred_or_logits, label, *, tolerant=False):
        """Count one image or a batch.

        Arguments:
            pred_or_logits (np.ndarray or torch.Tensor): HxW, BxHxW or Bx1xHxW; the one channel may come last. Bool is taken
                as the mask, anything else is cut at the threshold.
            label (np.ndarray or torch.Tensor): Of the same size; bool, 0/1 or grey 0..255. There is a warning where some
                have levels and none has one above 127.
            tolerant: Warn of scores that look like probabilities: a network that has learned nothing yet may have such logits.

        Raises:
            ZooError: Sizes differ, there are several channels, scores are NaN, or are probabilities or grey levels though
                the threshold is that of logits, or the label cannot be read. Nothing of the batch is counted then.
        """
        pred, label = _as_batch(pred_or_logits, "prediction"), _as_batch(label, "label")
        if pred.shape != label.shape:
            raise ZooError(f"prediction of shape {pred.shape} does not fit a label of shape {label.shape}")
        if pred.dtype != bool and np.isnan(pred).any():
            raise ZooError("the scores hold NaN; the method diverged or its checkpoint is broken")
        if self.threshold == 0 and look_like_probabilities(pred):
            if not tolerant:
                raise ZooError(PROBABILITIES)
            warnings.warn(PROBABILITIES, stacklevel=2)
        if self.threshold == 0 and pred.dtype.kind == "u" and len(np.unique(pred)) > 2:
            raise ZooError(GREY_LEVELS)
        masks = [target_masks(one)[0] for one in label]
        if label.dtype != bool and label.max() > 1 and not any(mask.any() for mask in masks):
            warnings.warn(NO_LEVEL, stacklevel=2)
        for scores, one in zip(pred, label, strict=True):
            mask, samplewise = self._cut(scores)
            self.per_image.append(count_image(mask, one, samplewise_pred=samplewise))

    def compute(self):
        """The metrics of all images so far, as `compute_metrics` returns them."""
        return compute_metrics(self.per_image, self.protocol)

    def reset(self):
        """Forget all images."""
        self.per_image = []

    def merge(self, other):
        """Add the images of another object, such as one of another process.

        Raises:
            UsageError: It has another protocol or threshold.
        """
        if (other.protocol, other.threshold) != (self.protocol, self.threshold):
            raise UsageError(
                f"cannot merge {other.protocol} at threshold {other.threshold} into {self.protocol} at {self.threshold}"
            )
        self.per_image = self.per_image + other.per_image

    def _cut(self, scores):
        """The mask of one image, and the mask for the samplewise IoU."""
        if scores.dtype == bool:
            return scores, scores
        mask = scores > self.threshold
        if self.protocol == "exact" or self.threshold != 0:
            return mask, mask
        with np.errstate(over="ignore"):  # exp of a very negative logit is Inf and its sigmoid 0, as it should be
            rounded = 1 / (1 + np.exp(-scores.astype(np.float32))) > 0.5
        return (rounded if self.protocol == "basicirstd" else mask), rounded


def _as_batch(array, name):
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


def _channels_last(shape):
    """Whether (B, H, W) can only be an image of two to four channels: no image is so narrow."""
    return len(shape) == 3 and shape[2] in (2, 3, 4) and min(shape[:2]) >= SMALLEST_SIDE
