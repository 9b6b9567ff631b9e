"""What keeps hIoU from 1."""

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from irsam_zoo.metrics import compute_pyirstd, count_pyirstd
from irsam_zoo.reports.figures import requirements as needs
from irsam_zoo.reports.figures.figure import FIGURES, ReportFigure, Table
from irsam_zoo.reports.figures.style import COLUMN, PALETTE, SMALL, canvas, finish
from irsam_zoo.zoo.errors import ZooError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from irsam_zoo.reports.figures.row_selection import Material
    from irsam_zoo.results.row import Row

PACKAGE = "PyIRSTDMetrics"
COLOURS = {"hIoU": PALETTE[2], "imprecise masks": PALETTE[4], "missed targets": PALETTE[0], "false alarms": PALETTE[5]}


@FIGURES.register_module("hiou_errors")
class HierarchicalErrors(ReportFigure):
    caption = (
        "hIoU, and what is missing to 1: what matched pairs lack in IoU, missed targets, and false alarms, each as a share of "
        "all targets and predicted components, a matched pair counting once; hIoU in 1e-2 at the right. Diamonds: hIoU as "
        "PyIRSTDMetrics computes it, of saved masks."
    )
    needs = (needs.hiou,)

    def data(self, material: "Material") -> pd.DataFrame:
        package = pyirstd_hiou(material)
        lines = [
            {"method": row.method} | shares(material.stored.counts(row)) | {PACKAGE: package.get(row.method, np.nan)}
            for row in material.rows
        ]
        return pd.DataFrame(lines)

    def draw(self, data: Table, material: "Material") -> "Figure":
        figure, axes = canvas(COLUMN, 0.7 + 0.19 * len(material.rows))
        handles = [Patch(color=colour, label=part) for part, colour in COLOURS.items()]
        diamond: dict[str, Any] = dict(marker="D", ms=3, color="white", mec="black", mew=0.6, ls="")
        for place, line in data.iterrows():
            left = 0.0
            for part, colour in COLOURS.items():
                axes.barh(place, line[part], left=left, color=colour, height=0.75)
                left += line[part]
            axes.text(1.01, place, f"{100 * line['hIoU']:.1f}", va="center", fontsize=SMALL)
            if not np.isnan(line[PACKAGE]):
                axes.plot(line[PACKAGE], place, **diamond)
        handles += [Line2D([], [], **diamond, label=PACKAGE)] if data[PACKAGE].notna().any() else []
        axes.set_yticks(range(len(material.rows)), map(material.label, material.rows))
        axes.set_ylim(len(material.rows) - 0.5, -0.5)
        axes.grid(visible=False)
        axes.tick_params("y", length=0)
        axes.set(xlim=(0, 1), xlabel="Share of targets and predicted components", title=material.title)
        finish(figure, handles, material.note)
        return figure


def shares(counts: pd.DataFrame) -> dict[str, float]:
    """What becomes of a set's targets and predicted components.

    Arguments:
        counts (pandas.DataFrame): One line an image, with the columns of `metrics.count_image`.

    Returns:
        dict: Fractions that add up to 1: hIoU, the IoU that matched pairs lack, missed targets, and false alarms.
    """
    matched, iou, targets, components = counts[["opdc_matched", "opdc_iou", "targets", "components"]].sum()
    everything = targets + components - matched
    parts = (iou, matched - iou, targets - matched, components - matched)
    return {name: float(part / everything) for name, part in zip(COLOURS, parts, strict=True)}


def pyirstd_hiou(material: "Material") -> dict[str, float | None]:
    """The hIoU of that package by method: of those with saved masks, if the images are there as well."""
    rows = [row for row in material.rows if _has_masks(material, row)]
    counts = {row.method: [] for row in rows}
    try:
        for record in material.stored.records(rows[0]) if rows else ():
            label = material.stored.item(rows[0], record.id)["mask"]
            for row in rows:
                counts[row.method].append(count_pyirstd(material.stored.mask(row, record.id), label))
    except ZooError:
        return {}
    return {method: compute_pyirstd(of_row)["hIoU"] for method, of_row in counts.items()}


def _has_masks(material: "Material", row: "Row") -> bool:
    try:
        needs.masks(material, row)
    except ZooError:
        return False
    return True
