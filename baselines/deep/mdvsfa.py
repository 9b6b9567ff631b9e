"""MDvsFA-cGAN: one generator that fears missed detections, one that fears false alarms, and a judge between them."""

from functools import reduce
from typing import Any

import torch
import torch.nn.functional as F
from torch import nn

from irsam_zoo.zoo import METHODS, MethodCard
from irsam_zoo.zoo.neural import NeuralDetector, probability_to_logit

# Weights of the losses and learning constants: wanghuanphd/MDvsFA_cGAN, demo_MDvsFA_pytorch.py
SLOPE = 0.2
DETECTION_WEIGHT, ADVERSARIAL_WEIGHT = 100, 10
MISS_WEIGHT = 100  # of missed detections, in the first generator's loss
FALSE_ALARM_WEIGHT = 10  # of false alarms, in the second generator's loss; 1 in the TensorFlow original
PATCH = 128  # side in px of the discriminator's input
GENERATORS = ("generator1", "generator2")


class _Numbered(nn.Module):
    """A network whose stages (convolution, batch norm, leaky ReLU) carry the numbered names of the author's checkpoints."""

    name = ""

    def _add(self, number, in_channels, out_channels, dilation=1):
        convolution = nn.Conv2d(in_channels, out_channels, 3, padding=dilation, dilation=dilation)
        self.add_module(f"{self.name}_conv{number}", convolution)
        self.add_module(f"{self.name}_bn{number}", nn.BatchNorm2d(out_channels))

    def _stage(self, number, x):
        x = getattr(self, f"{self.name}_conv{number}")(x)
        return F.leaky_relu(getattr(self, f"{self.name}_bn{number}")(x), SLOPE, inplace=True)


class MissGenerator(_Numbered):
    """Generator1_CAN8: a context aggregation network of eight dilated convolutions."""

    name = "g1"
    widths = (1, 64, 64, 128, 256, 512, 256, 128, 64)
    dilations = (1, 1, 2, 4, 8, 4, 2, 1)

    def __init__(self):
        super().__init__()
        for number, dilation in enumerate(self.dilations, 1):
            self._add(number, self.widths[number - 1], self.widths[number], dilation)
        self.g1_conv9 = nn.Conv2d(self.widths[-1], 1, 1)

    def forward(self, x):
        """Bx1xHxW image in -1..1 to Bx1xHxW, unbounded; 0 background and 1 target."""
        for number in range(1, 9):
            x = self._stage(number, x)
        return self.g1_conv9(x)


class FalseAlarmGenerator(_Numbered):
    """Generator2_UCAN64: dilated convolutions of 64 channels whose first half feeds the second through skips."""

    name = "g2"
    dilations = (1, 2, 4, 8, 16, 32, 64, 32, 16, 8, 4, 2, 1)
    skips = {9: 6, 10: 5, 11: 4, 12: 3, 13: 2}  # the stage whose output a stage also takes

    def __init__(self):
        super().__init__()
        for number, dilation in enumerate(self.dilations, 1):
            channels = 1 if number == 1 else 128 if number in self.skips else 64
            self._add(number, channels, 64, dilation)
        self.g2_conv14 = nn.Conv2d(64, 1, 1)

    def forward(self, x):
        """Bx1xHxW image in -1..1 to Bx1xHxW, unbounded; 0 background and 1 target."""
        kept = {}
        for number in range(1, 14):
            if number in self.skips:
                x = torch.cat([kept.pop(self.skips[number]), x], 1)
            x = self._stage(number, x)
            if number in self.skips.values():
                kept[number] = x
        return self.g2_conv14(x)


