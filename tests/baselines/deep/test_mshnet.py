import numpy as np
import pytest
import torch

from irsam_zoo.baselines.deep.parts.losses import soft_iou_loss
from irsam_zoo.baselines.deep.parts.scale_location import location_loss, scale_loss, sls_loss
from irsam_zoo.zoo import UsageError, build_method
from tests.golden_losses import check_loss
from tests.golden_networks import check_network, reference_state

NAME = "mshnet_3ch"


@pytest.fixture(scope="module")
def detector():
    return build_method("mshnet", weights=None)


def test_outputs_parameters_and_keys_are_the_reference(detector):
    assert detector.num_parameters == 4_065_513
    assert set(detector.network.state_dict()) == set(reference_state(NAME)[1])
    for dtype in (torch.float64, torch.float32):
        check_network(NAME, detector.network, dtype=dtype, select=lambda outputs: [*outputs[0], outputs[1]])


@pytest.mark.parametrize(
    ("key", "loss"),
    [
        ("sls", lambda logits, masks: sls_loss(*logits, masks)),
        ("sls_warm", lambda logits, masks: scale_loss(*logits, masks, weighted=False)),
        ("sls_without_location", lambda logits, masks: scale_loss(*logits, masks)),
        ("location", lambda logits, masks: location_loss(*logits, masks)),
        ("soft_iou", lambda logits, masks: soft_iou_loss(*logits, masks, per_sample=True)),
    ],
)
def test_losses_are_the_reference(key, loss):
    check_loss(NAME, key, loss)


def test_losses_of_a_batch_with_an_empty_image_are_the_reference():
    masks = "loss_target_empty"
    check_loss(NAME, "sls_empty", lambda logits, masks: sls_loss(*logits, masks), masks)
    check_loss(NAME, "sls_empty_warm", lambda logits, masks: scale_loss(*logits, masks, weighted=False), masks)


def test_training_losses_are_the_reference(detector):
    check_loss(NAME, "total", lambda maps, masks: detector.loss((maps[1:], maps[0]), masks)["sls"])
    check_loss(NAME, "sls_warm", lambda maps, masks: detector.loss(([], *maps), masks)["sls"])


def test_a_warm_up_holds_for_training_alone(detector):
    x = torch.rand(2, 3, 32, 48)
    detector.warming_up = True
    try:
        detector.network.train()
        sides, prediction = detector.forward(x)
        assert sides == []
        torch.testing.assert_close(detector.logits((sides, prediction)), prediction)
        detector.network.eval()
        sides, prediction = detector.forward(x)
    finally:
        detector.warming_up = False
    assert [side.shape[-1] for side in sides] == [48, 24, 12, 6]
    torch.testing.assert_close(detector.network(x, False)[1], sides[0])
    torch.testing.assert_close(detector.network.fused(sides), prediction)


@pytest.mark.parametrize("share", [-0.1, 1, "no"])
def test_a_warm_up_is_a_share_of_the_run(share):
    with pytest.raises(UsageError, match="warm_up"):
        build_method("mshnet", warm_up=share, weights=None)


def test_native_size_is_padded_to_sixteen():
    image = np.random.default_rng(0).integers(0, 256, (50, 70), dtype=np.uint8)
    assert build_method("mshnet", input_size="native", weights=None).predict(image).shape == (50, 70)
