"""L2SKNet: learnable local saliency kernels at four levels of a U-Net or of a feature pyramid."""

from collections import OrderedDict
from typing import Any

import torch
from torch import nn
from torch.nn.functional import conv2d, interpolate

from irsam_zoo.baselines.deep.parts.blocks import FCNHead, channel_attention, res_stage
from irsam_zoo.baselines.deep.parts.losses import soft_iou_loss
from irsam_zoo.zoo import METHODS, MethodCard, UsageError
from irsam_zoo.zoo.neural import NeuralDetector

WIDTHS = (16, 32, 64, 128)
# Kernel size and dilation of the contrasts of each level, and the kernel sizes of their one-dimensional form.
KERNELS = (((9, 2), (5, 2), (3, 2), (3, 1)), ((5, 2), (3, 2), (3, 1)), ((3, 2), (3, 1)), ((3, 1),))
KERNELS_1D = ((17, 9, 5, 3), (9, 5, 3), (5, 3), (3,))


class SaliencyKernel(nn.Module):
    """Learnable local saliency kernel (LLSKM): the centre less its neighbours, with one weight in three roles.

    Arguments:
        channels: In and out.
        size: Side of the kernel in px, odd.
        dilation: Of the kernel.
    """

    def __init__(self, channels, size, dilation=1):
        super().__init__()
        padding = dilation * (size // 2)
        self.conv = nn.Conv2d(channels, channels, size, padding=padding, dilation=dilation, bias=False)
        self.attn = nn.Sequential(OrderedDict(avg_channel=channel_attention(channels, pooled=True, bias=False)))

    def forward(self, x):
        """BxCxHxW to BxCxHxW."""
        taps, centre = self.sum_and_centre()
        return conv2d(x, taps[..., None, None]) - self.neighbours(x) + self.attn(x) * conv2d(x, centre[..., None, None])

    def neighbours(self, x):
        """The convolution, BxCxHxW to BxCxHxW."""
        return self.conv(x)

    def sum_and_centre(self):
        """The sum of the kernel's taps and the tap at its centre, CxC each."""
        return self.conv.weight.sum((2, 3)), centre_tap(self.conv)


class SaliencyKernel1D(SaliencyKernel):
    """The form of two one-dimensional convolutions, whose taps are multiplied channel pair by channel pair.

    That product is not the kernel of the two in a row, as the authors' code takes it to be. `conv` is never called.
    """

    def __init__(self, channels, size):
        super().__init__(channels, size)
        self.conv_1xn = nn.Conv2d(channels, channels, (1, size), padding=(0, size // 2))
        self.conv_nx1 = nn.Conv2d(channels, channels, (size, 1), padding=(size // 2, 0))

    def neighbours(self, x):
        return self.conv_nx1(self.conv_1xn(x))

    def sum_and_centre(self):
        row, column = self.conv_1xn, self.conv_nx1
        taps = row.weight.sum((2, 3)) * column.weight.sum((2, 3))
        return taps, centre_tap(row) * centre_tap(column)


def centre_tap(conv):
    """The middle of a convolution's kernel, C'xC."""
    height, width = conv.kernel_size
    return conv.weight[..., height // 2, width // 2]


class Saliency(nn.Module):
    """The contrasts of four levels; the networks derive from it since the checkpoints keep them at the top.

    Arguments:
        one_dimensional: With the kernels' one-dimensional form.
    """

    def add_saliency(self, one_dimensional):
        """Add the layers, in the order of the checkpoints."""
        self.levels = [[f"contrast{level}_{number}" for number in range(len(KERNELS[level]))] for level in range(3)]
        self.levels.append(["contrast3"])
        for level, (names, width) in enumerate(zip(self.levels, WIDTHS, strict=True)):
            for number, name in enumerate(names):
                if one_dimensional:
                    kernel = SaliencyKernel1D(width, KERNELS_1D[level][number])
                else:
                    kernel = SaliencyKernel(width, *KERNELS[level][number])
                self.add_module(name, nn.Sequential(kernel, nn.BatchNorm2d(width), nn.LeakyReLU(0.1, inplace=True)))
        for level, width in enumerate(WIDTHS[:-1]):
            joined = nn.Sequential(
                nn.Conv2d(width, width, 3, padding=1, bias=False), nn.BatchNorm2d(width), nn.ReLU(inplace=True)
            )
            self.add_module(f"contrConV_{level}", joined)

    def saliency(self, features):
        """The saliency of the four levels' maps, of their shapes."""
        found = []
        for level, (names, x) in enumerate(zip(self.levels, features, strict=True)):
            x = sum(self.get_submodule(name)(x) for name in names)
            found.append(self.get_submodule(f"contrConV_{level}")(x) if level < 3 else x)
        return found


class ConvBlock(nn.Module):
    """Two 3x3 convolutions, each with batch norm and ReLU."""

    def __init__(self, in_channels, out_channels):
        super().__init__()
        layers = []
        for channels in (in_channels, out_channels):
            layers += [nn.Conv2d(channels, out_channels, 3, padding=1), nn.BatchNorm2d(out_channels), nn.ReLU(inplace=True)]
        self.conv = nn.Sequential(*layers)

    def forward(self, x):
        return self.conv(x)


class UpConv(nn.Module):
    """Twice the size by nearest neighbour, 3x3 convolution, batch norm, ReLU."""

    def __init__(self, in_channels, out_channels):
        super().__init__()
        self.up = nn.Sequential(
            nn.Upsample(scale_factor=2),
            nn.Conv2d(in_channels, out_channels, 3, padding=1),
            nn.BatchNorm2d(out_channels),
            nn.ReLU(inplace=True),
        )

    def forward(self, x):
        return self.up(x)


class L2SKUNet(Saliency):
    """L2SKNet_UNet and L2SKNet_1D_UNet of fengyiwu98/L2SKNet, model/L2SKNet/L2SKNet.py.

    Arguments:
        one_dimensional: As in `Saliency`.
    """

    Conv1: nn.Module

    def __init__(self, one_dimensional=False):
        super().__init__()
        self.add_saliency(one_dimensional)
        self.pool = nn.MaxPool2d(2)
        for number, (channels, width) in enumerate(zip((1, *WIDTHS), WIDTHS, strict=False), 1):
            self.add_module(f"Conv{number}", ConvBlock(channels, width))
        for number in (4, 3, 2):
            deep, shallow = WIDTHS[number - 1], WIDTHS[number - 2]
            self.add_module(f"Up{number}", UpConv(deep, shallow))
            self.add_module(f"Up_conv{number}", ConvBlock(deep, shallow))
        self.Conv = nn.Conv2d(WIDTHS[0], 1, 1)

    def forward(self, x, *, logits=False):
        """Bx1xHxW, H and W multiples of 8, to Bx1xHxW probabilities, or logits."""
        features = [self.Conv1(x)]
        for number in (2, 3, 4):
            features.append(self.get_submodule(f"Conv{number}")(self.pool(features[-1])))
        *skips, x = self.saliency(features)
        for number in (4, 3, 2):
            x = torch.cat((skips.pop(), self.get_submodule(f"Up{number}")(x)), 1)
            x = self.get_submodule(f"Up_conv{number}")(x)
        x = self.Conv(x)
        return x if logits else x.sigmoid()


class Fusion(nn.Module):
    """The deep map at the size and width of the shallow one, added to it."""

    def __init__(self, channels, high_channels):
        super().__init__()
        self.feature_high = nn.Sequential(
            nn.Conv2d(high_channels, channels, 1), nn.BatchNorm2d(channels), nn.ReLU(inplace=True)
        )

    def forward(self, high, low):
        """BxC'xhxw deep and BxCxHxW shallow map to BxCxHxW."""
        return self.feature_high(interpolate(high, low.shape[-2:], mode="bilinear", align_corners=False)) + low


class L2SKFPN(Saliency):
    """L2SKNet_FPN and L2SKNet_1D_FPN of fengyiwu98/L2SKNet, model/L2SKNet/L2SKNet.py.

    Arguments:
        one_dimensional: As in `Saliency`.
    """

    def __init__(self, one_dimensional=False):
        super().__init__()
        for level, (channels, width) in enumerate(zip((1, *WIDTHS), WIDTHS, strict=False)):
            self.add_module(f"layer{level}", res_stage(2, channels, width, 2 if level else 1))
        self.add_saliency(one_dimensional)
        for level in (2, 1, 0):
            self.add_module(f"fuse{level + 1}{level}", Fusion(WIDTHS[level], WIDTHS[level + 1]))
        self.head = FCNHead(WIDTHS[0])

    def forward(self, x, *, logits=False):
        """Bx1xHxW of any H and W to Bx1xHxW probabilities, or logits."""
        features = []
        for level in range(4):
            x = self.get_submodule(f"layer{level}")(x)
            features.append(x)
        *skips, x = self.saliency(features)
        for level in (2, 1, 0):
            x = self.get_submodule(f"fuse{level + 1}{level}")(x, skips[level])
        x = self.head(x)
        return x if logits else x.sigmoid()


NETWORKS = {
    "unet": (L2SKUNet, False),
    "fpn": (L2SKFPN, False),
    "unet_1d": (L2SKUNet, True),
    "fpn_1d": (L2SKFPN, True),
}


@METHODS.register_module("l2sknet")
class L2SKNetDetector(NeuralDetector):
    """L2SKNet.

    Arguments:
        variant: ``"unet"``, the authors' default, ``"fpn"``, or one of them with one-dimensional kernels: ``"unet_1d"``,
            ``"fpn_1d"``.
        kwargs: Options of `NeuralDetector`.
    """

    card = MethodCard(
        title="L2SKNet",
        authors="Wu et al.",
        year=2025,
        venue="TGRS",
        url="https://github.com/fengyiwu98/L2SKNet",
        family="deep",
        fidelity="author-code",
        notes=(
            "The U-Net of 898,913 parameters is the authors' default; l2sknet_fpn, l2sknet_unet_1d and l2sknet_fpn_1d are the "
            "other three.",
            "The authors cut each image's probabilities at half of their maximum for Pd, Fa and the F-score, though not for "
            "IoU: that is --threshold 'max_prob(0.5)'; the default is to cut the logit at 0.",
            "Only the convolution in a saliency kernel sees the zeros around an image, so that a constant one answers there.",
        ),
    )
    divisor = 8
    in_channels = 1
    mean, std = (0.0,), (255.0,)
    convert_rules = ((r"(layer\d\.\d)\.shortcut\.", r"\1.downsample."),)

    def __init__(self, *, variant: str = "unet", **kwargs: Any):
        if variant not in NETWORKS:
            raise UsageError(f"variant {variant!r} of l2sknet is not one of {', '.join(NETWORKS)}")
        self.variant = variant
        super().__init__(**kwargs)

    def build_network(self) -> nn.Module:
        network, one_dimensional = NETWORKS[self.variant]
        return network(one_dimensional)

    def forward(self, inputs):
        return self.network(inputs, logits=True)

    def loss(self, outputs: Any, masks: torch.Tensor) -> dict[str, torch.Tensor]:
        return {"soft_iou": soft_iou_loss(outputs, masks)}
