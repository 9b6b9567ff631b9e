"""IoU and Pd by size and by contrast of the targets."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import pandas as pd
from matplotlib.lines import Line2D

from irsam_zoo.metrics import ratio_ci, strata
from irsam_zoo.reports.figures import requirements as needs
from irsam_zoo.reports.figures.figure import FIGURES, ReportFigure, Table
from irsam_zoo.reports.figures.style import PAGE, Look, canvas, finish
from irsam_zoo.zoo.errors import ZooError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from irsam_zoo.metrics.typing import TargetSignal
    from irsam_zoo.reports.figures.row_selection import Material

GROUPS = {"size": "Size of the target (px)", "scr": "Signal-to-clutter ratio of the target"}
RATES = {"IoU": "Mean IoU of the targets", "Pd": "Detection rate, Pd"}
SPREAD = 0.7  # of the distance between bins, over which the methods stand side by side
FEW = 8  # methods whose points are joined; lines of more would hide them


@FIGURES.register_module("strata")
class Strata(ReportFigure):
    caption = (
        "Mean IoU of the targets and detection rate by target size and by signal-to-clutter ratio, with 95 % bootstrap "
        "intervals over images. The IoU of a target is that with the component it is matched with (exact protocol), 0 for a "
        "missed one. Where all targets of a bin fared alike, an interval has no width."
    )
    needs = (needs.targets,)

    def data(self, material: "Material") -> pd.DataFrame:
        tables = []
        for group in GROUPS:
            for row in material.rows:
                bins = by_bin([record.signal["targets"] for record in material.stored.records(row)], group)
                tables.append(pd.DataFrame(bins).assign(method=row.method, by=group))
        table = pd.concat(tables, ignore_index=True)
        return cast(pd.DataFrame, table[["method", "by", *table.columns.drop(["method", "by"])]])

    def draw(self, data: Table, material: "Material") -> "Figure":
        figure, axes = canvas(PAGE, 3.8, 2, 2, sharey="row", sharex="col")
        for (group, title), (upper, lower) in zip(GROUPS.items(), axes.T, strict=True):
            for place, row in enumerate(material.rows):
                bins = data[(data["by"] == group) & (data["method"] == row.method)]
                shift = SPREAD * ((place + 0.5) / len(material.rows) - 0.5)
                for axis, rate in ((upper, "IoU"), (lower, "Pd")):
                    _draw_points(axis, bins, rate, shift, material.look(row), joined=len(material.rows) <= FEW)
            ticks = [
                f"{name}\n{number} target{'s' * (number > 1)}"
                for name, number in zip(bins["bin"], bins["targets"], strict=True)
            ]
            lower.set_xticks(range(len(bins)), ticks)
            lower.set_xlabel(title)
            for axis in (upper, lower):
                axis.grid(visible=False, axis="x")
                axis.tick_params("x", length=0)
                axis.set(xlim=(-0.5, len(bins) - 0.5), ylim=(-0.03, 1.03))
        for axis, rate in zip(axes[:, 0], RATES.values(), strict=True):
            axis.set_ylabel(rate)
        figure.suptitle(material.title, fontsize=7)
        handles = [Line2D([], [], **material.look(row), label=material.label(row)) for row in material.rows]
        finish(figure, handles, material.note)
        return figure


def by_bin(images: "Sequence[Sequence[TargetSignal]]", group: str) -> list[dict[str, Any]]:
    """Figures of the bins that hold targets.

    Arguments:
        images: The target records of each image.
        group: ``"size"`` or ``"scr"``.

    Returns:
        list[dict]: Those of `metrics.strata` for all images together, with ``IoU_low``, ``IoU_high``, ``Pd_low``, ``Pd_high``.

    Raises:
        ZooError: There is no target.
    """
    bins: list[dict[str, Any]] = [{**line} for line in strata([target for targets in images for target in targets])[group]]
    each = [strata(targets)[group] for targets in images]
    number, matched = (np.array([[line[name] for line in lines] for lines in each]) for name in ("targets", "matched"))
    iou = np.array([[(line["IoU"] or 0.0) * line["targets"] for line in lines] for lines in each])
    if not number.any():
        raise ZooError("the images have no target")
    for rate, of_images in (("IoU", iou), ("Pd", matched)):
        for line, (low, high) in zip(bins, ratio_ci(of_images, number), strict=True):
            line |= {f"{rate}_low": low, f"{rate}_high": high}
    return [line for line in bins if line["targets"]]


def _draw_points(axis: "Axes", bins: Table, rate: str, shift: float, look: Look, *, joined: bool) -> None:
    x, y = np.arange(len(bins)) + shift, bins[rate].to_numpy(np.float64)
    ends = bins[[f"{rate}_low", f"{rate}_high"]].to_numpy(np.float64).T
    axis.plot(x, y, **look, lw=0.6 if joined else 0, alpha=0.9)
    axis.errorbar(x, y, yerr=np.maximum(np.abs(ends - y), 0), fmt="none", ecolor=look["color"], elinewidth=0.9, capsize=1.5)
