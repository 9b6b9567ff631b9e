"""Spectral shrinkage of batches of matrices, and the third-mode Fourier transform of the t-product.

A tensor of n1 x n2 x n3 is stored as its n3 frontal slices: n3 x n1 x n2, after any batch dimensions. Its spectrum holds
the n3 // 2 + 1 slices that determine the rest, which are their complex conjugates.
"""

import torch


def spectrum(slices):
    """Fourier transform along the third mode: ... x n3 x n1 x n2 real to ... x (n3 // 2 + 1) x n1 x n2 complex."""
    return torch.fft.rfft(slices, dim=-3)


def from_spectrum(half, depth):
    """Undo `spectrum` for a tensor of ``depth`` frontal slices."""
    return torch.fft.irfft(half, n=depth, dim=-3)


def shrink_singular_values(matrices, rule, *parameters):
    """Replace the singular values of each matrix of a batch, keeping its singular vectors.

    The decomposition is that of the Gram matrix of the smaller side, which costs a fraction of an SVD. The singular values
    are then measured as the lengths of the rotated rows, which keeps several digits more of the small ones than the roots
    of the eigenvalues do.

    Arguments:
        matrices: ...xMxN real or complex tensor.
        rule: Function from BxK singular values, largest first, to as many new ones, for any B and K. A value that it turns
            to 0 must also be turned to 0 where it is smaller: a matrix whose Frobenius norm becomes 0 is not decomposed.
        parameters: Tensors that broadcast to the batch dimensions. The rule gets them after the values, as Bx1.

    Returns:
        tuple[torch.Tensor, torch.Tensor]: The new ...xMxN matrices and their ...xmin(M, N) singular values.
    """
    batch = matrices.shape[:-2]
    parameters = [parameter.expand(batch).reshape(-1, 1) for parameter in parameters]
    matrices = matrices.flatten(0, -3)
    norms = torch.linalg.vector_norm(_as_real(matrices), dim=(1, 2))
    alive = rule(norms[:, None], *parameters)[:, 0] > 0
    if alive.all():
        result, shrunk = _shrink(matrices, rule, parameters)
    else:
        result = torch.zeros_like(matrices)
        shrunk = norms.new_zeros(len(norms), min(matrices.shape[1:]))
        if alive.any():
            result[alive], shrunk[alive] = _shrink(matrices[alive], rule, [parameter[alive] for parameter in parameters])
    return result.unflatten(0, batch), shrunk.unflatten(0, batch)


def _shrink(matrices, rule, parameters):
    rows, columns = matrices.shape[1:]
    # A spectrum comes with its frequencies innermost, and each product would copy it.
    wide = (matrices.mH if rows > columns else matrices).contiguous()
    vectors = torch.linalg.eigh(wide @ wide.mH).eigenvectors.flip(-1)
    rotated = vectors.mH @ wide
    values = torch.linalg.vector_norm(_as_real(rotated), dim=-1)
    shrunk = rule(values, *parameters)
    gain = torch.where(values > 0, shrunk / values, 0.0)
    wanted = int((gain > 0).sum(1).max())
    result = (vectors[..., :wanted] * gain[:, None, :wanted]) @ rotated[:, :wanted]
    return (result.mH if rows > columns else result), shrunk


def _as_real(matrices):
    # The same norms in a fraction of the time: on the CPU those of complex tensors are slow.
    return torch.view_as_real(matrices).flatten(-2) if matrices.is_complex() else matrices
