"""What a table shows on demand: columns, digits, intervals, methods across, published rows, groups and what is behind a row."""

import re
import shutil
import subprocess

import pytest

from irsam_zoo.reports.cell_texts import Layout
from irsam_zoo.reports.columns import columns_named
from irsam_zoo.reports.groups import group_of
from irsam_zoo.reports.html import to_html
from irsam_zoo.reports.latex import to_latex
from irsam_zoo.reports.markdown import to_markdown
from irsam_zoo.reports.table import build_table
from irsam_zoo.results.row import Status
from irsam_zoo.zoo import UsageError
from tests.reports.builders import line_of, make_row, printed, trained

STRATA = {
    "size": [{"bin": "1-9", "targets": 4, "matched": 1, "Pd": 0.25}, {"bin": "10-25", "targets": 0, "matched": 0, "Pd": None}],
    "scr": [{"bin": "<2", "targets": 4, "matched": 3, "Pd": 0.75}],
}


def body(markdown):
    """Cells of the tables of a Markdown text."""
    lines = [line.split(" | ") for line in markdown.splitlines() if line.startswith("| ")]
    return [[cell.strip("| ") for cell in line] for line in lines]


def test_pd_by_size_and_scr_are_columns_of_the_exact_protocol():
    row = make_row("ipi", strata=STRATA)
    sections = build_table([row], columns=["Pd-by-size", "Pd SCR <2"])
    values = line_of(sections, "ipi").values
    assert list(values) == ["Pd 1-9 px", "Pd 10-25 px", "Pd 26-80 px", "Pd >80 px", "Pd SCR <2"]
    assert [value.measured for value in values.values()] == [25, None, None, None, 75]
    other = build_table([row], columns=["Pd-by-SCR"], protocol="irsam")
    assert {value.measured for value in line_of(other, "ipi").values.values()} == {None}


def test_digits():
    rows = [make_row("ipi", 0.51234, params=1_234_567), make_row("nram", 0.51236)]
    texts = {digits: to_markdown(build_table(rows, digits=digits), "exact") for digits in (None, 0, 3)}
    assert all(text in texts[None] for text in ("**51.24**", "<u>51.23</u>"))
    assert all(text in texts[3] for text in ("**51.236**", "<u>51.234</u>"))
    assert texts[0].count("**51**") == 6  # printed alike, ranked alike
    assert all("| 12.5 |" in text for text in texts.values())  # three digits that count
    assert "| 1.235 |" in texts[3]
    with pytest.raises(UsageError, match="--digits 12"):
        columns_named(["IoU"], digits=12)


def test_intervals_are_shown_on_demand():
    sections = build_table([make_row("ipi", 0.5, dataset="irstd-1k")])
    for to_text, text in (
        (to_markdown, "**50.00** [40.00, 60.00] (27.92, +22.08)"),
        (to_latex, r"\scriptsize {[}40.00, 60.00]"),
    ):
        assert text in to_text(sections, "exact", Layout(ci=True))
        assert text not in to_text(sections, "exact")
    assert "<small>[40.00, 60.00]</small> <small>(27.92, +22.08)</small>" in to_html(sections, "exact", Layout(ci=True))
    assert "[40.00" not in to_html(sections, "exact")


def test_methods_across():
    sections = build_table([make_row("ipi", 0.5), make_row("mine", 0.25)])
    upright, across = (body(to_markdown(sections, "exact", Layout(transpose=flag))) for flag in (False, True))
    assert across == [list(column) for column in zip(*upright, strict=True)]
    latex = to_latex(sections, "exact", Layout(transpose=True))
    assert re.search(r"IoU\$\\uparrow\$ & .*\\textbf\{50.00\}", latex)
    assert r"\rotatebox{90}{IPI}" in latex
    html = to_html(sections, "exact", Layout(transpose=True))
    assert html.index('<th scope="col">IPI</th>') < html.index('<th scope="row">IoU ↑</th>') < html.index(">50.00<")


def test_published_methods_that_are_not_here_are_shown_on_demand():
    rows = [make_row("ipi", split="dnanet")]
    shown, known = ([line.method for line in build_table(rows, with_published=flag)[0].lines] for flag in (True, False))
    extra = {"rdian_basicirstd", "mslcm", "mspcm", "rlcm"}
    assert extra - {*known} == extra & {*shown} - {*known}
    assert extra <= {*shown}
    line = line_of(build_table(rows, with_published=True), "mslcm")
    assert (line.title, line.marks, line.group, printed(line.values["Fa"])) == ("MSLCM", "N", "classical", "8.374")
    assert "MSLCM$^{N}$" in to_latex(build_table(rows, with_published=True), "exact")


