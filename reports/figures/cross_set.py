"""How networks do on other data sets than the one that they were trained on."""

import json
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from matplotlib.patches import Rectangle

from irsam_zoo.datasets import DATASETS
from irsam_zoo.datasets.catalogue import SIRST3
from irsam_zoo.reports.columns import columns_named
from irsam_zoo.reports.figures import requirements as needs
from irsam_zoo.reports.figures.figure import FIGURES, ReportFigure, Table
from irsam_zoo.reports.figures.style import COLUMN, PALETTE, SEQUENTIAL, canvas, finish, matrix
from irsam_zoo.zoo.errors import ZooError
from irsam_zoo.zoo.lookup import registered

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from irsam_zoo.reports.figures.row_selection import Material
    from irsam_zoo.results.row import Row

NOT_THE_NETWORK = ("checkpoint", "threshold")  # options with which a network is still the same
LINE, HEAD = 0.17, 0.75  # inches of height


@FIGURES.register_module("cross_set")
class CrossSet(ReportFigure):
    caption = (
        "IoU in 1e-2 by the data set that a network was trained on (rows) and tested on (columns); framed where they are one. "
        "Where a cell has several weights, such as of several seeds, it is their mean."
    )
    needs = (needs.training,)
    each_set = False

    def data(self, material: "Material") -> pd.DataFrame:
        (iou,) = columns_named(["IoU"])
        lines = []
        for split, networks in _panels(material).items():
            tested = list(dict.fromkeys(row.dataset for rows in networks for row in rows))
            for rows in networks:
                values, trained = cells(rows, tested, lambda row: iou.of(row, material.protocol))
                network = min(map(material.label, rows), key=len)
                for (trained_on, its_split), line in zip(trained, values, strict=True):
                    about = split, network, trained_on, its_split or ""
                    lines += [(*about, dataset, value) for dataset, value in zip(tested, line, strict=True)]
        if not lines:
            raise ZooError("no weights were tested on another data set than their own")
        return pd.DataFrame(lines, columns=["split", "network", "trained_on", "trained_split", "tested_on", "IoU"])

    def draw(self, data: Table, material: "Material") -> "Figure":
        panels = dict(list(data.groupby("split", sort=False)))
        heights = [LINE * len(panel) / panel["tested_on"].nunique() + HEAD for panel in panels.values()]
        ratios = dict(height_ratios=heights)
        figure, axes = canvas(COLUMN, sum(heights), len(panels), 1, squeeze=False, gridspec_kw=ratios)
        for axis, (split, panel) in zip(axes[:, 0], panels.items(), strict=True):
            _draw_split(axis, split, panel)
        shown = [row for networks in _panels(material).values() for rows in networks for row in rows]
        finish(figure, text=material.only(shown).note)
        return figure


def _draw_split(axis: "Axes", split: str, panel: Table) -> None:
    """The matrix of a split, whose cells are the lines of the panel one row after the other."""
    (iou,) = columns_named(["IoU"])
    tested = list(panel["tested_on"].unique())
    rows = panel.iloc[:: len(tested)]
    values = np.array([iou.shown(value) for value in panel["IoU"]]).reshape(-1, len(tested))
    own = (panel["trained_on"].eq(panel["tested_on"]) & panel["trained_split"].eq(split)).to_numpy().reshape(values.shape)
    texts = [[iou.text(value) for value in line] for line in values]
    names = [f"{line.network}, {_name(line.trained_on, line.trained_split, split)}" for line in rows.itertuples()]
    matrix(axis, values, texts, names, [*map(_title, tested)], bold=own, cmap=SEQUENTIAL, vmin=0, vmax=100)
    for line, column in np.argwhere(own):
        corner = (column - 0.47, line - 0.44)
        axis.add_patch(Rectangle(corner, 0.94, 0.88, fill=False, edgecolor=PALETTE[1], lw=1.2, clip_on=False))
    axis.set(xlabel="tested on", ylabel="network, trained on", title=f"split {split}")


def _panels(material: "Material") -> "dict[str, list[list[Row]]]":
    """By split, the rows of each network that has weights which were tested on another data set than their own."""
    panels = {}
    for number, rows in enumerate(by_network(material.rows)):
        if len({*map(_trained, rows), *map(_tested, rows)}) > 1:
            for row in rows:
                panels.setdefault(row.split, {}).setdefault(number, []).append(row)
    return {split: list(networks.values()) for split, networks in panels.items()}


def by_network(rows: "Iterable[Row]") -> "list[list[Row]]":
    """The rows of each network, whatever its weights and its threshold. Weights of a publisher are alone with themselves."""
    networks = {}
    for row in rows:
        options = {name: value for name, value in (row.key or {})["method"].items() if name not in NOT_THE_NETWORK}
        published = row.method if row.weights and row.weights.publisher else None
        networks.setdefault((json.dumps(options, sort_keys=True), published), []).append(row)
    return list(networks.values())


def cells(
    rows: "Sequence[Row]", tested: Sequence[str], figure: "Callable[[Row], float | None]"
) -> tuple[np.ndarray, list[tuple[str | None, str | None]]]:
    """The matrix of a network.

    Arguments:
        rows: Its rows, of one split.
        tested: The data sets of the columns.
        figure: A row to its figure, or None.

    Returns:
        tuple: RxC float64, the mean of each cell's figures, NaN where there is none; and the (data set, split) that each line
        was trained on, in the order of the columns.
    """
    order: dict[str | None, int] = {dataset: place for place, dataset in enumerate(tested)}
    trained = sorted(dict.fromkeys(map(_trained, rows)), key=lambda place: order.get(place[0], len(order)))
    found = {}
    for row in rows:
        if figure(row) is not None:
            found.setdefault((trained.index(_trained(row)), order[row.dataset]), []).append(figure(row))
    values = np.full((len(trained), len(tested)), np.nan)
    for place, figures in found.items():
        values[place] = np.mean(figures)
    return values, trained


def _trained(row: "Row") -> tuple[str | None, str | None]:
    """The data set and the split that a row's weights were trained on."""
    weights = row.weights
    if weights is None:
        return None, None
    joined = sorted(weights.datasets) == sorted(SIRST3.members)
    return SIRST3.name if joined else weights.dataset, weights.split


def _tested(row: "Row") -> tuple[str, str]:
    return row.dataset, row.split


def _name(dataset: str, split: str | None, tested_split: str) -> str:
    return _title(dataset) + (f" ({split})" if split and split != tested_split else "")


def _title(dataset: str) -> str:
    known = registered(DATASETS, dataset)
    return known.title if known else dataset
