"""Tables of the documents are of the committed rows of `reports/studies`."""

import csv
import re
from pathlib import Path

import pytest
from mmengine.config import Config

from irsam_zoo import ROOT
from irsam_zoo.reports.published import published
from irsam_zoo.reports.significance import paired
from irsam_zoo.results.store import ResultStore
from irsam_zoo.zoo.reading import sha256_file
from tests.docs.tables import TITLES, table

DATASETS = ("nuaa-sirst", "nudt-sirst", "irstd-1k")
STUDIES = {path.name: ResultStore(path) for path in sorted((ROOT / "reports" / "studies").iterdir())}


def lines_of(document, first):
    """The cells of the table lines of a document whose first cell fits a pattern, with what its groups found."""
    lines = [line.strip("| ").split(" | ") for line in (ROOT / "docs" / document).read_text(encoding="utf-8").splitlines()]
    return [(found.groups(), cells) for first_cell, *cells in lines if (found := re.match(first, first_cell))]


@pytest.mark.parametrize("study", STUDIES)
def test_the_rows_of_a_study_have_all_images_and_name_no_machine(study):
    rows = STUDIES[study].rows()
    assert rows
    for row in rows:
        assert row.whole
        assert row.n_images == len(STUDIES[study].counts(row))
        assert row.trained_on_test == 0
        assert not Path(row.key["method"]["checkpoint"]).is_absolute()


def test_the_figures_of_irsams_ablation():
    rows = {(row.method, row.dataset): row for row in STUDIES["irsam_ablation"].rows()}
    lines = lines_of("irsam.md", r"`(\w+_seed\d)`(?!.*-)")
    assert len(lines) * len(DATASETS) == len(rows)
    for (method,), (steps, *cells) in lines:
        for dataset, cell in zip(DATASETS, cells, strict=True):
            row = rows[method, dataset]
            assert cell == ", ".join(f"{100 * row.metrics['exact'][name]:.2f}" for name in ("IoU", "nIoU"))
            assert steps == str(row.weights.iterations)


def test_the_differences_of_irsams_ablation():
    store = STUDIES["irsam_ablation"]
    counts = {(row.method, row.dataset): store.counts(row) for row in store.rows()}
    lines = lines_of("irsam.md", r"`(\w+_seed\d)` - `(\w+_seed\d)`")
    assert len(lines) == 11
    for (one, other), cells in lines:
        for dataset, cell in zip(DATASETS, cells, strict=True):
            found = paired(counts[one, dataset], counts[other, dataset], "exact", "IoU")
            difference, low, high = (100 * found[name] for name in ("difference", "low", "high"))
            assert cell == f"{difference:+.1f} ({low:.1f} to {high:.1f})"


def test_the_rows_of_single_sets_are_of_the_weights_that_ship():
    for row in STUDIES["cross_set"].rows():
        method = Config.fromfile(ROOT / "configs" / "cross_set" / f"{row.method}.py").method
        assert {name: row.key["method"][name] for name in method} == dict(method)
        assert sha256_file(ROOT / method.checkpoint) == row.weights.sha256


def test_the_figures_of_training_on_single_sets():
    rows = [*STUDIES["cross_set"].rows(), *ResultStore(ROOT / "reports").rows()]
    rows = {(row.method, row.dataset): row.metrics["exact"] for row in rows if row.split == "irsam"}
    lines = table("docs/results.md", "", *TITLES)
    assert len(lines) == 12
    for method, *cells in lines:
        for dataset, cell in zip(TITLES.values(), cells, strict=True):
            found = rows[method.strip("`"), dataset]
            assert cell == f"{100 * found['IoU']:.1f}, {1e6 * found['Fa']:.0f}"


def test_the_published_figures_beside_those_of_single_sets():
    rows = {(row.method, row.dataset): row.metrics["exact"]["IoU"] for row in STUDIES["cross_set"].rows()}
    lines = lines_of("reproduction.md", r"(ACMNet|ALCNet|Dim2Clear)$")
    assert len(lines) == 3
    for (title,), cells in lines:
        for dataset, cell in zip(DATASETS, cells, strict=True):
            method = title.lower()
            alone = rows[f"{method}_on_{dataset}", dataset]
            assert cell == f"{100 * alone:.1f} ({published('irsam_table1')[method, dataset, 'IoU']})"


def test_what_the_start_is_worth_is_that_of_the_public_logs():
    with open(ROOT / "reports" / "published" / "irstd_sam.csv", newline="", encoding="utf-8") as file:
        rows = {(row["start"], row["epoch"], row["dataset"]): float(row["IoU"]) for row in csv.DictReader(file)}
    lines = lines_of("irsam.md", r"(random|SA-1B)$")
    assert len(lines) * len(DATASETS) == len(rows)
    for (start,), (epoch, *cells) in lines:
        for dataset, cell in zip(("irstd-1k", "nuaa-sirst", "nudt-sirst"), cells, strict=True):
            assert float(cell) == pytest.approx(rows[start.lower(), epoch, dataset], abs=0.0501)
