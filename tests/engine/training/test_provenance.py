"""What a checkpoint says of its training images."""

import re
from pathlib import Path

import pytest

from datasets import build_dataset, read_split
from engine.training.provenance import checkpoint_metadata, code_commit, overlap, trained_on
from engine.training.recipe import load_recipe
from zoo import UsageError
from zoo.neural import Weights


def metadata(dataset, **changes):
    options = dict(method="acmnet", options=dict(type="acmnet"), recipe=load_recipe("acmnet", "smoke"), code_version="c0de")
    return checkpoint_metadata(dataset=dataset, iterations=3, world_size=1, **options | changes)


@pytest.fixture(scope="module")
def training_set():
    return build_dataset("synthetic", subset="train")


def test_images_of_both_lists_are_named_in_the_test_lists_order(training_set):
    stored = metadata(training_set)
    test_set = build_dataset("synthetic", subset="test")
    assert overlap(stored, test_set) == []
    test_set.ids = ["syn170", "syn160", "syn002", "syn171"]
    assert overlap(stored, test_set) == ["syn160", "syn002"]


def test_another_data_set_and_an_authors_checkpoint_overlap_nowhere(training_set):
    assert overlap(metadata(training_set) | {"dataset": "nuaa-sirst"}, training_set) == []
    assert overlap({}, training_set) == []
    assert overlap({"dataset": "synthetic"}, training_set) == []


def test_fingerprints_follow_the_list(training_set):
    first, again = metadata(training_set), metadata(build_dataset("synthetic", subset="train"))
    assert first == again
    other = metadata(build_dataset("synthetic", subset="test"))
    assert first["train_ids_sha256"] != other["train_ids_sha256"]
    assert first["train_fingerprint"] != other["train_fingerprint"]


def test_the_commit_is_a_hash_or_unknown():
    commit = code_commit()
    assert commit is None or re.fullmatch(r"[0-9a-f]{40}(-dirty)?", commit)


def test_images_seen_before_the_start_count_as_seen(training_set):
    before = metadata(build_dataset("synthetic", subset="test"))
    start = Weights(Path("before.safetensors"), "abc", before)
    assert metadata(training_set, start=start)["train_ids"] == sorted(before["train_ids"] + training_set.ids)
    elsewhere = metadata(training_set, start=Weights(Path("before.safetensors"), "abc", before | {"dataset": "nuaa-sirst"}))
    assert elsewhere["train_ids"] == sorted(training_set.ids)
    assert elsewhere["seen"] == {"nuaa-sirst": before["train_ids"]}


def test_images_are_remembered_over_a_stage_on_another_data_set(training_set):
    test_set = build_dataset("synthetic", subset="test")
    middle = metadata(training_set, start=Weights(Path("first.safetensors"), "abc", metadata(test_set)))
    middle |= {"dataset": "nudt-sirst", "train_ids": ["a"], "seen": {"synthetic": sorted(test_set.ids)}}
    last = metadata(training_set, start=Weights(Path("middle.safetensors"), "def", middle))
    assert overlap(middle, test_set) == overlap(last, test_set) == test_set.ids
    assert last["seen"] == {"nudt-sirst": ["a"]}
    del last["seen"], last["half"], last["code_version"]  # as the headers were before
    assert overlap(last, training_set) == training_set.ids


def test_lists_of_the_package_tell_what_weights_of_others_have_seen():
    known = trained_on(["NUAA-SIRST/dnanet", "nudt-sirst/irsam", "nudt-sirst/dnanet", "synthetic/irsam"])
    train = {split: read_split("nudt-sirst", split, "train") for split in ("irsam", "dnanet")}
    assert (known["dataset"], known["split"]) == ("nuaa-sirst", "dnanet")
    assert known["train_ids"] == sorted(read_split("nuaa-sirst", "dnanet", "train"))
    assert known["seen"]["nudt-sirst"] == sorted({*train["irsam"], *train["dnanet"]})
    assert overlap(known, build_dataset("synthetic", subset="train")) == build_dataset("synthetic", subset="train").ids
    assert trained_on([]) == {}
    with pytest.raises(UsageError, match="is no data set"):  # a folder, whatever its name
        trained_on(["./nuaa-sirst/irsam"])
