"""Fixtures of the whole suite."""

import os
from pathlib import Path

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
