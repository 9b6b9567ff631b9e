"""Result folders that were damaged or edited, or come from strangers."""

import csv
import io
import json
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from irsam_zoo.commands import door
from irsam_zoo.reports.csv_table import to_csv
from irsam_zoo.reports.html import to_html
from irsam_zoo.reports.latex import to_latex
from irsam_zoo.reports.markdown import to_markdown
from irsam_zoo.reports.table import build_table
from irsam_zoo.results.csv_text import plain_text, safe_text
from irsam_zoo.results.journal import Journal
from irsam_zoo.results.record import ImageRecord
from irsam_zoo.results.row import Row
from irsam_zoo.results.store import ResultStore
from irsam_zoo.zoo.errors import ZooError, visible
from tests.results.builders import FULL, make_record, make_row

pytestmark = pytest.mark.faults
KEY = {"code": "1"}
RECORDS = [make_record(id=f"im{number}", pixels=str(number)) for number in range(6)]
EXAMPLES = settings(max_examples=250, deadline=None, suppress_health_check=list(HealthCheck))
HOSTILE = [
    "=HYPERLINK(\"http://x\",\"y\")", "+1+1", "-2+3", "@SUM(A1)", "\t=1", "\r=1", "'=1", "-1.5", "a\nb", "a\r\n\\end{table*}",
    "\\input{/etc/passwd}", "$x$ % & # _ ~ ^ { } \\", "<script>alert(1)</script>", "<img src=x onerror=alert(1)>",
    "[x](javascript:alert(1))", "![x](http://x/y.png)", "a|b", "`a`", "\x1b[2J\x1b]0;x\x07", "\x9b31m", "\u202egnp.exe", "a\0b",
    "{{ 7*7 }}", "{% raw %}",
]  # fmt: skip


@pytest.fixture(scope="module")
def journal(tmp_path_factory):
    journal = Journal(tmp_path_factory.mktemp("journal") / "m")
    with journal.writer(KEY, RECORDS):
        pass
    return journal, journal.file(KEY).read_bytes()


def lost(journal):
    """How many of the records are gone; those that are left are what was written."""
    found = journal.read(KEY)
    assert all(record in RECORDS for record in found.values())
    return len(RECORDS) - len(found)


@EXAMPLES
@given(place=st.integers(0, 2**31), bit=st.integers(0, 7))
def test_a_flipped_bit_costs_one_image(journal, tried, place, bit):
    """Two where it is the end of a line that is flipped."""
    journal, whole = journal
    tried("flipped bit of a journal")
    data = bytearray(whole)
    place %= len(data)
    data[place] ^= 1 << bit
    journal.file(KEY).write_bytes(data)
    assert lost(journal) <= (2 if whole[place : place + 1] == b"\n" else 1)


@EXAMPLES
@given(
    number=st.integers(0, 6),
    kind=st.sampled_from(["cut", "doubled", "gone", "zeros", "moved", "junk"]),
    data=st.data(),
)
def test_a_damaged_line_costs_one_image(journal, tried, number, kind, data):
    journal, whole = journal
    tried(f"line of a journal {kind}")
    lines = whole.splitlines(keepends=True)
    line = lines[number]
    cut = data.draw(st.integers(1, len(line) - 1))
    lines[number : number + 1] = {
        "cut": [line[:cut] + b"\n"],
        "doubled": [line, line],
        "gone": [],
        "zeros": [b"\0" * len(line) + b"\n"],
        "moved": [],
        "junk": [data.draw(st.binary()).replace(b"\n", b"") + b"\n", line],
    }[kind]
    if kind == "moved" and number:
        lines.append(line)
    journal.file(KEY).write_bytes(b"".join(lines))
    assert lost(journal) <= (kind in ("cut", "gone", "zeros"))


