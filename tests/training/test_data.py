"""Samples and their order."""

from itertools import islice

import numpy as np
import pytest
import torch

from irsam_zoo.datasets import build_dataset
from irsam_zoo.training.data import SeededBatches, TrainingSet, split_validation, training_loader
from irsam_zoo.zoo import UsageError, ZooError

AUGMENTATION = [dict(type="RandomFlip"), dict(type="RandomCrop", size=32), dict(type="GaussianBlur")]


@pytest.fixture(scope="module")
def dataset():
    return build_dataset("synthetic", subset="train")


def indices(batch):
    return [index for _, index in batch]


def test_an_epoch_is_a_permutation_without_its_remainder():
    batches = SeededBatches(11, 2, seed=0)
    assert len(batches) == 5
    drawn = list(islice(batches, 10))
    first, second = ([index for batch in part for index in indices(batch)] for part in (drawn[:5], drawn[5:]))
    assert len(set(first)) == len(set(second)) == 10
    assert set(first) <= set(range(11))
    assert first != second


def test_a_run_starts_anywhere():
    batches = SeededBatches(7, 3, seed=5)
    whole = list(islice(batches, 12))
    batches.first = 8
    assert list(islice(batches, 4)) == whole[8:]
    serials = [serial for batch in whole for serial, _ in batch]
    assert serials == list(range(36))


def test_processes_share_an_epoch():
    both = [list(islice(SeededBatches(12, 2, 3, rank, 2), 3)) for rank in (0, 1)]
    drawn = [index for part in both for batch in part for index in indices(batch)]
    assert sorted(drawn) == list(range(12))
    serials = [serial for part in both for batch in part for serial, _ in batch]
    assert sorted(serials) == list(range(12))


def test_fewer_images_than_a_batch_are_repeated():
    batch = next(iter(SeededBatches(3, 8, seed=0)))
    assert len(batch) == 8
    assert set(indices(batch)) == {0, 1, 2}


def test_seeds_differ():
    assert next(iter(SeededBatches(100, 8, seed=0))) != next(iter(SeededBatches(100, 8, seed=1)))


@pytest.mark.parametrize("workers", [0, 2])
def test_batches_are_equal_whoever_loads_them(dataset, workers):
    samples = TrainingSet(dataset, dataset.ids[:6], {0: AUGMENTATION}, seed=1)
    batches = SeededBatches(6, 2, seed=1)
    reference = [[samples[key] for key in keys] for keys in islice(batches, 3)]
    for batch, items in zip(islice(iter(training_loader(samples, batches, workers)), 3), reference, strict=True):
        assert batch["inputs"].shape == batch["masks"].shape == (2, 1, 32, 32)
        assert batch["inputs"].dtype == torch.uint8
        assert torch.equal(batch["inputs"], torch.stack([item["inputs"] for item in items]))
        assert torch.equal(batch["masks"], torch.stack([item["masks"] for item in items]))
        assert set(batch["masks"].unique().tolist()) <= {0, 1}


@pytest.mark.parametrize("workers", [0, 2])
def test_a_loader_that_has_begun_can_begin_elsewhere(dataset, workers):
    """As the train loop does when a run is resumed: what its workers have read ahead is dropped."""
    samples = TrainingSet(dataset, dataset.ids[:6], {0: AUGMENTATION}, seed=1)
    batches = SeededBatches(6, 2, seed=1)
    loader = training_loader(samples, batches, workers)
    next(iter(loader))
    batches.first = 4
    resumed = next(iter(loader))["inputs"]
    assert torch.equal(resumed, torch.stack([samples[key]["inputs"] for key in next(iter(batches))]))


def test_a_sample_changes_with_its_serial_and_the_seed(dataset):
    samples, other = (TrainingSet(dataset, dataset.ids[:1], {0: AUGMENTATION}, seed=seed) for seed in (1, 2))
    first = samples[0, 0]["inputs"]
    assert torch.equal(first, samples[0, 0]["inputs"])
    assert not torch.equal(first, samples[1, 0]["inputs"])
    assert not torch.equal(first, other[0, 0]["inputs"])


def test_without_augmentation_a_sample_is_the_item(dataset):
    item = dataset[3]
    sample = TrainingSet(dataset, [item["id"]], {0: []}, seed=0)[0, 0]
    np.testing.assert_array_equal(sample["inputs"][0].numpy(), item["image"])
    np.testing.assert_array_equal(sample["masks"][0].numpy(), item["mask"])


def test_a_validation_part_is_a_tenth_and_disjoint():
    ids = [f"im{k}" for k in range(57)]
    train, val = split_validation(ids, seed=0)
    assert len(val) == 6
    assert sorted(train + val, key=ids.index) == ids
    assert (train, val) == split_validation(ids, seed=0)
    assert val != split_validation(ids, seed=1)[1]
    assert len(split_validation(["a", "b"], 0)[1]) == 1
    with pytest.raises(UsageError, match="cannot be divided"):
        split_validation(["a"], 0)


def test_a_validation_part_has_whole_sequences():
    ids = [f"{sequence}/{frame}" for sequence in range(6) for frame in range(5 + sequence)]

    def folder(id):
        return id.split("/")[0]

    parts = [split_validation(ids, seed=seed, sequence=folder) for seed in range(20)]
    for train, val in parts:
        assert sorted(train + val, key=ids.index) == ids
        assert len({*map(folder, val)}) == 1  # which is more than a tenth
        assert not {*map(folder, val)} & {*map(folder, train)}
    assert len({val[0] for _, val in parts}) > 1
    with pytest.raises(UsageError, match="a training list of one sequence cannot be divided; say --select last"):
        split_validation(["1/1", "1/2"], 0, sequence=folder)


def test_a_training_list_without_a_target_is_refused(dataset, monkeypatch):
    monkeypatch.setattr("irsam_zoo.training.data.TARGET", 0)  # every mask becomes empty
    with pytest.raises(
        ZooError, match=r"none of the 3 training masks of synthetic has a target pixel, above 127; .*data --check"
    ):
        TrainingSet(dataset, dataset.ids[:3], {0: []}, seed=0)
