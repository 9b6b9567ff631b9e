"""How fast a network is, and how much it computes."""

import time

import numpy as np
from torch.utils.flop_counter import FlopCounterMode

WARM_UP = 2
RUNS = 20
SECONDS = 3.0


def profile_network(detector, shape):
    """Time and FLOPs of a `NeuralDetector` for single images of one size.

    Arguments:
        detector (NeuralDetector): On the device that is asked about.
        shape: (H, W) of the image in px.

    Returns:
        dict: ``fps`` and ``seconds_an_image``: median over up to 20 images or 3 seconds after a warm-up, from the grey image
        to the score map at its size, transfers included; ``flops``: of convolutions, matrix products and attention alone,
        a multiplication and an addition counted as two; ``how``: one line that says so.
    """
    image = np.random.default_rng(0).integers(0, 256, shape).astype(np.uint8)
    with FlopCounterMode(display=False) as counter:
        detector.predict(image)
    for _ in range(WARM_UP):
        detector.predict(image)
    seconds = []
    while len(seconds) < RUNS and sum(seconds) < SECONDS:
        start = time.perf_counter()
        detector.predict(image)
        seconds.append(time.perf_counter() - start)
    median = float(np.median(seconds))
    return {
        "fps": 1 / median,
        "seconds_an_image": median,
        "flops": counter.get_total_flops(),
        "how": f"median of {len(seconds)} single images of {shape[0]}x{shape[1]} on {detector.device.type}, after a warm-up",
    }
