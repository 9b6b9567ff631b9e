"""Tables made from rows: what stands where, and what is ranked."""

import csv
import io
import shutil
import subprocess
from dataclasses import replace

import pytest

from irsam_zoo.reports.csv_table import to_csv
from irsam_zoo.reports.groups import card_of
from irsam_zoo.reports.html import to_html
from irsam_zoo.reports.latex import escape, to_latex
from irsam_zoo.reports.listing import row_line
from irsam_zoo.reports.markdown import to_markdown
from irsam_zoo.reports.published import published
from irsam_zoo.reports.table import build_table
from irsam_zoo.results.row import Status
from irsam_zoo.zoo import list_methods
from tests.reports.builders import difference, line_of, make_row, printed, speed, trained


def csv_line(rows, method, metric):
    lines = csv.DictReader(io.StringIO(to_csv(build_table(rows), "exact")))
    return next(line for line in lines if (line["method"], line["metric"]) == (method, metric))


def test_rows_follow_table_1_and_others_come_after():
    (section,) = build_table([make_row("zzz"), make_row("irsam"), make_row("aaa"), make_row("top_hat")])
    assert [line.method for line in section.lines][:2] == ["top_hat", "max_median"]
    assert [line.method for line in section.lines][-3:] == ["irsam", "aaa", "zzz"]
    assert len(section.lines) == 19


def test_published_value_and_difference():
    value = line_of(build_table([make_row("ipi", 0.0209, dataset="irstd-1k")]), "ipi").values["IoU"]
    assert (value.measured, printed(value)) == (pytest.approx(2.09), "27.92")
    assert difference(value) == pytest.approx(-25.83)
    assert (value.low, value.high) == (pytest.approx(-7.91), pytest.approx(12.09))
    unrun = line_of(build_table([make_row("ipi")]), "uiunet")
    assert (unrun.values["Fa"].measured, printed(unrun.values["Fa"]), unrun.marks) == (None, "4.97", "N")


def test_no_difference_is_taken_between_sizes():
    """IRSAM's code measures at 512x512, the native size of IRSTD-1k alone; BasicIRSTD at the images' own size."""
    for split, dataset, size in (
        ("irsam", "irstd-1k", "native"),
        ("irsam", "nudt-sirst", "512x512"),
        ("irsam", "nuaa-sirst", "512x512"),
        ("dnanet", "nuaa-sirst", "native"),
    ):
        sections = build_table([make_row("ipi", dataset=dataset, split=split)])
        value = line_of(sections, "ipi").values["IoU"]
        assert printed(value) is not None
        assert (difference(value) is not None) == (size == "native")
        for text in (to_markdown(sections, "exact"), to_latex(sections, "exact")):
            assert ("no difference is taken across sizes" in text) == (size == "512x512")
        resized = build_table([make_row("ipi", dataset=dataset, split=split, metric_size="512x512")])
        assert (difference(line_of(resized, "ipi").values["IoU"]) is not None) == (size == "512x512")
    params = line_of(build_table([make_row("acmnet", params=516875)]), "acmnet").values["params"]
    assert difference(params) == pytest.approx(-0.003125)


def test_published_numbers_of_a_form_stand_beside_its_configuration():
    sections = build_table([make_row("acmnet", split="dnanet"), make_row("acmnet_1ch", split="dnanet", params=397823)])
    of_lines = {line.method: printed(line.values["IoU"]) for line in sections[0].lines}
    assert of_lines["acmnet"] is of_lines["alcnet"] is of_lines["uiunet"] is None
    assert of_lines["acmnet_1ch"] == published("basicirstd")["acmnet_1ch", "nuaa-sirst", "IoU"]
    assert difference(line_of(sections, "acmnet_1ch").values["params"]) == pytest.approx(0, abs=2e-4)
    assert of_lines["alcnet_basicirstd"] is not None  # though it was not run
    assert "mslcm" not in of_lines


