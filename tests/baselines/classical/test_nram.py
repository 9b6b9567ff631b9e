import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from irsam_zoo.baselines.classical.nram import solve
from irsam_zoo.baselines.classical.parts import subspace
from irsam_zoo.baselines.classical.parts.patches import PatchGrid, to_patch_image
from irsam_zoo.zoo import UsageError, build_method
from tests.oracles import nram as oracle
from tests.oracles.golden import IMAGES, clutter, golden_counts, golden_image, golden_map


@pytest.mark.parametrize("image", IMAGES)
def test_golden(image):
    expected = golden_map(f"nram__{image}")
    picture = golden_image(image)
    method = build_method("nram")
    score = method.score(picture)
    np.testing.assert_allclose(score, expected, rtol=0, atol=1e-11)
    np.testing.assert_array_equal(score != 0, expected != 0)
    np.testing.assert_allclose(method.predict(picture), expected, rtol=0, atol=1e-7)


@pytest.mark.parametrize("image", IMAGES)
def test_golden_counts(image):
    picture = torch.from_numpy(golden_image(image))
    data = to_patch_image(PatchGrid(*picture.shape, size=50, step=10, layout="dai").extract(picture))
    data = (data - data.min()) / (data.max() - data.min())
    counts = golden_counts(f"nram__{image}")
    weight = min(data.shape) ** -0.5
    assert weight == pytest.approx(counts["lambda"], rel=1e-14)
    solution = solve(data, weight=weight, penalty=3 * max(data.shape) ** 0.5, reweight=min(data.shape) ** 0.5 / 2.5)
    assert solution.iterations == counts["iterations"]
    assert solution.residual == pytest.approx(counts["stop_value"], rel=1e-6)
    assert solution.converged


@pytest.mark.parametrize("image", IMAGES)
def test_golden_by_the_tracked_subspace(monkeypatch, image):
    monkeypatch.setattr(subspace, "SMALLEST", 0)
    test_golden_counts(image)
    expected = golden_map(f"nram__{image}")
    score = build_method("nram").score(golden_image(image))
    np.testing.assert_allclose(score, expected, rtol=0, atol=1e-6 * expected.max())
    np.testing.assert_array_equal(score != 0, expected != 0)


@settings(max_examples=8, deadline=None)
@given(st.integers(31, 58), st.integers(31, 58), st.integers(14, 20), st.integers(3, 9), st.integers(0, 10**6))
def test_equals_the_oracle(height, width, size, step, seed):
    image = clutter(height, width, seed)
    score = build_method("nram", patch_size=size, step=step).score(image)
    np.testing.assert_allclose(score, oracle.nram(image, size, step), rtol=0, atol=1e-9)


@settings(max_examples=8, deadline=None)
@given(st.integers(20, 45), st.integers(20, 45), st.integers(0, 10**6))
def test_solver_equals_the_oracle_on_wide_and_tall_data(rows, columns, seed):
    rng = np.random.default_rng(seed)
    data = np.abs(rng.normal(size=(rows, 3)) @ rng.normal(size=(3, columns))) + rng.uniform(0, 0.1, (rows, columns))
    data[:, 0] = 0
    data[rng.integers(rows), rng.integers(columns)] += 2
    options = dict(weight=0.15, penalty=20.0, reweight=2.0)
    solution = solve(torch.from_numpy(data), **options)
    target, iterations, _ = oracle.solve(data, **options)
    np.testing.assert_allclose(solution.target, target, rtol=0, atol=1e-9)
    assert solution.iterations == iterations


def test_paper_configuration_differs_from_the_demo_and_finds_the_target():
    image = clutter(128, 120, seed=4)
    score = build_method("nram_paper", patch_size=30).score(image)
    assert np.unravel_index(score.argmax(), score.shape) == np.unravel_index(image.argmax(), image.shape)
    assert not np.array_equal(score, build_method("nram", patch_size=30).score(image))


def test_image_smaller_than_the_patch_shrinks_the_patch():
    image = clutter(31, 64, seed=1)
    np.testing.assert_array_equal(build_method("nram").score(image), build_method("nram", patch_size=31).score(image))
    assert build_method("nram").predict(clutter(16, 16, seed=2)).shape == (16, 16)


def test_unknown_side_is_refused():
    with pytest.raises(UsageError, match="one of shorter, longer, rows"):
        build_method("nram", penalty_side="image")
