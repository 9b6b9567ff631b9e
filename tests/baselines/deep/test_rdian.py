from pathlib import Path

import numpy as np
import pytest
import torch

from irsam_zoo.baselines.deep.parts.losses import soft_iou_loss
from irsam_zoo.baselines.deep.rdian import DIRECTIONS
from irsam_zoo.zoo import build_method
from tests.golden_losses import check_loss
from tests.golden_networks import TOLERANCE, check_network, fill, golden_path, reference_state

PUBLISHED = Path(__file__).resolve().parents[4] / "shared" / "weights" / "rdian" / "best.pth"


@pytest.fixture
def detector():
    return build_method("rdian", weights=None)


def test_outputs_parameters_and_keys_are_the_reference(detector):
    assert detector.num_parameters == 216_758
    assert set(detector.network.state_dict()) == set(reference_state("rdian")[1])
    for dtype in (torch.float64, torch.float32):
        check_network("rdian", detector.network, dtype=dtype)


def test_the_fixed_kernels_are_the_reference_and_do_not_learn(detector):
    meta, state = reference_state("rdian")
    network = detector.network
    fixed = {key: value for key, value in network.state_dict().items() if key in meta["fixed_kernels"]["minus_one_at"]}
    network.load_state_dict(state | fixed)
    image = torch.from_numpy(fill.make_input(meta["inputs"]["input0"])).double()
    with torch.inference_mode():
        got = network.double()(image).numpy()
    want = np.load(golden_path("rdian", ".npz"))["fixed0"]
    assert np.abs(got - want).max() < TOLERANCE * want.std()
    assert {name for name, value in network.named_parameters() if not value.requires_grad} == set(fixed)
    assert sum(value.numel() for value in fixed.values()) == 200


def test_losses_are_the_reference(detector):
    check_loss("rdian", "author", lambda logits, masks: detector.loss(*logits, masks)["soft_iou"])
    check_loss("rdian", "basicirstd", lambda logits, masks: soft_iou_loss(*logits, masks))


def test_norms_start_without_a_shift(detector):
    norms = [module for module in detector.network.modules() if isinstance(module, torch.nn.BatchNorm2d)]
    assert not any(norm.bias.any() for norm in norms)
    scales = torch.cat([norm.weight.detach() for norm in norms])
    assert scales.mean().item() == pytest.approx(1, abs=0.005)
    assert scales.std().item() == pytest.approx(0.02, rel=0.2)


def test_the_input_is_normalised_as_the_author_does(detector):
    normal = detector.normalize(torch.tensor([[[[0.0, 255.0]]]]))
    torch.testing.assert_close(normal, torch.tensor([[[[0.1246 / 1.0923, 1.1246 / 1.0923]]]]))


@pytest.mark.real_data
def test_the_authors_weights_hold_the_fixed_kernels_and_find_a_target():
    if not PUBLISHED.is_file():
        pytest.skip(f"no published weights: {PUBLISHED} is missing")
    detector = build_method("rdian", input_size="native", weights=None)
    kernels = [detector.network.get_submodule(name).weight.clone() for name in DIRECTIONS]
    detector.load(PUBLISHED)
    for name, kernel in zip(DIRECTIONS, kernels, strict=True):
        assert torch.equal(detector.network.get_submodule(name).weight, kernel)
    image = np.random.default_rng(0).normal(60, 2, (128, 128))
    target = np.zeros(image.shape, bool)
    target[60:63, 40:43] = True
    np.testing.assert_array_equal(detector.segment(image + 80 * target), target)
