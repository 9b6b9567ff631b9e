"""Speed of TLLCM, WSLCM, IPI and NRAM, and their speed beside the plain NumPy versions of the tests.

Run with ``pytest tests/benchmarks/test_classical_a.py --benchmark-only``. Ratios are in ``extra_info``.
"""

import time

import numpy as np
import pytest

from irsam_zoo.zoo import build_method
from tests.benchmarks.builders import clouds
from tests.oracles import ipi, local_contrast, nram

ORACLES = {"tllcm": local_contrast.tllcm, "wslcm": local_contrast.wslcm, "ipi": ipi.ipi, "nram": nram.nram}
RATIO_SIDE = 200


@pytest.mark.parametrize(
    ("name", "side"),
    [
        pytest.param(name, side, marks=pytest.mark.slow if (name, side) == ("ipi", 512) else ())
        for name in ORACLES
        for side in (256, 512)
    ],
)
def test_score(benchmark, name, side):
    method = build_method(name)
    image = clouds(side)
    score = benchmark.pedantic(method.score, args=(image,), rounds=1 if name in ("ipi", "nram") else 5)
    assert score.max() > 0


@pytest.mark.parametrize("name", ORACLES)
def test_score_beside_the_oracle(benchmark, name):
    method = build_method(name)
    image = clouds(RATIO_SIDE)
    method.score(image[:64, :64])
    score = benchmark.pedantic(method.score, args=(image,), rounds=3)
    start = time.perf_counter()
    expected = ORACLES[name](image)
    benchmark.extra_info["oracle_ratio"] = round((time.perf_counter() - start) / benchmark.stats["min"], 1)
    np.testing.assert_allclose(score, expected, rtol=0, atol=1e-9 * max(1, expected.max()))
