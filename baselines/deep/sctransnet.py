"""SCTransNet: a residual U-Net whose skip connections attend to the channels of all levels."""

from collections import OrderedDict
from typing import Any

import torch
from torch import nn
from torch.nn.functional import binary_cross_entropy, instance_norm, interpolate, max_pool2d, normalize

from irsam_zoo.baselines.deep.parts.blocks import TwoConvs
from irsam_zoo.zoo import METHODS, MethodCard
from irsam_zoo.zoo.irsam.layer_norm import LayerNorm2d
from irsam_zoo.zoo.neural import NeuralDetector

WIDTHS = (32, 64, 128, 256)  # of the four skip connections
LAYERS = 4  # of the transformer
GROWTH = 2.66  # of the feed-forward network: model/Config.py
TOKENS = 256  # positions for which the authors' network holds embeddings


def conv1x1(in_channels, out_channels):
    return nn.Conv2d(in_channels, out_channels, 1, bias=False)


def conv3x3(channels, groups):
    return nn.Conv2d(channels, channels, 3, padding=1, groups=groups, bias=False)


def channel_norm(channels):
    return nn.Sequential(OrderedDict(body=LayerNorm2d(channels, eps=1e-5)))


class ResBlock(TwoConvs):
    """Two 3x3 convolutions, with leaky ReLUs and a 1x1 convolution as the shortcut where the channels change."""

    def __init__(self, in_channels, out_channels):
        super().__init__(in_channels, out_channels)
        self.relu = nn.LeakyReLU(inplace=True)

    def forward(self, x):
        return self.relu(self.bn2(self.conv2(self.relu(self.bn1(self.conv1(x))))) + self.shortcut(x))


