"""Which of a network's rows a table shows."""

import pytest

from irsam_zoo.commands import door
from irsam_zoo.reports.stand_in import ALONE, JOINT, KINDS, OTHER, chosen_rows, training_of
from irsam_zoo.reports.table import build_table
from irsam_zoo.reports.table_line import MARKS
from irsam_zoo.results.row import Status
from irsam_zoo.results.store import ResultStore
from tests.reports.builders import line_of, make_row, printed, row_of, speed

SIRST3 = dict(dataset="sirst3", datasets=("irstd-1k", "nuaa-sirst"))


@pytest.mark.parametrize(
    ("weights", "changes", "kind"),
    [
        ({}, {}, ALONE),
        (SIRST3, {}, JOINT),
        (SIRST3, {"dataset": "nudt-sirst"}, OTHER),  # of a union that does not hold the set
        ({}, {"dataset": "nudt-sirst"}, OTHER),
        ({}, {"split": "dnanet"}, OTHER),
        ({"in_stages": True}, {}, OTHER),  # what it began with may have been trained on more
        ({"training_images_known": False}, {}, OTHER),
        ({}, {"trained_on_test": 3}, OTHER),
    ],
)
def test_what_weights_were_trained_on_is_what_their_header_says(weights, changes, kind):
    assert training_of(row_of(weights=weights, **changes)) == kind


def test_a_method_without_weights_has_no_kind():
    assert training_of(make_row("top_hat")) is None


@pytest.mark.parametrize("iou", [0.1, 0.9])
def test_weights_of_the_set_alone_come_first_whatever_their_figures(iou):
    joint, alone = row_of(iou=0.5, weights=SIRST3), row_of("acmnet_alone", iou, speed=None)
    shown = chosen_rows([joint], [alone], KINDS, ["acmnet"])
    assert list(shown) == ["acmnet"]
    assert (shown["acmnet"].method, shown["acmnet"].title, shown["acmnet"].speed) == ("acmnet_alone", "ACMNet", speed(12.5))
    assert chosen_rows([joint], [alone], [JOINT], ["acmnet"]) == {"acmnet": joint}


@pytest.mark.parametrize(
    "beside",
    [
        row_of("acmnet_alone", options={"blocks": 3}),  # another network
        row_of("acmnet_alone", weights={"publisher": "somebody"}),
        row_of("acmnet_alone", n_images=3),
        row_of("acmnet_alone", status=Status.FAILED),
        row_of("acmnet_alone", weights={"dataset": "nudt-sirst"}),
    ],
)
def test_what_does_not_take_the_place_of_a_row(beside):
    joint = row_of(weights=SIRST3)
    assert chosen_rows([joint], [beside], KINDS, ["acmnet"]) == {"acmnet": joint}


def test_a_row_stands_in_one_line_alone():
    joint = [row_of(name, weights=SIRST3) for name in ("acmnet", "acmnet_seed1")]
    for name in ("acmnet", "acmnet_alone"):
        shown = chosen_rows(joint, [row_of(name, options={"checkpoint": "b.pth"})], KINDS, ["acmnet"])
        assert training_of(shown["acmnet"]) == ALONE
        assert shown["acmnet_seed1"] is joint[1]


def test_a_row_of_the_same_name_fills_a_line_that_has_none():
    alone = row_of()
    assert chosen_rows([], [alone, row_of("other")], KINDS, ["acmnet"]) == {"acmnet": alone}


def test_rows_of_another_folder_stand_in_and_both_kinds_are_marked_in_every_format(tmp_path):
    ours, theirs = tmp_path / "joint", tmp_path / "alone"
    for folder, rows in (
        (ours, [row_of(weights=SIRST3), row_of("mdvsfa", options={"type": "mdvsfa"}, weights=SIRST3)]),
        (theirs, [row_of(iou=0.25)]),
    ):
        for row in rows:
            ResultStore(folder).write_row(row, [])
    arguments = ["report", "--out", str(ours), "--figures", "none", "--beside", str(theirs)]
    assert door.main(arguments) == 0
    texts = {end: (ours / "report" / f"table1.{end}").read_text(encoding="utf-8") for end in ("md", "tex", "html", "csv")}
    assert "| ACMNet <sup>A</sup> |" in texts["md"]
    assert "| MDvsFA <sup>J</sup> |" in texts["md"]
    assert "ACMNet$^{A}$" in texts["tex"]
    assert "MDvsFA <sup>J</sup>" in texts["html"]
    for letter in "AJ":
        assert all(MARKS[letter].split("'")[0] in texts[end] for end in ("md", "tex", "html"))
    assert ",25.0," in texts["csv"]
    assert texts["csv"].splitlines()[0].endswith(",trained_on")
    assert door.main([*arguments, "--table", "joint"]) == 0
    assert "| ACMNet <sup>J</sup> |" in (ours / "report" / "table1.md").read_text(encoding="utf-8")
    assert door.main([*arguments[:-1], str(tmp_path / "none")]) == 2


def test_published_figures_of_joint_weights_are_marked_where_no_row_is():
    sections = build_table([make_row("top_hat", split="dnanet")], table="joint")
    line = line_of(sections, "sctransnet")
    assert (line.marks, printed(line.values["IoU"])) == ("JN", "77.50")
