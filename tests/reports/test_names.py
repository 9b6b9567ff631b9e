"""Names, titles and reasons of strangers in each format of a table."""

import csv
import io

import pytest

from irsam_zoo.reports.csv_table import to_csv
from irsam_zoo.reports.latex import to_latex
from irsam_zoo.reports.markdown import to_markdown
from irsam_zoo.reports.table import build_table
from tests.results.builders import make_row


def sections(text):
    odd = dict(title=text, reason=text, data_notes=(text,), threshold=text, dataset=text, split="s")
    return build_table([make_row(metrics={"exact": {"IoU": 0.5}}, **odd)])


@pytest.mark.parametrize(
    ("text", "markdown", "latex"),
    [
        ("<script>x</script>", "&lt;script>x&lt;/script>", r"\textless{}script\textgreater{}"),
        ("[x](javascript:x)", r"[x]\(javascript:x)", "{[}x](javascript:x)"),
        ("a|b", r"a\|b", r"a\textbar{}b"),
        ("a\n\\end{x}", r"a \end{x}", r"a \textbackslash{}end\{x\}"),
        ("\x1b[2J", "\\x1b[2J", r"\textbackslash{}x1b{[}2J"),
    ],
)
def test_a_title_is_text_alone(text, markdown, latex):
    shown = to_markdown(sections(text), "exact")
    assert markdown in shown
    assert f"## {markdown}, split" in shown
    assert latex in to_latex(sections(text), "exact")
    assert to_latex(sections(text), "exact").count("\n") == to_latex(sections("t"), "exact").count("\n")


@pytest.mark.parametrize("text", ["=1+1", "@x", "+1", "\t=1", "\r=1", " =1"])
def test_a_cell_is_no_formula(text):
    lines = list(csv.DictReader(io.StringIO(to_csv(sections(text), "exact"), newline="")))
    assert {line["split"] for line in lines} == {"s"}
    assert not any(cell.lstrip().startswith(("=", "@", "+")) for line in lines for cell in line.values())
