"""Files after a kill and a power cut, and folders where there are no locks."""

import errno
import fcntl
import os
import subprocess
import sys

import pytest

from irsam_zoo import ROOT
from irsam_zoo.results import journal as journals
from irsam_zoo.results.files import locked, write_atomic
from irsam_zoo.results.journal import Journal
from irsam_zoo.results.store import ResultStore
from irsam_zoo.zoo import ZooError
from irsam_zoo.zoo.weights.checkpoints import save_checkpoint
from tests.results.builders import make_record, make_row

KEY = {"code": "1"}


@pytest.fixture
def calls(monkeypatch):
    """What is synced and renamed, in order: names of files, with those of temporary ones cut, and of folders."""
    made = []

    def name(path):
        path = os.path.basename(os.fspath(path))
        return path[1:].rsplit(".", 2)[0] if path.endswith(".part") else path

    fsync, replace = os.fsync, os.replace
    monkeypatch.setattr(
        os, "fsync", lambda file: (made.append(f"sync {name(os.readlink(f'/proc/self/fd/{file}'))}"), fsync(file))
    )
    monkeypatch.setattr(os, "replace", lambda a, b: (made.append(f"name {name(b)}"), replace(a, b)))
    return made


linux = pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="which file is synced is seen on Linux")


@linux
def test_rows_are_on_the_disk_before_they_have_their_names(tmp_path, calls):
    ResultStore(tmp_path).write_row(make_row(n_images=1), [make_record(id="a")])
    names = ["m.json", "m.csv", "m.json"]
    assert calls[:6] == [f"sync {name}" for name in names] + [f"name {name}" for name in names]
    assert calls[6:] == ["sync s", "sync s"]  # results/d/s and times/d/s


@linux
def test_weights_are_on_the_disk_before_they_have_their_name(tmp_path, calls):
    save_checkpoint(tmp_path / "w.safetensors", {}, {})
    assert calls == ["sync w.safetensors", "name w.safetensors", f"sync {tmp_path.name}"]


@linux
def test_lines_of_a_journal_are_on_the_disk_after_a_while_and_at_the_end(tmp_path, calls, monkeypatch):
    journal, now = Journal(tmp_path), [0.0]
    monkeypatch.setattr(journals.time, "monotonic", lambda: now[0])
    file = journal.file(KEY).name
    with journal.writer(KEY, []) as append:
        assert calls == [f"sync {file}", f"name {file}", f"sync {tmp_path.name}"]
        calls.clear()
        for now[0] in (0.1, 0.5, 0.9):
            append(make_record(id="a"))
        assert calls == []
        now[0] = 1.1
        append(make_record(id="b"))
        append(make_record(id="c"))
        assert calls == [f"sync {file}"]
    assert calls == [f"sync {file}"] * 2


def test_masks_are_not_waited_for(tmp_path, calls):
    write_atomic(tmp_path / "mask.png", b"", durable=False)
    assert not [call for call in calls if call.startswith("sync")]


@pytest.mark.parametrize(("umask", "mode"), [(0o077, 0o600), (0o022, 0o644), (0o002, 0o664)])
def test_files_may_be_read_by_whom_the_umask_lets(tmp_path, umask, mode):
    before = os.umask(umask)
    try:
        ResultStore(tmp_path).write_row(make_row(n_images=1), [make_record(id="a")])
        save_checkpoint(tmp_path / "w.safetensors", {}, {})
        with Journal(tmp_path / "journal").writer(KEY, []):
            pass
    finally:
        os.umask(before)
    modes = {path.name: path.stat().st_mode & 0o777 for path in tmp_path.rglob("*") if path.is_file()}
    assert len(modes) == 4
    assert set(modes.values()) == {mode}


def test_what_killed_processes_left_is_swept_and_nothing_else(tmp_path):
    code = (
        "import os, sys\nfrom pathlib import Path\nfrom irsam_zoo.zoo.durable import written_whole\n"
        "with written_whole(*map(Path, sys.argv[1:])):\n    os._exit(9)\n"
    )
    places = [tmp_path / "scores" / "d" / "im.npy", tmp_path / "row.json", tmp_path / "report" / "table1.md"]
    assert subprocess.run([sys.executable, "-c", code, *map(str, places)], cwd=ROOT).returncode == 9
    assert len(list(tmp_path.rglob(".*.part"))) == 3
    others = [tmp_path / name for name in (".im.npy.part", "im.part", ".hidden", f".im.npy.{os.getpid()}-0123abcd.part")]
    for path in others:
        path.write_bytes(b"")
    with locked(tmp_path, "x"):
        assert sorted(path for path in tmp_path.rglob("*.part")) == sorted(path for path in others if path.suffix == ".part")
        assert others[2].is_file()


@pytest.mark.parametrize("error", ["ENOSYS", "EOPNOTSUPP", "ENOLCK", "ESTALE", "EINVAL"])
def test_where_there_are_no_locks_a_file_stands_for_one(tmp_path, monkeypatch, error):
    number = getattr(errno, error)

    def flock(*_):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(fcntl, "flock", flock)
    told = r"another run is writing to .* give another --out; .* delete .*\.lock\.held"
    with locked(tmp_path, "x"), pytest.raises(ZooError, match=told), locked(tmp_path, "give another --out"):
        pass
    with locked(tmp_path, "x"):
        pass
    code = (
        "import errno, fcntl, os\n"
        f"def flock(*_):\n    raise OSError({number}, 'no locks')\n"
        "fcntl.flock = flock\nfrom pathlib import Path\nfrom irsam_zoo.results.files import locked\n"
        f"with locked(Path({str(tmp_path)!r}), 'x'):\n    os._exit(9)\n"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT).returncode == 9
    assert (tmp_path / ".lock.held").exists()
    with locked(tmp_path, "x"):  # the process that held it has ended
        pass


def test_another_fault_of_the_lock_names_the_folder(tmp_path, monkeypatch):
    def flock(*_):
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(fcntl, "flock", flock)
    told = r"cannot be held .*Input/output error.*give another --out"
    with pytest.raises(ZooError, match=told), locked(tmp_path, "give another --out"):
        pass
