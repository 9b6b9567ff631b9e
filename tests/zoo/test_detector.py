"""What the base class does around a method's own `score`."""

import warnings

import numpy as np
import pytest

from irsam_zoo.zoo import Detector, MethodCard, ZooError


class Echo(Detector):
    card = MethodCard(title="Echo")
    name = "echo"

    def score(self, image):
        return image


class Fixed(Detector):
    card = MethodCard(title="Fixed")
    name = "fixed"

    def __init__(self, returned):
        super().__init__()
        self.returned = returned

    def score(self, image):
        return self.returned


def test_score_map_is_float32_and_the_input_is_left_alone():
    image = np.arange(256, dtype=np.uint8).reshape(16, 16)

    class Writes(Echo):
        def score(self, image):
            image += 1
            return image

    score = Writes().predict(image)
    assert score.dtype == np.float32
    np.testing.assert_array_equal(score, np.arange(256).reshape(16, 16) + 1)
    np.testing.assert_array_equal(image, np.arange(256).reshape(16, 16))


@pytest.mark.parametrize(
    ("image", "text"),
    [
        (np.zeros((16, 16, 3)), "shape"),
        (np.zeros((15, 40)), "15x40 is smaller than 16"),
        (np.full((16, 16), np.nan), "NaN or Inf"),
        (np.full((16, 16), np.inf), "NaN or Inf"),
        (np.full((16, 16), "x"), "numeric"),
        (np.zeros((16, 16), complex), "numeric"),
        (np.zeros((16, 16), bool), "grey levels, got dtype bool"),
        (np.arange(256.0).reshape(16, 16) / 255, "multiply it by 255"),
        (np.full((16, 16), 0.3, np.float16), "multiply it by 255"),
        (np.arange(256, dtype=np.uint16).reshape(16, 16) * 257, "values from 0 to 65535; expected grey levels 0..255"),
        (np.arange(256.0).reshape(16, 16) - 200, "values from -200 to 55"),
        (np.full((16, 16), 255.5), "values from 255.5"),
    ],
)
def test_bad_image(image, text):
    with pytest.raises(ZooError, match=text):
        Echo().predict(image)


@pytest.mark.parametrize("image", [np.eye(16), np.eye(16, dtype=np.uint8), np.zeros((16, 16)), np.eye(16) + 0.5])
def test_dark_images_are_images(image):
    np.testing.assert_array_equal(Echo().predict(image), image)


def test_probabilities_of_a_logit_method_are_noted():
    image = np.zeros((16, 16))
    detector = Fixed(np.linspace(0, 0.9, 256).reshape(16, 16))
    detector.predict(image)
    assert detector.take_notes() == []
    detector.score_kind = "logit"
    with pytest.warns(UserWarning, match="score_kind is logit"):
        detector.predict(image)
    assert len(detector.take_notes()) == 1
    for detector.returned in (np.eye(16), np.eye(16) - 0.5, np.full((16, 16), 1.5)):
        detector.predict(image)
    assert detector.take_notes() == []


def test_bad_score_maps_name_the_method():
    image = np.zeros((16, 16))
    with pytest.raises(ZooError, match="fixed returned NaN or Inf"):
        Fixed(np.full((16, 16), np.nan)).predict(image)
    with pytest.raises(ZooError, match=r"fixed returned a score map of \(4, 4\)"):
        Fixed(np.zeros((4, 4))).predict(image)


class Together(Echo):
    batch_size = 2

    def __init__(self):
        super().__init__()
        self.shapes = []

    def _score_batch(self, images):
        self.shapes.append(images.shape)
        return images + 1


def test_a_batch_is_cut_by_size_and_keeps_its_order():
    images = [np.full(shape, k, np.uint8) for k, shape in enumerate([(16, 20), (20, 16), (16, 20), (16, 20)])]
    detector = Together()
    scores = detector.predict_batch(images)
    assert detector.shapes == [(2, 16, 20), (1, 16, 20), (1, 20, 16)]
    for image, score in zip(images, scores, strict=True):
        assert score.dtype == np.float32
        np.testing.assert_array_equal(score, image + 1.0)


def test_a_batch_checks_images_and_score_maps():
    assert Echo().predict_batch([]) == []
    with pytest.raises(ZooError, match="15x40 is smaller than 16"):
        Echo().predict_batch([np.zeros((16, 16)), np.zeros((15, 40))])
    with pytest.raises(ZooError, match="fixed returned NaN or Inf"):
        Fixed(np.full((16, 16), np.nan)).predict_batch([np.zeros((16, 16))])


def test_segment_applies_the_policy():
    image = np.arange(256.0).reshape(16, 16)
    np.testing.assert_array_equal(Echo(threshold="minmax(0.5)").segment(image), image > 127.5)
    np.testing.assert_array_equal(Echo(threshold=200).segment(image), image > 200)


def test_a_note_warns_once_and_is_counted():
    detector = Echo()
    with pytest.warns(UserWarning, match="echo: no convergence"):
        detector.note("no convergence")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        detector.note("no convergence")
    assert detector.take_notes() == ["no convergence", "no convergence"]
    assert detector.take_notes() == []


def test_card_refuses_words_of_its_own():
    with pytest.raises(ValueError, match="fidelity"):
        MethodCard(title="x", fidelity="faithful")
    with pytest.raises(ValueError, match="family"):
        MethodCard(title="x", family="modern")
    assert MethodCard(title="x", fidelity="reconstruction", fidelity_scope="WPMD").fidelity_label == "reconstruction (WPMD)"
