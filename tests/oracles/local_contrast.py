"""TLLCM and WSLCM cell by cell: every window is sorted whole, for each of the nine cells anew."""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

OFFSETS = [(i, j) for i in (-1, 0, 1) for j in (-1, 0, 1)]


def core(image):
    padded = np.pad(image, 1, mode="edge")
    kernel = np.array([[1, 2, 1], [2, 4, 2], [1, 2, 1]]) / 16
    return (sliding_window_view(padded, (3, 3)) * kernel).sum((2, 3))


def cell(image, size, offset, border):
    """HxWx(size*size): the pixels of the cell at an offset, counted in cells, from each pixel."""
    padded = np.pad(image, size + size // 2, mode=border)
    windows = sliding_window_view(padded, (size, size))
    down, right = (size * (1 + k) for k in offset)
    height, width = image.shape
    return windows[down : down + height, right : right + width].reshape(height, width, -1)


def mean_of_nine_largest(image, size, offset):
    return np.sort(cell(image, size, offset, "constant"), axis=-1)[..., -9:].mean(-1)


def contrast(image, size):
    surround = np.max([mean_of_nine_largest(image, size, o) for o in OFFSETS if o != (0, 0)], axis=0)
    surround = np.where(surround == 0, 1 / 9, surround)
    return core(image) ** 2 / surround - core(image)


def tllcm(image, scales=(9,)):
    return np.max([np.zeros(image.shape)] + [contrast(image, size) for size in scales], axis=0)


def wslcm(image, scales=(5, 7, 9, 11)):
    best = np.zeros(image.shape)
    for size in scales:
        irregularity = {o: mean_of_nine_largest(image, size, o) - cell(image, size, o, "edge").mean(-1) for o in OFFSETS}
        target = irregularity.pop((0, 0))
        background = np.array(list(irregularity.values()))
        difference = np.maximum(target - background.max(0), 0)
        spread = background.std(0, ddof=1)
        weight = target * difference / np.where(spread > 5, spread, 5)
        best = np.maximum(best, weight * np.maximum(contrast(image, size), 0))
    return best
