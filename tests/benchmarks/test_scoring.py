"""What a benchmark spends on an image besides the method: reading it, and each part of its record, for Top-Hat's map.

Times of single calls are of the wall clock, ratios are of processor time.
"""

import time

import cv2
import numpy as np
import pytest

from irsam_zoo.datasets import build_dataset
from irsam_zoo.metrics import history, quantize, sweep
from irsam_zoo.metrics.counts import count_scene
from irsam_zoo.metrics.scene import Scene
from irsam_zoo.metrics.signal import signal_of_scene
from irsam_zoo.results.measure import make_record
from irsam_zoo.results.record import pack_sweep
from irsam_zoo.zoo import build_method
from tests.benchmarks.builders import seconds
from tests.benchmarks.scenes import scene
from tests.metrics.builders import assert_same_history
from tests.oracles import history as oracle

ROUNDS = 9


@pytest.fixture(scope="module", params=[256, 512])
def scored(request):
    """A scene with the map and the mask of Top-Hat, and the record of it."""
    method, made = build_method("top_hat"), scene(request.param)
    made.method, made.score = method, method.predict(made.item["image"])
    made.mask = method.threshold(made.score)
    made.record = make_record(made.item, made.score, made.mask, "raw")
    return made


def found(scored):
    """A scene whose components are found already."""
    new = Scene(scored.item["label"], scored.mask)
    assert len(new.targets) == 8
    assert len(new.predictions) > 0
    return new


def test_method(benchmark, scored):
    score = benchmark.pedantic(scored.method.predict, args=(scored.item["image"],), rounds=ROUNDS)
    np.testing.assert_array_equal(score, scored.score)


def test_read(benchmark, scored, tmp_path):
    for folder, key in (("images", "image"), ("masks", "label")):
        (tmp_path / folder).mkdir()
        cv2.imwrite(str(tmp_path / folder / "scene.png"), scored.item[key])
    dataset = build_dataset(str(tmp_path), split="all")
    item = benchmark.pedantic(dataset.__getitem__, args=(0,), rounds=ROUNDS)
    np.testing.assert_array_equal(item["image"], scored.item["image"])


def test_scoring(benchmark, scored):
    """All that is done with a map."""
    args = (scored.item, scored.score, scored.mask, "raw")
    record = benchmark.pedantic(make_record, args=args, rounds=ROUNDS)
    assert record == scored.record
    ours = seconds(make_record, *args, repeats=ROUNDS, clock=time.process_time)
    method = seconds(scored.method.predict, scored.item["image"], repeats=ROUNDS, clock=time.process_time)
    benchmark.extra_info["over the method"] = ours / method


PARTS = {
    "components": lambda scored, new: found(scored),
    "count": lambda scored, new: count_scene(new),
    "signal": lambda scored, new: signal_of_scene(new, scored.item["image"], scored.score),
    "sweep": lambda scored, new: pack_sweep(sweep.sweep_scene(quantize(scored.score, "raw"), new)),
}


@pytest.mark.parametrize("part", PARTS)
def test_part(benchmark, scored, part):
    result = benchmark.pedantic(PARTS[part], setup=lambda: ((scored, found(scored)), {}), rounds=ROUNDS)
    expected = {"count": scored.record.counts, "signal": scored.record.signal, "sweep": scored.record.sweep}
    assert result == expected.get(part, result)


def test_component_tree_beside_numpy(benchmark, scored, monkeypatch):
    levels = quantize(scored.score, "raw")
    benchmark.pedantic(history.component_history, args=(levels,), rounds=ROUNDS)
    assert_same_history(levels)
    monkeypatch.setattr(sweep, "component_history", oracle.component_history)
    assert pack_sweep(sweep.sweep_image(levels, scored.item["label"])) == scored.record.sweep
    ours, plain = (
        seconds(module.component_history, levels, repeats=ROUNDS, clock=time.process_time) for module in (history, oracle)
    )
    benchmark.extra_info["numpy ratio"] = plain / ours
