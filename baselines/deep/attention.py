"""Spatial attention of CBAM, as DNANet and UIU-Net use it."""

import torch
from torch import nn


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
