"""The weights that come with the project are what model-index.yml says."""

import json
from dataclasses import asdict

import pandas as pd
import pytest
import yaml

from irsam_zoo import ROOT
from irsam_zoo.commands import door
from irsam_zoo.datasets.leaks import seen_images
from irsam_zoo.results.store import ResultStore
from irsam_zoo.training.recipe import load_recipe
from irsam_zoo.zoo.reading import sha256_file
from irsam_zoo.zoo.weights.header import read_header

MODELS = yaml.safe_load((ROOT / "model-index.yml").read_text())["Models"]
LARGEST = 110 * 2**20


def test_together_they_are_small():
    assert 0 < sum(model["Metadata"]["Size"] for model in MODELS) < LARGEST


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model["Name"])
def test_a_file_is_what_the_index_says(model):
    path, metadata = ROOT / model["Weights"], model["Metadata"]
    assert path.stat().st_size == metadata["Size"]
    assert sha256_file(path) == metadata["SHA256"]
    assert path.stem == f"{model['Name']}-{metadata['SHA256'][:8]}"
    header = read_header(path)
    assert [header[key] for key in ("method", "schedule", "seed", "code")] == [
        metadata[key] for key in ("Method", "Schedule", "Seed", "Commit")
    ]
    assert header["iterations"] == model["Stages"][-1]["Iterations"]
    assert {result["Dataset"] for result in model["Results"]} == set(seen_images(header))
    assert {result["Split"] for result in model["Results"]} == {header["split"]}
    assert path.with_suffix(".csv") == ROOT / model["Stages"][-1]["Log"]


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model["Name"])
def test_a_file_was_trained_by_the_recipe_that_its_schedule_has_now(model):
    """But for the steps and the precision, which a probe finds out, and how often the state was saved."""
    header = read_header(ROOT / model["Weights"])
    recipe = json.loads(json.dumps(asdict(load_recipe(header["method"], header["schedule"]).on_gpu())))
    trained = header["recipe"] | {"phases": [{**phase} for phase in header["recipe"]["phases"]]}
    assert sum(phase.pop("steps") for phase in trained["phases"]) == header["iterations"]
    told = lambda entries: {k: v for k, v in entries.items() if v is not None and k not in ("amp", "saves")}  # noqa: E731
    assert told(trained) == told(recipe)


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model["Name"])
def test_stages_add_up(model):
    for stage in model["Stages"]:
        last = pd.read_csv(ROOT / stage["Log"]).iloc[-1]
        assert (last["step"], round(last["seconds"])) == (stage["Iterations"], stage["Seconds"])
    for name in ("Iterations", "Seconds"):
        assert model["Metadata"][name] == sum(stage[name] for stage in model["Stages"])


# A processor and a GPU round otherwise, and so do weights in 8 bits: some pixels at the cut fall to the other side.
ROUNDING = dict(rel=2e-3, abs=1e-6)
QUICK = "nuaa-sirst"  # of all three, on which large networks take an hour and more
CELLS = [
    pytest.param(model, result, marks=[pytest.mark.real_data, *([] if result["Dataset"] == QUICK else [pytest.mark.slow])])
    for model in MODELS
    for result in model["Results"]
]


@pytest.mark.parametrize(("model", "result"), CELLS, ids=lambda part: part.get("Name") or part["Dataset"])
def test_the_metrics_are_measured_again(model, result, data_root, tmp_path, monkeypatch):
    monkeypatch.chdir(ROOT)
    config = tmp_path / f"{model['Metadata']['Method']}.py"  # a run prefers weights of one data set to those of a union
    config.write_text(f"method = dict(type={config.stem!r}, checkpoint={str(ROOT / model['Weights'])!r})\n")
    dataset, split = result["Dataset"], result["Split"]
    arguments = ["--methods", str(config), "--datasets", dataset, "--split", split, "--data-root", str(data_root)]
    assert door.main([*arguments, "--out", str(tmp_path), "--device", "cpu"]) == 0
    row = ResultStore(tmp_path).row(dataset, split, config.stem)
    assert row.weights.sha256 == model["Metadata"]["SHA256"]
    assert row.metrics["exact"] == pytest.approx(row.metrics["exact"] | result["Metrics"], **ROUNDING)
