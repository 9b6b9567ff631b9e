"""Scores of a folder of predicted masks."""

import cv2
import numpy as np
import pytest

from datasets import build_dataset
from engine.folder_score import score_folder


@pytest.mark.parametrize("level", [1, 255])
def test_masks_of_0_and_1_and_of_0_and_255_score_alike(tmp_path, level):
    mask = np.zeros((32, 32), np.uint8)
    mask[4:7, 5:8] = 1
    for name, picture in (("images", mask * 90 + 40), ("masks", mask), ("predicted", mask * level)):
        (tmp_path / name).mkdir()
        cv2.imwrite(str(tmp_path / name / "a.png"), picture)
    metrics = score_folder(tmp_path / "predicted", build_dataset(str(tmp_path), subset="all"))
    assert [values["IoU"] for values in metrics.values()] == pytest.approx([1] * len(metrics))
