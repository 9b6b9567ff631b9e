"""Seconds that each deep method takes for one image, at the image's own size, with random weights, and GFLOP/s of its network.

Run with ``tox -e bench``.
"""

import numpy as np
import pytest

from irsam_zoo.engine.network_profile import count_flops
from irsam_zoo.zoo import build_method
from tests.deep_methods import DEEP


@pytest.mark.parametrize("side", [256, 512])
@pytest.mark.parametrize("name", DEEP)
def test_predict(benchmark, name, side):
    detector = build_method(name, input_size="native", weights=None)
    image = np.random.default_rng(0).integers(0, 256, (side, side), dtype=np.uint8)
    flops = count_flops(detector, image)  # a warm-up, as well
    score = benchmark.pedantic(detector.predict, args=(image,), rounds=3 if side == 256 else 1)
    assert score.shape == (side, side)
    benchmark.extra_info["GFLOP/s"] = flops / benchmark.stats["min"] / 1e9
