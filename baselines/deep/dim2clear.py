"""Dim2Clear: detection as the reconstruction of image detail. A reconstruction of the method from its abstract."""

from typing import Any

import torch
from torch import nn

from irsam_zoo.baselines.deep.parts.blocks import FCNHead, ResBlock, init_msra_prelu, res_stage
from irsam_zoo.baselines.deep.parts.losses import soft_iou_loss
from irsam_zoo.baselines.deep.parts.resizing import resize
from irsam_zoo.zoo import METHODS, MethodCard
from irsam_zoo.zoo.neural import NeuralDetector

# The paper's sizes are not known. These double at each level, as in the other residual networks of the field.
WIDTHS = (16, 32, 64, 128, 256)
BLOCKS = 2
MIXER_KERNEL = 7


class FrequencyBranch(nn.Module):
    """Filter of the amplitude and phase of a map: 1x1 convolutions over the real and imaginary parts of its spectrum.

    Arguments:
        channels: Of the map.
    """

    def __init__(self, channels):
        super().__init__()
        self.filter = nn.Sequential(
            nn.Conv2d(2 * channels, 2 * channels, 1, bias=False),
            nn.BatchNorm2d(2 * channels),
            nn.ReLU(True),
            nn.Conv2d(2 * channels, 2 * channels, 1),
        )

    def forward(self, x):
        """BxCxHxW to BxCxHxW."""
        with torch.autocast(x.device.type, enabled=False):  # half precision has no FFT for sizes that are no power of two
            spectrum = torch.fft.rfft2(x if x.dtype == torch.float64 else x.float(), norm="ortho")
            real, imaginary = self.filter(torch.cat([spectrum.real, spectrum.imag], 1)).chunk(2, 1)
            return torch.fft.irfft2(torch.complex(real, imaginary), s=x.shape[-2:], norm="ortho")


class SpatialFrequencyAttention(nn.Module):
    """Weights in 0..1 from a spatial and a frequency branch, with the map itself added, so that detail is only ever raised.

    Arguments:
        channels: Of the map.
    """

    def __init__(self, channels):
        super().__init__()
        self.spatial = nn.Conv2d(2, 1, 7, padding=3)
        self.frequency = FrequencyBranch(channels)

    def forward(self, x):
        """BxCxHxW to BxCxHxW."""
        pooled = torch.cat([x.mean(1, keepdim=True), x.amax(1, keepdim=True)], 1)
        return x + x * torch.sigmoid(self.spatial(pooled) + self.frequency(x))


class ContextMixer(nn.Module):
    """Mixes a level with its neighbours: the shallower encoder level, its own, and the deeper decoder level.

    All three come to the level's size and channels and are added; a depthwise convolution then mixes over space and a 1x1
    convolution over channels, both as residuals.

    Arguments:
        channels: Of the level.
        shallower: Channels of the next larger level, None at the largest.
        deeper: Channels of the next smaller level.
    """

    def __init__(self, channels, *, shallower, deeper):
        super().__init__()
        self.from_shallower = None if shallower is None else nn.Conv2d(shallower, channels, 3, 2, 1, bias=False)
        self.from_deeper = nn.Conv2d(deeper, channels, 1, bias=False)
        self.norm = nn.BatchNorm2d(channels)
        self.space = nn.Sequential(
            nn.Conv2d(channels, channels, MIXER_KERNEL, padding=MIXER_KERNEL // 2, groups=channels, bias=False),
            nn.BatchNorm2d(channels),
            nn.GELU(),
        )
        self.channels = nn.Sequential(nn.Conv2d(channels, channels, 1, bias=False), nn.BatchNorm2d(channels), nn.GELU())

    def forward(self, level, deeper, shallower=None):
        """BxCxHxW level, BxC'x(H/2)x(W/2) deeper and, but at the largest level, BxC"x2Hx2W shallower map to BxCxHxW."""
        x = level + resize(self.from_deeper(deeper), level.shape[-2:], align_corners=False)
        if self.from_shallower is not None:
            x = x + self.from_shallower(shallower)
        x = self.norm(x)
        x = x + self.space(x)
        return x + self.channels(x)


class Dim2ClearNetwork(nn.Module):
    """Residual U-shaped encoder, context mixer decoder, spatial and frequency attention at each level.

    Arguments:
        in_channels: Of the image.
    """

    def __init__(self, *, in_channels=3):
        super().__init__()
        self.stem = nn.Sequential(
            nn.Conv2d(in_channels, WIDTHS[0], 3, 1, 1, bias=False), nn.BatchNorm2d(WIDTHS[0]), nn.ReLU(True)
        )
        self.encoder = nn.ModuleList(
            res_stage(BLOCKS, WIDTHS[max(k - 1, 0)], width, 1 if k == 0 else 2) for k, width in enumerate(WIDTHS)
        )
        levels = range(len(WIDTHS) - 1)
        self.mixers = nn.ModuleList(
            ContextMixer(WIDTHS[k], shallower=WIDTHS[k - 1] if k else None, deeper=WIDTHS[k + 1]) for k in levels
        )
        self.attention = nn.ModuleList(SpatialFrequencyAttention(WIDTHS[k]) for k in levels)
        self.decoder = nn.ModuleList(ResBlock(WIDTHS[k], WIDTHS[k]) for k in levels)
        self.head = FCNHead(WIDTHS[0])
        init_msra_prelu(self)

    def forward(self, x):
        """BxCxHxW image, H and W multiples of 16, to Bx1xHxW logits."""
        x = self.stem(x)
        levels = [x := stage(x) for stage in self.encoder]
        for k in reversed(range(len(levels) - 1)):
            shallower = levels[k - 1] if k else None
            x = self.decoder[k](self.attention[k](self.mixers[k](levels[k], x, shallower)))
        return self.head(x)


@METHODS.register_module("dim2clear")
class Dim2Clear(NeuralDetector):
    """A network with the three parts that the abstract names: encoder, mixer and attention."""

    card = MethodCard(
        title="Dim2Clear",
        authors="Zhang et al.",
        year=2023,
        venue="IEEE TGRS 61",
        family="deep",
        fidelity="reconstruction",
        notes=(
            "No code was published; this network has the parts that the abstract names and sizes and losses of our own.",
            "No number of it, neither accuracy nor parameters nor speed, is comparable with the paper's.",
        ),
    )

    def build_network(self) -> nn.Module:
        return Dim2ClearNetwork(in_channels=self.in_channels)

    def loss(self, outputs: Any, masks: torch.Tensor) -> dict[str, torch.Tensor]:
        return {"soft_iou": soft_iou_loss(outputs, masks)}
