"""Spectral shrinkage of batches of matrices, and the third-mode Fourier transform of the t-product.

A tensor of n1 x n2 x n3 is stored as its n3 frontal slices: n3 x n1 x n2. Its spectrum holds the n3 // 2 + 1 slices that
determine the rest, which are their complex conjugates.
"""

import torch


def spectrum(slices):
    """Fourier transform along the third mode: n3 x n1 x n2 real to (n3 // 2 + 1) x n1 x n2 complex."""
    return torch.fft.rfft(slices, dim=0)


def from_spectrum(half, depth):
    """Undo `spectrum` for a tensor of ``depth`` frontal slices."""
    return torch.fft.irfft(half, n=depth, dim=0)


def shrink_singular_values(matrices, rule):
    """Replace the singular values of each matrix, keeping its singular vectors.

    The decomposition is that of the Gram matrix of the smaller side, which costs a fraction of an SVD. The singular values
    are then measured as the lengths of the rotated rows: their error is near the machine epsilon times the largest of them,
    where the root of an eigenvalue would lose half of the digits.

    Arguments:
        matrices: ...xMxN real or complex tensor.
        rule: Function from ...xmin(M, N) singular values, largest first, to as many new ones of which 0 belongs to 0.

    Returns:
        tuple[torch.Tensor, torch.Tensor]: The new ...xMxN matrices and their ...xmin(M, N) singular values.
    """
    rows, columns = matrices.shape[-2:]
    wide = matrices.mH if rows > columns else matrices
    vectors = torch.linalg.eigh(wide @ wide.mH).eigenvectors.flip(-1)
    rotated = vectors.mH @ wide
    parts = torch.view_as_real(rotated).flatten(-2) if rotated.is_complex() else rotated  # complex norms are slow on the CPU
    values = torch.linalg.vector_norm(parts, dim=-1)
    shrunk = rule(values)
    gain = torch.where(values > 0, shrunk / values, 0.0)
    result = (vectors * gain[..., None, :]) @ rotated
    return (result.mH if rows > columns else result), shrunk
