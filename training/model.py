"""A detector as mmengine's runner trains it."""

from collections.abc import Sequence
from typing import Any

import torch
from mmengine.model import BaseModel

from irsam_zoo.datasets.base import Item
from irsam_zoo.zoo.lookup import registered
from irsam_zoo.zoo.losses import LOSSES
from irsam_zoo.zoo.neural import NeuralDetector


class TrainingModel(BaseModel):
    """Wraps a `NeuralDetector`; its network is the one submodule.

    Arguments:
        detector (NeuralDetector): Its `forward` and `loss` are used, and its `normalize` for the way in.
        loss: Name in `zoo.losses.LOSSES` of the loss to take in place of the detector's, of all maps that it supervises.
    """

    def __init__(self, detector: NeuralDetector, loss: str | None = None):
        super().__init__()
        self.loss_name, self.named_loss = loss, registered(LOSSES, loss) if loss else None
        self.detector = detector
        self.network = detector.network

    def forward(self, inputs, masks, mode="loss", **targets):
        """The losses of a batch.

        Arguments:
            inputs: Bx1xhxw grey levels 0..255 of any type.
            masks: Bx1xhxw, 0 or 1, of any type.
            mode: mmengine's; training asks for ``"loss"`` alone.
            targets: What the detector's `targets` made of the masks, a batch of each.

        Returns:
            dict[str, torch.Tensor]: The detector's scalars, under names that mmengine sums.
        """
        images = self.detector.normalize(inputs.float()).contiguous(memory_format=self.detector.memory_format)
        outputs = self.detector.forward(images)
        # Sums over a batch overflow in half precision, and torch refuses binary_cross_entropy under autocast.
        with torch.autocast(images.device.type, enabled=False):
            losses = self._losses(full_precision(outputs), masks.float(), targets)
        return {f"loss_{name}": value for name, value in losses.items()}

    def _losses(self, outputs, masks, targets):
        if self.named_loss is None:
            return self.detector.loss(outputs, masks, **targets)
        maps = self.detector.supervised(outputs)
        return {self.loss_name: torch.stack([self.named_loss(logits, masks) for logits in maps]).mean()}

    @torch.no_grad()
    def val_step(self, data: Any) -> list[dict[str, torch.Tensor]]:
        return predictions(self.detector, data, self.device)

    @property
    def device(self):
        """Where the parameters are."""
        return next(self.network.parameters()).device


def full_precision(outputs: Any) -> Any:
    """Tensors of a nested tuple or list as float32."""
    if isinstance(outputs, (tuple, list)):
        return type(outputs)(full_precision(output) for output in outputs)
    return outputs.float() if torch.is_tensor(outputs) else outputs


def predictions(detector: NeuralDetector, items: Sequence[Item], device: torch.device) -> list[dict[str, torch.Tensor]]:
    """Data samples for `metrics.mm_metric.IRSTDMetric`: whole images go the way that the benchmark takes them."""
    detector.device = device
    scores = detector.predict_batch([item["image"] for item in items])
    return [
        {"pred_sem_seg": torch.from_numpy(detector.threshold(score)), "gt_sem_seg": torch.from_numpy(item["mask"])}
        for score, item in zip(scores, items, strict=True)
    ]
