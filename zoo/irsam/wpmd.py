"""Wavelet Perona-Malik diffusion: the block that smooths the image, and the encoder of what is left.

The paper (Zhang et al., IRSAM, ECCV 2024, eq. 4) gives the diffusion step alone. Its code was never released; everything else
here is a reconstruction, set out in docs/irsam.md.
"""

import math

import torch
from torch import nn
from torch.nn import functional as F

from irsam_zoo.zoo.irsam.haar import adjoint_filters, haar_details
from irsam_zoo.zoo.irsam.tiny_vit import WIDTHS

# The scheme spreads along the two diagonals of each corner with weight step * g / 2. Four corners meet at a pixel, so that up
# to this step a new value is a weighted mean of old ones.
LARGEST_STEP = 0.5


class WaveletDiffusion(nn.Module):
    """Explicit Perona-Malik steps whose derivatives are Haar details.

    One step is ``u + F_LH(g * LH(u)) + F_HL(g * HL(u))`` with ``g = 1 / (1 + (LH^2 + HL^2) / k^2)``. The filters F start as
    minus the adjoint of LH and HL, times the step. Their mean is taken out at every pass, so that training cannot create or
    lose brightness; contrast and step train through a logarithm and a sigmoid, which keep them in their range.

    Arguments:
        channels: Channels of the image; each has its own filters, contrast and step.
        contrast: Initial k, in units of the image per px.
        step: Initial step, between 0 and 0.5.
        iterations: Number of steps; they share their weights.
        border: ``"replicate"`` (no flow through the border) or ``"circular"``.
    """

    def __init__(
        self, *, channels: int = 3, contrast: float = 0.2, step: float = 0.25, iterations: int = 4, border: str = "replicate"
    ):
        super().__init__()
        if contrast <= 0 or not 0 < step < LARGEST_STEP:
            raise ValueError(f"contrast must be positive and step between 0 and {LARGEST_STEP}; got {contrast} and {step}")
        self.iterations = iterations
        self.border = border
        self.log_contrast = nn.Parameter(torch.full((channels,), math.log(contrast)))
        fraction = step / LARGEST_STEP
        self.step_logit = nn.Parameter(torch.full((channels,), math.log(fraction / (1 - fraction))))
        self.filters = nn.Parameter(-adjoint_filters().repeat(channels, 1, 1, 1))

    @property
    def contrast(self) -> torch.Tensor:
        """k of each channel."""
        return self.log_contrast.exp()

    @property
    def step(self) -> torch.Tensor:
        """Step of each channel, between 0 and the stability bound."""
        return LARGEST_STEP * self.step_logit.sigmoid()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Smooth BxCxHxW between its edges; the result has the same shape."""
        filters = self.filters - self.filters.mean((-2, -1), keepdim=True)
        filters = filters * self.step.view(-1, 1, 1, 1)
        precision = self.log_contrast.mul(-2).exp().view(-1, 1, 1)
        for _ in range(self.iterations):
            lh, hl = haar_details(x, self.border)
            conductance = 1 / (1 + (lh * lh + hl * hl) * precision)
            flow = torch.stack([lh * conductance, hl * conductance], dim=2).flatten(1, 2)
            x = x + F.conv2d(flow, filters, groups=x.shape[1])
        return x


class StructureEncoder(nn.Module):
    """Four stages of two 3x3 convolutions with ReLU; each of the first three ends in max pooling.

    The shape is that of the feature encoder left behind in the released repository (PMD.py): from a 512x512 image it makes maps
    of exactly the shapes that enter TinyViT's four stages at 1024x1024.
    """

    def __init__(self):
        super().__init__()
        inputs = (3, *WIDTHS[:-1])
        self.stages = nn.ModuleList(
            nn.Sequential(
                nn.Conv2d(narrow, wide, 3, padding=1),
                nn.ReLU(inplace=True),
                nn.Conv2d(wide, wide, 3, padding=1),
                nn.ReLU(inplace=True),
            )
            for narrow, wide in zip(inputs, WIDTHS, strict=True)
        )
        for module in self.modules():
            if isinstance(module, nn.Conv2d) and module.bias is not None:
                nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
                nn.init.zeros_(module.bias)

    def forward(self, x: torch.Tensor) -> list[torch.Tensor]:
        """Bx3xHxW, sides multiples of 8, to four maps of widths 64, 128, 160, 320 at strides 2, 4, 8, 8."""
        x = x.contiguous(memory_format=torch.channels_last)
        maps = []
        for index, stage in enumerate(self.stages):
            x = stage(x)
            if index < len(self.stages) - 1:
                x = F.max_pool2d(x, 2)
            maps.append(x)
        return maps


class WPMD(nn.Module):
    """Diffusion, structure encoder and gates: what is added to the inputs of TinyViT's stages.

    The gates are one factor a channel and start at zero: the encoder then gives exactly the features of its checkpoint.

    Arguments:
        contrast: Initial contrast k of the diffusion, in units of the image per px.
        iterations: Diffusion steps.
    """

    def __init__(self, *, contrast: float = 0.2, iterations: int = 4):
        super().__init__()
        self.diffusion = WaveletDiffusion(contrast=contrast, iterations=iterations)
        self.encoder = StructureEncoder()
        self.gates = nn.ParameterList(torch.zeros(width) for width in WIDTHS)

    def forward(self, x: torch.Tensor, shrink: int) -> list[torch.Tensor]:
        """Structure maps of an image.

        Arguments:
            x: Bx3xHxW, normalised.
            shrink: 2 where TinyViT sees ``x`` itself, 1 where it sees ``x`` enlarged twice: the structure encoder works at half
                of TinyViT's scale.

        Returns:
            list: Four gated maps, of the shapes that enter the four stages.
        """
        x = self.diffusion(x)
        if shrink > 1:
            x = F.avg_pool2d(x, shrink)  # the low-pass band of the Haar transform, up to its factor
        return [gate.view(-1, 1, 1) * features for gate, features in zip(self.gates, self.encoder(x), strict=True)]
