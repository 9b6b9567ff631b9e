import numpy as np
import pytest
import torch

from irsam_zoo.baselines.deep.istdunet import centre_heat_map
from irsam_zoo.baselines.deep.parts.losses import soft_iou_loss
from irsam_zoo.zoo import build_method
from tests.golden_losses import check_loss
from tests.golden_networks import check_network, golden_path, reference_state

MASK = "loss_target_mask"


@pytest.fixture(scope="module")
def detector():
    return build_method("istdunet", weights=None)


def test_outputs_parameters_and_keys_are_the_reference(detector):
    assert detector.num_parameters == 2_761_138
    assert set(detector.network.state_dict()) == set(reference_state("istdunet")[1])
    for dtype in (torch.float64, torch.float32):
        check_network("istdunet", detector.network, dtype=dtype)


def test_losses_are_the_reference(detector):
    heat = torch.from_numpy(np.load(golden_path("istdunet", ".npz"))["loss_target_heat"]).double()
    check_loss(
        "istdunet", "author", lambda maps, masks: sum(detector.loss([map.logit() for map in maps], masks, heat).values()), MASK
    )
    check_loss("istdunet", "basicirstd", lambda maps, masks: soft_iou_loss(maps[0].logit(), masks), MASK)


def test_heat_map_is_the_reference():
    arrays = np.load(golden_path("istdunet", ".npz"))
    np.testing.assert_allclose(centre_heat_map(arrays["heat_mask"]), arrays["heat"], rtol=0, atol=1e-6)


def test_the_background_of_a_small_square_is_no_target(detector):
    masks = torch.zeros(2, 1, 16, 16)
    masks[1, 0, 5, 9] = 1
    assert not centre_heat_map(masks[0, 0].numpy()).any()
    certain = [torch.full_like(masks, -100), torch.full_like(masks, -100)]
    heat = torch.from_numpy(np.stack([detector.targets(mask.numpy())["heat"] for mask in masks[:, 0]]))
    losses = detector.loss(certain, masks, heat)
    assert losses["mask_mse"].item() == pytest.approx(1 / 512)
    spot = centre_heat_map(masks[1, 0].numpy())
    assert spot.max() == spot[5, 9] == 1
    assert losses["heat_mse"].item() == pytest.approx((spot**2).sum() / 512, rel=1e-5)


def test_the_memory_begins_as_one_tensor_and_is_two(detector):
    for attention in build_method("istdunet", weights=None).network.DN.values():
        torch.testing.assert_close(attention.linear_0.weight, attention.linear_1.weight.transpose(0, 1))
        assert attention.linear_0.weight.data_ptr() != attention.linear_1.weight.data_ptr()


@pytest.mark.parametrize(("side", "padded"), [(100, 128), (127, 128), (128, 256)])
def test_images_are_continued_to_the_next_multiple_of_128_above(detector, side, padded):
    inputs = detector.preprocess(torch.full((1, 1, side, 16), 51.0))
    assert inputs.shape == (1, 1, padded, 128)
    assert inputs.sum().item() == pytest.approx(0.2 * side * 16, rel=1e-4)
