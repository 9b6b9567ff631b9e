"""Methods, plug-ins and configurations of others that do all they should not: their rows fail, the others go on."""

import json
import os
import subprocess
import sys
from itertools import count
from pathlib import Path

import numpy as np
import pytest
import torch

from irsam_zoo.commands import door
from irsam_zoo.engine import scoring
from irsam_zoo.engine.cell import Cell
from irsam_zoo.zoo import METHODS, Detector, MethodCard
from tests.user_set import IDS, PROGRAM, row_of, run, write_set

pytestmark = pytest.mark.faults
NUMBERS = count()  # a process knows a method's name once
PLUGIN = """
import ctypes, os, signal, sys, time
import numpy as np
import torch
from irsam_zoo.zoo import METHODS, Detector, MethodCard
{at_import}
HELD = []

@METHODS.register_module("{name}")
class Harmful(Detector):
    card = MethodCard(title="Harmful")
    def __init__(self, **options):
        {in_init}
        super().__init__(**options)
    def score(self, image):
        bad = image[0, 0] == 3
        {in_score}
        return image - image.mean()
{after}
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_set(tmp_path_factory.mktemp("data") / "mine")


@pytest.fixture
def plugin(tmp_path):
    """Writes a plug-in with lines of code in some places; gives the method's name and the file."""

    def write(**lines):
        name = f"harmful_{next(NUMBERS)}"
        places = dict(at_import="", in_init="pass", in_score="pass", after="")
        path = tmp_path / f"{name}.py"
        path.write_text(PLUGIN.format(name=name, **places | lines))
        return name, str(path)

    return write


ALL_IMAGES = {
    "raise": "raise ValueError('no luck')",
    "shape": "return image[:, :-1]",
    "transposed": "return image.T",
    "three axes": "return image[None]",
    "text": "return np.full(image.shape, 'x')",
    "complex": "return image * 1j",
    "dates": "return image.astype('datetime64[s]')",
    "NaN": "return np.full(image.shape, np.nan)",
    "infinite": "return image * 1e300",
    "nothing": "return None",
    "exit 0": "sys.exit(0)",
    "os._exit": "os._exit(0)",
    "recursion": "return self.score(image)",
    "an error without text": "class E(Exception):\\n            def __str__(self): raise OSError\\n        raise E",
    "escape sequences": "raise ValueError('\\x1b[31m\\x07')",
    "gigabytes": "return np.zeros((1 << 20, 1 << 25))",
    "class attribute": "type(self).card = None; raise ValueError",
}


def test_what_a_method_does_wrong_at_every_image_is_its_row_s_reason(folder, plugin, tmp_path, capfd, tried):
    made = {wrong: plugin(in_score=line.replace("\\n", "\n")) for wrong, line in ALL_IMAGES.items()}
    tried("plug-ins", len(made))
    names, files = zip(*made.values(), strict=True)
    assert run(folder, tmp_path / "out", *names, "top_hat", "--plugin", *files) == 1
    told = capfd.readouterr().err
    for wrong, name in zip(made, names, strict=True):
        row = row_of(tmp_path / "out", name)
        assert row["status"] == "failed", wrong
        assert row["reason"].startswith("8 of 8 images, first im0: "), wrong
        assert f"failed: {name} on mine: {row['reason']}" in told
    assert "\x1b" not in told
    assert "Traceback" not in told
    assert row_of(tmp_path / "out", "top_hat")["status"] == "ok"
    assert (tmp_path / "out" / "report" / "table1.md").is_file()


ONE_IMAGE = {
    "killed for memory": "if bad: os.kill(os.getpid(), signal.SIGKILL)",
    "crash": "if bad: ctypes.string_at(0)",
    "NaN": "if bad: return np.full(image.shape, np.nan)",
}


