"""Channel and spatial attention of CBAM, and the residual block of DNANet, MSHNet and HDNet that has both.

UIU-Net takes the spatial attention alone.
"""

import torch
from torch import nn

from irsam_zoo.baselines.deep.parts.blocks import TwoConvs


class SpatialAttention(nn.Module):
    """A weight in 0..1 for each position from the mean and the maximum over channels: BxCxHxW to Bx1xHxW.

    Arguments:
        kernel_size: Side of the convolution in px, odd.
    """

    def __init__(self, kernel_size):
        super().__init__()
        self.conv1 = nn.Conv2d(2, 1, kernel_size, padding=kernel_size // 2, bias=False)

    def forward(self, x):
        return self.conv1(torch.cat((x.mean(1, keepdim=True), x.amax(1, keepdim=True)), 1)).sigmoid()


class ChannelAttention(nn.Module):
    """A weight for each channel from the average and the maximum over positions: BxCxHxW to BxCx1x1."""

    def __init__(self, channels, reduction=16):
        super().__init__()
        inner = max(1, channels // reduction)
        self.fc1 = nn.Conv2d(channels, inner, 1, bias=False)
        self.fc2 = nn.Conv2d(inner, channels, 1, bias=False)

    def forward(self, x):
        pooled = (x.mean((2, 3), keepdim=True), x.amax((2, 3), keepdim=True))
        mean, largest = (self.fc2(self.fc1(statistic).relu()) for statistic in pooled)
        return (mean + largest).sigmoid()


class ResidualAttentionBlock(TwoConvs):
    """Two 3x3 convolutions, channel and spatial attention, and a residual connection."""

    def __init__(self, in_channels, out_channels):
        super().__init__(in_channels, out_channels)
        self.ca = ChannelAttention(out_channels)
        self.sa = SpatialAttention(7)

    def forward(self, x):
        out = self.bn2(self.conv2(self.bn1(self.conv1(x)).relu()))
        out = self.ca(out) * out
        out = self.sa(out) * out
        return (out + self.shortcut(x)).relu()
