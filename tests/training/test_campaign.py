"""Several networks until each has its weights."""

import pytest

from irsam_zoo.training.campaign import networks, train_all
from irsam_zoo.training.train import TrainOptions
from irsam_zoo.zoo.weights.header import read_header

NAMES = ("acmnet_quarter", "acmnet_fpn")


@pytest.fixture
def options(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    phases = [dict(size=32, batch_size=2, share=1, on_target=0.9)]
    return TrainOptions(
        method="acmnet", dataset="synthetic", schedule="budget", budget=0.2, recipe=dict(phases=phases, saves=2), out="work"
    )


def test_networks_are_those_of_the_table_first():
    assert networks()[:8] == ["mdvsfa", "acmnet", "alcnet", "dim2clear", "uiunet", "dnanet", "isnet", "irsam"]


def test_each_network_is_trained_once(options, tmp_path):
    lines = []
    assert train_all(NAMES, options, report=lines.append) == {}
    written = sorted((tmp_path / "checkpoints").glob("*.safetensors"))
    assert [path.name.split("-")[0] for path in written] == ["acmnet_fpn_synthetic_budget", "acmnet_quarter_synthetic_budget"]
    assert {read_header(path)["plan"]["budget_seconds"] for path in written} == {0.2}
    assert lines[0] == "0 of 2 networks have such weights; to train: acmnet_quarter, acmnet_fpn"
    assert lines[1].startswith("running: acmnet_quarter; 1 to come; at least ")
    lines.clear()
    assert train_all(NAMES, options, report=lines.append) == {}
    assert lines == ["2 of 2 networks have such weights: acmnet_quarter, acmnet_fpn; to train: none"]
    assert sorted((tmp_path / "checkpoints").glob("*.safetensors")) == written


def test_a_failure_takes_no_other_network_along(options, tmp_path):
    lines = []
    failures = train_all(("ipi", "acmnet_quarter"), options, report=lines.append)
    assert list(failures) == ["ipi"]
    assert "has no network to train" in failures["ipi"]
    assert len(list((tmp_path / "checkpoints").glob("acmnet_quarter*.safetensors"))) == 1
