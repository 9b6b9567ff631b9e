"""The losses that ``--recipe loss=NAME`` takes in place of a method's own, to compare losses on one network."""

from torch.nn.functional import avg_pool2d, binary_cross_entropy_with_logits

from irsam_zoo.baselines.deep.parts.losses import soft_iou_loss
from irsam_zoo.baselines.deep.parts.scale_location import sls_loss
from irsam_zoo.zoo.losses import LOSSES

EDGE_KERNEL, EDGE_WEIGHT = 31, 5  # F3Net, author's code, train.py: structure_loss

LOSSES.register_module("soft_iou", module=soft_iou_loss)  # pyright: ignore[reportArgumentType]
LOSSES.register_module("sls", module=sls_loss)  # pyright: ignore[reportArgumentType]
LOSSES.register_module("bce", module=binary_cross_entropy_with_logits)  # pyright: ignore[reportArgumentType]


@LOSSES.register_module("dice")
def dice_loss(logits, masks):
    """One minus the soft Dice coefficient (Milletari et al., 3DV 2016) of the whole batch, with 1 added to both of its sums.

    Arguments:
        logits: Bx1xHxW.
        masks: Bx1xHxW, 0..1.

    Returns:
        torch.Tensor: Scalar in 0..1.
    """
    probabilities = logits.sigmoid()
    return 1 - (2 * (probabilities * masks).sum() + 1) / (probabilities.sum() + masks.sum() + 1)


@LOSSES.register_module("focal")
def focal_loss(logits, masks, *, alpha=0.25, gamma=2.0):
    """Focal loss (Lin et al., ICCV 2017, section 3, whose constants these are), summed, over the number of target pixels.

    Arguments:
        logits: Bx1xHxW.
        masks: Bx1xHxW, 0 or 1.
        alpha: Weight of target pixels; the others have ``1 - alpha``.
        gamma: Power by which pixels that are nearly right count less.

    Returns:
        torch.Tensor: Scalar.
    """
    wrong = (masks - logits.sigmoid()).abs()
    weights = (alpha * masks + (1 - alpha) * (1 - masks)) * wrong**gamma
    losses = weights * binary_cross_entropy_with_logits(logits, masks, reduction="none")
    return losses.sum() / masks.sum().clamp(min=1)


@LOSSES.register_module("edge_bce")
def edge_weighted_loss(logits, masks):
    """Cross entropy that counts more near the edges of masks (Wei et al., F3Net, AAAI 2020, section 3.4), a mean by weight.

    A pixel's weight is 1, and 5 more times the difference between its mask and the mean of the 31x31 px around it.

    Arguments:
        logits: Bx1xHxW.
        masks: Bx1xHxW, 0..1.

    Returns:
        torch.Tensor: Scalar, the mean over the batch.
    """
    around = avg_pool2d(masks, EDGE_KERNEL, stride=1, padding=EDGE_KERNEL // 2)
    weights = 1 + EDGE_WEIGHT * (around - masks).abs()
    losses = weights * binary_cross_entropy_with_logits(logits, masks, reduction="none")
    return (losses.sum((1, 2, 3)) / weights.sum((1, 2, 3))).mean()
