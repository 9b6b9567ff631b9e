"""Training loss of IRSAM: soft IoU of the mask and cross-entropy of the edge."""

import torch
from torch.nn import functional as F

# IPIC-Lab/IRSAM at 5adeb85, train_IRSAM.py and its IoU loss.
EDGE_WEIGHT = 5.0
SMOOTHING = 1e-6
TAN_22 = 13573  # tan(22.5 degrees) * 2**15, as OpenCV rounds it


def iou_loss(logits: torch.Tensor, masks: torch.Tensor) -> torch.Tensor:
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


def canny_edges(masks: torch.Tensor) -> torch.Tensor:
    """Canny edges of masks: those of OpenCV with IRSAM's thresholds, 100 and 200, found where the masks are.

    On a mask any gradient but zero is above both thresholds. An edge is then a pixel whose gradient is the largest across it,
    and none has to be followed from its neighbours.

    Arguments:
        masks: Bx1xHxW, 0 or 1.

    Returns:
        torch.Tensor: Bx1xHxW, 0 or 1, in the type and on the device of ``masks``.
    """
    padded = F.pad(masks.detach().float(), (1, 1, 1, 1), mode="replicate")
    top, middle, bottom = padded[..., :-2, :], padded[..., 1:-1, :], padded[..., 2:, :]
    smooth = top + 2 * middle + bottom
    slope = bottom - top
    across = smooth[..., 2:] - smooth[..., :-2]
    down = slope[..., :-2] + 2 * slope[..., 1:-1] + slope[..., 2:]
    size = across.abs() + down.abs()
    around = F.pad(size, (1, 1, 1, 1))
    height, width = size.shape[-2:]

    def beside(row, column):
        return around[..., 1 + row : 1 + row + height, 1 + column : 1 + column + width]

    steep = down.abs() * 2**15
    flat = across.abs() * TAN_22
    along_rows = (size > beside(0, -1)) & (size >= beside(0, 1))
    along_columns = (size > beside(-1, 0)) & (size >= beside(1, 0))
    falling = (size > beside(-1, -1)) & (size > beside(1, 1))
    rising = (size > beside(-1, 1)) & (size > beside(1, -1))
    diagonal = torch.where(across * down < 0, rising, falling)
    largest = torch.where(steep < flat, along_rows, torch.where(steep > flat + across.abs() * 2**16, along_columns, diagonal))
    return (largest & (size > 0)).to(masks)


def irsam_loss(outputs: tuple[torch.Tensor, torch.Tensor | None], masks: torch.Tensor) -> dict[str, torch.Tensor]:
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
