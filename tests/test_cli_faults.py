"""Runs that are broken off, and methods and images that fail: what is done stays, and the others go on."""

import json
import os
import shlex
import signal
import subprocess
import sys
import time
from functools import partial

import pytest

from irsam_zoo.commands import door
from tests.user_set import IDS, PROGRAM, row_of, run, table, write_plugin, write_set


@pytest.fixture
def folder(tmp_path):
    return write_set(tmp_path / "mine")


def test_a_worker_that_dies_takes_no_other_method_along(folder, tmp_path):
    name, plugin, _ = write_plugin(tmp_path)
    plugin.write_text(plugin.read_text().replace("time.sleep(0)", "os._exit(9)"))
    out = tmp_path / "out"
    assert run(folder, out, name, "top_hat", "max_median", "--plugin", str(plugin)) == 1
    assert row_of(out, name)["status"] == "failed"
    assert [row_of(out, method)["status"] for method in ("top_hat", "max_median")] == ["ok", "ok"]


def test_an_interrupt_ends_the_run_with_one_line(folder, tmp_path):
    name, plugin, log = write_plugin(tmp_path, delay=1)
    command = [sys.executable, str(PROGRAM), "--methods", name, "--plugin", str(plugin), "--datasets", str(folder),
               "--out", str(tmp_path / "out"), "--jobs", "1"]  # fmt: skip
    heard = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)  # a shell that runs tests in the background has it ignored
    process = subprocess.Popen(
        command, cwd=tmp_path, stderr=subprocess.PIPE, text=True, start_new_session=True, preexec_fn=heard
    )
    while process.poll() is None and not log.is_file():
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGINT)
    _, error = process.communicate(timeout=30)
    assert process.returncode == 130
    assert error.strip().splitlines()[-1] == "stopped; the same command goes on from here"
    assert "Traceback" not in error


def test_a_pipe_that_nothing_reads_is_one_line(tmp_path):
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "w") as gone:
        command = [sys.executable, str(PROGRAM), "weights"]
        done = subprocess.run(command, cwd=tmp_path, stdout=gone, stderr=subprocess.PIPE, text=True, check=False)
    assert (done.returncode, done.stderr) == (1, "stopped: nothing reads the output any more\n")


