"""A budget of processor time: how it is read, what it is enough for, and that a plan is kept."""

from dataclasses import replace
from itertools import islice

import pytest
import torch
from mmengine.optim import build_optim_wrapper

from irsam_zoo.datasets import build_dataset
from irsam_zoo.runtime.durations import parse_duration
from irsam_zoo.training.budget import TIMED_IN_A_ROW, _Probe, plan_steps
from irsam_zoo.training.data import PhasedBatches, TrainingSet
from irsam_zoo.training.recipe import load_recipe
from irsam_zoo.training.train import TrainOptions, train
from irsam_zoo.zoo import UsageError, build_method
from irsam_zoo.zoo.weights.checkpoints import load_checkpoint
from tests.training.builders import Replays

PHASES = [dict(size=32, batch_size=4, share=3, on_target=1.0), dict(size=64, batch_size=2, share=1, on_target=0.0)]
RECIPE = dict(phases=PHASES, saves=4)


@pytest.fixture
def acm_recipe():
    return load_recipe("acmnet_quarter", "budget", changes=RECIPE)


@pytest.fixture
def five_steps(monkeypatch):
    """Plans that are short, however fast the machine."""
    monkeypatch.setattr("irsam_zoo.training.budget._probed", lambda *args: {"amp": False, "steps": [3, 2]})
    monkeypatch.setattr("irsam_zoo.training.provenance.code_commit", lambda: "commit")  # it may change while tests run


@pytest.fixture
def samples():
    dataset = build_dataset("synthetic", subset="train")
    return lambda augmentations: TrainingSet(dataset, dataset.ids[:8], augmentations, seed=0)


@pytest.mark.parametrize(
    ("text", "seconds"), [("2h", 7200), ("90m", 5400), ("1h30m", 5400), ("45s", 45), ("45", 45), ("0.5h", 1800)]
)
def test_durations(text, seconds):
    assert parse_duration(text) == seconds


@pytest.mark.parametrize("text", ["", "0h", "two hours", "2d", "-1h"])
def test_what_is_no_duration(text):
    with pytest.raises(UsageError, match="no length of time"):
        parse_duration(text)


def test_batches_of_phases_follow_one_another_and_resume():
    batches = PhasedBatches(5, [(2, 3), (2, 2)], seed=1)
    drawn = list(islice(batches, 6))
    assert [len(batch) for batch in drawn] == [3, 3, 2, 2, 2, 2]
    assert [serial for batch in drawn for serial, _ in batch] == list(range(14))
    indices = [index for batch in drawn for _, index in batch]
    assert sorted(indices[:5]) == sorted(indices[5:10]) == list(range(5))  # no image of an epoch is left out
    batches.first = 3
    assert list(islice(batches, 3)) == drawn[3:]


def test_each_phase_has_its_squares(acm_recipe, samples):
    recipe = replace(acm_recipe, phases=[phase | {"steps": 2} for phase in acm_recipe.phases])
    assert recipe.iterations(99) == 4
    training_set = samples(recipe.augmentations())
    sides = [training_set[serial, serial % 8]["inputs"].shape[-1] for serial in (0, 7, 8, 11)]
    assert sides == [32, 32, 64, 64]


def test_steps_fill_the_budget_and_the_network_is_left_as_it_was(acm_recipe, samples, tmp_path, monkeypatch):
    """By a clock on which each step takes one second."""
    clock = iter(range(10**6))
    monkeypatch.setattr("irsam_zoo.training.budget.time.process_time", lambda: next(clock))
    detector = build_method("acmnet_quarter", weights=None)
    before = {key: value.clone() for key, value in detector.network.state_dict().items()}
    recipe, plan = plan_steps(
        acm_recipe, detector, samples, budget=400.0, device="cpu", identity=["x"], places=(tmp_path, tmp_path)
    )
    assert [phase["steps"] for phase in recipe.phases] == [300, 100]
    assert plan["budget_seconds"] == 400
    assert all(torch.equal(value, before[key]) for key, value in detector.network.state_dict().items())


def test_a_plan_is_kept_for_the_same_run_alone(acm_recipe, samples, tmp_path, monkeypatch):
    made = []
    monkeypatch.setattr("irsam_zoo.training.budget._probed", lambda *args: made.append(1) or {"amp": False, "steps": [7, 3]})
    detector = build_method("acmnet_quarter", weights=None)

    def plan(budget, identity="x"):
        places = (tmp_path, tmp_path)
        options = dict(budget=budget, device="cpu", identity=[identity], places=places)
        return [phase["steps"] for phase in plan_steps(acm_recipe, detector, samples, **options)[0].phases]

    assert plan(60.0) == plan(60.0) == [7, 3]
    assert len(made) == 1
    plan(61.0)
    plan(61.0, "y")
    assert len(made) == 3


