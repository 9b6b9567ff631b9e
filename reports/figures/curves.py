"""Curves over all cuts of the score maps: pixel ROC, Pd against Fa, precision against recall."""

from abc import abstractmethod
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from matplotlib.lines import Line2D

from irsam_zoo.metrics import best_iou, pd_fa_curve, roc
from irsam_zoo.reports.figures import requirements as needs
from irsam_zoo.reports.figures.figure import FIGURES, ReportFigure, Table
from irsam_zoo.reports.figures.style import COLUMN, GREY, SMALL, canvas, finish
from irsam_zoo.zoo.errors import ZooError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from irsam_zoo.metrics.typing import Sweep
    from irsam_zoo.reports.figures.row_selection import Material
    from irsam_zoo.results.row import Row

Curve = tuple[np.ndarray, np.ndarray, list[float], tuple[float, float] | None]

FPR = (1e-6, 1.0)
FA = (1e-6, 1e-2)  # from one false pixel in four images of 512x512 to more than anybody can use


class Curves(ReportFigure):
    """Base of the curves: one line a method. A subclass implements `curve` and `dress`.

    Attributes:
        axes: What x and y are.
        told: What the figures in the legend are, which are printed with so many `digits`.
    """

    needs = (needs.sweep,)
    axes = ("x", "y")
    told = ()
    digits = 2

    @abstractmethod
    def curve(self, sweep: "Sweep", row: "Row") -> Curve:
        """The points x and y of a row, its figures in the legend, and a point to mark, or None."""

    @abstractmethod
    def dress(self, axes: "Axes") -> None:
        """Name and scale the axes."""

    def data(self, material: "Material") -> dict[str, pd.DataFrame]:
        points, methods = [], []
        for row in material.rows:
            sweep = {name: np.asarray(values) for name, values in (row.sweep or {}).items()}
            x, y, figures, mark = self.curve(sweep, row)
            points.append(pd.DataFrame({"method": row.method} | dict(zip(self.axes, (x, y), strict=True))))
            marked = zip((f"marked {name}" for name in self.axes), mark or (np.nan, np.nan), strict=True)
            methods.append({"method": row.method} | dict(zip(self.told, figures, strict=True)) | dict(marked))
        return {"points": pd.concat(points, ignore_index=True), "methods": pd.DataFrame(methods)}

    def draw(self, data: Table, material: "Material") -> "Figure":
        figure, axes = canvas(COLUMN, 2.5)
        handles = []
        points = dict(list(data["points"].groupby("method")))
        for row, (_, *told) in zip(material.rows, data["methods"].itertuples(index=False), strict=True):
            figures, mark = told[: len(self.told)], told[len(self.told) :]
            figures = ", ".join(f"{value:.{self.digits}f}" for value in figures)
            mark = [] if np.isnan(mark).any() else mark
            look = material.look(row)
            marker = look.pop("marker")
            axes.plot(*(points[row.method][name] for name in self.axes), **look)
            if mark:
                axes.plot(*mark, marker=marker, color=look["color"], markeredgecolor="white", markeredgewidth=0.4, ms=5)
            handles.append(Line2D([], [], **look, marker=marker if mark else "", label=f"{material.label(row)} ({figures})"))
        self.dress(axes)
        axes.set_title(material.title)
        finish(figure, handles, material.note, title=f"Method ({', '.join(self.told)})")
        return figure


@FIGURES.register_module("roc")
class Roc(Curves):
    caption = (
        "Pixel-level ROC curves on a logarithmic axis, from the strictest cut on; AUC is the area on linear axes. Between two "
        "cuts, and below the lowest score, a curve is the straight line that the area is taken under."
    )

    axes = ("false positive rate", "true positive rate")
    told = ("AUC",)
    digits = 4

    def curve(self, sweep: "Sweep", row: "Row") -> Curve:
        fpr, tpr, area = roc(sweep)
        if fpr is None or tpr is None or area is None:
            raise ZooError("the images have no target pixel, or nothing else")
        start = max(FPR[0], fpr[1])
        x = np.union1d(np.geomspace(start, FPR[1], 400), fpr[fpr >= start])
        return x, np.interp(x, fpr, tpr), [area], None

    def dress(self, axes: "Axes") -> None:
        axes.set(
            xscale="log",
            xlim=FPR,
            ylim=(0, 1.02),
            xlabel="False positive rate of pixels",
            ylabel="True positive rate of pixels",
        )


@FIGURES.register_module("pd_fa")
class PdFa(Curves):
    caption = (
        "The largest detection rate Pd that a method reaches at any cut with at most so many false-alarm pixels Fa (exact "
        "protocol). AUC is the share of the drawn area under the curve: the mean Pd over four decades of Fa. The marker is the "
        "method's own threshold."
    )

    axes = ("Fa", "Pd")
    told = ("AUC",)
    digits = 3

    def curve(self, sweep: "Sweep", row: "Row") -> Curve:
        fa, pd = pd_fa_curve(sweep)
        if pd is None:
            raise ZooError("the images have no target")
        order = np.argsort(fa, kind="stable")
        fa, pd = fa[order], np.maximum.accumulate(pd[order])
        x = np.geomspace(*FA, 801)
        place = np.searchsorted(fa, x, side="right") - 1
        y = np.where(place >= 0, pd[place], 0.0)
        own = row.metrics.get("exact", {})
        alarms, found = own.get("Fa"), own.get("Pd")
        mark = None if alarms is None or found is None else (float(np.clip(alarms, *FA)), found)
        return x, y, [float(np.mean(y))], mark

    def dress(self, axes: "Axes") -> None:
        axes.set(xscale="log", xlim=FA, ylim=(0, 1.02), xlabel="False-alarm pixels per pixel, Fa", ylabel="Detection rate, Pd")


@FIGURES.register_module("precision_recall")
class PrecisionRecall(Curves):
    caption = (
        "Pixel-level precision against recall. AP is the mean precision over the recall; the marker is the cut of largest IoU "
        "over the set, which the legend gives: an upper bound, chosen by looking at the masks. Dotted: equal IoU."
    )

    axes = ("recall", "precision")
    told = ("AP", "largest IoU")

    def curve(self, sweep: "Sweep", row: "Row") -> Curve:
        level, iou = best_iou(sweep)
        if level is None or iou is None:
            raise ZooError("the images have no target pixel")
        tp, predicted = sweep["tp"][::-1], (sweep["tp"] + sweep["fp"])[::-1]
        some = predicted > 0
        some[-1] = False  # where everything is predicted
        recall, precision = tp[some] / tp[-1], tp[some] / predicted[some]
        average = float(np.sum(np.diff(recall, prepend=0) * precision))
        mark = (sweep["tp"][level] / tp[-1], sweep["tp"][level] / (sweep["tp"] + sweep["fp"])[level])
        return recall, precision, [average, iou], mark

    def dress(self, axes: "Axes") -> None:
        recall = np.linspace(0.01, 1, 200)
        for iou in (0.2, 0.4, 0.6, 0.8):
            with np.errstate(divide="ignore"):
                precision = 1 / (1 / iou + 1 - 1 / recall)
            shown = (precision > 0) & (precision <= 1)
            axes.plot(recall[shown], precision[shown], color=GREY, lw=0.5, ls=":", zorder=0)
            axes.text(1.01, iou, f"{iou:g}", fontsize=SMALL, color=GREY, va="center")
        axes.set(xlim=(0, 1), ylim=(0, 1.02), xlabel="Recall of target pixels", ylabel="Precision of predicted pixels")
