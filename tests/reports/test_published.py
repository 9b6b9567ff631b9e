"""Published numbers as data, and where tables show them."""

import csv
import io
import json
import re
import shutil

import pytest

from irsam_zoo.reports import published as package
from irsam_zoo.reports.csv_table import to_csv
from irsam_zoo.reports.html import to_html
from irsam_zoo.reports.latex import to_latex
from irsam_zoo.reports.markdown import to_markdown
from irsam_zoo.reports.published import (
    FOLDER,
    elsewhere,
    list_facts,
    papers,
    published,
    published_figures,
    sources,
    tables_of,
)
from irsam_zoo.reports.table import build_table
from irsam_zoo.zoo import list_configs, list_methods
from irsam_zoo.zoo.weights.known_weights import catalogue
from tests.reports.builders import difference, line_of, make_row, printed


def test_figures_of_a_methods_own_paper_stand_where_no_table_has_it():
    rows = [
        make_row(name, 0.7, split="dnanet", family="deep") for name in ("sctransnet", "mshnet", "rpcanet", "rdian_basicirstd")
    ]
    sections = build_table([*rows, make_row("rpcanet", 0.7, dataset="irstd-1k", split="dnanet")], columns=["IoU", "F1", "Fa"])
    irstd, nuaa = sections
    values = {line.method: line.values for line in nuaa.lines}
    assert (printed(values["sctransnet"]["IoU"]), printed(values["sctransnet"]["F1"])) == ("77.50", "87.32")
    assert difference(values["sctransnet"]["IoU"]) == pytest.approx(-7.5)  # native size
    assert printed(values["mshnet"]["IoU"]) is printed(values["rpcanet"]["IoU"]) is None  # on another list, or not at all
    assert printed(values["rdian_basicirstd"]["IoU"]) == "70.737"
    assert nuaa.further_sources == {"sctransnet": ["SCTransNet"]}
    rpcanet = line_of([irstd], "rpcanet").values
    assert (printed(rpcanet["IoU"]), printed(rpcanet["F1"]), printed(rpcanet["Fa"])) == ("63.21", "77.45", None)
    assert difference(rpcanet["IoU"]) is None  # 256x256 px
    for text in (to_markdown(sections, "exact"), to_latex(sections, "exact")):
        assert "Of SCTransNet: by SCTransNet's author, and measured minus published. One model, trained" in text
        assert "Of RPCANet: by RPCANet's authors, at 256x256 px: no difference is taken across sizes." in text
    assert re.search(r"nuaa-sirst,dnanet,sctransnet,IoU,70.0,.*,77.50,-7.5,,sctransnet,", to_csv(sections, "exact"))
    mine = build_table([make_row("sctransnet", split="dnanet", own_split=True)])
    assert printed(line_of(mine, "sctransnet").values["IoU"]) is None


@pytest.fixture
def second_table(monkeypatch, tmp_path):
    """A second published table of the split irsam, at the images' own size: a network of the first and one of its own."""
    folder = shutil.copytree(FOLDER, tmp_path / "published")
    about = dict(title="A survey", citation="", url="", split="irsam", families={}, notes="Of five seeds.")
    about["sizes"] = dict.fromkeys(("irstd-1k", "nudt-sirst", "nuaa-sirst"), "native")
    (folder / "sources.json").write_text(json.dumps(sources() | {"survey": about}))
    lines = ["acmnet,ACM,nuaa-sirst,IoU,71.00", "acmnet,ACM,nuaa-sirst,F1,83.00", "acmnet,ACM,,params,0.40"]
    lines.append("rdian,RDIAN,nuaa-sirst,IoU,68.00")
    (folder / "survey.csv").write_text("\n".join(["method,printed_as,dataset,metric,value", *lines, ""]))
    cached = [
        value for value in vars(package).values() if hasattr(value, "cache_clear") and value.__module__ == package.__name__
    ]
    monkeypatch.setattr(package, "FOLDER", folder)
    for function in cached:
        function.cache_clear()
    yield
    for function in cached:
        function.cache_clear()


