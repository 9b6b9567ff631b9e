"""The catalogue of published weights, and how a file of it is recognised."""

import re
from dataclasses import replace

import pytest
import torch

from irsam_zoo.datasets import list_datasets, read_split
from irsam_zoo.datasets.fingerprint import published_digests
from irsam_zoo.engine.known_check import UNITS, close
from irsam_zoo.metrics import PROTOCOLS
from irsam_zoo.reports.weights import weights_listing
from irsam_zoo.zoo import build_method, list_configs, list_methods
from irsam_zoo.zoo.reading import sha256_file
from irsam_zoo.zoo.specs import read_method
from irsam_zoo.zoo.weights.checkpoints import convert_file, save_checkpoint
from irsam_zoo.zoo.weights.find import find_checkpoint
from irsam_zoo.zoo.weights.known_weights import catalogue, find_known, recognise_file

ENTRIES = list(catalogue().values())


@pytest.fixture
def made_up(tmp_path, monkeypatch):
    """A file of random weights of acmnet_1ch, and a catalogue of two entries that holds it."""
    path = tmp_path / "there" / "weights.pth.tar"
    path.parent.mkdir()
    torch.manual_seed(0)
    torch.save({"state_dict": build_method("acmnet_1ch", weights=None).network.state_dict()}, path)
    facts = dict(name="made-up", sha256=sha256_file(path), size=path.stat().st_size, method="acmnet_1ch", options={})
    entry = replace(ENTRIES[0], publisher="A. Author", trained_on="nuaa-sirst", split="idx320", **facts)
    monkeypatch.setattr(
        "irsam_zoo.zoo.weights.known_weights.catalogue", lambda: {entry.name: entry, ENTRIES[1].name: ENTRIES[1]}
    )
    return entry, path


def test_every_file_has_one_entry():
    for values in ([entry.sha256 for entry in ENTRIES], [entry.url for entry in ENTRIES]):
        assert len(set(values)) == len(values)


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.name)
def test_an_entry_is_whole(entry):
    assert re.fullmatch(r"[0-9a-f]{64}", entry.sha256)
    assert re.fullmatch(r"[0-9a-f]{7,40}", entry.commit)
    assert entry.size > 2**19
    assert all([entry.publisher, entry.path, entry.licence, entry.repository.count("/") == 1])
    assert (entry.protocol.metrics in PROTOCOLS, entry.protocol.size in ("native", "input")) == (True, True)
    detector = build_method(entry.method, **entry.options, weights=None)
    assert (detector.input_size is not None) == (entry.protocol.size == "input")
    assert entry.trained_on.split("+") == list(entry.provenance.get("seen", [""]))
    for result in entry.results:
        assert result.dataset in list_datasets()
        test = read_split(result.dataset, result.split, "test")
        assert not set(test) & set(entry.provenance.get("seen", {}).get(result.dataset, ()))
        assert result.stated or (not entry.trained_on and entry.note)
        assert {*result.stated, *result.measured, *result.original} <= set(UNITS)
        assert result.measured.keys() >= result.stated.keys()
        missed = [name for name, value in result.stated.items() if not close(name, result.measured[name], value)]
        assert missed == list(result.unreproducible)
        assert result.note or not missed


def test_training_images_are_those_of_the_packages_lists():
    known = catalogue()["open-acm"].provenance
    assert (known["dataset"], known["split"]) == ("nuaa-sirst", "idx320")
    digests = published_digests("nuaa-sirst")
    assert known["seen"] == {"nuaa-sirst": {id: digests[id][0] for id in read_split("nuaa-sirst", "idx320", "train")}}
    union = catalogue()["lesps-acm-full"].provenance
    assert {name: len(ids) for name, ids in union["seen"].items()} == {"irstd-1k": 800, "nudt-sirst": 663, "nuaa-sirst": 213}
    assert all(digest for images in union["seen"].values() for digest in images.values())


