"""The synthetic set: the same bytes everywhere, and the sizes, areas and contrasts that it promises."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from scipy import ndimage

from irsam_zoo.datasets import build_dataset
from irsam_zoo.datasets.backgrounds import BACKGROUNDS, Dice
from irsam_zoo.datasets.fingerprint import pixel_digest
from irsam_zoo.datasets.synthetic import SPLITS
from irsam_zoo.zoo import UsageError

FINGERPRINTS = {
    "train": "4b92fbfe296e0836390a2d9f156692df75b27538821002c1b44bdcb0b02cd79a",
    "test": "55dbffdf06e784252a801c703269447b4056ef36bbb9c8dc73a60e28e27946d7",
}
EIGHT_CONNECTED = np.ones((3, 3), int)


@pytest.fixture(scope="module")
def items():
    return list(build_dataset("synthetic", subset="all"))


def targets(mask):
    """A mask for each 8-connected target."""
    labels, count = ndimage.label(mask, EIGHT_CONNECTED)
    return [labels == number for number in range(1, count + 1)]


def clutter_ratio(image, target):
    """(Mean of the target - mean of its ring) / standard deviation of the ring, which is that of `datasets.targets`."""
    rows, columns = (np.flatnonzero(target.any(axis=axis)) for axis in (1, 0))
    gap = max(np.ptp(rows), np.ptp(columns)) + 1 + 2

    def box(margin):
        inside = np.zeros(target.shape, bool)
        inside[max(rows[0] - margin, 0) : rows[-1] + margin + 1, max(columns[0] - margin, 0) : columns[-1] + margin + 1] = True
        return inside

    ring = image[box(gap + 10) & ~box(gap)].astype(float)
    return (image[target].mean() - ring.mean()) / ring.std()


@pytest.mark.parametrize("subset", FINGERPRINTS)
def test_the_bytes_are_the_same_everywhere(subset):
    assert build_dataset("synthetic", subset=subset).fingerprint() == FINGERPRINTS[subset]


def test_a_scene_does_not_depend_on_those_before_it():
    code = "from irsam_zoo.datasets import build_dataset; from irsam_zoo.datasets.fingerprint import pixel_digest as d; "
    code += "i = build_dataset('synthetic').read('syn200'); print(d(i['image']), d(i['label']))"
    root = Path(__file__).resolve().parents[2]
    fresh = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True, timeout=120)
    item = build_dataset("synthetic")[39]
    assert item["id"] == "syn200"
    assert fresh.stdout.split() == [pixel_digest(item["image"]), pixel_digest(item["label"])]


def test_counts_and_subsets():
    train, test, whole = (build_dataset("synthetic", subset=subset) for subset in ("train", "test", "all"))
    assert (len(train), len(test)) == (160, 40)
    assert not set(train.ids) & set(test.ids)
    assert whole.ids == train.ids + test.ids


def test_both_names_of_splits_are_one_split():
    for subset in ("train", "test"):
        first, second = (build_dataset("synthetic", split=split, subset=subset) for split in SPLITS)
        assert first.ids == second.ids
        assert first.fingerprint() == second.fingerprint()
    with pytest.raises(UsageError, match="no split 'paper' of synthetic; known: irsam, dnanet"):
        build_dataset("synthetic", split="paper")


def test_shapes_and_types(items):
    for item in items:
        assert (item["image"].dtype, item["label"].dtype, item["mask"].dtype) == (np.uint8, np.uint8, bool)
        assert item["image"].shape == item["label"].shape == item["mask"].shape
        assert set(np.unique(item["label"])) == {0, 255}
        np.testing.assert_array_equal(item["mask"], item["label"] == 255)


def test_no_two_images_are_alike(items):
    assert len({item["image"].tobytes() for item in items}) == 200


def test_every_kind_of_scene_in_both_sizes_and_both_subsets(items):
    for part in (items[:160], items[160:]):
        kinds = {(int(item["id"][3:]) % len(BACKGROUNDS), item["image"].shape) for item in part}
        assert kinds == {(kind, (side, side)) for kind in range(len(BACKGROUNDS)) for side in (128, 256)}


def test_one_to_four_targets_of_1_to_80_px(items):
    areas = [[int(target.sum()) for target in targets(item["mask"])] for item in items]
    assert {len(image) for image in areas} == {1, 2, 3, 4}
    flat = np.concatenate(areas)
    assert flat.min() >= 1
    assert flat.max() <= 80
    assert (flat <= 4).sum() >= 10  # each end of the range is there
    assert (flat >= 50).sum() >= 10


def test_signal_to_clutter_ratios_are_1_to_20(items):
    ratios = np.array([clutter_ratio(item["image"], target) for item in items for target in targets(item["mask"])])
    assert ratios.min() >= 1
    assert ratios.max() <= 20
    assert (ratios < 2.5).sum() >= 10
    assert (ratios > 10).sum() >= 10


def test_items_are_copies():
    dataset = build_dataset("synthetic")
    before = {key: dataset[0][key].copy() for key in ("image", "mask", "label")}
    for key in before:
        dataset[0][key][:] = 7
        item = dataset[0]
        item[key][:] = 7
    for key, pixels in before.items():
        np.testing.assert_array_equal(dataset[0][key], pixels)


def test_dice_reach_both_ends_and_differ_by_seed():
    dice = Dice(1, 2)
    assert {dice.integer(-1, 2) for _ in range(100)} == {-1, 0, 1, 2}
    noise = Dice(3).noise(200, 200)
    assert noise.dtype == np.int64
    assert abs(noise.mean()) < 4
    assert abs(noise.std() - 209) < 4
    np.testing.assert_array_equal(noise, Dice(3).noise(200, 200))
    assert not np.array_equal(noise, Dice(4).noise(200, 200))