def test_a_row_without_the_protocol_says_so():
    swept = make_row("ipi", metrics={"exact": dict(IoU=0.4, nIoU=None, Pd=1, Fa=0)}, oracle=True, from_sweep=True)
    sections = build_table([swept, make_row("nram", 0.5)], protocol="irsam")
    assert line_of(sections, "ipi").values["IoU"].measured is None
    assert line_of(sections, "nram").values["IoU"].rank == 1
    assert "| ok; cut after scoring, no metrics of protocol irsam |" in to_markdown(sections, "irsam")
    assert "NUAA-SIRST, cut after scoring, no metrics of protocol irsam: IPI." in to_latex(sections, "irsam")


def test_published_numbers_are_of_the_same_split_only():
    for split, source, value in (("irsam", "irsam_table1", "1.508"), ("dnanet", "basicirstd", "7.142"), ("mine", None, None)):
        sections = build_table([make_row("top_hat", split=split)])
        assert sections[0].tables == ([source] if source else [])
        assert printed(line_of(sections, "top_hat").values["IoU"]) == value
    assert build_table([make_row("top_hat", dataset="synthetic")])[0].tables == []


def test_only_complete_honest_rows_are_ranked():
    rows = [
        make_row("top_hat", 0.5),
        make_row("ipi", 0.6),
        make_row("nram", 0.6),
        make_row("ript", 0.9, oracle=True),
        make_row("pstnn", 0.9, n_images=10),
        make_row("wslcm", 0.9, status=Status.FAILED, reason="no luck"),
    ]
    sections = build_table(rows)
    ranks = {
        method: line_of(sections, method).values["IoU"].rank for method in ("top_hat", "ipi", "nram", "ript", "pstnn", "wslcm")
    }
    assert ranks == dict(top_hat=2, ipi=1, nram=1, ript=0, pstnn=0, wslcm=0)
    assert line_of(sections, "wslcm").values["IoU"].measured is None


def test_fewer_false_alarms_are_better():
    rows = [make_row("ipi"), make_row("nram")]
    rows[1].metrics["exact"]["Fa"] = 0.5e-5
    sections = build_table(rows)
    assert [line_of(sections, method).values["Fa"].rank for method in ("nram", "ipi")] == [1, 2]


def test_protocol_and_undefined_metrics():
    line = line_of(build_table([make_row("ipi", 0.4)], protocol="irsam"), "ipi")
    assert line.values["IoU"].measured == pytest.approx(20)
    assert line.values["nIoU"].measured is None
    oracle = make_row("ipi", metrics={"exact": {}})
    assert line_of(build_table([oracle], protocol="irsam"), "ipi").values["IoU"].measured is None


def test_markdown_shows_all_that_a_reader_must_know():
    place = dict(dataset="irstd-1k")
    lacking = dict(status=Status.NO_CHECKPOINT, reason="train one with: x | y", metrics={}, n_images=0, params=516875)
    rows = [
        make_row("ipi", 0.5, notes={"no convergence": 3}, **place),
        make_row("nram", 0.4, fidelity="reconstruction", fidelity_scope="WPMD", **place),
        make_row("acmnet", **lacking, **place),
    ]
    text = to_markdown(build_table(rows), "exact")
    assert "## IRSTD-1k, split `irsam`, 86 test images" in text
    assert "published by IRSAM, Table 1, and measured minus published." in text
    assert "| IPI | - | 12.5 | **50.00** (27.92, +22.08) |" in text
    assert "<u>40.00</u>" in text
    assert "ok; no convergence (3 images)" in text
    assert "NRAM <sup>R</sup>" in text
    assert "0.52 (0.52, -0.00)" in text
    assert r"no checkpoint: train one with: x \| y" in text
    assert text.count("not run |") == 14
    widths = {line.replace(r"\|", "").count("|") for line in text.splitlines() if line.startswith("|")}
    assert widths == {11}


