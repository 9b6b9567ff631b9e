"""Proximal maps of low-rank and sparse models: shrinkage of entries and of singular values.

Singular values come from the eigenvalues of the smaller Gram matrix. That is several times faster than a singular value
decomposition, and squares the condition number: a singular value s has an absolute error of about 1e-16 * s_max^2 / s,
and values under 1e-7 of the Frobenius norm cannot be told from 0 and count as 0.
"""

import math

import numpy as np
import torch
from scipy.linalg import eigh
from scipy.linalg.blas import dsyrk  # pyright: ignore[reportAttributeAccessIssue]

# Squared singular values under this part of their sum are rounding noise of the Gram matrix.
NOISE = 1e-14
# Above this part of the spectrum all eigenvectors cost less than the wanted ones one by one (LAPACK dsyevd, dsyevr).
PARTIAL = 0.15
# Entries of a block of rows: it stays in the cache, and torch does not split so small an operation over threads.
BLOCK = 2**15


def row_blocks(matrix):
    """Slices that cut the rows of a matrix into blocks for a chain of entrywise operations; one block on an accelerator."""
    rows = max(1, BLOCK // matrix.shape[1]) if matrix.device.type == "cpu" else matrix.shape[0]
    return [slice(start, start + rows) for start in range(0, matrix.shape[0], rows)]


def soft_threshold(values, threshold):
    """Move every entry towards 0 by ``threshold`` (a number, or a tensor that broadcasts), and stop at 0."""
    if isinstance(threshold, torch.Tensor):
        return values - torch.minimum(torch.maximum(values, -threshold), threshold)
    return values - values.clamp(-threshold, threshold)


class LeadingSpectrum:
    """The largest singular values of an MxN matrix, with what it takes to rebuild the matrix from changed ones.

    Attributes:
        left: Left singular vectors, MxK.
        values: Singular values, descending: a tensor of K.
    """

    def __init__(self, left, right, values):
        self.left, self._right, self.values = left, right, values

    def __getitem__(self, kept):
        return LeadingSpectrum(self.left[:, kept], self._right[kept], self.values[kept])

    def factors(self, values):
        """The rebuilt matrix as a product: MxK and KxN tensors.

        Arguments:
            values: K singular values to put in place of the present ones; those that were left out become 0.
        """
        return self.left, self._right * torch.where(self.values > 0, values / self.values, 0)[:, None]


def leading_spectrum(matrix, *, above=math.inf, at_least=0, expected=0):
    """The singular values that exceed a bound, and no fewer than a given number of them.

    Arguments:
        matrix: MxN float64 tensor.
        above: Singular values above it are wanted.
        at_least: Number of singular values wanted in any case; min(M, N) at most is returned.
        expected: A guess of how many will be found, such as the last number. It changes the time taken, not the result.

    Returns:
        LeadingSpectrum: On the matrix's device.
    """
    wide = matrix.shape[0] <= matrix.shape[1]
    at_least = min(at_least, *matrix.shape)
    tall = matrix.T if wide else matrix
    if matrix.device.type == "cpu":
        vectors = _eigenvectors_by_lapack(tall, above, at_least, max(expected, at_least))
    else:
        vectors = _eigenvectors_by_torch(tall, above, at_least)
    left, right = (vectors, vectors.T @ matrix) if wide else (matrix @ vectors, vectors.T)
    values = torch.linalg.vector_norm(right, dim=1) if wide else torch.linalg.vector_norm(left, dim=0)
    spectrum = LeadingSpectrum(left, right, values)
    kept = values > above
    kept[:at_least] = True
    return spectrum if kept.all() else spectrum[kept]


def _eigenvectors_by_torch(tall, above, at_least):
    """Eigenvectors of tall.T @ tall, NxK, the largest first: for the roots of eigenvalues above a bound, and a few more."""
    gram = tall.T @ tall
    squares, vectors = torch.linalg.eigh(gram)
    wanted = max(int((squares > _cut(above, gram.trace().item())).sum()), at_least)
    return vectors[:, len(squares) - wanted :].flip(1)


def _eigenvectors_by_lapack(tall, above, at_least, expected):
    """The same on the CPU, without the eigenvectors that are not wanted unless ``expected`` says that most are."""
    tall = tall.numpy()
    # dsyrk computes one triangle, and wants column-major input.
    gram = dsyrk(1.0, tall.T) if tall.flags.c_contiguous else dsyrk(1.0, tall, trans=1)
    size, cut = len(gram), _cut(above, gram.trace())
    if expected > PARTIAL * size:
        squares, vectors = eigh(gram, lower=False, driver="evd", overwrite_a=True, check_finite=False)
        vectors = vectors[:, size - max((squares > cut).sum(), at_least) :]
    else:
        vectors = np.empty((size, 0))
        if cut < math.inf:
            vectors = eigh(gram, lower=False, subset_by_value=(cut, math.inf), check_finite=False)[1]
        if vectors.shape[1] < at_least:
            vectors = eigh(gram, lower=False, subset_by_index=(size - at_least, size - 1), check_finite=False)[1]
    return torch.from_numpy(vectors[:, ::-1].copy())


def _cut(above, trace):
    """Eigenvalue a little below ``above`` squared: the norms of the projections, which are more exact, decide."""
    return max(above * above - NOISE * trace, NOISE * trace)
