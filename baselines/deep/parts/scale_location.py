"""Scale and location sensitive (SLS) loss, and the detectors whose side outputs learn by it: MSHNet and HDNet."""

import math
from typing import Any

import torch
from torch.nn.functional import max_pool2d

from irsam_zoo.zoo import UsageError
from irsam_zoo.zoo.neural import NeuralDetector

TINY = 1e-8  # author's code, model/loss.py


def scale_loss(logits, masks, *, weighted=True, by_area=False):
    """One minus the soft intersection over union of sigmoid(logits) and masks, without any smoothing.

    A map that is zero throughout, of an image without targets, has ratio 0, as any smaller map comes near to; in the authors'
    code it is not a number, and after one such step neither are the weights.

    Arguments:
        logits: Bx1xHxW.
        masks: Bx1xHxW, 0..1.
        weighted: Lower the intersection over union of images in which the predicted area is another than the target's.
        by_area: Images count by their target area (HDNet), and one without targets not at all, rather than alike (MSHNet).

    Returns:
        torch.Tensor: Scalar.
    """
    probabilities = logits.sigmoid()
    found, wanted, common = (values.sum((1, 2, 3)) for values in (probabilities, masks, probabilities * masks))
    least = torch.finfo(found.dtype).tiny
    ratio = common / (found + wanted - common).clamp(min=least)
    if weighted:
        variance = ((found - wanted) / 2).square()
        ratio = ratio * (torch.minimum(found, wanted) + variance) / (torch.maximum(found, wanted) + variance).clamp(min=least)
    if by_area:
        return (wanted / (wanted.sum() + torch.finfo(torch.float64).eps) * (1 - ratio)).sum()
    return 1 - ratio.mean()


def location_loss(logits, masks):
    """Distance between the mean places of sigmoid(logits) and of masks, in polar coordinates around the first pixel.

    The mean goes over the image, as in the author's code, and is not divided by the mass: it sees the area too.

    Arguments:
        logits: Bx1xHxW.
        masks: Bx1xHxW, 0..1.

    Returns:
        torch.Tensor: Scalar, the mean over the batch.
    """
    (angle, length), (mask_angle, mask_length) = _polar(logits.sigmoid()), _polar(masks)
    ratio = torch.minimum(length, mask_length) / (torch.maximum(length, mask_length) + TINY)
    return (1 - ratio + 4 / math.pi**2 * (angle - mask_angle).square()).mean()


def sls_loss(logits, masks, *, by_area=False):
    """Sum of `scale_loss` and `location_loss` (Liu et al., CVPR 2024, section 3.2), Lliu666/MSHNet, model/loss.py."""
    return scale_loss(logits, masks, by_area=by_area) + location_loss(logits, masks)


def _polar(values):
    """Angle and length of the place of Bx1xHxW values, B each."""
    height, width = values.shape[2:]
    rows = torch.arange(height, device=values.device, dtype=values.dtype) / height
    columns = torch.arange(width, device=values.device, dtype=values.dtype) / width
    y, x = (values * rows[:, None]).mean((1, 2, 3)), (values * columns).mean((1, 2, 3))
    return torch.atan(y / (x + TINY)), (x.square() + y.square() + TINY).sqrt()


class SideOutputDetector(NeuralDetector):
    """A detector whose network returns side outputs and a prediction, and in its warm-up the full-size side output alone.

    Arguments:
        warm_up: Share of a training run that is warm-up, instead of the class's: no side outputs, and `scale_loss` without its
            weights.
        kwargs: Options of `NeuralDetector`.

    Attributes:
        warming_up: Whether a training run is in its warm-up; the trainer says so.
        by_area: As of `scale_loss`.
    """

    by_area = False
    warm_up = 0.0
    warming_up = False

    def __init__(self, *, warm_up=None, **kwargs: Any):
        self.warm_up = self.warm_up if warm_up is None else warm_up
        if not isinstance(self.warm_up, (int, float)) or not 0 <= self.warm_up < 1:
            raise UsageError(f"warm_up {warm_up!r} is no share of a run, from 0 to below 1")
        super().__init__(**kwargs)

    def forward(self, inputs):
        return self.network(inputs, not (self.warming_up and self.network.training))

    def logits(self, outputs: Any) -> torch.Tensor:
        return outputs[1]

    def loss(self, outputs: Any, masks: torch.Tensor) -> dict[str, torch.Tensor]:
        sides, prediction = outputs
        if not sides:
            return {"sls": scale_loss(prediction, masks, weighted=False, by_area=self.by_area)}
        losses = [sls_loss(prediction, masks, by_area=self.by_area)]
        for side in sides:
            losses.append(sls_loss(side, masks, by_area=self.by_area))
            masks = max_pool2d(masks, 2)
        return {"sls": torch.stack(losses).mean()}