def test_csv_is_one_line_a_figure():
    assert len(to_csv(build_table([make_row("ipi")]), "exact").splitlines()) == 1 + 17 * 6
    fa = csv_line([make_row("ipi")], "ipi", "Fa")
    assert (fa["measured"], fa["published"], fa["source"]) == ("10.0", "30467", "irsam_table1")
    fps = csv_line([make_row("ipi")], "irsam", "FPS")
    assert (fps["measured"], fps["published"], fps["difference"]) == ("", "103", "")


def test_every_format_says_how_a_network_was_trained():
    rows = [make_row("acmnet", weights=trained(), trained_on_test=3), make_row("alcnet", weights=trained(in_stages=True))]
    rows += [make_row("isnet", weights=trained()), make_row("dnanet", weights=trained(schedule=None, dataset=None))]
    line = csv_line(rows, "acmnet", "IoU")
    assert (line["marks"], line["weights"], line["weights_sha256"]) == ("T", "a.safetensors", "ab")
    assert (line["weights_schedule"], line["weights_dataset"], line["weights_split"]) == ("short", "nuaa-sirst", "irsam")
    assert csv_line(rows, "alcnet", "IoU")["weights_schedule"] == "short, in stages"
    text = to_latex(build_table(rows), "exact")
    assert "Weights: ACMNet, ISNet short-trained on nuaa-sirst (irsam); " in text
    assert "ALCNet short-trained, in stages, on nuaa-sirst (irsam); " in text
    assert r"DNANet weights a.safetensors" in text
    assert "ok; short-trained, in stages, on nuaa-sirst (irsam) |" in to_markdown(build_table(rows), "exact")


def test_weights_of_unknown_training_are_marked_and_not_ranked():
    rows = [make_row("dnanet", 0.9, weights=trained(training_images_known=False)), make_row("acmnet", 0.5, weights=trained())]
    sections = build_table(rows)
    assert (line_of(sections, "dnanet").marks, line_of(sections, "acmnet").marks) == ("U", "A")
    assert [line_of(sections, method).values["IoU"].rank for method in ("dnanet", "acmnet")] == [0, 1]
    assert "<sup>U</sup> the training images of these weights are not known." in to_markdown(sections, "exact")


def test_metrics_at_the_size_of_the_input_are_marked_and_not_ranked():
    rows = [make_row("dnanet", 0.9, metric_size="256x256"), make_row("acmnet", 0.5, metric_size="native"), make_row("ipi", 0.4)]
    sections = build_table(rows)
    assert [line_of(sections, method).marks for method in ("dnanet", "acmnet", "ipi")] == ["I", "", ""]
    assert [line_of(sections, method).values["IoU"].rank for method in ("dnanet", "acmnet", "ipi")] == [0, 1, 2]
    assert "ok; metrics at 256x256 |" in to_markdown(sections, "exact")
    assert "DNANet$^{I}$" in to_latex(sections, "exact")
    assert csv_line(rows, "dnanet", "IoU")["metric_size"] == "256x256"


def test_published_weights_name_their_publisher():
    weights = trained(schedule=None, split="idx320", publisher="A. Author", training_images_known=True)
    rows = [make_row("acmnet", 0.5, weights=weights)]
    line = line_of(build_table(rows), "acmnet")
    assert (line.training, line.marks) == ("weights of A. Author, trained on nuaa-sirst (idx320)", "")
    assert line.values["IoU"].rank == 1
    assert csv_line(rows, "acmnet", "IoU")["weights_publisher"] == "A. Author"


