"""Training losses that several of the networks share."""

import torch


def soft_iou_loss(logits, masks, *, smooth=1.0, per_sample=False):
    """One minus the soft intersection over union of sigmoid(logits) and masks.

    Arguments:
        logits: Bx1xHxW.
        masks: Bx1xHxW, 0..1.
        smooth: Added to intersection and union.
        per_sample: True for the mean of each image's loss (acm-pytorch, ISNet), False for sums over the whole batch
            (open-acm, DNANet, BasicIRSTD).

    Returns:
        torch.Tensor: Scalar in 0..1.
    """
    probabilities = torch.sigmoid(logits)
    dims = (1, 2, 3) if per_sample else (0, 1, 2, 3)
    intersection = (probabilities * masks).sum(dims)
    union = probabilities.sum(dims) + masks.sum(dims) - intersection
    return (1 - (intersection + smooth) / (union + smooth)).mean()


def deep_supervision(loss, outputs, masks):
    """Mean of ``loss(output, masks)`` over the outputs of a network."""
    return torch.stack([loss(output, masks) for output in outputs]).mean()
