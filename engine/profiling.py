"""How fast a network is, how much it computes, and in how much memory."""

import time

import numpy as np
import torch
from torch.utils.flop_counter import FlopCounterMode

from engine.hardware import device_name
from results.row import Speed

WARM_UP = 1  # the counting of FLOPs is another
RUNS = 20
SECONDS = 3.0


def profile_network(detector, shape):
    """Time, FLOPs and memory of a `NeuralDetector` for single images of one size.

    Arguments:
        detector (NeuralDetector): On the device that is asked about.
        shape: (H, W) of the image in px.

    Returns:
        Speed: Of the median over up to 20 images or 3 seconds after a warm-up, from the grey image to the score map at its
        size, transfers included. FLOPs are of convolutions, matrix products and attention alone, a multiplication and an
        addition counted as two. Memory is of a CUDA device alone: what PyTorch had in use there at most, weights included.
    """
    image = np.random.default_rng(0).integers(0, 256, shape).astype(np.uint8)
    flops = count_flops(detector, image)
    for _ in range(WARM_UP):
        detector.predict(image)
    memory = peak_memory(detector, image)
    seconds = []
    while len(seconds) < RUNS and sum(seconds) < SECONDS:
        start = time.perf_counter()
        detector.predict(image)
        seconds.append(time.perf_counter() - start)
    median = float(np.median(seconds))
    return Speed(
        fps=1 / median,
        seconds_an_image=median,
        flops=flops,
        memory=memory,
        how=f"median of {len(seconds)} single images of {shape[0]}x{shape[1]} on {detector.device.type}, after a warm-up",
        processor=device_name(detector.device),
    )


def count_flops(detector, image):
    """FLOPs of one prediction of a `NeuralDetector`, as in `profile_network`."""
    learned = [parameter for parameter in detector.network.parameters() if parameter.requires_grad]
    # The counter wants a gradient function of a module's inputs that require gradients, and a parameter that is one has none.
    detector.network.requires_grad_(False)
    try:
        with FlopCounterMode(display=False) as counter:
            detector.predict(image)
    finally:
        for parameter in learned:
            parameter.requires_grad_(True)
    return counter.get_total_flops()


def peak_memory(detector, image):
    """Bytes in use at most during one prediction of a `NeuralDetector`, as in `profile_network`; None without CUDA."""
    if detector.device.type != "cuda":
        return None
    torch.cuda.reset_peak_memory_stats(detector.device)
    detector.predict(image)
    return torch.cuda.max_memory_allocated(detector.device)
