"""Seconds that each deep method takes for one image, at the image's own size, with random weights.

Run with ``tox -e bench``.
"""

import numpy as np
import pytest

from tests.deep_methods import DEEP
from zoo import build_method


@pytest.mark.parametrize("side", [256, 512])
@pytest.mark.parametrize("name", DEEP)
def test_predict(benchmark, name, side):
    detector = build_method(name, input_size="native")
    image = np.random.default_rng(0).integers(0, 256, (side, side), dtype=np.uint8)
    score = benchmark.pedantic(detector.predict, args=(image,), rounds=3, warmup_rounds=1)
    assert score.shape == (side, side)
