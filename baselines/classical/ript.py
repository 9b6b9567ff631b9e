"""RIPT: reweighted infrared patch-tensor model."""

from typing import NamedTuple

import torch

from baselines.classical.patches import PatchGrid
from baselines.classical.structure_tensor import mat2gray, structure_tensor_eigenvalues
from baselines.classical.tensor_detector import TensorDetector
from zoo import METHODS, MethodCard, UsageError

TOLERANCE = 1e-7  # author's code, algorithms/detection/RIPT, like all constants here
MU_DECAY = 1.5
REWEIGHTING = 0.01
SIGMA_IMAGE, SIGMA_TENSOR = 1.2, 2.0


class RIPTSolution(NamedTuple):
    """Target patch tensor (PxSxS) and how the solver got there."""

    target: torch.Tensor
    iterations: int
    nonzeros: int
    converged: bool


@METHODS.register_module("ript")
class RIPT(TensorDetector):
    """Reweighted infrared patch-tensor model (Dai and Wu, IEEE JSTARS 10(8), 2017).

    Arguments:
        patch_size: Side S of the windows in px; the smaller side of the image where that is less.
        step: Distance between windows in px.
        weight: The factor L of the sparsity weight L / sqrt(min(S, P)) for P windows.
        edge_weight: The exponent h of the local structure weight.
        mu_factor: First shrinkage threshold over the standard deviation of the patch tensor.
        reconstruct: ``"last"`` or ``"mean"``: what a pixel under several windows gets.
        max_iterations: Cap on the iterations; the authors' code has none.
    """

    card = MethodCard(
        title="RIPT",
        authors="Dai and Wu",
        year=2017,
        venue="IEEE JSTARS 10(8)",
        url="https://github.com/YimianDai/DENTIST",
        fidelity="author-code",
        notes=(
            "Where windows overlap the last one wins, as in the authors' demo, whose function says mean; "
            "reconstruct='mean' takes the mean, as their shared utility does.",
            "It also stops when the number of target pixels repeats, be it zero: some images and settings give an empty map.",
            "The authors' code has no iteration cap; 200 is this project's, and a note tells when it is reached.",
            "The authors' code stops with an error on an image smaller than a window; here the window shrinks.",
        ),
    )

    def __init__(
        self,
        *,
        patch_size=30,  # author's code, the demo of algorithms/detection/RIPT, to mu_factor
        step=10,
        weight=0.7,
        edge_weight=1.0,
        mu_factor=5.0,
        reconstruct="last",
        max_iterations=200,
        **kwargs,
    ):
        super().__init__(**kwargs)
        if reconstruct not in ("last", "mean"):
            raise UsageError(f"reconstruct of ript must be last or mean, not {reconstruct!r}")
        self.patch_size, self.step, self.weight = patch_size, step, weight
        self.edge_weight, self.mu_factor = edge_weight, mu_factor
        self.reconstruct, self.max_iterations = reconstruct, max_iterations

    def score_tensor(self, image):
        grid = PatchGrid(*image.shape, size=self.patch_size, step=self.step)
        solution = solve(
            grid.extract(image),
            grid.extract(local_structure_weight(image, self.edge_weight)),
            weight=self.weight,
            mu_factor=self.mu_factor,
            max_iterations=self.max_iterations,
        )
        self.note_cap(solution)
        return grid.restore(solution.target, self.reconstruct)


def local_structure_weight(image, exponent):
    """HxW weight, 1 to e^exponent: large on edges, where the eigenvalues of the structure tensor differ."""
    large, small = structure_tensor_eigenvalues(image, sigma_image=SIGMA_IMAGE, sigma_tensor=SIGMA_TENSOR)
    return mat2gray(large - small).mul_(exponent).exp_()


