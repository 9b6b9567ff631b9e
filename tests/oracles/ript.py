"""RIPT as its authors' MATLAB code runs: full SVDs, explicit windows. Slow and plain, for comparison."""

import numpy as np
from scipy.ndimage import correlate

from tests.oracles.windows import last_wins, mean_of_windows, window_corners


def gaussian(sigma):
    y, x = np.mgrid[-1:2, -1:2]
    kernel = np.exp(-(x**2 + y**2) / (2 * sigma**2))
    return kernel / kernel.sum()


def structure_tensor_eigenvalues(image, sigma_image, sigma_tensor):
    smooth = correlate(image, gaussian(sigma_image), mode="reflect")
    down, right = np.gradient(smooth)
    kernel = gaussian(sigma_tensor)
    xx = correlate(right * right, kernel, mode="reflect")
    xy = correlate(right * down, kernel, mode="reflect")
    yy = correlate(down * down, kernel, mode="reflect")
    root = np.sqrt((xx - yy) ** 2 + 4 * xy**2)
    return (xx + yy + root) / 2, (xx + yy - root) / 2


def unfold(tensor, mode):
    return np.moveaxis(tensor, mode, 0).reshape(tensor.shape[mode], -1)


def fold(matrix, mode, shape):
    rest = [side for axis, side in enumerate(shape) if axis != mode]
    return np.moveaxis(matrix.reshape([shape[mode], *rest]), 0, mode)


def shrink(matrix, tau):
    u, s, vh = np.linalg.svd(matrix, full_matrices=False)
    return (u * np.maximum(s - tau, 0)) @ vh


def ript(image, *, size=30, step=10, penalty=0.7, h=1.0, rule="last"):
    """Target image and the number of iterations."""
    corners = window_corners(*image.shape, size, step)
    large, small = structure_tensor_eigenvalues(image, 1.2, 2.0)
    strength = large - small
    edges = np.exp(h * (strength - strength.min()) / (strength.max() - strength.min()))
    data = np.stack([image[r : r + size, c : c + size] for r, c in corners], axis=2)
    local = np.stack([edges[r : r + size, c : c + size] for r, c in corners], axis=2)

    lam = penalty / np.sqrt(min(data.shape))
    mu = 5 * data.std(ddof=1)
    background = [data.copy() for _ in range(3)]
    multiplier = [np.zeros_like(data) for _ in range(3)]
    target = np.zeros_like(data)
    weight = local
    nonzeros_before, iterations = data.size, 0
    while True:
        for i in range(3):
            background[i] = fold(shrink(unfold(data + mu * multiplier[i] - target, i), mu), i, data.shape)
        pull = sum(background[i] - data - mu * multiplier[i] for i in range(3)) / 3
        target = np.maximum(-pull - weight * mu * lam / 3, 0)
        weight = local / (np.abs(target) + 0.01)
        for i in range(3):
            multiplier[i] -= (background[i] + target - data) / mu
        mu /= 1.5
        iterations += 1
        change = np.linalg.norm(data - sum(background) / 3 - target) / np.linalg.norm(data)
        nonzeros = np.count_nonzero(target > 0)
        if change < 1e-7 or nonzeros == nonzeros_before:
            break
        nonzeros_before = nonzeros
    put_back = last_wins if rule == "last" else mean_of_windows
    return put_back(np.moveaxis(target, 2, 0), corners, image.shape), iterations
