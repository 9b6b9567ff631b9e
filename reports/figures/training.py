"""What networks lost while they were trained."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from irsam_zoo.datasets import DATASETS
from irsam_zoo.reports.figures import requirements as needs
from irsam_zoo.reports.figures.figure import FIGURES, ReportFigure, Table
from irsam_zoo.reports.figures.style import GREY, PAGE, PALETTE, canvas, finish
from irsam_zoo.zoo.lookup import registered

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from irsam_zoo.reports.figures.row_selection import Material
    from irsam_zoo.results.row import Row, WeightsFacts

IN_A_LINE = 3
WINDOW = 0.05  # of all points: those of the running mean


@FIGURES.register_module("training")
class Training(ReportFigure):
    caption = (
        "Training loss by iteration, and its running mean over a twentieth of the run. Dotted lines: training went on from "
        "the weights so far with another recipe. Losses of different networks do not compare."
    )
    needs = (needs.losses,)
    each_set = False

    def data(self, material: "Material") -> pd.DataFrame:
        tables = []
        for row, weights in _networks(material):
            stages, whole = material.stored.losses(row)
            step, loss, _ = joined(stages)
            about: dict[str, Any] = dict(
                method=row.method, weights=weights.sha256, trained_on=weights.dataset, from_the_start=whole
            )
            about["stage"] = np.repeat(np.arange(len(stages)) + 1, [len(stage) for stage in stages])
            mean = running_mean(loss, max(int(WINDOW * len(loss)), 1))
            tables.append(pd.DataFrame(about | dict(step=step, loss=loss, running_mean=mean)))
        return pd.concat(tables, ignore_index=True)

    def draw(self, data: Table, material: "Material") -> "Figure":
        networks = _networks(material)
        columns = min(len(networks), IN_A_LINE)
        lines = -(-len(networks) // columns)
        figure, axes = canvas(PAGE * max(columns, 1.5) / IN_A_LINE, 0.2 + 1.7 * lines, lines, columns, squeeze=False)
        for place, axis in enumerate(axes.flat):
            if place >= len(networks):
                axis.set_axis_off()
                continue
            row, weights = networks[place]
            run = data[data["weights"] == weights.sha256]
            step, loss, ends = run["step"].to_numpy(), run["loss"].to_numpy(), run.groupby("stage")["step"].max()
            axis.plot(step, loss, color=PALETTE[4], lw=0.5, alpha=0.6)
            axis.plot(step, run["running_mean"], color=PALETTE[0])
            for end in ends.iloc[:-1]:
                axis.axvline(end, color=GREY, lw=0.7, ls=":")
            known = weights.dataset and registered(DATASETS, weights.dataset)
            title = [material.label(row), known.title if known else weights.dataset]
            last = f"the last {len(ends)} stages" if len(ends) > 1 else "the last stage"
            title += [] if run["from_the_start"].all() else [last]
            axis.set_title(", ".join(filter(None, title)))
            axis.set(xlabel="Iteration", ylabel="Loss", xlim=(0, step[-1]), ylim=(min(0, np.nanmin(loss)), None))
        finish(figure, text=material.note)
        return figure


def _networks(material: "Material") -> "list[tuple[Row, WeightsFacts]]":
    """One row of each file of weights, and these."""
    return list({row.weights.sha256: (row, row.weights) for row in material.rows if row.weights}.values())


def joined(stages: Sequence[pd.DataFrame]) -> tuple[np.ndarray, np.ndarray, list[int]]:
    """Stages of a training as one.

    Arguments:
        stages (list[pandas.DataFrame]): Each with ``step``, from 1, and ``loss``.

    Returns:
        tuple[np.ndarray, np.ndarray, list]: The steps of all stages together, their losses, and the last step of each stage.
    """
    ends = np.cumsum([stage["step"].iloc[-1] for stage in stages])
    starts = np.concatenate([[0], ends[:-1]])
    step = np.concatenate([stage["step"] + start for stage, start in zip(stages, starts, strict=True)])
    return step, np.concatenate([stage["loss"] for stage in stages]), ends.tolist()


def running_mean(values: np.ndarray, window: int) -> np.ndarray:
    """The mean of each value and those around it, `window` of them, fewer at the ends."""
    half = window // 2
    return np.array([np.mean(values[max(k - half, 0) : k + half + 1]) for k in range(len(values))])
