"""The average of all tensors at once against mmengine's, tensor by tensor."""

from types import SimpleNamespace

import pytest
import torch
from mmengine.model import ExponentialMovingAverage, MomentumAnnealingEMA
from torch import nn

from irsam_zoo.training.average import AverageHook

KINDS = {
    "MomentumAnnealingEMA": (MomentumAnnealingEMA, dict(momentum=0.05, gamma=3)),
    "ExponentialMovingAverage": (ExponentialMovingAverage, dict(momentum=0.1)),
}


def network(seed):
    torch.manual_seed(seed)
    return nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("on_device", [False, True])
@pytest.mark.parametrize("begin", [0, 3])
def test_the_average_is_mmengines(kind, on_device, begin):
    cls, options = KINDS[kind]
    model, source = network(0), network(1)
    average = cls(model, update_buffers=True, **options)
    hook = AverageHook(ema_type=kind, update_buffers=True, begin_iter=begin, **options)
    runner = SimpleNamespace(model=model, iter=0, epoch=0, max_iters=20, max_epochs=1)
    hook.before_run(runner)
    hook.before_train(runner)
    hook.on_device = on_device
    ways, begin = [], max(0, begin - 1)  # mmengine counts the first iteration as 1
    for step in range(8):
        runner.iter = step
        with torch.no_grad():
            for value, change in zip(model.parameters(), source.parameters(), strict=True):
                value.add_(change)
            model(torch.rand(2, 1, 8, 8))
        if step >= begin:
            average.update_parameters(model)
        ways.append(hook.advance(runner))
        hook.average(runner, ways[-1])
        if step >= begin:
            for ours, theirs in zip(
                hook.ema_model.module.state_dict().values(), average.module.state_dict().values(), strict=True
            ):
                assert torch.equal(ours, theirs) if not on_device else torch.allclose(ours, theirs, rtol=1e-6, atol=1e-7)
    assert ways == ["follow"] * begin + ["alone"] + ["together"] * (7 - begin)
    assert hook.ema_model.steps == average.steps == 8 - begin
