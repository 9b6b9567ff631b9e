"""Layer norm over the channels of an image."""

import torch
from torch import nn
from torch.nn import functional as F


class LayerNorm2d(nn.Module):
    """The channel layer norm of segment_anything/modeling/common.py, on the fused kernel of `F.layer_norm`.

    The original takes ``torch.sqrt`` of the variance map, which PyTorch hands to MKL's vector library on the CPU. In the first
    pass of a process with two threads that norm was seen off by 1e-3 in half of its rows, a precision MKL also offers. The
    cause was never isolated; the fused kernel takes its roots itself.

    Arguments:
        channels: Number of channels.
        eps: Added to the variance; 1e-6 in segment_anything.
    """

    def __init__(self, channels: int, eps: float = 1e-6):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))
        self.eps = eps

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """BxCxHxW to BxCxHxW, each pixel's C values to zero mean and unit variance, then scaled and shifted."""
        x = F.layer_norm(x.permute(0, 2, 3, 1), self.weight.shape, self.weight, self.bias, self.eps)
        return x.permute(0, 3, 1, 2)
