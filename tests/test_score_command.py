"""Predictions of other programs on the command line, and the way out again."""

import csv
import json
import shutil

import cv2
import numpy as np
import pytest

from irsam_zoo.commands import door
from irsam_zoo.metrics import roc
from irsam_zoo.results.record import unpack_sweep
from irsam_zoo.results.store import ResultStore

IDS = [f"im{k}" for k in range(12)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A data set of twelve images of clutter, with two targets each, of which the second is faint."""
    rng = np.random.default_rng(0)
    root = tmp_path_factory.mktemp("data") / "mine"
    for name in ("images", "masks"):
        (root / name).mkdir(parents=True)
    for image_id in IDS:
        image = cv2.GaussianBlur(rng.normal(90, 60, (40, 50)), (0, 0), 1.5)
        mask = np.zeros((40, 50), np.uint8)
        for height, (row, column) in ((110, (10, 20)), (45, (26, 35))):
            mask[row : row + 3, column : column + 3] = 255
            image[row : row + 3, column : column + 3] += height
        cv2.imwrite(str(root / "images" / f"{image_id}.png"), np.clip(image, 0, 255).astype(np.uint8))
        cv2.imwrite(str(root / "masks" / f"{image_id}.png"), mask)
    (root / "test.txt").write_text("\n".join(IDS))
    return root


@pytest.fixture(scope="module")
def plugin(tmp_path_factory):
    """A network of one convolution that needs no training."""
    path = tmp_path_factory.mktemp("plugin") / "box_net.py"
    path.write_text(
        "import torch\n"
        "from irsam_zoo.zoo import METHODS, MethodCard\n"
        "from irsam_zoo.zoo.neural import NeuralDetector\n"
        "@METHODS.register_module('box_net')\n"
        "class BoxNet(NeuralDetector):\n"
        "    card = MethodCard(title='Box', family='deep')\n"
        "    in_channels, mean, std = 1, (0.0,), (10.0,)\n"
        "    def build_network(self):\n"
        "        network = torch.nn.Conv2d(1, 1, 9, padding=4, padding_mode='reflect')\n"
        "        kernel = torch.full((9, 9), -1 / 72)\n"
        "        kernel[3:6, 3:6] = 1 / 9\n"
        "        network.weight.data[0, 0], network.bias.data[0] = kernel, -6.0\n"
        "        return network\n"
        "    def unavailable(self):\n"
        "        return None\n"
    )
    return path


def score(*arguments):
    return door.main(["score", *map(str, arguments)])


def run(folder, out, *arguments):
    return door.main(["--datasets", str(folder), "--out", str(out), "--jobs", "1", *map(str, arguments)])


def rows_of(out):
    return {row.method: row for row in ResultStore(out).rows()}


@pytest.mark.parametrize("form", ["png", "npy"])
def test_saved_scores_give_the_same_rows_again(folder, plugin, tmp_path, form):
    """A filter of whole numbers, one of others, and a network."""
    out = tmp_path / "out"
    methods = ("top_hat", "tllcm", "box_net")
    assert run(folder, out, "--methods", *methods, "--plugin", plugin, "--save-scores", form) == 0
    assert score(out / "scores", "--dataset", folder, "--out", out) == 0
    rows = rows_of(out)
    for method in methods:
        assert len(list((out / "scores" / "mine" / "irsam" / method).glob(f"im*.{form}"))) == len(IDS)
        first, again = rows[method], rows[f"{method}_predictions"]
        assert (again.score_kind, again.threshold) == (first.score_kind, first.threshold)
        assert 0 < first.metrics["exact"]["IoU"] < 1
        if form == "npy" or method == "top_hat":
            assert again.sweep == first.sweep
        for name in ("fingerprint", "metrics", "ci95", "strata"):
            assert getattr(again, name) == getattr(first, name)
        assert again.auc == pytest.approx(first.auc, abs=1e-3)
        moved = np.abs(np.array(again.sweep["fp"]) - np.array(first.sweep["fp"]))
        assert moved.max() <= 0.002 * len(IDS) * 40 * 50
        for name in ("SCRG", "BSF"):
            assert again.signal[name] == pytest.approx(first.signal[name], rel=1e-3)


def test_scores_that_were_not_written_are_scored_again(folder, tmp_path):
    out = tmp_path / "out"
    assert run(folder, out, "--methods", "top_hat") == 0
    assert run(folder, out, "--methods", "top_hat", "--save-scores") == 0
    (out / "scores" / "mine" / "irsam" / "top_hat" / "im3.png").unlink()
    assert run(folder, out, "--methods", "top_hat", "--save-scores") == 0
    assert len(list((out / "scores" / "mine" / "irsam" / "top_hat").glob("*.png"))) == len(IDS)


@pytest.fixture
def grey(folder, tmp_path):
    """A tree of 8-bit probabilities that another toolbox left, good ones and poor ones."""
    for method, noise in (("Good", 0.1), ("Poor", 0.45)):
        place = tmp_path / "results" / "mine" / method
        place.mkdir(parents=True)
        rng = np.random.default_rng(1)
        for image_id in IDS:
            mask = cv2.imread(str(folder / "masks" / f"{image_id}.png"), 0) / 255
            part = np.clip(0.15 + 0.7 * mask + rng.normal(0, noise, mask.shape), 0, 1)
            cv2.imwrite(str(place / f"{image_id}.png"), np.round(255 * part).astype(np.uint8))
    return tmp_path / "results"


def test_grey_pictures_become_rows_with_intervals_and_p_values(folder, grey, tmp_path, capsys):
    out = tmp_path / "out"
    assert run(folder, out, "--methods", "top_hat") == 0
    capsys.readouterr()
    assert score(grey, "--dataset", folder, "--out", out) == 0
    told = capsys.readouterr().out.splitlines()
    (head,) = [line for line in told if line.startswith("Good on mine")]
    assert head.startswith("Good on mine, split irsam, 12 of 12 images; ")
    (start,) = [number for number, line in enumerate(told) if line.startswith("Poor minus")]
    compared = {line.split("  ")[0]: line for line in told[start + 1 : start + 3]}
    assert set(compared) == {"Good", "Top-Hat"}
    assert " p 0.002" in compared["Good"]

    row, poor = rows_of(out)["Good"], rows_of(out)["Poor"]
    assert row.metrics["exact"]["IoU"] > 0.9 > 0.5 > poor.metrics["exact"]["IoU"]
    assert row.ci95["exact"]["IoU"][0] <= row.metrics["exact"]["IoU"] <= row.ci95["exact"]["IoU"][1]
    assert row.auc == pytest.approx(roc({name: np.array(values) for name, values in row.sweep.items()})[2])
    records = ResultStore(out).records(row)
    assert [record.id for record in records] == IDS
    assert sum(unpack_sweep(record.sweep)["tp"][128] for record in records) == row.sweep["tp"][128]
    text = (out / "report" / "table1.md").read_text()
    assert "| Good <sup>X</sup> |" in text
    assert "predictions of another program" in text
    manifest = json.loads((out / "manifest.json").read_text())[-1]
    assert manifest["data"] == {"mine/irsam": row.fingerprint}

    assert door.main(["report", "--out", str(out), "--threshold", "best_iou"]) == 0
    with open(out / "report" / "table1.csv", newline="") as file:
        lines = {(line["method"], line["metric"]): line for line in csv.DictReader(file)}
    assert lines["Poor", "IoU"]["marks"] == "OSX"
    assert float(lines["Poor", "IoU"]["measured"]) > 100 * poor.metrics["exact"]["IoU"]


def test_masks_of_other_programs_are_kept_and_shown(folder, grey, tmp_path, capsys):
    """The images are found where `score` had them."""
    out = tmp_path / "out"
    report = ["report", "--out", str(out), "--figures", "detections"]
    assert score(grey, "--dataset", folder, "--out", out) == 0
    assert door.main(report) == 0
    assert "Good, Poor: no saved masks; score them again with --save-predictions" in capsys.readouterr().err
    assert score(grey, "--dataset", folder, "--out", out, "--save-predictions") == 0
    first = rows_of(out)["Good"]
    mask = cv2.imread(str(out / "predictions" / "mine" / "irsam" / "Good" / "im3.png"), cv2.IMREAD_UNCHANGED)
    grey_levels = cv2.imread(str(grey / "mine" / "Good" / "im3.png"), cv2.IMREAD_UNCHANGED)
    np.testing.assert_array_equal(mask, np.where(grey_levels > 127, 255, 0))
    assert door.main(report) == 0
    assert (out / "report" / "figures" / "detections_mine_irsam.png").is_file()
    assert '"Good":{"mask":' in (out / "report" / "index.html").read_text(encoding="utf-8")
    assert score(grey, "--dataset", folder, "--out", out, "--save-predictions", "--threshold", "best_iou") == 2
    assert "leave out --save-predictions" in capsys.readouterr().err
    assert rows_of(out)["Good"] == first


def test_masks_are_not_cut_again(folder, tmp_path, capsys):
    out = tmp_path / "out"
    assert score(folder / "masks", "--dataset", folder, "--out", out, "--name", "perfect") == 0
    line = next(line for line in capsys.readouterr().out.splitlines() if line.startswith("exact"))
    assert line.split()[1:3] == ["100.00", "[100.00,"]
    assert door.main(["report", "--out", str(out), "--threshold", "minmax(0.2)", "--figures", "none"]) == 0
    assert "| 100.00 | 100.00 | 100.00 | 0.00 | 12 | as given | ok |" in (out / "report" / "table1.md").read_text()


def test_faults_are_listed_and_the_row_is_of_fewer_images(folder, tmp_path, capsys):
    masks = tmp_path / "masks"
    shutil.copytree(folder / "masks", masks)
    for number in range(11):
        (masks / f"im{number}.png").rename(masks / f"other{number}.png")
    arguments = [masks, "--dataset", folder, "--out", tmp_path / "out"]
    assert score(*arguments) == 0
    told = capsys.readouterr().err.splitlines()
    assert told[:2] == [f"im{k}: no prediction; the image is left out" for k in range(2)]
    assert told.count("... and 1 more, which the manifest lists") == 2
    assert len(json.loads((tmp_path / "out" / "manifest.json").read_text())[0]["faults"]["mine/irsam/masks"]) == 22
    assert "| 1 | as given | ok; 1 of 12 images" in (tmp_path / "out" / "report" / "table1.md").read_text()
    assert score(*arguments, "--strict") == 2
    assert "--strict: 11 images have no prediction" in capsys.readouterr().err


def test_a_row_of_predictions_never_takes_the_place_of_a_run(folder, tmp_path, capsys):
    out = tmp_path / "out"
    assert score(folder / "masks", "--dataset", folder, "--out", out, "--name", "Top_Hat") == 2
    assert "--name Top_Hat: a method here is called so" in capsys.readouterr().err
    config = tmp_path / "wide.py"
    config.write_text("method = dict(type='top_hat', size=9)")
    assert run(folder, out, "--methods", config) == 0
    before = rows_of(out)["wide"]
    assert score(folder / "masks", "--dataset", folder, "--out", out, "--name", "wide") == 2
    assert "holds a run of wide on mine; give the predictions another --name" in capsys.readouterr().err
    assert score(folder / "masks", "--dataset", folder, "--out", out, "--name", "a/b") == 2
    assert rows_of(out) == {"wide": before}


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["none", "--dataset", "synthetic"], "no folder none"),
        (["empty", "--dataset", "{folder}"], "lacks 12 of the 12 test images of mine, split irsam"),
        (["empty"], "empty tells no data set; say --dataset"),
        (["{tree}", "--dataset", "{folder}", "--name", "x"], "--name names one row, and "),
    ],
)
def test_wrong_usage_is_one_line(folder, grey, tmp_path, monkeypatch, capsys, arguments, text):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    assert score(*(argument.format(folder=folder, tree=grey) for argument in arguments)) == 2
    error = capsys.readouterr().err.strip().splitlines()[-1]
    assert error.startswith("error: ")
    assert text in error
    assert not (tmp_path / "work_dirs" / "benchmark" / "results").exists()
