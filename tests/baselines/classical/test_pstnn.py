import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from irsam_zoo.baselines.classical import pstnn
from irsam_zoo.baselines.classical.parts.patches import PatchGrid
from irsam_zoo.zoo import build_method
from tests.oracles import pstnn as oracle
from tests.oracles.golden import IMAGES, golden_counts, golden_image, golden_map, random_scene


@pytest.mark.parametrize("name", IMAGES)
def test_equals_the_authors_code(name):
    score = build_method("pstnn").score(golden_image(name))
    np.testing.assert_allclose(score, golden_map(f"pstnn__{name}"), rtol=0, atol=1e-8)


@pytest.mark.parametrize("name", IMAGES)
def test_counts_equal_those_of_the_authors_code(name):
    image = torch.from_numpy(golden_image(name))
    grid = PatchGrid(*image.shape, size=40, step=40)
    data, prior = grid.extract(image), grid.extract(pstnn.corner_prior(image))
    (solution,) = pstnn.solve(data[None], prior[None], weight=0.7, max_iterations=500)
    counts = golden_counts(f"pstnn__{name}")
    assert solution.iterations == counts["iterations"]
    assert solution.rank == counts["rank"]
    assert solution.nonzeros == counts["nonzeros"] == int((solution.target > 0).sum())
    assert solution.converged


@settings(max_examples=8, deadline=None)
@given(st.integers(0, 10**6), st.integers(21, 75), st.integers(21, 75), st.sampled_from([11, 20, 21]), st.sampled_from([7, 20]))
def test_equals_the_plain_solver(seed, height, width, size, step):
    image = random_scene(seed, height, width)
    expected, _, _ = oracle.pstnn(image, size=size, step=step, penalty=0.6)
    score = build_method("pstnn", patch_size=size, step=step, weight=0.6).score(image)
    np.testing.assert_allclose(score, expected, rtol=0, atol=1e-5)


@pytest.mark.parametrize("shape", [(16, 16), (16, 90), (100, 33)])
def test_window_fits_small_images(shape):
    score = build_method("pstnn").predict(random_scene(1, *shape))
    assert score.shape == shape
    assert score.min() >= 0


def test_configuration_of_the_quoted_weight():
    assert build_method("pstnn_06").weight == 0.6
