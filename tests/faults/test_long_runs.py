"""Runs of thousands of images: memory, open files, the time left, and lists that are long."""

import time
from contextlib import suppress

import cv2
import numpy as np
import psutil
import pytest

from irsam_zoo.commands import door
from irsam_zoo.runtime.progress import Progress
from tests.faults.program import files, finish, start, wait_until, workers
from tests.user_set import row_of, write_plugin, write_set

pytestmark = pytest.mark.faults
IMAGES = 2000
MIB = 2**20


def test_memory_and_open_files_stay_over_two_thousand_images(tmp_path, tried):
    """Of the program and its workers, from the second quarter of the images on."""
    images = tmp_path / "many"
    rng = np.random.default_rng(0)
    for name in ("images", "masks"):
        (images / name).mkdir(parents=True)
    for number in range(IMAGES):
        cv2.imwrite(str(images / "images" / f"{number}.png"), rng.integers(0, 255, (24, 24), dtype=np.uint8))
        cv2.imwrite(str(images / "masks" / f"{number}.png"), np.pad(np.full((2, 2), 255, np.uint8), 11))
    (images / "test.txt").write_text("".join(f"{number}\n" for number in range(IMAGES)))
    out = tmp_path / "out"
    process = start(
        "--methods", "top_hat", "--datasets", images, "--out", out, "--jobs", 2, "--save-predictions", folder=tmp_path
    )

    def done():
        return sum(path.read_bytes().count(b"\n") for path in out.glob("journal/*/*/*/*.jsonl"))

    wait_until(lambda: done() > IMAGES // 4, process)
    tried("image of a long run", IMAGES)
    seen, scoring = {}, True
    while process.poll() is None:
        scoring = scoring and done() <= IMAGES
        for one in [psutil.Process(process.pid), *workers(process)]:
            with suppress(psutil.Error):
                seen.setdefault((one.pid, scoring), []).append((one.memory_info().rss, one.num_fds()))
        time.sleep(0.1)
    assert process.returncode == 0
    assert row_of(out, "top_hat", "many")["n_images"] == IMAGES
    for (pid, scoring), samples in seen.items():
        middle = len(samples) // 2  # a process may have begun late
        if middle:
            (memory, handles), (memory_after, handles_after) = np.max(samples[:middle], 0), np.max(samples[middle:], 0)
            growth = 15 if scoring else 150  # the figures of the row and their intervals are of all images at once
            assert memory_after - memory < growth * MIB, (pid == process.pid, scoring, samples)
            assert handles_after - handles <= 6, (pid == process.pid, scoring, samples)


@pytest.mark.parametrize("stored", [0, 300])
@pytest.mark.parametrize("each", [0.02, 0.7, 40.0])
def test_the_time_left_is_right_after_a_tenth(tried, stored, each):
    """Seconds an image that vary by a quarter; two workers, whose images come in pairs; with and without images of before."""
    tried("estimate of the time left")
    rng, clock = np.random.default_rng(1), [0.0]
    progress = Progress(str)
    progress.bar.get_time = lambda: clock[0]
    total = 600
    with progress.cell("m", "d", total) as on_image:
        clock[0] += 3.0  # the speed is measured first
        on_image(stored, stored=True)
        clock[0] += 2.0
        durations = each * rng.uniform(0.75, 1.25, (total - stored) // 2)
        tenth = len(durations) // 10
        for duration in durations[:tenth]:
            clock[0] += duration
            on_image()
            on_image()
        (task,) = progress.bar.tasks
        assert task.time_remaining == pytest.approx(durations[tenth:].sum(), rel=0.2)


def test_workers_are_bounded(tmp_path, tried, capsys):
    tried("--jobs without measure")
    assert door.main(["--methods", "top_hat", "--datasets", "synthetic", "--jobs", "100000", "--out", str(tmp_path)]) == 2
    assert "cores; say" in capsys.readouterr().err


def test_a_clock_that_jumps_changes_no_result(tmp_path, tried, monkeypatch):
    images, (name, plugin, _) = write_set(tmp_path / "mine"), write_plugin(tmp_path)
    command = ["--methods", name, "top_hat", "--plugin", str(plugin), "--datasets", str(images), "--jobs", "1", "--out"]
    assert door.main([*command, str(tmp_path / "a")]) == 0
    now, jumps = time.time, iter(np.random.default_rng(0).uniform(-1e9, 1e9, 10**6))
    monkeypatch.setattr(time, "time", lambda: now() + next(jumps))
    tried("clock that jumps")
    assert door.main([*command, str(tmp_path / "b")]) == 0
    monkeypatch.undo()
    assert files(tmp_path / "a", "results") == files(tmp_path / "b", "results")
    assert finish("report", "--out", tmp_path / "b", "--figures", "none", folder=tmp_path)[0] == 0
