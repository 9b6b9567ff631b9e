"""The command line, from a folder that is not the project's."""

import csv
import json
import os
import subprocess
import sys

import cv2
import pytest
import torch

from irsam_zoo import ROOT
from irsam_zoo.commands import door
from irsam_zoo.zoo import build_method
from tests.user_set import IDS, PROGRAM, row_of, run, table, write_plugin, write_set


@pytest.fixture
def folder(tmp_path):
    return write_set(tmp_path / "mine")


def test_a_run_writes_rows_tables_and_manifest(folder, tmp_path, capsys):
    out = tmp_path / "out"
    assert run(folder, out, "top_hat", "max_median", "--jobs", "1", "--save-predictions") == 0
    row = row_of(out, "top_hat")
    assert row["metrics"]["exact"]["Pd"] == 1.0
    assert set(row["metrics"]) == {"exact", "irsam", "dnanet", "basicirstd"}
    assert row["n_images"] == row["n_split"] == len(IDS)
    with open(out / "results" / "mine" / "irsam" / "top_hat.csv", newline="") as file:
        assert [line["id"] for line in csv.DictReader(file)] == IDS
    mask = cv2.imread(str(out / "predictions" / "mine" / "irsam" / "top_hat" / "im3.png"), 0)
    assert mask.shape == (40, 53)
    assert mask[11, 21] == 255
    (manifest,) = json.loads((out / "manifest.json").read_text())
    assert manifest["packages"]["torch"]
    assert len(manifest["data"]["mine/irsam"]) == 64
    measured = table(out)["mine", "top_hat", "Pd"]
    assert (measured["measured"], measured["protocol"], measured["n_images"]) == ("100.0", "exact", "8")
    assert "table1.md" in capsys.readouterr().out


