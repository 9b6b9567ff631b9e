"""Proximal maps of low-rank and sparse models: shrinkage of entries and of singular values.

Singular values come from the eigenvalues of the smaller Gram matrix. That is several times faster than a singular value
decomposition, and squares the condition number: a singular value s has an absolute error of about 1e-16 * s_max^2 / s,
and values under 1e-7 of the Frobenius norm cannot be told from 0 and count as 0.
"""

import math

import numpy as np
import torch
from scipy.linalg import eigh
from scipy.linalg.blas import dsyrk

# Squared singular values under this part of their sum are rounding noise of the Gram matrix.
NOISE = 1e-14
# Above this part of the spectrum all eigenvectors cost less than the wanted ones one by one (LAPACK dsyevd, dsyevr).
PARTIAL = 0.25
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
        values: Singular values, descending: a tensor of K.
    """

    def __init__(self, projections, vectors, transposed):
        self.values = torch.linalg.vector_norm(projections, dim=0)
        self._projections, self._vectors, self._transposed = projections, vectors, transposed

    def __getitem__(self, kept):
        return LeadingSpectrum(self._projections[:, kept], self._vectors[:, kept], self._transposed)

    def factors(self, values):
        """The rebuilt matrix as a product: MxK and KxN tensors.

        Arguments:
            values: K singular values to put in place of the present ones; those that were left out become 0.
        """
        scaled = self._projections * torch.where(self.values > 0, values / self.values, 0)
        return (self._vectors, scaled.T) if self._transposed else (scaled, self._vectors.T)

    def rebuild(self, values):
        """The MxN matrix with ``values`` (K) as its singular values."""
        left, right = self.factors(values)
        return left @ right


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
    transposed = matrix.shape[0] < matrix.shape[1]
    tall = matrix.T if transposed else matrix
    at_least = min(at_least, tall.shape[1])
    vectors = _leading_eigenvectors(tall, above, at_least, max(expected, at_least))
    spectrum = LeadingSpectrum(tall @ vectors, vectors, transposed)
    kept = spectrum.values > above
    kept[:at_least] = True
    return spectrum if kept.all() else spectrum[kept]


def _leading_eigenvectors(tall, above, at_least, expected):
    """Eigenvectors of tall.T @ tall, NxK, the largest first: for the roots of eigenvalues above a bound, and a few more."""
    size = tall.shape[1]
    if tall.device.type != "cpu":
        gram = tall.T @ tall
        squares, vectors = torch.linalg.eigh(gram)
        wanted = max(int((squares > _cut(above, gram.trace().item())).sum()), at_least)
        return vectors[:, size - wanted :].flip(1)
    gram = _gram(tall.numpy())
    cut = _cut(above, gram.trace())
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


def _gram(tall):
    """Upper triangle of tall.T @ tall, in column-major order as LAPACK wants it."""
    if tall.flags.c_contiguous:
        return dsyrk(1.0, tall.T)
    return dsyrk(1.0, tall, trans=1)