def test_a_speed_of_one_run_or_of_a_busy_processor_is_marked_everywhere():
    told = {"ipi": dict(runs=1, quiet=True), "nram": dict(runs=9, quiet=False), "pstnn": dict(runs=9, quiet=True)}
    rows = [make_row(method, speed=replace(speed(12.5), **about)) for method, about in told.items()]
    sections = build_table(rows)
    markdown, latex, html = to_markdown(sections, "exact"), to_latex(sections, "exact"), to_html(sections, "exact")
    assert [markdown.count(f"12.5{mark} |") for mark in (" <sup>1</sup>", " <sup>B</sup>", "")] == [1, 1, 1]
    assert [latex.count(f"12.5{mark} &") for mark in ("$^{1}$", "$^{B}$", "")] == [1, 1, 1]
    assert [html.count(f"12.5</span>{mark}</td>") for mark in (" <sup>1</sup>", " <sup>B</sup>", "")] == [1, 1, 1]
    for text in (markdown, latex, html):
        assert "the speed of a single run." in text
        assert "the processor was given to other programs" in text
    assert [csv_line(rows, method, "FPS")["marks"] for method in told] == ["1", "B", ""]
    assert csv_line(rows, "ipi", "IoU")["marks"] == ""
    assert row_line(rows[0]).endswith("86 images; the speed of a single run")
    without = build_table(rows, columns=["IoU"])
    assert "single run" not in to_markdown(without, "exact") + to_latex(without, "exact")


def test_an_own_list_has_no_published_numbers():
    sections = build_table([make_row("ipi", own_split=True, n_images=5, n_split=5)])
    assert sections[0].tables == []
    assert printed(line_of(sections, "ipi").values["IoU"]) is None
    assert "## NUAA-SIRST, split `irsam` (own list), 5 test images" in to_markdown(sections, "exact")
    assert "(NUAA-SIRST 5 images, own list)" in to_latex(sections, "exact")
    assert csv_line([make_row("ipi", own_split=True)], "ipi", "IoU")["own_split"] == "True"


def test_a_table_of_ones_own_data_set_has_the_methods_that_were_run():
    sections = build_table([make_row(method, dataset="mine", own_split=True) for method in ("ipi", "top_hat")])
    assert [line.method for line in sections[0].lines] == ["top_hat", "ipi"]
    text = to_markdown(sections, "exact")
    assert "## mine, own list, 86 test images" in text
    latex = to_latex(sections, "exact")
    assert "not run" not in text + latex
    assert "Lists of one's own (mine 86 images), protocol" in latex
    assert "irsam" not in latex.partition("protocol")[0]
    both = build_table([make_row("ipi"), make_row("ipi", dataset="mine", own_split=True)])
    assert r"split \texttt{irsam} (NUAA-SIRST 86 images) and lists of one's own (mine 86 images)" in to_latex(both, "exact")


@pytest.mark.parametrize("method", list_methods())
def test_a_method_has_one_title_whether_it_was_run_or_not(method):
    sections = build_table([make_row("mine")], with_published=True, table="all")
    assert {line.title for line in sections[0].lines if line.method == method} <= {card_of(method).title}


def test_only_rows_over_the_same_images_are_ranked_together():
    rows = [make_row("ipi", 0.5, key=dict(data="a")), make_row("nram", 0.4, key=dict(data="a")), make_row("pstnn", 0.3)]
    rows += [make_row("ript", 0.9, key=dict(data="b"), n_images=10, n_split=10), make_row("wslcm", 0.8, key=dict(data="c"))]
    sections = build_table(rows)
    ranks = [line_of(sections, method).values["IoU"].rank for method in ("ipi", "nram", "pstnn", "ript", "wslcm")]
    assert ranks == [1, 2, 0, 0, 0]
    differences = [difference(line_of(sections, method).values["IoU"]) for method in ("ript", "wslcm")]
    assert differences == [None, None]
    assert sections[0].n_images == 86
    text = to_markdown(sections, "exact")
    assert "ok; another list of 10 images |" in text
    assert "ok; other 86 images |" in text
    assert "NUAA-SIRST, another list of 10 images: RIPT." in to_latex(sections, "exact")


def test_a_part_of_the_images_has_no_difference():
    sections = build_table([make_row("ipi", n_images=5)])
    assert difference(line_of(sections, "ipi").values["IoU"]) is None
    text = to_markdown(sections, "exact")
    assert "| 50.00 (1.09) |" in text
    assert "ok; first 5 of 86 images" in text
    assert "NUAA-SIRST: first 5 of 86 images." in to_latex(sections, "exact")
    assert csv_line([make_row("ipi", n_images=5)], "ipi", "IoU")["difference"] == ""


