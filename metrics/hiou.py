"""Overlap-priority matching with distance compensation (OPDC), and the hierarchical IoU that rests on it.

Source: Pang et al., Rethinking Evaluation of Infrared Small Target Detection, 2025; repository lartpang/PyIRSTDMetrics.
"""

import numpy as np
import numpy.typing as npt

from irsam_zoo.metrics.components import Components
from irsam_zoo.metrics.matching import match_optimal
from irsam_zoo.metrics.typing import Floats, Ints, Pairs

OVERLAP = 0.5  # PyIRSTDMetrics, overlap threshold of the first stage


def overlap_pairs(targets: Components, predictions: Components) -> Pairs:
    """Targets and predictions that share pixels.

    Arguments:
        targets, predictions (Components): Of masks of one size.

    Returns:
        tuple: (K,) target index, (K,) prediction index and (K,) IoU of the two components, sorted by target and then by
        prediction.
    """
    stride = len(predictions) + 1
    both = np.flatnonzero((targets.labels > 0) & (predictions.labels > 0))
    joint = targets.labels.ravel()[both].astype(np.int64) * stride + predictions.labels.ravel()[both]
    joint, common = np.unique(joint, return_counts=True)
    target, prediction = joint // stride - 1, joint % stride - 1
    return target, prediction, common / (targets.area[target] + predictions.area[prediction] - common)


def match_opdc(predictions: Components, pairs: Pairs, overlaps: Pairs) -> Pairs:
    """Match by overlap first, and what is left by centroid distance.

    The second stage matches as many as there are within reach. PyIRSTDMetrics assigns all that is left, near or far, and
    then drops what is too far apart, so that a far object can cost a match; `metrics.pyirstd` has that one.

    Arguments:
        predictions (Components): The predicted ones.
        pairs (tuple): Target index, prediction index and distance of all pairs less than 3 px apart (`candidate_pairs`).
        overlaps (tuple): Target index, prediction index and IoU of all pairs that share pixels (`overlap_pairs`).

    Returns:
        tuple: (M,) target index, (M,) prediction index and (M,) IoU of the matched pairs.
    """
    first = first_stage(overlaps)
    left, right, distance = pairs
    free = ~np.isin(left, first[0]) & ~np.isin(right, first[1])
    left, right, distance = left[free], right[free], distance[free]
    matched = match_optimal(left, right, distance, predictions.area[right])
    return with_second_stage(first, left[matched], right[matched], overlaps)


def first_stage(overlaps: Pairs) -> Pairs:
    """The pairs that are matched by their overlap.

    A component that shares half of a union with each of two others would join them, so this stage needs no assignment.
    """
    target, prediction, iou = overlaps
    enough = iou >= OVERLAP
    return target[enough], prediction[enough], iou[enough]


def with_second_stage(first: Pairs, target: Ints, prediction: Ints, overlaps: Pairs) -> Pairs:
    """Join the pairs of the first stage with those of the second, whose IoU is looked up among the overlaps."""
    iou = {(t, p): value for t, p, value in zip(*(column.tolist() for column in overlaps), strict=True)}
    of_second = np.array([iou.get(pair, 0.0) for pair in zip(target.tolist(), prediction.tolist(), strict=True)])
    return (
        np.concatenate([first[0], target]),
        np.concatenate([first[1], prediction]),
        np.concatenate([first[2], of_second]),
    )


def hierarchical_iou(
    matched: npt.ArrayLike, iou: Floats | float, targets: Floats | float, components: Floats | float
) -> dict[str, Floats]:
    """hIoU and its two factors from sums over images.

    Arguments:
        matched: Number of pairs matched by OPDC; a number or an array, as the others.
        iou: Sum of the IoU of those pairs.
        targets: Number of targets.
        components: Number of predicted components.

    Returns:
        dict: ``segIoU``, the mean IoU of matched pairs; ``locIoU``, matched over matched, missed and false together;
        ``hIoU``, their product. Fractions, NaN where undefined; hIoU is 0 where nothing of something was matched.
    """
    matched = np.asarray(matched, np.float64)
    everything = targets + components - matched
    with np.errstate(divide="ignore", invalid="ignore"):
        segmentation, location = iou / matched, matched / everything
    product = np.where((matched == 0) & (everything > 0), 0.0, segmentation * location)
    return {"hIoU": product, "segIoU": segmentation, "locIoU": location}
