"""The command that converts published checkpoints."""

import json

import numpy as np
import pytest
import torch
from PIL import Image

from irsam_zoo import ROOT
from irsam_zoo.commands import door
from irsam_zoo.zoo import build_method
from irsam_zoo.zoo.weights.header import read_header


@pytest.fixture(scope="module")
def state():
    return build_method("acmnet_1ch", weights=None).network.state_dict()


@pytest.fixture
def source(tmp_path, state):
    torch.save({"state_dict": state}, tmp_path / "theirs.pth")
    return tmp_path / "theirs.pth"


def convert(*arguments):
    return door.main(["convert", *map(str, arguments)])


def refusal(capsys, *arguments):
    """The one line that a command ends with, and its status."""
    status = convert(*arguments)
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.count("\n") == 1
    return status, told.err


def test_the_help_names_the_methods(capsys):
    with pytest.raises(SystemExit):
        convert("--help")
    assert "acmnet, agpcnet, alcnet, dim2clear, dnanet" in " ".join(capsys.readouterr().out.split())


def test_the_name_that_a_run_finds_is_that_of_the_configuration(tmp_path, source, capsys):
    config = tmp_path / "mine.py"
    config.write_text("_base_ = '{}'".format(ROOT / "configs/methods/acmnet_1ch.py"))
    assert convert(config, source, tmp_path / "a.safetensors") == 0
    assert "finds it by the name mine_<data set>.safetensors" in capsys.readouterr().err


def test_a_folder_for_a_target_is_wrong_usage(tmp_path, source, capsys):
    status, text = refusal(capsys, "acmnet_1ch", source, tmp_path)
    assert status == 2
    assert f"error: {tmp_path} is a folder; name a file in it, such as {tmp_path}/<method>_<data set>.safetensors" in text
    assert list(tmp_path.iterdir()) == [source]


def test_the_configuration_that_a_file_fits_is_named(tmp_path, source, capsys):
    told = ["--trained-on", "nuaa-sirst/irsam", "--trained-on", "nudt-sirst/irsam"]
    status, text = refusal(capsys, "acmnet", source, tmp_path / "a.safetensors", *told, "--int8")
    assert status == 1
    assert "does not fit acmnet, but it fits acmnet_1ch; run: python run_benchmark.py convert acmnet_1ch " in text
    assert text.rstrip().endswith(" --int8 --trained-on nuaa-sirst/irsam --trained-on nudt-sirst/irsam")


def test_several_sources_and_a_key(tmp_path, state, capsys):
    half = len(state) // 2
    for name, keys in (("a.pth", list(state)[:half]), ("b.pth", list(state)[half:])):
        part = {key: state[key] for key in keys}
        torch.save({"x": part, "y": {key: value * 0 for key, value in part.items()}}, tmp_path / name)
    sources = [tmp_path / "a.pth", tmp_path / "b.pth"]
    status, text = refusal(capsys, "acmnet_1ch", *sources, tmp_path / "c.safetensors")
    assert (status, "several sets of weights: x, y" in text) == (1, True)
    assert convert("acmnet_1ch", *sources, tmp_path / "acmnet_1ch_synthetic.safetensors", "--key", "x", "--int8") == 0
    told = capsys.readouterr()
    assert f"{len(state)} tensors" in told.out
    loaded = build_method("acmnet_1ch", checkpoint=tmp_path / "acmnet_1ch_synthetic.safetensors").network.state_dict()
    torch.testing.assert_close(loaded["stem.1.weight"], state["stem.1.weight"])


def test_what_is_chosen_and_left_out_is_told(tmp_path, state, capsys):
    torch.save({"params": state, "params_ema": state | {"total_ops": torch.zeros(1)}}, tmp_path / "w.pth")
    assert convert("acmnet_1ch", tmp_path / "w.pth", tmp_path / "acmnet_1ch_synthetic.safetensors") == 0
    assert capsys.readouterr().err.splitlines() == [
        "w.pth: took the weights under params_ema and not those under params (--key takes others)",
        "w.pth: left out: total_ops",
    ]


@pytest.mark.parametrize(
    ("item", "text"),
    [
        ("nuaa-sirst", "write SET/SPLIT, as in nuaa-sirst/irsam"),
        ("/irsam", "write SET/SPLIT"),
        ("nuaa-srst/irsam", "unknown data set 'nuaa-srst'; did you mean nuaa-sirst"),
        ("nuaa-sirst/isram", "no split 'isram' of nuaa-sirst; known: dnanet, idx320, irsam"),
    ],
)
def test_a_training_list_that_is_not_known_is_wrong_usage(tmp_path, source, capsys, monkeypatch, item, text):
    monkeypatch.delenv("IRSAM_ZOO_DATA", raising=False)
    monkeypatch.chdir(tmp_path)
    status, told = refusal(capsys, "acmnet_1ch", source, tmp_path / "a.safetensors", "--trained-on", item)
    assert (status, text in told) == (2, True)
    assert not (tmp_path / "a.safetensors").exists()


def test_weights_whose_training_list_is_named_are_guarded_and_not_marked(tmp_path, source, capsys):
    folder = tmp_path / "mine"
    for name in ("images", "masks"):
        (folder / name).mkdir(parents=True)
        for number, image_id in enumerate("abcd"):
            level = 255 if name == "masks" else 50 * number
            Image.fromarray(np.full((32, 32), level, np.uint8)).save(folder / name / f"{image_id}.png")
    (folder / "train.txt").write_text("a\nb\n")
    (folder / "test.txt").write_text("c\nd\n")
    known = folder / "splits" / "other"
    known.mkdir(parents=True)
    (known / "train.txt").write_text("c\n")
    (known / "test.txt").write_text("a\n")

    def score(weights, *trained_on):
        target = tmp_path / weights / "acmnet_1ch_mine.safetensors"
        assert convert("acmnet_1ch", source, target, *trained_on) == 0
        out = tmp_path / weights / "out"
        where = ["--datasets", folder, "--checkpoints", target.parent, "--out", out]
        status = door.main(["--methods", "acmnet_1ch", *map(str, where)])
        row = json.loads((out / "results/mine/irsam/acmnet_1ch.json").read_text())
        return status, row, read_header(target)

    status, row, _ = score("a")
    assert (status, row["weights"]["training_images_known"]) == (0, False)
    status, row, header = score("b", "--trained-on", f"{folder}/irsam", "--trained-on", "nudt-sirst/dnanet")
    assert (status, row["weights"]["training_images_known"], row["weights"]["split"]) == (0, True, "irsam")
    assert (list(header["seen"]["mine"]), len(header["seen"]["nudt-sirst"])) == (["a", "b"], 663)
    status, row, _ = score("c", "--trained-on", f"{folder}/other")
    assert status == 1
    assert "1 of the 2 test images, c among them, were in the training list" in row["reason"]