@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&- >&- 2>&-"])
def test_closed_streams_are_harmless(tmp_path, closed):
    command = f"{shlex.join([sys.executable, str(PROGRAM), 'weights'])} {closed}"
    done = subprocess.run(["bash", "-c", command], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_nonsense_backend_of_matplotlib_is_harmless(folder, tmp_path):
    command = [sys.executable, str(PROGRAM), "--methods", "top_hat", "--datasets", folder, "--out", "out", "--jobs", "1"]
    report = [sys.executable, str(PROGRAM), "report", "--out", "out", "--figures", "roc"]
    for words in (command, report):
        env = os.environ | {"MPLBACKEND": "nonsense"}
        done = subprocess.run(words, cwd=tmp_path, env=env, capture_output=True, text=True, check=False)
        assert (done.returncode, "Traceback" in done.stderr) == (0, False), done.stderr


@pytest.mark.parametrize("words", [["--all", "--out", ""], ["report", "--out", ""], ["--methods", "top_hat", "--plugin", ""]])
def test_an_empty_value_is_one_line(tmp_path, monkeypatch, capsys, words):
    monkeypatch.chdir(tmp_path)
    assert door.main(words) == 2
    assert "has an empty value" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_a_text_of_any_length_of_a_method_is_shortened(folder, tmp_path):
    name, plugin, _ = write_plugin(tmp_path)
    plugin.write_text(plugin.read_text().replace("time.sleep(0)", "raise ValueError('x' * 1_000_000)"))
    assert run(folder, tmp_path / "out", name, "--plugin", str(plugin)) == 1
    assert "x... (1000000 letters)" in row_of(tmp_path / "out", name)["reason"]
    assert (tmp_path / "out" / "results" / "mine" / "irsam" / f"{name}.json").stat().st_size < 20_000


def test_kill_and_resume_scores_no_stored_image_again(folder, tmp_path):
    name, plugin, log = write_plugin(tmp_path, delay=0.3)
    out = tmp_path / "out"
    command = [sys.executable, str(PROGRAM), "--methods", name, "--plugin", str(plugin), "--datasets", str(folder),
               "--out", str(out), "--jobs", "1"]  # fmt: skip
    folder_of_journal = out / "journal" / "mine" / "irsam" / name
    process = subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.DEVNULL, start_new_session=True)
    while process.poll() is None and not any(path.read_text().count("\n") >= 4 for path in folder_of_journal.glob("*.jsonl")):
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    (journal,) = folder_of_journal.glob("*.jsonl")
    stored = [json.loads(line)["id"] for line in journal.read_text().splitlines()[1:]]
    assert 3 <= len(stored) < len(IDS)
    log.unlink()

    assert subprocess.run(command, cwd=tmp_path, capture_output=True).returncode == 0
    lines = log.read_text().split()  # images that the speed is measured on come first
    assert sorted(f"im{line}" for line in lines[-(len(IDS) - len(stored)) :]) == sorted(set(IDS) - set(stored))
    tables = {path.name: path.read_bytes() for path in (out / "report").iterdir()}

    assert door.main(command[2:]) == 0
    assert log.read_text().split() == lines
    assert {path.name: path.read_bytes() for path in (out / "report").iterdir()} == tables

    whole = tmp_path / "whole"
    assert door.main([*command[2:], "--out", str(whole)]) == 0
    a, b = row_of(out, name), row_of(whole, name)
    for part in ("metrics", "ci95", "auc", "sweep", "strata"):
        assert a[part] == b[part]


def test_a_damaged_image_is_left_out_and_scored_alone_once_mended(folder, tmp_path, capsys):
    name, plugin, log = write_plugin(tmp_path)
    out = tmp_path / "out"
    arguments = [folder, out, name, "top_hat", "--plugin", str(plugin)]
    path = folder / "images" / "im5.png"
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    assert run(*arguments) == 1
    told = capsys.readouterr().err.splitlines()
    assert (
        sum(line.startswith("mine: 1 of 8 images are left out: im5; ") and "im5.png is damaged" in line for line in told) == 1
    )
    errors = [line for line in told if line.startswith(f"incomplete: {name}")]
    assert len(errors) == 1
    assert "1 of 8 images left out" in errors[0]
    assert "im5.png" in errors[0]
    row = row_of(out, name)
    assert (row["status"], row["n_images"], list(row["left_out"])) == ("incomplete", 7, ["im5"])
    shown = table(out)["mine", name, "IoU"]
    assert float(shown["measured"]) > 0
    assert shown["n_images"] == "7"
    assert "incomplete; 1 of 8 images left out, first im5" in (out / "report" / "table1.md").read_text()
    path.write_bytes(whole)
    log.unlink()
    assert run(*arguments) == 0
    assert log.read_text().split() == ["5"]


def test_a_method_that_raises_does_not_stop_the_others(folder, tmp_path, capsys):
    plugin = tmp_path / "raises.py"
    plugin.write_text(
        "from irsam_zoo.zoo import METHODS, Detector, MethodCard\n"
        "@METHODS.register_module('raises')\n"
        "class Raises(Detector):\n"
        "    card = MethodCard(title='Raises')\n"
        "    def score(self, image):\n"
        "        raise ValueError('no luck')\n"
    )
    out = tmp_path / "out"
    assert run(folder, out, "raises", "top_hat", "--plugin", str(plugin)) == 1
    assert "failed: raises on mine: 8 of 8 images, first im0: ValueError: no luck" in capsys.readouterr().err
    assert row_of(out, "top_hat")["status"] == "ok"
    assert "| ok |" in (out / "report" / "table1.md").read_text()
