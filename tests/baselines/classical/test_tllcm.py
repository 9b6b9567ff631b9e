import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from irsam_zoo.zoo import UsageError, build_method
from tests.oracles import local_contrast as oracle
from tests.oracles.golden import IMAGES, golden_image, golden_map


@pytest.mark.parametrize("image", IMAGES)
@pytest.mark.parametrize(("spec", "key"), [("tllcm", "tllcm_s9"), ("tllcm_paper", "tllcm_s579")])
def test_golden(spec, key, image):
    expected = golden_map(f"{key}__{image}")
    method, picture = build_method(spec), golden_image(image)
    score = method.score(picture)
    np.testing.assert_allclose(score, expected, rtol=0, atol=1e-12 * expected.max())
    np.testing.assert_array_equal(score != 0, expected != 0)
    np.testing.assert_allclose(method.predict(picture), expected, rtol=1e-6, atol=1e-6 * expected.max())


@settings(max_examples=15, deadline=None)
@given(st.integers(16, 41), st.integers(16, 41), st.sets(st.sampled_from([3, 5, 7, 9]), min_size=1), st.integers(0, 10**6))
def test_equals_the_oracle(height, width, scales, seed):
    image = np.random.default_rng(seed).uniform(0, 255, (height, width))
    expected = oracle.tllcm(image, scales)
    np.testing.assert_allclose(build_method("tllcm", scales=scales).score(image), expected, rtol=0, atol=1e-12 * 255)


def test_zero_areas_give_zero_and_a_lone_target_a_finite_peak():
    image = np.zeros((64, 64))
    image[32, 32] = 200
    score = build_method("tllcm").score(image)
    assert np.isfinite(score).all()
    assert np.unravel_index(score.argmax(), score.shape) == (32, 32)
    assert np.count_nonzero(score) == 9


@pytest.mark.parametrize("scales", [(), (4,), (1, 5)])
def test_bad_scales_are_refused(scales):
    with pytest.raises(UsageError, match="scales must be odd"):
        build_method("tllcm", scales=scales)
