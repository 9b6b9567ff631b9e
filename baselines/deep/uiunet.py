"""UIU-Net: U-Nets inside a U-Net, with interactive cross-attention at the skip connections."""

from typing import Any

import torch
from torch import nn
from torch.nn.functional import binary_cross_entropy_with_logits, interpolate

from irsam_zoo.baselines.deep.parts.attention import SpatialAttention
from irsam_zoo.baselines.deep.parts.blocks import channel_attention
from irsam_zoo.zoo import METHODS, MethodCard
from irsam_zoo.zoo.neural import IMAGENET_MEAN, IMAGENET_STD, NeuralDetector


class ConvNormReLU(nn.Module):
    """3x3 convolution, batch norm, ReLU at one dilation. Names are those of the checkpoints."""

    def __init__(self, in_channels, out_channels, dilation=1):
        super().__init__()
        self.conv_s1 = nn.Conv2d(in_channels, out_channels, 3, padding=dilation, dilation=dilation)
        self.bn_s1 = nn.BatchNorm2d(out_channels)
        self.relu_s1 = nn.ReLU(inplace=True)

    def forward(self, x):
        return self.relu_s1(self.bn_s1(self.conv_s1(x)))


class ResidualUBlock(nn.Module):
    """A small U-Net with a residual connection (RSU of U2-Net).

    Arguments:
        depth: Levels, the dilated bottom included: 7 for RSU-7.
        in_channels, middle_channels, out_channels: Widths.
        pooled: False for RSU-4F, which keeps the resolution and doubles the dilation from level to level.
    """

    def __init__(self, depth, in_channels, middle_channels, out_channels, *, pooled=True):
        super().__init__()
        self.depth, self.pooled = depth, pooled
        dilations = [1] * (depth - 1) + [2] if pooled else [2**level for level in range(depth)]
        self.rebnconvin = ConvNormReLU(in_channels, out_channels)
        for level in range(1, depth + 1):
            width = out_channels if level == 1 else middle_channels
            self.add_module(f"rebnconv{level}", ConvNormReLU(width, middle_channels, dilations[level - 1]))
        for level in range(depth - 1, 0, -1):
            width = out_channels if level == 1 else middle_channels
            self.add_module(f"rebnconv{level}d", ConvNormReLU(2 * middle_channels, width, dilations[level - 1]))
        self.pool = nn.MaxPool2d(2, stride=2, ceil_mode=True)

    def forward(self, x):
        entry = self.rebnconvin(x)
        x, skips = entry, []
        for level in range(1, self.depth + 1):
            if self.pooled and 1 < level < self.depth:  # the bottom level dilates instead
                x = self.pool(x)
            x = self.get_submodule(f"rebnconv{level}")(x)
            skips.append(x)
        x = skips.pop()
        for level in range(self.depth - 1, 0, -1):
            skip = skips.pop()
            x = self.get_submodule(f"rebnconv{level}d")(torch.cat((resize_like(x, skip), skip), 1))
        return x + entry


class CrossAttention(nn.Module):
    """Interactive-cross attention: the deep feature weighs channels, the shallow one positions.

    Arguments:
        channels: Width of both features.
    """

    def __init__(self, channels):
        super().__init__()
        middle = channels // 4
        self.feature_high = nn.Sequential(nn.Conv2d(channels, channels, 1), nn.BatchNorm2d(channels), nn.ReLU(inplace=True))
        self.topdown = channel_attention(channels, pooled=True)
        self.bottomup = nn.Sequential(
            nn.Conv2d(channels, middle, 1), nn.BatchNorm2d(middle), nn.ReLU(inplace=True), SpatialAttention(3)
        )
        self.post = nn.Sequential(nn.Conv2d(channels, channels, 3, padding=1), nn.BatchNorm2d(channels), nn.ReLU(inplace=True))

    def forward(self, deep, shallow):
        """Two maps of BxCxHxW to one of Bx2CxHxW."""
        deep = self.feature_high(deep)
        channel_weight = self.topdown(deep)
        weighted = shallow * channel_weight
        position_weight = self.bottomup(weighted)
        # One and the same convolution closes both branches, as in the authors' code.
        return torch.cat((self.post(2 * weighted), self.post(2 * deep * position_weight)), 1)


