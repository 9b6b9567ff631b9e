"""Whole runs: what may go wrong in one of their methods, and what is kept from run to run."""

import os
import shutil
import subprocess
import sys
from dataclasses import replace
from itertools import count
from pathlib import Path

import pytest
import torch
from torch import nn

from irsam_zoo import ROOT
from irsam_zoo.engine.cell import Cell
from irsam_zoo.engine.rows import make_row
from irsam_zoo.results.recut import recut_rows
from irsam_zoo.results.row import Status
from irsam_zoo.results.store import ResultStore
from irsam_zoo.zoo import (
    METHODS,
    THRESHOLDS,
    MethodCard,
    UsageError,
    ZooError,
    build_method,
    build_threshold,
    load_plugin,
)
from irsam_zoo.zoo.neural import NeuralDetector
from irsam_zoo.zoo.reading import sha256_file
from irsam_zoo.zoo.weights.checkpoints import save_checkpoint

PROGRAM = str(ROOT / "run_benchmark.py")
NUMBERS = count()  # workers outlive a test, and know a name once
PLUGIN = """
import sys
from irsam_zoo.zoo import METHODS, Detector, MethodCard

@METHODS.register_module({name!r})
class Ends(Detector):
    card = MethodCard(title="Ends")
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        {in_init}
    def score(self, image):
        {in_score}
        return image - image.mean()
"""


@pytest.fixture
def plugin(tmp_path):
    """Writes a plug-in whose method runs a line of code; gives its path."""
    names = []

    def write(name, in_init="pass", in_score="pass"):
        names.append(name)
        path = tmp_path / f"{name.replace('/', '_')[:20]}.py"
        path.write_text(PLUGIN.format(name=name, in_init=in_init, in_score=in_score))
        return str(path)

    yield write
    for name in names:
        METHODS.module_dict.pop(name, None)


@pytest.mark.parametrize("line", ["sys.exit(3)", "quit()", "raise SystemExit('enough')", "raise RuntimeError('enough')"])
@pytest.mark.parametrize("place", ["in_init", "in_score"])
def test_a_method_that_ends_the_program_fails_alone(run_here, plugin, place, line):
    name = f"ends_{next(NUMBERS)}"
    rows = run_here("top_hat", name, "max_median", plugins=(plugin(name, **{place: line}),))
    assert [row.status for row in rows.values()] == [Status.OK, Status.FAILED, Status.OK]
    assert ("ends the program" in rows[name].reason) == ("Runtime" not in line)


def test_a_plugin_that_parses_arguments_says_that_it_ends_the_program(tmp_path, capfd):
    path = tmp_path / "parses.py"
    path.write_text("import argparse\nargparse.ArgumentParser().parse_args(['--no-such'])\n")
    with pytest.raises(ZooError, match=r"parses\.py does not import: it ends the program \(SystemExit: 2\)"):
        load_plugin(path)
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("name", ["net/resnet18", "net\\resnet18", "..", "m" * 230, "line\nbreak"])
def test_a_name_that_no_file_can_have_is_refused_before_the_run(run_here, plugin, tmp_path, name):
    with pytest.raises(UsageError, match="results are filed under this name"):
        run_here("top_hat", name, plugins=(plugin(name),))
    assert not (tmp_path / "out").exists()


def test_records_that_are_not_asked_for_stay_in_the_journal(run_here, plugin, tmp_path):
    log = tmp_path / "log"
    path = plugin("logging", in_score=f"open({str(log)!r}, 'a').write('x')")
    run_here("logging", plugins=(path,))
    before = len(log.read_text())  # the timed images among them
    run_here("logging", plugins=(path,), limit=1, save_predictions=True)
    assert len(log.read_text()) == before + 1
    row = run_here("logging", plugins=(path,))["logging"]
    assert len(log.read_text()) == before + 1
    assert row.n_images == 4
    run_here("logging", plugins=(path,), limit=2, save_predictions=True)
    assert len(log.read_text()) == before + 2


def test_a_checkpoint_that_is_replaced_in_between_is_read_again(run_here, tmp_path, monkeypatch):
    class Bias(NeuralDetector):
        card = MethodCard(title="Bias", family="deep")
        in_channels, mean, std = 1, (0.0,), (255.0,)

        def build_network(self):
            return nn.Conv2d(1, 1, 1)

    monkeypatch.setitem(METHODS.module_dict, "bias", Bias)
    path = tmp_path / "weights.safetensors"
    config = tmp_path / "biased.py"
    config.write_text(f"method = dict(type='bias', checkpoint={str(path)!r})")
    for bias, false_alarms in ((-9.0, 0.0), (9.0, 1.0)):
        save_checkpoint(path, {"weight": torch.zeros(1, 1, 1, 1), "bias": torch.tensor([bias])}, {})
        row = run_here(str(config))["biased"]
        assert row.metrics["exact"]["Fa"] == pytest.approx(false_alarms)
        assert row.weights.sha256 == row.key["files"]["checkpoint"] == sha256_file(path)


