import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from irsam_zoo.baselines.classical import ript
from irsam_zoo.baselines.classical.parts.patches import PatchGrid
from irsam_zoo.zoo import UsageError, build_method
from tests.oracles import ript as oracle
from tests.oracles.golden import IMAGES, golden_counts, golden_image, golden_map, random_scene


@pytest.mark.parametrize("rule", ["last", "mean"])
@pytest.mark.parametrize("name", IMAGES)
def test_equals_the_authors_code(name, rule):
    score = build_method("ript", reconstruct=rule).score(golden_image(name))
    np.testing.assert_allclose(score, golden_map(f"ript_{rule}__{name}"), rtol=0, atol=1e-7)


@pytest.mark.parametrize("name", IMAGES)
def test_counts_equal_those_of_the_authors_code(name):
    image = torch.from_numpy(golden_image(name))
    grid = PatchGrid(*image.shape, size=30, step=10)
    weight = grid.extract(ript.local_structure_weight(image, 1.0))
    (solution,) = ript.solve(grid.extract(image)[None], weight[None], weight=0.7, mu_factor=5.0, max_iterations=200)
    counts = golden_counts(f"ript_last__{name}")
    assert solution.iterations == counts["iterations"]
    assert solution.nonzeros == counts["nonzeros"] == int((solution.target > 0).sum())
    assert solution.converged


@settings(max_examples=8, deadline=None)
@given(
    st.integers(0, 10**6),
    st.integers(17, 45),
    st.integers(17, 45),
    st.sampled_from([(6, 3), (13, 5), (16, 9)]),  # more patches than pixels in a patch, and fewer
    st.sampled_from(["last", "mean"]),
)
def test_equals_the_plain_solver(seed, height, width, window, rule):
    size, step = window
    image = random_scene(seed, height, width)
    expected, _ = oracle.ript(image, size=size, step=step, penalty=1.0, h=2.0, rule=rule)
    method = build_method("ript", patch_size=size, step=step, weight=1.0, edge_weight=2.0, reconstruct=rule)
    np.testing.assert_allclose(method.score(image), expected, rtol=0, atol=1e-5)


@pytest.mark.parametrize("shape", [(12, 20), (20, 12)])
def test_both_ways_to_shrink_the_patch_unfolding_agree(shape):
    rng = np.random.default_rng(0)
    matrices = torch.from_numpy(rng.normal(size=(4, *shape)))
    matrices[3, :, 5:] = 0  # of lower rank
    tau = torch.tensor([2.0, 100.0, 0.0, 1.0], dtype=torch.float64)
    expected = []
    for matrix, threshold in zip(matrices.numpy(), tau.tolist(), strict=True):
        u, s, vh = np.linalg.svd(matrix, full_matrices=False)
        expected.append((u * np.minimum(s, threshold)) @ vh)
    for take in (ript._take_by_lapack, ript._take_by_torch):
        taken = matrices.clone()
        take(taken, tau)
        np.testing.assert_allclose(taken, np.stack(expected), rtol=0, atol=1e-6)


@pytest.mark.parametrize("shape", [(16, 16), (16, 90), (100, 33)])
def test_window_fits_small_images(shape):
    score = build_method("ript").predict(random_scene(1, *shape))
    assert score.shape == shape
    assert score.min() >= 0


def test_unknown_reconstruction_is_a_usage_error():
    with pytest.raises(UsageError, match="last or mean"):
        build_method("ript", reconstruct="median")


def test_configurations():
    assert build_method("ript_mean").reconstruct == "mean"
    assert build_method("ript_50").patch_size == 50
    assert str(build_method("ript_lwdstransnet").threshold) == "mean_std(5)"
