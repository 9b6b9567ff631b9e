"""MSLSTIPT (v1) as its authors' MATLAB code runs: full SVDs of every frontal slice. Slow and plain, for comparison."""

import numpy as np

EPS = np.finfo(float).eps


def soft(x, tau):
    return np.maximum(x - tau, 0) + np.minimum(x + tau, 0)


def each_slice(function, *tensors):
    """Apply a matrix function to the frontal slices of real tensors in the Fourier domain."""
    depth = tensors[0].shape[2]
    spectra = [np.fft.rfft(t, axis=2) for t in tensors]
    slices = [function(*(s[:, :, k] for s in spectra)) for k in range(spectra[0].shape[2])]
    return np.fft.irfft(np.stack(slices, axis=2), n=depth, axis=2)


def shrunk(matrix, rule):
    u, s, vh = np.linalg.svd(matrix, full_matrices=False)
    return (u * rule(s)) @ vh


def clean_background(data):
    """Low-rank part of tensor robust PCA, and the number of iterations."""
    rows, columns, depth = data.shape
    lam = 1 / np.sqrt(max(rows, depth) * columns)
    low, sparse, dual = np.zeros_like(data), np.zeros_like(data), np.zeros_like(data)
    mu = 1e-4
    for iterations in range(1, 801):
        low_before, sparse_before = low, sparse
        low = each_slice(lambda m, tau=1 / mu: shrunk(m, lambda s: np.maximum(s - tau, 0)), data - sparse - dual / mu)
        sparse = soft(data - low - dual / mu, lam / mu)
        gap = low + sparse - data
        if max(np.abs(low - low_before).max(), np.abs(sparse - sparse_before).max(), np.abs(gap).max()) < 1e-8:
            break
        dual += mu * gap
        mu = min(1.2 * mu, 1e10)
    return low, iterations


def kept_rank(values, shape):
    rank = int(np.sum(values > max(shape) * np.spacing(values[0])))
    ratios = [values[j] / values[j + 1] for j in range(rank - 2)]
    cut = rank
    for j, ratio in enumerate(ratios, start=1):
        if ratio > 50:
            cut = j
            break
    if ratios:
        peak = max(ratios)
        rest = sum(ratios) - peak
        if rest == 0 or (rank - 2) * peak / rest > 20:
            cut = min(cut, ratios.index(peak) + 1)
    return cut


def dictionary(low):
    """U * S of the t-SVD of the background, cut slice by slice, and its tubal rank."""
    spectrum = np.fft.rfft(low, axis=2)
    factors, ranks = [], []
    for k in range(spectrum.shape[2]):
        u, s, _ = np.linalg.svd(spectrum[:, :, k], full_matrices=False)
        rank = kept_rank(s, spectrum.shape[:2])
        s[rank:] = 0
        factors.append(u * s)
        ranks.append(rank)
    atoms = np.stack(factors, axis=2)[:, : max(ranks)]
    return np.fft.irfft(atoms, n=low.shape[2], axis=2), max(ranks)


def generalised_shrink(s, w, p):
    tau = (2 * w * (1 - p)) ** (1 / (2 - p)) + p * w * (2 * (1 - p) * w) ** ((p - 1) / (2 - p))
    x = np.zeros_like(s)
    for i in np.flatnonzero(s > tau):
        t = s[i]
        for _ in range(2):
            t = s[i] - p * w[i] * t ** (p - 1)
        x[i] = t
    return x


def weighted_schatten(matrix, weight, p):
    u, s, vh = np.linalg.svd(matrix, full_matrices=False)
    estimate = s
    for _ in range(3):
        estimate = generalised_shrink(s, weight / (estimate ** (1 / p) + EPS), p)
    return (u * estimate) @ vh


def separate(data, atoms, *, weight, p):
    """Sparse part of data = atoms * coefficients + sparse, and the number of iterations."""
    rows, columns, depth = data.shape
    lam = 1 / np.sqrt(depth * max(rows, columns))
    inside = (atoms.shape[1], columns, depth)
    z, j, y1 = np.zeros(inside), np.zeros(inside), np.zeros(inside)
    e, y2 = np.zeros_like(data), np.zeros_like(data)
    beta = 1e-4
    for iterations in range(1, 201):
        z_before, j_before, e_before = z, j, e
        z = each_slice(lambda m, w=weight / beta: weighted_schatten(m, w, p), j - y1 / beta)
        e = soft(data - each_slice(np.matmul, atoms, j) + y2 / beta, lam / beta)
        j = each_slice(
            lambda a, near, fit: np.linalg.solve(a.conj().T @ a + np.eye(a.shape[1]), near + a.conj().T @ fit),
            atoms,
            z + y1 / beta,
            data - e + y2 / beta,
        )
        rest = data - each_slice(np.matmul, atoms, j) - e
        gaps = (z - j, rest, j - j_before, e - e_before, z - z_before)
        if max(np.abs(gap).max() for gap in gaps) < 1e-4:
            break
        y1 += beta * (z - j)
        y2 += beta * rest
        beta = min(1.1 * beta, 1e8)
    return e, iterations


def mslstipt(frames, *, size, c=1e-4, p=0.8):
    """TxHxW target maps of one group of T frames (0..255), and the iterations of both solvers."""
    count, height, width = frames.shape
    rows, columns = -(-height // size), -(-width // size)
    blocks = []
    for frame in frames / 255:
        wide = np.hstack([frame, np.repeat(frame[:, -1:], columns * size - width, axis=1)])
        full = np.vstack([wide, np.repeat(wide[size - 1 : size], rows * size - height, axis=0)])
        blocks += [full[r * size :][:size, k * size :][:, :size] for r in range(rows) for k in range(columns)]
    stack = np.stack(blocks, axis=2)
    data = stack.reshape(size, len(blocks), size, order="F")

    low, first = clean_background(data)
    atoms, _ = dictionary(low)
    sparse, second = separate(data, atoms, weight=c * size, p=p)

    stack = sparse.reshape(stack.shape, order="F")
    targets = np.zeros((count, rows * size, columns * size))
    for index in range(stack.shape[2]):
        frame, place = divmod(index, rows * columns)
        r, k = divmod(place, columns)
        targets[frame, r * size : (r + 1) * size, k * size : (k + 1) * size] = stack[:, :, index]
    return targets[:, :height, :width], (first, second)
