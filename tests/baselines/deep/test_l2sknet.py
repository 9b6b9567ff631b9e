import numpy as np
import pytest
import torch

from irsam_zoo.zoo import UsageError, build_method
from irsam_zoo.zoo.weights.conversion import convert_state_dict
from tests.golden_losses import check_loss
from tests.golden_networks import check_network, reference_state

VARIANTS = {
    "l2sknet": ("l2sknet_unet", 898_913),
    "l2sknet_fpn": ("l2sknet_fpn", 1_071_053),
    "l2sknet_unet_1d": ("l2sknet_1d_unet", 1_326_753),
    "l2sknet_fpn_1d": ("l2sknet_1d_fpn", 1_498_893),
}


def renamed(state):
    return convert_state_dict("l2sknet", state)


@pytest.mark.parametrize("name", VARIANTS)
def test_outputs_parameters_and_keys_are_the_reference(name):
    reference, parameters = VARIANTS[name]
    method = build_method(name, weights=None)
    assert method.num_parameters == parameters
    assert set(method.network.state_dict()) == set(renamed(reference_state(reference)[1]))
    for dtype in (torch.float64, torch.float32):
        check_network(reference, method.network, renamed, dtype=dtype)


@pytest.mark.parametrize("variant", ["unet", "fpn"])
def test_probabilities_are_the_sigmoid_of_the_logits(variant):
    method = build_method("l2sknet", variant=variant, weights=None)
    x = torch.rand(1, 1, 24, 32)
    with torch.inference_mode():
        torch.testing.assert_close(method.network(x), method.forward(x).sigmoid())


def test_loss_is_the_reference():
    method = build_method("l2sknet", weights=None)
    check_loss("l2sknet_unet", "author", lambda maps, masks: method.loss(torch.logit(maps[0]), masks)["soft_iou"])


@pytest.mark.parametrize("variant", ["unet_1d", "fpn_1d"])
def test_exactly_the_square_kernels_of_the_one_dimensional_forms_do_not_learn(variant):
    method = build_method("l2sknet", variant=variant, weights=None)
    method.network.train()
    method.loss(method.forward(torch.rand(2, 1, 16, 16)), torch.ones(2, 1, 16, 16))["soft_iou"].backward()
    silent = {name: parameter for name, parameter in method.network.named_parameters() if parameter.grad is None}
    assert all(name.endswith(".0.conv.weight") for name in silent)
    assert sum(parameter.numel() for parameter in silent.values()) == 507_904


def test_the_image_keeps_its_size_and_is_scaled_to_one():
    method = build_method("l2sknet", weights=None)
    inputs = method.preprocess(torch.full((1, 1, 33, 40), 255.0))
    assert inputs.shape == (1, 1, 40, 40)
    assert inputs.unique().tolist() == [1.0]
    assert method.predict(np.random.default_rng(0).uniform(0, 255, (33, 45))).shape == (33, 45)


def test_no_other_variant():
    with pytest.raises(UsageError, match="variant 'net' of l2sknet is not one of unet, fpn, unet_1d, fpn_1d"):
        build_method("l2sknet", variant="net", weights=None)
