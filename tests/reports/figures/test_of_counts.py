"""Figures of the counts of single images: strata, paired differences, errors of hIoU, speed."""

from dataclasses import replace

import pytest

from irsam_zoo.metrics import compute_pyirstd, count_pyirstd, paired_bootstrap
from irsam_zoo.reports.figures import hiou_errors
from irsam_zoo.reports.figures.hiou_errors import HierarchicalErrors, pyirstd_hiou, shares
from irsam_zoo.reports.figures.paired import Paired
from irsam_zoo.reports.figures.speed import AccuracyAgainstSpeed, radius
from irsam_zoo.reports.figures.strata import Strata, by_bin
from tests.reports.figures.conftest import drawing


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
                    assert line[f"{rate}_low"] <= line[rate] <= line[f"{rate}_high"]


def test_strata_show_each_bin_that_holds_targets(material):
    figure = drawing(Strata(), material)
    ticks = [label.get_text() for label in figure.axes[2].get_xticklabels()]
    assert ticks == ["1-9\n4 targets", "10-25\n3 targets"]
    pd = {material.rows[place].method: line.get_ydata() for place, line in enumerate(_lines(figure.axes[2]))}
    assert {name: values.tolist() for name, values in pd.items()} == dict(sharp=[1, 0], greedy=[1, 1], shy=[1, 0])


def _lines(axis):
    return [line for line in axis.lines if line.get_linestyle() != "None"]


def test_differences_are_those_of_the_paired_bootstrap(material):
    counts = {row.method: material.stored.counts(row) for row in material.rows}
    table = Paired().data(material).set_index(["method", "other"])
    assert len(table) == 3 * 2
    for (method, other), line in table.iterrows():
        found = paired_bootstrap(counts[method], counts[other])
        assert line["difference"] == found["difference"] == -table.loc[(other, method), "difference"]
        assert line["real"] == (line["low"] > 0 or line["high"] < 0) == (found["low"] > 0 or found["high"] < 0)
    assert table["real"].any()
    assert not table["real"].all()


def test_a_pair_without_a_difference_is_an_empty_cell(material, monkeypatch):
    undefined = dict.fromkeys(("difference", "low", "high", "p"))
    monkeypatch.setattr("irsam_zoo.reports.figures.paired.paired_bootstrap", lambda *arguments: undefined)
    table = Paired().data(material)
    assert table["difference"].isna().all()
    assert not table["real"].any()
    assert list(Paired().draw(table, material).axes[0].texts) == []


def test_a_difference_is_bold_where_it_is_real(material):
    table = Paired().data(material)
    texts = {text.get_text(): text.get_weight() for text in Paired().draw(table, material).axes[0].texts}
    for gap, sure in zip(table["difference"], table["real"], strict=True):
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
    texts = [text.get_text() for text in drawing(HierarchicalErrors(), material).legends[0].get_texts()]
    assert texts == [*hiou_errors.COLOURS, "PyIRSTDMetrics"]
    material.stored.mask_path(row, material.stored.records(row)[0]).unlink()
    assert list(pyirstd_hiou(material)) == [other.method for other in material.rows[1:]]


def test_speed_names_every_method_and_tells_the_processor(material):
    rows = [replace(row, params=params) for row, params in zip(material.rows, (None, 1_000_000, 16_000_000), strict=True)]
    figure = drawing(AccuracyAgainstSpeed(), material.only(rows))
    assert {text.get_text() for text in figure.axes[0].texts} == {"Sharp", "Greedy", "Shy"}
    assert "measured on" in figure.texts[0].get_text()
    assert radius(16_000_000) == 2 * radius(1_000_000)
    points = {line.get_xdata()[0] for line in figure.axes[0].lines if len(line.get_xdata()) == 1}
    assert points == {row.speed.fps for row in rows}


def test_speeds_of_one_run_or_of_a_busy_processor_are_empty_markers(material):
    marked = [dict(runs=1, quiet=True), dict(runs=9, quiet=False), dict(runs=9, quiet=True)]
    rows = [replace(row, speed=replace(row.speed, **about)) for row, about in zip(material.rows, marked, strict=True)]
    figure = drawing(AccuracyAgainstSpeed(), material.only(rows))
    points = [line.get_fillstyle() for line in figure.axes[0].lines if len(line.get_xdata()) == 1]
    assert points == ["none", "none", "full"]
    assert "empty: the speed of a single run or the processor" in " ".join(figure.texts[0].get_text().split())


def test_data_say_what_the_pictures_show(material):
    strata = Strata().data(material)
    assert list(strata["method"].unique()) == [row.method for row in material.rows]
    assert set(strata["by"]) == {"size", "scr"}
    shy = strata[(strata["method"] == "shy") & (strata["by"] == "size")]
    assert dict(zip(shy["bin"], shy["Pd"], strict=True)) == {"1-9": 1, "10-25": 0}
    rows = [replace(row, metrics={"exact": {"IoU": None}}) if row.method == "shy" else row for row in material.rows]
    speed = AccuracyAgainstSpeed().data(material.only(rows)).set_index("method")
    assert {name: speed.loc[name, "fps"] for name in speed.index} == {r.method: r.speed.fps for r in rows if r.method != "shy"}
    sharp = next(row for row in rows if row.method == "sharp")
    figures = speed.loc["sharp", ["IoU", "IoU_low", "IoU_high"]].tolist()
    assert figures == [sharp.metrics["exact"]["IoU"], *sharp.ci95["exact"]["IoU"]]  # fractions
    AccuracyAgainstSpeed().draw(
        AccuracyAgainstSpeed().data(material.only([])), material.only([])
    )  # of no row with an IoU: empty axes, no error