def test_every_table_that_has_a_cell_is_in_it(second_table):
    rows = [make_row("acmnet", 0.7, family="deep", params=500_000), make_row("rdian", 0.6), make_row("ipi", 0.5)]
    sections = build_table(rows, columns=["params", "IoU", "F1"])
    acmnet = line_of(sections, "acmnet").values
    told = [(figure.source, figure.text, figure.apart, figure.difference) for figure in acmnet["IoU"].published]
    assert told == [
        ("irsam_table1", "72.33", "published at 512x512 px", None),
        ("survey", "71.00", "", pytest.approx(-1.0)),
    ]
    assert [figure.source for figure in acmnet["F1"].published] == ["survey"]
    assert sections[0].tables == ["irsam_table1", "survey"]
    lines = [line for line in csv.DictReader(io.StringIO(to_csv(sections, "exact"))) if line["method"] == "acmnet"]
    assert [(line["source"], line["published"]) for line in lines if line["metric"] == "IoU"] == [
        ("irsam_table1", "72.33"),
        ("survey", "71.00"),
    ]
    markdown = to_markdown(sections, "exact")
    assert "| 0.50 (0.52, -0.02; 0.40†, +0.10) | **70.00** (72.33; 71.00†, -1.00) | (83.00†) |" in markdown
    assert "| <u>60.00</u> (68.00†, -8.00) |" in markdown  # marked, though it has no other
    assert "Marked †: by A survey, and measured minus published. Of five seeds." in markdown
    html = to_html(sections, "exact")
    assert "<small>(72.33; 71.00†, -1.00)</small>" in html
    assert "Marked †: by A survey" in html
    latex = to_latex(sections, "exact")
    assert r"\quad\scriptsize published$^{\dagger}$ & \scriptsize 0.40 & \scriptsize 71.00 & \scriptsize 83.00 \\" in latex
    assert r"\quad\scriptsize difference$^{\dagger}$ &  & \scriptsize $-1.00$ &  \\" in latex
    assert r"Marked $^{\dagger}$: by A survey" in latex


def test_a_method_that_a_second_table_alone_has_is_told_by_its_name(second_table):
    (section,) = build_table([make_row("rdian", 0.6), make_row("ipi", 0.5)], columns=["F1", "IoU"], table="all")
    section.lines = [line for line in section.lines if line.method != "acmnet"]
    text = to_markdown([section], "exact")
    assert "| **60.00** (68.00, -8.00) |" in text
    assert "Of RDIAN: by A survey, and measured minus published. Of five seeds." in text


def test_published_weights_have_what_their_publisher_states_beside_them():
    metrics = {"exact": {"IoU": 0.70}}
    sections = build_table(
        [
            make_row("lesps-acm-full", split="dnanet", metrics=metrics),
            make_row("open-acm", split="idx320", metrics=metrics),
        ]
    )
    stated = line_of(sections, "lesps-acm-full").values
    assert (printed(stated["IoU"]), printed(stated["Fa"]), printed(stated["nIoU"])) == ("64.92", "12.76", None)
    assert difference(stated["IoU"]) == pytest.approx(70 - 64.92)
    stated = line_of(sections[1:], "open-acm").values
    assert (printed(stated["IoU"]), difference(stated["IoU"])) == ("74.42", None)
    assert "published. Of open-acm: by YimianDai/open-acm, at 512x512 px: no" in to_markdown(sections, "exact")


