import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from irsam_zoo.zoo import build_method
from tests.oracles import local_contrast as oracle
from tests.oracles.golden import IMAGES, golden_image, golden_map


@pytest.mark.parametrize("image", IMAGES)
def test_golden(image):
    expected = golden_map(f"wslcm__{image}")
    method, picture = build_method("wslcm"), golden_image(image)
    score = method.score(picture)
    np.testing.assert_allclose(score, expected, rtol=0, atol=1e-12 * expected.max())
    np.testing.assert_array_equal(score != 0, expected != 0)
    np.testing.assert_allclose(method.predict(picture), expected, rtol=1e-6, atol=1e-6 * expected.max())


@settings(max_examples=10, deadline=None)
@given(st.integers(16, 41), st.integers(16, 41), st.sets(st.sampled_from([3, 5, 7, 11]), min_size=1), st.integers(0, 10**6))
def test_equals_the_oracle(height, width, scales, seed):
    image = np.random.default_rng(seed).gamma(2, 20, (height, width))
    expected = oracle.wslcm(image, scales)
    score = build_method("wslcm", scales=scales).score(image)
    np.testing.assert_allclose(score, expected, rtol=0, atol=1e-12 * max(1, expected.max()))


def test_zero_areas_give_zero_and_a_lone_target_a_finite_peak():
    image = np.zeros((64, 64))
    image[31:34, 31:34] = 200
    score = build_method("wslcm").score(image)
    assert np.isfinite(score).all()
    assert np.unravel_index(score.argmax(), score.shape) == (32, 32)
    assert not score[:16].any()
