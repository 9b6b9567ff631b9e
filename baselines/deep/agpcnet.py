"""AGPCNet: attention inside the patches of a deep map, on grids of four scales, that attention between the patches guides."""

from typing import Any

import torch
from torch import nn

from irsam_zoo.baselines.deep.parts.asymmetric_fusion import BASICIRSTD_KEYS
from irsam_zoo.baselines.deep.parts.blocks import FCNHead, channel_attention, res_stage
from irsam_zoo.baselines.deep.parts.losses import soft_iou_loss
from irsam_zoo.baselines.deep.parts.resizing import resize
from irsam_zoo.zoo import METHODS, MethodCard
from irsam_zoo.zoo.neural import NeuralDetector

SCALES = (10, 6, 5, 3)  # author's README: patches along each side
CONTEXT = 32  # channels of the context module: 512 over the author's reduction of 16


def conv_norm_relu(in_channels, out_channels, kernel_size):
    """Convolution with bias, batch norm, ReLU."""
    return nn.Sequential(
        nn.Conv2d(in_channels, out_channels, kernel_size, padding=kernel_size // 2), nn.BatchNorm2d(out_channels), nn.ReLU(True)
    )


class NonLocal(nn.Module):
    """Attention of all positions to each other, without scaling, times a gain that starts at 0.

    Arguments:
        channels: In and out.
        ratio: Queries and keys have ``channels // ratio`` channels.
    """

    def __init__(self, channels, ratio):
        super().__init__()
        self.query_conv = nn.Conv2d(channels, channels // ratio, 1)
        self.key_conv = nn.Conv2d(channels, channels // ratio, 1)
        self.value_conv = nn.Conv2d(channels, channels, 1)
        self.gamma = nn.Parameter(torch.zeros(1))

    def forward(self, x):
        """BxCxHxW to BxCxHxW."""
        queries, keys, values = (conv(x).flatten(2) for conv in (self.query_conv, self.key_conv, self.value_conv))
        attention = (queries.transpose(1, 2) @ keys).softmax(-1)
        return self.gamma * (values @ attention.transpose(1, 2)).view_as(x) + x


class GlobalContext(nn.Module):
    """Gates in 0..1 of each cell of a grid from the attention of the cells to each other.

    Arguments:
        channels: In and out.
        scale: Cells along each side.
    """

    def __init__(self, channels, scale):
        super().__init__()
        self.pool = nn.AdaptiveMaxPool2d(scale)
        self.non_local_att = NonLocal(channels, 1)
        self.conv_att = channel_attention(channels, pooled=False)

    def forward(self, x):
        """BxCxHxW to BxCxSxS."""
        return self.conv_att(self.non_local_att(self.pool(x)))


class ContextBlock(nn.Module):
    """Attention-guided context block (AGCB): attention inside each patch, weighed by the gate of its cell.

    Arguments:
        channels: In and out.
        scale: Patches along each side; the last row and column of patches take the rest of the map.
    """

    def __init__(self, channels, scale):
        super().__init__()
        self.scale = scale
        self.attention = GlobalContext(channels, scale)
        self.non_local = NonLocal(channels, 4)
        self.conv = nn.Sequential(nn.Conv2d(channels, channels, 3, padding=1), nn.BatchNorm2d(channels))
        self.gamma = nn.Parameter(torch.zeros(1))

    def forward(self, x):
        """BxCxHxW, H and W at least the scale, to BxCxHxW."""
        gates = self.attention(x)
        last = self.scale - 1
        # All patches but the last of a row or column have one size, and go through the attention together.
        rows, columns = (side // self.scale * last for side in x.shape[2:])
        bands = [
            torch.cat([self._patches(x[..., r, c], gates[..., i, j]) for c, j in _halves(columns, last)], 3)
            for r, i in _halves(rows, last)
        ]
        return (self.gamma * self.conv(torch.cat(bands, 2)) + x).relu()

    def _patches(self, x, gates):
        """Attention in the patches of a BxCxHxW map that BxCxRxQ gates divide evenly."""
        (batch, channels, height, width), (rows, columns) = x.shape, gates.shape[2:]
        size = height // rows, width // columns
        patches = x.reshape(batch, channels, rows, size[0], columns, size[1]).permute(0, 2, 4, 1, 3, 5)
        attended = self.non_local(patches.reshape(-1, channels, *size)).view_as(patches)
        attended = attended * gates.permute(0, 2, 3, 1)[..., None, None]
        return attended.permute(0, 3, 1, 4, 2, 5).reshape(x.shape)


def _halves(end, last):
    """Slices of a side and of its patches: those before the last patch, and the last."""
    return ((slice(0, end), slice(0, last)), (slice(end, None), slice(last, None)))


class ContextPyramid(nn.Module):
    """Context pyramid module (CPM): context blocks of several scales side by side: BxCxHxW to BxCxHxW."""

    def __init__(self, channels):
        super().__init__()
        self.conv1 = conv_norm_relu(channels, CONTEXT, 1)
        self.scale_list = nn.ModuleList(ContextBlock(CONTEXT, scale) for scale in SCALES)
        self.conv2 = conv_norm_relu((1 + len(SCALES)) * CONTEXT, channels, 1)

    def forward(self, x):
        reduced = self.conv1(x)
        return self.conv2(torch.cat([reduced, *(block(reduced) for block in self.scale_list)], 1))


class AsymmetricFusion(nn.Module):
    """Asymmetric fusion module (AFM): the deep map weighs channels, the shallow one pixels, and both weigh their sum.

    Arguments:
        channels: Of the shallow map and the result; the deep one has twice as many.
    """

    def __init__(self, channels):
        super().__init__()
        self.pa = channel_attention(channels, pooled=False)
        self.plus_conv = conv_norm_relu(2 * channels, channels, 1)
        self.ca = channel_attention(channels, pooled=True)
        self.end_conv = conv_norm_relu(channels, channels, 3)

    def forward(self, high, low):
        """Bx2CxHxW deep and BxCxHxW shallow map to BxCxHxW."""
        high = self.plus_conv(high)
        return self.end_conv(low + high) * self.ca(high) * self.pa(low)


class Backbone(nn.Module):
    """ResNet-18 whose stem keeps the image's size: maps of 128, 256 and 512 channels at 1/2, 1/4 and 1/8 of it."""

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 64, 7, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        self.layer1 = res_stage(2, 64, 64)
        self.layer2 = res_stage(2, 64, 128, 2)
        self.layer3 = res_stage(2, 128, 256, 2)
        self.layer4 = res_stage(2, 256, 512, 2)

    def forward(self, x):
        shallow = self.layer2(self.layer1(self.bn1(self.conv1(x)).relu()))
        middle = self.layer3(shallow)
        return shallow, middle, self.layer4(middle)


class AGPCNet(nn.Module):
    """AGPCNet (Zhang et al., IEEE TAES 2023), Tianfang-Zhang/AGPCNet, models/network.py, agpcnet_1."""

    def __init__(self):
        super().__init__()
        self.backbone = Backbone()
        self.context = ContextPyramid(512)
        self.fuse23 = AsymmetricFusion(256)
        self.fuse12 = AsymmetricFusion(128)
        self.head = FCNHead(128, bias=True)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")

    def forward(self, x):
        """Bx3xHxW, H and W multiples of 4 from 76 up, to Bx1xHxW logits."""
        shallow, middle, deep = self.backbone(x)
        x_size = x.shape[2:]
        x = resize(self.context(deep), middle.shape[2:], True)
        x = resize(self.fuse23(x, middle), shallow.shape[2:], True)
        return resize(self.head(self.fuse12(x, shallow)), x_size, True)


@METHODS.register_module("agpcnet")
class AGPCNetDetector(NeuralDetector):
    """AGPCNet with the scales 10, 6, 5 and 3.

    Arguments:
        kwargs: Options of `NeuralDetector`.
    """

    card = MethodCard(
        title="AGPCNet",
        authors="Zhang et al.",
        year=2023,
        venue="IEEE TAES",
        url="https://github.com/Tianfang-Zhang/AGPCNet",
        family="deep",
        fidelity="author-code",
        notes=(
            "The author's code loads ImageNet weights into the backbone and then draws all its convolutions anew: in effect it "
            "is trained from random weights, and so it is here.",
            "It is published with results on MDFA and SIRST-Aug alone; those on other sets are of trainings by others.",
            "The authors' best state is chosen on the test list; here the last one counts.",
        ),
    )
    divisor = 4
    smallest_input = 76  # the map at 1/8 must have ten rows and columns
    default_input_size = 256  # author's code
    convert_rules = BASICIRSTD_KEYS  # its backbone names the layers of a block in the same way

    def build_network(self) -> nn.Module:
        return AGPCNet()

    def loss(self, outputs: Any, masks: torch.Tensor) -> dict[str, torch.Tensor]:
        return {"soft_iou": soft_iou_loss(outputs, masks, per_sample=True)}
