"""Everything that is counted in one image. All protocols are computed from sums of these."""

from typing import Any

import numpy as np
import numpy.typing as npt

from irsam_zoo.metrics.components import checked_mask
from irsam_zoo.metrics.hiou import match_opdc
from irsam_zoo.metrics.matching import match_greedy
from irsam_zoo.metrics.scene import Scene
from irsam_zoo.metrics.typing import Counts, Mask


def count_image(
    pred: npt.ArrayLike, label: npt.ArrayLike, *, samplewise_pred: npt.ArrayLike | None = None, top: int | None = None
) -> Counts:
    """Count one image for every protocol at once.

    Arguments:
        pred (np.ndarray): HxW bool, the mask of the method.
        label (np.ndarray): HxW bool, 0/1, or grey 0..255.
        samplewise_pred (np.ndarray): HxW bool, the mask that the samplewise IoU of ACM and IRSAM sees. They cut a
            float32 sigmoid there and the logit elsewhere, which differs for logits below 1e-7. By default it is pred.
        top: How the label is read, as `target_masks` takes it; None decides for this label alone.

    Returns:
        dict: Of ints, and one float, all in px or numbers of components:

        - ``pixels``, ``predicted_pixels``, ``components`` (predicted ones),
        - for `exact`: ``target_pixels``, ``intersection``, ``union``, ``targets``, ``matched``, ``false_pixels``,
        - for hIoU: ``opdc_matched``, ``opdc_iou`` (float: sum of IoU over matched pairs),
        - for the public codes, whose targets are pixels of exactly 255: ``ref_target_pixels``, ``ref_intersection``,
          ``ref_union``, ``ref_targets``, ``ref_matched``, ``ref_false_pixels`` (BasicIRSTD) and
          ``ref_false_pixels_by_area`` (DNANet, ISNet, IRSAM), ``sample_intersection``, ``sample_union``.

    Raises:
        ZooError: pred is no bool mask of the label's shape, or the label cannot be read.
    """
    scene = Scene(label, pred, top)
    if samplewise_pred is None:
        return count_scene(scene)
    return count_scene(scene, checked_mask(samplewise_pred, scene.target.shape, "samplewise prediction"))


def count_scene(scene: Scene, samplewise_pred: Mask | None = None) -> Counts:
    """As `count_image`, of a `Scene` with a mask."""
    pred, predictions, targets = scene.pred, scene.predictions, scene.targets
    assert pred is not None
    _, found = scene.matched
    row: dict[str, Any] = {"pixels": pred.size, "predicted_pixels": np.count_nonzero(pred), "components": len(predictions)}
    row["target_pixels"], row["intersection"], row["union"] = overlap(pred, scene.target)
    row["targets"], row["matched"] = len(targets), len(found)
    row["false_pixels"] = row["predicted_pixels"] - predictions.area[found].sum()

    iou = match_opdc(predictions, scene.pairs, scene.overlaps)[2]
    row["opdc_matched"], row["opdc_iou"] = len(iou), iou.sum()

    target, prediction, _ = scene.full_pairs
    found = prediction[match_greedy(target, prediction)]
    row["ref_target_pixels"], row["ref_intersection"], row["ref_union"] = overlap(pred, scene.full)
    row["ref_targets"], row["ref_matched"] = len(scene.full_targets), len(found)
    row["ref_false_pixels"] = row["predicted_pixels"] - predictions.area[found].sum()
    # DNANet, ISNet, IRSAM: an unmatched component whose area equals that of any matched one is taken for matched.
    listed = np.isin(predictions.area, predictions.area[found])
    row["ref_false_pixels_by_area"] = predictions.area[~listed].sum()
    _, row["sample_intersection"], row["sample_union"] = overlap(
        pred if samplewise_pred is None else samplewise_pred, scene.full
    )
    return {name: float(value) if name == "opdc_iou" else int(value) for name, value in row.items()}


def overlap(pred: Mask, target: Mask) -> tuple[int, int, int]:
    """Pixels of the target, of the intersection and of the union of two bool masks."""
    area, common = int(np.count_nonzero(target)), int(np.count_nonzero(pred & target))
    return area, common, int(np.count_nonzero(pred)) + area - common