def test_published_numbers_are_shown_as_printed():
    rows = [make_row("ipi", dataset=name, split=split) for name in ("irstd-1k", "nuaa-sirst") for split in ("irsam", "dnanet")]
    sections = build_table(rows)
    latex, markdown = to_latex(sections, "exact"), to_markdown(sections, "exact")
    for value in ("7.438", "1432", "565", "0.052", "4.240", "45846.164"):
        assert rf"\scriptsize {value} " in latex
        assert f"({value})" in markdown


def test_markdown_escapes_bars():
    rows = [make_row("mine", title="a|b", notes={"p|q": 1}), make_row("ipi", threshold="x|y")]
    text = to_markdown(build_table(rows), "exact")
    assert all(part in text for part in (r"a\|b", r"p\|q", r"x\|y"))
    assert {line.replace(r"\|", "").count("|") for line in text.splitlines() if line.startswith("|")} == {11}


def test_latex_escapes_and_marks():
    row = make_row("my_method", 0.7, title="A_b & c%", fidelity="public-port")
    text = to_latex(build_table([row, make_row("ipi", 0.6)]), "exact")
    assert r"A\_b \& c\%$^{P}$" in text
    assert r"\textbf{70.00}" in text
    assert r"\underline{60.00}" in text
    assert r"Threshold fixed(0): IPI, A\_b \& c\%." in text
    assert escape("a_{b}") == r"a\_\{b\}"
    assert escape("^~<>") == r"\textasciicircum{}\textasciitilde{}\textless{}\textgreater{}"


def test_latex_names_the_data_set_where_they_differ():
    failed = dict(status=Status.FAILED, reason="3 of 86 images", n_images=83)
    rows = [
        make_row("acmnet", threshold="minmax(0.5)", dataset="irstd-1k", weights=trained(), fidelity="reconstruction"),
        make_row("acmnet", weights=trained(schedule="smoke"), fidelity="reconstruction", trained_on_test=2),
        make_row("ipi", dataset="irstd-1k", **failed),
        make_row("ipi"),
        make_row("nram", speed=speed(7.0)),
    ]
    text = to_latex(build_table(rows), "exact")
    assert "Threshold minmax(0.5): ACMNet (IRSTD-1k). Threshold fixed(0): ACMNet (NUAA-SIRST), IPI, NRAM." in text
    assert "ACMNet (IRSTD-1k) short-trained on nuaa-sirst (irsam); ACMNet (NUAA-SIRST) smoke-trained on" in text
    assert "ACMNet$^{R}$ & - & 12.5 & \\textbf{50.00} &" in text
    assert r"50.00$^{T}$" in text
    assert "IRSTD-1k, failed: IPI." in text
    assert "FPS measured on IRSTD-1k: ACMNet. FPS measured on NUAA-SIRST: IPI, NRAM." in text
    assert "first" not in text
    assert "FPS measured on NUAA-SIRST." in to_latex(build_table([make_row("ipi")]), "exact")


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="pdflatex is not installed")
def test_latex_compiles(tmp_path):
    rows = [make_row("ipi"), make_row("top_hat", dataset="irstd-1k", n_images=3), make_row("x_y", dataset="mine", split="own")]
    rows += [make_row("[a]", title="[a] ^~<>|", dataset="irstd-1k", weights=trained(in_stages=True), trained_on_test=1)]
    (tmp_path / "table1.tex").write_text(to_latex(build_table(rows), "exact"))
    document = r"\documentclass{article}\usepackage{booktabs,graphicx}\begin{document}\input{table1}\end{document}"
    (tmp_path / "page.tex").write_text(document)
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "page.tex"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-2000:]
    assert "Overfull" not in done.stdout