@pytest.mark.parametrize("wrong", ONE_IMAGE)
def test_one_image_that_takes_its_worker_along_is_left_out(folder, plugin, tmp_path, wrong, tried):
    tried("plug-ins")
    name, file = plugin(in_score=ONE_IMAGE[wrong])
    assert run(folder, tmp_path / "out", name, "top_hat", "--plugin", file, "--jobs", "2") == 1
    row = row_of(tmp_path / "out", name)
    assert (row["status"], row["n_images"], list(row["left_out"])) == ("incomplete", 7, ["im3"])
    assert row["metrics"]["exact"]["IoU"] is not None
    assert row_of(tmp_path / "out", "top_hat")["status"] == "ok"


LOOPS = {
    "forever": "while bad: pass",
    "sleeping": "time.sleep(1000 if bad else 0)",
    "deaf": "\n        while True:\n            try: time.sleep(1000)\n            except Exception: pass",
    "deaf to all": "\n        while True:\n            try: time.sleep(1000)\n            except BaseException: pass",
}


@pytest.mark.parametrize("loop", LOOPS)
def test_an_endless_loop_ends_after_the_time_an_image_may_take(folder, plugin, tmp_path, loop, monkeypatch, tried):
    tried("plug-ins")
    name, file = plugin(in_score=LOOPS[loop])
    assert run(folder, tmp_path / "out", name, "top_hat", "--plugin", file, "--timeout", "2", "--jobs", "2") == 1
    row = row_of(tmp_path / "out", name)
    if "\n" in LOOPS[loop]:  # at every image, and so that it is given up
        assert row["status"] == "failed"
        assert "given up after 3 images" in row["reason"]
    else:
        assert (row["status"], list(row["left_out"])) == ("incomplete", ["im3"])
        assert row["left_out"]["im3"] == "not done after 2 s"
    assert row_of(tmp_path / "out", "top_hat")["status"] == "ok"


def test_a_leak_costs_new_workers_and_no_image(folder, plugin, tmp_path, tried):
    """Each image leaves 400 MB behind: a worker with 1 GiB has room for two of the eight."""
    tried("plug-ins")
    name, file = plugin(in_score="HELD.append(np.ones(50_000_000))")
    assert run(folder, tmp_path / "out", name, "top_hat", "--plugin", file, "--memory-limit", "1", "--jobs", "1") == 0
    assert row_of(tmp_path / "out", name)["n_images"] == len(IDS)


def test_an_image_that_takes_more_memory_than_a_worker_has_is_left_out(folder, plugin, tmp_path, tried):
    tried("plug-ins")
    name, file = plugin(in_score="big = np.ones(400_000_000 if bad else 1)")
    assert run(folder, tmp_path / "out", name, "top_hat", "--plugin", file, "--memory-limit", "1", "--jobs", "2") == 1
    row = row_of(tmp_path / "out", name)
    assert list(row["left_out"]) == ["im3"]
    assert row["left_out"]["im3"].startswith("it took more memory than a worker has (MemoryError")


BROKEN = {
    "syntax": dict(at_import="def ("),
    "import": dict(at_import="import no_such_module_at_all"),
    "exit": dict(at_import="sys.exit(0)"),
    "os._exit": dict(at_import="os._exit(0)"),
    "a name of ours": dict(after="METHODS.register_module('top_hat')(Harmful)"),
    "after it registered": dict(after="1 / 0"),
    "init raises": dict(in_init="raise ValueError('no')"),
    "init raises another error": dict(in_init="raise OSError('no')"),
    "init exits": dict(in_init="os._exit(0)"),
    "no card": dict(after="Harmful.card = None"),
}


def test_a_plug_in_that_is_broken_costs_its_own_rows(folder, plugin, tmp_path, capsys, tried):
    tried("plug-ins", len(BROKEN))
    made = {wrong: plugin(**lines) for wrong, lines in BROKEN.items()}
    names, files = zip(*made.values(), strict=True)
    assert run(folder, tmp_path / "out", *names, "top_hat", "--plugin", *files) == 1
    for wrong, name in zip(made, names, strict=True):
        row = row_of(tmp_path / "out", name)
        assert (row["status"], bool(row["reason"])) == ("failed", True), wrong
    told = capsys.readouterr().err
    assert f"failed: plug-in {files[0]} does not import: SyntaxError" in told
    assert "Traceback" not in told
    assert row_of(tmp_path / "out", "top_hat")["status"] == "ok"


