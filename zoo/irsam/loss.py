"""Training loss of IRSAM: soft IoU of the mask and cross-entropy of the edge."""

import cv2
import numpy as np
import torch
from torch.nn import functional as F

# IPIC-Lab/IRSAM at 5adeb85, train_IRSAM.py and its IoU loss.
EDGE_WEIGHT = 5.0
SMOOTHING = 1e-6
CANNY_THRESHOLDS = (100, 200)


def iou_loss(logits, masks):
    """1 - soft IoU over all pixels of the batch together, so that an image without a target counts too.

    Arguments:
        logits: Bx1xHxW mask logits.
        masks: Bx1xHxW, 0..1.

    Returns:
        torch.Tensor: Scalar between 0 and 1.
    """
    probability = logits.sigmoid()
    intersection = (probability * masks).sum()
    union = probability.sum() + masks.sum() - intersection
    return 1 - (intersection + SMOOTHING) / (union + SMOOTHING)


def canny_edges(masks):
    """Canny edges of masks.

    Arguments:
        masks: Bx1xHxW, 0..1.

    Returns:
        torch.Tensor: Bx1xHxW, 0 or 1, in the type and on the device of ``masks``.
    """
    grey = (masks.detach() * 255).round().to("cpu", torch.uint8).numpy()
    edges = [cv2.Canny(np.ascontiguousarray(image), *CANNY_THRESHOLDS) for image in grey[:, 0]]
    return torch.from_numpy(np.stack(edges)[:, None]).to(masks) / 255


def irsam_loss(outputs, masks):
    """Both terms.

    Arguments:
        outputs: Mask logits and edge probabilities, Bx1xHxW; the edges may be None.
        masks: Bx1xHxW, 0..1.

    Returns:
        dict[str, torch.Tensor]: ``iou``, and ``edge`` (five times the mean binary cross-entropy) where there are edges.
    """
    logits, edges = outputs
    terms = {"iou": iou_loss(logits.float(), masks)}
    if edges is not None:
        terms["edge"] = EDGE_WEIGHT * F.binary_cross_entropy(edges.float(), canny_edges(masks))
    return terms
