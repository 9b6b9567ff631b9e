"""Rows and their speed, and cuts from the stored sweep."""

import json
from concurrent.futures import Future
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image
from scipy.special import expit
from torch import nn

from irsam_zoo.datasets import build_dataset
from irsam_zoo.engine.cell import Cell
from irsam_zoo.engine.evaluate import evaluate, pixel_digests
from irsam_zoo.engine.network_profile import peak_memory
from irsam_zoo.engine.profiling import measure_speed
from irsam_zoo.engine.rows import make_row
from irsam_zoo.engine.scoring import score_images
from irsam_zoo.metrics import count_image, quantize
from irsam_zoo.results.recut import _level, recut
from irsam_zoo.results.row import Speed, Status
from irsam_zoo.results.store import ResultStore
from irsam_zoo.zoo import METHODS, MethodCard, build_method, build_threshold
from irsam_zoo.zoo.neural import NeuralDetector
from irsam_zoo.zoo.thresholds import ScoreStatistics


def cell_of(method, **options):
    text = json.dumps({"type": method, **options}, sort_keys=True)
    return Cell(method=method, spec=method, options=text, dataset="synthetic", split="irsam", source="synthetic", lists="irsam")


@pytest.fixture
def tiny():
    """A registered network of one convolution, with weights."""

    @METHODS.register_module("tiny_net")
    class TinyNet(NeuralDetector):
        card = MethodCard(title="Tiny", family="deep")
        in_channels, mean, std = 1, (0.0,), (255.0,)

        def build_network(self):
            torch.manual_seed(0)
            return nn.Conv2d(1, 1, 3, padding=1)

        def unavailable(self):
            return None

    yield "tiny_net"
    METHODS.module_dict.pop("tiny_net")


class Inline:
    """An executor that runs a task where it is handed in."""

    workers = 1

    def submit(self, function, *arguments):
        future = Future()
        future.set_result(function(*arguments))
        return future

    def alone(self, function, *arguments):
        return function(*arguments)


@pytest.mark.parametrize("policy", ["minmax(0.5)", "adaptive(0.7, 0.5)", "mean_std(4)"])
def test_cut_from_the_sweep_is_the_cut_to_a_level(policy):
    cell = cell_of("top_hat", threshold=policy)
    records = score_images(cell, range(8))
    row = make_row(cell, build_method("top_hat", threshold=policy), records, n_split=40, status=Status.OK, reason=None)
    cut = recut(row, records, build_threshold(policy))
    assert cut.from_sweep
    assert cut.strata is None
    assert cut.metrics["exact"]["hIoU"] is None
    for metric in ("IoU", "nIoU", "Pd"):
        assert cut.metrics["exact"][metric] == pytest.approx(row.metrics["exact"][metric], abs=0.02)


@pytest.mark.parametrize("policy", ["fixed(0)", "fixed(0.5)", "fixed(2)", "fixed(-1)", "minmax(0.2)", "minmax(1)"])
@pytest.mark.parametrize("kind", ["raw", "logit", "probability"])
def test_level_is_the_next_above_the_cut(policy, kind):
    """No pixel at or under the cut is taken, and none is missed that is a level above it."""
    score = np.maximum(np.random.default_rng(0).normal(0, 1, (30, 40)), 0)
    score = score / score.max() if kind == "probability" else score
    statistics = ScoreStatistics.of(score)
    cut = build_threshold(policy).cut_at(statistics)
    taken = quantize(score, kind) >= _level(build_threshold(policy), statistics, kind)
    scales = dict(logit=expit, probability=lambda values: values)
    scale = scales.get(kind, lambda values: (values - statistics.low) / (statistics.high - statistics.low))
    assert not taken[score <= cut].any()
    assert taken[scale(score) > scale(cut) + 1 / 255].all()


def test_network_is_profiled_once_and_its_speed_kept(tiny, tmp_path):
    torch.manual_seed(0)
    cell, store = cell_of(tiny), ResultStore(tmp_path)
    digests = pixel_digests(build_dataset("synthetic"))
    first = evaluate(cell, store, None, digests, limit=3)
    again = evaluate(cell, store, None, digests, limit=3)
    assert first.n_images == 3
    assert first.params == 10
    assert again == first
    height, width = score_images(cell, [0])[0].height, score_images(cell, [0])[0].width
    assert first.speed.flops == 2 * 9 * height * width
    assert measure_speed(build_method(tiny), [np.zeros((32, 48), np.uint8)]).flops == 2 * 9 * 32 * 48


def test_a_slow_method_has_the_median_of_its_images_on_the_processor_that_was_timed():
    cell = cell_of("top_hat")
    records = score_images(cell, range(4))
    records = [replace(record, seconds=s, processor=p) for record, s, p in zip(records, (1, 4, 9, 70), "aaab", strict=True)]
    one = Speed(fps=0.5, seconds_an_image=2.0, runs=1, processor="a")
    row = make_row(cell, build_method("top_hat"), records, n_split=40, status=Status.OK, reason=None, speed=one)
    assert (row.speed.fps, row.speed.runs) == (0.25, 3)


def test_a_slow_network_keeps_its_single_run(tiny):
    cell, one = cell_of(tiny), Speed(fps=0.5, seconds_an_image=2.0, runs=1, processor="a")
    records = [replace(record, processor="a") for record in score_images(cell, range(2))]
    row = make_row(cell, build_method(tiny), records, n_split=40, status=Status.OK, reason=None, speed=one)
    assert row.speed == one


def test_memory_is_the_peak_of_a_prediction_on_a_gpu(tiny, monkeypatch):
    assert measure_speed(build_method(tiny), [np.zeros((32, 48), np.uint8)]).memory is None
    told = []
    monkeypatch.setattr(torch.cuda, "reset_peak_memory_stats", lambda device: told.append("reset"))
    monkeypatch.setattr(torch.cuda, "max_memory_allocated", lambda device: told.append("read") or 1234)
    network = SimpleNamespace(device=torch.device("cuda"), predict=lambda image: told.append("predict"))
    assert peak_memory(network, None) == 1234
    assert told == ["reset", "predict", "read"]


def test_metrics_at_the_size_of_the_input(tiny, tmp_path):
    dataset, store = build_dataset("synthetic"), ResultStore(tmp_path)
    digests = pixel_digests(dataset)
    cell = cell_of(tiny, input_size=64)
    native = evaluate(cell, store, None, digests, limit=3)
    resized = evaluate(replace(cell, metric_size="input"), store, None, digests, limit=3)
    assert (native.metric_size, resized.metric_size) == ("native", "64x64")
    assert native.fingerprint == resized.fingerprint  # of the images as they are stored
    assert {(record.height, record.width) for record in store.records(resized)} == {(64, 64)}
    detector, counts = build_method(tiny, input_size=64), []
    for item in (dataset[index] for index in range(3)):
        small = np.array(Image.fromarray(item["image"]).resize((64, 64), Image.Resampling.BILINEAR))
        mask = np.array(Image.fromarray(item["label"]).resize((64, 64), Image.Resampling.NEAREST))
        with torch.inference_mode():
            logits = detector.network(torch.from_numpy(small)[None, None] / 255)[0, 0].numpy()
        counts.append(count_image(logits > 0, mask))
    assert [record.counts for record in store.records(resized)] == counts
    classical = evaluate(replace(cell_of("top_hat"), metric_size="input"), store, Inline(), digests, limit=1)
    assert classical.metric_size == "native"
    assert store.records(classical)[0].height == dataset[0]["image"].shape[0]
