import numpy as np
import pytest
import torch
from torch.nn import functional as F

from irsam_zoo.zoo import UsageError, build_method, list_methods
from irsam_zoo.zoo.irsam import IRSAM

SMALL = {"input_size": 64, "enlarge": 1}


def image(height=40, width=56, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (height, width)).astype(np.uint8)


def test_it_is_registered_and_its_default_is_the_papers_protocol():
    assert "irsam" in list_methods()
    det = build_method("irsam", weights=None)
    assert (det.input_size, det.network.enlarge, det.granularity, det.wpmd) == (512, 2, "both", True)
    assert det.num_parameters == 12_315_906
    assert det.card.fidelity_label == "reconstruction (WPMD)"
    assert str(det.threshold) == "fixed(0)"


@pytest.mark.parametrize(
    ("name", "title", "fidelity", "granularity", "wpmd", "input_size", "enlarge"),
    [
        ("irsam_as_released", "IRSAM as released", "author-code", "deep", False, 512, 2),
        ("irsam_baseline", "MobileSAM baseline", "author-code", "none", False, 512, 2),
        ("irsam_gad", "IRSAM without WPMD", "reconstruction", "both", False, 512, 2),
        ("irsam_wpmd", "IRSAM", "reconstruction", "none", True, 512, 2),
        ("irsam_256", "IRSAM", "reconstruction", "both", True, 256, 1),
        ("irsam_512", "IRSAM", "reconstruction", "both", True, 512, 1),
    ],
)
def test_configurations(name, title, fidelity, granularity, wpmd, input_size, enlarge):
    det = build_method(name, weights=None)
    assert (det.card.title, det.card.fidelity) == (title, fidelity)
    assert (det.granularity, det.wpmd, det.input_size, det.network.enlarge) == (granularity, wpmd, input_size, enlarge)
    assert (det.network.wpmd is not None) == wpmd
    notes = " ".join(det.card.notes)
    assert ("wavelet" in notes) == wpmd
    assert ("shallow branch" in notes) == (granularity == "both")
    assert ("there is no edge branch" in notes) == (granularity == "none")
    assert ("enlarges it twice" in notes) == (enlarge == 1)


def test_an_image_that_is_not_enlarged_is_not_as_released():
    assert build_method("irsam_as_released", enlarge=1, weights=None).card.fidelity_label == "author-code (enlarge changed)"


def test_the_input_is_resized_without_antialiasing_and_cut_to_whole_grey_levels():
    det = IRSAM(**SMALL)
    grey = torch.from_numpy(image(100, 130)).float()[None, None]
    inputs = det.preprocess(grey)
    assert inputs.shape == (1, 3, 64, 64)
    torch.testing.assert_close(inputs[:, 0], inputs[:, 2])
    resized = F.interpolate(grey, (64, 64), mode="bilinear", align_corners=False)
    torch.testing.assert_close(inputs[:, :1], resized.to(torch.uint8).float(), rtol=0, atol=0)
    assert (resized != resized.round()).any()
    file, _ = det.at_input_size(image(100, 130).astype(np.uint8), np.zeros((100, 130), np.uint8))
    whole = torch.from_numpy(image(100, 130).astype(np.uint8)).float()[None, None]
    torch.testing.assert_close(torch.from_numpy(file).float()[None, None], det.preprocess(whole)[:, :1], rtol=0, atol=0)


@pytest.mark.parametrize("shape", [(16, 16), (40, 56), (33, 100)])
@pytest.mark.parametrize("enlarge", [1, 2])
def test_native_size(shape, enlarge):
    det = IRSAM(input_size="native", enlarge=enlarge)
    picture = image(*shape)
    score = det.predict(picture)
    assert score.shape == shape
    assert score.dtype == np.float32
    padded = np.pad(picture, [(0, -side % 16) for side in shape], mode="symmetric" if min(shape) < 16 else "reflect")
    inputs = torch.from_numpy(padded).float().expand(1, 3, -1, -1)
    with torch.inference_mode():
        expected = det.network(inputs)[0][0, 0, : shape[0], : shape[1]]
    np.testing.assert_allclose(score, expected, atol=1e-4)


def test_the_score_is_the_networks_logit_at_the_images_size():
    det = IRSAM(**SMALL)
    picture = image(64, 64)
    with torch.inference_mode():
        logits, _ = det.network(torch.from_numpy(picture).float().expand(1, 3, -1, -1))
    np.testing.assert_allclose(det.predict(picture), logits[0, 0], atol=1e-5)
    np.testing.assert_array_equal(det.segment(picture), det.predict(picture) > 0)


def test_batches_equal_single_images():
    det = IRSAM(**SMALL)
    pictures = [image(40, 56, 1), image(30, 30, 2), image(40, 56, 3)]
    for picture, score in zip(pictures, det.predict_batch(pictures), strict=True):
        np.testing.assert_allclose(score, det.predict(picture), atol=1e-5)


def test_predicting_twice_gives_the_same_bytes():
    det = IRSAM(**SMALL)
    np.testing.assert_array_equal(det.predict(image()), det.predict(image()))


def test_the_loss_takes_what_the_network_gives():
    for granularity, terms in (("both", {"iou", "edge"}), ("none", {"iou"})):
        det = IRSAM(granularity=granularity, **SMALL)
        masks = torch.zeros(2, 1, 64, 64)
        masks[..., 20:24, 30:34] = 1
        det.network.train()
        losses = det.loss(det.forward(det.normalize(255 * torch.rand(2, 1, 64, 64))), masks)
        assert set(losses) == terms
        sum(losses.values()).backward()
        assert det.network.image_encoder.neck[0].weight.grad.abs().sum() > 0


@pytest.mark.parametrize(
    ("options", "text"),
    [({"granularity": "fine"}, "both, deep, none"), ({"enlarge": 3}, "1 or 2"), ({"input_size": 100}, "multiple of 16")],
)
def test_wrong_options_are_named(options, text):
    with pytest.raises(UsageError, match=text):
        build_method("irsam", **options, weights=None)
