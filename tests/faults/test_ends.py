"""Interrupts, signals and time limits: an end in order, from which the same command goes on."""

import json
import signal
import subprocess
import time

import pytest

from tests.faults.program import PATIENCE, all_end, files, finish, journal_lines, start, wait_until, workers
from tests.user_set import IDS, write_plugin, write_set

pytestmark = pytest.mark.faults


@pytest.fixture
def command(tmp_path):
    name, plugin, _ = write_plugin(tmp_path, 0.4)
    return ["--methods", name, "--plugin", plugin, "--datasets", write_set(tmp_path / "mine"), "--out", tmp_path / "out"]


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_a_run_in_order(command, tmp_path, tried, number, status):
    process = start(*command, "--jobs", 2, folder=tmp_path)
    wait_until(lambda: journal_lines(tmp_path / "out")[1], process)
    children = workers(process)
    assert len(children) >= 2
    tried(f"{number.name} of a program")
    process.send_signal(number)
    _, error = process.communicate(timeout=PATIENCE)
    assert process.returncode == status
    assert error.strip().splitlines()[-1] == "stopped; the same command goes on from here"
    assert "Traceback" not in error
    assert all_end(children)
    (run,) = json.loads((tmp_path / "out" / "manifest.json").read_text())
    assert run["rows"] == {}
    before, _ = journal_lines(tmp_path / "out")
    assert finish(*command, folder=tmp_path)[0] == 0
    after, ids = journal_lines(tmp_path / "out")
    assert before <= after
    assert sorted(ids) == sorted(IDS)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_at_the_start_is_no_traceback(command, tmp_path, tried, number):
    for moment in (0.15, 0.4, 0.8, 1.3, 2.0):
        process = start(*command, "--jobs", 1, folder=tmp_path)
        time.sleep(moment)
        tried(f"{number.name} at the start")
        process.send_signal(number)
        _, error = process.communicate(timeout=PATIENCE)
        assert process.returncode in (-number, 128 + number), error
        assert "Traceback" not in error, error


def test_a_signal_ends_a_training_that_goes_on_later(tmp_path, tried):
    images = write_set(tmp_path / "mine")
    (images / "train.txt").write_text("\n".join(IDS) + "\n")
    command = ["train", "acmnet", "--dataset", images, "--schedule", "smoke", "--device", "cpu", "--out", tmp_path / "work"]
    command += ["--recipe", "steps=60", "batch_size=2", "saves=30"]
    process = start(*command, folder=tmp_path)
    wait_until(lambda: (tmp_path / "work" / "last_checkpoint").is_file(), process)
    tried("SIGTERM of a training")
    process.terminate()
    _, error = process.communicate(timeout=PATIENCE)
    assert process.returncode == 143
    assert "Traceback" not in error
    assert finish(*command, folder=tmp_path)[0] == 0


def test_a_run_whose_time_is_over_ends_and_goes_on(command, tmp_path, tried):
    runs = 0
    while True:
        runs += 1
        tried("time limit")
        before, _ = journal_lines(tmp_path / "out")
        status, error = finish(*command, "--jobs", 1, "--time-limit", "7s", folder=tmp_path)
        after, ids = journal_lines(tmp_path / "out")
        assert before <= after
        if status == 0:
            break
        assert status == 1
        assert error.strip().splitlines()[-1] == "the time is over; the same command goes on from here"
        assert "Traceback" not in error
        assert runs < 8, "it does not come to an end"
    assert sorted(ids) == sorted(IDS)


def test_one_folder_is_of_one_run(command, tmp_path, tried):
    process = start(*command, "--jobs", 1, folder=tmp_path)
    wait_until(lambda: (tmp_path / "out" / ".lock").is_file(), process)
    tried("second run in a folder")
    status, error = finish(*command, "--jobs", 1, folder=tmp_path)
    assert (status, error) == (1, f"error: another run is writing to {tmp_path / 'out'}; wait for it, or give another --out\n")
    process.communicate(timeout=PATIENCE)
    assert process.returncode == 0


def test_one_work_folder_is_of_one_training(tmp_path, tried):
    images = write_set(tmp_path / "mine")
    (images / "train.txt").write_text("\n".join(IDS) + "\n")
    command = ["train", "acmnet", "--dataset", images, "--schedule", "smoke", "--device", "cpu", "--out", tmp_path / "work"]
    process = start(*command, folder=tmp_path)
    wait_until(lambda: (tmp_path / "work" / ".lock").is_file(), process)
    tried("second training in a folder")
    status, error = finish(*command, folder=tmp_path)
    assert status == 1
    assert error.endswith(f"another run is writing to {tmp_path / 'work'}; wait for it, or give another --out\n")
    process.kill()
    process.communicate()
    target = tmp_path / "thesis.tex"
    target.write_text("years of work")
    (tmp_path / "work" / ".lock").unlink()
    (tmp_path / "work" / ".lock").symlink_to(target)
    tried("lock that is a link")
    status, error = finish(*command, folder=tmp_path)
    assert (status, target.read_text()) == (1, "years of work")
    assert "is not the lock of a run" in error


@pytest.fixture
def small(tmp_path):
    """A file system of one MiB; skipped where none can be mounted."""
    folder = tmp_path / "small"
    folder.mkdir()
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "none", str(folder)], capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"no file system can be mounted here: {done.stderr.strip()}")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def test_a_full_disk_is_one_line_and_goes_on_where_there_is_room(command, small, tmp_path, tried):
    whole, command[-1] = tmp_path / "out", small / "out"
    more = ["--methods", command[1], "top_hat", "max_median", *command[2:], "--save-scores", "npy", "--jobs", 1]
    for room in (0, 12, 24):  # KiB
        filler = small / "filler"
        free = 1024 - room - sum(path.stat().st_size for path in small.rglob("*") if path.is_file() and path != filler) // 1024
        filler.write_bytes(bytes(max(free, 0) * 1024 - 4096))
        tried("full disk")
        status, error = finish(*more, folder=tmp_path)
        assert status == 1
        assert "Traceback" not in error
        assert "No space left on device" in error
        filler.unlink()
    assert finish(*more, folder=tmp_path)[0] == 0
    more[more.index("--out") + 1] = whole
    assert finish(*more, folder=tmp_path)[0] == 0
    assert files(small / "out", "results", "scores") == files(whole, "results", "scores")


def test_an_output_that_cannot_be_written_is_one_line(command, small, tmp_path, tried):
    subprocess.run(["mount", "-o", "remount,ro", str(small)], check=True)
    command[-1] = small / "out"
    tried("read-only output")
    status, error = finish(*command, folder=tmp_path)
    assert status == 1
    assert error == f"error: {small / 'out'}: Read-only file system\n"
