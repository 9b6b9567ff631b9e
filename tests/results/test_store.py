"""The result folder under kills, damage and a second run."""

import errno
import json
import subprocess
import sys
from pathlib import Path

import pytest

from irsam_zoo.results.checksum import summed
from irsam_zoo.results.files import write_atomic, write_json
from irsam_zoo.results.row import Speed, Status
from irsam_zoo.results.store import ResultStore
from irsam_zoo.zoo import ZooError
from tests.results.builders import make_record, make_row

ROOT = Path(__file__).parents[2]


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
        append(make_record(id="a"))
        append(make_record(id="b"))
    path = journal.file({"code": "1"})
    whole = path.read_text()
    path.write_text(whole[:-4])  # a kill in the middle of the last line
    assert journal.read({"code": "1"}) == {"a": make_record(id="a")}
    with journal.writer({"code": "1"}, journal.read({"code": "1"}).values()) as append:
        append(make_record(id="b"))
    assert path.read_text() == whole


def test_journal_of_other_code_is_not_used(tmp_path):
    journal = ResultStore(tmp_path).journal("d", "s", "m")
    with journal.writer({"code": "1"}, [make_record(id="a")]):
        pass
    assert journal.read({"code": "2"}) == {}
    with journal.writer({"code": "2"}, []):
        pass
    assert journal.read({"code": "1"}) == {"a": make_record(id="a")}
    journal.file({"code": "1"}).write_text("not json")
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


def test_a_lock_ends_with_its_process(tmp_path):
    """However that ends: here by a signal that cannot be caught."""
    code = (
        "import sys, time\nfrom irsam_zoo.results.store import ResultStore\n"
        "with ResultStore(sys.argv[1]).locked():\n    print(flush=True)\n    time.sleep(60)\n"
    )
    process = subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], cwd=ROOT, stdout=subprocess.PIPE)
    process.stdout.readline()
    with pytest.raises(ZooError, match="another run is writing"), ResultStore(tmp_path).locked():
        pass
    process.kill()
    process.wait()
    process.stdout.close()
    with ResultStore(tmp_path).locked():
        pass


@pytest.mark.parametrize("kind", ["symlink_to", "hardlink_to"])
def test_a_lock_that_is_a_link_leaves_its_target_alone(tmp_path, kind):
    target = tmp_path / "thesis.tex"
    target.write_text("years of work")
    getattr(tmp_path / ".lock", kind)(target)
    with pytest.raises(ZooError, match=r"\.lock is not the lock of a run"), ResultStore(tmp_path).locked():
        pass
    assert target.read_text() == "years of work"


def test_a_link_to_nothing_is_not_followed(tmp_path):
    (tmp_path / ".lock").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ZooError, match="is not the lock"), ResultStore(tmp_path).locked():
        pass
    assert not (tmp_path / "elsewhere").exists()


def test_a_row_of_fewer_images_takes_no_place(tmp_path):
    store = ResultStore(tmp_path)
    good = store.write_row(make_row(n_images=2), [make_record(id="a"), make_record(id="b")])
    for number, status in ((1, Status.OK), (0, Status.FAILED)):
        told = store.write_row(make_row(n_images=number, status=status), [make_record(id="a")] * number)
        assert told.status is (Status.INCOMPLETE if number else Status.FAILED)
        assert "the stored row of 2 images stays" in told.reason
        assert store.rows() == [good]
        assert json.loads((tmp_path / "fewer" / "d" / "s" / "m.json").read_text())["n_images"] == number
    assert len(store.counts(good)) == 2
    other = store.write_row(make_row(n_images=2, title="Another"), [make_record(id="a"), make_record(id="c")])
    assert store.rows() == [other]


def test_a_row_that_cannot_be_written_leaves_the_one_before(tmp_path, monkeypatch):
    store = ResultStore(tmp_path)
    good = store.write_row(make_row(n_images=1), [make_record(id="a")])
    write = Path.write_bytes

    def full(path, data):
        if ".json." in path.name:
            raise OSError(errno.EFBIG, "File too large")
        return write(path, data)

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(OSError, match=r"results/d/s/m\.json"):
        store.write_row(make_row(n_images=2), [make_record(id="a"), make_record(id="b")])
    assert store.rows() == [good]
    assert len(store.counts(good)) == 1
    assert not list(tmp_path.rglob("*.part"))


def test_damaged_row_names_the_file(tmp_path):
    store = ResultStore(tmp_path)
    path = store.row_path("d", "s", "m")
    write_atomic(path, "{")
    with pytest.raises(ZooError, match=r"m\.json is not a result row"):
        store.rows()


@pytest.mark.parametrize("name", ["NA", "nan", "null", "None", "001", "1e3", "a,b", 'a"b', " a", "bild_\u00fc", "bild_\udcfc"])
def test_records_are_found_by_any_id(tmp_path, name):
    store, key = ResultStore(tmp_path), {"code": "1"}
    records = [make_record(id=name), make_record(id="other")]
    row = store.write_row(make_row(key=key | {"data": "x"}), records)
    with store.journal("d", "s", "m").writer(key, records):
        pass
    assert store.records(row) == records
    assert store.rows() == [row]


def test_the_latest_record_of_an_image_counts(tmp_path):
    journal = ResultStore(tmp_path).journal("d", "s", "m")
    with journal.writer({"code": "1"}, [make_record(seconds=1.0)]) as append:
        append(make_record(seconds=2.0))
    assert journal.read({"code": "1"}) == {"a": make_record(seconds=2.0)}


