"""Which figures are written, which are left out and why, by the command and by the function."""

import re
import shutil
from dataclasses import replace
from itertools import pairwise

import pytest
from matplotlib.text import Text

from irsam_zoo import ROOT
from irsam_zoo.commands import door
from irsam_zoo.metrics import compute_metrics
from irsam_zoo.reports.figures import FIGURES
from irsam_zoo.reports.figures.figure import ReportFigure
from irsam_zoo.reports.figures.left import Left
from irsam_zoo.reports.figures.style import (
    COLUMN,
    PAGE,
    SMALL,
    canvas,
    encoded,
    log_ticks,
    look,
    styled,
)
from irsam_zoo.reports.figures.write import draw_figures, figure_names
from irsam_zoo.reports.row_files import RowFiles
from irsam_zoo.results.recut import recut_rows
from irsam_zoo.results.row import Status, WeightsFacts
from irsam_zoo.zoo import UsageError, build_threshold
from tests.reports.figures.conftest import drawing

OF_A_SET = {"detections", "hiou_errors", "paired", "pd_fa", "precision_recall", "roc", "speed", "strata"}
TABLES = dict.fromkeys(("roc", "pd_fa", "precision_recall"), ("_points.csv", "_methods.csv"))
PAGE_ON_FIGURES = ROOT / "docs" / "figures.md"


def drawn(store, **options):
    """Names of the figures that were drawn, and the lines that were told."""
    told = []
    files = draw_figures(store.rows(), store, tell=told.append, **options)
    return [re.fullmatch(r"figures/(\w+)_scenes_irsam\.png", path)[1] for path in files if path.endswith("png")], told


def report(store, *more):
    return door.main(["report", "--out", str(store.out), *map(str, more)])


def test_a_report_writes_all_that_can_be_drawn(store, capsys):
    assert report(store) == 0
    folder = store.out / "report" / "figures"
    assert {path.name for path in folder.iterdir()} == {
        f"{name}_scenes_irsam{end}" for name in OF_A_SET for end in (".pdf", ".png", *TABLES.get(name, [".csv"]))
    }
    shown = capsys.readouterr()
    assert str(folder / "roc_scenes_irsam.png") in shown.out.splitlines()
    lines = shown.err.splitlines()
    assert len(lines) == 3
    reason = "no saved score maps; run the benchmark again with --save-scores"
    assert lines[1] == f"figure surfaces_scenes_irsam is left out: greedy, sharp, shy: {reason}"
    assert all("is left out: greedy, sharp, shy: no weights" in line for line in lines[::2])


def test_a_folder_of_rows_alone_says_so_once_a_figure(store):
    shutil.rmtree(store.out / "journal")
    names, told = drawn(store, names=["roc", "strata"])
    assert names == ["roc"]
    reason = f"{store.out} has rows alone, and no journal of single images"
    assert told == [f"figure strata_scenes_irsam is left out: greedy, sharp, shy: {reason}"]


def test_figures_that_lack_the_same_are_one_line(store):
    shutil.rmtree(store.out / "journal")
    names = ["detections", "hiou_errors", "paired", "strata", "surfaces"]
    _, told = drawn(store, names=names)
    places = ", ".join(f"{name}_scenes_irsam" for name in names)
    assert told == [f"figures {places} are left out: {store.out} has rows alone, and no journal of single images"]


def test_many_methods_and_reasons_are_told_by_the_first():
    left = Left()
    left.rows("roc", "roc_a", 2, {f"reason {k}": [f"m{k}{n}" for n in range(9)] for k in range(9)})
    left.out("roc", "roc_b", 2, "no luck", {}, nothing=False)
    without, out = left.lines()
    assert without.startswith("figure roc_a, without m00, m01, m02, m03, m04 and 4 more: reason 0; m10")
    assert without.endswith("reason 2; 6 more reasons")
    assert out == "figure roc_b is left out: no luck"


def test_a_figure_that_lacks_the_same_everywhere_is_named_alone():
    left = Left()
    for name, places in ("roc", "ab"), ("strata", "ab"), ("speed", "a"):
        for place in places:
            left.out(name, f"{name}_{place}", 2, "few", {"no journal": ["ipi"]}, nothing=True)
    assert list(left.lines()) == ["figures roc, strata, speed_a are left out: no journal"]


