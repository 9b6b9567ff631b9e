"""Journals that were damaged, and those of other keys, images and versions."""

import json
from contextlib import suppress

import pytest

from irsam_zoo.results.checksum import checksum, summed
from irsam_zoo.results.journal import VERSION, Journal
from irsam_zoo.zoo import ZooError
from tests.results.builders import make_record

KEY = {"code": "1"}


@pytest.fixture
def journal(tmp_path):
    journal = Journal(tmp_path / "m")
    with journal.writer(KEY, [make_record(id=name) for name in "abc"]):
        pass
    return journal


@pytest.mark.parametrize(
    ("damage", "left"),
    [
        (lambda lines: [lines[0].replace(b"code", b"kode"), *lines[1:]], "abc"),
        (lambda lines: lines[1:], "abc"),
        (lambda lines: [*lines[:2], lines[2].replace(b'"union": 2', b'"union": 3'), *lines[3:]], "ac"),
        (lambda lines: [*lines[:2], lines[2][:30], *lines[3:]], "ac"),
        (lambda lines: [*lines[:2], b"\0" * 99, *lines[2:]], "abc"),
        (lambda lines: [*lines[:2], b"[" * 99_999, *lines[2:]], "abc"),
        (lambda lines: [*lines, lines[1]], "bca"),
    ],
)
def test_a_damaged_line_costs_one_image(journal, damage, left):
    path = journal.file(KEY)
    path.write_bytes(b"\n".join(damage(path.read_bytes().splitlines())) + b"\n")
    assert [record.id for record in journal.read_all(KEY)] == list(left)


def test_a_line_of_another_key_is_no_record(journal):
    with journal.writer({"code": "2"}, []):
        pass
    path = journal.file({"code": "2"})
    path.write_bytes(path.read_bytes() + b"\n".join(journal.file(KEY).read_bytes().splitlines()[1:]))
    assert journal.read_all({"code": "2"}) == []
    assert len(journal.read_all(KEY)) == 3


def test_images_of_one_name_are_told_by_their_pixels(journal):
    other = make_record(id="a", pixels="others")
    with journal.writer(KEY, journal.read_all(KEY)) as append:
        append(other)
    assert journal.read(KEY)["a"] == other
    assert {record.pixels for record in journal.read_all(KEY) if record.id == "a"} == {"1 2", "others"}


def test_records_that_are_made_anew_stay_until_their_successors_are_all_there(journal):
    old = journal.read_all(KEY)
    new = make_record(id="b", seconds=9.0)
    with suppress(KeyboardInterrupt), journal.writer(KEY, [old[0]], anew=True) as append:
        append(new)
        raise KeyboardInterrupt
    assert journal.read_all(KEY) == old
    assert journal.read_anew(KEY) == [old[0], new]
    with journal.writer(KEY, journal.read_anew(KEY), anew=True):
        pass
    assert journal.read_anew(KEY) is None
    assert journal.read(KEY) == {"a": old[0], "b": new, "c": old[2]}


def test_a_later_version_is_refused(journal):
    path = journal.file(KEY)
    _, *lines = path.read_text().splitlines(keepends=True)
    path.write_text(json.dumps(summed({"version": VERSION + 1, "key": KEY}, checksum(KEY))) + "\n" + "".join(lines))
    with pytest.raises(ZooError, match=f"version {VERSION + 1}, and this program knows {VERSION}"):
        journal.read(KEY)


def test_a_journal_of_the_first_version_is_read(tmp_path):
    lines = [{"key": KEY}, make_record(id="a").to_json(), make_record(id="b").to_json()]
    (tmp_path / "m.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert list(Journal(tmp_path / "m").read(KEY)) == ["a", "b"]
    assert Journal(tmp_path / "m").read({"code": "2"}) == {}
