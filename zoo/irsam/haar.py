"""Undecimated Haar transform of one level, and its adjoint filters.

The image is continued by one pixel on each side first, so that every detail sits on a corner between four pixels: an HxW image
has (H+1)x(W+1) corners, and the adjoint filters lead from the corners back to the pixels.
"""

import torch
from torch.nn import functional as F


def haar_details(x: torch.Tensor, border: str = "replicate") -> tuple[torch.Tensor, torch.Tensor]:
    """Horizontal and vertical details.

    Each is half the sum of two differences of neighbours (the orthonormal filters of the Haar wavelet), which makes it the mean
    slope at the corner, in units of the image per px.

    Arguments:
        x: BxCxHxW.
        border: ``"replicate"`` lets nothing flow through the border; ``"circular"`` is the periodic transform.

    Returns:
        tuple: LH (slope down the rows; PyWavelets' ``cH``) and HL (slope along the columns; ``cV``, up to sign), each
        BxCx(H+1)x(W+1).
    """
    x = F.pad(x, (1, 1, 1, 1), mode=border)
    rising = x[..., 1:, 1:] - x[..., :-1, :-1]
    falling = x[..., 1:, :-1] - x[..., :-1, 1:]
    return (rising + falling) / 2, (rising - falling) / 2


def adjoint_filters() -> torch.Tensor:
    """2x2x2 tensor: the kernels that take LH and HL from the corners back to the pixels (as cross-correlation)."""
    lh = torch.tensor([[0.5, 0.5], [-0.5, -0.5]])
    hl = torch.tensor([[0.5, -0.5], [0.5, -0.5]])
    return torch.stack([lh, hl])
