"""The way from a batch to losses, for every deep method."""

import pytest
import torch
from mmengine.optim import OptimWrapper
from torch.utils.data import default_collate

from irsam_zoo.datasets import build_dataset
from irsam_zoo.training.data import TrainingSet
from irsam_zoo.training.model import TrainingModel, full_precision
from irsam_zoo.zoo import build_method
from tests.deep_methods import DEEP

# They have parts that this loss does not reach; tests of their own say which.
PARTLY = ("hdnet", "irsam", "isnet", "mdvsfa", "rdian", "rpcanet_pp", "sctransnet")


@pytest.mark.parametrize("name", [*DEEP, "acmnet_fpn", "alcnet_localsk"])
def test_every_deep_method_has_losses_and_trains_every_parameter(name):
    torch.manual_seed(0)
    detector = build_method(name, weights=None)
    model = TrainingModel(detector).train()
    side = {"irsam": 128, "mdvsfa": 32}.get(name, max(64, detector.smallest_input))
    inputs = torch.randint(0, 256, (2, 1, side, side), dtype=torch.uint8)
    masks = torch.zeros(2, 1, side, side, dtype=torch.uint8)
    masks[:, :, 20:24, 30:35] = 1
    made = [detector.targets(mask.numpy()) for mask in masks[:, 0]] if detector.targets else []
    losses = model(inputs, masks, **(default_collate(made) if made else {}))
    total, log = model.parse_losses(losses)
    assert torch.isfinite(total)
    assert log["loss"] == total
    assert all(key.startswith("loss_") for key in losses)
    assert total.item() == pytest.approx(sum(value.item() for value in losses.values()))
    total.backward()
    gradients = [parameter.grad for parameter in model.parameters() if parameter.grad is not None]
    assert gradients
    assert len(gradients) == len(list(model.parameters())) or name in PARTLY
    assert all(torch.isfinite(gradient).all() for gradient in gradients)
    assert any(gradient.any() for gradient in gradients)


@pytest.mark.parametrize(("name", "maps"), [("dnanet", 4), ("sctransnet", 6), ("isnet", 1)])
def test_a_loss_by_name_is_taken_of_every_map_that_is_supervised(name, maps):
    torch.manual_seed(0)
    detector = build_method(name, weights=None)
    inputs, masks = torch.randint(0, 256, (2, 1, 32, 32)), torch.randint(0, 2, (2, 1, 32, 32))
    model = TrainingModel(detector, loss="bce").eval()
    with torch.no_grad():
        losses = model(inputs, masks)
        found = detector.supervised(detector.forward(detector.normalize(inputs.float())))
    assert len(found) == maps
    want = sum(torch.nn.functional.binary_cross_entropy_with_logits(logits, masks.float()) for logits in found) / maps
    assert list(losses) == ["loss_bce"]
    assert float(losses["loss_bce"]) == pytest.approx(float(want), rel=1e-4)


def test_training_lowers_the_loss():
    torch.manual_seed(0)
    dataset = build_dataset("synthetic", subset="train")
    samples = TrainingSet(dataset, dataset.ids[:4], {0: [dict(type="RandomCrop", size=64, on_target=1.0)]}, seed=0)
    batch = default_collate([samples[k, k] for k in range(4)])
    model = TrainingModel(build_method("mmseg", weights=None)).train()  # cross-entropy falls fastest
    optimizer = OptimWrapper(torch.optim.AdamW(model.parameters(), 1e-2))
    losses = [model.train_step(batch, optimizer)["loss"].item() for _ in range(12)]
    assert losses[-1] < 0.5 * losses[0]


def test_outputs_become_float32_however_they_are_nested():
    half = torch.zeros(2, dtype=torch.bfloat16)
    first, (second, third) = full_precision((half, [half, None]))
    assert first.dtype == second.dtype == torch.float32
    assert third is None
