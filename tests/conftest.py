"""Fixtures of the whole suite."""

import os
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

import irsam_zoo  # noqa: F401 - before a test imports mmengine: see irsam_zoo._yapf

# Threads of several test processes that wait for each other by spinning take a hundred times as long.
torch.set_num_threads(1)

BESIDE_THE_CHECKOUT = Path(__file__).resolve().parents[2] / "shared" / "data"


@pytest.fixture(scope="session")
def data_root():
    """The folder that holds the published data sets; the test is skipped where there is none."""
    root = Path(os.environ.get("IRSAM_ZOO_DATA") or BESIDE_THE_CHECKOUT).expanduser()
    if not root.is_dir():
        pytest.skip(f"no data sets: {root} is no folder; set IRSAM_ZOO_DATA to the one that holds them")
    return root


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

    from irsam_zoo.engine.benchmark import RunOptions, run  # which fewer tests need than have this file

    def go(*methods, **options):
        options = {"out": str(tmp_path / "out"), "jobs": 1, "device": "cpu", "train": "none"} | options
        rows = run(RunOptions(methods=methods, datasets=(str(own_set),), **options))
        return {row.method: row for row in rows}

    return go
