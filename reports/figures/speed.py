"""Accuracy against speed against size."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from matplotlib.lines import Line2D

from irsam_zoo.reports.columns import columns_named
from irsam_zoo.reports.figures import requirements as needs
from irsam_zoo.reports.figures.figure import FIGURES, ReportFigure, Table
from irsam_zoo.reports.figures.labels import label_points
from irsam_zoo.reports.figures.style import COLUMN, PALETTE, SMALL, canvas, finish, log_ticks
from irsam_zoo.reports.table_line import MARKS

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from irsam_zoo.reports.figures.row_selection import Material
    from irsam_zoo.results.row import Row

FAMILIES = {"classical": PALETTE[0], "deep": PALETTE[1]}
SHOWN_SIZES = (1e6, 10e6)  # parameters, in the legend
COLUMNS = ["method", "family", "params", "fps", "IoU", "IoU_low", "IoU_high", "one_run_or_shared", "processor"]
WITHOUT = 3.0  # radius in pt of the square of a method that learns nothing


@FIGURES.register_module("speed")
class AccuracyAgainstSpeed(ReportFigure):
    caption = (
        "IoU with its 95 % interval against images a second. The area of a circle grows with the square root of the number of "
        "parameters; squares are methods without any. Those that are empty had one run, or a processor that others used too. "
        "Speeds that were measured on different processors do not compare."
    )
    needs = (needs.speed,)

    def data(self, material: "Material") -> pd.DataFrame:
        (iou,) = columns_named(["IoU"])
        lines = []
        for row in material.rows:
            value, ends = iou.of(row, material.protocol), iou.interval(row, material.protocol) or (None, None)
            if value is not None and row.speed:
                about = dict(method=row.method, family=row.family, params=row.params, fps=row.speed.fps)
                about |= dict(IoU=value, IoU_low=ends[0], IoU_high=ends[1])
                lines.append(about | dict(one_run_or_shared=bool(row.speed.marks), processor=row.speed.processor))
        return pd.DataFrame(lines, columns=COLUMNS).astype({"params": "Int64"})

    def draw(self, data: Table, material: "Material") -> "Figure":
        (iou,) = columns_named(["IoU"])
        rows = [row for row in material.rows if row.method in {*data["method"]}]
        figure, axes = canvas(COLUMN, 2.5)
        points, bars = [], []
        for row, line in zip(rows, data.itertuples(), strict=True):
            speed, (value, low, high) = line.fps, (iou.shown(value) for value in (line.IoU, line.IoU_low, line.IoU_high))
            colour = FAMILIES.get(row.family or "", PALETTE[-1])
            if not np.isnan(low):
                axes.plot([speed, speed], [low, high], color=colour, lw=0.7, alpha=0.6)
                bars.append([(speed, low), (speed, high)])
            filled: dict[str, Any] = dict(mew=0.8, fillstyle="none") if line.one_run_or_shared else dict(mew=0)
            axes.plot(speed, value, "o" if row.params else "s", ms=2 * radius(row.params), color=colour, alpha=0.75, **filled)
            points.append((speed, value))
        axes.set(xscale="log", xlabel="Speed (images a second)", ylabel="IoU (%)", title=material.title)
        axes.margins(0.12)
        axes.set_ylim(bottom=min(0, axes.get_ylim()[0]))
        log_ticks(axes.xaxis)
        told = "; ".join(filter(None, [_processors(rows), _marked(rows), material.note]))
        finish(figure, [*_families(rows), *_sizes(rows)], told, labelspacing=0.9)
        label_points(
            axes, points, [material.label(row) for row in rows], [radius(row.params) for row in rows], bars, fontsize=SMALL
        )
        return figure


def radius(params: float | None) -> float:
    """Radius in pt of the marker of a method: of a circle whose area grows with the root of its parameters."""
    return WITHOUT if params is None else 3.2 * (params / 1e6) ** 0.25


def _families(rows: "Iterable[Row]") -> list[Line2D]:
    found = dict.fromkeys(row.family for row in rows if row.family in FAMILIES)
    return [
        Line2D([], [], ls="", marker="s" if f == "classical" else "o", ms=5, mew=0, color=FAMILIES[f], label=f) for f in found
    ]


def _sizes(rows: "Iterable[Row]") -> list[Line2D]:
    """Circles of some sizes, where there are any."""
    if not any(row.params for row in rows):
        return []
    about: dict[str, Any] = dict(ls="", marker="o", color="none", markeredgecolor=PALETTE[1], mew=0.6)
    return [Line2D([], [], ms=2 * radius(size), label=f"{size / 1e6:g} M params", **about) for size in SHOWN_SIZES]


def _marked(rows: "Iterable[Row]") -> str:
    """What empty markers stand for, where there are any."""
    used = sorted({mark for row in rows if row.speed for mark in row.speed.marks})
    return f"empty: {' or '.join(MARKS[mark] for mark in used)}" if used else ""


def _processors(rows: "Iterable[Row]") -> str:
    names = dict.fromkeys(row.speed.processor for row in rows if row.speed and row.speed.processor)
    return f"measured on {', '.join(names)}" if names else ""
