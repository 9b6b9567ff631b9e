"""The local structure of an image: eigenvalues of its structure tensor, from which RIPT and PSTNN weigh edges and corners."""

import math

import torch
from torch.nn.functional import pad


def structure_tensor_eigenvalues(image, *, sigma_image, sigma_tensor):
    """Eigenvalues of the smoothed structure tensor, as the authors' code of RIPT and of PSTNN computes them.

    The gradient is taken by central differences, one-sided on the border. Both Gaussians are cut to 3x3 px whatever their
    sigma, with a symmetric border.

    Arguments:
        image: HxW float tensor, H and W at least 2.
        sigma_image: Sigma of the Gaussian on the image, in px.
        sigma_tensor: Sigma of the Gaussian on the products of derivatives, in px.

    Returns:
        tuple[torch.Tensor, torch.Tensor]: The larger and the smaller eigenvalue, HxW each.
    """
    down, right = torch.gradient(_gaussian(image, sigma_image))
    xx, xy, yy = (_gaussian(product, sigma_tensor) for product in (right * right, right * down, down * down))
    trace = xx + yy
    root = torch.sqrt((xx - yy).square_() + 4 * xy * xy)
    return (trace + root) / 2, (trace - root) / 2


def mat2gray(values):
    """Scale to 0..1 as MATLAB does: NaN is left out of the range and becomes 1. Values that are all equal become 0."""
    known = values[~values.isnan()]
    low, high = (known.min(), known.max()) if known.numel() else (0.0, 0.0)
    span = high - low
    return ((values - low) / (span if span > 0 else 1.0)).nan_to_num_(nan=1.0)


def _gaussian(image, sigma):
    # Sums of shifted images, in the same order for every pixel: a constant area stays exactly constant.
    side = math.exp(-0.5 / sigma**2) / (1 + 2 * math.exp(-0.5 / sigma**2))
    centre = 1 - 2 * side
    padded = pad(image[None, None], (1, 1, 1, 1), mode="replicate")[0, 0]  # for 1 px the symmetric border
    rows = (padded[:-2] + padded[2:]).mul_(side).add_(padded[1:-1], alpha=centre)
    return (rows[:, :-2] + rows[:, 2:]).mul_(side).add_(rows[:, 1:-1], alpha=centre)