class UIUNet(nn.Module):
    """UIU-Net (Wu, Hong and Chanussot, IEEE TIP 2023), danfenghong/IEEE_TIP_UIU-Net, model/uiunet.py.

    Arguments:
        in_channels: 3 as released, or 1.
    """

    ENCODER = {1: (7, 32, 64), 2: (6, 32, 128), 3: (5, 64, 256), 4: (4, 128, 512), 5: (4, 256, 512), 6: (4, 256, 512)}
    DECODER = {5: (4, 256, 512), 4: (4, 128, 256), 3: (5, 64, 128), 2: (6, 32, 64), 1: (7, 16, 64)}
    LEVELS = 6

    def __init__(self, in_channels=3):
        super().__init__()
        width = in_channels
        for level, (depth, middle, out) in self.ENCODER.items():
            self.add_module(f"stage{level}", ResidualUBlock(depth, width, middle, out, pooled=level < 5))
            width = out
        for level, (depth, middle, out) in self.DECODER.items():
            skip = self.ENCODER[level][2]
            self.add_module(f"stage{level}d", ResidualUBlock(depth, 2 * skip, middle, out, pooled=level < 5))
            if level > 1:
                self.add_module(f"fuse{level}", CrossAttention(skip))
        for level in range(1, self.LEVELS + 1):
            width = self.DECODER[level][2] if level < self.LEVELS else self.ENCODER[level][2]
            self.add_module(f"side{level}", nn.Conv2d(width, 1, 3, padding=1))
        self.outconv = nn.Conv2d(self.LEVELS, 1, 1)
        self.pool = nn.MaxPool2d(2, stride=2, ceil_mode=True)

    def forward(self, x, *, logits=False):
        """Seven maps: the fused one, then the side outputs from fine to coarse.

        Arguments:
            x (torch.Tensor): BxCxHxW of any H and W.
            logits: True for the maps before their sigmoid.

        Returns:
            tuple[torch.Tensor, ...]: Seven Bx1xHxW probability maps, as the reference returns them, or logit maps.
        """
        stages = dict(self.named_children())
        skips = {}
        for level in range(1, self.LEVELS + 1):
            x = stages[f"stage{level}"](self.pool(x) if level > 1 else x)
            skips[level] = x
        decoded = {self.LEVELS: x}
        for level in range(self.LEVELS - 1, 0, -1):
            skip = skips[level]
            x = resize_like(x, skip)
            x = stages[f"fuse{level}"](x, skip) if level > 1 else torch.cat((x, skip), 1)
            decoded[level] = x = stages[f"stage{level}d"](x)
        sides = [stages["side1"](decoded[1])]
        sides += [resize_like(stages[f"side{level}"](decoded[level]), sides[0]) for level in range(2, self.LEVELS + 1)]
        maps = (self.outconv(torch.cat(sides, 1)), *sides)
        return maps if logits else tuple(map.sigmoid() for map in maps)


def resize_like(x, other):
    """Bilinear resampling of BxCxHxW to the height and width of another map."""
    return interpolate(x, size=other.shape[2:], mode="bilinear", align_corners=False)


@METHODS.register_module("uiunet")
class UIUNetDetector(NeuralDetector):
    """UIU-Net.

    Arguments:
        in_channels: 3 as the authors train it, or 1 as BasicIRSTD does.
        stretch: Divide each image by its own maximum before normalisation, as the authors do and BasicIRSTD does not.
        kwargs: Options of `NeuralDetector`.
    """

    card = MethodCard(
        title="UIU-Net",
        authors="Wu et al.",
        year=2023,
        venue="IEEE TIP",
        url="https://github.com/danfenghong/IEEE_TIP_UIU-Net",
        family="deep",
        fidelity="author-code",
        notes=(
            "The authors' test program stretches each probability map to 0..1 and cuts it at 0.22, which finds a target in "
            "every image, empty ones too: that is uiunet_minmax; the default is to cut the fused logit at 0.",
            "Their nIoU takes the sigmoid of a probability and cuts at 0.55, which is probability 0.2; not reproduced.",
            "Each image is divided by its own maximum before normalisation.",
            "Both branches of a fusion end in one and the same convolution, as in the authors' code.",
        ),
    )
    divisor = 1  # pooling rounds up and every skip resizes
    default_input_size = 320  # author's code: test images are resized to 320 x 320
    evaluation_options = ("input_size", "stretch")

    def __init__(self, *, in_channels: int = 3, stretch: bool = True, **kwargs: Any):
        self.in_channels, self.stretch = in_channels, stretch
        self.mean, self.std = IMAGENET_MEAN[:in_channels], IMAGENET_STD[:in_channels]
        super().__init__(**kwargs)

    def build_network(self) -> nn.Module:
        return UIUNet(self.in_channels)

    def normalize(self, images: torch.Tensor) -> torch.Tensor:
        if not self.stretch:
            return super().normalize(images)
        brightest = images.amax((1, 2, 3), keepdim=True)
        return super().normalize(images * (255 / torch.where(brightest > 0, brightest, 255)))

    def forward(self, inputs):
        return self.network(inputs, logits=True)

    def logits(self, outputs: Any) -> torch.Tensor:
        return outputs[0]

    def supervised(self, outputs: Any) -> list[torch.Tensor]:
        return outputs

    def loss(self, outputs: Any, masks: torch.Tensor) -> dict[str, torch.Tensor]:
        return {f"bce_d{number}": binary_cross_entropy_with_logits(logits, masks) for number, logits in enumerate(outputs)}
