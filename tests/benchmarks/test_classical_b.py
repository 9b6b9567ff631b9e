"""Speed of RIPT, PSTNN and MSLSTIPT, and its ratio to the plain solvers of tests/oracles in the same process.

Run with ``OMP_NUM_THREADS=1 pytest tests/benchmarks/test_classical_b.py --benchmark-only``; the ratios are in ``extra_info``.
"""

import time

import numpy as np
import pytest

from irsam_zoo.zoo import build_method
from tests.oracles import mslstipt, pstnn, ript
from tests.oracles.golden import random_scene

RATIO_SIDE = 160
ORACLES = {
    "ript": lambda image: ript.ript(image)[0],
    "pstnn": lambda image: pstnn.pstnn(image)[0],
    "mslstipt": lambda image: mslstipt.mslstipt(image[None], size=100)[0][0],
}


def processor_seconds(function, image, repeats=3):
    """Least processor time of a few calls: less disturbed by other programs than wall time."""
    times = []
    for _ in range(repeats):
        copy = image.copy()
        start = time.process_time()
        function(copy)
        times.append(time.process_time() - start)
    return min(times)


@pytest.mark.parametrize("side", [256, 512])
@pytest.mark.parametrize("name", ORACLES)
def test_speed(benchmark, name, side):
    method, image = build_method(name), random_scene(0, side, side)
    score = benchmark.pedantic(method.score, setup=lambda: ((image.copy(),), {}), rounds=2, warmup_rounds=0)
    assert np.isfinite(score).all()


@pytest.mark.parametrize("name", ORACLES)
def test_ratio_to_the_plain_solver(benchmark, name):
    method, image = build_method(name), random_scene(0, RATIO_SIDE, RATIO_SIDE)
    score = benchmark.pedantic(method.score, setup=lambda: ((image.copy(),), {}), rounds=3, warmup_rounds=1)
    np.testing.assert_allclose(score, ORACLES[name](image), rtol=0, atol=1e-5)
    ours, plain = processor_seconds(method.score, image), processor_seconds(ORACLES[name], image)
    benchmark.extra_info.update(side=RATIO_SIDE, seconds=ours, plain_seconds=plain, ratio=plain / ours)
