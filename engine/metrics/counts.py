"""Everything that is counted in one image. All protocols are computed from sums of these."""

import numpy as np

from engine.metrics.components import checked_mask, label_components, target_masks
from engine.metrics.hiou import match_opdc
from engine.metrics.matching import candidate_pairs, match_greedy, match_optimal


def count_image(pred, label, *, samplewise_pred=None):
    """Count one image for every protocol at once.

    Arguments:
        pred (np.ndarray): HxW bool, the mask of the method.
        label (np.ndarray): HxW bool, 0/1, or grey 0..255; `target_masks` says how it is read.
        samplewise_pred (np.ndarray): HxW bool, the mask that the samplewise IoU of ACM and IRSAM sees. They cut a
            float32 sigmoid there and the logit elsewhere, which differs for logits below 1e-7. By default it is pred.

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
    target, full = target_masks(label)
    pred = checked_mask(pred, target.shape)
    samplewise = pred if samplewise_pred is None else checked_mask(samplewise_pred, target.shape, "samplewise prediction")
    predictions, targets = label_components(pred), label_components(target)
    pairs = candidate_pairs(targets.centroid, predictions.centroid)
    found = pairs[1][match_optimal(*pairs, predictions.area[pairs[1]])]
    row = {"pixels": pred.size, "predicted_pixels": np.count_nonzero(pred), "components": len(predictions)}
    row["target_pixels"], row["intersection"], row["union"] = overlap(pred, target)
    row["targets"], row["matched"] = len(targets), len(found)
    row["false_pixels"] = row["predicted_pixels"] - predictions.area[found].sum()

    iou = match_opdc(targets, predictions, pairs)[2]
    row["opdc_matched"], row["opdc_iou"] = len(iou), iou.sum()

    if full is not target and not np.array_equal(full, target):
        targets = label_components(full)
        pairs = candidate_pairs(targets.centroid, predictions.centroid)
    found = pairs[1][match_greedy(*pairs[:2])]
    row["ref_target_pixels"], row["ref_intersection"], row["ref_union"] = overlap(pred, full)
    row["ref_targets"], row["ref_matched"] = len(targets), len(found)
    row["ref_false_pixels"] = row["predicted_pixels"] - predictions.area[found].sum()
    # DNANet, ISNet, IRSAM: an unmatched component whose area equals that of any matched one is taken for matched.
    listed = np.isin(predictions.area, predictions.area[found])
    row["ref_false_pixels_by_area"] = predictions.area[~listed].sum()
    _, row["sample_intersection"], row["sample_union"] = overlap(samplewise, full)
    return {name: float(value) if name == "opdc_iou" else int(value) for name, value in row.items()}


def overlap(pred, target):
    """Pixels of the target, of the intersection and of the union of two bool masks."""
    area, common = np.count_nonzero(target), np.count_nonzero(pred & target)
    return area, common, np.count_nonzero(pred) + area - common
