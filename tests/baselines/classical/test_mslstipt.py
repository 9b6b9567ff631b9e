import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from irsam_zoo.baselines.classical import mslstipt
from irsam_zoo.zoo import ZooError, build_method
from tests.oracles import mslstipt as oracle
from tests.oracles.golden import IMAGES, SEQUENCE, golden_counts, golden_image, golden_map, random_scene

CAPS = {"dictionary_iterations": 800, "max_iterations": 200}


def golden_sequence():
    return np.stack([golden_image(f"{SEQUENCE}_{k}") for k in range(6)])


def assert_equals_the_authors_code(frames, key, size):
    data, grid = mslstipt.to_tensor(torch.from_numpy(frames) / 255, size)
    (solution,) = mslstipt.solve(data[None], weight=1e-4 * size, p=0.8, **CAPS)
    counts = golden_counts(key)
    assert solution.dictionary_iterations == counts["iterations_trpca"]
    assert solution.background_rank == counts["rank_trpca"]
    assert solution.dictionary_rank == counts["rank_dictionary"]
    assert solution.iterations == counts["iterations"]
    assert solution.rank == counts["rank_z"]
    assert solution.converged
    maps = mslstipt.from_tensor(solution.sparse, grid)[:, : frames.shape[1], : frames.shape[2]]
    expected = golden_map(key)
    np.testing.assert_allclose(maps, np.moveaxis(np.atleast_3d(expected), 2, 0), rtol=0, atol=1e-7)


@pytest.mark.parametrize("size", [30, 50])
@pytest.mark.parametrize("name", IMAGES)
def test_single_frame_equals_the_authors_code(name, size):
    assert_equals_the_authors_code(golden_image(name)[None], f"mslstipt_v1_p{size}__{name}", size)


def test_group_of_frames_equals_the_authors_code():
    assert_equals_the_authors_code(golden_sequence(), f"mslstipt_v1_p50__{SEQUENCE}", 50)


def test_score_is_a_group_of_one_frame():
    score = build_method("mslstipt", patch_size=50).score(golden_image("flat_80x100"))
    np.testing.assert_allclose(score, golden_map("mslstipt_v1_p50__flat_80x100"), rtol=0, atol=1e-7)


def test_sequence_is_separated_in_groups():
    frames = [frame[:40, :50].astype(np.uint8) for frame in golden_sequence()[:5]]
    method = build_method("mslstipt", patch_size=20, group_size=3)
    together = method.predict_sequence(frames)
    assert together.shape == (5, 40, 50)
    np.testing.assert_array_equal(together[:3], method.predict_sequence(frames[:3]))
    np.testing.assert_array_equal(together[3:], method.predict_sequence(np.stack(frames[3:])))
    assert np.abs(together[0] - method.predict(frames[0])).max() > 1e-3


def test_sequence_refuses_frames_of_different_sizes():
    with pytest.raises(ZooError, match="frames of one size"):
        build_method("mslstipt").predict_sequence([np.ones((20, 20)), np.ones((20, 21))])


@settings(max_examples=6, deadline=None)
@given(st.integers(0, 10**6), st.integers(17, 47), st.integers(17, 47), st.sampled_from([9, 14]), st.integers(1, 3))
def test_equals_the_plain_solver(seed, height, width, size, count):
    frames = np.stack([random_scene(seed + k, height, width) for k in range(count)])
    expected, _ = oracle.mslstipt(frames, size=size)
    score = build_method("mslstipt", patch_size=size).score_sequence(frames)
    np.testing.assert_allclose(score, expected, rtol=0, atol=1e-6)


def test_rows_below_the_image_repeat_the_last_row_of_the_first_window():
    frame = torch.arange(50.0).reshape(1, 5, 10)
    tensor, grid = mslstipt.to_tensor(frame, 4)
    full = mslstipt.from_tensor(tensor, grid)
    assert (tensor.shape, grid) == ((4, 4, 6), (1, 2, 3))
    np.testing.assert_array_equal(full[:, :5, :10], frame)
    np.testing.assert_array_equal(full[0, 5:, :10], frame[0, 3].expand(3, -1))
    np.testing.assert_array_equal(full[0, :5, 10:], frame[0, :, -1:].expand(-1, 2))


def test_tensor_is_the_column_major_reshape_of_the_stacked_windows():
    frame = np.random.default_rng(0).normal(size=(1, 8, 12))
    blocks = np.stack([frame[0, r : r + 4, c : c + 4] for r in (0, 4) for c in (0, 4, 8)], axis=2)
    tensor, _ = mslstipt.to_tensor(torch.from_numpy(frame), 4)
    np.testing.assert_array_equal(np.moveaxis(tensor.numpy(), 0, 2), blocks.reshape(4, 6, 4, order="F"))


@pytest.mark.parametrize(
    "values",
    [
        [9.0, 8.0, 7.0, 6.0, 5.0],
        [900.0, 8.0, 7.0, 6.0, 5.0],
        [900.0, 800.0, 10.0, 9.0, 8.0],
        [9.0, 8.9, 0.01, 0.0099, 1e-30],
        [9.0, 8.0, 1e-30, 0.0, 0.0],
        [9.0, 0.0, 0.0, 0.0, 0.0],
        [1e6, 1e5, 1e4, 10.0, 9.0],
        [60.0, 1.0, 0.9, 1e-20, 0.0],
        [5.0, 4.0],
    ],
)
def test_cut_of_the_rank_follows_the_plain_rule(values):
    kept = mslstipt.kept_rank(torch.tensor([values, values], dtype=torch.float64), 7)
    assert kept.tolist() == [oracle.kept_rank(np.array(values), (7, 5))] * 2


def test_single_bright_pixel_on_black_is_all_target():
    image = np.zeros((32, 40))
    image[5, 7] = 255
    score = build_method("mslstipt").predict(image)
    assert score[5, 7] == pytest.approx(1, abs=1e-4)
    assert np.count_nonzero(score > 1e-3) == 1


@pytest.mark.parametrize("cap", ["dictionary_iterations", "max_iterations"])
def test_reaching_a_cap_is_noted(cap):
    method = build_method("mslstipt", patch_size=20, **{cap: 3})
    with pytest.warns(UserWarning, match="stopped before it converged"):
        method.predict(golden_image("clouds_96x128")[:40, :40])


def test_configuration_of_the_quoted_window():
    assert build_method("mslstipt_30").patch_size == 30