def test_a_list_that_grows_in_between_is_read_again(run_here, own_set):
    (own_set / "test.txt").write_text("im3\nim1\n")
    assert run_here("top_hat")["top_hat"].n_images == 2
    (own_set / "test.txt").write_text("im0\nim1\nim2\nim3\n")
    assert run_here("top_hat")["top_hat"].n_images == 4


def test_an_oracle_from_outside_is_one_class(run_here, tmp_path, monkeypatch):
    monkeypatch.setattr(THRESHOLDS, "_module_dict", dict(THRESHOLDS.module_dict))
    path = tmp_path / "oracle.py"
    path.write_text(
        "from irsam_zoo.zoo import THRESHOLDS, Oracle\n"
        "@THRESHOLDS.register_module('best_f1')\n"
        "class BestF1(Oracle):\n"
        "    def level(self, sweep):\n"
        "        tp, fp = sweep['tp'], sweep['fp']\n"
        "        return int((2 * tp / (tp[0] + tp + fp)).argmax())\n"
    )
    row = run_here("top_hat", plugins=(str(path),), threshold="best_f1")["top_hat"]
    best = run_here("top_hat", threshold="best_iou")["top_hat"]
    assert (row.status, row.threshold, row.oracle, row.from_sweep) == (Status.OK, "best_f1", True, True)
    assert row.metrics == best.metrics  # F1 grows with IoU
    assert row.metrics["exact"]["IoU"] == 1
    with pytest.raises(UsageError, match="leave out --save-predictions"):
        run_here("top_hat", threshold="best_f1", save_predictions=True)


def test_a_lost_journal_costs_one_row(run_here, tmp_path):
    run_here("top_hat", "max_median")
    store = ResultStore(tmp_path / "out")
    shutil.rmtree(store.journal("mine", "irsam", "max_median").path)
    rows = {row.method: row for row in recut_rows(store.rows(), store, build_threshold("minmax(0.5)"))}
    assert (rows["top_hat"].threshold, rows["top_hat"].status) == ("minmax(0.5)", Status.OK)
    assert rows["max_median"].status is Status.FAILED
    assert "max_median does not hold the images" in rows["max_median"].reason


def test_a_resumed_row_keeps_the_processor_that_did_the_work(run_here, tmp_path, monkeypatch):
    first = run_here("top_hat")["top_hat"]
    store = ResultStore(tmp_path / "out")
    store.write_row(replace(first, speed=replace(first.speed, processor="an older one")), store.records(first))
    again = run_here("top_hat")["top_hat"]
    assert (again.speed.processor, again.speed.fps) == ("an older one", first.speed.fps)


@pytest.mark.parametrize(("batch_size", "how"), [(1, "one thread a worker"), (4, "median over batches")])
def test_a_row_on_cuda_says_how_its_images_were_scored(run_here, tmp_path, batch_size, how):
    row = run_here("top_hat")["top_hat"]
    records = ResultStore(tmp_path / "out").records(row)
    cell = Cell(method="top_hat", spec="top_hat", options='{"type": "top_hat"}', dataset="mine", split="irsam",
                source="mine", lists="irsam", device="cuda")  # fmt: skip
    detector = build_method("top_hat")
    detector.batch_size, detector.device = batch_size, "cuda"
    made = make_row(cell, detector, records, n_split=4, status=Status.OK, reason=None)
    assert how in made.speed.how
    assert made.speed.processor == row.speed.processor


def test_a_locale_without_utf8_ends_no_run(own_set, plugin, tmp_path):
    path = plugin("northern")
    Path(path).write_text(Path(path).read_text().replace('title="Ends"', 'title="Gr\u00f6\u00dfe \u2192"'), encoding="utf-8")
    command = [
        sys.executable,
        PROGRAM,
        "--methods",
        "northern",
        "--plugin",
        path,
        "--datasets",
        own_set,
        "--out",
        tmp_path / "o",
    ]
    poor = os.environ | {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "PYTHONIOENCODING": "ascii:strict"}
    done = subprocess.run([*map(str, command)], env=poor, capture_output=True)
    assert done.returncode == 0, done.stderr
    for name in ("table1.md", "table1.tex"):
        assert "Gr\u00f6\u00dfe \u2192" in (tmp_path / "o" / "report" / name).read_text(encoding="utf-8")
