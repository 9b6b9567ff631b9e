"""Equal runs leave equal files, times apart, and a manifest repeats its run."""

import json

import pytest
import torch

from irsam_zoo.zoo import build_method
from irsam_zoo.zoo.weights.checkpoints import save_checkpoint
from tests.faults.program import files, finish
from tests.user_set import write_plugin, write_set

pytestmark = pytest.mark.faults


def test_two_runs_give_equal_bytes_by_one_worker_or_two(tmp_path, tried):
    """Of a classical method, one with parameters and a network; rows, tables of images, masks and score maps."""
    config = tmp_path / "small.py"
    config.write_text("method = dict(type='acmnet', input_size=64)")
    weights = tmp_path / "weights"
    weights.mkdir()
    torch.manual_seed(0)
    save_checkpoint(weights / "small_synthetic.safetensors", build_method("acmnet", weights=None).network.state_dict(), {})
    command = ["--methods", "top_hat", "max_median", "pstnn", config, "--datasets", "synthetic", "--limit", 6]
    command += ["--save-predictions", "--save-scores", "npy", "--checkpoints", weights]
    made = []
    for number, jobs in enumerate((1, 2, 2)):
        tried("repeated run")
        status, error = finish(*command, "--jobs", jobs, "--out", tmp_path / str(number), folder=tmp_path)
        assert status == 0, error
        made.append(files(tmp_path / str(number), "results", "predictions", "scores"))
    assert len(made[0]) > 4 * 2 + 4 * 6
    assert made[0] == made[1] == made[2]
    rows = [json.loads((tmp_path / str(number) / "manifest.json").read_text())[0]["rows"] for number in range(3)]
    assert rows[0] == rows[1] == rows[2]


def test_a_manifest_repeats_its_run_and_tells_what_differs(tmp_path, tried):
    folder = tmp_path / "with blank; and $more"
    folder.mkdir()
    images, (name, plugin, _) = write_set(folder / "mine"), write_plugin(folder)
    first, second = tmp_path / "first", tmp_path / "second"
    command = [
        "--methods",
        name,
        "top_hat",
        "--plugin",
        plugin,
        "--datasets",
        images,
        "--limit",
        5,
        "--threshold",
        "minmax(0.25)",
    ]
    assert finish(*command, "--out", first, folder=tmp_path)[0] == 0
    (run,) = json.loads((first / "manifest.json").read_text())
    assert f"'{plugin}'" in run["command"]
    assert run["plugins"][str(plugin)]
    tried("repetition from a manifest", 2)
    assert finish("--trust", "--from-manifest", first / "manifest.json", "--out", second, folder=tmp_path)[0] == 0
    assert files(first, "results") == files(second, "results")
    plugin.write_text(plugin.read_text().replace("image - image.mean()", "image.mean() - image"))
    third = tmp_path / "third"
    assert finish("--trust", "--from-manifest", first / "manifest.json", "--out", third, folder=tmp_path)[0] == 0
    assert files(first, "results") != files(third, "results")
