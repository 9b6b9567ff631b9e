"""How networks do on other data sets than the one that they were trained on."""

import json

import numpy as np
from matplotlib.patches import Rectangle

from irsam_zoo.datasets import DATASETS
from irsam_zoo.datasets.catalogue import SIRST3
from irsam_zoo.reports.columns import columns_named
from irsam_zoo.reports.figures import requirements as needs
from irsam_zoo.reports.figures.figure import FIGURES, ReportFigure
from irsam_zoo.reports.figures.style import COLUMN, PALETTE, SEQUENTIAL, canvas, finish, matrix
from irsam_zoo.zoo.errors import ZooError
from irsam_zoo.zoo.lookup import registered

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

    def draw(self, material):
        networks = [rows for rows in by_network(material.rows) if len({*map(_trained, rows), *map(_tested, rows)}) > 1]
        if not networks:
            raise ZooError("no weights were tested on another data set than their own")
        shown = [row for rows in networks for row in rows]
        splits = list(dict.fromkeys(row.split for row in shown))
        panels = [[[row for row in rows if row.split == split] for rows in networks] for split in splits]
        lines = [sum(len({*map(_trained, rows)}) for rows in panel) for panel in panels]
        ratios = dict(height_ratios=[LINE * count + HEAD for count in lines])
        figure, axes = canvas(COLUMN, sum(ratios["height_ratios"]), len(splits), 1, squeeze=False, gridspec_kw=ratios)
        for axis, split, panel in zip(axes[:, 0], splits, panels, strict=True):
            self._draw_split(axis, split, [rows for rows in panel if rows], material)
        finish(figure, text=material.only(shown).note)
        return figure

    def _draw_split(self, axis, split, networks, material):
        (iou,) = columns_named(["IoU"])
        tested = list(dict.fromkeys(row.dataset for rows in networks for row in rows))
        names, own, values = [], [], []
        for rows in networks:
            found, trained = cells(rows, tested, lambda row: iou.shown(iou.of(row, material.protocol)))
            values += [found]
            label = min(map(material.label, rows), key=len)
            names += [f"{label}, {_name(*place, split)}" for place in trained]
            own += [[place == (dataset, split) for dataset in tested] for place in trained]
        values = np.concatenate(values)
        texts = [[iou.text(value) for value in line] for line in values]
        columns = [_title(dataset) for dataset in tested]
        matrix(axis, values, texts, names, columns, bold=np.array(own), cmap=SEQUENTIAL, vmin=0, vmax=100)
        for line, column in np.argwhere(own):
            frame = dict(fill=False, edgecolor=PALETTE[1], lw=1.2, clip_on=False)
            axis.add_patch(Rectangle((column - 0.47, line - 0.44), 0.94, 0.88, **frame))
        axis.set(xlabel="tested on", ylabel="network, trained on", title=f"split {split}")


def by_network(rows):
    """The rows of each network, whatever its weights and its threshold. Weights of a publisher are alone with themselves."""
    networks = {}
    for row in rows:
        options = {name: value for name, value in row.key["method"].items() if name not in NOT_THE_NETWORK}
        published = row.method if row.weights.publisher else None
        networks.setdefault((json.dumps(options, sort_keys=True), published), []).append(row)
    return list(networks.values())


def cells(rows, tested, figure):
    """The matrix of a network.

    Arguments:
        rows: Its rows, of one split.
        tested: The data sets of the columns.
        figure: A row to its figure, or None.

    Returns:
        tuple: RxC float64, the mean of each cell's figures, NaN where there is none; and the (data set, split) that each line
        was trained on, in the order of the columns.
    """
    order = {dataset: place for place, dataset in enumerate(tested)}
    trained = sorted(dict.fromkeys(map(_trained, rows)), key=lambda place: order.get(place[0], len(order)))
    found = {}
    for row in rows:
        if figure(row) is not None:
            found.setdefault((trained.index(_trained(row)), order[row.dataset]), []).append(figure(row))
    values = np.full((len(trained), len(tested)), np.nan)
    for place, figures in found.items():
        values[place] = np.mean(figures)
    return values, trained


def _trained(row):
    """The data set and the split that a row's weights were trained on."""
    joined = sorted(row.weights.datasets) == sorted(SIRST3.members)
    return SIRST3.name if joined else row.weights.dataset, row.weights.split


def _tested(row):
    return row.dataset, row.split


def _name(dataset, split, tested_split):
    return _title(dataset) + (f" ({split})" if split and split != tested_split else "")


def _title(dataset):
    known = registered(DATASETS, dataset)
    return known.title if known else dataset
