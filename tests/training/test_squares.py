"""Squares cut on the device against the transforms of single samples, on equal draws."""

import numpy as np
import pytest
import torch

from irsam_zoo.baselines.deep.istdunet import ISTDUNetDetector, centre_heat_map
from irsam_zoo.datasets import build_dataset
from irsam_zoo.training.data import PhasedBatches, TrainingSet
from irsam_zoo.training.squares import DeviceSquares, can_cut

FLIPS = [dict(type="RandomFlip"), dict(type="RandomFlip", direction="vertical")]
SWAPPED = [*FLIPS, dict(type="RandomTranspose"), *FLIPS]


class Images:
    """Sizes that are smaller than a square, odd, and large; one without a target."""

    name = "images"
    shapes = ((40, 70), (97, 64), (150, 131), (64, 64))

    def read(self, number):
        rng = np.random.default_rng(number)
        mask = np.zeros(self.shapes[number], bool)
        if number != 3:
            mask[rng.integers(30), 20:24] = mask[-3:, -2:] = True
        return {"image": rng.integers(0, 256, self.shapes[number], dtype=np.uint8), "mask": mask}


def both(transforms, count=48, size=4, seed=5):
    """Batches of the device's sampler and of single samples."""
    samples = TrainingSet(Images(), range(size), {0: transforms}, seed)
    batch = [(serial, serial % size) for serial in range(count)]
    cut = DeviceSquares(samples, None, "cpu").cut(batch)
    alone = [samples[key] for key in batch]
    return {name: (cut[name], torch.stack([sample[name] for sample in alone])) for name in cut}


@pytest.mark.parametrize("size", [48, 64, 100])
@pytest.mark.parametrize("on_target", [0.0, 0.7])
def test_crops_flips_and_swaps_are_the_same_bytes(size, on_target):
    found = both([dict(type="RandomCrop", size=size, on_target=on_target), *SWAPPED])
    for cut, alone in found.values():
        assert cut.dtype == alone.dtype == torch.uint8
        assert torch.equal(cut, alone)
    assert found["masks"][0].any()


@pytest.mark.parametrize("scale", [(0.5, 0.99), (1.01, 2.0), (0.8, 1.25)])
def test_zooms_are_the_same_to_one_grey_level(scale):
    found = both([dict(type="RandomZoomedCrop", size=64, on_target=0.9, prob=0.8, scale=scale), *SWAPPED], count=96)
    assert torch.equal(*found["masks"])
    cut, alone = (part.int() for part in found["inputs"])
    assert (cut - alone).abs().max() <= 1
    assert (cut - alone).float().mean().abs() < 0.15


def test_a_loader_begins_where_its_batches_do_and_follows_the_phases():
    dataset = build_dataset("synthetic", subset="train")
    crops = {0: [dict(type="RandomCrop", size=32)], 8: [dict(type="RandomCrop", size=48), *FLIPS]}
    samples = TrainingSet(dataset, dataset.ids[:6], crops, 1)
    batches = PhasedBatches(6, [(2, 4), (2, 3)], 1)
    loader = DeviceSquares(samples, batches, "cpu")
    batches.first = 1
    shown = iter(loader)
    shapes = [tuple(next(shown)["inputs"].shape) for _ in range(3)]
    assert shapes == [(4, 1, 32, 32), (3, 1, 48, 48), (3, 1, 48, 48)]
    assert len(loader) == len(batches)


@pytest.mark.parametrize(
    ("transforms", "can"),
    [
        ([dict(type="RandomZoomedCrop", size=64), *SWAPPED], True),
        ([dict(type="RandomCrop", size=64)], True),
        ([], False),
        ([*FLIPS, dict(type="RandomCrop", size=64)], False),  # zeros come at the bottom of what was mirrored
        ([dict(type="RandomCrop", size=64), dict(type="GaussianBlur")], False),
    ],
)
def test_what_the_sampler_can_do(transforms, can):
    samples = TrainingSet(Images(), range(4), {0: [dict(type="RandomCrop", size=64)], 8: transforms}, 0)
    assert can_cut(samples) is can


def test_targets_are_made_with_the_sample_by_the_loader():
    samples = TrainingSet(Images(), range(4), {0: [dict(type="RandomCrop", size=64)]}, 0, ISTDUNetDetector.targets)
    assert not can_cut(samples)
    sample = samples[0, 0]
    assert np.array_equal(sample["heat"][0], centre_heat_map(sample["masks"][0].numpy()))
