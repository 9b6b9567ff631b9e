"""Windows of an image and the ways back, pixel by pixel."""

import numpy as np


def window_corners(height, width, size, step):
    """Upper left corners in the order of gen_patch_ten.m: columns outer, the last window of a side on the border."""

    def starts(length):
        count = int(np.ceil((length - size) / step)) + 1
        return [k * step for k in range(count - 1)] + [length - size]

    return [(row, column) for column in starts(width) for row in starts(height)]


def last_wins(patches, corners, shape):
    image = np.zeros(shape)
    for patch, (row, column) in zip(patches, corners, strict=True):
        image[row : row + patch.shape[0], column : column + patch.shape[1]] = patch
    return image


def mean_of_windows(patches, corners, shape):
    total, count = np.zeros(shape), np.zeros(shape)
    for patch, (row, column) in zip(patches, corners, strict=True):
        total[row : row + patch.shape[0], column : column + patch.shape[1]] += patch
        count[row : row + patch.shape[0], column : column + patch.shape[1]] += 1
    return total / np.maximum(count, 1)
