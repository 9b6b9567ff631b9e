"""Figures of networks: data sets that they were trained and tested on, and their losses."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch

from irsam_zoo.reports.figures.cross_set import CrossSet, by_network, cells
from irsam_zoo.reports.figures.training import Training, joined, running_mean
from irsam_zoo.results.row import WeightsFacts
from irsam_zoo.zoo import ZooError
from irsam_zoo.zoo.weights.checkpoints import save_checkpoint
from tests.reports.figures.conftest import drawing


def network(row, trained, tested, iou, checkpoint="a", **options):
    """A row of a network with options, trained on one data set and tested on another."""
    return replace(
        row,
        dataset=tested,
        weights=WeightsFacts(
            file=f"{checkpoint}.safetensors", sha256=checkpoint, dataset=trained, split="irsam", schedule="paper"
        ),
        metrics={"exact": {"IoU": iou}},
        key={"method": {"type": "net", "checkpoint": checkpoint, **options}},
    )


def of(material, *rows):
    """The material of rows of several data sets."""
    line = next(iter(material.lines.values()))
    lines = {(row.dataset, row.split, row.method): replace(line, title="Net", row=row) for row in rows}
    return replace(material, rows=rows, lines=lines, title="", dataset="", split="")


@pytest.fixture
def rows(material):
    row = material.rows[0]
    return [
        network(row, "nuaa-sirst", "nuaa-sirst", 0.7),
        network(row, "nuaa-sirst", "irstd-1k", 0.3),
        network(row, "irstd-1k", "irstd-1k", 0.5, "b"),
        network(row, "irstd-1k", "irstd-1k", 0.6, "c"),
        network(row, "nuaa-sirst", "nuaa-sirst", 0.1, deep_supervision=True),
    ]


def test_a_matrix_is_of_one_network_and_means_its_weights(rows):
    whole, other = by_network([*rows[2:4], *rows[:2], rows[-1]])
    assert [len(whole), len(other)] == [4, 1]
    values, trained = cells(whole, ["irstd-1k", "nuaa-sirst"], lambda row: row.metrics["exact"]["IoU"])
    assert trained == [("irstd-1k", "irsam"), ("nuaa-sirst", "irsam")]  # a network's own sets stand on the diagonal
    np.testing.assert_allclose(values, [[0.55, np.nan], [0.3, 0.7]])


def test_weights_of_publishers_are_not_averaged(rows):
    published = [
        replace(row, method=name, weights=replace(row.weights, publisher="A. Author"))
        for row, name in zip(rows, "ab", strict=False)
    ]
    assert [len(network) for network in by_network([*published, *rows[2:4]])] == [1, 1, 2]


def test_cells_say_what_was_trained_where(material, rows):
    union = WeightsFacts(file="u", sha256="u", dataset="x", split="dnanet", datasets=("nuaa-sirst", "irstd-1k", "nudt-sirst"))
    other = network(replace(rows[0], split="dnanet"), "nuaa-sirst", "nuaa-sirst", 0.9, "d", deep_supervision=False)
    shown = of(material, *rows, replace(other, weights=union))
    table = CrossSet().data(shown)
    assert table.iloc[0].tolist() == ["irsam", "Net", "nuaa-sirst", "irsam", "nuaa-sirst", 0.7]
    assert table["IoU"].isna().sum() == 1
    figure = CrossSet().draw(table, shown)
    axis, below = figure.axes
    texts = [(text.get_text(), text.get_weight()) for text in axis.texts]
    assert texts == [("70.00", "bold"), ("30.00", "normal"), ("55.00", "bold")]
    frames = [(frame.get_x() + frame.get_width() / 2, frame.get_y() + frame.get_height() / 2) for frame in axis.patches]
    np.testing.assert_allclose(frames, [(0, 0), (1, 1)], atol=1e-9)
    assert list(below.patches) == []
    assert [label.get_text() for label in axis.get_yticklabels()] == ["Net, NUAA-SIRST", "Net, IRSTD-1k"]
    assert [label.get_text() for label in below.get_yticklabels()] == ["Net, SIRST3"]
    assert [text.get_weight() for text in below.texts] == ["normal"]
    with pytest.raises(ZooError, match="no weights were tested on another data set"):
        drawing(CrossSet(), of(material, rows[0], rows[-1]))


@pytest.fixture
def trained(material, tmp_path):
    """A row whose weights went on from others, each with its table."""
    files, start = [], None
    for stage, steps in enumerate((40, 20)):
        path = tmp_path / "stage.safetensors"
        digest = save_checkpoint(path, {"w": torch.full((1,), float(stage))}, {"start": start})
        files.append(path.rename(tmp_path / f"net_scenes_short-{digest[:8]}.safetensors"))
        pd.DataFrame({"step": range(1, steps + 1), "loss": 1.0 + stage}).to_csv(files[-1].with_suffix(".csv"), index=False)
        start = {"sha256": digest}
    weights = WeightsFacts(file=files[-1].name, sha256="c", dataset="scenes", schedule="short", in_stages=True)
    return replace(material.rows[0], weights=weights, key={"method": {"checkpoint": str(files[-1])}}), files


def test_losses_of_all_stages_are_found(material, trained):
    row, files = trained
    stages, whole = material.stored.losses(row)
    assert ([len(stage) for stage in stages], whole) == ([40, 20], True)
    files[0].unlink()  # published weights come without those that they went on from
    stages, whole = material.stored.losses(row)
    assert ([len(stage) for stage in stages], whole) == ([40, 20], False)
    files[0].with_suffix(".csv").unlink()
    assert [len(stage) for stage in material.stored.losses(row)[0]] == [20]
    files[1].with_suffix(".csv").unlink()
    with pytest.raises(ZooError, match="no table of losses beside its weights"):
        material.stored.losses(row)


def test_stages_stand_one_after_the_other(material, trained):
    row, files = trained
    table = Training().data(of(material, row))
    assert table["step"].tolist() == list(range(1, 61))
    assert table.groupby("stage")["loss"].mean().to_dict() == {1: 1, 2: 2}
    assert table["from_the_start"].all()
    figure = Training().draw(table, of(material, row))
    raw, mean, end = figure.axes[0].lines
    assert raw.get_xdata()[[0, -1]].tolist() == mean.get_xdata()[[0, -1]].tolist() == [1, 60]
    assert raw.get_ydata()[[0, -1]].tolist() == [1, 2]
    assert end.get_xdata()[0] == 40
    assert figure.axes[0].get_title() == "Net, scenes"
    files[0].with_suffix(".csv").unlink()
    assert drawing(Training(), of(material, row)).axes[0].get_title() == "Net, scenes, the last stage"


def test_running_means_and_steps():
    assert running_mean(np.array([0.0, 3.0, 6.0, 0.0]), 3).tolist() == [1.5, 3, 3, 3]
    stage = pd.DataFrame({"step": [10, 15], "loss": [1.0, 0.5]})
    steps, losses, ends = joined([stage, stage])
    assert (steps.tolist(), losses.tolist(), ends) == ([10, 15, 25, 30], [1.0, 0.5, 1.0, 0.5], [15, 30])
