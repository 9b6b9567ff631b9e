import numpy as np
import pytest
import torch

from irsam_zoo.baselines.classical.parts.structure_tensor import mat2gray, structure_tensor_eigenvalues
from tests.oracles.golden import random_scene
from tests.oracles.ript import structure_tensor_eigenvalues as oracle


@pytest.mark.parametrize("sigmas", [(1.2, 2.0), (2.0, 9.0)])
@pytest.mark.parametrize("shape", [(17, 24), (2, 9), (31, 31)])
def test_eigenvalues_equal_plain_filters(shape, sigmas):
    image = random_scene(3, *shape)
    ours = structure_tensor_eigenvalues(torch.from_numpy(image), sigma_image=sigmas[0], sigma_tensor=sigmas[1])
    for mine, plain in zip(ours, oracle(image, *sigmas), strict=True):
        np.testing.assert_allclose(mine, plain, rtol=0, atol=1e-11 * plain.max() + 1e-11)
    assert (ours[0] >= ours[1]).all()


def test_constant_areas_have_no_structure_at_all():
    image = torch.full((20, 30), 77.0, dtype=torch.float64)
    image[:, 20:] = 12.3
    large, small = structure_tensor_eigenvalues(image, sigma_image=2.0, sigma_tensor=9.0)
    assert large[:, :16].eq(0).all()
    assert small[:, :16].eq(0).all()
    assert large[:, 19:21].gt(0).all()


def test_mat2gray_spans_0_to_1_and_turns_nan_to_1():
    scaled = mat2gray(torch.tensor([[4.0, torch.nan], [2.0, 3.0]]))
    assert scaled.tolist() == [[1.0, 1.0], [0.0, 0.5]]
    assert mat2gray(torch.full((2, 2), 5.0)).eq(0).all()
    assert mat2gray(torch.full((2, 2), torch.nan)).eq(1).all()