class Discriminator(_Numbered):
    """Tells real masks, the first and the second generator's masks apart."""

    name = "d"

    def __init__(self):
        super().__init__()
        for number, (channels, out_channels) in enumerate(((2, 24), (24, 24), (24, 24), (24, 1)), 1):
            self._add(number, channels, out_channels)
        self.fc1, self.d_bn5 = nn.Linear((PATCH // 4) ** 2, 128), nn.BatchNorm1d(128)
        self.fc2, self.d_bn6 = nn.Linear(128, 64), nn.BatchNorm1d(64)
        self.fc3, self.d_bn7 = nn.Linear(64, 3), nn.BatchNorm1d(3)

    def forward(self, x):
        """Verdicts on three groups of masks.

        Arguments:
            x: 3Bx2x128x128: image and mask, both in -1..1; B real masks, B of the first and B of the second generator.

        Returns:
            tuple[torch.Tensor, ...]: Three Bx3 class probabilities, one for each group, and a scalar: the mean squared
            difference of the two generators' feature maps.
        """
        x = F.max_pool2d(F.max_pool2d(x, 2), 2)
        for number in range(1, 5):
            x = self._stage(number, x)
        features = x.flatten(1)
        x = torch.tanh(self.d_bn5(self.fc1(features)))
        x = torch.tanh(self.d_bn6(self.fc2(x)))
        real, fake1, fake2 = torch.softmax(self.d_bn7(self.fc3(x)), 1).chunk(3)
        _, features1, features2 = features.chunk(3)
        return real, fake1, fake2, (features1 - features2).square().mean()


class MDvsFANetwork(nn.Module):
    """Both generators, and the discriminator that trains them."""

    def __init__(self):
        super().__init__()
        self.generator1 = MissGenerator()
        self.generator2 = FalseAlarmGenerator()
        self.discriminator = Discriminator()

    def forward(self, x):
        """Bx1xHxW image in -1..1 to the two generators' Bx1xHxW maps."""
        return self.generator1(x), self.generator2(x)


def fused(outputs):
    """Mean of the two generators' maps, each clipped to 0..1: Bx1xHxW in 0..1."""
    first, second = outputs
    return (first.clamp(0, 1) + second.clamp(0, 1)) / 2


def detection_loss(number, output, masks):
    """The part of a generator's loss that needs no discriminator, weighted.

    Arguments:
        number: 0 for the first generator, 1 for the second.
        output: Its Bx1xHxW map.
        masks: Bx1xHxW, 0 or 1.

    Returns:
        torch.Tensor: A scalar.
    """
    error = (output.clamp(0, 1) - masks).square()
    missed, false = (error * masks).mean(), (error * (1 - masks)).mean()
    return DETECTION_WEIGHT * (MISS_WEIGHT * missed + false if number == 0 else missed + FALSE_ALARM_WEIGHT * false)


def discriminator_input(images, masks, outputs):
    """What the discriminator judges: 3Bx2x128x128 of Bx1x128x128 images in -1..1, masks in 0..1 and the generators' maps."""
    judged = (masks, *(output.clamp(0, 1) for output in outputs))
    return torch.cat([torch.cat([images, 2 * mask - 1], 1) for mask in judged])


def generator_losses(outputs, masks, verdicts):
    """The full losses of both generators, each to be minimised over its own generator alone.

    Arguments:
        outputs: The two generators' Bx1xHxW maps.
        masks: Bx1xHxW, 0 or 1.
        verdicts: What the discriminator returned for `discriminator_input`.

    Returns:
        tuple[torch.Tensor, torch.Tensor]: Two scalars.
    """
    _, fake1, fake2, distance = verdicts
    return tuple(
        detection_loss(number, output, masks) + ADVERSARIAL_WEIGHT * _verdict_loss(fake, 0) + distance
        for number, (output, fake) in enumerate(zip(outputs, (fake1, fake2), strict=True))
    )


def discriminator_loss(verdicts):
    """The discriminator's loss, a scalar: real masks, first and second generator are the classes 0, 1 and 2."""
    return reduce(torch.add, (_verdict_loss(verdict, label) for label, verdict in enumerate(verdicts[:3])))


def _verdict_loss(probabilities, label):
    wanted = torch.zeros_like(probabilities)
    wanted[:, label] = 1
    # The author's code takes the softmax's probabilities for logits here, which bounds the loss away from 0.
    return F.binary_cross_entropy_with_logits(probabilities, wanted)


@METHODS.register_module("mdvsfa")
class MDvsFA(NeuralDetector):
    """MDvsFA-cGAN. The score is the logit of the mean of both generators' clipped maps, so that 0 is the author's cut at 0.5.

    `loss` holds the generators' detection losses. The adversarial training of the paper is that of `parts` in turn on squares
    of 128 px, the only ones that the discriminator can judge; on others both generators learn by their detection losses alone.
    """

    card = MethodCard(
        title="MDvsFA",
        authors="Wang et al.",
        year=2019,
        venue="ICCV",
        url="https://github.com/wanghuanphd/MDvsFA_cGAN",
        family="deep",
        fidelity="author-code",
        notes=(
            "Equal to the author's PyTorch demo; 3.92 M parameters count both generators and the discriminator, 3.77 M of "
            "which run at test time.",
            "The TensorFlow original differs: adaptive normalisation, identity initialisation, no norm on the last fully "
            "connected layer, and weight 1 rather than 10 on the second generator's false alarms.",
            "The adversarial losses take the discriminator's probabilities for logits, as the author's code does.",
            "The author's training script decays the second generator's learning rate twice and the discriminator's never.",
        ),
    )
    network: MDvsFANetwork
    in_channels = 1
    mean = (127.5,)  # the author's uint8 / 255 * 2 - 1
    std = (127.5,)
    divisor = 1
    parts = ("discriminator", *GENERATORS)  # demo_MDvsFA_pytorch.py updates them in this order
    default_batch_size = 1  # the first generator holds 512 channels at the image's size
    convert_rules = (
        (r"^(g([12])_)", r"generator\2.\1"),
        (r"^(d_|fc\d)", r"discriminator.\1"),
    )

    def build_network(self) -> nn.Module:
        return MDvsFANetwork()

    def logits(self, outputs: Any) -> torch.Tensor:
        return probability_to_logit(fused(outputs))

    def loss(self, outputs: Any, masks: torch.Tensor) -> dict[str, torch.Tensor]:
        return {part: detection_loss(k, outputs[k], masks) for k, part in enumerate(GENERATORS)}

    def part_loss(self, part: str, learner: nn.Module, images: torch.Tensor, masks: torch.Tensor) -> torch.Tensor | None:
        judged = images.shape[-2:] == (PATCH, PATCH)
        if part == "discriminator":
            if not judged:
                return None
            with torch.no_grad():
                maps = self.network(images)
            return discriminator_loss(learner(discriminator_input(images, masks, maps)))
        number = GENERATORS.index(part)
        if not judged:
            return detection_loss(number, learner(images), masks)
        with torch.no_grad():
            other = getattr(self.network, GENERATORS[1 - number])(images)
        maps = (learner(images), other) if number == 0 else (other, learner(images))
        verdicts = self.network.discriminator(discriminator_input(images, masks, maps))
        return generator_losses(maps, masks, verdicts)[number]