def test_the_counts_of_a_row_are_those_it_was_made_from(tmp_path):
    store = ResultStore(tmp_path)
    counts = make_record().counts | {"opdc_iou": float("nan")}
    records = [make_record(id="NA", counts=counts), make_record(id="001", counts=counts | {"union": 123_456_789})]
    row = store.write_row(make_row(n_images=2), records)
    first, second = store.counts(row)
    assert (first["id"], first["intersection"], first["union"]) == ("NA", 1.0, 2.0)
    assert (second["id"], second["union"]) == ("001", 123_456_789.0)
    assert first["opdc_iou"] != first["opdc_iou"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "is not there"),
        ("id,union\na,x\nb,1\n", "no table of images"),
        ("id,union\na,1e300\nb,1\n", "no table of images"),
        ("id,union\na,2\n", "has 1 images, its row 2"),
        ("id,union\na,2\nb,1\n", "lacks counts"),
    ],
)
def test_counts_that_are_not_of_the_row_are_refused(tmp_path, text, message):
    store, row = ResultStore(tmp_path), make_row(n_images=2)
    path = store.row_path("d", "s", "m").with_suffix(".csv")
    if text is not None:
        write_atomic(path, text)
    with pytest.raises(ZooError, match=message):
        store.counts(row)


def test_times_are_apart_and_come_back_with_the_row(tmp_path):
    store, speed = ResultStore(tmp_path), Speed(fps=2.0, seconds_an_image=0.5)
    row = store.write_row(make_row(n_images=1, speed=speed), [make_record(id="a")])
    first = store.row_path("d", "s", "m").read_bytes()
    assert store.rows() == [row]
    store.write_row(make_row(n_images=1, speed=None), [make_record(id="a", seconds=9.0)])
    assert store.row_path("d", "s", "m").read_bytes() == first
    assert store.row("d", "s", "m").speed is None


def test_a_slow_method_has_the_median_of_its_stored_times_and_a_network_its_single_run(tmp_path):
    """The seconds of a network's images are a share of a batch's, and may be of another device."""
    store, one = ResultStore(tmp_path), Speed(fps=0.5, seconds_an_image=2.0, runs=1)
    records = [make_record(id=id, seconds=seconds) for id, seconds in (("a", 1.0), ("b", 4.0), ("c", 9.0))]
    store.write_row(make_row(n_images=3, speed=one), records)
    assert (store.row("d", "s", "m").speed.fps, store.row("d", "s", "m").speed.runs) == (0.25, 3)
    store.write_row(make_row(n_images=3, speed=one, params=7), records)
    assert store.row("d", "s", "m").speed == one


@pytest.mark.parametrize("seconds", [{"a": "x", "b": 1}, {"a": 0, "b": 0}, [1, 2], None])
def test_times_that_are_none_are_no_speed(tmp_path, seconds):
    store = ResultStore(tmp_path)
    store.write_row(make_row(n_images=1, speed=Speed(fps=0.5, seconds_an_image=2.0, runs=1)), [make_record(id="a")])
    path = store.times_path("d", "s", "m")
    times = {k: v for k, v in json.loads(path.read_text()).items() if k != "sum"}
    write_json(path, summed(times | {"seconds": seconds}))
    assert store.row("d", "s", "m").speed is None


def test_a_row_that_was_edited_or_belongs_elsewhere_is_told_and_left_out(tmp_path):
    store = ResultStore(tmp_path)
    good = store.write_row(make_row(n_images=1), [make_record(id="a")])
    text = store.row_path("d", "s", "m").read_text()
    store.row_path("d", "s", "edited").write_text(text.replace('"n_split": 2', '"n_split": 3').replace('"m"', '"edited"'))
    store.row_path("d", "s", "copied").write_text(text)
    told = []
    assert store.rows(told.append) == [good]
    assert "it is of m on d (s)" in told[0]
    assert "damaged or edited since it was written" in told[1]


def test_counts_that_were_edited_are_refused(tmp_path):
    store = ResultStore(tmp_path)
    row = store.write_row(make_row(n_images=1), [make_record(id="a")])
    path = store.row_path("d", "s", "m").with_suffix(".csv")
    path.write_text(path.read_text().replace("a,4,3", "a,4,4"))
    with pytest.raises(ZooError, match="was changed since its row was written"):
        store.counts(row)


def test_a_manifest_that_is_damaged_is_moved_aside(tmp_path):
    store = ResultStore(tmp_path)
    assert store.add_manifest({"command": "a"}) is None
    whole = store.manifest_path.read_text()
    for number in (1, 2):
        store.manifest_path.write_text(whole[:-3])
        assert store.add_manifest({"command": "b"}) == str(tmp_path / f"manifest.damaged-{number}.json")
    assert store.manifests() == [{"command": "b"}]
    assert (tmp_path / "manifest.damaged-1.json").read_text() == whole[:-3]


@pytest.mark.parametrize("id", ["=1+1", "@x", "+1", "-1", "'quoted", "-x", " =1"])
def test_an_id_is_no_formula_in_the_table_of_images(tmp_path, id):
    store = ResultStore(tmp_path)
    row = store.write_row(make_row(n_images=1), [make_record(id=id)])
    cell = store.row_path("d", "s", "m").with_suffix(".csv").read_text().splitlines()[1].split(",")[0]
    assert cell == id if id == "-1" else cell == f"'{id}"
    assert [line["id"] for line in store.counts(row)] == [id]
