"""MDvsFA's three updates, on networks small enough for a test."""

from types import MethodType, SimpleNamespace

import pytest
import torch
from mmengine.optim import OptimWrapperDict, build_optim_wrapper
from torch import nn

from irsam_zoo.baselines.deep.mdvsfa import Discriminator, MDvsFA
from irsam_zoo.training.alternating import AlternatingModel
from irsam_zoo.training.recipe import load_recipe

PARTS = MDvsFA.parts


class Generator(nn.Sequential):
    def __init__(self):
        super().__init__(nn.Conv2d(1, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU(), nn.Conv2d(4, 1, 1))


class Network(nn.Module):
    def __init__(self):
        super().__init__()
        self.generator1, self.generator2, self.discriminator = Generator(), Generator(), Discriminator()

    def forward(self, x):
        return self.generator1(x), self.generator2(x)


def tiny_detector():
    torch.manual_seed(0)
    network = Network()
    detector = SimpleNamespace(
        network=network, forward=network.forward, normalize=lambda images: images / 127.5 - 1, parts=PARTS
    )
    detector.part_loss = MethodType(MDvsFA.part_loss, detector)
    return detector


@pytest.fixture
def parts():
    detector = tiny_detector()
    model = AlternatingModel(detector).train()
    optimizers = build_optim_wrapper(model, load_recipe("mdvsfa", "paper").optim_wrapper("cpu"))
    generator = torch.Generator().manual_seed(0)
    data = dict(
        inputs=torch.randint(0, 256, (2, 1, 128, 128), generator=generator, dtype=torch.uint8),
        masks=(torch.rand(2, 1, 128, 128, generator=generator) > 0.98).byte(),
    )
    return model, optimizers, data


def state(module):
    return {key: value.clone() for key, value in module.state_dict().items()}


def changed(module, before):
    return {key for key, value in module.state_dict().items() if not torch.equal(value, before[key])}


def test_each_part_has_its_optimizer_and_rate(parts):
    model, optimizers, _ = parts
    assert isinstance(optimizers, OptimWrapperDict)
    assert set(optimizers.keys()) == set(PARTS)
    rates = {part: wrapper.get_lr()["lr"] for part, wrapper in optimizers.items()}
    assert rates == dict(generator1=[1e-4], generator2=[1e-4], discriminator=[1e-5])
    for part, wrapper in optimizers.items():
        ids = {id(parameter) for group in wrapper.param_groups for parameter in group["params"]}
        assert ids == {id(parameter) for parameter in getattr(model, part).parameters()}


def test_discriminator_then_first_then_second_generator(parts, monkeypatch):
    """Whenever one part takes its step, nothing has moved in those after it, statistics of norms included."""
    model, optimizers, data = parts
    start = {part: state(getattr(model, part)) for part in PARTS}
    order = []
    for part, wrapper in optimizers.items():
        update = wrapper.update_params

        def spy(loss, part=part, update=update):
            order.append(part)
            waiting = PARTS[len(order) :]
            assert all(not changed(getattr(model, other), start[other]) for other in waiting)
            update(loss)

        monkeypatch.setattr(wrapper, "update_params", spy)
    losses = model.train_step(data, optimizers)
    assert tuple(order) == PARTS
    assert all(changed(getattr(model, part), start[part]) for part in PARTS)
    assert losses["loss"] == losses["discriminator"] + losses["generator1"] + losses["generator2"]


def test_a_generator_leaves_no_gradient_in_the_discriminator(parts):
    model, optimizers, data = parts
    model._update("generator1", *prepared(model, data), optimizers["generator1"])
    assert all(parameter.grad is None for parameter in model.discriminator.parameters())
    assert all(parameter.requires_grad for parameter in model.discriminator.parameters())
    assert all(parameter.grad is None for parameter in model.generator2.parameters())


def test_training_lowers_the_generators_losses(parts):
    model, optimizers, data = parts
    for part in ("generator1", "generator2"):
        nn.init.constant_(getattr(model, part)[-1].bias, 0.5)  # outside 0..1 the clipped maps have no gradient
    for wrapper in optimizers.values():
        for group in wrapper.param_groups:
            group["lr"] *= 30
    losses = [float(model.train_step(data, optimizers)["generator1"]) for _ in range(12)]
    assert losses[-1] < 0.9 * losses[0]


def test_squares_that_the_discriminator_cannot_judge_train_the_generators_alone(parts):
    model, optimizers, data = parts
    start = {part: state(getattr(model, part)) for part in PARTS}
    losses = model.train_step({key: value[..., :64, :64] for key, value in data.items()}, optimizers)
    assert losses["discriminator"] == 0
    assert not changed(model.discriminator, start["discriminator"])
    assert changed(model.generator1, start["generator1"])
    assert changed(model.generator2, start["generator2"])
    assert all(parameter.requires_grad for parameter in model.parameters())


def prepared(model, data):
    return model.detector.normalize(data["inputs"].float()), data["masks"].float()
