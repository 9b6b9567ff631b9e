import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from irsam_zoo.baselines.classical.parts.local_contrast import (
    brightest_surround,
    cell_largest,
    cell_mean,
    centre_cell,
    core_layer,
    surrounding_cells,
)
from tests.oracles import local_contrast as oracle


def random_image(height, width, seed, grey_levels):
    image = np.random.default_rng(seed).uniform(0, 255, (height, width))
    return np.round(image) if grey_levels else image


@pytest.mark.parametrize("grey_levels", [True, False])
@settings(max_examples=25, deadline=None)
@given(st.integers(16, 33), st.integers(16, 33), st.sampled_from([3, 5, 7, 9, 11]), st.integers(1, 9), st.integers(0, 10**6))
def test_largest_pixels_of_every_cell(grey_levels, height, width, size, count, seed):
    image = random_image(height, width, seed, grey_levels)
    cells = cell_largest(torch.from_numpy(image), size=size, count=count)
    assert cells.shape == (height + 2 * size, width + 2 * size)
    pixels = np.sort(oracle.cell(image, size, (0, 0), "constant"), axis=-1)
    np.testing.assert_allclose(centre_cell(cells, size), pixels[..., -count:].mean(-1), rtol=1e-14)


@settings(max_examples=20, deadline=None)
@given(st.integers(16, 33), st.integers(16, 33), st.sampled_from([3, 5, 9]), st.integers(0, 10**6))
def test_means_and_surround_against_the_plain_cells(height, width, size, seed):
    image = random_image(height, width, seed, grey_levels=False)
    mean = cell_mean(torch.from_numpy(image), size=size)
    offsets = [offset for offset in oracle.OFFSETS if offset != (0, 0)]
    for view, offset in zip(surrounding_cells(mean, size), offsets, strict=True):
        np.testing.assert_allclose(view, oracle.cell(image, size, offset, "edge").mean(-1), rtol=1e-13)
    largest = cell_largest(torch.from_numpy(image), size=size, count=9)
    expected = np.max([oracle.mean_of_nine_largest(image, size, offset) for offset in offsets], axis=0)
    np.testing.assert_allclose(brightest_surround(largest, size), expected, rtol=1e-14)


def test_core_repeats_the_border():
    image = random_image(18, 21, 3, grey_levels=False)
    np.testing.assert_allclose(core_layer(torch.from_numpy(image)), oracle.core(image), rtol=1e-14)


def test_surround_of_zero_is_the_darkest_possible_one():
    assert brightest_surround(torch.zeros(26, 26), 5).eq(1 / 9).all()