@EXAMPLES
@given(end=st.integers(0, 2**31), tail=st.binary(max_size=40))
def test_a_journal_cut_by_a_kill_is_read_to_there_and_mended(journal, tried, end, tail):
    journal, whole = journal
    tried("cut journal")
    end %= len(whole)
    journal.file(KEY).write_bytes(whole[:end] + tail)
    kept = journal.read(KEY)
    assert all(record in RECORDS for record in kept.values())
    assert len(kept) >= whole[:end].count(b"\n") - 1
    with journal.writer(KEY, kept.values()) as append:
        for record in RECORDS:
            if record.id not in kept:
                append(record)
    assert lost(journal) == 0


def numbers(value):
    """The places of all numbers and texts in plain data."""
    for key, inner in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        if isinstance(inner, (dict, list)):
            yield from ((key, *rest) for rest in numbers(inner))
        elif not isinstance(inner, bool):
            yield (key,)


@EXAMPLES
@given(data=st.data(), figure=st.one_of(st.floats(allow_nan=False, allow_infinity=False), st.integers(0, 10**9), st.text()))
def test_an_edited_row_is_refused(tmp_path_factory, tried, data, figure):
    store = ResultStore(tmp_path_factory.mktemp("row"))
    store.write_row(make_row(metrics={"exact": {"IoU": 0.5, "Pd": 0.25}}, **FULL), [make_record(id="a"), make_record(id="b")])
    path = store.row_path("d", "s", "m")
    tree = json.loads(path.read_text())
    place = data.draw(st.sampled_from([p for p in numbers(tree) if p[0] != "version"]))
    inner = tree
    for key in place[:-1]:
        inner = inner[key]
    if inner[place[-1]] == figure:
        return
    inner[place[-1]] = figure
    tried("edited row")
    path.write_text(json.dumps(tree))
    told = []
    assert store.rows(told.append) == []
    assert len(told) == 1
    assert "\n" not in told[0]
    assert str(path) in told[0]


@EXAMPLES
@given(place=st.integers(0, 2**31), bit=st.integers(0, 7), which=st.sampled_from(["row", "images", "times", "manifest"]))
def test_a_flipped_bit_of_a_result_is_no_other_result(tmp_path_factory, tried, place, bit, which):
    store = ResultStore(tmp_path_factory.mktemp("row"))
    records = [make_record(id="a"), make_record(id="b")]
    row = store.write_row(make_row(**FULL), records)
    store.add_manifest({"command": "x"})
    path = store.row_path("d", "s", "m")
    path = {"row": path, "images": path.with_suffix(".csv"), "times": store.times_path("d", "s", "m"),
            "manifest": store.manifest_path}[which]  # fmt: skip
    data = bytearray(path.read_bytes())
    data[place % len(data)] ^= 1 << bit
    path.write_bytes(data)
    tried(f"flipped bit: {which}")
    rows = store.rows(lambda line: None)
    assert [replace(found, speed=None) for found in rows] in ([replace(row, speed=None)], [])
    assert all(found.speed in (row.speed, None) for found in rows)
    if rows and which == "images":
        with pytest.raises(ZooError, match="run this cell again"):
            store.counts(row)
    store.add_manifest({"command": "y"})
    kept = b"".join(p.read_bytes() for p in store.out.glob("manifest*.json"))
    assert b'"y"' in kept
    assert which != "manifest" or len(kept) >= len(data), "history was lost"


@EXAMPLES
@given(junk=st.one_of(st.binary(), st.sampled_from([b"", b"null", b"[]", b"{}", b"[[[" * 5000, b"1e999", b'{"version": 99}'])))
def test_an_odd_row_or_manifest_costs_itself_alone(tmp_path_factory, tried, junk):
    store = ResultStore(tmp_path_factory.mktemp("odd"))
    row = store.write_row(make_row(n_images=1), [make_record(id="a")])
    store.row_path("d", "s", "odd").write_bytes(junk)
    store.manifest_path.write_bytes(junk)
    tried("odd row and manifest")
    told = []
    assert store.rows(told.append) == [row]
    assert len(told) == 1
    store.add_manifest({"command": "y"})
    assert {"command": "y"} in store.manifests()
    assert json.loads(store.manifest_path.read_text()) == [{"command": "y"}] or junk.strip() == b"[]"


