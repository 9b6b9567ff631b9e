"""Result folders of several machines in one."""

import json

import pytest

from irsam_zoo.results.files import write_atomic, write_json
from irsam_zoo.results.merge import merge_folders
from irsam_zoo.results.row import Status
from irsam_zoo.results.store import ResultStore
from irsam_zoo.zoo import UsageError, ZooError
from tests.results.builders import make_record, make_row

KEY = {"code": "1", "method": {"type": "m"}, "files": {}}


def folder(path, *rows):
    """A result folder with rows, their images a, b, ..., journals and a mask of each."""
    store = ResultStore(path)
    for row in rows:
        records = [make_record(id="abcdef"[k]) for k in range(row.n_images)]
        store.write_row(row, records)
        with store.journal(row.dataset, row.split, row.method).writer(row.journal_key, records):
            pass
        write_atomic(store.out / "predictions" / row.dataset / row.split / row.method / "a.png", b"mask")
    write_json(store.manifest_path, [{"command": path.name}])
    write_atomic(store.out / "report" / "d" / "s" / "m.md", "old")
    return store


def row(method="m", images=2, data="x", **changes):
    return make_row(**dict(method=method, n_images=images, n_split=2, key=KEY | {"data": data}) | changes)


def files(path):
    return sorted(str(p.relative_to(path)) for p in path.rglob("*") if p.is_file() and p.name != ".lock")


def test_all_that_is_filed_with_a_row_is_joined(tmp_path):
    folder(tmp_path / "a", row("m"), row("m.2"))
    folder(tmp_path / "b", row("n"), row("m", dataset="other", data="y"))
    assert merge_folders([tmp_path / "a", tmp_path / "b"], tmp_path / "c") == []
    merged = ResultStore(tmp_path / "c")
    assert {(row.dataset, row.method) for row in merged.rows()} == {("d", "m"), ("d", "m.2"), ("d", "n"), ("other", "m")}
    assert all(len(merged.records(row)) == len(merged.counts(row)) == 2 for row in merged.rows())
    assert "predictions/other/s/m/a.png" in files(merged.out)
    assert not any(name.startswith("report") for name in files(merged.out))
    assert [run["command"] for run in merged.manifests()] == ["a", "b"]
    assert len(files(merged.out)) == 4 * 5 + 1


def test_of_one_cell_the_row_of_most_images_is_taken_and_it_is_told(tmp_path):
    folder(tmp_path / "a", row(images=1, data="part", title="A"))
    folder(tmp_path / "b", row(title="B"))
    folder(tmp_path / "c", row(status=Status.FAILED, reason="no luck", title="C"))
    (first, second) = merge_folders([tmp_path / "a", tmp_path / "b", tmp_path / "c"], tmp_path / "out")
    assert [row.title for row in ResultStore(tmp_path / "out").rows()] == ["B"]
    assert "m.json (ok, 2 images) is taken" in first
    assert "a/results/d/s/m.json (ok, 1 images) is not" in first
    assert "c/results/d/s/m.json (failed, 2 images) is not" in second


def test_copies_of_one_row_are_no_news(tmp_path):
    for name in "ab":
        folder(tmp_path / name, row())
    assert merge_folders([tmp_path / "a", tmp_path / "b"], tmp_path / "c") == []


@pytest.mark.parametrize(
    "other",
    [row("n", data="y"), row("n", images=3, n_split=3), row("m", data="y")],
    ids=["other pixels", "another list", "other pixels of one cell"],
)
def test_rows_of_other_images_are_refused(tmp_path, other):
    folder(tmp_path / "a", row())
    folder(tmp_path / "b", other)
    with pytest.raises(ZooError, match=rf"b/.*/{other.method}\.json .* is of other images than .*a/.*/m\.json"):
        merge_folders([tmp_path / "a", tmp_path / "b"], tmp_path / "c")
    assert not (tmp_path / "c").exists()


def test_a_part_of_a_list_is_known_by_its_first_images(tmp_path):
    folder(tmp_path / "a", row())
    part = folder(tmp_path / "b", row("n", images=1, data="part"))
    merge_folders([tmp_path / "a", tmp_path / "b"], tmp_path / "c")
    part.write_row(row("n", images=1, data="part"), [make_record(id="b")])
    with pytest.raises(ZooError, match="other images"):
        merge_folders([tmp_path / "a", tmp_path / "b"], tmp_path / "d")


def test_rows_of_one_cell_that_were_made_in_two_ways_are_refused(tmp_path):
    folder(tmp_path / "a", row())
    folder(tmp_path / "b", row(key=KEY | {"code": "2", "data": "x"}))
    with pytest.raises(ZooError, match="differ in code; leave one of them out"):
        merge_folders([tmp_path / "a", tmp_path / "b"], tmp_path / "c")


def test_weights_are_the_same_wherever_they_lie(tmp_path):
    for name in "ab":
        method = {"type": "m", "checkpoint": f"/home/{name}/w.safetensors"}
        folder(tmp_path / name, row(key={"code": "1", "method": method, "files": {"checkpoint": "sha"}, "data": "x"}))
    merge_folders([tmp_path / "a", tmp_path / "b"], tmp_path / "c")
    other = {"code": "1", "method": {"type": "m", "checkpoint": "w"}, "files": {"checkpoint": "other"}, "data": "x"}
    folder(tmp_path / "d", row(key=other))
    with pytest.raises(ZooError, match="differ in files"):
        merge_folders([tmp_path / "a", tmp_path / "d"], tmp_path / "e")


def test_folders_without_results_and_one_that_has_some_already(tmp_path):
    folder(tmp_path / "a", row())
    with pytest.raises(UsageError, match=r"no results in .*nothing"):
        merge_folders([tmp_path / "a", tmp_path / "nothing"], tmp_path / "c")
    with pytest.raises(UsageError, match="holds results already"):
        merge_folders([tmp_path / "a"], tmp_path / "a")
    assert json.loads((tmp_path / "a" / "manifest.json").read_text()) == [{"command": "a"}]
