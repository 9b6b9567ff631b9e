import json

import numpy as np
import pytest
import torch

from irsam_zoo.commands import door
from irsam_zoo.engine import network_profile, profiling
from irsam_zoo.engine.network_profile import count_flops, parameters_by_part
from irsam_zoo.engine.profiling import best_batch, measure_speed
from irsam_zoo.zoo import Detector, build_method


class Clock:
    """Stands in for the clocks: a prediction takes as long as it is told, of which it has the processor for a share."""

    def __init__(self, seconds, share):
        self.seconds, self.share = list(seconds), share
        self.wall = self.used = 0.0

    def perf_counter(self):
        return self.wall

    def process_time(self):
        return self.used

    def spend(self, images=1):
        seconds = self.seconds.pop(0) if len(self.seconds) > 1 else self.seconds[0]
        self.wall, self.used = self.wall + seconds, self.used + seconds * self.share


@pytest.fixture
def timed(monkeypatch):
    """A detector whose predictions take these seconds."""

    def make(*seconds, share=1.0, overhead=0.0, on="cpu"):
        clock = Clock(seconds, share)

        class Timed(Detector):
            batch_size = 8
            device = torch.device(on)

            def predict(self, image):
                clock.spend()
                seen.append(image.shape)

            def predict_batch(self, images):
                clock.wall += overhead + len(images) * clock.seconds[0]
                clock.seconds = clock.seconds[1:] or clock.seconds

        monkeypatch.setattr(profiling, "time", clock)
        monkeypatch.setattr(torch.cuda, "synchronize", lambda device: None)
        monkeypatch.setattr(profiling, "device_name", str)
        seen.clear()
        return Timed()

    seen = make.seen = []
    return make


IMAGE = np.zeros((20, 30), np.uint8)


def test_the_median_and_quartiles_are_of_runs_after_a_warm_up(timed):
    speed = measure_speed(timed(0.9, 0.1, 0.2, 0.3, 0.45), [IMAGE])
    assert (speed.runs, speed.warm_up, len(timed.seen)) == (4, 1, 5)
    assert speed.seconds_an_image == pytest.approx(0.25)
    assert (speed.lower_quartile, speed.upper_quartile) == pytest.approx((0.175, 0.3375))
    assert speed.fps == pytest.approx(4)
    assert (speed.height, speed.width, speed.device, speed.quiet) == (20, 30, "cpu", True)
    assert "median of 4 single images of 20x30 on cpu, 1 thread, after a warm-up" in speed.how


def test_an_image_that_takes_long_is_timed_once(timed):
    speed = measure_speed(timed(70.0), [IMAGE, IMAGE])
    assert (speed.runs, speed.warm_up, len(timed.seen), speed.seconds_an_image) == (1, 0, 1, 70)
    assert "without a warm-up" in speed.how


def test_what_a_gpu_takes_to_start_is_no_warm_up_that_was_too_long(timed):
    speed = measure_speed(timed(9.0, 2.0, 0.5, 0.3, on="cuda"), [IMAGE])
    assert (speed.runs, speed.warm_up, len(timed.seen)) == (4, 3, 7)
    assert speed.seconds_an_image == pytest.approx(0.3)
    assert "median of 4 single images of 20x30 on cuda, after a warm-up" in speed.how


def test_a_network_is_warm_once_its_work_is_counted(monkeypatch):
    detector = build_method("acmnet", weights=None)
    clock = Clock([70.0], 1.0)
    monkeypatch.setattr(profiling, "time", clock)
    monkeypatch.setattr(detector, "predict", lambda image: clock.spend())
    monkeypatch.setattr(network_profile, "count_flops", lambda detector, image: 1)
    speed = measure_speed(detector, [IMAGE])
    assert (speed.runs, speed.warm_up) == (1, 1)
    assert "after a warm-up" in speed.how


def test_a_processor_that_others_had_is_told(timed):
    assert not measure_speed(timed(0.3, share=0.6), [IMAGE]).quiet


def test_the_best_batch_is_that_of_most_images_a_second(timed):
    size, rate = best_batch(timed(0.1, overhead=1.0), IMAGE)
    assert (size, rate) == (8, pytest.approx(8 / 1.8))
    size, rate = best_batch(timed(3.0, 3.0, 0.1, on="cuda"), IMAGE)
    assert (size, rate) == (1, pytest.approx(10))


def test_the_command_writes_a_line_for_each_method_and_size(tmp_path, capsys):
    arguments = ["profile", "--methods", "top_hat", "max_median", "--size", "32", "48", "--device", "cpu"]
    assert door.main([*arguments, "--out", str(tmp_path)]) == 0
    assert capsys.readouterr().out == (tmp_path / "profile.md").read_text()
    lines = json.loads((tmp_path / "profile.json").read_text())
    assert [(line["method"], line["speed"]["height"]) for line in lines] == [
        ("top_hat", 32), ("top_hat", 48), ("max_median", 32), ("max_median", 48)
    ]  # fmt: skip
    assert all(line["speed"]["threads"] == 1 and line["speed"]["lower_quartile"] > 0 for line in lines)
    assert door.main([*arguments, "--threads", "0"]) == 2


def test_parts_and_work_of_a_network():
    detector = build_method("acmnet", weights=None)
    parts = parameters_by_part(detector)
    assert sum(parts.values()) == detector.num_parameters
    assert len(parts) > 2
    assert count_flops(detector, IMAGE) > 2 * detector.num_parameters