def test_a_known_file_brings_its_provenance(made_up):
    entry, path = made_up
    metadata = build_method("acmnet_1ch", checkpoint=path).weights.metadata
    assert metadata == entry.provenance
    assert metadata["publisher"] == "A. Author"


def test_weights_of_images_that_are_not_told_say_so():
    known = catalogue()["rdian-released"]
    assert known.provenance == {"publisher": "sun11999/RDIAN"}
    assert "rdian-released: rdian, trained on images that are not told" in weights_listing([known], {})


def test_a_known_file_brings_the_options_that_it_was_trained_with(made_up, tmp_path, monkeypatch):
    entry, path = made_up
    entry = replace(entry, options={"mean": [95.0], "padding": "zero_always"})
    monkeypatch.setattr("irsam_zoo.zoo.weights.known_weights.catalogue", lambda: {entry.name: entry})
    convert_file("acmnet_1ch", path, tmp_path / "converted.safetensors")
    for file in (path, tmp_path / "converted.safetensors"):
        detector = build_method("acmnet_1ch", checkpoint=file)  # whose configuration has another mean
        assert (detector.mean, detector.padding) == ((95.0,), "zero_always")
        assert detector.parameters["mean"] == [95.0]
        assert detector.std == build_method("acmnet_1ch", weights=None).std
    chosen = build_method("acmnet_1ch", checkpoint=path, mean=(90.0,))
    assert (chosen.mean, chosen.padding) == ((90.0,), "zero_always")


def test_the_name_of_an_entry_stands_for_its_method_and_its_file(made_up, tmp_path):
    entry, path = made_up
    spec = read_method("made-up")
    assert spec == ("made-up", *read_method("acmnet_1ch")[1:])
    assert find_checkpoint(tmp_path, "made-up", "nudt-sirst") == path
    assert find_checkpoint(path.parent / "none", "made-up", "nudt-sirst") is None
    assert f"get it from {entry.url}" in build_method("made-up", weights=None).unavailable()


def test_an_entrys_options_win_over_those_of_its_method():
    detector = build_method("lesps-acm-full", weights=None)
    assert (detector.name, detector.mean, detector.padding) == ("lesps-acm-full", (95.010,), "zero_always")


def test_no_entry_has_the_name_of_a_method():
    assert not {entry.name for entry in ENTRIES} & {*list_methods(), *list_configs()}


def test_a_converted_file_is_known_by_its_source(made_up, tmp_path):
    entry, path = made_up
    target = tmp_path / "acmnet_1ch_nuaa-sirst.safetensors"
    convert_file("acmnet_1ch", path, target)
    metadata = build_method("acmnet_1ch", checkpoint=target).weights.metadata
    assert metadata.items() >= entry.provenance.items()
    assert metadata["source_sha256"] == entry.sha256
    assert recognise_file(target) is entry


def test_other_files_are_not_known(made_up, tmp_path):
    _, path = made_up
    changed = bytearray(path.read_bytes())
    changed[-1] ^= 1
    (tmp_path / "changed.pth").write_bytes(changed)
    assert recognise_file(tmp_path / "changed.pth") is None
    save_checkpoint(
        tmp_path / "own.safetensors", build_method("acmnet_1ch", weights=None).network.state_dict(), {"source_sha256": "0" * 64}
    )
    assert recognise_file(tmp_path / "own.safetensors") is None
    assert "publisher" not in build_method("acmnet_1ch", checkpoint=tmp_path / "own.safetensors").weights.metadata


def test_known_files_are_found_in_folders_under_a_folder_whatever_their_name(made_up, tmp_path):
    _, path = made_up
    assert find_known(tmp_path) == {"made-up": path}
    target = tmp_path / "a.safetensors"
    convert_file("acmnet_1ch", path, target)
    assert find_known(tmp_path) == {"made-up": path}  # the published file before the converted one
    path.unlink()
    assert find_known(tmp_path) == {"made-up": target}
    assert find_known(tmp_path / "none") == {}
