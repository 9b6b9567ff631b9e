"""ISTDU-Net: a U-Net on ResNeSt blocks at full resolution, with external attention at its skip connections and two heads."""

from typing import Any, cast

import cv2
import numpy as np
import torch
from torch import nn
from torch.nn.functional import interpolate, mse_loss

from irsam_zoo.zoo import METHODS, MethodCard
from irsam_zoo.zoo.neural import NeuralDetector

RADIX, CARDINALITY, EXPANSION = 2, 4, 4  # author's code, of ResNeSt
MEMORY = 64  # author's code: units of the external attention
SPOT = 7  # author's code: side in px of the Gaussian that stands for a target in the heat map
BACKGROUND = 10_000  # px, author's code: components from here up are no targets


class SplitAttention(nn.Module):
    """A grouped 3x3 convolution to two maps, and their sum with weights that both draw from their mean (ResNeSt)."""

    def __init__(self, channels):
        super().__init__()
        inner = max(channels * RADIX // 4, 32)
        self.conv = nn.Conv2d(channels, RADIX * channels, 3, padding=1, groups=RADIX * CARDINALITY, bias=False)
        self.bn0 = nn.BatchNorm2d(RADIX * channels)
        self.fc1 = nn.Conv2d(channels, inner, 1, groups=CARDINALITY)
        self.bn1 = nn.BatchNorm2d(inner)
        self.fc2 = nn.Conv2d(inner, RADIX * channels, 1, groups=CARDINALITY)

    def forward(self, x):
        """BxCxHxW to BxCxHxW."""
        parts = self.bn0(self.conv(x)).relu().unflatten(1, (RADIX, -1))
        weights = self.fc2(self.bn1(self.fc1(parts.sum(1).mean((2, 3), keepdim=True))).relu())
        # The numbers come in groups, each with its part of both maps.
        weights = weights.view(len(x), CARDINALITY, RADIX, -1).softmax(2).transpose(1, 2).reshape(len(x), RADIX, -1, 1, 1)
        return (parts * weights).sum(1)


class ResNeStBlock(nn.Module):
    """1x1 convolution, split attention, 1x1 convolution, and a residual connection.

    Arguments:
        in_channels: Of the input.
        channels: Inside; the output has four times as many.
        stride: Of the average pools, before the last convolution and in the shortcut.
        first: The shortcut has a convolution.
    """

    def __init__(self, in_channels, channels, stride=1, *, first=False):
        super().__init__()
        out_channels = EXPANSION * channels
        self.conv1 = nn.Conv2d(in_channels, channels, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.conv2 = SplitAttention(channels)
        self.pool = nn.AvgPool2d(3, stride, padding=1) if stride > 1 else nn.Identity()
        self.conv3 = nn.Conv2d(channels, out_channels, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(out_channels)
        self.downsample = nn.Identity()
        if first:
            self.downsample = nn.Sequential(
                nn.AvgPool2d(stride),
                nn.Conv2d(in_channels, out_channels, 1, bias=False),
                nn.BatchNorm2d(out_channels),
            )

    def forward(self, x):
        out = self.pool(self.conv2(self.bn1(self.conv1(x)).relu()))
        return (self.bn3(self.conv3(out)) + self.downsample(x)).relu()


class ExternalAttention(nn.Module):
    """Attention of positions to a memory of 64 units, shared by all images, with a residual connection."""

    def __init__(self, channels):
        super().__init__()
        self.conv1 = nn.Conv2d(channels, channels, 1)
        # One tensor in the author's code until it is moved to a GPU; from there on, as here, two that begin alike.
        self.linear_0 = nn.Conv1d(channels, MEMORY, 1, bias=False)
        self.linear_1 = nn.Conv1d(MEMORY, channels, 1, bias=False)
        self.conv2 = nn.Sequential(nn.Conv2d(channels, channels, 1, bias=False), nn.BatchNorm2d(channels))

    def forward(self, x):
        """BxCxHxW to BxCxHxW."""
        attention = self.linear_0(self.conv1(x).flatten(2)).softmax(-1)
        attention = attention / (1e-9 + attention.sum(1, keepdim=True))
        return self.conv2(self.linear_1(attention).view_as(x)) + x


class Head(nn.Module):
    """3x3 convolution to 16 channels, batch norm, ReLU, 1x1 convolution: Bx64xHxW to Bx1xHxW logits."""

    def __init__(self):
        super().__init__()
        self.head = nn.Sequential(
            nn.Conv2d(64, 16, 3, padding=1, bias=False), nn.BatchNorm2d(16), nn.ReLU(inplace=True), nn.Conv2d(16, 1, 1)
        )

    def forward(self, x):
        return self.head(x)


class ISTDUNet(nn.Module):
    """ISTDU-Net (Hou et al., IEEE GRSL 2022), zhanglw882/ISTDU-Net, model/ctNet/ctNet.py.

    Arguments:
        blocks: ResNeSt blocks of each stage.
        widths: Channels inside the blocks of each stage.
    """

    def __init__(self, blocks=(1, 2, 4, 8), widths=(16, 32, 64, 128)):
        super().__init__()
        stem = nn.Sequential(
            nn.BatchNorm2d(1, affine=False),
            nn.Conv2d(1, widths[0], 3, padding=1, bias=False),
            nn.BatchNorm2d(widths[0]),
            nn.ReLU(inplace=True),
        )
        stages, attention, channels = {}, {}, widths[0]
        for level, (count, width) in enumerate(zip(blocks, widths, strict=True), 1):
            out = EXPANSION * width
            first = ResNeStBlock(channels, width, 2 if level > 1 else 1, first=True)
            stages[f"layer{level}"] = nn.Sequential(first, *(ResNeStBlock(out, width) for _ in range(count - 1)))
            attention[f"X{level}"] = ExternalAttention(out)
            channels = out
        self.down = nn.ModuleDict({"stem": stem, "down": nn.ModuleDict(stages)})
        self.DN = nn.ModuleDict(attention)
        self.up = nn.ModuleDict()
        for number, out in enumerate((256, 128, 64), 1):
            layers = (nn.Conv2d(2 * out, out, 1, bias=False), nn.BatchNorm2d(out), nn.ReLU(inplace=True))
            self.up[f"up{number}"] = nn.Sequential(*layers)
        self.headDet = Head()
        self.headSeg = Head()
        self._initialize()

    def _initialize(self):
        for module in (*self.down["down"].modules(), *self.DN.modules()):
            if isinstance(module, (nn.Conv1d, nn.Conv2d)):
                fan_out = module.out_channels * module.kernel_size[0] ** 2
                nn.init.normal_(module.weight, 0, (2 / fan_out) ** 0.5)
        for attention in self.DN.values():
            with torch.no_grad():
                second = attention.get_parameter("linear_1.weight")
                attention.get_parameter("linear_0.weight").copy_(second.transpose(0, 1))

    def forward(self, x, *, logits=False):
        """Centre heat map and mask.

        Arguments:
            x (torch.Tensor): Bx1xHxW, H and W multiples of 8.
            logits: True for the maps before their sigmoid.

        Returns:
            tuple[torch.Tensor, torch.Tensor]: Bx1xHxW probabilities, as the reference returns them, or logits.
        """
        x = self.down["stem"](x)
        skips = []
        stages = cast(nn.ModuleDict, self.down["down"])
        for stage, attention in zip(stages.values(), self.DN.values(), strict=True):
            x = stage(x)
            skips.append(attention(x))
        x = skips.pop()
        for reduce in self.up.values():
            x = interpolate(reduce(x), scale_factor=2, mode="bilinear", align_corners=False) + skips.pop()
        maps = self.headDet(x), self.headSeg(x)
        return maps if logits else tuple(map.sigmoid() for map in maps)


def centre_heat_map(mask):
    """A Gaussian spot at the centre of each target's bounding box.

    Arguments:
        mask (numpy.ndarray): HxW, 0 or 1.

    Returns:
        numpy.ndarray: HxW float32, 0..1; where spots overlap, the larger value.
    """
    ramp = np.arange(SPOT) - SPOT // 2
    spot = np.exp(-(ramp[:, None] ** 2 + ramp**2) / (2 * (SPOT / 6) ** 2)).astype(np.float32)
    heat = np.zeros(np.add(mask.shape, SPOT - 1), np.float32)  # with a border that spots may reach into
    _, _, boxes, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
    for left, top, width, height, area in boxes[1:]:  # the first is the background
        if area < BACKGROUND:
            row, column = int(top + height / 2), int(left + width / 2)
            window = heat[row : row + SPOT, column : column + SPOT]
            np.maximum(window, spot, out=window)
    border = SPOT // 2
    return heat[border:-border, border:-border]


@METHODS.register_module("istdunet")
class ISTDUNetDetector(NeuralDetector):
    """ISTDU-Net.

    Arguments:
        padding, divisor: As of `NeuralDetector`; the defaults are the author's.
        kwargs: Options of `NeuralDetector`.
    """

    card = MethodCard(
        title="ISTDU-Net",
        authors="Hou et al.",
        year=2022,
        venue="IEEE GRSL",
        url="https://github.com/zhanglw882/ISTDU-Net",
        family="deep",
        fidelity="author-code",
        notes=(
            "Images are continued by zeros to the next multiple of 128 px above their size, as the author's test program does; "
            "it puts them into the middle, and here they lie at the top left. The external attention reaches over all pixels, "
            "so that scores depend on this padding.",
            "No cut is set in the author's code; here the mask head's logit is cut at 0.",
            "The author takes any component of less than 10,000 px for a target of the heat map, and so the background of a "
            "square that is smaller; here the background never is one.",
            "The tensors that the author's code shares inside an attention until they are moved to a GPU are two here.",
            "2,761,138 parameters; BasicIRSTD counts 9,265 less, without the head of the heat map, which it never runs.",
        ),
    )
    in_channels = 1
    mean, std = (0.0,), (255.0,)
    divisor = 8
    memory_format = torch.contiguous_format  # its grouped convolutions take 1.6 times as long with channels last
    default_batch_size = 1  # its widest maps have 64 channels at the image's size

    def __init__(self, *, padding: str = "zero_always", divisor: int = 128, **kwargs: Any):
        super().__init__(padding=padding, divisor=divisor, **kwargs)

    def build_network(self) -> nn.Module:
        return ISTDUNet()

    def forward(self, inputs):
        return self.network(inputs, logits=True)

    def logits(self, outputs: Any) -> torch.Tensor:
        return outputs[1]

    @staticmethod
    def targets(mask):
        return {"heat": centre_heat_map(mask)[None]}

    def loss(self, outputs: Any, masks: torch.Tensor, heat) -> dict[str, torch.Tensor]:
        """The authors' training loss of the two maps, against Bx1xhxw masks and heat maps, as `targets` makes these."""
        targets = {"heat_mse": heat, "mask_mse": masks}
        return {name: mse_loss(map.sigmoid(), targets[name]) for name, map in zip(targets, outputs, strict=True)}
