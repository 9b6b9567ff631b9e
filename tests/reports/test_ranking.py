"""Which lead is real, and which is said not to be."""

import pytest

from irsam_zoo.reports.html import to_html
from irsam_zoo.reports.latex import to_latex
from irsam_zoo.reports.markdown import to_markdown
from irsam_zoo.reports.significance import paired
from irsam_zoo.reports.table import build_table
from tests.reports.builders import counts_of, line_of, make_row


def table(stored, columns=("Pd",), **figures):
    rows = [make_row(method, metrics={"exact": dict(Pd=pd, Fa=0.0)}, auc=0.5 + pd / 4) for method, pd in figures.items()]
    return build_table(rows, columns=columns, counts=lambda row: stored.get(row.method))


def test_a_lead_of_one_image_is_not_real_and_one_of_half_of_them_is():
    stored = {"ipi": counts_of(31), "nram": counts_of(30), "ript": counts_of(10)}
    sections = table(stored, ipi=31 / 40, nram=30 / 40, ript=10 / 40)
    assert [line_of(sections, method).values["Pd"].lead for method in ("ipi", "nram", "ript")] == [False, True, None]
    markdown = to_markdown(sections, "exact")
    assert "**77.50** ≈" in markdown
    assert "<u>75.00</u> (" in markdown
    assert "≈ the lead over the next is not real at 95 %" in markdown
    latex = to_latex(sections, "exact")
    assert r"\textbf{77.50}$^{\approx}$" in latex
    assert r"\underline{75.00} &" in latex or r"\underline{75.00} \\" in latex
    assert r"not real at 95 \%" in latex
    assert '<span class="rank1">77.50</span> ≈' in to_html(sections, "exact")


def test_methods_of_one_printed_figure_share_a_rank_and_are_each_tested():
    stored = {"ipi": counts_of(30), "nram": counts_of(30), "ript": counts_of(29)}
    sections = table(stored, ipi=0.75, nram=0.7500001, ript=29 / 40)
    values = [line_of(sections, method).values["Pd"] for method in ("ipi", "nram", "ript")]
    assert [(value.rank, value.lead) for value in values] == [(1, False), (1, False), (2, None)]


def test_a_lead_by_the_luck_of_the_resamples_is_not_real():
    """Nine images that one finds and two that the other does: at 95 % it is for chance to say."""
    ours, theirs = counts_of(12), counts_of(0)
    for k in range(12, 16):
        theirs[k] |= dict(matched=1, intersection=4)
    sections = table({"ipi": ours, "nram": theirs}, ipi=12 / 40, nram=4 / 40)
    assert paired(ours, theirs, "exact", "Pd")["low"] > 0
    assert line_of(sections, "ipi").values["Pd"].lead is False


@pytest.mark.parametrize("stored", [{}, {"ipi": counts_of(31)}, {"ipi": counts_of(31), "nram": counts_of(30)[::-1]}])
def test_a_lead_that_cannot_be_tested_is_told(stored):
    sections = table(stored, ipi=31 / 40, nram=30 / 40)
    assert line_of(sections, "ipi").values["Pd"].lead is None
    assert "Leads in Pd were not tested." in to_markdown(sections, "exact")
    assert "Leads in Pd were not tested." in to_latex(sections, "exact")


def test_a_figure_that_is_not_made_of_counts_is_not_tested():
    sections = table({"ipi": counts_of(31), "nram": counts_of(1)}, columns=("Pd", "AUC"), ipi=31 / 40, nram=1 / 40)
    assert sections[0].untested == ["AUC"]
    assert line_of(sections, "ipi").values["Pd"].lead is True
