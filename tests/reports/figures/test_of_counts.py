"""Figures of the counts of single images: strata, paired differences, errors of hIoU, speed."""

from dataclasses import replace

import numpy as np
import pytest

from irsam_zoo.metrics import compute_pyirstd, count_pyirstd, paired_bootstrap
from irsam_zoo.reports.figures import hiou_errors
from irsam_zoo.reports.figures.hiou_errors import HierarchicalErrors, pyirstd_hiou, shares
from irsam_zoo.reports.figures.paired import Paired, differences
from irsam_zoo.reports.figures.speed import Speed, radius
from irsam_zoo.reports.figures.strata import Strata, by_bin


def test_strata_are_those_of_the_rows_with_intervals_around_them(material):
    for row in material.rows:
        images = [record.signal["targets"] for record in material.stored.records(row)]
        for group in ("size", "scr"):
            bins = by_bin(images, group)
            assert [{key: line[key] for key in ("bin", "targets", "Pd", "IoU")} for line in bins] == [
                {key: line[key] for key in ("bin", "targets", "Pd", "IoU")} for line in row.strata[group] if line["targets"]
            ]
            for line in bins:
                for rate in ("Pd", "IoU"):
                    low, high = line[f"{rate}_ci"]
                    assert low <= line[rate] <= high


def test_strata_show_each_bin_that_holds_targets(material):
    figure = Strata().draw(material)
    ticks = [label.get_text() for label in figure.axes[2].get_xticklabels()]
    assert ticks == ["1-9\n4 targets", "10-25\n3 targets"]
    pd = {material.rows[place].method: line.get_ydata() for place, line in enumerate(_lines(figure.axes[2]))}
    assert {name: values.tolist() for name, values in pd.items()} == dict(sharp=[1, 0], greedy=[1, 1], shy=[1, 0])


def _lines(axis):
    return [line for line in axis.lines if line.get_linestyle() != "None"]


def test_differences_are_those_of_the_paired_bootstrap(material):
    counts = [material.stored.counts(row) for row in material.rows]
    gaps, real = differences(counts, "exact")
    np.testing.assert_array_equal(gaps, -gaps.T)
    assert np.isnan(np.diag(gaps)).all()
    for i, j in ((0, 1), (2, 0), (1, 2)):
        found = paired_bootstrap(counts[i], counts[j])
        assert gaps[i, j] == found["difference"]
        assert real[i, j] == real[j, i] == (found["low"] > 0 or found["high"] < 0)
    assert real.any()
    assert not real.all()


def test_a_difference_is_bold_where_it_is_real(material):
    gaps, real = differences([material.stored.counts(row) for row in material.rows], "exact")
    texts = {text.get_text(): text.get_weight() for text in Paired().draw(material).axes[0].texts}
    for gap, sure in zip(gaps[np.isfinite(gaps)], real[np.isfinite(gaps)], strict=True):
        assert texts[f"{100 * gap:+.1f}" if sure else f"({100 * gap:+.1f})"] == ("bold" if sure else "normal")


def test_shares_of_hiou_add_up_and_begin_with_it(material):
    for row in material.rows:
        parts = shares(material.stored.counts(row))
        assert sum(parts.values()) == pytest.approx(1)
        assert parts["hIoU"] == pytest.approx(row.metrics["exact"]["hIoU"])
    parts = {row.method: shares(material.stored.counts(row)) for row in material.rows}
    assert [parts["shy"][name] for name in ("missed targets", "false alarms")] == [pytest.approx(3 / 7), 0]
    assert [parts["greedy"][name] for name in ("missed targets", "false alarms")] == [0, pytest.approx(4 / 11)]


def test_hiou_of_the_package_is_drawn_where_masks_are_saved(material):
    row = material.rows[0]
    ids = [record.id for record in material.stored.records(row)]
    pairs = [(material.stored.mask(row, i), material.stored.item(row, i)["label"]) for i in ids]
    expected = compute_pyirstd([count_pyirstd(*pair) for pair in pairs])["hIoU"]
    assert pyirstd_hiou(material)[row.method] == expected
    texts = [text.get_text() for text in HierarchicalErrors().draw(material).legends[0].get_texts()]
    assert texts == [*hiou_errors.COLOURS, "PyIRSTDMetrics"]
    material.stored.mask_path(row, material.stored.records(row)[0]).unlink()
    assert list(pyirstd_hiou(material)) == [other.method for other in material.rows[1:]]


def test_speed_names_every_method_and_tells_the_processor(material):
    rows = [replace(row, params=params) for row, params in zip(material.rows, (None, 1_000_000, 16_000_000), strict=True)]
    figure = Speed().draw(material.only(rows))
    assert {text.get_text() for text in figure.axes[0].texts} == {"Sharp", "Greedy", "Shy"}
    assert "measured on" in figure.texts[0].get_text()
    assert radius(16_000_000) == 2 * radius(1_000_000)
    points = {line.get_xdata()[0] for line in figure.axes[0].lines if len(line.get_xdata()) == 1}
    assert points == {row.speed.fps for row in rows}


def test_speeds_of_one_run_or_of_a_busy_processor_are_empty_markers(material):
    marked = [dict(runs=1, quiet=True), dict(runs=9, quiet=False), dict(runs=9, quiet=True)]
    rows = [replace(row, speed=replace(row.speed, **about)) for row, about in zip(material.rows, marked, strict=True)]
    figure = Speed().draw(material.only(rows))
    points = [line.get_fillstyle() for line in figure.axes[0].lines if len(line.get_xdata()) == 1]
    assert points == ["none", "none", "full"]
    assert "empty: the speed of a single run or the processor" in " ".join(figure.texts[0].get_text().split())
