"""Augmentations: image and mask stay together, and chance comes from the generator alone."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from irsam_zoo.datasets.transforms import TARGET, TRANSFORMS, Compose
from irsam_zoo.zoo import UsageError

GEOMETRY = [
    dict(type="RandomFlip", prob=0.5),
    dict(type="RandomFlip", prob=0.5, direction="vertical"),
    dict(type="RandomTranspose", prob=0.5),
    dict(type="Resize", size=96),
    dict(type="RandomScale", base=64),
    dict(type="Pad", size=80),
    dict(type="RandomCrop", size=48),
    dict(type="RandomCrop", size=48, on_target=1.0),
    dict(type="RandomZoomedCrop", size=48, on_target=1.0, prob=1.0),
    dict(type="LargeScaleJitter", scale=(0.8, 1.5), size=64, pad_value=0),
]


def rng(seed=0):
    return np.random.default_rng(seed)


def scene(height=60, width=72, seed=0):
    """An image whose bright block is exactly its mask."""
    mask = np.zeros((height, width), np.uint8)
    top, left = rng(seed).integers(4, (height - 16, width - 16))
    mask[top : top + 10, left : left + 12] = TARGET
    return np.where(mask > 0, 220, 20).astype(np.uint8), mask


@pytest.mark.parametrize("config", GEOMETRY, ids=lambda config: "-".join(map(str, config.values())))
@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 2**32), height=st.integers(48, 90), width=st.integers(48, 90))  # at most doubled
def test_the_mask_goes_where_the_target_goes(config, seed, height, width):
    image, mask = Compose([config])(*scene(height, width, seed), rng(seed))
    assert image.shape == mask.shape
    assert image.dtype == mask.dtype == np.uint8
    assert set(np.unique(mask)) <= {0, TARGET}
    bright = image > 120
    # Half the block's height lies on its outline; only pixels there may differ.
    outline = np.zeros_like(bright)
    for axis in (0, 1):
        step = np.diff(mask.astype(int), axis=axis) != 0
        before, after = (
            ((slice(None, -1), slice(None)), (slice(1, None), slice(None)))
            if axis == 0
            else (
                (slice(None), slice(None, -1)),
                (slice(None), slice(1, None)),
            )
        )
        outline[before] |= step
        outline[after] |= step
    assert not (bright ^ (mask > 0))[~outline].any()


@pytest.mark.parametrize(("factor", "tolerance"), [(0.5, 0.51), (2, 0.05), (3, 0.05)])  # halving picks one of two pixels
def test_resizing_moves_no_centre(factor, tolerance):
    image, mask = scene(64, 64)
    image, mask = TRANSFORMS.build(dict(type="Resize", size=int(64 * factor)))(image, mask, rng())
    weights = image.astype(float) - 20
    rows, columns = np.indices(mask.shape)
    for places in (rows, columns):
        assert (places * weights).sum() / weights.sum() == pytest.approx(places[mask > 0].mean(), abs=tolerance)


def test_a_flip_mirrors_columns_or_rows():
    image, mask = scene()
    flipped, flipped_mask = TRANSFORMS.build(dict(type="RandomFlip", prob=1.0))(image, mask, rng())
    np.testing.assert_array_equal(flipped, image[:, ::-1])
    np.testing.assert_array_equal(flipped_mask, mask[:, ::-1])
    flipped, _ = TRANSFORMS.build(dict(type="RandomFlip", prob=1.0, direction="vertical"))(image, mask, rng())
    np.testing.assert_array_equal(flipped, image[::-1])
    for prob, want in ((1.0, image.T), (0.0, image)):
        swapped, _ = TRANSFORMS.build(dict(type="RandomTranspose", prob=prob))(image, mask, rng())
        np.testing.assert_array_equal(swapped, want)
    kept, _ = TRANSFORMS.build(dict(type="RandomFlip", prob=0.0))(image, mask, rng())
    np.testing.assert_array_equal(kept, image)


def test_random_scale_keeps_the_aspect_and_its_range():
    scale = TRANSFORMS.build(dict(type="RandomScale", base=100, scale=(0.5, 2.0)))
    shapes = [scale(*scene(60, 90), rng(seed))[0].shape for seed in range(200)]
    longer = [max(shape) for shape in shapes]
    assert min(longer) < 60
    assert max(longer) > 190
    assert all(50 <= side <= 200 for side in longer)
    assert all(height == round(60 * width / 90) for height, width in shapes)


def test_padding_lies_at_the_bottom_and_the_right():
    image, mask = scene(30, 40)
    padded, padded_mask = TRANSFORMS.build(dict(type="Pad", size=48, pad_value=128))(image, mask, rng())
    assert padded.shape == (48, 48)
    np.testing.assert_array_equal(padded[:30, :40], image)
    assert (padded[30:] == 128).all()
    assert (padded[:, 40:] == 128).all()
    assert padded_mask.sum() == mask.sum()


def test_crops_have_one_size_and_every_place():
    crop = TRANSFORMS.build(dict(type="RandomCrop", size=16))
    image = np.arange(32 * 20, dtype=np.int64).reshape(32, 20)
    first = {int(crop(image, np.zeros_like(image), rng(seed))[0][0, 0]) for seed in range(2000)}
    assert first == {row * 20 + column for row in range(17) for column in range(5)}
    small, _ = crop(*scene(24, 24)[::-1], rng())
    assert small.shape == (16, 16)
    assert crop(np.ones((8, 9), np.uint8), np.ones((8, 9), np.uint8), rng())[0].sum() == 72


def test_a_crop_on_target_holds_one():
    image, mask = np.zeros((90, 90), np.uint8), np.zeros((90, 90), np.uint8)
    mask[0, 0] = mask[88, 3] = mask[40, 50] = TARGET
    crop = TRANSFORMS.build(dict(type="RandomCrop", size=16, on_target=1.0))
    assert all(crop(image, mask, rng(seed))[1].any() for seed in range(100))
    elsewhere = TRANSFORMS.build(dict(type="RandomCrop", size=16))
    assert not all(elsewhere(image, mask, rng(seed))[1].any() for seed in range(100))
    assert crop(image, np.zeros_like(mask), rng())[0].shape == (16, 16)


def test_blur_touches_the_image_alone():
    image, mask = scene()
    blurred, same = TRANSFORMS.build(dict(type="GaussianBlur", prob=1.0, sigma=(0.9, 1.0)))(image, mask, rng())
    assert same is mask
    assert blurred.std() < image.std()
    assert abs(float(blurred.mean()) - image.mean()) < 0.5
    kept, _ = TRANSFORMS.build(dict(type="GaussianBlur", prob=0.0))(image, mask, rng())
    assert kept is image


def test_jitter_pads_with_grey_or_crops():
    image, mask = scene(64, 64)
    jitter = TRANSFORMS.build(dict(type="LargeScaleJitter", scale=(0.8, 1.5), size=64, pad_value=128))
    results = [jitter(image, mask, rng(seed)) for seed in range(40)]
    assert {result.shape for result, _ in results} == {(64, 64)}
    padded = [result[-1, -1] == 128 for result, _ in results]
    assert any(padded)
    assert not all(padded)


def test_a_sample_is_a_function_of_its_seed():
    compose = Compose([*GEOMETRY, dict(type="GaussianBlur", prob=0.5)])
    first, again, other = (compose(*scene(), rng(seed)) for seed in (3, 3, 4))
    np.testing.assert_array_equal(first[0], again[0])
    np.testing.assert_array_equal(first[1], again[1])
    assert not np.array_equal(first[0], other[0])
    assert first[0].flags.c_contiguous
    assert first[1].flags.c_contiguous


@pytest.mark.parametrize(
    ("config", "text"),
    [
        (dict(type="RandomFlop"), "unknown transform 'RandomFlop'; did you mean RandomFlip"),
        (dict(type="Resize", side=3), "transform Resize: .*side"),
        (dict(type="RandomFlip", direction="diagonal"), "diagonal"),
        (dict(size=3), "unknown transform None"),
        (dict(type="antigravity"), "unknown transform 'antigravity'"),
    ],
)
def test_wrong_configurations_are_usage_errors(config, text):
    with pytest.raises(UsageError, match=text):
        Compose([config])


def test_a_zoom_stays_within_its_scale_and_its_chance():
    ramp = np.tile(np.arange(200, dtype=np.uint8), (200, 1))  # whose rise over a square is the side that it was cut with
    crop = TRANSFORMS.build(dict(type="RandomZoomedCrop", size=64, prob=0.5, scale=(0.5, 2.0)))
    squares = [crop(ramp, np.full_like(ramp, TARGET), rng(seed)) for seed in range(200)]
    assert {side for square in squares for side in square[0].shape + square[1].shape} == {64}
    sides = [int(image[0, -1]) - int(image[0, 0]) + 1 for image, _ in squares]
    assert 60 < sides.count(64) < 140
    assert 30 <= min(sides) < 40
    assert 110 < max(sides) <= 128
    assert abs(sum(side < 64 for side in sides) - sum(side > 64 for side in sides)) < 40  # even on a log scale
