"""NRAM written as Lanneeee/NRAM's demo runs it, with a whole SVD in each iteration."""

import numpy as np


def starts(length, size, step):
    count = int(np.ceil((length - size) / step)) + 1
    return [k * step for k in range(count - 1)] + [length - size]


def shrink(s0, sigma, mu, gamma=0.002):
    for _ in range(100):
        s1 = np.maximum(s0 - (1 + gamma) * gamma / (gamma + sigma) ** 2 / mu, 0)
        if np.sum((s1 - sigma) ** 2) < 1e-6:
            break
        sigma = s1
    return s1


def solve(D, weight, penalty, reweight, *, tolerance=1e-7, max_iterations=1000):
    """S, iterations, residual."""
    m, n = D.shape
    mu, beta = penalty, 3 / np.sqrt(min(m, n))
    S, E, Y, sigma = np.zeros((m, n)), np.zeros((m, n)), np.zeros((m, n)), np.zeros(min(m, n))
    for iteration in range(1, max_iterations + 1):
        U, s0, Vt = np.linalg.svd(D - S - E - Y / mu, full_matrices=False)
        sigma = shrink(s0, sigma, mu)
        L = U @ np.diag(sigma) @ Vt
        Q = D - L - E - Y / mu
        w = reweight / (np.abs(Q) + 0.04)
        S = np.maximum(Q - weight * w / mu, 0) + np.minimum(Q + weight * w, 0)
        Q = D - S - L - Y / mu
        for j in range(n):
            length = np.linalg.norm(Q[:, j])
            E[:, j] = Q[:, j] * max(0, 1 - beta / mu / length) if length > 0 else 0
        Y = Y + mu * (L + E - D + S)
        mu *= 1.1
        residual = np.linalg.norm(D - S - L - E) / np.linalg.norm(D)
        if residual < tolerance:
            break
    return S, iteration, residual


def nram(image, size=50, step=10):
    size = min(size, *image.shape)
    windows = [(r, c) for c in starts(image.shape[1], size, step) for r in starts(image.shape[0], size, step)]
    D = np.stack([image[r : r + size, c : c + size].reshape(-1, order="F") for r, c in windows], axis=1)
    D = (D - D.min()) / (D.max() - D.min())
    side = min(D.shape)
    S = solve(D, 1 / np.sqrt(side), 3 * np.sqrt(max(D.shape)), np.sqrt(side) / 2.5)[0]
    result = np.zeros(image.shape)
    for (r, c), column in zip(windows, S.T, strict=True):
        result[r : r + size, c : c + size] = column.reshape(size, size, order="F")
    return result
