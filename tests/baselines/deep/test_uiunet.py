import math

import numpy as np
import pytest
import torch

from irsam_zoo.zoo import build_method
from tests.golden_networks import check_network, reference_state


@pytest.fixture(scope="module")
def detector():
    return build_method("uiunet", input_size="native", weights=None)


@pytest.mark.parametrize(
    ("method", "golden", "parameters"), [("uiunet", "uiunet_3ch", 50_541_461), ("uiunet_1ch",) * 2 + (50_540_309,)]
)
def test_outputs_parameters_and_keys_are_the_reference(method, golden, parameters):
    method = build_method(method, weights=None)
    assert method.num_parameters == parameters
    assert set(method.network.state_dict()) == set(reference_state(golden)[1])
    for dtype in (torch.float64, torch.float32):
        check_network(golden, method.network, dtype=dtype)


def test_probabilities_are_the_sigmoid_of_the_logits(detector):
    x = torch.rand(1, 3, 20, 33)
    with torch.inference_mode():
        probabilities, logits = detector.network(x), detector.forward(x)
    assert len(logits) == 7
    for probability, logit in zip(probabilities, logits, strict=True):
        torch.testing.assert_close(probability, logit.sigmoid())
    assert detector.logits(logits) is logits[0]


def test_each_image_is_divided_by_its_own_maximum(detector):
    images = torch.full((3, 1, 16, 16), 40.0)
    images[1] = 0
    images[2, :, 0, 0] = 160
    normal = detector.normalize(images)
    ones = [(1 - mean) / std for mean, std in ((0.485, 0.229), (0.456, 0.224), (0.406, 0.225))]
    torch.testing.assert_close(normal[0, :, 3, 3], torch.tensor(ones))
    torch.testing.assert_close(normal[1, :, 3, 3], torch.tensor([-0.485 / 0.229, -0.456 / 0.224, -0.406 / 0.225]))
    torch.testing.assert_close(normal[2, 0, 3, 3], torch.tensor((0.25 - 0.485) / 0.229))
    assert build_method("uiunet_1ch", weights=None).normalize(images).shape == (3, 1, 16, 16)


def test_basicirstd_does_not_divide_by_the_maximum():
    method = build_method("uiunet_1ch", weights=None)
    assert method.input_size is None
    normal = method.preprocess(torch.full((1, 1, 32, 32), 100.0))
    torch.testing.assert_close(normal, torch.full((1, 1, 32, 32), (100 - 101.06385) / 34.619606))


def test_loss_is_the_sum_of_seven_cross_entropies(detector):
    outputs = [torch.tensor([[[[value, 0.0]]]]) for value in (0.0, 1.0, -1.0, 2.0, 40.0, -40.0, 0.5)]
    losses = detector.loss(outputs, torch.tensor([[[[1.0, 0.0]]]]))
    want = sum((math.log1p(math.exp(-value)) + math.log(2)) / 2 for value in (0.0, 1.0, -1.0, 2.0, 40.0, -40.0, 0.5))
    assert len(losses) == 7
    assert float(sum(losses.values())) == pytest.approx(want, rel=1e-6)


def test_any_image_size_without_padding(detector):
    image = np.random.default_rng(0).integers(0, 256, (17, 37), dtype=np.uint8)
    inputs = detector.preprocess(torch.from_numpy(image)[None, None].float())
    assert inputs.shape == (1, 3, 17, 37)
    assert detector.predict(image).shape == image.shape
    assert detector.default_input_size == 320


def test_the_rule_is_offered_and_not_the_default(detector):
    assert str(detector.threshold) == "fixed(0)"
    assert str(build_method("uiunet_minmax", weights=None).threshold) == "minmax_prob(0.22)"
