"""The page as a file: what it holds, and that nothing in the data becomes part of it."""

import base64
import csv
import json
import re

import cv2
import numpy as np
import pytest

from irsam_zoo.metrics import PROTOCOLS
from irsam_zoo.reports.offered_policies import offered_policies
from irsam_zoo.reports.page import page as page_part
from irsam_zoo.reports.page.embedded import embedded_figures, markdown_page
from irsam_zoo.reports.page.recut_tables import AS_RUN, page_cuts
from irsam_zoo.reports.page.tables import page_tables
from irsam_zoo.reports.report import ReportOptions, tables, write_report
from irsam_zoo.reports.row_files import RowFiles
from irsam_zoo.results.files import write_atomic
from irsam_zoo.results.recut import recut
from irsam_zoo.results.row import OUTSIDE
from irsam_zoo.results.row_command import row_command
from irsam_zoo.results.store import ResultStore
from irsam_zoo.results.stored_rows import StoredRows
from irsam_zoo.zoo import build_threshold
from tests.reports.builders import make_row, row_of
from tests.reports.page.conftest import HOSTILE

POLICIES = tuple(map(str, offered_policies(["raw"])))


def embedded(page):
    """The data that the page's script reads."""
    text = page.read_text(encoding="utf-8")
    return json.loads(re.search(r'<script type="application/json" id="report-data">(.*?)</script>', text, re.DOTALL)[1])


def test_texts_of_the_data_are_data_alone(page):
    text = page.read_text(encoding="utf-8")
    assert HOSTILE not in text
    assert text.count("<script") == text.count("</script>") == 2
    (section,) = (section for section in embedded(page)["sections"] if section["dataset"] == "mine")
    (line,) = (line for line in section["lines"] if line["method"] == "max_median")
    assert (line["title"], line["dataNotes"]) == (HOSTILE, [HOSTILE])


def test_the_page_asks_for_nothing_beside_itself(page):
    text = page.read_text(encoding="utf-8")
    assert "default-src 'none'" in text
    markup = re.sub(r"<script.*?</script>|<style>.*?</style>", "", text, flags=re.DOTALL)
    assert all(source.startswith("data:") for source in re.findall(r'(?:src|<link[^>]*href)="([^"]*)"', markup))


def test_figures_of_every_policy_are_those_of_the_command_line(page, stored):
    data = embedded(page)
    assert list(data["views"]) == [AS_RUN, *POLICIES]
    assert list(data["views"][AS_RUN]) == list(PROTOCOLS)
    place = next(k for k, section in enumerate(data["sections"]) if section["dataset"] == "mine")
    lines = [line["method"] for line in data["sections"][place]["lines"]]
    row = next(row for row in stored.rows if (row.dataset, row.method) == ("mine", "top_hat"))
    column = next(k for k, column in enumerate(data["columns"]) if column["name"] == "Fa")
    for policy in POLICIES:
        assert list(data["views"][policy]) == ["exact"]
        figure = data["views"][policy]["exact"][place]["lines"][lines.index("top_hat")]["figures"][column]
        cut = recut(row, stored.store.records(row), build_threshold(policy))
        wanted = [*cut.ci95["exact"]["Fa"], cut.metrics["exact"]["Fa"]]
        assert figure[1:4] == [f"{1e6 * value:.2f}" for value in wanted]


def test_a_policy_costs_no_row_that_has_no_sweep(stored):
    """Masks of another program cannot be cut; a row whose records are gone has failed under every policy but its own."""
    rows = [make_row("mine", metrics={"exact": dict(IoU=0.5)}), make_row("gone", sweep={"tp": [1]}, key={}, score_kind="raw")]
    cuts = page_cuts(StoredRows(stored.store, rows), RowFiles(stored.store))
    masks, gone = cuts["minmax(0.5)"].rows
    assert masks == rows[0]
    assert (str(gone.status), gone.metrics) == ("failed", {})
    assert "run this cell again" in gone.reason


def test_a_policy_that_was_asked_for_is_one_more(stored):
    cuts = page_cuts(StoredRows.read(stored.store.out, build_threshold("minmax(0.25)")), RowFiles(stored.store))
    assert list(cuts) == [AS_RUN, *POLICIES, "minmax(0.25)"]
    assert not any(row.from_sweep for row in cuts[AS_RUN].rows)


def test_many_rows_are_shown_as_they_were_run(stored, monkeypatch):
    monkeypatch.setattr("irsam_zoo.reports.page.recut_tables.MOST", len(stored.rows) - 1)
    assert list(page_cuts(stored, RowFiles(stored.store))) == [AS_RUN]


def test_a_row_has_its_card_and_its_own_command(page, out):
    data = embedded(page)
    section = next(section for section in data["sections"] if section["dataset"] == "synthetic")
    line = next(line for line in section["lines"] if line["method"] == "top_hat")
    assert line["card"]["authors"] == "Rivest and Fortin"
    words = f"--methods top_hat --datasets synthetic --limit 4 --jobs 1 --device cpu --checkpoints {out.parent}"
    assert line["command"] == f"python run_benchmark.py {words} --save-predictions --save-scores npy"
    unrun = next(line for line in section["lines"] if line["method"] == "irsam")
    assert unrun["card"]["title"] == "IRSAM"
    assert "command" not in unrun


