"""Which way of cutting and counting comes nearest to a published cell."""

import math

import pytest

from irsam_zoo.reports.audit import audit
from irsam_zoo.reports.nearest_protocol import best_fraction, distance, ways
from irsam_zoo.results.row import Status
from tests.reports.builders import CUT, make_row, stored


def test_distance_by_hand():
    assert distance(dict(IoU=20.0, Pd=50.0, Fa=10.0), dict(IoU="10.0", Pd="50.0", Fa="20")) == pytest.approx(4 ** (1 / 3))
    assert distance(dict(IoU=20.0, nIoU=None), dict(IoU="20.0", nIoU="3", Pd="4")) == 1
    assert distance(dict(Fa=0.0), dict(Fa="20")) == pytest.approx(100)
    assert distance({}, dict(Fa="20")) == math.inf


def test_ways_of_a_row(tmp_path):
    here = stored(tmp_path)
    found = {(way.policy, way.protocol): way.figures for way in ways(here.rows[0], here)}
    assert found["fixed(0)", "exact"]["Pd"] == 90  # the row's own figures, not cut again
    cut = found["adaptive(0.7, 0.5)", "exact"]
    assert cut["IoU"] == pytest.approx(100 * 5 / 15)
    assert cut["Fa"] == pytest.approx(1e6 * 5 / 65536)
    assert found["adaptive(0.7, 0.5)", "exact, Fa over 512x512"]["Fa"] == pytest.approx(1e6 * 5 / 512**2)
    assert found["minmax(0.5)", "exact"]["IoU"] == pytest.approx(100 * 8 / 50)
    assert ("best_iou", "exact") in found


def test_a_row_without_its_journal_has_its_own_cut_and_fractions(tmp_path):
    here = stored(tmp_path, journal=False)
    assert [(way.policy, way.protocol) for way in ways(here.rows[0], here)] == [("fixed(0)", "exact")]
    way = best_fraction(here.rows[0], dict(IoU="33.3", Pd="99", Fa="76"))
    assert (way.policy, way.figures["IoU"]) == (f"minmax({CUT / 255:.2f})", pytest.approx(100 / 3))
    assert best_fraction(make_row("dnanet", score_kind="logit", sweep=here.rows[0].sweep), {}) is None


def lines_of(text, method):
    return [line for line in text.splitlines() if line.startswith("|") and f"| {method} |" in line]


def test_the_nearest_way_is_told(tmp_path, monkeypatch):
    cells = {
        ("top_hat", "nudt-sirst", "IoU"): "33.33",
        ("top_hat", "nudt-sirst", "Pd"): "100",
        ("top_hat", "nudt-sirst", "Fa"): "19.1",
    }
    monkeypatch.setattr("irsam_zoo.reports.consistency.published", lambda source: cells if source == "irsam_table1" else {})
    here = stored(tmp_path)
    text = audit(here, None)["audit.md"]
    (line,) = lines_of(text, "Top-Hat")
    assert "| adaptive(0.7, 0.5), dnanet (4 images), exact, Fa over 512x512 | 33.33 / 100.00 / 19.07 | **1.000** |" in line
    assert line.endswith("| minmax(0.70), dnanet (4 images), exact | 1.59 (no fit) |")
    given = "adaptive(0.7, 0.5) on dnanet 1, best_iou on dnanet 1"
    assert f"Of the 1 cells of IRSAM, Table 1 with rows here, explained by: {given}." in text


def test_variants_and_parts_of_a_list_are_told(tmp_path):
    text = audit(stored(tmp_path, "top_hat_wide", n_split=664), None)["audit.md"]
    lines = lines_of(text, "Top-Hat")
    assert len(lines) == 2  # one a table
    assert all("| top_hat_wide, " in line and "(first 4 of 664 images)" in line for line in lines)


@pytest.mark.parametrize(
    "change", [dict(own_split=True), dict(metric_size="512x512"), dict(status=Status.FAILED, reason="no luck")]
)
def test_rows_of_other_images_or_sizes_are_no_evidence(tmp_path, change):
    text = audit(stored(tmp_path, **change), None)["audit.md"]
    assert "No classical method with published figures is stored here." in text
    assert "RLCM (nuaa-sirst, nudt-sirst, irstd-1k)" in text
    assert "88.102 and 881" in text
    assert "nudt-sirst 4.00" in text
