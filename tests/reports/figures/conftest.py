"""A result folder of a hand-made test set and three methods that see it in known ways."""

import json
from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
import pytest

from irsam_zoo.datasets import build_dataset
from irsam_zoo.engine.cell import Cell
from irsam_zoo.engine.evaluate import evaluate, pixel_digests
from irsam_zoo.reports.figures.row_selection import materials
from irsam_zoo.reports.row_files import RowFiles
from irsam_zoo.results.files import write_json
from irsam_zoo.results.store import ResultStore
from irsam_zoo.zoo import METHODS, Detector, MethodCard

# A method sees a target at 200, a fainter one at 120 and a bright spot that is none at 160; each cuts at its own level.
CUTS = {"sharp": 140, "greedy": 100, "shy": 180}


class InPlace(ThreadPoolExecutor):
    """Stands for a pool of workers."""

    workers = 1

    def alone(self, function, *arguments):
        return function(*arguments)


def drawing(figure, material):
    """A `ReportFigure` as it is drawn."""
    return figure.draw(figure.data(material), material)


@pytest.fixture(autouse=True)
def coarse(monkeypatch):
    """Pictures of few pixels, which take less time to write."""
    monkeypatch.setattr("irsam_zoo.reports.figures.style.DPI", 30)


@pytest.fixture
def methods():
    for name, cut in CUTS.items():
        card = MethodCard(title=name.title(), fidelity="author-code")
        score = staticmethod(lambda image: np.round(image, 3))
        body = dict(card=card, default_threshold=f"fixed({cut})", score=score, __module__=__name__)
        METHODS.register_module(name, module=type(name, (Detector,), body))
    yield list(CUTS)
    for name in CUTS:
        METHODS.module_dict.pop(name)


@pytest.fixture
def images(tmp_path):
    """Four images of 64x80: two targets of 3x3 and 4x5 px and a false spot of 2x2; the last one without the faint target."""
    root = tmp_path / "scenes"
    rng = np.random.default_rng(3)
    for name in ("images", "masks"):
        (root / name).mkdir(parents=True)
    for number in range(4):
        image, mask = rng.integers(20, 60, (64, 80), dtype=np.uint8), np.zeros((64, 80), np.uint8)
        image[10:13, 20:23] = mask[10:13, 20:23] = 200
        if number < 3:
            image[40:44, 50:55] = mask[40:44, 50:55] = 120
        image[50 : 52 + number, 8:10] = 160
        cv2.imwrite(str(root / "images" / f"im{number}.png"), image)
        cv2.imwrite(str(root / "masks" / f"im{number}.png"), (mask > 0).astype(np.uint8) * 255)
    (root / "test.txt").write_text("".join(f"im{number}\n" for number in range(4)))
    return root


@pytest.fixture
def run_methods(tmp_path, images, methods):
    """Scores the images by every method; options are those of `Cell`. Gives the folder."""

    def go(**options):
        store = ResultStore(tmp_path / "out")
        dataset = build_dataset(str(images))
        place = dict(dataset=dataset.name, split=dataset.split, source=str(images), lists="irsam", module=__name__)
        for method in methods:
            cell = Cell(method=method, spec=method, options=json.dumps({"type": method}), **place, **options)
            evaluate(cell, store, InPlace(1), pixel_digests(dataset))
        write_json(store.manifest_path, [{"config": {"datasets": [str(images)], "split": "irsam", "data_root": None}}])
        return store

    return go


@pytest.fixture
def store(run_methods, tmp_path):
    """The folder, with saved masks."""
    return run_methods(predictions=str(tmp_path / "out" / "predictions"))


@pytest.fixture
def material(store):
    """Of the test set."""
    (found,), _, told = materials(store.rows(), RowFiles(store), "exact")
    assert told == []
    return found
