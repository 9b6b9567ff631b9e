import numpy as np
import pytest
import torch

from irsam_zoo.zoo import build_method
from irsam_zoo.zoo.weights.checkpoints import convert_keys
from tests.golden_losses import check_loss
from tests.golden_networks import check_network, reference_state


@pytest.fixture(scope="module")
def detector():
    return build_method("agpcnet", weights=None)


# By the gains of the second, attention moves outputs by 0.4 of their standard deviation; by those of the first, by 1e-4.
@pytest.mark.parametrize("reference", ["agpcnet", "agpcnet_gamma"])
def test_outputs_parameters_and_keys_are_the_reference(detector, reference):
    assert detector.num_parameters == 12_360_461
    converted = convert_keys(reference_state(reference)[1], detector.convert_rules)
    assert set(detector.network.state_dict()) == set(converted)
    for dtype in (torch.float64, torch.float32):
        check_network(
            reference, detector.network, lambda state: convert_keys(state, detector.convert_rules), dtype=dtype
        )  # fmt: skip


def test_losses_are_the_reference(detector):
    for empty in ("", "_empty"):
        check_loss(
            "agpcnet",
            f"soft_iou{empty}",
            lambda logits, masks: detector.loss(*logits, masks)["soft_iou"],
            f"loss_target{empty}",
        )


def test_attention_starts_switched_off(detector):
    fresh = build_method("agpcnet", weights=None).network
    gains = [value for name, value in fresh.named_parameters() if name.endswith("gamma")]
    assert len(gains) == 12
    assert not any(gain.any() for gain in gains)


def test_convolutions_start_from_kaiming_by_their_fan_out():
    torch.manual_seed(0)
    network = build_method("agpcnet", weights=None).network
    for weight in (network.backbone.layer4[1].body[0].weight, network.context.conv2[0].weight):
        fan_out = weight.shape[0] * weight[0, 0].numel()
        assert weight.std().item() == pytest.approx((2 / fan_out) ** 0.5, rel=0.02)


def test_small_images_are_padded_to_what_the_grid_needs():
    image = np.random.default_rng(0).integers(0, 256, (20, 81), dtype=np.uint8)
    detector = build_method("agpcnet", input_size="native", weights=None)
    assert detector.preprocess(torch.from_numpy(image)[None, None].float()).shape == (1, 3, 76, 84)
    assert detector.predict(image).shape == (20, 81)
