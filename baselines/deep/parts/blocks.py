"""Building blocks that several of the networks share. Child names are those of the authors' checkpoints."""

import math

from torch import nn


class ResBlock(nn.Module):
    """Basic residual block without bias, gluoncv's CIFARBasicBlockV1: open-acm, open-alcnet, acm-pytorch, ISNet.

    Arguments:
        in_channels, out_channels: Channels of input and output.
        stride: Of the first convolution. Where it is not 1, or the channels change, a 1x1 convolution is the shortcut.
    """

    def __init__(self, in_channels, out_channels, stride=1):
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(in_channels, out_channels, 3, stride, 1, bias=False),
            nn.BatchNorm2d(out_channels),
            nn.ReLU(inplace=True),
            nn.Conv2d(out_channels, out_channels, 3, 1, 1, bias=False),
            nn.BatchNorm2d(out_channels),
        )
        if stride != 1 or in_channels != out_channels:
            self.downsample = nn.Sequential(
                nn.Conv2d(in_channels, out_channels, 1, stride, bias=False), nn.BatchNorm2d(out_channels)
            )
        else:
            self.downsample = nn.Identity()
        self.relu = nn.ReLU(inplace=True)

    def forward(self, x):
        """BxCxHxW to BxC'xH'xW'."""
        return self.relu(self.body(x) + self.downsample(x))


class TwoConvs(nn.Module):
    """What residual blocks with biases have in common, of DNANet and of later networks: the layers, not their order.

    Arguments:
        in_channels, out_channels: Channels of input and output. Where they differ, a 1x1 convolution is the shortcut.
    """

    def __init__(self, in_channels, out_channels):
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels, out_channels, 3, padding=1)
        self.bn1 = nn.BatchNorm2d(out_channels)
        self.conv2 = nn.Conv2d(out_channels, out_channels, 3, padding=1)
        self.bn2 = nn.BatchNorm2d(out_channels)
        self.shortcut = nn.Identity()
        if in_channels != out_channels:
            self.shortcut = nn.Sequential(nn.Conv2d(in_channels, out_channels, 1), nn.BatchNorm2d(out_channels))


def res_stage(blocks, in_channels, out_channels, stride=1):
    """A sequence of residual blocks, the first of which changes the channels and the size."""
    return nn.Sequential(
        ResBlock(in_channels, out_channels, stride), *(ResBlock(out_channels, out_channels) for _ in range(blocks - 1))
    )


class FCNHead(nn.Module):
    """Head of FCN as gluoncv builds it: a 3x3 convolution to a quarter of the channels, dropout, a 1x1 convolution.

    Arguments:
        in_channels, out_channels: Channels of input and output.
        bias: Of the first convolution (AGPCNet).
    """

    def __init__(self, in_channels, out_channels=1, *, bias=False):
        super().__init__()
        inner = in_channels // 4
        self.block = nn.Sequential(
            nn.Conv2d(in_channels, inner, 3, 1, 1, bias=bias),
            nn.BatchNorm2d(inner),
            nn.ReLU(inplace=True),
            nn.Dropout(0.1),
            nn.Conv2d(inner, out_channels, 1),
        )

    def forward(self, x):
        """BxCxHxW to BxC'xHxW."""
        return self.block(x)


def channel_attention(channels, reduction=4, *, pooled, bias=True):
    """Two 1x1 convolutions with a bottleneck and a sigmoid: BxCxHxW to weights in 0..1.

    Arguments:
        channels: Channels in and out.
        reduction: The bottleneck has ``channels // reduction`` channels.
        pooled: True for weights of the whole map (BxCx1x1), False for weights of each pixel (BxCxHxW).
        bias: Of the convolutions.
    """
    inner = channels // reduction
    layers = [
        nn.Conv2d(channels, inner, 1, bias=bias),
        nn.BatchNorm2d(inner),
        nn.ReLU(inplace=True),
        nn.Conv2d(inner, channels, 1, bias=bias),
        nn.BatchNorm2d(channels),
        nn.Sigmoid(),
    ]
    return nn.Sequential(*([nn.AdaptiveAvgPool2d(1)] if pooled else []), *layers)


def init_normal(network):
    """Draw the convolutions of a network from a normal distribution of deviation 0.02, as acm-pytorch does; biases become 0."""
    for module in network.modules():
        if isinstance(module, (nn.Conv2d, nn.ConvTranspose2d)):
            nn.init.normal_(module.weight, 0, 0.02)
            if module.bias is not None:
                nn.init.zeros_(module.bias)


def init_msra_prelu(network):
    """Draw the convolutions of a network as MXNet's MSRAPrelu with its default arguments does; biases become 0.

    open-acm and open-alcnet initialise with it: a normal distribution of variance 2 / (1 + 0.25^2) over the mean of the
    fans in and out.
    """
    for module in network.modules():
        if isinstance(module, (nn.Conv2d, nn.ConvTranspose2d)):
            taps = math.prod(module.kernel_size)
            fan = (module.weight.shape[0] + module.weight.shape[1]) * taps / 2
            nn.init.normal_(module.weight, 0, math.sqrt(2 / (1 + 0.25**2) / fan))
            if module.bias is not None:
                nn.init.zeros_(module.bias)


def init_xavier_normal(network):
    """Draw the convolutions of a network as Xavier's normal distribution has them; biases stay PyTorch's default.

    RPCANet and RPCANet++ initialise so.
    """
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.xavier_normal_(module.weight)