class ChannelCrossAttention(nn.Module):
    """Spatial-embedded single-head channel cross attention (SSCA): the channels of each level attend to those of all.

    The sixteen scalars ``q1_attn1`` to ``q4_attn4`` are never used.
    """

    def __init__(self):
        super().__init__()
        total = sum(WIDTHS)
        for level in range(1, 5):
            for other in range(1, 5):
                self.register_parameter(f"q{level}_attn{other}", nn.Parameter(torch.tensor([0.2])))
        for level, width in enumerate(WIDTHS, 1):
            self.add_module(f"mhead{level}", conv1x1(width, width))
            self.add_module(f"q{level}", conv3x3(width, width // 2))
            self.add_module(f"project_out{level}", conv1x1(width, width))
        self.mheadk, self.mheadv = conv1x1(total, total), conv1x1(total, total)
        self.k, self.v = conv3x3(total, total), conv3x3(total, total)

    def forward(self, levels, joined):
        """Four maps of BxCxhxw and one of Bx480xhxw to four of BxCxhxw."""
        key = normalize(self.k(self.mheadk(joined)).flatten(2), dim=-1)
        value = self.v(self.mheadv(joined)).flatten(2)
        found = []
        for level, x in enumerate(levels, 1):
            query = self.get_submodule(f"q{level}")(self.get_submodule(f"mhead{level}")(x))
            scores = normalize(query.flatten(2), dim=-1) @ key.mT / value.shape[1] ** 0.5
            attention = instance_norm(scores[:, None])[:, 0].softmax(-1)
            found.append(self.get_submodule(f"project_out{level}")((attention @ value).reshape(x.shape)))
        return found


class EfficientChannelAttention(nn.Module):
    """Each channel times a weight from its own mean and its two neighbours'."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Sequential(nn.Conv1d(1, 1, 3, padding=1, bias=False), nn.Sigmoid())

    def forward(self, x):
        return x * self.conv(x.mean((2, 3))[:, None]).mT[..., None]


class FeedForward(nn.Module):
    """Complementary feed-forward network (CFN): half of the channels see 3x3, the others 5x5 positions."""

    def __init__(self, channels):
        super().__init__()
        hidden = int(channels * GROWTH)
        self.project_in = conv1x1(channels, 2 * hidden)
        self.dwconv3x3 = conv3x3(hidden, hidden)
        self.dwconv5x5 = nn.Conv2d(hidden, hidden, 5, padding=2, groups=hidden, bias=False)
        self.project_out = conv1x1(2 * hidden, channels)
        self.eca = EfficientChannelAttention()

    def forward(self, x):
        near, far = self.project_in(x).chunk(2, 1)
        x = torch.cat((self.dwconv3x3(near).relu(), self.dwconv5x5(far).relu()), 1)
        return self.eca(self.project_out(x))


class TransformerLayer(nn.Module):
    """Cross attention and feed-forward network, each after a norm and added to its input."""

    def __init__(self):
        super().__init__()
        for level, width in enumerate(WIDTHS, 1):
            self.add_module(f"attn_norm{level}", channel_norm(width))
            self.add_module(f"ffn_norm{level}", channel_norm(width))
            self.add_module(f"ffn{level}", FeedForward(width))
        self.attn_norm = channel_norm(sum(WIDTHS))
        self.channel_attn = ChannelCrossAttention()

    def forward(self, levels):
        """Four maps of BxCxhxw to four of the same shapes."""
        normed = [self.get_submodule(f"attn_norm{level}")(x) for level, x in enumerate(levels, 1)]
        attended = self.channel_attn(normed, self.attn_norm(torch.cat(levels, 1)))
        found = []
        for level, (x, change) in enumerate(zip(levels, attended, strict=True), 1):
            x = x + change
            found.append(x + self.get_submodule(f"ffn{level}")(self.get_submodule(f"ffn_norm{level}")(x)))
        return found


class Encoder(nn.Module):
    """The transformer's layers and a norm for each level."""

    def __init__(self):
        super().__init__()
        self.layer = nn.ModuleList(TransformerLayer() for _ in range(LAYERS))
        for level, width in enumerate(WIDTHS, 1):
            self.add_module(f"encoder_norm{level}", channel_norm(width))

    def forward(self, levels):
        for layer in self.layer:
            levels = layer(levels)
        return [self.get_submodule(f"encoder_norm{level}")(x) for level, x in enumerate(levels, 1)]


class Embedding(nn.Module):
    """Squares of a map to single positions. The position embeddings are never used."""

    def __init__(self, channels, side):
        super().__init__()
        self.position_embeddings = nn.Parameter(torch.zeros(1, TOKENS, channels))
        self.patch_embeddings = nn.Conv2d(channels, channels, side, side)

    def forward(self, x):
        return self.patch_embeddings(x)


class Reconstruct(nn.Module):
    """A level back at its size: bilinear, 1x1 convolution, batch norm, ReLU."""

    def __init__(self, channels, factor):
        super().__init__()
        self.factor = factor
        self.conv, self.norm = nn.Conv2d(channels, channels, 1), nn.BatchNorm2d(channels)

    def forward(self, x):
        return self.norm(self.conv(interpolate(x, scale_factor=self.factor, mode="bilinear"))).relu()


class SpatialChannelCross(nn.Module):
    """The four skip connections, of which each adds what it found in all at a sixteenth of the image's size."""

    def __init__(self):
        super().__init__()
        for level, width in enumerate(WIDTHS, 1):
            side = 2 ** (5 - level)
            self.add_module(f"embeddings_{level}", Embedding(width, side))
            self.add_module(f"reconstruct_{level}", Reconstruct(width, side))
        self.encoder = Encoder()

    def forward(self, levels):
        found = self.encoder([self.get_submodule(f"embeddings_{level}")(x) for level, x in enumerate(levels, 1)])
        found = [self.get_submodule(f"reconstruct_{level}")(x) for level, x in enumerate(found, 1)]
        return [new + old for new, old in zip(found, levels, strict=True)]


class ConvNormReLU(nn.Module):
    """3x3 convolution, batch norm, ReLU."""

    def __init__(self, in_channels, out_channels):
        super().__init__()
        self.conv, self.norm = nn.Conv2d(in_channels, out_channels, 3, padding=1), nn.BatchNorm2d(out_channels)

    def forward(self, x):
        return self.norm(self.conv(x)).relu_()


class ChannelGate(nn.Module):
    """Channel-wise cross attention (CCA) of UCTransNet: a skip connection weighed by the means of both maps."""

    def __init__(self, channels):
        super().__init__()
        self.mlp_x = nn.Sequential(nn.Flatten(), nn.Linear(channels, channels))
        self.mlp_g = nn.Sequential(nn.Flatten(), nn.Linear(channels, channels))

    def forward(self, deep, skip):
        weights = (self.mlp_x(skip.mean((2, 3))) + self.mlp_g(deep.mean((2, 3)))) / 2
        return (skip * weights.sigmoid()[..., None, None]).relu()


class UpBlock(nn.Module):
    """A deep map at twice its size and the gated skip connection, through two convolutions."""

    def __init__(self, in_channels, out_channels):
        super().__init__()
        self.coatt = ChannelGate(in_channels // 2)
        self.nConvs = nn.Sequential(ConvNormReLU(in_channels, out_channels), ConvNormReLU(out_channels, out_channels))

    def forward(self, deep, skip):
        deep = interpolate(deep, scale_factor=2)
        return self.nConvs(torch.cat((self.coatt(deep, skip), deep), 1))


class SCTransNet(nn.Module):
    """SCTransNet (Yuan et al., TGRS 2024), xdFai/SCTransNet, model/SCTransNet.py.

    The authors' class returns the last of its maps alone where its argument ``mode`` is ``"test"``.
    """

    def __init__(self):
        super().__init__()
        self.inc = nn.Sequential(ResBlock(1, WIDTHS[0]))
        for level, (channels, width) in enumerate(zip(WIDTHS, (*WIDTHS[1:], WIDTHS[-1]), strict=True), 1):
            self.add_module(f"down_encoder{level}", nn.Sequential(ResBlock(channels, width)))
        self.mtc = SpatialChannelCross()
        for level, width in zip((4, 3, 2, 1), (128, 64, 32, 32), strict=True):
            self.add_module(f"up_decoder{level}", UpBlock(2 * WIDTHS[level - 1], width))
        self.outc = nn.Conv2d(WIDTHS[0], 1, 1)
        for level, width in zip((5, 4, 3, 2), (256, 128, 64, 32), strict=True):
            self.add_module(f"gt_conv{level}", nn.Sequential(nn.Conv2d(width, 1, 1)))
        self.outconv = nn.Conv2d(5, 1, 1)
        self._initialize()

    def _initialize(self):
        """Draw the weights as train.py, weights_init_kaiming, does; biases of convolutions stay PyTorch's default."""
        for module in self.modules():
            if isinstance(module, (nn.Conv1d, nn.Conv2d, nn.Linear)):
                nn.init.kaiming_normal_(module.weight)
            elif isinstance(module, nn.BatchNorm2d):
                nn.init.normal_(module.weight, 1, 0.02)

    def forward(self, x, *, logits=False):
        """Six maps: four side outputs from coarse to fine, all fused, and the prediction.

        Arguments:
            x (torch.Tensor): Bx1xHxW normalised image, H and W multiples of 16.
            logits: True for the maps before their sigmoid.

        Returns:
            tuple[torch.Tensor, ...]: Six Bx1xHxW probability maps, as the reference returns them, or logit maps.
        """
        levels = [self.inc(x)]
        for level in range(1, 5):
            levels.append(self.get_submodule(f"down_encoder{level}")(max_pool2d(levels[-1], 2)))
        *levels, x = levels
        skips = [new + old for new, old in zip(self.mtc(levels), levels, strict=True)]  # the encoder's map a second time
        sides = []
        for level in range(4, 0, -1):
            side = self.get_submodule(f"gt_conv{level + 1}")(x)
            sides.append(interpolate(side, scale_factor=2**level, mode="bilinear", align_corners=True))
            x = self.get_submodule(f"up_decoder{level}")(x, skips[level - 1])
        out = self.outc(x)
        maps = (*sides, self.outconv(torch.cat((*sides[::-1], out), 1)), out)
        return maps if logits else tuple(map.sigmoid() for map in maps)


@METHODS.register_module("sctransnet")
class SCTransNetDetector(NeuralDetector):
    """SCTransNet.

    Arguments:
        kwargs: Options of `NeuralDetector`.
    """

    card = MethodCard(
        title="SCTransNet",
        authors="Yuan et al.",
        year=2024,
        venue="TGRS",
        url="https://github.com/xdFai/SCTransNet",
        family="deep",
        fidelity="author-code",
        notes=(
            "11,325,939 parameters, of which 122,944 are never used: embeddings of positions and weights of heads. They are "
            "kept so that the authors' checkpoints load; the published 11.19 M leaves them and the layer norms out.",
            "The prediction is the last decoder's map and not the fusion of all, as in the authors' test program.",
            "The published figures are of one model trained on the union of three sets.",
        ),
    )
    in_channels = 1
    mean, std = (101.06385040283203,), (34.619606018066406,)  # dataset.py: NUAA-SIRST's, for the union of the three sets

    def __init__(self, *, padding: str = "zero", divisor: int = 32, **kwargs: Any):  # test.py pads as BasicIRSTD does
        super().__init__(padding=padding, divisor=divisor, **kwargs)

    def build_network(self) -> nn.Module:
        return SCTransNet()

    def forward(self, inputs):
        return self.network(inputs, logits=True)

    def logits(self, outputs: Any) -> torch.Tensor:
        return outputs[-1]

    def supervised(self, outputs: Any) -> list[torch.Tensor]:
        return outputs

    def loss(self, outputs: Any, masks: torch.Tensor) -> dict[str, torch.Tensor]:
        # Of probabilities, as the authors take it: the logarithms end at -100.
        return {f"bce_{number}": binary_cross_entropy(map.sigmoid(), masks) for number, map in enumerate(outputs)}
