"""What every registered method has to do, whatever it computes."""

import numpy as np
import pytest
import torch

from irsam_zoo.engine.network_profile import count_flops
from irsam_zoo.zoo import Detector, MethodCard, build_method, list_methods
from irsam_zoo.zoo.neural import NeuralDetector
from tests.deep_methods import DEEP

METHODS = list_methods()
# A small network input keeps the whole zoo within seconds; sizes of the authors' are checked with the golden files.
SMALL_INPUT = 96


@pytest.fixture(scope="module")
def build():
    """A detector by name, built once a module."""
    built = {}

    def get(name):
        if name not in built:
            torch.manual_seed(0)
            built[name] = build_method(name, weights=None)
            if isinstance(built[name], NeuralDetector):
                built[name] = build_method(name, input_size=SMALL_INPUT, weights=None)
        return built[name]

    return get


def image_of(height, width, seed=0):
    """Clouds of noise with one bright target."""
    rng = np.random.default_rng(seed)
    image = rng.normal(90, 6, (height, width)) + np.linspace(0, 30, width)
    image[height // 2 : height // 2 + 2, width // 3 : width // 3 + 2] += 90
    return image.clip(0, 255)


@pytest.mark.parametrize("name", METHODS)
def test_card_is_complete(name, build):
    detector = build(name)
    card = detector.card
    assert isinstance(detector, Detector)
    assert isinstance(card, MethodCard)
    assert card.title
    assert card.year is None or 1990 < card.year < 2030
    assert card.url.startswith("https://") or card.fidelity == "reconstruction"
    assert card.family == ("deep" if isinstance(detector, NeuralDetector) else "classical")
    assert card.fidelity != "reconstruction" or card.notes
    assert detector.score_kind in ("raw", "logit")


@pytest.mark.parametrize("name", METHODS)
def test_stated_parameters_are_those_of_the_network(name, build):
    detector = build(name)
    stated = vars(type(detector)).get("default_parameters", getattr(detector, "num_parameters", None))
    assert stated == getattr(detector, "num_parameters", None)


@pytest.mark.parametrize("shape", [(16, 16), (37, 61), (70, 23)])
@pytest.mark.parametrize("name", METHODS)
def test_any_size_gives_a_finite_float32_map(name, shape, build):
    image = image_of(*shape)
    before = image.copy()
    score = build(name).predict(image)
    assert score.shape == shape
    assert score.dtype == np.float32
    assert np.isfinite(score).all()
    np.testing.assert_array_equal(image, before)
    assert build(name).segment(image).dtype == bool


@pytest.mark.parametrize("name", METHODS)
def test_uint8_and_float_are_the_same_image(name, build):
    image = image_of(33, 40).astype(np.uint8)
    np.testing.assert_array_equal(build(name).predict(image), build(name).predict(image.astype(np.float32)))


@pytest.mark.parametrize("name", METHODS)
def test_twice_the_same(name, build):
    image = image_of(41, 40)
    np.testing.assert_array_equal(build(name).predict(image), build(name).predict(image))


@pytest.mark.parametrize("level", [0.0, 40.3])
@pytest.mark.parametrize("name", METHODS)
def test_constant_image(name, level, build):
    detector = build(name)
    score = detector.predict(np.full((32, 48), level))
    assert np.isfinite(score).all()
    if not isinstance(detector, NeuralDetector):
        assert not score.any()


@pytest.mark.parametrize("name", METHODS)
def test_batch_equals_single_images(name, build):
    images = [image_of(32, 32, 1), image_of(20, 40, 2), image_of(32, 32, 3)]
    scores = build(name).predict_batch(images)
    for image, score in zip(images, scores, strict=True):
        single = build(name).predict(image)
        np.testing.assert_allclose(score, single, rtol=1e-4, atol=1e-4 * (abs(single).max() + 1e-12))


@pytest.mark.parametrize("name", DEEP)
def test_flops_are_counted_and_no_parameter_is_frozen_by_it(name, build):
    detector = build(name)
    learned = [parameter.requires_grad for parameter in detector.network.parameters()]
    assert count_flops(detector, image_of(32, 32)) > 1e6
    assert [parameter.requires_grad for parameter in detector.network.parameters()] == learned
