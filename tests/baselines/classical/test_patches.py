import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from irsam_zoo.baselines.classical.parts.patches import PatchGrid, from_patch_image, to_patch_image

LAYOUTS = ("dai", "gao")


def window_starts(length, size, step, layout):
    """Both layouts written as the original loops: gen_patch_ten.m computes the number of windows first."""
    if layout == "gao":
        starts, start = [], 0
        while start + size <= length:
            starts.append(start)
            start += step
        return starts
    count = int(np.ceil((length - size) / step)) + 1
    return [k * step for k in range(count - 1)] + [length - size]


def windows(height, width, size, step, layout):
    rows, columns = window_starts(height, size, step, layout), window_starts(width, size, step, layout)
    if layout == "dai":
        return [(r, c) for c in columns for r in rows]
    return [(r, c) for r in rows for c in columns]


def restored(patches, corners, shape, rule):
    coverings = [[[] for _ in range(shape[1])] for _ in range(shape[0])]
    for patch, (r, c) in zip(patches, corners, strict=True):
        for i, j in np.ndindex(patch.shape):
            coverings[r + i][c + j].append(patch[i, j])
    pick = {"last": lambda v: v[-1], "mean": np.mean, "median": np.median}[rule]
    return np.array([[pick(v) if v else 0.0 for v in row] for row in coverings])


@pytest.mark.parametrize("layout", LAYOUTS)
@settings(max_examples=25, deadline=None)
@given(st.integers(5, 19), st.integers(5, 19), st.integers(2, 5), st.integers(1, 7), st.integers(0, 10**6))
def test_grid_equals_the_loops(layout, height, width, size, step, seed):
    rng = np.random.default_rng(seed)
    image = rng.normal(size=(height, width))
    corners = windows(height, width, size, step, layout)
    grid = PatchGrid(height, width, size=size, step=step, layout=layout)

    expected = np.stack([image[r : r + size, c : c + size] for r, c in corners])
    np.testing.assert_array_equal(grid.extract(torch.from_numpy(image)), expected)

    patches = rng.normal(size=expected.shape)
    for rule in ("last", "mean", "median"):
        result = grid.restore(torch.from_numpy(patches), rule)
        np.testing.assert_allclose(result, restored(patches, corners, image.shape, rule), rtol=0, atol=1e-14)


def test_gao_leaves_the_far_border_uncovered_and_dai_does_not():
    ones = torch.ones(23, 20)
    gao = PatchGrid(23, 20, size=5, step=5, layout="gao")
    dai = PatchGrid(23, 20, size=5, step=5, layout="dai")
    assert gao.restore(gao.extract(ones), "mean")[20:].eq(0).all()
    assert gao.restore(gao.extract(ones), "mean")[:20].eq(1).all()
    assert dai.restore(dai.extract(ones), "mean").eq(1).all()
    assert dai.tops[-1] == 18


def test_patch_image_reads_patches_column_by_column():
    patches = torch.arange(2 * 3 * 3).reshape(2, 3, 3)
    columns = to_patch_image(patches)
    np.testing.assert_array_equal(columns[:, 1], patches[1].numpy().reshape(-1, order="F"))
    np.testing.assert_array_equal(from_patch_image(columns), patches)


def test_window_shrinks_to_the_smaller_side_and_covers_the_image():
    grid = PatchGrid(30, 77, size=40, step=40)
    assert (grid.size, grid.step) == (30, 30)
    image = torch.rand(30, 77)
    np.testing.assert_array_equal(grid.restore(grid.extract(image), "last"), image)


@pytest.mark.parametrize("bad", [{"layout": "zigzag"}, {"size": 0}, {"step": 0}])
def test_bad_arguments_are_refused(bad):
    with pytest.raises(ValueError, match=r"layout must|at least 1"):
        PatchGrid(20, 20, **{"size": 5, "step": 5} | bad)


def test_unknown_rule_is_refused():
    grid = PatchGrid(20, 20, size=5, step=5)
    with pytest.raises(ValueError, match="rule must be"):
        grid.restore(torch.zeros(grid.count, 5, 5), "max")
