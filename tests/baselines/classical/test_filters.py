"""Top-Hat and Max-Median against the outputs of the MATLAB ports, and against plain definitions."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import maximum_filter, minimum_filter

from irsam_zoo.baselines.classical.max_median import plane_median
from irsam_zoo.zoo import UsageError, build_method
from tests.oracles.golden import IMAGES, golden_image, golden_map


@pytest.mark.parametrize("image", IMAGES)
@pytest.mark.parametrize(("method", "key"), [("top_hat", "tophat_ones5"), ("max_median", "maxmedian_5")])
def test_equal_to_the_port(method, key, image):
    expected = golden_map(f"{key}__{image}")
    score = build_method(method).score(golden_image(image))
    np.testing.assert_allclose(score, expected, rtol=0, atol=1e-12 * expected.max())


@pytest.mark.parametrize("size", [3, 5, 9])
def test_top_hat_is_the_image_minus_its_opening(size):
    image = np.random.default_rng(size).integers(0, 256, (31, 44)).astype(np.float64)
    eroded = minimum_filter(image, size, mode="constant", cval=np.inf)
    opened = maximum_filter(eroded, size, mode="constant", cval=-np.inf)
    np.testing.assert_array_equal(build_method("top_hat", size=size).score(image), image - opened)


@pytest.mark.parametrize("size", [3, 7])
def test_max_median_of_one_pixel_by_hand(size):
    image = np.random.default_rng(size).integers(0, 256, (24, 27)).astype(np.float64)
    row, column, radius = 12, 13, size // 2
    steps = range(-radius, radius + 1)
    lines = [[image[row + k * down, column + k * right] for k in steps] for down, right in ((1, 0), (0, 1), (1, 1), (1, -1))]
    score = build_method("max_median", size=size).score(image)
    assert score[row, column] == image[row, column] - max(np.median(line) for line in lines)


@settings(max_examples=30, deadline=None)
@given(st.sampled_from([1, 3, 5, 9]), st.integers(0, 2**31))
def test_plane_median(count, seed):
    planes = np.random.default_rng(seed).integers(0, 9, (count, 5, 7)).astype(np.float64)
    before = planes.copy()
    np.testing.assert_array_equal(plane_median(planes), np.median(planes, axis=0))
    np.testing.assert_array_equal(planes, before)


def test_an_even_line_has_no_middle():
    with pytest.raises(UsageError, match="odd"):
        build_method("max_median", size=4)
