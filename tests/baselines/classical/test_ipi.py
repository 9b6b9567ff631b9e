import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from irsam_zoo.baselines.classical.ipi import solve
from irsam_zoo.baselines.classical.parts import subspace
from irsam_zoo.baselines.classical.parts.patches import PatchGrid, to_patch_image
from irsam_zoo.zoo import UsageError, build_method
from tests.oracles import ipi as oracle
from tests.oracles.golden import IMAGES, clutter, golden_counts, golden_image, golden_map


@pytest.mark.parametrize("image", IMAGES)
def test_golden(image):
    expected = golden_map(f"ipi__{image}")
    picture = golden_image(image)
    method = build_method("ipi")
    score = method.score(picture)
    np.testing.assert_allclose(score, expected, rtol=0, atol=1e-11)
    np.testing.assert_array_equal(score != 0, expected != 0)
    np.testing.assert_allclose(method.predict(picture), expected, rtol=0, atol=1e-7)


def solution_of_golden_counts(image):
    picture = torch.from_numpy(golden_image(image))
    data = to_patch_image(PatchGrid(*picture.shape, size=50, step=10, layout="gao").extract(picture))
    data = (data - data.min()) / (data.max() - data.min())
    solution = solve(data, weight=max(picture.shape) ** -0.5)
    counts = golden_counts(f"ipi__{image}")
    assert (solution.iterations, solution.rank, solution.nonzeros) == tuple(
        counts[name] for name in ("iterations", "rank", "nonzeros")
    )
    return solution, counts


@pytest.mark.parametrize("image", IMAGES)
def test_golden_counts(image):
    solution, counts = solution_of_golden_counts(image)
    assert solution.residual == pytest.approx(counts["stop_value"], rel=1e-9)
    assert solution.converged


@pytest.mark.parametrize("image", IMAGES)
def test_golden_by_the_tracked_subspace(monkeypatch, image):
    monkeypatch.setattr(subspace, "SMALLEST", 0)
    solution_of_golden_counts(image)
    expected = golden_map(f"ipi__{image}")
    score = build_method("ipi").score(golden_image(image))
    np.testing.assert_allclose(score, expected, rtol=0, atol=1e-6 * expected.max())
    np.testing.assert_array_equal(score != 0, expected != 0)


@settings(max_examples=8, deadline=None)
@given(st.integers(31, 58), st.integers(31, 58), st.integers(14, 20), st.integers(3, 9), st.integers(0, 10**6))
def test_equals_the_oracle(height, width, size, step, seed):
    image = clutter(height, width, seed)
    score = build_method("ipi", patch_size=size, step=step).score(image)
    np.testing.assert_allclose(score, oracle.ipi(image, size, step), rtol=0, atol=1e-9)


@settings(max_examples=8, deadline=None)
@given(st.integers(20, 45), st.integers(20, 45), st.booleans(), st.integers(0, 10**6))
def test_solver_equals_the_oracle_on_wide_and_tall_data(rows, columns, rank_stop, seed):
    data = np.random.default_rng(seed).uniform(0, 1, (rows, columns))
    options = dict(decay=0.8, floor=0.05, rank_stop=rank_stop, max_iterations=60)
    solution = solve(torch.from_numpy(data), weight=0.2, **options)
    target, iterations, rank, nonzeros, residual = oracle.solve(data, 0.2, **options)
    np.testing.assert_allclose(solution.target, target, rtol=0, atol=1e-9)
    assert (solution.iterations, solution.rank, solution.nonzeros) == (iterations, rank, nonzeros)
    assert solution.residual == pytest.approx(residual, rel=1e-6)


def test_second_singular_value_is_not_counted_in_the_first_iteration():
    for seed in range(40):
        data = torch.from_numpy(np.random.default_rng(seed).uniform(0, 1, (60, 30)))
        assert solve(data, weight=0.1, max_iterations=1).rank == 1


def test_paper_configuration_separates_the_target_and_converges():
    image = clutter(80, 90, seed=4, edge=0)
    method = build_method("ipi_paper", patch_size=20)
    score = method.score(image)
    assert np.unravel_index(score.argmax(), score.shape) == np.unravel_index(image.argmax(), image.shape)
    assert method.take_notes() == []


def test_image_smaller_than_the_patch_shrinks_the_patch():
    image = clutter(31, 64, seed=1)
    np.testing.assert_array_equal(build_method("ipi").score(image), build_method("ipi", patch_size=31).score(image))
    assert build_method("ipi").predict(clutter(16, 16, seed=2)).shape == (16, 16)


def test_far_border_that_no_patch_covers_scores_zero():
    score = build_method("ipi", patch_size=20).score(clutter(47, 58, seed=3))
    assert not score[40:].any()
    assert not score[:, 50:].any()


def test_unknown_weight_side_is_refused():
    with pytest.raises(UsageError, match="weight_side must be"):
        build_method("ipi", weight_side="rows")


def test_an_image_of_one_patch_is_told():
    detector = build_method("ipi", patch_size=32, step=8)
    with pytest.warns(UserWarning, match="single patch"):
        detector.predict(np.random.default_rng(0).integers(0, 255, (32, 32)).astype(np.uint8))
    assert "mean little" in detector.take_notes()[0]
