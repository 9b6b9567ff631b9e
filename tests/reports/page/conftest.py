"""A result folder of two data sets with saved masks and score maps, and its page. One row's texts are hostile."""

from dataclasses import replace

import cv2
import numpy as np
import pytest

from irsam_zoo.engine.benchmark import RunOptions, run
from irsam_zoo.reports.page import page as page_part
from irsam_zoo.reports.report import ReportOptions, write_report
from irsam_zoo.results.files import write_atomic
from irsam_zoo.results.stored_rows import StoredRows

HOSTILE = "</script><script>window.hacked = 1</script>"
IDS = ("im0", "im<b>1", "im2", "im3")


def own_set(root):
    """Four images with a target each; that of the last is as dark as the ground, and a bright corner is none."""
    for name in ("images", "masks"):
        (root / name).mkdir(parents=True)
    rng = np.random.default_rng(0)
    for number, image_id in enumerate(IDS):
        image, mask = rng.integers(20, 60, (48, 64), dtype=np.uint8), np.zeros((48, 64), np.uint8)
        mask[20:23, 30:33] = 255
        image[mask > 0] = 200 if number < 3 else 40
        image[2:4, 2:4] = 250 if number > 1 else 40
        cv2.imwrite(str(root / "images" / f"{image_id}.png"), image)
        cv2.imwrite(str(root / "masks" / f"{image_id}.png"), mask)
    (root / "test.txt").write_text("".join(f"{image_id}\n" for image_id in IDS))
    return root


@pytest.fixture(scope="session")
def out(tmp_path_factory):
    """The result folder."""
    folder = tmp_path_factory.mktemp("page")
    mine, out = own_set(folder / "mine"), folder / "out"
    options = dict(
        out=str(out),
        jobs=1,
        device="cpu",
        train="none",
        limit=4,
        save_predictions=True,
        save_scores="npy",
        checkpoints=str(folder),
    )
    run(RunOptions(methods=("top_hat", "max_median", "acmnet"), datasets=(str(mine), "synthetic"), **options))
    store = StoredRows.read(out).store
    (row,) = (row for row in store.rows() if (row.method, row.dataset) == ("max_median", "mine"))
    store.write_row(replace(row, title=HOSTILE, data_notes=(HOSTILE,)), store.records(row))
    figure = out / "report" / "figures" / "roc_mine.png"
    figure.parent.mkdir(parents=True)
    cv2.imwrite(str(figure), np.full((60, 80), 255, np.uint8))
    (out / "report" / "audit.md").write_text(f"| cell | nearest |\n|---|---|\n| {HOSTILE} | adaptive |\n", encoding="utf-8")
    return out


@pytest.fixture(scope="session")
def stored(out):
    """Its rows."""
    return StoredRows.read(out)


@pytest.fixture(scope="session")
def page(stored):
    """The path of the page."""
    (path,) = write_report(stored, stored.store.out / "report", write_atomic, ReportOptions(), parts=[page_part])
    return path
