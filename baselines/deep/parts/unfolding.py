"""What the authors' programs share between RPCANet and RPCANet++: steps of the unfolded iteration, the way in and the loss."""

from typing import Any

import cv2
import numpy as np
import torch
from torch import nn
from torch.nn.functional import interpolate, mse_loss

from irsam_zoo.baselines.deep.parts.losses import soft_iou_loss
from irsam_zoo.zoo.neural import NeuralDetector

CHANNELS = 32  # models/deepunfolding.py: channel
LAYERS, SPARSE_LAYERS = 3, 6  # llayers and mlayers, slayers


def conv_chain(layers, *, norm):
    """Bx1xHxW to Bx1xHxW: 3x3 convolutions, each but the last with a ReLU and, before it, a batch norm if `norm` says so."""
    chain = []
    for channels in [1] + [CHANNELS] * layers:
        chain += [nn.Conv2d(channels, CHANNELS, 3, padding=1), *[nn.BatchNorm2d(CHANNELS)] * norm, nn.ReLU(inplace=True)]
    return nn.Sequential(*chain, nn.Conv2d(CHANNELS, 1, 3, padding=1))


class Sparse(nn.Module):
    """The targets: a step of learned size against a learned gradient."""

    def __init__(self):
        super().__init__()
        self.epsilon = nn.Parameter(torch.tensor([0.01]))
        self.convs = conv_chain(SPARSE_LAYERS, norm=False)

    def forward(self, image, background, target):
        x = target + image - background
        return x - self.epsilon * self.convs(x)


class Merge(nn.Module):
    """The image restored from background and targets."""

    def __init__(self):
        super().__init__()
        self.mapping = conv_chain(LAYERS, norm=True)

    def forward(self, background, target):
        return self.mapping(background + target)


class UnfoldedDetector(NeuralDetector):
    """What the authors' programs share between RPCANet and RPCANet++: the way in and the loss.

    Arguments:
        stages: Iterations of the network.
        restoration_weight: Of the squared error between the restored image and the input.
        kwargs: Options of `NeuralDetector`.
    """

    default_input_size = 256  # author's code: base_size
    divisor = 1
    in_channels = 1
    mean, std = (0.0,), (255.0,)

    def __init__(self, *, stages: int = 6, restoration_weight: float = 0.01, **kwargs: Any):
        self.stages, self.restoration_weight = stages, restoration_weight
        super().__init__(**kwargs)

    def at_input_size(self, image: np.ndarray, label: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        if self.input_size is None:
            return image, label
        return cv2.resize(image, self._square), cv2.resize(label, self._square, interpolation=cv2.INTER_NEAREST)

    def _resize(self, images: torch.Tensor) -> torch.Tensor:
        # The authors resize with OpenCV, which takes the four nearest pixels at any scale.
        return interpolate(images, self._square, mode="bilinear", align_corners=False)

    def forward(self, inputs):
        """The network's outputs, and the image that the restored one is compared with."""
        return *self.network(inputs), inputs

    def logits(self, outputs: Any) -> torch.Tensor:
        return outputs[1]

    def loss(self, outputs: Any, masks: torch.Tensor) -> dict[str, torch.Tensor]:
        restored, target, image = outputs
        return {
            "soft_iou": soft_iou_loss(target, masks, per_sample=True),
            "restoration": self.restoration_weight * mse_loss(restored, image),
        }
