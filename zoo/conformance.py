"""What every method has to do, whatever it computes: checks that those of this project pass, for those of others too.

A check is a function of a detector, as `build_method` gives it, and raises a ZooError that says what is wrong. It needs no
data, and a network no trained weights. `CHECKS` has them by name.
"""

import warnings

import numpy as np

from irsam_zoo.zoo.card import MethodCard
from irsam_zoo.zoo.detector import Detector
from irsam_zoo.zoo.errors import FAILURES, ZooError, one_line
from irsam_zoo.zoo.foreign_code import contained
from irsam_zoo.zoo.specs import build_method

BUILT = "it builds"
SHAPES = ((16, 16), (37, 61), (70, 23))
LEVELS = (0.0, 40.3)  # of constant images
SCORE_KINDS = ("raw", "logit")
ALIKE = 1e-4  # relative, and of the map's largest magnitude: a batch adds up in another order than an image does


def failures(method):
    """Build a method and check it.

    Arguments:
        method: As `build_method` takes it. A network is built with random weights.

    Yields:
        tuple[str, str | None]: The name of a check, and in one line why it fails; None where it passes. A method that does not
        build fails at `BUILT`, and no other check is made.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of random weights, and of solvers that hit their cap
        try:
            detector = build_method(method, weights=None)
        except FAILURES as error:
            yield BUILT, one_line(error)
            return
        yield BUILT, None
        for name, check in CHECKS.items():
            try:
                with contained():
                    check(detector)
            except FAILURES as error:
                yield name, one_line(error)
            else:
                yield name, None


def scene(height, width, seed=0):
    """An HxW float64 image, 0..255: noise on a slope, with one bright target of 2x2 pixels."""
    rng = np.random.default_rng(seed)
    image = rng.normal(90, 6, (height, width)) + np.linspace(0, 30, width)
    image[height // 2 : height // 2 + 2, width // 3 : width // 3 + 2] += 90
    return image.clip(0, 255)


def complete_card(detector):
    card = detector.card
    _require(isinstance(detector, Detector), f"{type(detector).__name__} is no subclass of Detector")
    _require(isinstance(card, MethodCard), f"its card is {card!r}, no MethodCard")
    _require(card.title, "its card has no title")
    _require(card.year is None or 1990 < card.year < 2030, f"its card has the year {card.year}")
    paper_alone = card.fidelity == "reconstruction"
    _require(card.url.startswith("https://") or paper_alone, f"its card has no url, https://..., of its {card.fidelity}")
    _require(card.notes or not paper_alone, "its card says reconstruction, and in no note what was reconstructed")
    family = "deep" if _is_network(detector) else "classical"
    _require(card.family == family, f"its card has the family {card.family!r}, and the class is {family}")
    _require(detector.score_kind in SCORE_KINDS, f"its score_kind is {detector.score_kind!r}, none of {SCORE_KINDS}")


def any_size(detector):
    for height, width in SHAPES:
        image = scene(height, width)
        before = image.copy()
        score = detector.predict(image)
        _require(score.shape == image.shape, f"the map of a {height}x{width} image has the shape {score.shape}")
        _require(score.dtype == np.float32, f"the map is {score.dtype}, not float32")
        _require(np.isfinite(score).all(), f"the map of a {height}x{width} image is not finite")
        _require(np.array_equal(image, before), "it changes the image")
        mask = detector.segment(image)
        _require(
            (mask.shape, mask.dtype) == (image.shape, bool), f"the mask is {mask.shape} {mask.dtype}, not {image.shape} bool"
        )


def grey_levels(detector):
    image = scene(33, 40).astype(np.uint8)
    same = np.array_equal(detector.predict(image), detector.predict(image.astype(np.float32)))
    _require(same, "an image has one map as uint8 and another as float32")


def repeats(detector):
    image = scene(41, 40)
    _require(np.array_equal(detector.predict(image), detector.predict(image)), "an image has another map the second time")


def constant_image(detector):
    for level in LEVELS:
        image = np.full((32, 48), level)
        _require(np.isfinite(detector.predict(image)).all(), f"the map of a constant image of {level} is not finite")
        if not _is_network(detector):  # whose weights are random
            _require(not detector.segment(image).any(), f"it finds a target in a constant image of {level}")


def batch(detector):
    images = [scene(32, 32, 1), scene(20, 40, 2), scene(32, 32, 3)]
    scores = detector.predict_batch(images)
    _require(len(scores) == len(images), f"a batch of {len(images)} images has {len(scores)} maps")
    for image, score in zip(images, scores, strict=True):
        single = detector.predict(image)
        alike = np.allclose(score, single, rtol=ALIKE, atol=ALIKE * (abs(single).max() + 1e-12))
        _require(alike, f"an image has one map alone and another in a batch, up to {abs(score - single).max():.3g} apart")


CHECKS = {
    "its card is complete": complete_card,
    "any size gives a finite float32 map": any_size,
    "uint8 and float32 are the same image": grey_levels,
    "an image has the same map twice": repeats,
    "a constant image has no target": constant_image,
    "a batch equals its images": batch,
}


def _require(condition, text):
    if not condition:
        raise ZooError(text)


def _is_network(detector):
    from irsam_zoo.zoo.neural import NeuralDetector  # which imports PyTorch

    return isinstance(detector, NeuralDetector)
