import numpy as np
import pytest
import torch

from irsam_zoo.baselines.deep.isnet import gradient_magnitude
from irsam_zoo.baselines.deep.parts import deform_conv
from irsam_zoo.zoo import build_method
from tests.golden_networks import check_network, golden_path, reference_state


@pytest.fixture
def detector():
    return build_method("isnet", weights=None)


def test_outputs_parameters_and_keys_are_the_reference(detector, monkeypatch):
    monkeypatch.setattr(deform_conv, "_torchvision_operator", lambda: None)
    assert detector.num_parameters == 1_090_671
    assert set(detector.network.state_dict()) == set(reference_state("isnet_official")[1])
    check_network("isnet_official", detector.network, inputs=("input", "grad"))
    # Channels-last kernels round float32 to 8.6e-5 here, too near the limit to hold on every CPU; the plain layout to 3.5e-5.
    plain = detector.network.to(memory_format=torch.contiguous_format)
    check_network("isnet_official", plain, inputs=("input", "grad"), dtype=torch.float32)


def test_the_gradient_input_is_the_reference():
    arrays = np.load(golden_path("isnet_official", ".npz"))
    for call in (0, 1):
        got = gradient_magnitude(torch.from_numpy(arrays[f"input{call}"]))
        np.testing.assert_allclose(got.numpy(), arrays[f"grad{call}"], rtol=0, atol=2e-6)


def test_gradient_magnitude_of_one_pixel():
    x = torch.zeros(1, 1, 4, 4)
    x[0, 0, 1, 1] = 2
    want = torch.full((4, 4), 1e-3)
    for place in ((0, 1), (1, 0), (1, 2), (2, 1)):
        want[place] = (4 + 1e-6) ** 0.5
    torch.testing.assert_close(gradient_magnitude(x)[0, 0], want)


def test_the_network_gets_the_gradient_of_the_normalised_image(detector):
    inputs = detector.normalize(torch.rand(1, 1, 32, 48) * 255)
    with torch.inference_mode():
        mask, edge = detector.forward(inputs)
        want_mask, want_edge = detector.network(inputs, gradient_magnitude(inputs))
    assert detector.logits((mask, edge)) is mask
    assert torch.equal(mask, want_mask)
    torch.testing.assert_close(edge.sigmoid(), want_edge)


def test_loss_by_hand(detector):
    masks = torch.zeros(1, 1, 2, 2)
    masks[0, 0, 0, 0] = 1
    target = np.array([[1e-3, 1.0000005], [1.0000005, 1e-3]])  # the pixel's own neighbours differ, it itself does not
    logit, edge = np.array([[2.0, -1.0], [0.5, -3.0]]), np.array([[-1.0, 1.5], [0.0, -2.0]])

    def sigmoid(z):
        return 1 / (1 + np.exp(-z))

    def soft_iou(p, t):
        return 1 - (p * t).sum() / (p.sum() + t.sum() - (p * t).sum())

    p = sigmoid(edge)
    losses = detector.loss([torch.tensor(value, dtype=torch.float32)[None, None] for value in (logit, edge)], masks)
    assert float(losses["mask_iou"]) == pytest.approx(soft_iou(sigmoid(logit), masks[0, 0].numpy()), rel=1e-5)
    cross_entropy = -(target * np.log(p) + (1 - target) * np.log(1 - p)).mean()
    assert float(losses["edge_bce"]) == pytest.approx(10 * cross_entropy, rel=1e-5)
    assert float(losses["edge_iou"]) == pytest.approx(soft_iou(sigmoid(p), target), rel=1e-5)
    assert len(losses) == 3


def test_an_edge_target_above_one_is_taken_as_it_is(detector):
    masks = torch.zeros(1, 1, 3, 3)
    masks[0, 0, 0, 1] = masks[0, 0, 1, 0] = 1  # at the corner between them the target is the root of two
    edge = torch.zeros(1, 1, 3, 3, requires_grad=True)
    detector.loss((torch.zeros(1, 1, 3, 3), edge), masks)["edge_bce"].backward()
    # The derivative of a cross entropy by its logit is (p - t) over the number of pixels.
    assert float(edge.grad[0, 0, 0, 0]) == pytest.approx(10 * (0.5 - 2**0.5) / 9, rel=1e-4)


def test_an_empty_mask_gives_a_mask_loss_of_one_and_no_gradient(detector):
    logits = torch.randn(2, 1, 4, 4, requires_grad=True)
    loss = detector.loss((logits, torch.zeros(2, 1, 4, 4)), torch.zeros(2, 1, 4, 4))["mask_iou"]
    loss.backward()
    assert loss.item() == 1
    assert logits.grad.eq(0).all()


def test_exactly_the_unused_parameters_do_not_learn(detector):
    unused = set(reference_state("isnet_official")[0]["unused_keys"]["keys"])
    detector.network.train()
    outputs = detector.forward(torch.randn(2, 3, 16, 16))
    sum(detector.loss(outputs, torch.ones(2, 1, 16, 16)).values()).backward()
    silent = {name: parameter for name, parameter in detector.network.named_parameters() if parameter.grad is None}
    assert set(silent) == {name for name in unused if not name.endswith(("running_mean", "running_var", "num_batches_tracked"))}
    assert sum(parameter.numel() for parameter in silent.values()) == 103_709


def test_native_size_is_padded_to_sixteen():
    image = np.random.default_rng(0).integers(0, 256, (50, 70), dtype=np.uint8)
    assert build_method("isnet", input_size="native", weights=None).predict(image).shape == (50, 70)
