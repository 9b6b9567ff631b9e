"""Columns: their units and digits, and one more from outside in every format."""

import csv
import io
from dataclasses import replace

import pytest

from irsam_zoo.metrics import Metric, add_metric, ratio
from irsam_zoo.metrics.compute import METRICS
from irsam_zoo.reports.columns import DEFAULT, columns_named, known_columns, units
from irsam_zoo.reports.csv_table import to_csv
from irsam_zoo.reports.latex import to_latex
from irsam_zoo.reports.listing import metrics_listing, row_line
from irsam_zoo.reports.markdown import to_markdown
from irsam_zoo.reports.table import build_table
from irsam_zoo.results.row import Status
from irsam_zoo.zoo import UsageError
from tests.reports.builders import make_row


@pytest.fixture
def misses():
    """Columns with a metric from outside: a share of missed targets, of which fewer are better."""
    printed = dict(title="Missed", unit=1e-3, digits=1, better="lower")
    add_metric(
        "miss",
        Metric(of=lambda sums, rule: 1 - ratio(sums["matched"], sums["targets"]), counts=("matched", "targets"), **printed),
    )
    yield [*DEFAULT, "miss"]
    METRICS.pop("miss")


def of_misses(method, pd, **changes):
    return make_row(method, metrics={"exact": dict(IoU=pd, nIoU=pd, Pd=pd, Fa=1e-5, miss=1 - pd)}, **changes)


def test_a_metric_from_outside_is_in_every_format(misses):
    rows = [of_misses("ipi", 0.25), of_misses("nram", 0.5), make_row("ript", status=Status.FAILED, reason="no luck")]
    sections = build_table(rows, columns=misses)
    markdown = to_markdown(sections, "exact")
    assert "| Fa ↓ | Missed ↓ |" in markdown
    assert "IoU, nIoU and Pd in 1e-2, Fa in 1e-6, Missed in 1e-3." in markdown
    assert "| <u>750.0</u> |" in markdown
    assert "| **500.0** |" in markdown
    latex = to_latex(sections, "exact")
    assert r"Fa$\downarrow$ & Missed$\downarrow$ \\" in latex
    assert r"\textbf{500.0} \\" in latex
    assert "$F_a$ in $10^{-6}$, Missed in $10^{-3}$; best bold" in latex
    lines = list(csv.DictReader(io.StringIO(to_csv(sections, "exact"))))
    assert {line["method"]: line["measured"] for line in lines if line["metric"] == "miss"}.items() >= {
        ("ipi", "750.0"), ("nram", "500.0"), ("ript", "")
    }  # fmt: skip
    assert "Missed 750.0  86 images" in row_line(rows[0], misses)


def test_a_stored_metric_is_a_column_though_no_plugin_adds_it_now():
    rows = [make_row("ipi", metrics={"exact": dict(IoU=0.1, nIoU=0.1, Pd=0.1, Fa=0, G1=0.4321)})]
    (section,) = build_table(rows, columns=["G1"])
    assert "| **43.21** |" in to_markdown([section], "exact")
    with pytest.raises(UsageError, match=r"unknown column 'G2'; did you mean .*G1"):
        build_table(rows, columns=["G2"])


def test_stored_figures_have_columns():
    row = make_row("ipi", params=2_500_000, auc=0.75, signal={"SCRG": 2.5, "BSF": None})
    row = replace(row, speed=replace(row.speed, flops=3_210_000_000, memory=45_600_000))
    names = ["params", "FLOPs", "memory", "FPS", "AUC", "SCRG", "BSF"]
    (section,) = build_table([row], columns=names)
    line = next(line for line in section.lines if line.method == "ipi")
    texts = [column.text(line.values[column.name].measured) for column in section.columns if column.name != "BSF"]
    assert texts == ["2.50", "3.21", "45.60", "12.5", "75.00", "2.50"]
    assert line.values["BSF"].measured is None
    assert "| Method | Params (M) | FLOPs (G) | Bytes of GPU memory (M) | FPS | AUC ↑ | SCRG ↑ | BSF ↑ |" in to_markdown(
        [section], "exact"
    )
    assert "FLOPs, memory and FPS measured on NUAA-SIRST." in to_latex([section], "exact")


@pytest.mark.parametrize(("value", "text"), [(1043.2, "1040"), (12.52, "12.5"), (0.7554, "0.755"), (2.0, "2")])
def test_significant_digits_need_no_exponent(value, text):
    assert known_columns()["FPS"].text(value) == text


def test_every_metric_is_a_column_before_those_of_no_metric():
    names = list(known_columns())
    place = names.index("IoU")
    assert names[place : place + len(METRICS)] == list(METRICS)
    assert [names[0], names[place + len(METRICS)]] == ["params", "AUC"]
    assert (known_columns()["Fa"].better, known_columns()["precision"].head) == ("lower", "Precision")


def test_units_in_words():
    assert units(columns_named(DEFAULT)) == "IoU, nIoU and Pd in 1e-2, Fa in 1e-6"
    assert units(columns_named(["params"])) == ""


def test_terminal_lines(misses):
    row = make_row("ipi", 0.25, metrics={"exact": dict(IoU=0.25, nIoU=None, Pd=1, Fa=1e-5)})
    assert row_line(row) == "ipi on nuaa-sirst (irsam): FPS 12.5  IoU 25.00  Pd 100.00  Fa 10.00  86 images"
    failed = make_row("ipi", status=Status.FAILED, reason="no luck")
    assert row_line(failed) == "ipi on nuaa-sirst (irsam): failed: no luck"
    row = replace(row, ci95={"exact": dict(IoU=(0.2, 0.305), nIoU=(None, None))})
    assert metrics_listing(row).splitlines() == [
        "IPI on nuaa-sirst, split irsam, 86 of 86 images; IoU, nIoU and Pd in 1e-2, Fa in 1e-6",
        "protocol  IoU                   nIoU  Pd      Fa",
        "exact     25.00 [20.00, 30.50]  -     100.00  10.00",
    ]
