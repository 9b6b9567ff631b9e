"""Kill -9 at any moment: of a run, of one of its workers, and of a training."""

import random
import time
from itertools import count

import pytest

from tests.faults.program import PATIENCE, all_end, files, finish, journal_lines, start, wait_until, workers
from tests.user_set import IDS, write_plugin, write_set

pytestmark = pytest.mark.faults
DELAY = 0.25  # seconds an image


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A data set and a plug-in, and what a run that nothing disturbs makes of them, in which time."""
    folder = tmp_path_factory.mktemp("kills")
    images = write_set(folder / "mine")
    name, plugin, _ = write_plugin(folder, DELAY)
    command = ["--methods", name, "top_hat", "--plugin", plugin, "--datasets", images, "--save-predictions"]
    begin = time.monotonic()
    assert finish(*command, "--jobs", 1, "--out", folder / "whole", folder=folder)[0] == 0
    return folder, command, files(folder / "whole", "results", "predictions"), time.monotonic() - begin


@pytest.mark.parametrize(("jobs", "victim", "kills"), [(1, "program", 9), (2, "program", 9), (2, "worker", 6)])
def test_a_killed_run_loses_nothing(place, tmp_path, tried, jobs, victim, kills):
    """Killed again and again at random moments, each time going on with what is left."""
    folder, command, whole, duration = place
    moments = random.Random(f"{jobs} {victim}")
    command = [*command, "--jobs", jobs, "--out", tmp_path / "out"]
    killed = 0
    while killed < kills:
        process = start(*command, folder=folder)
        moment = moments.uniform(0, 0.8 * duration)
        begin = time.monotonic()
        wait_until(lambda: time.monotonic() - begin > moment, process)  # noqa: B023
        children = workers(process)
        before, _ = journal_lines(tmp_path / "out")
        if victim == "worker" and children:
            tried(f"kill -9 of a {victim}")
            killed += 1
            moments.choice(children).kill()
            _, error = process.communicate(timeout=PATIENCE)
            assert "Traceback" not in error
            assert process.returncode in (0, 1)  # 0: it was idle, or had not begun
        elif victim == "program" and process.poll() is None:
            tried(f"kill -9 of a {victim}")
            killed += 1
            process.kill()
            process.communicate()
        else:
            process.communicate(timeout=PATIENCE)
        assert all_end(children), "a worker outlives its program"
        lines, ids = journal_lines(tmp_path / "out")
        assert before <= lines, "a stored image was scored again"
        for name, data in files(tmp_path / "out", "results", "predictions").items():
            assert data == whole[name] or (victim == "worker" and name.startswith("results")), f"{name} is partial"
        if len(ids) >= 2 * len(IDS):  # nothing is left to be killed at
            tmp_path = tmp_path / "next"
            command[-1] = tmp_path / "out"
            before = set()
    assert finish(*command, folder=folder)[0] == 0
    lines, ids = journal_lines(tmp_path / "out")
    assert before <= lines
    assert sorted(ids) == sorted(2 * IDS)
    assert files(tmp_path / "out", "results", "predictions") == whole


def test_a_killed_training_gives_the_same_bytes(tmp_path, tried):
    images = write_set(tmp_path / "mine")
    (images / "train.txt").write_text("\n".join(IDS) + "\n")
    command = ["train", "acmnet", "--dataset", images, "--schedule", "smoke", "--device", "cpu"]
    command += ["--recipe", "steps=90", "batch_size=2", "saves=30"]
    begin = time.monotonic()
    status, error = finish(*command, "--out", tmp_path / "a", "--checkpoints", tmp_path / "whole", folder=tmp_path)
    duration = time.monotonic() - begin
    assert status == 0, error
    moments = random.Random(0)
    command += ["--out", tmp_path / "b", "--checkpoints", tmp_path / "killed"]
    killed, others = 0, count()
    while killed < 6:
        process = start(*command, folder=tmp_path)
        begin, moment = time.monotonic(), moments.uniform(0.4, 0.9) * duration
        wait_until(lambda: time.monotonic() - begin > moment, process)  # noqa: B023
        if process.poll() is None:
            tried("kill -9 of a training")
            killed += 1
            process.kill()
        else:  # it is done: from now on another one
            command[command.index("--out") + 1] = tmp_path / f"b{next(others)}"
        process.communicate()
        for path in (tmp_path / "killed").glob("*.safetensors"):
            assert path.read_bytes() == (tmp_path / "whole" / path.name).read_bytes()
    assert finish(*command, folder=tmp_path)[0] == 0
    weights = [{p.name: p.read_bytes() for p in (tmp_path / name).glob("*.safetensors")} for name in ("whole", "killed")]
    assert weights[0] == weights[1] != {}
