"""Deformable convolution in plain PyTorch: any device, any float type, differentiable."""

from functools import cache
from typing import Any

import torch
from torch import nn
from torch.nn.functional import pad
from torch.nn.modules.utils import _pair


def deform_conv2d(x, offset, weight, bias=None, *, stride=1, padding=0, dilation=1, mask=None):
    """2-D convolution whose taps are moved by a field of offsets.

    Version 1 is Dai et al., "Deformable Convolutional Networks" (ICCV 2017); with a mask it is version 2, Zhu et al.,
    "Deformable ConvNets v2" (CVPR 2019). A tap between pixels is interpolated bilinearly; pixels outside the image are
    zero. torchvision's compiled operator is used where it is installed.

    Arguments:
        x (torch.Tensor): BxCxHxW.
        offset (torch.Tensor): Bx2KxH'xW' in px for the K = kernel height x width taps in row-major order, down and right
            interleaved: (down_0, right_0, down_1, right_1, ...).
        weight (torch.Tensor): OxCxkhxkw. One convolution group and one offset group.
        bias (torch.Tensor): O, or None.
        stride, padding, dilation: int or (vertical, horizontal), as in `torch.nn.functional.conv2d`.
        mask (torch.Tensor): BxKxH'xW' factor of each tap, or None for version 1.

    Returns:
        torch.Tensor: BxOxH'xW'.

    Raises:
        ValueError: The offset or the mask does not fit the output that kernel, stride, padding and dilation give.
    """
    stride, padding, dilation = _pair(stride), _pair(padding), _pair(dilation)
    kernel = weight.shape[2:]
    size = tuple(
        (x.shape[2 + axis] + 2 * padding[axis] - dilation[axis] * (kernel[axis] - 1) - 1) // stride[axis] + 1 for axis in (0, 1)
    )
    taps = kernel.numel()
    for name, field, channels in (("offset", offset, 2 * taps), ("mask", mask, taps)):
        if field is not None and field.shape != (x.shape[0], channels, *size):
            raise ValueError(f"{name} has shape {tuple(field.shape)}, expected {(x.shape[0], channels, *size)}")
    compiled = _torchvision_operator()
    if compiled is not None:
        return compiled(x, offset, weight, bias, stride=stride, padding=padding, dilation=dilation, mask=mask)

    offset = offset.to(torch.promote_types(offset.dtype, torch.float32))  # half precision has no tenths of px beyond 256
    down = _tap_positions(size[0], kernel[0], stride[0], padding[0], dilation[0], offset)
    right = _tap_positions(size[1], kernel[1], stride[1], padding[1], dilation[1], offset)
    down = down.repeat_interleave(kernel[1], dim=0)[:, :, None] + offset[:, 0::2]
    right = right.repeat(kernel[0], 1)[:, None, :] + offset[:, 1::2]
    columns = _sample(x.to(offset.dtype), down, right)  # BxCxKxH'xW'
    if mask is not None:
        columns = columns * mask[:, None]
    out = weight.flatten(1) @ columns.flatten(3).flatten(1, 2).to(weight.dtype)
    out = out.unflatten(2, size)
    return out if bias is None else out + bias[:, None, None]


def _tap_positions(size, kernel, stride, padding, dilation, like):
    """kernel x size: the pixel that each tap of each output pixel reads along one axis where nothing is moved."""
    first = torch.arange(size, device=like.device, dtype=like.dtype) * stride - padding
    return first + torch.arange(kernel, device=like.device, dtype=like.dtype)[:, None] * dilation


def _sample(x, down, right):
    """Bilinear samples of BxCxHxW at BxKxH'xW' positions in px: BxCxKxH'xW', zero outside the image.

    Built on gather and not on `grid_sample`, whose scaling of positions to [-1, 1] rounds whole pixels to fractions.
    """
    height, width = x.shape[2:]
    inside = (down > -1) & (down < height) & (right > -1) & (right < width)
    # A position outside is sent to the zero border, without a gradient, as the authors' operator does.
    down, right = (torch.where(inside, position, -1) for position in (down, right))
    top, left = down.detach().floor(), right.detach().floor()
    pixels = pad(x, (1, 1, 1, 1)).flatten(2)
    row = width + 2
    corner = ((top.long() + 1) * row + left.long() + 1).flatten(1)[:, None].expand(-1, x.shape[1], -1)
    below, beside = (down - top).flatten(1)[:, None], (right - left).flatten(1)[:, None]
    upper = torch.lerp(pixels.gather(2, corner), pixels.gather(2, corner + 1), beside)
    lower = torch.lerp(pixels.gather(2, corner + row), pixels.gather(2, corner + row + 1), beside)
    return torch.lerp(upper, lower, below).unflatten(2, down.shape[1:])


@cache
def _torchvision_operator():
    try:
        from torchvision.ops import deform_conv2d as operator  # pyright: ignore[reportMissingImports]
    except (ImportError, RuntimeError):  # RuntimeError: a torchvision built for another torch
        return None
    return operator


class ModulatedDeformConv2d(nn.Module):
    """Deformable convolution, version 2, with the convolution that predicts its offsets and the weights of its taps.

    Before training nothing is moved and every weight, between 0 and 1, is 0.5.

    Arguments:
        in_channels, out_channels: C and O.
        kernel_size, stride, padding, dilation: int or (vertical, horizontal).
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int | tuple[int, int],
        *,
        stride: int | tuple[int, int] = 1,
        padding: int | tuple[int, int] = 0,
        dilation: int | tuple[int, int] = 1,
    ):
        super().__init__()
        kernel = _pair(kernel_size)
        self.geometry: dict[str, Any] = {"stride": stride, "padding": padding, "dilation": dilation}
        bound = (in_channels * kernel[0] * kernel[1]) ** -0.5
        self.weight = nn.Parameter(torch.empty(out_channels, in_channels, *kernel).uniform_(-bound, bound))
        self.bias = nn.Parameter(torch.zeros(out_channels))
        # The name in checkpoints of the authors' package.
        self.conv_offset_mask = nn.Conv2d(in_channels, 3 * kernel[0] * kernel[1], kernel, **self.geometry)
        for values in self.conv_offset_mask.parameters():
            nn.init.zeros_(values)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """BxCxHxW to BxOxH'xW'."""
        offset, mask = self.conv_offset_mask(x).split([2 * self.weight[0, 0].numel(), self.weight[0, 0].numel()], dim=1)
        return deform_conv2d(x, offset, self.weight, self.bias, mask=mask.sigmoid(), **self.geometry)
