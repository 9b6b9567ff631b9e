"""Speed of the metrics, beside the plain oracle and beside one labelling for each level.

Run with ``tox -e bench``. Ratios are in ``extra_info``.
"""

import cv2
import numpy as np
import pytest

from irsam_zoo.metrics import PROTOCOLS, bootstrap_ci, count_image, paired_bootstrap, quantize, sweep_image
from tests.benchmarks.builders import seconds
from tests.oracles import metrics_oracle as oracle

SIDE = 512


@pytest.fixture(scope="module")
def label():
    """128 targets of 3x3 px, none touching another."""
    mask = np.zeros((SIDE, SIDE), bool)
    for row in range(20, SIDE - 20, 42):
        for column in range(20, SIDE - 20, 42):
            if (row // 42) * 12 + column // 42 < 128:
                mask[row : row + 3, column : column + 3] = True
    return mask


def prediction(label, density):
    shifted = np.roll(label, (1, 1), axis=(0, 1))
    return shifted | (np.random.default_rng(0).random(label.shape) < density)


@pytest.mark.parametrize("density", [0.0, 0.01, 0.1, 0.3, 0.6])
def test_count_image(benchmark, label, density):
    pred = prediction(label, density)
    row = benchmark(count_image, pred, label)
    assert row["targets"] == 128
    benchmark.extra_info["components"] = row["components"]


def test_count_image_beside_the_oracle(benchmark, label):
    pred = prediction(label, 0.0)
    row = benchmark(count_image, pred, label)
    grey = label * np.uint8(255)
    assert row == oracle.count(pred, grey) | {"opdc_iou": row["opdc_iou"]}
    benchmark.extra_info["oracle_ratio"] = round(seconds(oracle.count, pred, grey) / benchmark.stats["min"], 1)


def maps():
    generator = np.random.default_rng(0)
    white = generator.random((SIDE, SIDE))
    return {
        "white noise": white,
        "smooth noise": cv2.GaussianBlur(white, (0, 0), 1.5),
        "heavy tail": generator.exponential(size=(SIDE, SIDE)) ** 2,
        "few points": (white > 0.999) * white,
    }


@pytest.mark.parametrize("name", maps())
def test_sweep_image(benchmark, label, name):
    levels = quantize(maps()[name], "raw")
    sweep = benchmark(sweep_image, levels, label)
    assert sweep["targets"][0] == 128

    def label_every_level():
        for cut in range(256):
            cv2.connectedComponentsWithStats((levels >= cut).view(np.uint8), connectivity=8)

    benchmark.extra_info["labelling_ratio"] = round(seconds(label_every_level, repeats=2) / benchmark.stats["min"], 1)


@pytest.fixture(scope="module")
def rows():
    generator = np.random.default_rng(0)
    return [count_image(*(generator.random((2, 32, 32)) < 0.01)) for _ in range(1000)]


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_bootstrap_of_a_thousand_images(benchmark, rows, protocol):
    assert benchmark(bootstrap_ci, rows, protocol)["IoU"][0] > 0


def test_paired_bootstrap_of_a_thousand_images(benchmark, rows):
    assert benchmark(paired_bootstrap, rows, rows, "exact", "IoU")["p"] == 1
