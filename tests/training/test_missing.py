"""Networks that a benchmark run trains before it scores them."""

import json

import pytest

from irsam_zoo.commands import door
from irsam_zoo.datasets import build_dataset
from irsam_zoo.engine.benchmark import RunOptions
from irsam_zoo.training.missing import train_missing
from irsam_zoo.zoo.weights.checkpoints import save_checkpoint


@pytest.fixture
def trained(tmp_path, monkeypatch):
    """Calls `train_missing` with a trainer that does nothing; gives the method, data set and schedule of each call."""
    calls = []
    monkeypatch.setattr("irsam_zoo.training.missing.train", calls.append)

    def go(*methods, **options):
        calls.clear()
        sources = ("synthetic", "nuaa-sirst")
        # Trainings on a GPU run in this process.
        run = RunOptions(methods=methods, datasets=sources, out="out", checkpoints=str(tmp_path), device="cuda", **options)
        synthetic = build_dataset("synthetic", subset="test")
        real = type("Real", (), {"name": "nuaa-sirst", "split": "irsam"})
        assert train_missing(run, dict(zip(sources, (synthetic, real), strict=True)), lambda line: None) == {}
        return [(call.method, call.dataset, call.schedule) for call in calls]

    return go


def test_networks_are_trained_on_every_data_set_where_that_is_asked_for(trained):
    assert trained("top_hat", "acmnet", train="short") == [("acmnet", "synthetic", "short"), ("acmnet", "nuaa-sirst", "short")]


def test_what_has_weights_as_good_is_left_alone(trained, tmp_path):
    save_checkpoint(tmp_path / "acmnet_synthetic_short-01234567.safetensors", {}, {"split": "irsam"})
    save_checkpoint(tmp_path / "alcnet_synthetic_short-01234567.safetensors", {}, {"split": "another"})
    assert ("acmnet", "synthetic", "smoke") not in trained("acmnet", train="smoke")
    assert ("alcnet", "synthetic", "smoke") in trained("alcnet", train="smoke")
    assert ("acmnet", "synthetic", "paper") in trained("acmnet", train="paper")
    assert trained("open-acm", train="smoke") == []  # published weights, to be fetched


def test_a_run_trains_scores_and_goes_on_where_a_training_fails(write_config, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    small, broken = write_config(4), tmp_path / "broken.py"
    broken.write_text((tmp_path / "small.py").read_text().replace("RandomFlip", "Unheard"))
    arguments = ["--datasets", "synthetic", "--limit", "2", "--train", "paper", "--methods", "top_hat", small, str(broken)]
    assert door.main(arguments) == 1
    rows = {row["method"]: row for row in map(json.loads, (p.read_text() for p in tmp_path.glob("**/results/*/irsam/*.json")))}
    assert {name: row["status"] for name, row in rows.items()} == {"top_hat": "ok", "small": "ok", "broken": "failed"}
    assert rows["broken"]["reason"].startswith("training: unknown transform 'Unheard'")
    assert rows["small"]["weights"]["schedule"] == "paper"
    (path,) = (tmp_path / "checkpoints").glob("*.safetensors")
    assert rows["small"]["weights"]["file"] == path.name
    assert "paper-trained on synthetic (irsam)" in (tmp_path / "work_dirs/benchmark/report/table1.md").read_text()
    told = capsys.readouterr().err
    assert "networks to train first: 2" in told
    assert "trained 2 of 2 networks, about 0 s left" in told
