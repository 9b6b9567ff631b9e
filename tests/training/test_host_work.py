"""What keeps a step from being captured: reading a value on the host, sizes that depend on values, copies from the host.

Steps are run on torch's meta device, which has shapes and no values, so that all networks take seconds.
"""

from contextlib import nullcontext

import pytest
import torch
from mmengine.optim import build_optim_wrapper
from torch.utils._python_dispatch import TorchDispatchMode

from irsam_zoo.training.campaign import networks
from irsam_zoo.training.recipe import load_recipe
from irsam_zoo.training.step import Step
from irsam_zoo.zoo import build_method

NETWORKS = networks()


class HostWork(TorchDispatchMode):
    """Counts operations, and notes those that a graph cannot hold."""

    def __init__(self):
        super().__init__()
        self.count, self.found = 0, []

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        self.count += 1
        result = function(*args, **kwargs)
        if function in (torch.ops.aten._to_copy.default, torch.ops.aten.copy_.default):
            source = args[1] if function is torch.ops.aten.copy_.default else args[0]
            target = args[0] if function is torch.ops.aten.copy_.default else result
            if source.device.type == "cpu" and target.device.type == "meta":
                self.found.append(f"{function} of {tuple(source.shape)} from the host")
        if function is torch.ops.aten.index.Tensor and any(at is not None and at.dtype == torch.bool for at in args[1]):
            self.found.append("an index by a mask, whose size depends on values")
        return result


@pytest.fixture(autouse=True)
def no_autocast(monkeypatch):
    """Which the meta device does not know; on a GPU it adds casts alone."""
    monkeypatch.setattr(torch, "autocast", lambda *args, **kwargs: nullcontext())


def on_meta(name, phase):
    """The operations of a step of a phase, as a GPU takes it."""
    detector = build_method(name)
    recipe = load_recipe(name, "budget", input_size=detector.input_size)
    model = recipe.training_model(detector).to("meta").train()
    wrapper = build_optim_wrapper(model, recipe.optim_wrapper("cpu"))
    step = Step(model, wrapper)
    size, batch = recipe.phases[phase]["size"], recipe.phases[phase]["batch_size"]
    squares = torch.zeros(batch, 1, size, size, dtype=torch.uint8, device="meta")
    further = {} if detector.targets is None else {"heat": torch.zeros(batch, 1, size, size, device="meta")}
    with HostWork() as work:
        step({"inputs": squares, "masks": squares, **further})
    return work


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("phase", [0, 1])
def test_a_step_asks_the_host_for_nothing(name, phase):
    work = on_meta(name, phase)
    assert work.count > 100
    assert not work.found
