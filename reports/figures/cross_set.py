"""How networks do on other data sets than the one that they were trained on."""

import json

import numpy as np

from datasets import DATASETS
from reports.columns import columns_named
from reports.figures import needs
from reports.figures.figure import FIGURES, ReportFigure
from reports.figures.style import PAGE, SEQUENTIAL, canvas, finish, matrix
from zoo.errors import ZooError
from zoo.lookup import registered

NOT_THE_NETWORK = ("checkpoint", "threshold")  # options with which a network is still the same
IN_A_LINE = 4


@FIGURES.register_module("cross_set")
class CrossSet(ReportFigure):
    caption = (
        "IoU in 1e-2 by the data set that a network was trained on (rows) and tested on (columns); bold where they are one. "
        "Where a cell has several weights, such as of several seeds, it is their mean."
    )
    needs = (needs.training,)
    each_set = False

    def draw(self, material):
        networks = [rows for rows in by_network(material.rows) if len({*map(_trained, rows), *map(_tested, rows)}) > 1]
        if not networks:
            raise ZooError("no weights were tested on another data set than their own")
        splits = {split for rows in networks for row in rows for _, split in (_trained(row), _tested(row))}
        (iou,) = columns_named(["IoU"])
        columns = min(len(networks), IN_A_LINE)
        lines = -(-len(networks) // columns)
        width = PAGE * max(columns, 2) / IN_A_LINE
        figure, axes = canvas(width, 0.2 + 1.9 * lines, lines, columns, squeeze=False)
        for place, axis in enumerate(axes.flat):
            if place >= len(networks):
                axis.set_axis_off()
                continue
            rows = networks[place]
            values, trained, tested = cells(rows, lambda row: iou.shown(iou.of(row, material.protocol)))
            texts = [[iou.text(value) for value in line] for line in values]
            names = ([_name(place, len(splits) > 1) for place in places] for places in (trained, tested))
            own = np.array([[one == other for other in tested] for one in trained])
            matrix(axis, values, texts, *names, bold=own, cmap=SEQUENTIAL, vmin=0, vmax=100)
            axis.set_title(min(map(material.label, rows), key=len))
            axis.set(xlabel="tested on", ylabel="trained on")
        finish(figure, text=material.only(row for rows in networks for row in rows).note)
        return figure


def by_network(rows):
    """The rows of each network, whatever its weights and its threshold."""
    networks = {}
    for row in rows:
        options = {name: value for name, value in row.key["method"].items() if name not in NOT_THE_NETWORK}
        networks.setdefault(json.dumps(options, sort_keys=True), []).append(row)
    return list(networks.values())


def cells(rows, figure):
    """The matrix of a network.

    Arguments:
        rows: Its rows.
        figure: A row to its figure, or None.

    Returns:
        tuple: RxC float64, the mean of each cell's figures, NaN where there is none; and the (data set, split) of each row,
        which it was trained on, and of each column, which it was tested on.
    """
    tested = list(dict.fromkeys(map(_tested, rows)))
    trained = sorted(
        dict.fromkeys(map(_trained, rows)), key=lambda place: tested.index(place) if place in tested else len(tested)
    )
    found = {}
    for row in rows:
        if figure(row) is not None:
            found.setdefault((trained.index(_trained(row)), tested.index(_tested(row))), []).append(figure(row))
    values = np.full((len(trained), len(tested)), np.nan)
    for place, figures in found.items():
        values[place] = np.mean(figures)
    return values, trained, tested


def _trained(row):
    return row.weights.dataset, row.weights.split


def _tested(row):
    return row.dataset, row.split


def _name(place, with_split):
    dataset, split = place
    known = registered(DATASETS, dataset)
    return (known.title if known else dataset) + (f"\n({split})" if with_split and split else "")
