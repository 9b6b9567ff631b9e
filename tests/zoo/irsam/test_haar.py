import numpy as np
import pytest
import pywt
import torch
from torch.nn import functional as F

from irsam_zoo.zoo.irsam.haar import adjoint_filters, haar_details


def noise(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@pytest.mark.parametrize("shape", [(8, 6), (16, 16), (2, 10)])
def test_equal_to_the_stationary_transform_of_pywavelets(shape):
    x = noise(*shape)
    [(_, (horizontal, vertical, _))] = pywt.swt2(x.numpy(), "haar", level=1)
    lh, hl = haar_details(x[None, None], "circular")
    # PyWavelets' high-pass filter has the other sign, and the sample at (0, 0) is our corner at (1, 1).
    np.testing.assert_allclose(lh[0, 0, 1:, 1:], -horizontal, atol=1e-12)
    np.testing.assert_allclose(hl[0, 0, 1:, 1:], -vertical, atol=1e-12)


@pytest.mark.parametrize("border", ["replicate", "circular"])
def test_a_ramp_has_its_slope(border):
    rows = 3.0 * torch.arange(6.0).view(1, 1, 6, 1).expand(1, 1, 6, 7)
    lh, hl = haar_details(rows, border)
    assert lh.shape == hl.shape == (1, 1, 7, 8)
    assert (lh[..., 1:-1, :] == 3).all()
    assert (hl == 0).all()
    lh, hl = haar_details(rows.transpose(-1, -2), border)
    assert (hl[..., 1:-1] == 3).all()
    assert (lh == 0).all()


def test_the_filters_are_the_adjoint():
    x = noise(1, 1, 7, 6)
    filters = adjoint_filters().double()
    for index in (0, 1):
        corners = noise(1, 1, 8, 7, seed=index + 1)
        corners[..., [0, -1], :] = 0  # away from the border, where the continued pixels count
        corners[..., [0, -1]] = 0
        back = F.conv2d(corners, filters[index].view(1, 1, 2, 2))
        torch.testing.assert_close((haar_details(x)[index] * corners).sum(), (x * back).sum())