def test_two_plug_ins_with_one_name(folder, plugin, tmp_path, capsys, tried):
    tried("plug-ins")
    name, first = plugin()
    second = tmp_path / "second.py"
    second.write_text(Path(first).read_text())
    assert run(folder, tmp_path / "out", name, "--plugin", first, str(second)) == 1
    assert f"failed: plug-in {second} does not import: KeyError" in capsys.readouterr().err
    assert row_of(tmp_path / "out", name)["status"] == "ok"


CONFIGS = {
    "syntax": "method = dict(",
    "raises": "1 / 0",
    "exits": "import sys\nsys.exit(0)",
    "no method": "methods = 1",
    "no such method": "method = dict(type='no_such_method')",
    "unknown key": "method = dict(type='ipi', patchsize=5)",
    "out of range": "method = dict(type='ipi', patch_size='wide')",
    "unknown card key": "method = dict(type='ipi')\ncard = dict(autor='me')",
    "a list for a card": "method = dict(type='ipi')\ncard = [1]",
    "missing weights": "method = dict(type='acmnet', checkpoint='no_such_file.pth')",
    "a threshold of nothing": "method = dict(type='ipi', threshold='fixed(')",
}


def test_a_configuration_that_is_broken_costs_its_own_row(folder, tmp_path, capsys, tried):
    tried("configurations", len(CONFIGS))
    paths = []
    for number, text in enumerate(CONFIGS.values()):
        paths.append(tmp_path / f"config_{number}.py")
        paths[-1].write_text(text)
    assert run(folder, tmp_path / "out", *map(str, paths), "top_hat") == 1
    for wrong, path in zip(CONFIGS, paths, strict=True):
        assert row_of(tmp_path / "out", path.stem)["status"] == "failed", wrong
    assert "Traceback" not in capsys.readouterr().err
    assert row_of(tmp_path / "out", "top_hat")["status"] == "ok"


YAML = {
    "a shell command": "methods: !!python/object/apply:os.system ['touch {canary}']",
    "a call": "methods: !!python/object/apply:subprocess.check_call [['touch', '{canary}']]",
    "an import": "custom_imports: {{imports: [canary_module]}}\nmethods: [top_hat]",
    "a base": "_base_: base.py\nmethods: [top_hat]",
    "a key that it has not": "method: top_hat",
    "no mapping": "- top_hat",
    "cut": "methods: [top_hat",
}


@pytest.mark.parametrize("wrong", YAML)
def test_a_yaml_configuration_runs_no_code(folder, tmp_path, monkeypatch, capsys, wrong, tried):
    tried("configurations")
    canary = tmp_path / "canary"
    for module in ("base.py", "canary_module.py"):
        (tmp_path / module).write_text(f"open({str(canary)!r}, 'w').close()\n")
    monkeypatch.syspath_prepend(tmp_path)
    path = tmp_path / "run.yaml"
    path.write_text(YAML[wrong].format(canary=canary))
    assert door.main(["--config", str(path), "--datasets", str(folder), "--out", str(tmp_path / "out")]) == 2
    assert not canary.exists()
    assert capsys.readouterr().err.count("\n") == 1


