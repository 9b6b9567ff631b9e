"""PSTNN as its authors' MATLAB code runs: one full SVD for each frontal slice. Slow and plain, for comparison."""

import numpy as np

from tests.oracles.ript import structure_tensor_eigenvalues
from tests.oracles.windows import last_wins, window_corners


def corner_prior(image):
    large, small = structure_tensor_eigenvalues(image, 2.0, 9.0)
    with np.errstate(invalid="ignore"):
        strength = large * small / (large + small) * np.maximum(large, small)
    scaled = (strength - np.nanmin(strength)) / (np.nanmax(strength) - np.nanmin(strength))
    return np.fmax(np.fmin(scaled, 1), 0)


def partial_shrink(tensor, keep, tau):
    spectrum = np.fft.rfft(tensor, axis=2)
    for k in range(spectrum.shape[2]):
        u, s, vh = np.linalg.svd(spectrum[:, :, k], full_matrices=False)
        s[keep:] = np.maximum(s[keep:] - tau, 0)
        spectrum[:, :, k] = (u * s) @ vh
    return np.fft.irfft(spectrum, n=tensor.shape[2], axis=2)


def pstnn(image, *, size=40, step=40, penalty=0.7):
    """Target image, the number of iterations, and the number of preserved singular values."""
    corners = window_corners(*image.shape, size, step)
    prior = corner_prior(image)
    data = np.stack([image[r : r + size, c : c + size] for r, c in corners], axis=2)
    trust = np.stack([prior[r : r + size, c : c + size] for r, c in corners], axis=2)

    rows, columns, depth = data.shape
    lam = penalty / np.sqrt(max(rows, columns) * depth)
    values = np.linalg.svd(data.reshape(depth, rows * columns, order="F"), compute_uv=False)
    keep = max(int(np.argmin(np.append(values / values[0] >= 0.1, False))), 1)

    mu = 2e-3
    target, dual = np.zeros_like(data), np.zeros_like(data)
    weight = np.ones_like(data)
    for iterations in range(1, 501):
        before = np.count_nonzero(target > 0)
        background = partial_shrink(data - target - dual / mu, keep, 1 / mu)
        rest = data - background - dual / mu
        target = np.maximum(rest - weight * lam / mu, 0)
        with np.errstate(divide="ignore"):
            weight = keep / (np.abs(target) + 0.01) / trust
        gap = background + target - data
        now = np.count_nonzero(target > 0)
        if np.linalg.norm(gap) / np.linalg.norm(data) < 1e-3 or (before > 0 and now > 0 and before == now):
            break
        dual += mu * gap
        mu = min(1.05 * mu, 1e10)
    return last_wins(np.moveaxis(target, 2, 0), corners, image.shape), iterations, keep
