"""Curves over all cuts say what the stored sweeps hold."""

from dataclasses import replace

import numpy as np
import pytest

from irsam_zoo.metrics import best_iou, pd_fa_curve
from irsam_zoo.reports.figures.curves import FA, PdFa, PrecisionRecall, Roc
from irsam_zoo.zoo import ZooError
from tests.reports.figures.conftest import drawing


def legend(figure):
    return [text.get_text() for text in figure.legends[0].get_texts()]


def curves(figure, rows):
    """The curves, without what else is drawn: the first line of each colour that is no single point."""
    return [line for line in figure.axes[0].lines if len(line.get_xdata()) > 1][:rows]


def of(row, **sweep):
    return replace(row, sweep={name: list(values) for name, values in sweep.items()})


def test_auc_in_the_legend_is_the_stored_one(material):
    rows = [replace(row, auc=None) for row in material.rows]  # drawn from the sweep
    assert legend(drawing(Roc(), material.only(rows))) == [f"{row.title} ({row.auc:.4f})" for row in material.rows]


def test_roc_is_the_straight_line_that_the_area_is_under(material):
    steps = np.zeros(256, int)
    steps[0], steps[1:200], steps[200:] = 1000, 100, 1
    row = of(
        material.rows[0], tp=np.where(np.arange(256) == 0, 10, 5), fp=steps, matched=steps, false_pixels=steps, targets=steps
    )
    (line,) = curves(drawing(Roc(), material.only([row])), 1)
    x, y = line.get_data()
    assert (x[0], y[0]) == (pytest.approx(1e-3), pytest.approx(0.5))  # the strictest cut: nothing is drawn before it
    assert np.interp(0.55, x, y) == pytest.approx(0.75, abs=1e-3)
    assert (x[-1], y[-1]) == (1, 1)


def test_points_and_areas_are_the_data(material):
    data = PdFa().data(material)
    assert list(data["points"].columns) == ["method", "Fa", "Pd"]
    figure = PdFa().draw(data, material)
    for row, line in zip(material.rows, curves(figure, 3), strict=True):
        points = data["points"][data["points"]["method"] == row.method]
        np.testing.assert_array_equal(points[["Fa", "Pd"]].to_numpy().T, line.get_data())
        (about,) = data["methods"][data["methods"]["method"] == row.method].itertuples(index=False)
        assert about[1] == points["Pd"].mean()
        assert about[2:] == (np.clip(row.metrics["exact"]["Fa"], *FA), row.metrics["exact"]["Pd"])
    assert Roc().data(material)["methods"]["marked true positive rate"].isna().all()


def test_pd_is_the_best_within_so_much_fa(material):
    row = material.rows[0]
    figure = drawing(PdFa(), material.only([row]))
    x, y = curves(figure, 1)[0].get_data()
    fa, pd = pd_fa_curve({name: np.array(values) for name, values in row.sweep.items()})
    for at, shown in zip(x[::50], y[::50], strict=True):
        assert shown == max(pd[fa <= at], default=0)
    assert legend(figure) == [f"{row.title} ({y.mean():.3f})"]
    (own,) = (line for line in figure.axes[0].lines if len(line.get_xdata()) == 1)
    assert own.get_ydata()[0] == row.metrics["exact"]["Pd"]
    assert own.get_xdata()[0] == pytest.approx(np.clip(row.metrics["exact"]["Fa"], *FA))


def test_what_a_looser_cut_loses_is_not_lost(material):
    """Components merge as the cut falls, and a target that was found is no longer."""
    matched, false = np.full(256, 1), np.full(256, 100)
    matched[150:], false[150:] = 2, 10
    levels = np.arange(256)
    row = of(material.rows[0], tp=np.where(levels, 5, 10), fp=np.where(levels, 5, 10**6 - 10), matched=matched,
             false_pixels=false, targets=np.full(256, 4))  # fmt: skip
    x, y = curves(drawing(PdFa(), material.only([row])), 1)[0].get_data()
    assert set(y[x < 0.99e-5]) == {0}
    assert set(y[x > 1.01e-5]) == {0.5}


def test_precision_and_recall_of_a_sweep_by_hand(material):
    tp, fp = np.full(256, 2), np.full(256, 0)
    tp[:100], fp[:100], tp[0], fp[0] = 3, 1, 4, 96
    row = of(material.rows[0], tp=tp, fp=fp, matched=tp, false_pixels=fp, targets=tp)
    figure = drawing(PrecisionRecall(), material.only([row]))
    x, y = curves(figure, 1)[0].get_data()
    assert set(zip(x.tolist(), y.tolist(), strict=True)) == {(0.5, 1.0), (0.75, 0.75)}
    assert best_iou({"tp": tp, "fp": fp}) == (1, 3 / 5)
    assert legend(figure) == [f"{row.title} ({0.5 + 0.25 * 0.75:.2f}, 0.60)"]


@pytest.mark.parametrize("curve", [Roc, PdFa, PrecisionRecall])
def test_without_targets_there_is_no_curve(material, curve):
    nothing = [0] * 256
    row = of(material.rows[0], tp=nothing, fp=[64] * 256, matched=nothing, false_pixels=nothing, targets=nothing)
    with pytest.raises(ZooError, match="no target"):
        drawing(curve(), material.only([row]))
