"""How fast a method is, how much a network computes, and in how much memory.

The protocol: single images, read before the clock starts, one after the other, from the grey image to the score map at its
size, transfers included; a warm-up; the median and the quartiles of up to `RUNS` runs or `SECONDS`. Nothing else of the suite
runs meanwhile, and where the processor was given to other programs it is told. Memory is of a CUDA device alone: what PyTorch
had in use there at most, weights included. FLOPs are of convolutions, matrix products and attention alone; a multiplication
with its addition is one MAC and two FLOPs. Not counted are batch norm, activations, pooling and resizing.
"""

import time
from collections.abc import Callable, Sequence
from statistics import quantiles
from typing import TYPE_CHECKING

import numpy as np

from irsam_zoo.engine.cell import Cell, cell_dataset, cell_detector, network_of
from irsam_zoo.engine.scoring import at_metric_size
from irsam_zoo.results.row import Speed
from irsam_zoo.runtime.hardware import computing_threads, device_name, device_type, wait_for
from irsam_zoo.runtime.workers import in_time
from irsam_zoo.zoo import Detector
from irsam_zoo.zoo.errors import FAILURES

if TYPE_CHECKING:
    import torch

RUNS = 20
SECONDS = 1.0
TIMED = 8  # images' time that a measurement may take: those of `SECONDS`, and of a network some more for its FLOPs and memory
IMAGES = 4  # that a row's speed is of, spread over the test list
GPU_STARTS = 2  # predictions that a GPU is given first, uncounted: it loads and picks its kernels meanwhile, for seconds
BUSY = 0.9  # of a thread's wall time; with less of it the processor was given to others
NOT_COUNTED = "batch norm, activations, pooling and resizing"


def speed_of(cell: Cell, number: int) -> Speed | None:
    """The `Speed` of a cell's method on a few of the first images of its test set, of one size.

    Arguments:
        cell (Cell): The method and the data set.
        number: How many images there are to choose from, at least one.

    Returns:
        Speed | None: None where the method or an image fails, which the scoring will tell.
    """
    try:
        detector, dataset = cell_detector(cell), cell_dataset(cell)
        items = (dataset[index] for index in range(0, number, -(-number // IMAGES)))
        images = [at_metric_size(cell, detector, item)["image"] for item in items]
        with in_time(cell.timeout and cell.timeout * TIMED):
            speed = measure_speed(detector, [image for image in images if image.shape == images[0].shape])
        detector.take_notes()
    except FAILURES:
        return None
    return speed


def measure_speed(detector: Detector, images: Sequence[np.ndarray], *, runs: int = RUNS, seconds: float = SECONDS) -> Speed:
    """The `Speed` of a method for single images, by the protocol above.

    Arguments:
        detector (Detector): On the device that is asked about.
        images: HxW grey images, at least one, taken in turn. Size and device are told of the first.
        runs, seconds: Where to stop. An image that alone takes longer is timed once, at its first prediction, or at the first
            after those that count FLOPs and start a GPU.
    """
    network, kind = network_of(detector), device_type(detector.device)
    first = images[0]
    flops = None
    if network:
        from irsam_zoo.engine.network_profile import count_flops, network_seconds, peak_memory  # which need PyTorch

        flops = count_flops(network, first)  # a warm-up, as well
    warm_up = int(network is not None) + _start(lambda: detector.predict(first), detector.device)
    times = [timed(lambda: detector.predict(first), detector.device)]
    if times[0][0] < seconds:
        warm_up, times = warm_up + 1, []
    while not times or (len(times) < runs and sum(wall for wall, _ in times) < seconds):
        image = images[len(times) % len(images)]
        times.append(timed(lambda image=image: detector.predict(image), detector.device))
    walls = [wall for wall, _ in times]
    lower, median, upper = quantiles(walls, n=4, method="inclusive") if len(walls) > 1 else walls * 3
    threads = computing_threads()
    height, width = first.shape
    return Speed(
        fps=1 / median,
        seconds_an_image=median,
        lower_quartile=lower,
        upper_quartile=upper,
        network_seconds=network_seconds(network, first, len(walls)) if network else None,
        flops=flops,
        memory=peak_memory(network, first) if network else None,
        how=f"median of {len(walls)} single images of {height}x{width} on {kind}, "
        + (f"{threads} thread{'s' * (threads > 1)}, " if kind == "cpu" else "")
        + ("after a warm-up" if warm_up else "without a warm-up"),
        processor=device_name(detector.device),
        device=kind,
        threads=threads,
        dtype=detector.precision,
        height=height,
        width=width,
        runs=len(walls),
        warm_up=warm_up,
        quiet=kind != "cpu" or sum(used for _, used in times) >= BUSY * sum(walls),
    )


def best_batch(detector: Detector, image: np.ndarray, sizes: Sequence[int] = (2, 4, 8, 16)) -> tuple[int, float]:
    """The batch size of most images a second, and those: (int, float), of sizes up to the detector's own.

    Arguments:
        detector (Detector): As for `measure_speed`.
        image (np.ndarray): HxW grey image, repeated.
        sizes: To try besides 1. A method that takes images one by one has only that.
    """
    device = detector.device
    rates = {}
    for size in (1, *(size for size in sizes if size <= detector.batch_size)):
        batch = [image] * size
        _start(lambda batch=batch: detector.predict_batch(batch), device)
        walls = [timed(lambda batch=batch: detector.predict_batch(batch), device)[0]]
        while len(walls) < 4 and sum(walls) < SECONDS:
            walls.append(timed(lambda batch=batch: detector.predict_batch(batch), device)[0])
        rates[size] = size / min(walls)
    best = max(rates, key=rates.__getitem__)
    return best, rates[best]


def _start(function: Callable[[], object], device: "str | torch.device") -> int:
    """Call a function as often as a GPU needs before its time can be told; how often."""
    calls = GPU_STARTS if device_type(device) == "cuda" else 0
    for _ in range(calls):
        function()
    return calls


def timed(function: Callable[[], object], device: "str | torch.device") -> tuple[float, float]:
    """Wall seconds and processor seconds of a call, until the device is done."""
    wait = wait_for(device)
    wait()
    wall, used = time.perf_counter(), time.process_time()
    function()
    wait()
    return time.perf_counter() - wall, time.process_time() - used
