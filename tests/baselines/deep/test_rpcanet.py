import cv2
import numpy as np
import pytest
import torch

from irsam_zoo.zoo import build_method
from tests.golden_losses import check_loss
from tests.golden_networks import check_network, golden_path, reference_state

PARAMETERS = {"rpcanet": 679_896, "rpcanet_pp_s3": 1_480_791, "rpcanet_pp_s6": 2_961_582}


@pytest.mark.parametrize("reference", PARAMETERS)
def test_outputs_parameters_and_keys_are_the_reference(reference):
    method = build_method(reference.removesuffix("_s6"), weights=None)
    assert method.num_parameters == PARAMETERS[reference]
    assert list(method.network.state_dict()) == list(reference_state(reference)[1])
    for dtype in (torch.float64, torch.float32):
        check_network(reference, method.network, dtype=dtype)


def test_nine_stages():
    assert build_method("rpcanet_pp_s9", weights=None).num_parameters == 4_442_373


@pytest.mark.parametrize("suffix", ["", "_empty"])
def test_soft_iou_is_the_reference(suffix):
    method = build_method("rpcanet", restoration_weight=0, weights=None)
    image = loss_image()

    def loss(predictions, masks):
        return total(method, (image, *predictions, image), masks)

    check_loss("rpcanet", f"soft_iou{suffix}", loss, f"loss_target{suffix}")


@pytest.mark.parametrize(("entry", "options"), [("total", {}), ("total_wacv", {"restoration_weight": 0.1})])
@pytest.mark.parametrize("name", ["rpcanet", "rpcanet_pp"])
def test_loss_is_the_reference(name, entry, options):
    method = build_method(name, **options, weights=None)
    image = loss_image()
    check_loss("rpcanet", entry, lambda predictions, masks: total(method, (*predictions, image), masks))


def loss_image():
    return torch.from_numpy(np.load(golden_path("rpcanet", ".npz"))["loss_image"]).double()


def total(method, outputs, masks):
    return sum(method.loss(outputs, masks).values())


def test_the_restored_image_is_compared_with_the_input():
    method = build_method("rpcanet", stages=1, weights=None)
    inputs = method.normalize(torch.rand(2, 1, 20, 24) * 255)
    with torch.inference_mode():
        *outputs, image = method.forward(inputs)
        restored, target = method.network(inputs)
    assert image is inputs
    assert inputs.amax() <= 1
    assert torch.equal(outputs[0], restored)
    assert torch.equal(method.logits((*outputs, image)), target)


def test_images_and_masks_are_resized_by_opencv():
    rng = np.random.default_rng(0)
    image, mask = rng.integers(0, 256, (70, 101), dtype=np.uint8), rng.integers(0, 2, (70, 101), dtype=np.uint8) * 255
    method = build_method("rpcanet", stages=1, input_size=32, weights=None)
    small, label = method.at_input_size(image, mask)
    np.testing.assert_array_equal(small, cv2.resize(image, (32, 32)))
    np.testing.assert_array_equal(label, cv2.resize(mask, (32, 32), interpolation=cv2.INTER_NEAREST))
    resized = method.preprocess(torch.from_numpy(image)[None, None].float())[0, 0] * 255
    assert abs(resized.numpy() - small).max() < 0.8  # OpenCV rounds its weights and the result
    assert build_method("rpcanet", weights=None).input_size == 256
    native = build_method("rpcanet", stages=1, input_size="native", weights=None)
    assert native.at_input_size(image, mask) == (image, mask)
    assert native.preprocess(torch.rand(1, 1, 37, 53)).shape == (1, 1, 37, 53)


@pytest.mark.parametrize("name", ["rpcanet", "rpcanet_pp"])
def test_start(name):
    torch.manual_seed(0)
    network = build_method(name, stages=2, weights=None).network
    weights = torch.cat([stage.sparse.convs[2].weight.detach().flatten() for stage in network.decos])
    assert float(weights.std()) == pytest.approx((2 / (9 * 64)) ** 0.5, rel=0.02)
    assert [stage.sparse.epsilon.item() for stage in network.decos] == pytest.approx([0.01, 0.01])


def test_exactly_the_memory_that_the_first_stage_lacks_does_not_learn():
    method = build_method("rpcanet_pp", stages=2, weights=None)
    method.network.train()
    outputs = method.forward(torch.rand(2, 1, 16, 16))
    total(method, outputs, torch.ones(2, 1, 16, 16)).backward()
    silent = {name: parameter for name, parameter in method.network.named_parameters() if parameter.grad is None}
    assert {name.split(".")[4] for name in silent} == {"conv_xf", "conv_hf", "conv_hi", "conv_ho", "conv_hj"}
    assert {name.split(".")[1] for name in silent} == {"0"}
    assert sum(parameter.numel() for parameter in silent.values()) == 46_240
