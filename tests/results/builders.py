"""Records and rows for tests of what is stored."""

import numpy as np

from irsam_zoo.results.record import SWEEP_COLUMNS, ImageRecord, pack_sweep
from irsam_zoo.results.row import Row, Speed, Status, WeightsFacts
from irsam_zoo.zoo.thresholds import ScoreStatistics


def make_record(**changes):
    record = dict(
        id="a",
        pixels="1 2",
        seconds=0.5,
        processor="a fast one",
        notes=("tired",),
        height=4,
        width=3,
        counts={"pixels": 12, "intersection": 1, "union": 2, "targets": 1, "matched": 1, "false_pixels": 0},
        statistics=ScoreStatistics(0.0, 1.0, 0.5, 0.1),
        signal={"targets": []},
        sweep=pack_sweep(sweep_of(5)),
    )
    return ImageRecord(**record | changes)


def sweep_of(first):
    return {name: np.arange(256) + first + number for number, name in enumerate(SWEEP_COLUMNS)}


def make_row(**changes):
    row = dict(method="m", title="M", dataset="d", split="s", status=Status.OK, n_images=2, n_split=2, metrics={"exact": {}})
    return Row(**row | changes)


FULL = dict(
    weights=WeightsFacts(file="w.safetensors", sha256="ab", datasets=("a", "b"), in_stages=True),
    speed=Speed(fps=2.0, seconds_an_image=0.5, flops=10, memory=20, how="so", processor="p"),
    fidelity="reconstruction",
    fidelity_scope="WPMD",
    notes={"tired": 2},
    data_notes=("grey masks",),
    key={"code": "c", "data": "f"},
)
