"""A stretch on another machine, from the packed folder to what is collected."""

import os
import subprocess
import sys

import cv2
import numpy as np
import pytest

from irsam_zoo import ROOT
from irsam_zoo.commands import door
from irsam_zoo.datasets import build_dataset
from irsam_zoo.runtime.commit import code_commit
from irsam_zoo.training import stretch
from irsam_zoo.training.queue import STATE_BYTES, WHOLE, Entry, run_queue, waiting
from irsam_zoo.training.stretch import MOST, collect, pack, run_stretch
from irsam_zoo.training.train import TrainOptions
from irsam_zoo.training.travel import LARGEST
from irsam_zoo.zoo import UsageError, ZooError
from irsam_zoo.zoo.weights.header import read_header
from tests.training.builders import OTHER, PHASES, SMALL, plan_of_six, stop_at, weights_of

QUEUE = f"{SMALL} synthetic 0.3\n{OTHER} synthetic 0.2\n"


@pytest.fixture
def home(tmp_path, monkeypatch):
    """The options of a queue, in a folder of its own."""
    place = tmp_path / "home"
    place.mkdir()
    monkeypatch.chdir(place)
    monkeypatch.setattr("irsam_zoo.training.budget._probed", plan_of_six)
    (place / "queue.txt").write_text(QUEUE)
    return TrainOptions(method=SMALL, dataset="synthetic", recipe=dict(phases=PHASES, saves=2))


def test_a_begun_training_goes_there_and_comes_back_with_its_weights(home, tmp_path, monkeypatch):
    with monkeypatch.context() as patch:
        stop_at(patch, 3)
        run_queue([Entry(SMALL, "synthetic", 0.3)], home, report=lambda line: None)
    lines = []
    pack(tmp_path / "packed", "queue.txt", home, report=lines.append)
    assert lines[-1].startswith(f"2 entries in {tmp_path / 'packed'} (")
    assert sum(path.stat().st_size for path in (tmp_path / "packed").rglob("*") if path.is_file()) < MOST
    there = tmp_path / "there"
    (tmp_path / "packed").rename(there)
    lines.clear()
    assert run_stretch(there, tmp_path / "out", device="cpu", time_limit=None, report=lines.append) == {}
    assert f"{Entry(SMALL, 'synthetic', 0.3)}: goes on" in lines
    assert not any((tmp_path / "out" / "states").glob("*"))
    assert collect(tmp_path / "out", checkpoints="checkpoints", report=lambda line: None) == []
    assert {read_header(path)["method"] for path in weights_of(tmp_path / "home")} == {SMALL, OTHER}
    assert len(list((tmp_path / "home" / "checkpoints").glob("*.csv"))) == 2
    assert waiting([Entry(SMALL, "synthetic", 0.3), Entry(OTHER, "synthetic", 0.2)], home) == ({}, {})
    with pytest.raises(UsageError, match="has no entry to train"):
        pack(tmp_path / "again", "queue.txt", home)


def test_a_training_that_is_begun_there_comes_home_begun(home, tmp_path, monkeypatch):
    pack(tmp_path / "packed", "queue.txt", home, report=lambda line: None)
    with monkeypatch.context() as patch:
        stop_at(patch, 2)
        run_stretch(tmp_path / "packed", tmp_path / "out", device="cpu", time_limit=None, report=lambda line: None)
    assert collect(tmp_path / "out", checkpoints="checkpoints", report=lambda line: None) == []
    lines = []
    todo, _ = waiting([Entry(SMALL, "synthetic", 0.3)], home)
    run_queue(list(todo), home, report=lines.append)
    assert lines[1].endswith("goes on")
    assert len(weights_of(tmp_path / "home")) == 1


def test_a_training_that_is_interrupted_comes_home_as_it_was_saved(home, tmp_path, monkeypatch):
    from irsam_zoo.training.hooks import StateHook

    pack(tmp_path / "packed", "queue.txt", home, report=lambda line: None)

    def interrupted(self, runner, batch_idx, data_batch=None, outputs=None):
        self._save_checkpoint(runner)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(StateHook, "after_train_iter", interrupted)
        with pytest.raises(KeyboardInterrupt):
            run_stretch(tmp_path / "packed", tmp_path / "out", device="cpu", time_limit=None, report=lambda line: None)
    collect(tmp_path / "out", checkpoints="checkpoints", report=lambda line: None)
    (state,) = (tmp_path / "home").rglob("iter_1.pth")
    assert "acmnet_quarter_synthetic_irsam_0.3s_seed0_cpu" in str(state)


