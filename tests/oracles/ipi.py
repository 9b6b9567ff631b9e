"""IPI written as gaocq/IPI-for-small-target-detection runs it, with both variables and a whole SVD in each iteration."""

import numpy as np


def corners(shape, size, step):
    return [(r, c) for r in range(0, shape[0] - size + 1, step) for c in range(0, shape[1] - size + 1, step)]


def soft(x, threshold):
    return np.maximum(x - threshold, 0) + np.minimum(x + threshold, 0)


def solve(D, weight, *, decay=0.9, floor=0.005, rank_stop=True, tolerance=1e-6, max_iterations=1000):
    """E, iterations, rank, nonzeros, residual."""
    s = np.linalg.svd(D, compute_uv=False)
    mu, lowest, tau = s[min(1, len(s) - 1)], floor * s[min(3, len(s) - 1)], 2.0
    t = t_prev = 1.0
    A = E = A_prev = E_prev = np.zeros_like(D)
    rank_prev = nonzeros_prev = steady = iteration = 0
    while True:
        b = (t_prev - 1) / t
        YA, YE = A + b * (A - A_prev), E + b * (E - E_prev)
        R = (YA + YE - D) / tau
        U, s, Vt = np.linalg.svd(YA - R, full_matrices=False)
        A_new = U @ np.diag(np.maximum(s - mu / tau, 0)) @ Vt
        E_new = soft(YE - R, weight * mu / tau)
        # In the first iteration the second singular value equals the bound but for rounding; equal is not above.
        rank, nonzeros = np.sum(s > mu / tau * (1 + 1e-10)), np.count_nonzero(E_new)
        q = A_new + E_new - YA - YE
        SA, SE = tau * (YA - A_new) + q, tau * (YE - E_new) + q
        residual = np.hypot(np.linalg.norm(SA), np.linalg.norm(SE))
        residual /= tau * max(1, np.hypot(np.linalg.norm(A_new), np.linalg.norm(E_new)))
        done = residual <= tolerance
        mu = max(decay * mu, lowest)
        t_prev, t = t, (1 + np.sqrt(1 + 4 * t**2)) / 2
        A_prev, E_prev, A, E = A, E, A_new, E_new
        iteration += 1
        if rank == rank_prev:
            steady += 1
            done |= rank_stop and steady > 10 and abs(nonzeros - nonzeros_prev) < 20
        else:
            steady, nonzeros_prev = 0, nonzeros
        rank_prev = rank
        done |= rank_stop and rank > 0.3 * min(D.shape)
        if done or iteration >= max_iterations:
            return E, iteration, rank, nonzeros, residual


def ipi(image, size=50, step=10, **options):
    size = min(size, *image.shape)
    windows = corners(image.shape, size, step)
    D = np.stack([image[r : r + size, c : c + size].reshape(-1, order="F") for r, c in windows], axis=1)
    D = (D - D.min()) / (D.max() - D.min())
    E = solve(D, 1 / np.sqrt(max(image.shape)), **options)[0]
    values = [[[] for _ in range(image.shape[1])] for _ in range(image.shape[0])]
    for (r, c), column in zip(windows, E.T, strict=True):
        patch = column.reshape(size, size, order="F")
        for i, j in np.ndindex(size, size):
            values[r + i][c + j].append(patch[i, j])
    return np.array([[np.median(v) if v else 0.0 for v in row] for row in values])
