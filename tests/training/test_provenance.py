"""What a checkpoint says of its training images."""

import re
from importlib.metadata import Distribution
from pathlib import Path

import pytest

from irsam_zoo.datasets import build_dataset, read_split
from irsam_zoo.datasets.leaks import overlap, seen_images
from irsam_zoo.datasets.remarks import Remark
from irsam_zoo.runtime.commit import code_commit
from irsam_zoo.training.provenance import checkpoint_metadata, trained_on
from irsam_zoo.training.recipe import load_recipe
from irsam_zoo.zoo import UsageError
from irsam_zoo.zoo.weights.loaded import Weights


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


def test_a_renamed_set_is_known_by_its_pixels_and_an_authors_checkpoint_overlaps_nowhere(training_set):
    renamed = {"seen": {"another": metadata(training_set)["seen"]["synthetic"]}}
    assert overlap(renamed, training_set) == training_set.ids
    assert overlap(renamed, build_dataset("synthetic", subset="test")) == []
    assert overlap({}, training_set) == []
    assert overlap({"dataset": "synthetic"}, training_set) == []


def test_headers_of_earlier_versions_have_ids_alone(training_set):
    old = {"dataset": "synthetic", "train_ids": ["syn001"], "seen": {"nuaa-sirst": ["Misc_1"]}}
    assert seen_images(old) == {"nuaa-sirst": {"Misc_1": None}, "synthetic": {"syn001": None}}
    assert overlap(old, training_set) == ["syn001"]


def test_fingerprints_follow_the_list(training_set):
    first, again = metadata(training_set), metadata(build_dataset("synthetic", subset="train"))
    assert first == again
    other = metadata(build_dataset("synthetic", subset="test"))
    assert first["train_ids_sha256"] != other["train_ids_sha256"]
    assert first["train_fingerprint"] != other["train_fingerprint"]


def test_the_commit_is_a_hash_or_unknown():
    commit = code_commit()
    assert commit is None or re.fullmatch(r"[0-9a-f]{40}(-dirty)?", commit)


def test_images_of_all_stages_count_as_seen(training_set):
    test_set = build_dataset("synthetic", subset="test")
    first = metadata(test_set)
    elsewhere = first | {"seen": {"nudt-sirst": {"000001": "ab" * 8}}}
    for before, names in ((first, {"synthetic"}), (elsewhere, {"synthetic", "nudt-sirst"})):
        last = metadata(training_set, start=Weights(Path("before.safetensors"), "abc", before))
        assert set(last["seen"]) == names
        assert overlap(last, training_set) == training_set.ids
        assert overlap(last, test_set) == (test_set.ids if names == {"synthetic"} else [])


def test_notes_on_the_data_are_kept(training_set, monkeypatch):
    assert metadata(training_set)["data_notes"] == []
    monkeypatch.setattr(type(training_set), "set_remarks", lambda self: [Remark("odd")])
    assert metadata(training_set)["data_notes"] == ["odd"]


def test_lists_of_the_package_tell_what_weights_of_others_have_seen():
    known = trained_on(["NUAA-SIRST/dnanet", "nudt-sirst/irsam", "nudt-sirst/dnanet", "synthetic/irsam"])
    train = {split: read_split("nudt-sirst", split, "train") for split in ("irsam", "dnanet")}
    assert (known["dataset"], known["split"]) == ("nuaa-sirst", "dnanet")
    assert list(known["seen"]["nuaa-sirst"]) == read_split("nuaa-sirst", "dnanet", "train")
    assert set(known["seen"]["nudt-sirst"]) == {*train["irsam"], *train["dnanet"]}
    assert all(len(pixels) == 16 for pixels in known["seen"]["nudt-sirst"].values())
    assert overlap(known, build_dataset("synthetic", subset="train")) == build_dataset("synthetic", subset="train").ids
    assert trained_on([]) == {}
    with pytest.raises(UsageError, match="there is no folder nuaa-sirst"):  # a folder, whatever its name
        trained_on(["./nuaa-sirst/irsam"])


def test_an_installed_package_has_the_commit_that_pip_took_and_none_of_a_repository_around_it(tmp_path, monkeypatch):
    monkeypatch.setattr("irsam_zoo.runtime.commit.IN_CHECKOUT", False)
    about = tmp_path / "irsam_zoo-0.1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Name: irsam-zoo\nVersion: 0.1.0\n")
    monkeypatch.setattr("irsam_zoo.runtime.commit.distribution", lambda name: Distribution.at(about))
    assert code_commit() is None
    (about / "direct_url.json").write_text(
        '{"url": "https://example.org/a.git", "vcs_info": {"vcs": "git", "commit_id": "c0ffee"}}'
    )
    assert code_commit() == "c0ffee"
