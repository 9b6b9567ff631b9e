import numpy as np
import pytest
import torch

from irsam_zoo.baselines.deep.alcnet import patch_contrast
from irsam_zoo.zoo import UsageError, build_method
from irsam_zoo.zoo.weights.checkpoints import convert_keys
from tests.golden_networks import check_network, reference_state

VARIANTS = {
    "alcnet_official_multiple_b4": "alcnet",
    "alcnet_official_localsk_b4": "alcnet_localsk",
    "basicirstd_alcnet_1ch": "alcnet_basicirstd",
}


@pytest.mark.parametrize(("reference", "method"), VARIANTS.items())
def test_equals_the_reference(reference, method):
    detector = build_method(method, weights=None)
    meta, _ = reference_state(reference)
    assert detector.num_parameters == meta["parameter_count"]
    check_network(reference, detector.network, lambda state: convert_keys(state, detector.convert_rules))


def contrast_by_shifting(x, d):
    """The author's way: eight shifted copies of the map."""
    shifts = [(-d, -d), (-d, 0), (-d, d), (0, d), (d, d), (d, 0), (d, -d), (0, -d)]
    moved = [torch.roll(x, shift, (2, 3)) - x for shift in shifts]
    return torch.stack([moved[k] * moved[k + 4] for k in range(4)]).amin(0)


@pytest.mark.parametrize("shifts", [(13, 17), (13,), (1, 3)])
def test_contrast_equals_shifted_copies(shifts):
    x = torch.randn(2, 3, 18, 23)
    for contrast, shift in zip(patch_contrast(x, shifts), shifts, strict=True):
        torch.testing.assert_close(contrast, contrast_by_shifting(x, shift), rtol=0, atol=0)


def test_contrast_marks_a_point_and_not_an_edge():
    point = torch.zeros(1, 1, 41, 41)
    point[..., 20, 20] = 2
    (contrast,) = patch_contrast(point, (13,))
    assert contrast[..., 20, 20] == 4
    assert contrast.sum() == 4
    edge = torch.zeros(1, 1, 41, 41)
    edge[..., 20:] = 2
    assert patch_contrast(edge, (13,))[0].max() == 0


@pytest.mark.parametrize("shape", [(16, 16), (72, 70), (33, 90)])
def test_images_of_any_size_are_scored(shape):
    image = np.random.default_rng(0).uniform(0, 255, shape)
    score = build_method("alcnet", input_size="native", blocks=1, weights=None).predict(image)
    assert score.shape == shape
    assert score.std() > 0


def test_the_single_scale_differs_from_both():
    torch.manual_seed(0)
    multiple = build_method("alcnet", blocks=1, weights=None)
    single = build_method("alcnet", blocks=1, scale_mode="single", weights=None)
    single.network.load_state_dict(multiple.network.state_dict())
    x = torch.randn(1, 3, 72, 72)
    assert not torch.allclose(multiple.network(x), single.network(x))


@pytest.mark.parametrize("options", [{"scale_mode": "all"}, {"toolbox": True, "blocks": 3, "mean": (0,), "std": (1,)}])
def test_options_that_do_not_fit_are_refused(options):
    with pytest.raises(UsageError):
        build_method("alcnet", **options, weights=None)