def options(tmp_path, out, **changes):
    return TrainOptions(
        method="acmnet_quarter",
        dataset="synthetic",
        schedule="budget",
        budget=0.5,
        out=str(tmp_path / out),
        checkpoints=str(tmp_path / "checkpoints"),
        recipe=RECIPE,
        bar=False,
        **changes,
    )


def test_a_repeated_run_takes_the_same_steps_and_bytes(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("irsam_zoo.training.provenance.code_commit", lambda: "commit")
    first = train(options(tmp_path, "a"))
    metadata = load_checkpoint(first)[1]
    steps = [phase["steps"] for phase in metadata["recipe"]["phases"]]
    assert sum(steps) == metadata["iterations"]
    assert metadata["plan"]["budget_seconds"] == 0.5
    assert metadata["evaluation"] == {"input_size": "native"}
    assert f"{steps[0]} of 4 squares of 32 px, {steps[1]} of 2 squares of 64 px" in capsys.readouterr().err
    content = first.read_bytes()
    again = train(options(tmp_path, "b"))  # whose steps come from the header of the first
    assert again == first
    assert again.read_bytes() == content


def test_a_time_limit_ends_a_run_that_goes_on_later(tmp_path, five_steps, capsys):
    whole = train(options(tmp_path, "whole")).read_bytes()
    ends = 0
    while train(options(tmp_path, "parts", time_limit=0.001)) is None:
        assert "the time is over at step" in capsys.readouterr().err
        ends += 1
    assert ends == 4  # a step each time
    assert next((tmp_path / "checkpoints").glob("*.safetensors")).read_bytes() == whole
    assert len(list((tmp_path / "checkpoints").glob("*.safetensors"))) == 1


def test_weights_are_tested_at_the_size_that_they_were_trained_for(tmp_path, five_steps):
    path = train(options(tmp_path, "run"))
    assert build_method("acmnet_quarter", weights=None).input_size == 512
    assert build_method("acmnet_quarter", checkpoint=str(path)).input_size is None
    assert build_method("acmnet_quarter", checkpoint=str(path), input_size=256).input_size == 256


@pytest.mark.parametrize(
    ("phases", "text"),
    [
        ([], "no list of dicts"),
        ([dict(size=64, share=1)], "no list of dicts"),
        ([dict(size=8, batch_size=1, share=1)], "size=8"),
        ([dict(size=64, batch_size=0, share=1)], "batch_size=0"),
        ([dict(size=64, batch_size=1, share=0)], "share=0"),
        ([dict(size=64, batch_size=1, share=1)], "asks for phase.on_target"),
    ],
)
def test_phases_that_cannot_be(phases, text):
    with pytest.raises(UsageError, match=text):
        load_recipe("acmnet", "budget", changes=dict(phases=phases))


@pytest.mark.parametrize("cut_on_device", [True, False])
def test_the_probe_of_a_gpu_times_steps_as_the_loop_takes_them(acm_recipe, samples, monkeypatch, cut_on_device):
    """By a stand-in for graphs, on a CPU."""
    graphs = Replays()
    monkeypatch.setattr("irsam_zoo.training.budget.CudaGraphs", lambda: graphs)
    monkeypatch.setattr("irsam_zoo.training.budget.can_cut", lambda samples: cut_on_device)
    monkeypatch.setattr("irsam_zoo.training.step.can_be_captured", lambda wrapper: True)
    monkeypatch.setattr("torch.cuda.synchronize", lambda: None)
    recipe = replace(acm_recipe, phases=[phase | {"steps": 100} for phase in PHASES])
    detector = build_method("acmnet_quarter", weights=None)
    model = recipe.training_model(detector).train()
    wrapper = build_optim_wrapper(model, recipe.optim_wrapper("cpu"))
    probe = _Probe(detector, samples(recipe.augmentations()), "cpu", 1)
    batches = iter([(serial, serial % 8) for serial in range(start, start + 2)] for start in range(0, 200, 2))
    assert probe._on_gpu(model, wrapper, batches) > 0
    assert (graphs.captures, graphs.replays) == (1, TIMED_IN_A_ROW + 1)