def test_a_newer_version_of_each_format_is_one_line(tmp_path, tried, capsys):
    store = ResultStore(tmp_path)
    store.write_row(make_row(n_images=1), [make_record(id="a")])
    path = store.row_path("d", "s", "m")
    path.write_text(path.read_text().replace('"version": 2', '"version": 3'))
    tried("newer version")
    assert door.main(["report", "--out", str(tmp_path), "--figures", "none"]) == 2
    error = capsys.readouterr().err
    assert "version 3 of its form; this program knows 2" in error
    assert "Traceback" not in error


TEXT = st.one_of(
    st.sampled_from(HOSTILE), st.text(min_size=1), st.text(alphabet="=+-@\t\r'\n|<>[]()`\\{}%$&\x1b\0a1", min_size=1)
)


@EXAMPLES
@given(text=TEXT)
def test_a_cell_of_csv_is_no_formula_and_comes_back(tried, text):
    tried("text in a CSV cell")
    shown = safe_text(text)
    assert plain_text(shown) == text
    assert shown[0] not in "=+@\t\r"
    assert shown[0] != "-" or float(shown) <= 0


@EXAMPLES
@given(text=TEXT)
def test_texts_break_no_table(tried, text):
    """A title, a reason, a note and a name of a data set and of its split, as rows of strangers may have them."""
    tried("text in the tables")
    odd = dict(title=text, reason=text, data_notes=(text,), notes={text: 1}, threshold=text)
    rows = [make_row(method="a", dataset=text, split=text, metrics={"exact": {"IoU": 0.5}}, **odd)]
    rows.append(
        make_row(method="b", dataset=text, split=text, n_images=0, **{"status": "failed", "title": text, "reason": text})
    )
    sections = build_table(rows)
    plain = build_table(
        [
            replace(r, title="t", reason="r", data_notes=("n",), notes={"n": 1}, threshold="p", dataset="d", split="s")
            for r in rows
        ]
    )
    latex, clean = to_latex(sections, "exact"), to_latex(plain, "exact")
    assert latex.count("\n") == clean.count("\n")
    assert latex.count(r"\end{") == clean.count(r"\end{")
    assert r"\input" not in latex
    markdown, clean = to_markdown(sections, "exact"), to_markdown(plain, "exact")
    assert markdown.count("\n") == clean.count("\n")
    assert "<script" not in markdown
    assert "<img" not in markdown
    assert "](" not in markdown
    html = to_html(sections, "exact")
    assert "<script>alert" not in html
    assert "<img" not in html
    for line in csv.DictReader(io.StringIO(to_csv(sections, "exact"), newline="")):
        for cell in line.values():
            assert cell is None or not cell or cell[0] not in "=+@\t\r"
    for output in (latex, markdown):
        assert all(letter.isprintable() or letter == "\n" for letter in output)
    assert visible(text).isprintable()


@EXAMPLES
@given(
    record=st.builds(
        make_record, id=st.text(), pixels=st.text(), notes=st.lists(st.text()).map(tuple), saved=st.none() | st.text(),
        seconds=st.none() | st.floats(allow_nan=False, allow_infinity=False),
    ),
    title=st.text(), figure=st.none() | st.floats(-1e15, 1e15),
)  # fmt: skip
def test_records_and_rows_come_back_as_they_were(tmp_path_factory, tried, record, title, figure):
    tried("round trip", 2)
    assert ImageRecord.from_json(json.loads(json.dumps(record.to_json()))) == record
    row = make_row(title=title, metrics={"exact": {"IoU": figure}}, data_notes=(title,))
    assert Row.from_json(json.loads(json.dumps(row.to_json()))) == row
    journal = Journal(tmp_path_factory.mktemp("trip") / "m")
    with journal.writer(KEY, [record]):
        pass
    assert journal.read_all(KEY) == [record]