def test_weights_come_home_after_each_network(home, tmp_path, monkeypatch):
    pack(tmp_path / "packed", "queue.txt", home, report=lambda line: None)

    def killed(line):
        if line.startswith(f"{Entry(OTHER, 'synthetic', 0.2)}: begins"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_stretch(tmp_path / "packed", tmp_path / "out", device="cpu", time_limit=None, report=killed)
    assert collect(tmp_path / "out", checkpoints="checkpoints", report=lambda line: None) == []
    assert [read_header(path)["method"] for path in weights_of(tmp_path / "home")] == [SMALL]


def test_a_folder_that_would_be_too_large_is_not_left_behind(home, tmp_path):
    with pytest.raises(ZooError, match=r"packed alone has .* more than 0; put the data sets on the other machine"):
        pack(tmp_path / "packed", "queue.txt", home, most=1000)
    assert [path.name for path in tmp_path.iterdir()] == ["home"]
    (tmp_path / "packed").mkdir()
    with pytest.raises(UsageError, match="is there already"):
        pack(tmp_path / "packed", "queue.txt", home)


def write_sets(root, **sizes):
    for name, size in sizes.items():
        (root / "data" / name / "images").mkdir(parents=True)
        (root / "data" / name / "images" / "a.png").write_bytes(bytes(size))


def test_data_sets_that_do_not_fit_go_into_folders_beside(tmp_path):
    partial, folder = tmp_path / ".packed.part", tmp_path / "packed"
    write_sets(partial, first=60, second=50, third=30)
    (partial / "code.py").write_bytes(bytes(20))
    made = stretch._spread(partial, folder, 100)
    assert [path.name for path in made] == ["packed", "packed-2"]
    assert [sorted(path.name for path in (place / "data").iterdir()) for place in made.values()] == [
        ["first"],
        ["second", "third"],
    ]
    with pytest.raises(ZooError, match=r"first alone has 0\.0 MiB, more than 0"):
        stretch._spread(partial, folder, 55)
    folder.with_name("packed-2").mkdir()
    write_sets(partial, fourth=70)
    with pytest.raises(UsageError, match="packed-2 is there already"):
        stretch._spread(partial, folder, 100)


def test_a_stretch_takes_the_data_of_the_folders_beside_it(home, tmp_path, monkeypatch):
    pack(tmp_path / "packed", "queue.txt", home)
    write_sets(tmp_path / "packed-2", second=5)
    roots = []
    monkeypatch.setattr(stretch, "run_queue", lambda entries, options, **kwargs: roots.append(options.data_root) or {})
    run_stretch(tmp_path / "packed", tmp_path / "out", device="cpu", time_limit=1)
    assert roots == [str(tmp_path / "packed" / "data")]
    assert (tmp_path / "packed" / "data" / "second" / "images" / "a.png").stat().st_size == 5


def test_the_commands(home, tmp_path, capsys):
    assert door.main(["stretch", "pack", str(tmp_path / "packed"), "--queue", "queue.txt", "--device", "cpu"]) == 0
    told = code_commit()
    run = [sys.executable, str(tmp_path / "packed" / "run_benchmark.py"), "stretch", "run", str(tmp_path / "out")]
    done = subprocess.run(
        [*run, "--time-limit", "0.001s", "--device", "cpu"], cwd=tmp_path, capture_output=True, text=True, timeout=300,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "0 of 2 entries are done, 2 to train" in done.stderr
    assert (tmp_path / "packed" / "COMMIT").read_text() == (told or "")
    for name in ("tests", "docs", "checkpoints/single", "reports/results"):
        assert not (tmp_path / "packed" / name).exists()
    assert door.main(["stretch", "collect", str(tmp_path / "home")]) == 2
    assert "holds neither weights/ nor states/ of a stretch" in capsys.readouterr().err
    assert door.main(["stretch", "run", str(tmp_path / "out")]) == 2
    assert "is no packed folder" in capsys.readouterr().err


def test_an_installed_package_packs_nothing(monkeypatch, capsys):
    monkeypatch.setattr("irsam_zoo.commands.stretch.IN_CHECKOUT", False)
    assert door.main(["stretch", "pack", "there", "--queue", "queue.txt"]) == 2
    assert "clone the project and pack there" in capsys.readouterr().err


@pytest.mark.real_data
def test_packed_images_are_the_same_to_the_pixel(home, tmp_path, data_root):
    (tmp_path / "home" / "queue.txt").write_text(f"{SMALL} nuaa-sirst 1\n")
    pack(tmp_path / "packed", "queue.txt", TrainOptions(**vars(home) | {"data_root": str(data_root)}))
    packed = build_dataset("nuaa-sirst", root=tmp_path / "packed" / "data", split="irsam", subset="train")
    original = build_dataset("nuaa-sirst", root=data_root, split="irsam", subset="train")
    assert packed.fingerprint() == original.fingerprint()
    assert packed.notes == original.notes
    size = sum(path.stat().st_size for path in packed.location.images.iterdir())
    assert size < sum(original.image_path(id).stat().st_size for id in original.ids)


def test_a_png_is_made_smaller_or_left():
    from irsam_zoo.training.stretch import _smaller

    grey = np.tile(np.arange(256, dtype=np.uint8), (64, 1))
    colour = np.dstack([grey, grey, grey])
    small = _smaller(cv2.imencode(".png", colour)[1].tobytes())
    assert np.array_equal(cv2.imdecode(np.frombuffer(small, np.uint8), cv2.IMREAD_UNCHANGED), grey)
    assert _smaller(small) is None
    colour[0, 0, 0] = 9
    assert _smaller(cv2.imencode(".png", colour)[1].tobytes()) is None
    assert _smaller(cv2.imencode(".png", grey.astype(np.uint16))[1].tobytes()) is None
    assert _smaller(b"no image") is None


def test_the_sizes_in_the_documents_are_those_of_the_code():
    text = (ROOT / "docs" / "training.md").read_text(encoding="utf-8").partition("## In short stretches")[2]
    assert f"at most {MOST >> 20} MiB" in text
    assert text.count(f"at most {LARGEST >> 20} MiB") == 2
    assert f"about {LARGEST / STATE_BYTES / 1e6:.1f} million parameters" in text
    assert f"has {WHOLE} times its seconds left" in text
