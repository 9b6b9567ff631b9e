"""Images and times for the benchmarks."""

import time

import numpy as np
from scipy.ndimage import gaussian_filter


def clouds(side):
    """8-bit clouds of several sizes with sensor noise and three small targets."""
    rng = np.random.default_rng(7)
    image = rng.normal(0, 2, (side, side))
    for sigma in (3, 10, 30):
        image += 25 * sigma * gaussian_filter(rng.normal(size=(side, side)), sigma, mode="wrap")
    image += 100
    for row, column in rng.integers(10, side - 10, (3, 2)):
        image[row - 1 : row + 2, column - 1 : column + 2] += 60
    return np.clip(np.round(image), 0, 255)


def seconds(function, *arguments, repeats=1, clock=time.perf_counter):
    """Best time of a few calls."""
    times = []
    for _ in range(repeats):
        start = clock()
        function(*arguments)
        times.append(clock() - start)
    return min(times)
