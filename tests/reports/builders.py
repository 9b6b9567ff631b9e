"""Rows and tables for tests of reports."""

import numpy as np

from irsam_zoo.reports.published import printed_name
from irsam_zoo.results.record import pack_sweep
from irsam_zoo.results.row import Row, Speed, Status, WeightsFacts
from irsam_zoo.results.store import ResultStore
from irsam_zoo.results.stored_rows import StoredRows
from irsam_zoo.zoo.thresholds import ScoreStatistics
from tests.results.builders import make_record


def make_row(method, iou=0.5, dataset="nuaa-sirst", split="irsam", **changes):
    row = dict(
        method=method,
        title=printed_name(method),
        dataset=dataset,
        split=split,
        status=Status.OK,
        fidelity="author-code",
        threshold="fixed(0)",
        n_images=86,
        n_split=86,
        metrics={"exact": dict(IoU=iou, nIoU=iou, Pd=iou, Fa=1e-5), "irsam": dict(IoU=iou / 2, nIoU=None, Pd=iou, Fa=2e-5)},
        ci95={"exact": dict(IoU=(iou - 0.1, iou + 0.1), nIoU=(None, None), Pd=(0, 1), Fa=(0, 1))},
        speed=speed(12.5),
    )
    return Row(**row | changes)


def speed(fps):
    return Speed(fps=fps, seconds_an_image=1 / fps)


def trained(**changes):
    return WeightsFacts(
        **dict(file="a.safetensors", sha256="ab", schedule="short", dataset="nuaa-sirst", split="irsam") | changes
    )


def line_of(sections, method):
    return next(line for line in sections[0].lines if line.method == method)


def printed(value):
    """The first published figure of a cell, or None."""
    return value.published[0].text if value.published else None


def difference(value):
    """Measured minus the first published figure, or None."""
    return value.published[0].difference if value.published else None


def row_of(method="acmnet", iou=0.5, options=None, weights=None, **changes):
    key = {"method": {"type": "acmnet", "checkpoint": f"{method}.pth"} | (options or {})}
    return make_row(method, iou, key=key, weights=trained(**weights or {}), family="deep", **changes)


LEVELS = np.arange(256)


KEY = {"code": "1", "method": {"type": "top_hat"}}


CUT = 179  # the level of adaptive(0.7, 0.5): 0.7 of a largest score of 255


COUNTS = dict(pixels=65536, targets=1, target_pixels=10, intersection=8, union=50, matched=1, false_pixels=40)


def sweep():
    """Of an image of 256x256 px with a target of 10 px: half of it and 5 px beside are found from `CUT` on, more below."""
    tp, fp = np.where(LEVELS >= CUT, 5, 8), np.where(LEVELS >= CUT, 5, 40)
    tp[0], fp[0] = 10, 65526
    return dict(tp=tp, fp=fp, matched=np.ones(256, int), false_pixels=fp, targets=np.ones(256, int))


def stored(tmp_path, method="top_hat", journal=True, images=4, **changes):
    """A folder with one row."""
    about = dict(counts=COUNTS, sweep=pack_sweep(sweep()), statistics=ScoreStatistics(0.0, 255.0, 1.0, 1.0))
    records = [make_record(id=f"im{k}", **about) for k in range(images)]
    row = dict(dataset="nudt-sirst", split="dnanet", n_images=images, n_split=images, key=KEY | {"data": "f"})
    row |= dict(sweep={name: (images * values).tolist() for name, values in sweep().items()}, score_kind="raw")
    row |= dict(threshold="fixed(0)", family="classical", metrics={"exact": dict(IoU=0.1, nIoU=0.1, Pd=0.9, Fa=1e-3)})
    store = ResultStore(tmp_path)
    store.write_row(make_row(method, **row | changes), records)
    if journal:
        with store.journal("nudt-sirst", "dnanet", method).writer(KEY, records):
            pass
    return StoredRows.read(tmp_path)


IMAGES = 40


def counts_of(matched, false_pixels=1):
    """Counts of images with one target each, of which the first are matched."""
    return [
        dict(id=str(k), pixels=100, targets=1, matched=int(k < matched), false_pixels=false_pixels, target_pixels=4,
             intersection=4 * (k < matched), predicted_pixels=4, union=4, opdc_matched=0, opdc_iou=0.0, components=0)
        for k in range(IMAGES)
    ]  # fmt: skip
