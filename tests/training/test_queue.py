"""A queue of trainings in short stretches."""

import shutil

import pytest

from irsam_zoo.commands import door
from irsam_zoo.training.queue import Entry, read_queue, run_queue, waiting
from irsam_zoo.training.train import TrainOptions
from irsam_zoo.training.work_folder import last_state
from irsam_zoo.zoo import UsageError
from irsam_zoo.zoo.specs import CONFIG_DIR
from irsam_zoo.zoo.weights.header import read_header
from tests.training.builders import OTHER, PHASES, SMALL, plan_of_six, stop_at, weights_of


@pytest.fixture
def options(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("irsam_zoo.training.budget._probed", plan_of_six)
    return TrainOptions(method=SMALL, dataset="synthetic", recipe=dict(phases=PHASES, saves=2))


def stretch(options, *entries, **more):
    lines = []
    failures = run_queue(entries, options, report=lines.append, **more)
    return failures, lines


def test_lines_are_entries_and_comments_are_not(tmp_path):
    path = tmp_path / "queue.txt"
    path.write_text("# most valuable first\nacmnet sirst3 90\n\n  dnanet 'my set' 1.5 2  # last\nacmnet sirst3 90 0\n")
    assert read_queue(path) == [Entry("acmnet", "sirst3", 90), Entry("dnanet", "my set", 1.5, 2)]
    assert [str(entry) for entry in read_queue(path)] == ["acmnet sirst3 90 0", "dnanet 'my set' 1.5 2"]


@pytest.mark.parametrize(
    "line",
    ["acmnet sirst3", "acmnet sirst3 1m", "acmnet sirst3 0", "acmnet sirst3 -1", "acmnet sirst3 inf", "acmnet sirst3 9 -1",
     "acmnet sirst3 9 0.5", "acmnet sirst3 9 0 0", "acmnet 'sirst3 9", "ipi sirst3 9", "acmnett sirst3 9"],
)  # fmt: skip
def test_a_bad_line_is_named(line, tmp_path, capsys):
    path = tmp_path / "queue.txt"
    path.write_text(f"# a\nacmnet sirst3 9\n{line}\n")
    assert door.main(["train", "--queue", str(path)]) == 2
    error = capsys.readouterr().err
    assert error.startswith(f"error: {path}, line 3: ")
    assert error.count("\n") == 1


def test_a_queue_that_is_none(tmp_path, capsys):
    (tmp_path / "empty.txt").write_text("# nothing\n")
    (tmp_path / "image.png").write_bytes(b"\x89PNG\xff")
    for name in ("empty.txt", "image.png", "none.txt"):
        with pytest.raises(UsageError, match=name):
            read_queue(tmp_path / name)
    assert door.main(["train", "acmnet", "--queue", str(tmp_path / "empty.txt")]) == 2
    assert "leave out METHOD" in capsys.readouterr().err
    assert door.main(["train", "acmnet"]) == 2
    assert "are required: --dataset" in capsys.readouterr().err


def test_the_committed_queue_is_in_its_order():
    entries = read_queue(CONFIG_DIR.parent / "training" / "queue.txt")
    assert [entry.network for entry in entries[:4]] == ["irsam", "uiunet", "dnanet", "mdvsfa"]
    assert entries[0].seconds * 1.1 < 25 * 60
    alone = {(entry.network, entry.dataset) for entry in entries if entry.dataset != "sirst3"}
    assert len(alone) == 18
    assert not {network for network, _ in alone} & {"uiunet", "irsam"}
    assert [entry.seed for entry in entries[-6:]] == [1, 1, 1, 2, 2, 2]


def test_entries_are_trained_in_their_order_and_once(options, tmp_path):
    entries = Entry(OTHER, "synthetic", 0.2), Entry(SMALL, "synthetic", 0.2), Entry(SMALL, "synthetic", 0.2, 1)
    failures, lines = stretch(options, *entries)
    assert not failures
    assert lines[0] == "0 of 3 entries are done, 3 to train"
    assert [line for line in lines if line.endswith("begins")] == [f"{entry}: begins" for entry in entries]
    written = weights_of(tmp_path)
    headers = [read_header(path) for path in written]
    assert {(header["method"], header["seed"], header["plan"]["budget_seconds"]) for header in headers} == {
        (entry.network, entry.seed, entry.seconds) for entry in entries
    }
    assert stretch(options, *entries) == ({}, ["3 of 3 entries are done, 0 to train"])
    assert weights_of(tmp_path) == written


def test_a_failure_is_told_and_tried_last(options, tmp_path):
    good, failing = Entry(SMALL, "synthetic", 0.2), Entry(OTHER, "synthetic", 0.2)
    missing = Entry(SMALL, str(tmp_path / "none"), 0.2)
    folder = tmp_path / "work_dirs" / "queue" / "acmnet_fpn_synthetic_irsam_0.2s_seed0_cpu"
    folder.mkdir(parents=True)
    (folder / "run.json").write_text("{}")
    (folder / "iter_7.pth").write_bytes(b"another run")
    (folder / "last_checkpoint").write_text("iter_7.pth")
    failures, lines = stretch(options, missing, good, failing)
    assert list(failures) == [missing, failing]
    assert "holds another run" in failures[failing]
    assert lines[0].startswith("0 of 3 entries are done, 2 to train; ")
    assert any(line.startswith(f"{failing}: failed: ") for line in lines)
    assert len(weights_of(tmp_path)) == 1
    later = Entry(SMALL, "synthetic", 0.2, 1)
    todo, _ = waiting([failing, later], options)
    assert list(todo) == [later, failing]  # though it was begun


def test_a_stretch_that_ends_goes_on_elsewhere_with_the_same_bytes(options, tmp_path, monkeypatch):
    entry, second = Entry(SMALL, "synthetic", 0.3), Entry(OTHER, "synthetic", 0.2)
    whole, first, moved = (tmp_path / name for name in ("whole", "first", "moved"))
    for folder in (whole, first):
        folder.mkdir()
    monkeypatch.chdir(first)
    with monkeypatch.context() as patch:
        stop_at(patch, 3)
        _, lines = stretch(options, entry)
    assert not weights_of(first)
    shutil.copytree(first, moved)
    for state in first.rglob("iter_*.pth"):
        state.write_bytes(b"not this one")
    monkeypatch.chdir(moved)
    _, lines = stretch(options, second, entry)
    assert [line for line in lines if line.endswith(("begins", "goes on"))] == [f"{entry}: goes on", f"{second}: begins"]
    (plan,) = moved.rglob("*0.3s*/plan.json")
    target = whole / plan.relative_to(moved)
    target.parent.mkdir(parents=True)
    shutil.copyfile(plan, target)  # the steps that the first machine planned
    monkeypatch.chdir(whole)
    stretch(options, entry)
    (expected,) = weights_of(whole)
    assert expected.read_bytes() == (moved / "checkpoints" / expected.name).read_bytes()


def test_a_kill_between_entries_costs_nothing(options, tmp_path):
    entries = Entry(SMALL, "synthetic", 0.2), Entry(OTHER, "synthetic", 0.2)

    def kill(job, weights):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stretch(options, *entries, after=kill)
    (kept,) = weights_of(tmp_path)
    before = kept.stat().st_mtime_ns
    _, lines = stretch(options, *entries)
    assert lines[0] == "1 of 2 entries are done, 1 to train"
    assert len(weights_of(tmp_path)) == 2
    assert kept.stat().st_mtime_ns == before


def test_what_does_not_travel_is_begun_only_where_it_can_be_ended(options, tmp_path):
    large, small = Entry(SMALL, "synthetic", 3600), Entry(OTHER, "synthetic", 0.2)
    _, lines = stretch(TrainOptions(**vars(options) | {"time_limit": 60.0}), large, small, largest_state=1 << 10)
    assert any(line.startswith(f"{large}: left, its state of about ") for line in lines)
    assert [read_header(path)["method"] for path in weights_of(tmp_path)] == [OTHER]


def test_what_was_begun_on_another_kind_of_device_waits_for_it(options, tmp_path):
    entry = Entry(SMALL, "synthetic", 0.2)
    folder = tmp_path / "work_dirs" / "queue" / "acmnet_quarter_synthetic_irsam_0.2s_seed0_cuda"
    folder.mkdir(parents=True)
    (folder / "iter_7.pth").write_bytes(b"x")
    (folder / "last_checkpoint").write_text("iter_7.pth")
    assert stretch(options, entry)[1][1] == f"{entry}: left, it was begun on a device of kind cuda, and goes on there"
    assert last_state(folder)
    assert not weights_of(tmp_path)


def test_the_command(options, tmp_path, capsys):
    (tmp_path / "queue.txt").write_text(f"{SMALL} synthetic 0.1\n")
    arguments = ["train", "--queue", "queue.txt", "--time-limit", "5m", "--device", "cpu"]
    arguments += ["--recipe", "phases.0.size=32", "phases.1.size=32", "phases.2.size=32"]
    assert door.main(arguments) == 0
    assert "1 entries are done, 1 to train" in capsys.readouterr().err
    assert len(weights_of(tmp_path)) == 1