@pytest.mark.parametrize(
    ("limits", "wanted"),
    [((0.02, 300), None), ((1.5, 9), ["2", "5"]), ((11, 60), ["20", "50"]), ((30.2, 38), ["32", "34", "36", "38"])],
)
def test_ticks_of_a_logarithmic_axis_are_apart(limits, wanted):
    _, axes = canvas(COLUMN, 2)
    axes.set(xscale="log", xlim=limits)
    log_ticks(axes.xaxis)
    axes.figure.draw_without_rendering()
    labels = [label for label in axes.get_xticklabels(which="both") if label.get_text()]
    boxes = [label.get_window_extent() for label in labels if limits[0] <= label.get_position()[0] <= limits[1]]
    assert len(boxes) >= 2
    assert all(one.x1 < other.x0 for one, other in pairwise(sorted(boxes, key=lambda box: box.x0)))
    assert wanted is None or [label.get_text() for label in labels] == wanted


def test_small_print_names_few_networks(material):
    def note(number, others=()):
        schedules = [*["budget"] * number, *others]
        rows = [replace(material.rows[0], method=f"m{k}") for k in range(len(schedules))]
        lines = {}
        for row, schedule in zip(rows, schedules, strict=True):
            weights = WeightsFacts(file="f", sha256="s", dataset="x", split="irsam", schedule=schedule)
            line = replace(next(iter(material.lines.values())), title=row.method.upper(), row=replace(row, weights=weights))
            lines[row.dataset, row.split, row.method] = line
        return replace(material, rows=tuple(rows), lines=lines).note

    assert "trained by schedule budget: all networks" in note(2)
    assert "trained by schedule budget: M0, M1" in note(2, ["paper"])
    assert "trained by schedule budget: 12 of 13 networks" in note(12, ["paper"])


def test_figures_are_picked_by_name(store, capsys):
    assert report(store, "--figures", "none") == 0
    assert not (store.out / "report" / "figures").exists()
    assert report(store, "--figures", "pd_fa", "roc") == 0
    assert len(list((store.out / "report" / "figures").glob("*.p*"))) == 4
    (store.out / "report" / "table1.md").unlink()
    assert report(store, "--figures", "rok") == 2
    assert "unknown figure 'rok'; did you mean roc?" in capsys.readouterr().err
    assert not (store.out / "report" / "table1.md").exists()  # nothing is done before it is told


def test_figures_that_are_not_drawn_any_more_are_removed(store):
    folder = store.out / "report" / "figures"
    assert report(store, "--figures", "paired", "roc") == 0
    (folder / "roc_notes.txt").write_text("mine")
    for method in ("shy", "greedy"):
        store.row_path("scenes", "irsam", method).unlink()
    assert report(store, "--figures", "paired") == 0
    files = (".pdf", ".png", *TABLES["roc"])
    assert {path.name for path in folder.iterdir()} == {*(f"roc_scenes_irsam{end}" for end in files), "roc_notes.txt"}


def test_the_page_shows_the_figures(store):
    assert report(store, "--figures", "roc") == 0
    text = (store.out / "report" / "index.html").read_text(encoding="utf-8")
    assert "roc scenes irsam" in text
    assert FIGURES.module_dict["roc"].caption in text


def test_a_figure_from_outside_is_one_file(store, tmp_path):
    (code,) = re.findall(r"```python\n(.*?)```", PAGE_ON_FIGURES.read_text(encoding="utf-8"), re.DOTALL)
    plugin = tmp_path / "sizes.py"
    plugin.write_text(code, encoding="utf-8")
    try:
        assert report(store, "--plugin", plugin, "--figures", "sizes") == 0
        assert "sizes" in figure_names()
    finally:
        FIGURES.module_dict.pop("sizes")
    pdf, png, table = (store.out / "report" / "figures" / f"sizes_scenes_irsam.{ending}" for ending in ("pdf", "png", "csv"))
    assert table.read_text() == "px\n" + "9\n20\n" * 3 + "9\n"
    assert pdf.read_bytes().startswith(b"%PDF")
    assert b"Sizes of the targets, in px." in png.read_bytes()


def test_images_that_were_not_scored_are_told(store):
    figures, told = drawn(store, names=["detections"], images=["im2", "im7"])
    assert (figures, told) == (["detections"], ["no image im7 was scored"])


def test_one_bad_figure_takes_no_other_along(store, monkeypatch):
    monkeypatch.setattr(FIGURES.module_dict["roc"], "draw", lambda self, data, material: 1 / 0)
    figures, told = drawn(store, names=["roc", "pd_fa"])
    assert figures == ["pd_fa"]
    assert told == ["figure roc_scenes_irsam is left out: ZeroDivisionError: division by zero"]


def test_a_figure_that_does_not_draw_is_left_out(store, monkeypatch):
    monkeypatch.setitem(FIGURES.module_dict, "blank", type("Blank", (ReportFigure,), {}))
    names, (line,) = drawn(store, names=["roc", "blank"])
    assert names == ["roc"]
    assert line.startswith("figure blank_scenes_irsam is left out: TypeError: ")
    assert "draw" in line


