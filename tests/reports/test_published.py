"""Published numbers as data, and where tables show them."""

import csv
import re

import pytest

from reports.csv_table import to_csv
from reports.latex import to_latex
from reports.markdown import to_markdown
from reports.published import (
    FOLDER,
    elsewhere,
    list_facts,
    papers,
    printed_figures,
    published,
    source_for,
    sources,
)
from reports.table import build_table
from tests.reports.test_table import line_of, make_row
from zoo import list_configs, list_methods
from zoo.known_weights import catalogue


def test_figures_of_a_methods_own_paper_stand_where_no_table_has_it():
    rows = [
        make_row(name, 0.7, split="dnanet", family="deep") for name in ("sctransnet", "mshnet", "rpcanet", "rdian_basicirstd")
    ]
    sections = build_table([*rows, make_row("rpcanet", 0.7, dataset="irstd-1k", split="dnanet")], columns=["IoU", "F1", "Fa"])
    irstd, nuaa = sections
    values = {line.method: line.values for line in nuaa.lines}
    assert (values["sctransnet"]["IoU"].printed, values["sctransnet"]["F1"].printed) == ("77.50", "87.32")
    assert values["sctransnet"]["IoU"].difference == pytest.approx(-7.5)  # native size
    assert values["mshnet"]["IoU"].printed is values["rpcanet"]["IoU"].printed is None  # on another list, or not at all
    assert values["rdian_basicirstd"]["IoU"].printed == "70.737"
    assert nuaa.papers == {"sctransnet": ["SCTransNet"]}
    rpcanet = line_of([irstd], "rpcanet").values
    assert (rpcanet["IoU"].printed, rpcanet["F1"].printed, rpcanet["Fa"].printed) == ("63.21", "77.45", None)
    assert rpcanet["IoU"].difference is None  # 256x256 px
    for text in (to_markdown(sections, "exact"), to_latex(sections, "exact")):
        assert "Of SCTransNet: by SCTransNet's author, and measured minus published. One model, trained" in text
        assert "Of RPCANet: by RPCANet's authors, at 256x256 px: no difference is taken across sizes." in text
    assert re.search(r"nuaa-sirst,dnanet,sctransnet,IoU,70.0,.*,77.50,-7.5,,sctransnet,", to_csv(sections, "exact"))
    mine = build_table([make_row("sctransnet", split="dnanet", own_split=True)])
    assert line_of(mine, "sctransnet").values["IoU"].printed is None


def test_published_weights_have_what_their_publisher_states_beside_them():
    metrics = {"exact": {"IoU": 0.70}}
    sections = build_table(
        [
            make_row("lesps-acm-full", split="dnanet", metrics=metrics),
            make_row("open-acm", split="idx320", metrics=metrics),
        ]
    )
    stated = line_of(sections, "lesps-acm-full").values
    assert (stated["IoU"].printed, stated["Fa"].printed, stated["nIoU"].printed) == ("64.92", "12.76", None)
    assert stated["IoU"].difference == pytest.approx(70 - 64.92)
    stated = line_of(sections[1:], "open-acm").values
    assert (stated["IoU"].printed, stated["IoU"].difference) == ("74.42", None)
    assert "published. Of open-acm: by YimianDai/open-acm, at 512x512 px: no" in to_markdown(sections, "exact")


def test_published_figures_of_papers_are_of_lists_and_methods_that_are_here():
    with open(FOLDER / "papers.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert {row["paper"] for row in rows} == {*papers()}
    assert {row["method"] for row in rows} <= {*list_methods(), *list_configs()}
    assert not {row["method"] for row in rows} & {method for source in sources() for method, _, _ in published(source)}
    assert {(row["dataset"], row["split"]) for row in rows} <= {*list_facts()}
    assert all(0 < float(row["value"]) <= 100 for row in rows)
    assert all(about["size"] in ("native", "256x256") and about["url"].startswith("https://") for about in papers().values())


def test_published_tables_are_whole():
    table = published("irsam_table1")
    assert len({method for method, _, _ in table}) == 17
    assert all((m, d, k) in table for m, _, _ in table for d in ("irstd-1k", "nudt-sirst", "nuaa-sirst") for k in ("IoU", "Fa"))
    assert table["irsam", "nudt-sirst", "IoU"] == "92.59"
    assert published("basicirstd")["top_hat", "nudt-sirst", "Fa"] == "166.704"
    assert source_for("irsam") == "irsam_table1"
    assert all(source["url"].startswith("https://") for source in sources().values())


def test_what_a_publisher_states_is_all_of_one_size():
    sizes = {(known.publisher, known.protocol.size) for known in catalogue().values()}
    assert len(sizes) == len({publisher for publisher, _ in sizes})  # `elsewhere` has one
    assert elsewhere()["XinyiYing/LESPS"]["size"] == "native"
    assert elsewhere()["fengyiwu98/RPCANet"]["size"] == "256x256"


def test_weights_of_which_nothing_is_stated_have_no_source():
    assert printed_figures("rdian-released", "nuaa-sirst", "irsam", "irsam_table1") == (None, {})
    assert printed_figures("basicirstd-acm", "nudt-sirst", "dnanet", "basicirstd") == (None, {})