def test_what_was_decided_of_the_data_is_told_by_run_train_and_score(folder, tmp_path, capsys):
    """Masks of 0 and 1, one of them inverted: once a data set, and in each row."""
    for image_id in IDS:
        path = str(folder / "masks" / f"{image_id}.png")
        cv2.imwrite(path, cv2.imread(path, 0) // 255 ^ (image_id == "im2"))
    (folder / "train.txt").write_text("im2\nim3\n")
    (folder / "test.txt").write_text("im1\nim2\n")
    rule = "masks hold two levels, 0 and 1, none above 127: 1 is target"
    inverted = "1 masks with target on more than half of the image (is the background white? targets are): im2"
    notes = [rule, "1 ids of split irsam in both lists: im2", inverted]
    out = tmp_path / "out"
    assert run(folder, out, "top_hat", "max_median", "--jobs", "1") == 0
    for method in ("top_hat", "max_median"):
        assert row_of(out, method)["data_notes"] == notes
    told = [line for line in capsys.readouterr().err.splitlines() if line.startswith("mine: ")]
    assert told == [f"mine: {note}" for note in notes]
    assert door.main(["score", str(folder / "masks"), "--dataset", str(folder), "--out", str(out)]) == 0
    told = capsys.readouterr().err
    assert all(f"mine: {note}\n" in told for note in notes)
    assert door.main(["data", "--check", "--datasets", str(folder)]) == 1
    shown = capsys.readouterr().out
    assert f"  quirk: {rule}\n" in shown
    assert f"  PROBLEM: {inverted}\n" in shown


def test_an_own_folder_without_lists_is_taken_whole(folder, tmp_path, capsys):
    for name in ("train", "test"):
        (folder / f"{name}.txt").unlink()
    assert run(folder, tmp_path / "out", "top_hat") == 2
    assert "say --split all to test on every image" in capsys.readouterr().err
    assert run(folder, tmp_path / "out", "top_hat", "--split", "all") == 0
    assert row_of(tmp_path / "out", "top_hat", split="all")["n_images"] == len(IDS)
    assert door.main(["train", "acmnet", "--dataset", str(folder), "--split", "all"]) == 2
    assert "split all of mine has test images alone" in capsys.readouterr().err


def test_ids_that_are_paths(folder, tmp_path):
    for kind in ("images", "masks"):
        (folder / kind / "252").mkdir()
        (folder / kind / "im0.png").rename(folder / kind / "252" / "1.png")
    (folder / "test.txt").write_text("252/1\n")
    out = tmp_path / "out"
    assert run(folder, out, "top_hat", "--save-predictions") == 0
    masks = out / "predictions" / "mine" / "irsam" / "top_hat"
    assert (masks / "252" / "1.png").is_file()
    assert door.main(["score", str(masks), "--dataset", str(folder), "--out", str(out)]) == 0


def test_a_plugin_is_a_row_of_the_table(folder, tmp_path):
    name, plugin, log = write_plugin(tmp_path)
    out = tmp_path / "out"
    assert run(folder, out, name, "--plugin", str(plugin)) == 0
    assert "| Slow mean |" in (out / "report" / "table1.md").read_text()
    scored = log.read_text().split()[-len(IDS) :]  # images that the speed is measured on come first
    assert sorted(scored) == sorted(str(k) for k in range(len(IDS)))


def test_a_method_of_a_configuration_with_imports_is_known_to_workers(folder, tmp_path):
    name, plugin, _ = write_plugin(tmp_path)
    config = tmp_path / "imported.py"
    config.write_text(f"custom_imports = dict(imports=['{plugin.stem}'])\nmethod = dict(type='{name}')\n")
    command = [
        sys.executable,
        str(PROGRAM),
        "--methods",
        str(config),
        "--datasets",
        str(folder),
        "--out",
        str(tmp_path / "out"),
    ]
    subprocess.run(command, cwd=tmp_path, env=os.environ | {"PYTHONPATH": str(tmp_path)}, check=True)
    assert row_of(tmp_path / "out", "imported")["n_images"] == len(IDS)


def test_stored_rows_are_cut_again_without_a_run(folder, tmp_path):
    out = tmp_path / "out"
    run(folder, out, "top_hat", "--threshold", "minmax(0.5)")
    first = table(out)["mine", "top_hat", "IoU"]
    assert door.main(["report", "--out", str(out), "--threshold", "adaptive(0.7, 0.5)"]) == 0
    cut = table(out)["mine", "top_hat", "IoU"]
    assert (first["threshold"], cut["threshold"]) == ("minmax(0.5)", "adaptive(0.7, 0.5)")
    exact = tmp_path / "exact"
    run(folder, exact, "top_hat", "--threshold", "adaptive(0.7, 0.5)")
    assert float(cut["measured"]) == pytest.approx(float(table(exact)["mine", "top_hat", "IoU"]["measured"]), abs=2)


def test_the_oracle_is_marked_and_at_least_as_good(folder, tmp_path):
    out = tmp_path / "out"
    run(folder, out, "top_hat")
    own = row_of(out, "top_hat")["metrics"]["exact"]["IoU"]
    run(folder, out, "top_hat", "--threshold", "best_iou")
    row = row_of(out, "top_hat")
    assert row["oracle"]
    assert row["metrics"]["exact"]["IoU"] >= own - 1e-9
    assert "Top-Hat <sup>OPS</sup>" in (out / "report" / "table1.md").read_text()


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ([], "say --all"),
        (["--methods", "tophat"], "did you mean top_hat"),
        (["--all", "--datasets", "nuaa"], "unknown data set"),
        (["--all", "--protocol", "exakt"], "did you mean exact"),
        (["--all", "--threshold", "otsu"], "is not a policy"),
        (["--all", "--limit", "0"], "--limit must be at least 1"),
        (["--all", "--jobs", "two"], "invalid int value"),
        (["--all", "--plugin", "none.py"], "no plug-in file"),
        (["--config", "none.py"], "no configuration file"),
        (["--config", "typo.py"], "unknown option in typo.py, 'treshold'; did you mean threshold"),
        (["--config", "kind.py"], "argument --limit: invalid int value"),
        (["--config", "broken.py"], "broken.py is no configuration file"),
        (["--all", "--threshold", "best_iou", "--protocol", "irsam"], "exact protocol alone"),
        (["--all", "--datasets", "synthetic", "--threshold", "best_iou", "--save-predictions"], "leave out --save-predictions"),
        (["--methods", "ipi", "x/ipi.py", "--datasets", "synthetic"], "would all be filed as ipi"),
        (["report", "--out", "none"], "no results in none"),
        (["report", "--protocol", "irsam"], "report needs --out DIR"),
        (["report", "--compare", "none", "other"], "no results in none"),
        (["report", "--merge", "none", "--out", "new"], "no results in none"),
        (["report", "--compare", "a", "b", "--merge", "a", "b"], "not allowed with argument --compare"),
        (["score", "none", "--dataset", "synthetic"], "no folder none"),
    ],
)
def test_wrong_usage_is_one_line_and_status_2(arguments, text, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("IRSAM_ZOO_DATA", raising=False)
    (tmp_path / "x").mkdir()
    (tmp_path / "x" / "ipi.py").write_text("method = dict(type='ipi')")
    (tmp_path / "typo.py").write_text("methods = ['top_hat']\ntreshold = 'minmax(0.5)'")
    (tmp_path / "kind.py").write_text("methods = 'top_hat'\nlimit = 'few'")
    (tmp_path / "broken.py").write_text("methods = [")
    assert door.main(arguments) == 2
    error = capsys.readouterr().err.strip().splitlines()[-1]
    assert error.startswith("error: ")
    assert text in error


def test_a_result_folder_that_is_a_file_is_one_line(folder, tmp_path, capsys):
    (tmp_path / "file").write_text("")
    assert run(folder, tmp_path / "file", "top_hat") == 1
    assert capsys.readouterr().err.strip().endswith("file: File exists")


def test_saved_masks_are_those_of_the_row(folder, tmp_path):
    out = tmp_path / "out"

    masks = out / "predictions" / "mine" / "irsam" / "top_hat"

    def targets():
        return [int((cv2.imread(str(masks / f"{image_id}.png"), 0) > 0).sum()) for image_id in IDS]

    assert run(folder, out, "top_hat", "--threshold", "fixed(1)", "--save-predictions") == 0
    loose = targets()
    assert run(folder, out, "top_hat", "--threshold", "fixed(100)") == 0
    assert targets() == loose
    assert run(folder, out, "top_hat", "--threshold", "fixed(100)", "--save-predictions") == 0
    assert targets() == [9] * len(IDS)


def test_an_oracle_counts_images_at_its_cut(folder, tmp_path):
    out = tmp_path / "out"
    assert run(folder, out, "top_hat", "--threshold", "best_iou") == 0
    with open(out / "results" / "mine" / "irsam" / "top_hat.csv", newline="") as file:
        lines = list(csv.DictReader(file))
    intersection, union = (sum(int(line[name]) for line in lines) for name in ("intersection", "union"))
    assert intersection / union == row_of(out, "top_hat")["metrics"]["exact"]["IoU"] > 0.9


def test_a_configuration_is_told_from_its_method(folder, tmp_path):
    out = tmp_path / "out"
    config = tmp_path / "wide.py"
    config.write_text("method = dict(type='top_hat', size=9)")
    assert run(folder, out, "top_hat", str(config)) == 0
    assert "| Top-Hat (wide)" in (out / "report" / "table1.md").read_text()
    assert row_of(out, "wide")["own_split"] is True
    runs = json.loads((out / "manifest.json").read_text())
    assert run(folder, out, "top_hat") == 0
    assert json.loads((out / "manifest.json").read_text())[:-1] == runs


def test_without_data_the_synthetic_set_is_used_and_said_so(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("IRSAM_ZOO_DATA", raising=False)
    assert door.main(["--all", "--methods", "top_hat", "--limit", "3"]) == 0
    assert "running on the synthetic one" in capsys.readouterr().err
    text = (tmp_path / "work_dirs" / "benchmark" / "report" / "table1.md").read_text()
    assert "## Synthetic, split `irsam`, 40 test images" in text
    assert "first 3 of 40 images" in text


def test_convert_a_published_checkpoint(tmp_path, capsys):
    source, target = tmp_path / "official.pth", tmp_path / "small_synthetic.safetensors"
    network = build_method("acmnet", weights=None).network
    torch.save({"state_dict": {f"module.{key}": value for key, value in network.state_dict().items()}}, source)
    assert door.main(["convert", "acmnet", str(source), str(target)]) == 0
    told = capsys.readouterr()
    assert "0 of them renamed" in told.out
    assert told.err == ""
    unfound = str(tmp_path / "acmnet_synthetic_paper.safetensors")
    assert door.main(["convert", "acmnet", str(source), unfound]) == 0
    assert "finds it by the name acmnet_<data set>.safetensors" in capsys.readouterr().err
    assert door.main(["convert", "alcnet", str(source), str(target)]) == 1
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "missing: " in error

    out = tmp_path / "out"
    config = tmp_path / "small.py"
    config.write_text("method = dict(type='acmnet', input_size=64)")
    arguments = ["--methods", str(config), "--datasets", "synthetic", "--limit", "2", "--out", str(out), "--train", "none"]
    assert door.main([*arguments, "--checkpoints", str(tmp_path / "none")]) == 2
    (tmp_path / "none").mkdir()
    assert door.main([*arguments, "--checkpoints", str(tmp_path / "none")]) == 0
    row = row_of(out, "small", "synthetic")
    assert (row["status"], row["metrics"]) == ("no checkpoint", {})
    assert row["reason"].endswith(f"python run_benchmark.py train {config} --dataset synthetic")
    assert door.main([*arguments, "--checkpoints", str(tmp_path)]) == 0
    row = row_of(out, "small", "synthetic")
    assert (row["status"], row["n_images"], row["params"]) == ("ok", 2, 516875)
    assert len(row["key"]["files"]["checkpoint"]) == 64
    assert (row["metric_size"], row["key"]["metric_size"]) == ("native", "native")
    assert door.main([*arguments, "--checkpoints", str(tmp_path), "--metric-size", "input"]) == 0
    resized = row_of(out, "small", "synthetic")
    assert (resized["metric_size"], resized["key"]["metric_size"]) == ("64x64", "input")
    assert resized["metrics"] != row["metrics"]
    assert (
        "ok; first 2 of 40 images; metrics at 64x64; weights small_synthetic.safetensors"
        in (out / "report" / "table1.md").read_text()
    )


def test_dask_workers_give_the_same_rows(folder, tmp_path):
    from dask.distributed import LocalCluster

    local, remote = tmp_path / "local", tmp_path / "remote"
    assert run(folder, local, "top_hat") == 0
    with LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None) as cluster:
        assert run(folder, remote, "top_hat", "--dask", cluster.scheduler_address) == 0
    a, b = row_of(local, "top_hat"), row_of(remote, "top_hat")
    assert a["metrics"] == b["metrics"]
    assert a["sweep"] == b["sweep"]


def test_a_run_from_another_folder_finds_the_projects_weights_and_says_where_it_looked(folder, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert run(folder, tmp_path / "out", "rdian", "acmnet_quarter", "--limit", "1") == 0
    assert row_of(tmp_path / "out", "rdian")["weights"]["file"].startswith("rdian_sirst3_budget-")
    assert f"no weights of acmnet_quarter in checkpoints or {ROOT / 'checkpoints'}\n" in capsys.readouterr().err
