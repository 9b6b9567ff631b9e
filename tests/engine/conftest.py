"""A data set of one's own, and a way to run methods on it."""

import cv2
import numpy as np
import pytest

from irsam_zoo.engine.benchmark import RunOptions, run


@pytest.fixture
def own_set(tmp_path):
    """A folder of four images with one target each."""
    root = tmp_path / "mine"
    for name in ("images", "masks"):
        (root / name).mkdir(parents=True)
    rng = np.random.default_rng(0)
    for number in range(4):
        image, mask = rng.integers(20, 60, (32, 40), dtype=np.uint8), np.zeros((32, 40), np.uint8)
        mask[10:13, 20:23] = 255
        image[mask > 0] = 200 + number
        cv2.imwrite(str(root / "images" / f"im{number}.png"), image)
        cv2.imwrite(str(root / "masks" / f"im{number}.png"), mask)
    (root / "test.txt").write_text("".join(f"im{number}\n" for number in range(4)))
    return root


@pytest.fixture
def run_here(own_set, tmp_path):
    """Calls `run` on `own_set`; gives the rows by method."""

    def go(*methods, **options):
        options = {"out": str(tmp_path / "out"), "jobs": 1, "device": "cpu", "train": "none"} | options
        rows = run(RunOptions(methods=methods, datasets=(str(own_set),), **options))
        return {row.method: row for row in rows}

    return go
