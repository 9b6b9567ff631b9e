"""Deformable convolution, one output pixel and one tap at a time, from its definition."""

import math

import numpy as np


def deform_conv2d(x, offset, weight, bias, *, stride, padding, dilation, mask=None):
    """NumPy arrays, shapes as in `baselines.deep.parts.deform_conv.deform_conv2d`; stride, padding and dilation are pairs."""
    batch, channels, height, width = x.shape
    outputs, _, kernel_height, kernel_width = weight.shape
    out = np.zeros((batch, outputs, *offset.shape[2:]))
    for b, row, column in np.ndindex(batch, *offset.shape[2:]):
        for i, j in np.ndindex(kernel_height, kernel_width):
            tap = i * kernel_width + j
            down = row * stride[0] - padding[0] + i * dilation[0] + offset[b, 2 * tap, row, column]
            right = column * stride[1] - padding[1] + j * dilation[1] + offset[b, 2 * tap + 1, row, column]
            factor = 1.0 if mask is None else mask[b, tap, row, column]
            value = np.zeros(channels)
            for y in (math.floor(down), math.floor(down) + 1):
                for z in (math.floor(right), math.floor(right) + 1):
                    if 0 <= y < height and 0 <= z < width:
                        value += (1 - abs(down - y)) * (1 - abs(right - z)) * x[b, :, y, z]
            out[b, :, row, column] += factor * weight[:, :, i, j] @ value
    return out + bias[:, None, None]
