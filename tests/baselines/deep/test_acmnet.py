import numpy as np
import pytest
import torch

from irsam_zoo.baselines.deep.acmnet import AsymmetricFusion
from irsam_zoo.zoo import UsageError, build_method
from irsam_zoo.zoo.weights.checkpoints import convert_keys
from tests.golden_networks import check_network, reference_state

VARIANTS = {
    "acm_official_unet_tiny_b4": "acmnet",
    "acm_official_unet_b4": "acmnet_quarter",
    "acm_pytorch_fpn_b4": "acmnet_fpn",
    "acm_pytorch_unet_b4": "acmnet_pytorch",
    "basicirstd_acm_1ch": "acmnet_1ch",
}


@pytest.mark.parametrize(("reference", "method"), VARIANTS.items())
def test_equals_the_reference(reference, method):
    detector = build_method(method, weights=None)
    meta, _ = reference_state(reference)
    assert detector.num_parameters == meta["parameter_count"]
    check_network(reference, detector.network, lambda state: convert_keys(state, detector.convert_rules))


@pytest.mark.parametrize("method", VARIANTS.values())
def test_scores_have_the_size_of_the_image(method):
    image = np.random.default_rng(0).uniform(0, 255, (21, 50))
    torch.manual_seed(0)  # some random weights saturate
    score = build_method(method, input_size="native", weights=None).predict(image)
    assert score.shape == image.shape
    assert score.std() > 0


def test_scores_of_probabilities_are_logits():
    detector = build_method("acmnet_1ch", weights=None)
    logits = torch.tensor([-2.0, 0.0, 3.0])
    torch.testing.assert_close(detector.logits(torch.sigmoid(logits)), logits)


def test_fusion_treats_its_maps_differently():
    torch.manual_seed(0)
    fusion = AsymmetricFusion(8).eval()
    fusion.post = torch.nn.Identity()
    high, low = torch.rand(1, 8, 6, 6), torch.rand(1, 8, 6, 6)
    # The deep map acts on the shallow one through its mean alone.
    shuffled = high.flatten(2)[:, :, torch.randperm(36)].view_as(high)
    of_low = fusion(high, low) - 2 * high * fusion.bottomup(low)
    torch.testing.assert_close(fusion(shuffled, low) - 2 * shuffled * fusion.bottomup(low), of_low)
    assert fusion.bottomup(low).shape == low.shape


@pytest.mark.parametrize("method", ["acmnet_pytorch", "acmnet_fpn"])
def test_variants_of_acm_pytorch_start_as_there(method):
    for module in build_method(method, weights=None).network.modules():
        if isinstance(module, (torch.nn.Conv2d, torch.nn.ConvTranspose2d)) and module.weight.numel() > 5000:
            assert module.weight.std().item() == pytest.approx(0.02, rel=0.1)


def test_loss_follows_the_variant():
    logits, masks = torch.randn(2, 1, 8, 8), torch.zeros(2, 1, 8, 8)
    masks[0, :, :3] = 1
    batch = build_method("acmnet", weights=None).loss(logits, masks)["soft_iou"]
    each = build_method("acmnet_pytorch", weights=None).loss(logits, masks)["soft_iou"]
    assert not torch.isclose(batch, each)
    of_probabilities = build_method("acmnet_1ch", weights=None).loss(torch.sigmoid(logits), masks)["soft_iou"]
    torch.testing.assert_close(of_probabilities, batch)


@pytest.mark.parametrize("options", [{"decoder": "pan"}, {"decoder": "fpn", "reduce": True}, {"in_channels": 1}])
def test_options_that_do_not_fit_are_refused(options):
    with pytest.raises(UsageError):
        build_method("acmnet", **options, weights=None)