def test_published_figures_of_papers_are_of_lists_and_methods_that_are_here():
    with open(FOLDER / "papers.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert {row["paper"] for row in rows} == {*papers()}
    assert {row["method"] for row in rows} <= {*list_methods(), *list_configs()}
    assert {(row["dataset"], row["split"]) for row in rows} <= {*list_facts()}
    assert all(0 < float(row["value"]) <= 100 for row in rows)
    assert all(about["size"] in ("native", "256x256") and about["url"].startswith("https://") for about in papers().values())


# Lines of the tables in the repositories that `papers.json` names, as their READMEs have them: what they are of and the
# figures, in the order of the metrics.
SOURCES = {
    "mshnet": (
        "IoU Pd Fa",
        "mshnet irstd-1k 67.16 93.88 15.03",
        "mshnet nudt-sirst 80.55 97.99 11.77",
    ),
    "hdnet": (
        "IoU Pd Fa",
        "hdnet irstd-1k 70.26 94.56 4.33",
        "hdnet nuaa-sirst 79.17 100 0.53",
        "hdnet nudt-sirst 85.17 98.52 2.78",
    ),
    "rpcanet": (
        "IoU F1",
        "rpcanet nudt-sirst 89.31 94.35 irstd-1k 63.21 77.45 nuaa-sirst 70.37 82.61",
        "rpcanet_pp_s3 nudt-sirst 92.70 96.21 irstd-1k 64.40 78.34 nuaa-sirst 75.52 86.06",
        "rpcanet_pp nudt-sirst 94.39 97.12 irstd-1k 64.93 78.73 nuaa-sirst 74.76 85.47",
        "rpcanet_pp_s9 nudt-sirst 93.97 96.89 irstd-1k 63.23 77.48 nuaa-sirst 72.62 84.14",
    ),
    "sctransnet": (
        "IoU nIoU F1 Pd Fa",
        "sctransnet nuaa-sirst 77.50 81.08 87.32 96.95 13.92",
        "sctransnet nudt-sirst 94.09 94.38 96.95 98.62 4.29",
        "sctransnet irstd-1k 68.03 68.15 80.96 93.27 10.74",
    ),
}


def test_figures_of_papers_are_those_of_their_source():
    stated = {}
    for paper, (metrics, *lines) in SOURCES.items():
        metrics = metrics.split()
        for line in lines:
            method, *texts = line.split()
            for start in range(0, len(texts), len(metrics) + 1):
                dataset, *values = texts[start : start + len(metrics) + 1]
                stated |= {(paper, method, dataset, name): text for name, text in zip(metrics, values, strict=True)}
    with open(FOLDER / "papers.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert {(r["paper"], r["method"], r["dataset"], r["metric"]): r["value"] for r in rows} == stated
    assert len(rows) == len(stated)
    assert "on IRSTD-1k IoU 67.87, Pd 92.86 and Fa 8.88" in papers()["mshnet"]["notes"]  # the README's other table


def test_published_tables_are_whole():
    table = published("irsam_table1")
    assert len({method for method, _, _ in table}) == 17
    assert all((m, d, k) in table for m, _, _ in table for d in ("irstd-1k", "nudt-sirst", "nuaa-sirst") for k in ("IoU", "Fa"))
    assert table["irsam", "nudt-sirst", "IoU"] == "92.59"
    assert published("basicirstd")["top_hat", "nudt-sirst", "Fa"] == "166.704"
    assert tables_of("irsam") == ["irsam_table1"]
    assert all(source["url"].startswith("https://") for source in sources().values())


def test_what_a_publisher_states_is_all_of_one_size():
    sizes = {(known.publisher, known.protocol.size) for known in catalogue().values()}
    assert len(sizes) == len({publisher for publisher, _ in sizes})  # `elsewhere` has one
    assert elsewhere()["XinyiYing/LESPS"]["size"] == "native"
    assert elsewhere()["fengyiwu98/RPCANet"]["size"] == "256x256"


def test_weights_of_which_nothing_is_stated_have_no_source():
    assert published_figures("rdian-released", "nuaa-sirst", "irsam", ["irsam_table1"]) == {}
    assert published_figures("basicirstd-acm", "nudt-sirst", "dnanet", ["basicirstd"]) == {}
