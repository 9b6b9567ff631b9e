"""The result folder under kills, damage and a second run."""

import json

import pytest

from results.store import ResultStore, write_atomic, write_json
from zoo import ZooError


def test_atomic_write_leaves_the_old_file_when_it_fails(tmp_path):
    path = tmp_path / "row.json"
    write_json(path, {"a": 1})
    with pytest.raises(ValueError, match="nan"):
        write_json(path, {"a": float("nan")})
    assert json.loads(path.read_text()) == {"a": 1}
    with pytest.raises(TypeError):
        write_atomic(path, 3)
    assert [p.name for p in tmp_path.iterdir()] == ["row.json"]


def test_journal_keeps_what_was_written_before_a_cut(tmp_path):
    journal = ResultStore(tmp_path).journal("d", "s", "m")
    with journal.writer({"code": "1"}, []) as append:
        append({"id": "a", "x": 1})
        append({"id": "b", "x": 2})
    whole = journal.path.read_text()
    journal.path.write_text(whole[:-4])  # a kill in the middle of the last line
    assert journal.read({"code": "1"}) == {"a": {"id": "a", "x": 1}}
    with journal.writer({"code": "1"}, journal.read({"code": "1"}).values()) as append:
        append({"id": "b", "x": 2})
    assert journal.path.read_text() == whole


def test_journal_of_other_code_is_not_used(tmp_path):
    journal = ResultStore(tmp_path).journal("d", "s", "m")
    with journal.writer({"code": "1"}, [{"id": "a"}]):
        pass
    assert journal.read({"code": "2"}) == {}
    journal.path.write_text("not json")
    assert journal.read({"code": "1"}) == {}


def test_second_run_in_the_same_folder_is_refused(tmp_path):
    with (
        ResultStore(tmp_path).locked(),
        pytest.raises(ZooError, match="another run is writing"),
        ResultStore(tmp_path).locked(),
    ):
        pass
    with ResultStore(tmp_path).locked():
        pass


def test_damaged_row_names_the_file(tmp_path):
    store = ResultStore(tmp_path)
    path = store.row_path("d", "s", "m")
    write_atomic(path, "{")
    with pytest.raises(ZooError, match=r"m\.json is not a result row"):
        store.rows()
