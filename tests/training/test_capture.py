"""Steps that are replayed: the same weights as operation by operation, by a stand-in for torch's graphs that runs anywhere."""

import pytest
import torch
from mmengine.optim import build_optim_wrapper

from irsam_zoo.training.capture import BEFORE_CAPTURE, CapturedSteps
from irsam_zoo.training.loop import StepTrainLoop
from irsam_zoo.training.recipe import load_recipe
from irsam_zoo.training.step import Step
from irsam_zoo.training.train import TrainOptions, train
from irsam_zoo.zoo import build_method
from irsam_zoo.zoo.weights.checkpoints import load_checkpoint
from tests.training.builders import Replays


def add(batch):
    return {"loss": batch["inputs"].sum()}


def batch(*numbers):
    return {"inputs": torch.tensor(numbers, dtype=torch.float32)}


def test_each_kind_is_taken_a_few_times_and_then_captured_once():
    graphs = Replays()
    steps = CapturedSteps(add, graphs, clean=pytest.fail, tell=pytest.fail)
    given = [batch(number, 1) for number in range(6)] + [batch(number, 1, 1) for number in range(6)]
    assert [steps(each, "a")["loss"].item() for each in given] == [each["inputs"].sum().item() for each in given]
    assert (graphs.captures, graphs.replays) == (2, 2 * (6 - BEFORE_CAPTURE))
    assert steps(batch(1, 2, 3), "b")["loss"] == 6  # another kind of the same shapes
    assert (graphs.captures, graphs.replays) == (2, 2 * (6 - BEFORE_CAPTURE))


def test_the_batch_of_a_replay_is_a_copy():
    steps = CapturedSteps(add, Replays(), clean=pytest.fail, tell=pytest.fail)
    given = [batch(number) for number in range(6)]
    for each in given:
        steps(each, None)
    assert [each["inputs"].item() for each in given] == [*range(6)]


def test_a_step_that_cannot_be_captured_is_taken_and_told_once():
    told, cleaned = [], []
    fault = RuntimeError("operation not permitted\nwhen stream is capturing")
    steps = CapturedSteps(add, Replays(fault), clean=lambda: cleaned.append(1), tell=told.append)
    assert [steps(batch(number), None)["loss"].item() for number in range(8)] == [*range(8)]
    assert cleaned == [1]
    (line,) = told
    assert "RuntimeError: operation not permitted when stream is capturing" in line


def trained(name, graphs, sizes=(32, 32, 32, 32, 32, 32, 48, 48, 48, 48, 48), changes=None):
    """A network's state after a step on random squares of each size, at a rate that changes."""
    torch.manual_seed(0)
    detector = build_method(name)
    recipe = load_recipe(name, "budget", input_size=detector.input_size, changes=changes)
    model = recipe.training_model(detector).train()
    wrapper = build_optim_wrapper(model, recipe.optim_wrapper("cpu"))
    for group in wrapper.optimizer.param_groups:
        group["capturable"] = graphs is not None  # of which the CPU's optimiser knows nothing
    step, losses = Step(model, wrapper, graphs=graphs), []
    for number, size in enumerate(sizes):
        torch.manual_seed(number)
        for group in wrapper.optimizer.param_groups:
            group["lr"] = 1e-3 / (number + 1)
        squares = torch.randint(0, 256, (2, 1, size, size), dtype=torch.uint8)
        losses.append(step({"inputs": squares, "masks": (squares > 250).byte()}, None)["loss"].item())
    return losses, detector.network.state_dict()


@pytest.mark.parametrize("changes", [None, {"clip": 0.1}])
def test_replayed_steps_train_as_others_do(monkeypatch, changes):
    monkeypatch.setattr(torch.optim.AdamW, "step", eager_step(torch.optim.AdamW.step))
    graphs = Replays()
    (losses, state), (again, replayed) = (trained("acmnet_quarter", each, changes=changes) for each in (None, graphs))
    assert graphs.captures == 2
    assert losses == again
    assert all(torch.equal(value, replayed[key]) for key, value in state.items())


def eager_step(step):
    """An optimiser's step that overlooks ``capturable``, which torch has for accelerators alone."""

    def wrapped(self, *args, **kwargs):
        kept = [group["capturable"] for group in self.param_groups]
        for group in self.param_groups:
            group["capturable"] = False
        try:
            return step(self, *args, **kwargs)
        finally:
            for group, value in zip(self.param_groups, kept, strict=True):
                group["capturable"] = value

    return wrapped


@pytest.mark.parametrize("sampler", ["loader", "device"])
def test_a_whole_run_gives_the_same_bytes(tmp_path, monkeypatch, sampler):
    """Captured or not, cut by the loader or on the device: crops and flips alone, averaged weights."""
    monkeypatch.setattr("irsam_zoo.training.provenance.code_commit", lambda: "commit")
    steps = [dict(type="RandomCrop", size="phase.size", on_target="phase.on_target"), dict(type="RandomFlip", prob=0.5)]
    phases = [dict(size=size, batch_size=2, share=1, on_target=0.8, steps=6) for size in (32, 48)]
    graphs = Replays()
    original = StepTrainLoop.__init__

    def captured(self, *args, **kwargs):
        original(self, *args, **kwargs | {"graphs": graphs, "losses_every": 5})

    def run(name, **options):
        changes = {"phases": phases, "augmentation": steps, "amp": False, "saves": 1}
        options |= dict(schedule="budget", recipe=changes, out=str(tmp_path / name), checkpoints=str(tmp_path / "c" / name))
        return train(TrainOptions(method="acmnet_quarter", dataset="synthetic", **options))

    plain = run("plain")
    monkeypatch.setattr(StepTrainLoop, "__init__", captured)
    monkeypatch.setattr("irsam_zoo.training.step.can_be_captured", lambda wrapper: True)
    replayed = run("replayed", sampler=sampler)
    assert graphs.captures == 2
    assert plain.read_bytes() == replayed.read_bytes()
    assert load_checkpoint(plain)[1]["iterations"] == 12
