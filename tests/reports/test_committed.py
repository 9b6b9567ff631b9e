"""The committed table is what the committed results say."""

import csv
import shutil

import pytest

from irsam_zoo import ROOT
from irsam_zoo.commands import door
from irsam_zoo.reports.published import published
from irsam_zoo.reports.report import ReportOptions, table_sections
from irsam_zoo.results.store import ResultStore
from irsam_zoo.results.stored_rows import StoredRows
from tests.docs.tables import TITLES, table

REPORTS = ROOT / "reports"
ROWS = ResultStore(REPORTS).rows()
DATASETS = ("nuaa-sirst", "nudt-sirst", "irstd-1k")
FIGURES = ("IoU", "nIoU", "Pd", "Fa")


def test_the_committed_tables_are_rendered_again_to_the_byte(tmp_path):
    for part in ("results", "times", "studies"):
        shutil.copytree(REPORTS / part, tmp_path / part)
    for kind, end in ("table1", ""), ("joint", "_joint"):
        assert door.main(["report", "--out", str(tmp_path), "--publish", "--table", kind]) == 0
        for name in (f"TABLE1{end}.md", f"table1{end}.tex", f"table1{end}.csv"):
            assert (tmp_path / name).read_bytes() == (REPORTS / name).read_bytes()


def test_the_table_shows_weights_of_the_set_alone_before_joint_ones_and_marks_both():
    with open(REPORTS / "table1.csv", encoding="utf-8", newline="") as file:
        lines = [line for line in csv.DictReader(file) if line["split"] == "irsam" and line["weights_schedule"]]
    alone = {(row.method.partition("_on_")[0], row.dataset) for row in ResultStore(REPORTS / "studies" / "cross_set").rows()}
    for line in lines:
        kind = "alone" if (line["method"], line["dataset"]) in alone else "joint"
        assert line["trained_on"] == kind
        assert set(line["marks"]) & {"A", "J"} == {kind[0].upper()}
        assert line["weights_dataset"] == (line["dataset"] if kind == "alone" else "sirst3")
    with open(REPORTS / "table1_joint.csv", encoding="utf-8", newline="") as file:
        joint = list(csv.DictReader(file))
    assert {line["trained_on"] for line in joint} == {"joint", ""}
    assert {line["method"] for line in joint if line["trained_on"]} >= {line["method"] for line in lines}
    assert {line["published"] for line in joint if line["marks"] == "JN" and line["metric"] == "IoU"} == {
        "77.50",
        "94.09",
        "68.03",
    }


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.dataset}-{row.split}-{row.method}")
def test_a_committed_row_has_its_images_and_says_of_how_many_they_are(row):
    counts = ResultStore(REPORTS).counts(row)
    assert len(counts) == row.n_images
    assert row.code
    if row.whole:
        assert row.n_images == row.n_split
    found, union = (sum(line[name] for line in counts) for name in ("intersection", "union"))
    assert row.metrics["exact"]["IoU"] == pytest.approx(found / union, rel=1e-5)


def test_every_cell_of_the_published_table_is_measured_or_says_why_not():
    with open(REPORTS / "table1.csv", encoding="utf-8", newline="") as file:
        lines = {
            (line["method"], line["dataset"], line["metric"]): line for line in csv.DictReader(file) if line["split"] == "irsam"
        }
    cells = 0
    for (method, dataset, metric), printed in published("irsam_table1").items():
        for place in [dataset] if dataset else DATASETS:
            line = lines[method, place, metric]
            assert line["published"] == printed
            assert bool(line["difference"]) != bool(line["no_difference"])
            if metric in FIGURES:
                cells += 1
                assert float(line["ci95_low"]) <= float(line["measured"]) <= float(line["ci95_high"])
                assert int(line["n_images"]) >= 1
    assert cells == 17 * len(DATASETS) * len(FIGURES)


def test_the_table_at_the_top_of_the_readme_is_of_the_committed_rows():
    sections = table_sections(StoredRows.read(REPORTS), ReportOptions())
    found = {(line.title, section.dataset): line for section in sections if section.split == "irsam" for line in section.lines}
    lines = table("README.md", "IoU in 1e-2, Fa in 1e-6", "Params (M)", *TITLES)
    assert len(lines) > 10
    for name, params, *cells in lines:
        title, _, marks = name.partition(" <sup>")
        for dataset, cell in zip(TITLES.values(), cells, strict=True):
            row = found[title, dataset].row
            assert marks.removesuffix("</sup>") == "".join(set(found[title, dataset].marks) & {"A", "J"})
            told = f"{100 * row.metrics['exact']['IoU']:.1f}, {1e6 * row.metrics['exact']['Fa']:.0f}"
            assert cell == told + ("" if row.whole else f" of {row.n_images} images")
            assert params == (f"{row.params / 1e6:.2f}" if row.params else "-")
