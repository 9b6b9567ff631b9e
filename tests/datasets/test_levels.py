"""The range of 16-bit images, decided once for a folder."""

import os

import cv2
import numpy as np
import pytest
from PIL import Image

from irsam_zoo.datasets.levels import ImageLevels, image_levels
from irsam_zoo.datasets.reader import FULL_RANGE, read_grey

RNG = np.random.default_rng(0)


def write(folder, *arrays, suffix="png"):
    """Grey or colour files of these levels, and their paths."""
    paths = [folder / f"{number}.{suffix}" for number in range(len(arrays))]
    for path, array in zip(paths, arrays, strict=True):
        cv2.imwrite(str(path), array[..., ::-1] if array.ndim == 3 else array)
    return paths


def noise(low, high, shape=(20, 30)):
    """Levels from low to high, both of which occur."""
    levels = RNG.integers(low, high + 1, shape).astype(np.uint16)
    levels[0, 0], levels[-1, -1] = low, high
    return levels


def read(paths):
    rule = image_levels(paths)
    return [read_grey(path, rule.used).pixels for path in paths]


def test_files_of_8_bits_need_no_rule(tmp_path):
    paths = write(tmp_path, noise(0, 255).astype(np.uint8), noise(0, 9, (20, 30, 3)).astype(np.uint8))
    assert image_levels(paths) == ImageLevels(FULL_RANGE, "")


@pytest.mark.parametrize("suffix", ["png", "tif"])
def test_levels_of_8_bits_stay(tmp_path, suffix):
    arrays = noise(3, 40), noise(0, 201)
    paths = write(tmp_path, *arrays, suffix=suffix)
    for pixels, levels in zip(read(paths), arrays, strict=True):
        assert pixels.dtype == np.uint8
        np.testing.assert_array_equal(pixels, levels)
    assert image_levels(paths).text == "2 images of 16 bits use levels up to 201, which are taken as they are"


@pytest.mark.parametrize(("low", "high"), [(0, 1023), (100, 4095), (7000, 8020), (0, 16383), (0, 32767), (30000, 40000)])
def test_a_range_of_a_set_becomes_0_to_255_in_all_its_images_alike(tmp_path, low, high):
    middle = (low + high) // 2
    arrays = noise(low, middle), noise(middle, high)
    paths = write(tmp_path, *arrays)
    for pixels, levels in zip(read(paths), arrays, strict=True):
        np.testing.assert_allclose(pixels, 255 * (levels.astype(float) - low) / (high - low), atol=0.51)
    assert f"use levels {low} to {high}, which become 0 to 255" in image_levels(paths).text


@pytest.mark.parametrize(("low", "high"), [(0, 65535), (13000, 40000)])
def test_a_wide_range_keeps_the_high_byte(tmp_path, low, high):
    levels = noise(low, high)
    paths = write(tmp_path, noise(low, low + 9), levels)
    np.testing.assert_array_equal(read(paths)[1], levels >> 8)
    assert image_levels(paths).text == "2 images of 16 bits: the high byte is taken"


def test_a_dead_pixel_that_costs_the_grey_levels_is_told(tmp_path):
    arrays = [noise(7000, 8020) for _ in range(3)]
    arrays[1][5, 5] = 65535
    paths = write(tmp_path, *arrays)
    wanted = "3 images of 16 bits: the high byte is taken, which leaves 6 grey levels: a few pixels are far from all others"
    assert image_levels(paths).text == wanted


def test_16_bit_colours_have_a_range_too(tmp_path):
    colours = noise(0, 200, (20, 30, 3))
    (pixels,) = read(write(tmp_path, colours))
    np.testing.assert_array_equal(pixels, np.floor(colours @ [0.299, 0.587, 0.114] + 0.5))


def test_8_bit_images_beside_them_stay(tmp_path):
    grey = noise(0, 99).astype(np.uint8)
    paths = write(tmp_path, grey, noise(1000, 3000))
    np.testing.assert_array_equal(read(paths)[0], grey)
    assert image_levels(paths).text.startswith("1 images of 16 bits use levels 1000 to 3000")


def test_a_constant_image(tmp_path):
    (pixels,) = read(write(tmp_path, np.full((20, 20), 900, np.uint16)))
    assert not pixels.any()


def test_damaged_and_missing_files_do_not_count(tmp_path):
    whole, cut = write(tmp_path, noise(0, 300), noise(0, 60000))
    cut.write_bytes(cut.read_bytes()[:200])
    assert image_levels([whole, cut, tmp_path / "gone.png"]).used == (0, 300)


def test_a_changed_file_is_looked_at_again(tmp_path):
    (path,) = paths = write(tmp_path, noise(0, 300))
    assert image_levels(paths).used == (0, 300)
    write(tmp_path, noise(0, 900))
    os.utime(path, (1, 1))
    assert image_levels(paths).used == (0, 900)


def test_no_pixel_of_an_8_bit_file_is_decoded(tmp_path, monkeypatch):
    paths = write(tmp_path, *[noise(0, 255).astype(np.uint8)] * 3)
    monkeypatch.setattr(Image.Image, "load", lambda self: pytest.fail("decoded"))
    assert image_levels(paths).text == ""