def solve(data, local_weight, *, weight, mu_factor, max_iterations):
    """Split a patch tensor into background and target, low-rank in all three unfoldings, by ADMM.

    With G_i = F + mu * Lambda_i for the data F and the multiplier of unfolding i, the background is B_i = SVT(G_i - T), and
    only what the shrinkage takes away, C_i = G_i - T - B_i, is needed: it gives the next target and the next G_i.

    Arguments:
        data: PxSxS float patch tensor, not constant.
        local_weight: PxSxS local structure weight.
        weight, mu_factor, max_iterations: See `RIPT`.

    Returns:
        RIPTSolution: ``target`` is not negative.
    """
    penalty = weight / min(data.shape) ** 0.5
    norm = torch.linalg.vector_norm(data)
    mu = mu_factor * float(data.std())

    target = torch.zeros_like(data)
    inputs = [data.clone() for _ in UNFOLDINGS]  # G_i - T
    weights = local_weight.clone()
    nonzeros, converged, iterations = data.numel(), False, 0
    while not converged and iterations < max_iterations:
        iterations += 1
        background = torch.zeros_like(data)
        taken = torch.zeros_like(data)
        for i, shrinkage in enumerate(UNFOLDINGS):
            removed = shrinkage(inputs[i], mu)
            background.add_(inputs[i].sub_(removed))
            taken.add_(removed)
            inputs[i] = removed
        update = taken.div_(3).add_(target).sub_(weights.mul_(mu * penalty / 3)).clamp_(min=0)

        # G_i' - T' = F + mu' * Lambda_i' - T', where mu' * Lambda_i' = (C_i + T - T') / 1.5
        constant = torch.sub(target, update).div_(MU_DECAY).add_(data).sub_(update)
        for removed in inputs:
            removed.div_(MU_DECAY).add_(constant)
        target = update
        weights = torch.add(target, REWEIGHTING).reciprocal_().mul_(local_weight)
        mu /= MU_DECAY

        gap = background.div_(-3).add_(data).sub_(target)
        before, nonzeros = nonzeros, int(torch.count_nonzero(target))
        converged = before == nonzeros or bool(torch.linalg.vector_norm(gap) / norm < TOLERANCE)
    return RIPTSolution(target, iterations, nonzeros, converged)


def _taken_from_rows(patches, tau):
    """What singular value thresholding takes from the unfolding along rows, S x (S * P)."""
    return _complement(torch.tensordot(patches, patches, dims=([0, 2], [0, 2])), tau) @ patches


def _taken_from_columns(patches, tau):
    """The same for the unfolding along columns, S x (S * P)."""
    stacked = patches.reshape(-1, patches.shape[-1])
    return patches @ _complement(stacked.T @ stacked, tau)


def _taken_from_patches(patches, tau):
    """The same for the unfolding along patches, P x (S * S), through the few singular vectors that are not taken whole."""
    matrix = patches.reshape(len(patches), -1)
    tall = matrix.shape[0] > matrix.shape[1]
    values, vectors = _spectrum(matrix.T @ matrix if tall else matrix @ matrix.T)
    few = values > tau
    vectors = vectors[:, few]
    kept = vectors * (1 - tau / values[few])
    factors = (matrix @ kept, vectors.T) if tall else (kept, vectors.T @ matrix)
    return torch.addmm(matrix, *factors, alpha=-1).reshape(patches.shape)


UNFOLDINGS = (_taken_from_rows, _taken_from_columns, _taken_from_patches)


def _complement(gram, tau):
    """The matrix K with K @ M = M - SVT(M) for a matrix M of this Gram matrix: a singular value s becomes min(s, tau)."""
    values, vectors = _spectrum(gram)
    return (vectors * torch.where(values > tau, tau / values, 1.0)) @ vectors.T


def _spectrum(gram):
    """Singular values, ascending, and left singular vectors of a matrix M with M @ M.T = gram."""
    eigenvalues, vectors = torch.linalg.eigh(gram)
    return eigenvalues.clamp_(min=0).sqrt_(), vectors