def test_rows_without_what_a_figure_needs_are_named_and_left_out(store):
    row = store.row("scenes", "irsam", "shy")
    shutil.rmtree(store.journal("scenes", "irsam", "shy").path)
    store.write_row(replace(row, speed=None), [])
    figures, told = drawn(store, names=["paired", "roc", "speed"])
    assert figures == ["paired", "roc", "speed"]
    assert [line.partition(":")[0] for line in told] == [
        "figure paired_scenes_irsam, without shy",
        "figure speed_scenes_irsam, without shy",
    ]


def test_two_rows_make_a_comparison(store):
    for method in ("shy", "greedy"):
        store.row_path("scenes", "irsam", method).unlink()
    figures, told = drawn(store, names=["paired"])
    assert (figures, told) == ([], ["figure paired_scenes_irsam is left out: it takes 2 rows"])


def test_rows_over_other_images_and_failed_ones_are_told_once(store):
    row = store.row("scenes", "irsam", "shy")
    store.write_row(replace(row, key=row.key | {"data": "other"}), [])
    failed = replace(store.row("scenes", "irsam", "sharp"), status=Status.FAILED, reason="no luck")
    store.write_row(failed, [])
    figures, told = drawn(store, names=["roc", "pd_fa"])
    assert figures == ["roc", "pd_fa"]
    assert told == [
        "figures of scenes (irsam), without sharp: failed",
        "figures of scenes (irsam), without shy: other images than most rows",
    ]


def test_a_cut_that_was_chosen_later_has_no_masks(store, capsys):
    assert report(store, "--threshold", "minmax(0.5)", "--figures", "detections", "strata", "hiou_errors", "paired") == 0
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 3
    assert all("chosen after scoring" in line for line in lines)
    assert [path.name for path in (store.out / "report" / "figures").glob("*.png")] == ["paired_scenes_irsam.png"]


def test_counts_are_those_of_the_rows_own_cut(store):
    for row in recut_rows(store.rows(), store, build_threshold("minmax(0.2)")):
        assert compute_metrics(RowFiles(store).counts(row))["IoU"] == row.metrics["exact"]["IoU"]


@pytest.mark.parametrize("name", sorted(OF_A_SET))
def test_letters_are_large_enough_and_inside_the_figure(material, name):
    """With eighteen methods of long names, too."""
    rows = [replace(row, method=f"{row.method}{copy}") for row in material.rows for copy in range(6)]
    lines = {(*place, f"{method}{copy}"): replace(line, title=f"A method of a long name {copy}")
             for (*place, method), line in material.lines.items() for copy in range(6)}  # fmt: skip
    with styled():
        many = replace(
            material, lines=lines, rows=tuple(rows), methods=tuple(row.method for row in rows), stored=Same(material)
        )
        figure = drawing(FIGURES.module_dict[name](), many)
        figure.draw_without_rendering()
        assert figure.get_figwidth() <= PAGE
        assert all(text.get_fontsize() >= SMALL for text in figure.findobj(Text) if text.get_text())
        page, frames = figure.bbox.padded(0.5), [axes.get_tightbbox() for axes in figure.axes]
        for extent in (*frames, *(artist.get_window_extent() for artist in (*figure.texts, *figure.legends))):
            assert page.x0 <= extent.x0 <= extent.x1 <= page.x1
            assert page.y0 <= extent.y0 <= extent.y1 <= page.y1
        for below in (*figure.texts, *figure.legends):
            assert not any(below.get_window_extent().overlaps(frame) for frame in frames)


class Same:
    """What is stored behind copies of rows."""

    def __init__(self, material):
        self.material = material

    def __getattr__(self, name):
        return lambda row, *more: getattr(self.material.stored, name)(
            replace(row, method=row.method.rstrip("0123456789")), *more
        )


def test_the_same_figure_is_the_same_bytes(material):
    figures = []
    for _ in range(2):
        with styled():
            figures.append(encoded(drawing(FIGURES.module_dict["roc"](), material), "roc", "A caption."))
    assert figures[0] == figures[1]


def test_thirty_five_methods_look_different():
    looks = [look(place) for place in range(35)]
    assert len({(one["color"], str(one["linestyle"])) for one in looks}) == 35
    assert len({(one["color"], one["marker"]) for one in looks}) == 35


def test_unknown_figures_are_named():
    with pytest.raises(UsageError, match="unknown figure 'pd-fa'; did you mean pd_fa"):
        figure_names(["pd-fa"])


def test_the_page_lists_every_figure():
    listed = re.findall(r"^\| (`.*?`) \|", PAGE_ON_FIGURES.read_text(encoding="utf-8"), re.MULTILINE)
    assert sorted(", ".join(listed).replace("`", "").split(", ")) == figure_names()
