import math

import pytest
import torch

from irsam_zoo.zoo.lookup import registered
from irsam_zoo.zoo.losses import LOSSES

NAMES = ("bce", "dice", "edge_bce", "focal", "sls", "soft_iou")
# Two images of 1x2 pixels with probabilities (1/2, 3/4) and (1/4, 1/2), masks (1, 0) and (1, 1).
LOGITS = torch.logit(torch.tensor([[[[0.5, 0.75]]], [[[0.25, 0.5]]]]))
MASKS = torch.tensor([[[[1.0, 0.0]]], [[[1.0, 1.0]]]])


def loss(name):
    return registered(LOSSES, name)


def test_the_registry_holds_six():
    assert loss("otsu") is None
    assert sorted(LOSSES.module_dict) == list(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_a_better_map_has_less_loss_and_none_is_infinite(name):
    masks = torch.zeros(2, 1, 24, 24)
    masks[0, :, 8:11, 9:13] = 1  # the other image is empty
    logits = [(4 * k * (2 * masks - 1)).requires_grad_() for k in (1, 0, -1)]
    values = [loss(name)(map, masks) for map in logits]
    assert values[0] < values[1] < values[2]
    for map, value in zip(logits, values, strict=True):
        value.backward()
        assert torch.isfinite(map.grad).all()
    sure = loss(name)(60 * (2 * masks - 1), masks)
    assert torch.isfinite(sure)


@pytest.mark.parametrize("name", NAMES)
def test_a_map_that_is_exactly_zero_on_an_empty_image_has_a_loss(name):
    logits = torch.full((2, 1, 8, 8), -200.0)  # whose sigmoid is 0 in float32
    masks = torch.zeros(2, 1, 8, 8)
    masks[1, :, 2:4, 2:4] = 1
    logits[1, :, 3, 3] = 0
    logits.requires_grad_()
    value = loss(name)(logits, masks)
    value.backward()
    assert torch.isfinite(value)
    assert torch.isfinite(logits.grad).all()
    assert logits.grad[1, 0, 3, 3] < 0


def test_by_hand():
    assert loss("soft_iou")(LOGITS, MASKS).item() == pytest.approx(1 - (1.25 + 1) / (3.75 + 1))
    assert loss("dice")(LOGITS, MASKS).item() == pytest.approx(1 - (2 * 1.25 + 1) / (2 + 3 + 1))
    cross_entropies = [math.log(2), math.log(4), math.log(4), math.log(2)]
    assert loss("bce")(LOGITS, MASKS).item() == pytest.approx(sum(cross_entropies) / 4)
    wrong, alpha = [0.5, 0.75, 0.75, 0.5], [0.25, 0.75, 0.25, 0.25]
    terms = [a * w**2 * c for a, w, c in zip(alpha, wrong, cross_entropies, strict=True)]
    assert loss("focal")(LOGITS, MASKS).item() == pytest.approx(sum(terms) / 3)


def test_pixels_weigh_by_how_unlike_their_surroundings_they_are():
    # The mean of 31x31 px, zeros around the image, is 1/961 at both pixels of the first image and 2/961 at those of the second.
    weights = [1 + 5 * 960 / 961, 1 + 5 / 961, 1 + 5 * 959 / 961, 1 + 5 * 959 / 961]
    first = (weights[0] * math.log(2) + weights[1] * math.log(4)) / (weights[0] + weights[1])
    second = (math.log(4) + math.log(2)) / 2
    assert loss("edge_bce")(LOGITS, MASKS).item() == pytest.approx((first + second) / 2, rel=1e-6)
