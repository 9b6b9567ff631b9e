import os
from functools import partial

import torch

from irsam_zoo import ROOT
from irsam_zoo.results.options import RunOptions
from irsam_zoo.zoo.weights.checkpoints import save_checkpoint
from irsam_zoo.zoo.weights.find import find_checkpoint
from irsam_zoo.zoo.weights.folders import USUAL, places


def test_the_longest_schedule_is_found_and_of_it_the_newest(tmp_path):
    assert find_checkpoint(tmp_path / "none", "acmnet", "nuaa-sirst") is None

    def put(name, age):
        path = tmp_path / f"{name}.safetensors"
        path.touch()
        os.utime(path, (10_000 - age, 10_000 - age))
        return path

    put("acmnet_fpn_nuaa-sirst_paper-00000000", 0)
    put("acmnet_nudt-sirst_paper-00000000", 0)
    put("acmnet_nuaa-sirst_paper-notahash", 0)
    assert find_checkpoint(tmp_path, "acmnet", "nuaa-sirst") is None
    smoke = put("acmnet_nuaa-sirst_smoke-1a2b3c4d", 0)
    assert find_checkpoint(tmp_path, "acmnet", "nuaa-sirst") == smoke
    put("acmnet_nuaa-sirst_short-1a2b3c4d", 9)
    newest = put("acmnet_nuaa-sirst_short-0a2b3c4d", 5)
    assert find_checkpoint(tmp_path, "acmnet", "nuaa-sirst") == newest
    paper = put("acmnet_nuaa-sirst_paper-1a2b3c4d", 50)
    assert find_checkpoint(tmp_path, "acmnet", "nuaa-sirst") == paper
    by_hand = put("acmnet_nuaa-sirst", 99)
    assert find_checkpoint(tmp_path, "acmnet", "nuaa-sirst") == by_hand


def test_weights_of_a_union_serve_its_members_and_sets_without_a_split(tmp_path):
    """After those of the very data set, whatever their schedule."""

    def put(name, split, *seen):
        path = tmp_path / f"dnanet_{name}-01234567.safetensors"
        save_checkpoint(path, {"w": torch.zeros(1)}, {"split": split, "seen": {data_set: {} for data_set in seen}})
        return path

    find = partial(find_checkpoint, tmp_path, "dnanet")
    union = put("sirst3_budget", "irsam", "irstd-1k", "nudt-sirst", "nuaa-sirst")
    assert find("nuaa-sirst", split="irsam") == find("synthetic", split="irsam") == find("my_set", split="all") == union
    assert find("nuaa-sirst", split="dnanet") is None
    assert find_checkpoint(tmp_path, "dnanet_x", "nuaa-sirst") is None
    put("irstd-1k_paper", "irsam", "irstd-1k")
    assert find("nuaa-sirst", split="irsam") == union  # another single set's weights serve no other
    own = put("nuaa-sirst_smoke", "irsam", "nuaa-sirst")
    assert find("nuaa-sirst", split="irsam") == own
    assert find("nuaa-sirst", split="irsam", schedule="short") == union
    pair = put("nuaa-sirst+nudt-sirst_paper", "irsam", "nuaa-sirst", "nudt-sirst")
    assert find("nudt-sirst", split="irsam") == pair
    assert find("irstd-1k", split="irsam", schedule="budget") != pair


def test_a_method_whose_name_goes_on_where_anothers_ends_keeps_its_weights(tmp_path):
    longer = tmp_path / "rpcanet_pp_sirst3_budget-01234567.safetensors"
    header = {"method": "rpcanet_pp", "split": "irsam", "seen": {"irstd-1k": {}, "nudt-sirst": {}, "nuaa-sirst": {}}}
    save_checkpoint(longer, {"w": torch.zeros(1)}, header)
    assert find_checkpoint(tmp_path, "rpcanet", "nuaa-sirst", split="irsam") is None
    assert find_checkpoint(tmp_path, "rpcanet_pp", "nuaa-sirst", split="irsam") == longer


def test_weights_of_another_split_or_of_a_lesser_schedule_are_left_out(tmp_path):
    short = tmp_path / "acmnet_nuaa-sirst_short-01234567.safetensors"
    save_checkpoint(short, {"w": torch.zeros(1)}, {"split": "irsam"})
    find = partial(find_checkpoint, tmp_path, "acmnet", "nuaa-sirst")
    assert find(split="irsam") == find(schedule="short") == short
    assert find(split="dnanet") is None
    assert find(schedule="paper") is None
    damaged = short.with_name("acmnet_nuaa-sirst_paper-01234567.safetensors")
    damaged.write_bytes(b"<html>")
    assert find(split="irsam") == damaged  # to be told of when it is loaded


def test_the_usual_folder_stands_for_the_projects_own_too(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    shipped = find_checkpoint(ROOT / "checkpoints", "rdian", "synthetic")
    assert shipped is not None
    assert find_checkpoint("checkpoints", "rdian", "synthetic") == shipped
    assert find_checkpoint(tmp_path / "checkpoints", "rdian", "synthetic") is None  # named otherwise, it is itself alone
    assert places("checkpoints") == f"checkpoints or {ROOT / 'checkpoints'}"
    own = tmp_path / "checkpoints" / "rdian_synthetic.safetensors"
    own.parent.mkdir()
    own.touch()
    assert find_checkpoint("checkpoints", "rdian", "synthetic") == own.relative_to(tmp_path)
    monkeypatch.chdir(ROOT)
    assert places("checkpoints") == "checkpoints"
    assert RunOptions.checkpoints == str(USUAL)
