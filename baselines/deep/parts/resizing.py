"""Bilinear resizing of feature maps."""

from torch.nn.functional import interpolate


def resize(x, size, align_corners):
    """BxCxHxW to BxCxhxw, bilinear."""
    return x if x.shape[-2:] == size else interpolate(x, size, mode="bilinear", align_corners=align_corners)


def resample(x, factor):
    """Bilinear resampling of BxCxHxW by a factor, corners aligned."""
    return interpolate(x, scale_factor=factor, mode="bilinear", align_corners=True)