def test_what_came_after_table_1_follows_it_and_is_not_in_latex():
    rows = [make_row(name, iou, family="deep") for name, iou in (("rpcanet", 0.9), ("l2sknet_fpn", 0.8), ("uiunet", 0.7))]
    sections, alone, whole = build_table(rows), build_table(rows, alone=True), build_table(rows, alone=True, table="all")
    assert [line.method for line in sections[0].lines[16:]] == ["irsam", "rpcanet", "l2sknet_fpn"]
    assert line_of(sections, "rpcanet").group == "after"
    assert [line.method for line in alone[0].lines][16:] == ["irsam"]
    assert [line_of(found, "uiunet").values["IoU"].rank for found in (sections, alone)] == [0, 1]
    names = [line.method for line in whole[0].lines]
    assert names[17:19] == ["istdunet", "rdian"]  # without a row, too
    assert names.index("rpcanet") < names.index("sctransnet") < names.index("l2sknet_fpn")
    assert r"\textit{After Table 1}" in to_latex(whole, "exact")
    with pytest.raises(UsageError, match="unknown table 'al'; did you mean all"):
        build_table(rows, table="al")


def test_groups():
    groups = {name: group_of(name, None, ["irsam"]) for name in ("ipi", "acmnet_1ch", "rdian", "rlcm", "irsam", "unheard_of")}
    assert list(groups.values()) == ["classical", "deep", "deep", "classical", "ours", "others"]
    assert group_of("unheard_of", make_row("unheard_of", family="deep"), []) == "deep"
    assert [group_of(name, None, [], ["rpcanet_pp"]) for name in ("rpcanet_pp", "rpcanet_pp_s3")] == ["after"] * 2
    assert group_of("rdian-released", None, [], ["rdian"]) == "after"
    sections = build_table([make_row("acmnet_1ch", family="deep"), make_row("mine", family="classical"), make_row("scored")])
    names = [line.method for line in sections[0].lines]
    assert names.index("mslstipt") < names.index("mine") < names.index("mdvsfa") < names.index("acmnet_1ch")
    assert names[-2:] == ["irsam", "scored"]
    latex = to_latex(sections, "exact")
    places = [latex.index(rf"\textit{{{group}}}") for group in ("Classical", "Deep", "Ours", "Others")]
    assert places == sorted(places)
    assert r"\multicolumn{7}{l}{\textit{Classical}}" in latex
    assert to_html(sections, "exact").count('<tr class="group">') == 4


def test_the_status_tells_what_is_behind_a_row():
    rows = [
        make_row("acmnet", data_notes=("grey masks", "one is small"), weights=trained(publisher="Them", schedule=None)),
        make_row("alcnet", data_notes=("one is small",), metric_size="512x512"),
        make_row("ipi", status=Status.FAILED, reason="no luck", data_notes=("grey masks",)),
    ]
    sections = build_table(rows)
    markdown = to_markdown(sections, "exact")
    assert "| ok; weights of Them, trained on nuaa-sirst (irsam); data 1, 2 |" in markdown
    assert "| ok; metrics at 512x512; data 2 |" in markdown
    assert "data 1: grey masks.  \ndata 2: one is small." in markdown
    assert "Data of NUAA-SIRST: grey masks." in to_latex(sections, "exact")
    html = to_html(sections, "exact")
    assert "ok; metrics at 512x512; data 2</td>" in html
    assert "<p>data 2: one is small.</p>" in html


def test_html_is_inert():
    title = "<script>alert(1)</script>"
    sections = build_table([make_row("mine", title=title, notes={"<b>": 1}), make_row("ipi", 0.7, fidelity="public-port")])
    html = to_html(sections, "exact")
    assert title not in html
    assert "<b>" not in html
    assert "&lt;script&gt;" in html
    assert "<sup>P</sup> equal to a third party" in html
    assert "split <code>irsam</code>, 86 test images" in html
    assert not re.search(r"(src|href)=", html)


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="pdflatex is not installed")
@pytest.mark.parametrize("layout", [Layout(), Layout(ci=True), Layout(transpose=True)])
def test_three_data_sets_stay_inside_the_page(tmp_path, layout):
    names = ["top_hat", "ipi", "acmnet", "irsam", *(f"extra_{k}" for k in range(20))]
    sets = ("irstd-1k", "nudt-sirst", "nuaa-sirst")
    rows = [make_row(name, 0.9, dataset=dataset, split="dnanet", params=10**7) for name in names for dataset in sets]
    latex = to_latex(build_table(rows, with_published=True), "exact", layout)
    page = r"\documentclass[10pt]{article}\usepackage{booktabs,graphicx}\begin{document}\input{table1}\end{document}"
    (tmp_path / "table1.tex").write_text(latex)
    (tmp_path / "page.tex").write_text(page)
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "page.tex"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-2000:]
    assert not re.search("Overfull|Float too large", done.stdout.replace("\n", ""))
