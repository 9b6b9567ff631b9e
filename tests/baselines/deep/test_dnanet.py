import numpy as np
import pytest
import torch

from irsam_zoo.zoo import build_method
from tests.golden_networks import check_network, reference_state


def test_outputs_parameters_and_keys_are_the_reference():
    method = build_method("dnanet", weights=None)
    assert method.num_parameters == 4_696_888
    assert set(method.network.state_dict()) == set(reference_state("dnanet_3ch")[1])
    for dtype in (torch.float64, torch.float32):
        check_network("dnanet_3ch", method.network, dtype=dtype)


def test_one_channel():
    method = build_method("dnanet", in_channels=1, weights=None)
    assert method.num_parameters == 4_696_568
    assert method.preprocess(torch.rand(2, 1, 20, 30) * 255).shape == (2, 1, 256, 256)


def test_loss_is_the_mean_of_four_soft_ious_over_the_batch():
    method = build_method("dnanet", weights=None)
    masks = torch.tensor([1.0, 0.0, 0.0, 0.0]).view(2, 1, 1, 2)
    # sigmoid is 0.5 everywhere, then 0.25 and 0.75 by their logits, then nearly the mask itself.
    log3 = float(np.log(3))
    outputs = [torch.full((2, 1, 1, 2), value) for value in (0.0, -log3, log3)] + [(masks - 0.5) * 80]
    # (intersection + 1) / (union + 1) of the whole batch: 1.5/3.5, 1.25/2.75, 1.75/4.25, 2/2
    want = 1 - (1.5 / 3.5 + 1.25 / 2.75 + 1.75 / 4.25 + 1) / 4
    assert float(method.loss(outputs, masks)["soft_iou"]) == pytest.approx(want, rel=1e-6)
    assert method.logits(outputs) is outputs[-1]


def test_convolutions_start_from_xavier():
    torch.manual_seed(0)
    weight = build_method("dnanet", weights=None).network.conv4_0[1].conv1.weight
    assert float(weight.detach().std()) == pytest.approx((2 / (9 * (256 + 256))) ** 0.5, rel=0.01)


def test_native_size_is_padded_to_sixteen():
    image = np.random.default_rng(0).integers(0, 256, (50, 70), dtype=np.uint8)
    assert build_method("dnanet", input_size="native", weights=None).predict(image).shape == (50, 70)
