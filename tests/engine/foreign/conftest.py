"""A small test set of three images, and a way to score what is predicted of it."""

import cv2
import numpy as np
import pytest
from PIL import Image

from irsam_zoo.datasets import build_dataset
from irsam_zoo.engine.foreign.score import score_folder

IDS = ("a", "b", "c")


@pytest.fixture
def target():
    """HxW uint8 mask of a target of 3x3 px."""
    mask = np.zeros((32, 32), np.uint8)
    mask[4:7, 5:8] = 255
    return mask


@pytest.fixture
def dataset(tmp_path, target):
    """Three images with the target, all alike."""
    for kind, picture in (("images", target // 3 + 40), ("masks", target)):
        (tmp_path / "set" / kind).mkdir(parents=True)
        for image_id in IDS:
            cv2.imwrite(str(tmp_path / "set" / kind / f"{image_id}.png"), picture)
    (tmp_path / "predicted").mkdir()
    return build_dataset(str(tmp_path / "set"), split="all")


@pytest.fixture
def write(tmp_path):
    """Writes one picture or array as the prediction of several images."""

    def go(picture, pattern="{}.png", ids=IDS, folder="predicted"):
        for image_id in ids:
            path = tmp_path / folder / pattern.format(image_id)
            path.parent.mkdir(parents=True, exist_ok=True)
            if path.suffix == ".npy":
                np.save(path, picture)
            else:
                (picture if isinstance(picture, Image.Image) else Image.fromarray(picture)).save(path)

    return go


@pytest.fixture
def score(tmp_path, dataset):
    """Scores the predictions; gives a `Scored`."""
    return lambda **options: score_folder(tmp_path / "predicted", dataset, **{"name": "mine"} | options)
