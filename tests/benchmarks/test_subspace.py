"""Speed of IPI and NRAM with tracked singular vectors beside the decomposition of each matrix, in the same process.

Run with ``OMP_NUM_THREADS=1 pytest tests/benchmarks/test_subspace.py --benchmark-only``; minutes for IPI. Processor seconds,
their ratio, and the counts that both agree on are in ``extra_info``.
"""

import importlib
import time

import numpy as np
import pytest

from irsam_zoo.baselines.classical.parts import subspace
from irsam_zoo.zoo import build_method
from tests.benchmarks.builders import clouds


def run(name, image, monkeypatch):
    """Score map, counts of the solution and processor seconds."""
    module, solutions = importlib.import_module(f"baselines.classical.{name}"), []
    with monkeypatch.context() as patch:
        patch.setattr(
            module,
            "solve",
            lambda *args, plain=module.solve, **options: solutions.append(plain(*args, **options)) or solutions[0],
        )
        start = time.process_time()
        score = build_method(name).score(image)
    (solution,) = solutions
    counts = dict(iterations=solution.iterations, rank=solution.rank, nonzeros=int(solution.target.count_nonzero()))
    return score, counts, time.process_time() - start


@pytest.mark.parametrize("name", [pytest.param("ipi", marks=pytest.mark.slow), "nram"])
def test_tracked_beside_decomposed(benchmark, monkeypatch, name):
    image = clouds(512)
    score, counts, seconds = benchmark.pedantic(run, args=(name, image, monkeypatch), rounds=1)
    monkeypatch.setattr(subspace, "SMALLEST", 10**9)
    expected, expected_counts, whole_seconds = run(name, image, monkeypatch)
    assert counts == expected_counts
    np.testing.assert_allclose(score, expected, rtol=0, atol=1e-6 * expected.max())
    benchmark.extra_info.update(counts, seconds=seconds, whole_seconds=whole_seconds, ratio=whole_seconds / seconds)
