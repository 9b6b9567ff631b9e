"""How the processor time of scoring around a method grows, with the exponents of power laws fitted to it, as a figure.

What an image costs without any target or false alarm is in the time, so that of the last step shows more of the growth.
"""

import time

import numpy as np
import pytest

from irsam_zoo.reports.figures.style import PAGE, PALETTE, canvas, encoded, styled
from irsam_zoo.results.measure import make_record
from irsam_zoo.zoo import build_method
from tests.benchmarks.builders import seconds
from tests.benchmarks.scenes import scene

SIZES = {
    "side": (64, 128, 256, 512, 1024),
    "targets": (1, 4, 16, 64, 256, 1024),
    "false_alarms": (1, 4, 16, 64, 256, 1024),
}
LABELS = {
    "side": "Image side, px (Top-Hat's map, 8 targets)",
    "targets": "Targets at 512x512 (map else 0)",
    "false_alarms": "False alarms at 512x512 (map else 0)",
}
REPEATS = 5


@pytest.fixture(scope="module")
def curves(figures):
    """Seconds by what grows, which tests fill in; drawn when all of it is there."""
    times = {}
    yield times
    if times.keys() == SIZES.keys():
        (figures / "scaling.png").write_bytes(drawn(times))


@pytest.mark.parametrize("name", SIZES)
def test_scaling(benchmark, curves, name):
    cases = [case(name, size) for size in SIZES[name]]
    record = benchmark.pedantic(make_record, args=cases[-1], rounds=2)
    times = [seconds(make_record, *args, repeats=REPEATS, clock=time.process_time) for args in cases]
    if name == "targets":
        assert record.counts["targets"] == record.counts["matched"] == SIZES[name][-1]
    if name == "false_alarms":
        assert record.counts["components"] - record.counts["matched"] == SIZES[name][-1]
    benchmark.extra_info["exponent"] = fitted(SIZES[name], times)[0]
    benchmark.extra_info["of the last step"] = fitted(SIZES[name][-2:], times[-2:])[0]
    benchmark.extra_info["seconds"] = dict(zip(map(str, SIZES[name]), times, strict=True))
    curves[name] = times


def case(name, size):
    """Arguments of `make_record`."""
    if name != "side":
        made = scene(512, **{name: size})
        return made.item, made.score, made.mask, "raw"
    method, item = build_method("top_hat"), scene(size).item
    score = method.predict(item["image"])
    return item, score, method.threshold(score), "raw"


def fitted(sizes, times):
    """Exponent and logarithm of the factor of the power law nearest to times, by least squares of logarithms."""
    return np.polyfit(np.log(sizes), np.log(times), 1).tolist()


def drawn(curves):
    """The figure as a PNG."""
    with styled():
        figure, axes = canvas(PAGE, 2.3, 1, 3, sharey=True)
        for axis, (name, times) in zip(axes, curves.items(), strict=True):
            sizes = np.array(SIZES[name])
            exponent, factor = fitted(sizes, times)
            last, _ = fitted(sizes[-2:], times[-2:])
            axis.loglog(sizes, np.multiply(times, 1000), "o-", color=PALETTE[0], lw=0.8)
            axis.loglog(sizes, 1000 * np.exp(factor) * sizes**exponent, "--", color=PALETTE[1], lw=0.8)
            axis.set_xticks(sizes, sizes)
            axis.minorticks_off()
            axis.set(xlabel=LABELS[name], title=f"Exponent {exponent:.2f} (dashed); of the last step {last:.2f}")
        axes[0].set_ylabel("Scoring an image, ms")
        return encoded(figure, "Scaling", f"Processor time of scoring around a method, least of {REPEATS} runs.")["png"]
