import numpy as np
import pytest
import torch

from irsam_zoo.baselines.deep.hdnet import ENERGIES, ContrastBlock, high_pass
from irsam_zoo.baselines.deep.parts.scale_location import location_loss, scale_loss, sls_loss
from irsam_zoo.training.recipe import load_recipe
from irsam_zoo.zoo import build_method
from tests.golden_losses import check_loss
from tests.golden_networks import TOLERANCE, check_network, golden_path, reference_state

NAME = "hdnet_3ch"


@pytest.fixture(scope="module")
def detector():
    return build_method("hdnet", weights=None)


def test_outputs_parameters_and_keys_are_the_reference(detector):
    assert detector.num_parameters == 3_676_197
    assert set(detector.network.state_dict()) == set(reference_state(NAME)[1])
    for dtype in (torch.float64, torch.float32):
        check_network(NAME, detector.network, dtype=dtype, select=lambda outputs: [*outputs[0], outputs[1]])


@pytest.mark.parametrize("number", range(4))
def test_high_pass_is_the_reference(number):
    arrays = np.load(golden_path(NAME, ".npz"))
    want = arrays[f"dhpf_py{number}"]
    got = high_pass(torch.from_numpy(arrays["dhpf_in"]).double(), ENERGIES[3 - number])
    assert np.abs(got.numpy() - want).max() < TOLERANCE * want.std()


@pytest.mark.parametrize(
    ("key", "loss"),
    [
        ("sls", lambda logits, masks: sls_loss(*logits, masks, by_area=True)),
        ("sls_warm", lambda logits, masks: scale_loss(*logits, masks, weighted=False, by_area=True)),
        ("sls_without_location", lambda logits, masks: scale_loss(*logits, masks, by_area=True)),
        ("location", lambda logits, masks: location_loss(*logits, masks)),
    ],
)
def test_losses_are_the_reference(key, loss):
    check_loss(NAME, key, loss)


def test_training_losses_are_the_reference(detector):
    check_loss(NAME, "total", lambda maps, masks: detector.loss((maps[1:], maps[0]), masks)["sls"])
    check_loss(NAME, "sls_warm", lambda maps, masks: detector.loss(([], *maps), masks)["sls"])


def test_a_batch_without_targets_has_a_finite_loss(detector):
    logits = torch.randn(2, 1, 16, 16, requires_grad=True)
    loss = detector.loss(([], logits), torch.zeros(2, 1, 16, 16))["sls"]
    loss.backward()
    assert loss.item() == 0
    assert not logits.grad.any()


def test_exactly_the_unused_parameters_do_not_learn(detector):
    unused = set(reference_state(NAME)[0]["unused_keys"]["keys"])
    detector.network.train()
    outputs = detector.forward(torch.randn(2, 3, 32, 32))
    detector.loss(outputs, torch.ones(2, 1, 32, 32))["sls"].backward()
    silent = {name: value for name, value in detector.network.named_parameters() if value.grad is None}
    assert set(silent) == unused
    assert sum(value.numel() for value in silent.values()) == 11_402


def test_contrast_kernels_begin_as_the_authors():
    block = ContrastBlock(4, 16)
    ring, mean = torch.full((3, 3), -1 / 8), torch.full((3, 3), 1 / 9)
    one, none = ring.clone(), ring.clone()
    one[1, 1], none[1, 1] = 1, 0
    for convolution, kernel in ((block.conv1, one), (block.conv2, one), (block.conv3, mean), (block.conv4, none)):
        torch.testing.assert_close(convolution[0].weight, kernel.expand(4, 1, 3, 3))
        assert convolution[0].weight.requires_grad


def test_the_published_rate_swings():
    schedule = load_recipe("hdnet", "paper").scheduler(17)
    assert (schedule["T_max"], schedule["eta_min"]) == (25 * 17, 0.045)
