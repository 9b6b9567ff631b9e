"""OPDC as PyIRSTDMetrics computes it, for comparison with numbers published with that package.

Two things differ from the hIoU of the `exact` protocol. The second stage assigns all objects that are left, near or far,
to the least total distance, and drops pairs of 3 px or more afterwards, so that a far object can cost a match. And an
image without targets adds a missed target, one without predictions a false one, because the tables of the package have at
least one row and one column. The assignment is dense: time and memory grow with targets times predictions.
"""

from collections.abc import Mapping, Sequence
from typing import cast

import numpy as np
import numpy.typing as npt
from scipy.optimize import linear_sum_assignment  # pyright: ignore[reportMissingTypeStubs, reportUnknownVariableType]
from scipy.spatial.distance import cdist

from irsam_zoo.metrics.components import checked_mask, label_components, target_masks
from irsam_zoo.metrics.hiou import first_stage, hierarchical_iou, overlap_pairs, with_second_stage
from irsam_zoo.metrics.matching import MATCH_DISTANCE
from irsam_zoo.metrics.typing import Counts, Ints


def count_pyirstd(pred: npt.ArrayLike, label: npt.ArrayLike) -> Counts:
    """Count one image.

    Arguments:
        pred (np.ndarray): HxW bool.
        label (np.ndarray): HxW bool, 0/1 or grey; above 127 is target.

    Returns:
        dict: ``pixels``, ``targets``, ``components``, ``matched``, ``false_pixels`` (int), ``iou`` (float, sum over matched
        pairs). Phantoms are included.

    Raises:
        ZooError: pred is no bool mask of the label's shape, or the label cannot be read.
    """
    target, _ = target_masks(label)
    targets, predictions = label_components(target), label_components(checked_mask(pred, target.shape))
    overlaps = overlap_pairs(targets, predictions)
    first = first_stage(overlaps)
    left = np.setdiff1d(np.arange(len(targets)), first[0])
    right = np.setdiff1d(np.arange(len(predictions)), first[1])
    distance = cdist(targets.centroid[left], predictions.centroid[right])
    rows, columns = cast(tuple[Ints, Ints], linear_sum_assignment(distance))
    near = distance[rows, columns] < MATCH_DISTANCE
    _, matched, iou = with_second_stage(first, left[rows[near]], right[columns[near]], overlaps)
    return {
        "pixels": int(target.size),
        "targets": max(len(targets), 1),
        "components": max(len(predictions), 1),
        "matched": len(matched),
        "false_pixels": int(predictions.area.sum() - predictions.area[matched].sum()),
        "iou": float(iou.sum()),
    }


def compute_pyirstd(counts: Sequence[Mapping[str, float]]) -> dict[str, float | None]:
    """Target-level figures of a set.

    Arguments:
        counts (Sequence[dict]): Rows of `count_pyirstd`, at least one.

    Returns:
        dict: ``hIoU``, ``segIoU``, ``locIoU``, ``Pd``, ``Fa``: fractions, None where undefined.
    """
    total = {name: sum(row[name] for row in counts) for name in counts[0]}
    figures = hierarchical_iou(total["matched"], total["iou"], total["targets"], total["components"])
    figures |= {"Pd": total["matched"] / total["targets"], "Fa": total["false_pixels"] / total["pixels"]}
    return {name: None if np.isnan(value) else float(value) for name, value in figures.items()}