def test_the_command_is_that_of_the_latest_run_with_the_row():
    runs = [dict(config=dict(methods=["configs/x/night.py", "ipi"], datasets=["data/My set"], limit=limit)) for limit in (1, 2)]
    runs.append(dict(config=dict(methods=["ipi"], datasets=["synthetic"])))
    row = make_row("night", dataset="My set")
    assert row_command(row, runs) == ("python run_benchmark.py --methods configs/x/night.py --datasets 'data/My set' --limit 2")
    assert row_command(make_row("nram"), runs) is None


def test_the_command_of_other_programs_predictions_is_that_which_scored_them():
    runs = [
        dict(config=dict(folder="their runs", dataset=data, split="irsam", strict=True), faults={f"{data}/irsam/theirs": []})
        for data in ("synthetic", "other")
    ]
    row = make_row("theirs", fidelity=OUTSIDE, split="irsam", dataset="synthetic")
    assert row_command(row, runs) == "python run_benchmark.py score 'their runs' --dataset synthetic --strict"
    assert row_command(make_row("others", fidelity=OUTSIDE), runs) is None


def test_tables_have_a_line_for_a_method_that_is_not_known_here(stored):
    cuts = {AS_RUN: StoredRows(stored.store, [make_row("no_such_method")])}
    data, _ = page_tables(cuts, [], ReportOptions(columns=("Pd", "AUC")))
    assert [column["name"] for column in data["columns"] if column["shown"]] == ["Pd", "AUC"]
    (line,) = (line for line in data["sections"][0]["lines"] if line["method"] == "no_such_method")
    assert line["card"] is None


def test_the_table_is_that_of_the_report_with_rows_of_other_folders(tmp_path):
    """Lines, marks and leads of the page are those of ``table1.csv``, that of weights of the set alone among them."""
    joint = dict(dataset="sirst3", datasets=("irstd-1k", "nuaa-sirst"))
    ours, theirs = ResultStore(tmp_path / "ours"), ResultStore(tmp_path / "theirs")
    for row in (row_of(iou=0.5, weights=joint), make_row("top_hat", 0.2)):
        ours.write_row(row, [])
    theirs.write_row(row_of("acmnet_alone", 0.6), [])
    options = ReportOptions(beside=(str(theirs.out),), figures=())
    write_report(StoredRows.read(ours.out), ours.out / "report", write_atomic, options, parts=[page_part, tables])
    with open(ours.out / "report" / "table1.csv", encoding="utf-8", newline="") as file:
        wanted = {line["method"]: line for line in csv.DictReader(file) if line["metric"] == "IoU"}
    data = embedded(ours.out / "report" / "index.html")
    (iou,) = (place for place, column in enumerate(data["columns"]) if column["name"] == "IoU")
    for policy in (AS_RUN, "fixed(0)"):
        lines = data["views"][policy]["exact"][0]["lines"]
        shown = {about["method"]: line for about, line in zip(data["sections"][0]["lines"], lines, strict=True)}
        assert {method: line["marks"] for method, line in shown.items()} == {m: line["marks"] for m, line in wanted.items()}
        assert shown["acmnet"]["marks"] == "A"
        assert shown["acmnet"]["figures"][iou][0] == 60.0


def test_figures_of_images_are_told_from_drawings(tmp_path):
    picture = np.full((100, 100), 255, np.uint8)
    cv2.imwrite(str(tmp_path / "a.png"), picture)
    picture[:80, :90] = 100
    cv2.imwrite(str(tmp_path / "b.png"), picture)
    assert [figure["drawing"] for figure in embedded_figures(tmp_path, 10**6, pytest.fail)] == [True, False]


def test_the_smallest_figures_are_embedded_until_the_room_is_spent(tmp_path):
    folder = tmp_path / "figures"
    folder.mkdir()
    rng = np.random.default_rng(0)
    for name, side in (("a_large", 200), ("b", 10), ("c", 12)):
        cv2.imwrite(str(folder / f"{name}.png"), rng.integers(0, 255, (side, side), dtype=np.uint8))
    (folder / "c.pdf").write_bytes(b"%PDF")
    large, small, other = embedded_figures(folder, 2000, pytest.fail)
    assert (large["title"], large["source"], large["link"]) == ("a large", None, "figures/a_large.png")
    for figure, side in ((small, 10), (other, 12)):
        data = base64.b64decode(figure["source"].removeprefix("data:image/webp;base64,"))
        assert cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED).shape == (side, side, 3)
    assert embedded_figures(tmp_path / "none", 2000, pytest.fail) == []


def test_markdown_becomes_a_table_and_its_own_markup_does_not(tmp_path):
    path = tmp_path / "audit.md"
    path.write_text("# Audit\n\n| a |\n|---|\n| <b onclick=x> |\n\n[link](javascript:alert(1))\n", encoding="utf-8")
    html = markdown_page(path)
    assert "<h2>Audit</h2>" in html
    assert "<td>&lt;b onclick=x&gt;</td>" in html
    assert "href" not in html
    assert markdown_page(tmp_path / "none.md") is None
