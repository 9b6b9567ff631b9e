"""ISNet: a U-Net for the target's mask and an edge branch that the mask is refined with."""

from typing import Any

import torch
from torch import nn
from torch.nn.functional import binary_cross_entropy_with_logits, conv2d, interpolate, pad

from irsam_zoo.baselines.deep.parts.blocks import FCNHead, res_stage
from irsam_zoo.baselines.deep.parts.deform_conv import ModulatedDeformConv2d
from irsam_zoo.baselines.deep.parts.losses import soft_iou_loss
from irsam_zoo.zoo import METHODS, MethodCard
from irsam_zoo.zoo.neural import NeuralDetector


class OrientationAttention(nn.Module):
    """Two-orientation attention aggregation (TTOA): a row and a column deformable convolution gate the encoder's feature.

    Arguments:
        channels: Width of both features.
    """

    def __init__(self, channels):
        super().__init__()
        self.dcn_row = ModulatedDeformConv2d(channels, channels, (1, 3), padding=(0, 1))
        self.dcn_colum = ModulatedDeformConv2d(channels, channels, (3, 1), padding=(1, 0))
        self.preprocess = nn.Sequential(nn.Conv2d(channels, channels // 2, 1), nn.Conv2d(channels // 2, channels, 1))

    def forward(self, low, high):
        """Decoder and encoder feature, each BxCxHxW, to BxCxHxW."""
        low, high = self.preprocess(low), self.preprocess(high)
        return 2 * low + (self.dcn_row(low).sigmoid() + self.dcn_colum(low).sigmoid()) * high


class PlainBlock(nn.Module):
    """Two 3x3 convolutions, each with a batch norm; what a residual block adds to its input."""

    def __init__(self, channels):
        super().__init__()
        self.conv1 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels)

    def forward(self, x):
        return self.bn2(self.conv2(self.bn1(self.conv1(x)).relu_()))


class GatedConv(nn.Module):
    """1x1 convolution of a feature that a one-channel map gates (Gated-SCNN)."""

    def __init__(self, channels):
        super().__init__()
        self.weight = nn.Parameter(torch.empty(channels, channels, 1, 1))
        nn.init.xavier_normal_(self.weight)
        self._gate_conv = nn.Sequential(
            nn.BatchNorm2d(channels + 1),
            nn.Conv2d(channels + 1, channels + 1, 1),
            nn.ReLU(),
            nn.Conv2d(channels + 1, 1, 1),
            nn.BatchNorm2d(1),
            nn.Sigmoid(),
        )

    def forward(self, feature, gate):
        """BxCxHxW and Bx1xHxW to BxCxHxW."""
        alpha = self._gate_conv(torch.cat((feature, gate), 1))
        return conv2d(feature * (alpha + 1), self.weight)


class FiniteDifferenceBlock(nn.Module):
    """Taylor finite difference block (TFD): one step of the edge branch, guided by a map of the mask branch."""

    def __init__(self, channels):
        super().__init__()
        self.res1 = PlainBlock(channels)
        self.res2 = PlainBlock(channels)
        self.gate = GatedConv(channels)

    def forward(self, x, guide):
        """BxCxHxW and Bx1xHxW to BxCxHxW."""
        first = self.res1(x)
        second = self.res2((x + first).relu_()).relu_()
        return 3 * first.relu() + second + self.gate(second, guide)


class UnusedAttention(nn.Module):
    """Parameters of a shuffle attention that the authors' network builds and never calls."""

    def __init__(self, channels):
        super().__init__()
        for name in ("cweight", "cbias", "sweight", "sbias"):
            self.register_parameter(name, nn.Parameter(torch.full((1, channels, 1, 1), float(name in ("cbias", "sbias")))))
        self.gn = nn.GroupNorm(channels, channels)


class ISNet(nn.Module):
    """ISNet (Zhang et al., CVPR 2022), RuiZhang97/ISNet, branch master, model/ISNet.py.

    Arguments:
        blocks: Residual blocks of the three encoder stages; the decoder mirrors the first two.
        widths: Channels of the stem's first half and of the three stages.
    """

    def __init__(self, blocks=(4, 4, 4), widths=(8, 16, 32, 64)):
        super().__init__()
        stem, first, second, third = widths
        self.stem = nn.Sequential(
            nn.BatchNorm2d(3),
            nn.Conv2d(3, stem, 3, stride=2, padding=1, bias=False),
            nn.BatchNorm2d(stem),
            nn.ReLU(inplace=True),
            nn.Conv2d(stem, stem, 3, padding=1, bias=False),
            nn.BatchNorm2d(stem),
            nn.ReLU(inplace=True),
            nn.Conv2d(stem, first, 3, padding=1, bias=False),
            nn.BatchNorm2d(first),
            nn.ReLU(inplace=True),
            nn.MaxPool2d(3, stride=2, padding=1),
        )
        self.layer1 = res_stage(blocks[0], first, first)
        self.layer2 = res_stage(blocks[1], first, second, 2)
        self.layer3 = res_stage(blocks[2], second, third, 2)
        self.deconv2 = nn.ConvTranspose2d(third, second, 4, stride=2, padding=1)
        self.TTOA_low = OrientationAttention(second)
        self.uplayer2 = res_stage(blocks[1], second, second)
        self.deconv1 = nn.ConvTranspose2d(second, first, 4, stride=2, padding=1)
        self.TTOA_high = OrientationAttention(first)
        self.uplayer1 = res_stage(blocks[0], first, first)
        self.head = FCNHead(first, 1)

        self.dsup = nn.Conv2d(3, third, 1)
        self.dsn1, self.dsn2, self.dsn3 = (nn.Conv2d(width, 1, 1) for width in (third, second, first))
        self.myb1, self.myb2, self.myb3 = (FiniteDifferenceBlock(third) for _ in range(3))
        self.fuse = nn.Conv2d(third, 1, 1, bias=False)
        self._add_unused(widths)

    def _add_unused(self, widths):
        """Layers that no output depends on. They are in every published checkpoint and in every published parameter count."""
        stem, first, second, third = widths
        for number, (width, narrower) in enumerate(((third, second), (second, first), (first, stem)), 1):
            self.add_module(f"res{number}", PlainBlock(width))
            self.add_module(f"d{number}", nn.Conv2d(width, narrower, 1))
            self.add_module(f"gate{number}", GatedConv(narrower))
        self.cw = nn.Conv2d(4, 1, 1, bias=False)
        self.SA, self.SA_att = UnusedAttention(1), UnusedAttention(4)
        self.head2 = FCNHead(first, 3)
        self.conv2_1 = nn.Conv2d(3, 1, 1)
        self.conv16 = nn.Conv2d(3, first, 1)

    def forward(self, x, x_grad, *, logits=False):
        """Mask and edge.

        Arguments:
            x (torch.Tensor): Bx3xHxW normalised image, H and W multiples of 16.
            x_grad (torch.Tensor): Bx3xHxW, `gradient_magnitude` of x.
            logits: True for the edge before its sigmoid.

        Returns:
            tuple[torch.Tensor, torch.Tensor]: Bx1xHxW mask logits and edge probabilities, or logits of both.
        """
        size = x.shape[2:]
        shallow = self.layer1(self.stem(x))
        middle = self.layer2(shallow)
        deep = self.layer3(middle)
        up2 = self.uplayer2(self.TTOA_low(self.deconv2(deep), middle))
        up1 = self.uplayer1(self.TTOA_high(self.deconv1(up2), shallow))

        edge = self.dsup(x_grad)
        guides = (self.dsn1(deep), self.dsn2(up2), self.dsn3(up1))
        for block, guide in zip((self.myb1, self.myb2, self.myb3), guides, strict=True):
            edge = block(edge, interpolate(guide, size=size, mode="bilinear", align_corners=True))
        edge_logits = self.fuse(edge)
        edge = edge_logits.sigmoid()

        up1 = interpolate(up1, size=size, mode="bilinear", align_corners=False)
        return self.head(up1 * (edge + 1)), edge_logits if logits else edge


def gradient_magnitude(x):
    """Central difference magnitude of each channel, BxCxHxW, with zeros outside and 1e-6 under the root."""
    x = pad(x, (1, 1, 1, 1))
    across = x[..., 1:-1, 2:] - x[..., 1:-1, :-2]
    down = x[..., 2:, 1:-1] - x[..., :-2, 1:-1]
    return (across.square() + down.square() + 1e-6).sqrt()


@METHODS.register_module("isnet")
class ISNetDetector(NeuralDetector):
    """ISNet.

    Arguments:
        kwargs: Options of `NeuralDetector`.
    """

    card = MethodCard(
        title="ISNet",
        authors="Zhang et al.",
        year=2022,
        venue="CVPR",
        url="https://github.com/RuiZhang97/ISNet",
        family="deep",
        fidelity="author-code",
        notes=(
            "1,090,671 parameters, of which 103,709 belong to layers that the authors' network builds and never calls; they "
            "are kept so that their checkpoints load. Without the deformable convolutions' own 7,776, which a counter of "
            "standard layers does not see, the sum is the published 1.08 M.",
            "Deformable convolution is plain PyTorch here; the authors compile a CUDA extension.",
            "The edge target is a gradient magnitude and reaches 1.41; its cross entropy is evaluated as written, as the "
            "PyTorch of the time did, where today's BCELoss refuses targets above 1.",
            "The authors' soft IoU of the edge takes the sigmoid of a probability; kept.",
            "Their soft IoU has no smoothing term, so an image without a target gives a loss of 1 and no gradient; kept.",
        ),
    )
    default_input_size = 512  # author's code: test images are resized to 512 x 512

    def build_network(self) -> nn.Module:
        return ISNet()

    def forward(self, inputs):
        return self.network(inputs, gradient_magnitude(inputs), logits=True)

    def logits(self, outputs: Any) -> torch.Tensor:
        return outputs[0]

    def loss(self, outputs: Any, masks: torch.Tensor) -> dict[str, torch.Tensor]:
        mask, edge = outputs
        edge_masks = gradient_magnitude(masks)
        return {
            "mask_iou": soft_iou_loss(mask, masks, smooth=0, per_sample=True),
            "edge_bce": 10 * binary_cross_entropy_with_logits(edge, edge_masks),  # author's code
            "edge_iou": soft_iou_loss(edge.sigmoid(), edge_masks, smooth=0, per_sample=True),
        }
