"""RDIAN: four receptive fields side by side on a feature map that opposite differences of grey weigh."""

from typing import Any

import torch
from torch import nn
from torch.nn.functional import conv2d, interpolate

from irsam_zoo.baselines.deep.parts.blocks import FCNHead
from irsam_zoo.baselines.deep.parts.losses import soft_iou_loss
from irsam_zoo.zoo import METHODS, MethodCard
from irsam_zoo.zoo.neural import NeuralDetector

WIDTH, WIDE = 16, 32
# Row and column of the -1 in each fixed kernel; the centre has +1. The second four lie opposite to the first.
DIRECTIONS = {
    "d11": (0, 0),
    "d12": (0, 2),
    "d13": (0, 4),
    "d14": (2, 4),
    "d15": (4, 4),
    "d16": (4, 2),
    "d17": (4, 0),
    "d18": (2, 0),
}


def conv_norm(in_channels, out_channels, kernel_size, stride=1):
    """Convolution without bias, batch norm, leaky ReLU."""
    return nn.Sequential(
        nn.Conv2d(in_channels, out_channels, kernel_size, stride, kernel_size // 2, bias=False),
        nn.BatchNorm2d(out_channels),
        nn.LeakyReLU(inplace=True),
    )


class BottleneckBlock(nn.Module):
    """To half of the channels and back, with a residual connection; nothing follows the sum."""

    def __init__(self, channels, kernel_size):
        super().__init__()
        self.layer1 = conv_norm(channels, channels // 2, kernel_size)
        self.layer2 = conv_norm(channels // 2, channels, kernel_size)

    def forward(self, x):
        return self.layer2(self.layer1(x)) + x


class ChannelGate(nn.Module):
    """Weighs channels by their average and their maximum over positions, through a single hidden unit."""

    def __init__(self, channels):
        super().__init__()
        self.mlp = nn.Sequential(nn.Flatten(), nn.Linear(channels, 1), nn.ReLU(), nn.Linear(1, channels))

    def forward(self, x):
        weights = (self.mlp(x.mean((2, 3))) + self.mlp(x.amax((2, 3)))).sigmoid()
        return x * weights[..., None, None]


class SpatialGate(nn.Module):
    """Weighs positions by the maximum and the mean over channels, in this order, with a norm before the sigmoid."""

    def __init__(self):
        super().__init__()
        self.spatial = nn.Sequential()
        self.spatial.add_module("conv", nn.Conv2d(2, 1, 7, padding=3, bias=False))
        self.spatial.add_module("bn", nn.BatchNorm2d(1, momentum=0.01))

    def forward(self, x):
        return x * self.spatial(torch.cat((x.amax(1, keepdim=True), x.mean(1, keepdim=True)), 1)).sigmoid()


class RDIAN(nn.Module):
    """RDIAN (Sun et al., IEEE TGRS 2023), sun11999/RDIAN, model/segmentation.py.

    The eight direction kernels are parameters that do not learn, since the authors' checkpoints hold them.
    """

    def __init__(self):
        super().__init__()
        self.conv1 = conv_norm(1, WIDTH, 3)
        self.conv2 = conv_norm(WIDTH, WIDE, 3, stride=2)
        for number, (blocks, kernel_size) in enumerate(((1, 1), (2, 3), (2, 5), (2, 7))):
            branch = nn.Sequential(*(BottleneckBlock(WIDE, kernel_size) for _ in range(blocks)))
            self.add_module(f"residual_block{number}", branch)
        self.cbam = nn.Sequential()
        self.cbam.add_module("ChannelGate", ChannelGate(WIDE))
        self.cbam.add_module("SpatialGate", SpatialGate())
        self.conv_cat = conv_norm(4 * WIDE, WIDE, 3)
        self.conv_res = conv_norm(WIDTH, WIDE, 1)
        for name in DIRECTIONS:
            self.add_module(name, nn.Conv2d(1, 1, 5, padding=2, bias=False).requires_grad_(False))
        self.head = FCNHead(WIDE)
        self._initialize()

    def _initialize(self):
        """Draw the weights as the authors do, but for the shifts of the norms: see the card."""
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.normal_(module.weight, 0, 0.02)
            elif isinstance(module, nn.BatchNorm2d):
                nn.init.normal_(module.weight, 1, 0.02)
        for name, place in DIRECTIONS.items():
            weight = self.get_parameter(f"{name}.weight")
            nn.init.zeros_(weight)
            with torch.no_grad():
                weight[0, 0, 2, 2], weight[(0, 0, *place)] = 1, -1

    def forward(self, x):
        """Bx1xHxW of any size to Bx1xHxW logits."""
        differences = conv2d(x, torch.cat([self.get_parameter(f"{name}.weight") for name in DIRECTIONS]), padding=2)
        directions = (differences[:, :4] * differences[:, 4:]).sum(1, keepdim=True).sigmoid()
        shallow = self.conv1(x)
        half = self.conv2(shallow + shallow * directions)
        fields = torch.cat([self.get_submodule(f"residual_block{number}")(half) for number in range(4)], 1)
        deep = interpolate(self.cbam(self.conv_cat(fields)), x.shape[2:], mode="bilinear", align_corners=False)
        return self.head((deep + self.conv_res(shallow)).relu())


@METHODS.register_module("rdian")
class RDIANDetector(NeuralDetector):
    """RDIAN.

    Arguments:
        kwargs: Options of `NeuralDetector`.
    """

    card = MethodCard(
        title="RDIAN",
        authors="Sun et al.",
        year=2023,
        venue="IEEE TGRS",
        url="https://github.com/sun11999/RDIAN",
        family="deep",
        fidelity="author-code",
        notes=(
            "216,758 parameters, of which the 200 of the eight fixed direction kernels do not learn.",
            "The authors' initialisation gives the shifts of batch norms 0 for a mean and so draws them with deviation 1; here "
            "they start at 0.",
            "The authors' best epoch is chosen on the test list; here the last one counts.",
        ),
    )
    in_channels = 1
    mean, std = (-0.1246 * 255,), (1.0923 * 255,)  # author's code
    divisor = 1  # the deep map is resized to the image's size
    default_input_size = 512  # author's code: test images are resized to 512 x 512

    def build_network(self) -> nn.Module:
        return RDIAN()

    def loss(self, outputs: Any, masks: torch.Tensor) -> dict[str, torch.Tensor]:
        return {"soft_iou": soft_iou_loss(outputs, masks, per_sample=True)}