def test_a_plug_in_that_changes_the_folder_moves_no_masks(folder, plugin, tmp_path, tried):
    tried("plug-ins", 3)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    made = [plugin(**{place: f"os.chdir({str(elsewhere)!r})"}) for place in ("at_import", "in_init", "in_score")]
    names, files = zip(*made, strict=True)
    command = ["--datasets", str(folder), "--out", "here", "--save-predictions", "--methods", *names, "top_hat"]
    done = subprocess.run([sys.executable, str(PROGRAM), *command, "--plugin", *files], cwd=tmp_path, check=False)
    assert done.returncode == 0
    assert not list(elsewhere.iterdir())
    assert len(list((tmp_path / "here" / "predictions").rglob("*.png"))) == 4 * len(IDS)


def test_a_broken_installed_plug_in_leaves_the_suite_alone(folder, tmp_path, tried):
    tried("plug-ins")
    info = tmp_path / "site" / "broken-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: broken\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[irsam_zoo.methods]\nbroken = broken_plug_in\n")
    (tmp_path / "site" / "broken_plug_in.py").write_text("import os\nos._exit(0)\n")
    command = [sys.executable, str(PROGRAM), "--datasets", str(folder), "--out", str(tmp_path / "out"), "--methods", "top_hat"]
    env = os.environ | {"PYTHONPATH": str(tmp_path / "site")}
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0
    assert "the installed plug-in broken_plug_in does not import: it ends the program" in done.stderr
    assert row_of(tmp_path / "out", "top_hat")["status"] == "ok"


def test_strict_ends_at_the_first_method_that_fails(folder, plugin, tmp_path, capsys, tried):
    tried("plug-ins")
    name, file = plugin(in_score="if bad: raise ValueError('no luck')")
    assert run(folder, tmp_path / "out", name, "top_hat", "--plugin", file, "--strict") == 1
    assert f"{name} on mine: 1 of 8 images left out, first im3: ValueError: no luck (--strict)" in capsys.readouterr().err
    assert not (tmp_path / "out" / "results" / "mine" / "irsam" / "top_hat.json").exists()


@pytest.mark.parametrize("room", [0, 1, 3])
def test_a_batch_that_does_not_fit_is_halved(room, tried):
    """A simulated GPU with room for so many images: none, so that each fails with the reason, or fewer than a batch."""
    tried("batches")
    name, batches = f"hungry_{next(NUMBERS)}", []

    @METHODS.register_module(name)
    class Hungry(Detector):
        card = MethodCard(title="Hungry")
        batch_size = 8

        def _score_batch(self, images):
            batches.append(len(images))
            if len(images) > room:
                raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")
            return images

    options = json.dumps({"type": name})
    cell = Cell(method=name, spec=name, options=options, dataset="synthetic", split="irsam", source="synthetic", lists="irsam")
    records = scoring.score_images(cell, range(8))
    assert len(records) == 8
    failures = [record for record in records if hasattr(record, "error")]
    assert len(failures) == (0 if room else 8)
    assert all("CUDA out of memory" in failure.error for failure in failures)
    assert max(batches[1:]) <= 4
    if room:
        batches.clear()
        scoring.score_images(cell, range(8))
        assert max(batches) <= 4, "the next batches are smaller from the start"
    METHODS.module_dict.pop(name)


def test_a_method_with_its_own_predict_batch_is_checked_too(tried):
    wrongs = {"NaN": lambda images: [np.full(i.shape, np.nan) for i in images], "fewer": lambda images: images[1:]}
    wrongs |= {"transposed": lambda images: [i.T[:-1] for i in images], "nothing": lambda images: None}
    tried("plug-ins", len(wrongs))
    for wrong, predict in wrongs.items():
        name = f"own_batch_{next(NUMBERS)}"
        METHODS.register_module(
            name,
            module=type(
                "Own", (Detector,), dict(card=MethodCard(title="Own"), predict_batch=lambda self, images, f=predict: f(images))
            ),
        )
        options = json.dumps({"type": name})
        cell = Cell(
            method=name, spec=name, options=options, dataset="synthetic", split="irsam", source="synthetic", lists="irsam"
        )
        assert all(hasattr(record, "error") for record in scoring.score_images(cell, range(2))), wrong
        METHODS.module_dict.pop(name)
