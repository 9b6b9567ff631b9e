"""RIPT: reweighted infrared patch-tensor model."""

from typing import Any, NamedTuple

import torch

from irsam_zoo.baselines.classical.parts.options import check_whole
from irsam_zoo.baselines.classical.parts.patches import PatchGrid
from irsam_zoo.baselines.classical.parts.proximal import leading_spectrum
from irsam_zoo.baselines.classical.parts.structure_tensor import mat2gray, structure_tensor_eigenvalues
from irsam_zoo.baselines.classical.parts.tensor_detector import TensorDetector
from irsam_zoo.baselines.classical.parts.unfinished import Unfinished
from irsam_zoo.zoo import METHODS, MethodCard, UsageError

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
            "Where windows overlap the last one wins in the authors' demo, whose function says mean; reconstruct='mean' takes "
            "the mean, as their shared utility does.",
            "It also stops when the number of target pixels repeats, be it zero: some images and settings give an empty map.",
            "The authors' code has no iteration cap; 200 is this project's, and a note tells when it is reached.",
            "The authors' code stops with an error on an image smaller than a window; here the window shrinks.",
        ),
    )

    batch_size = 8  # about 75 MB for an image of 256 px and 260 MB for one of 512 px, with the default windows

    def __init__(
        self,
        *,
        patch_size: int = 30,  # author's code, the demo of algorithms/detection/RIPT, to mu_factor
        step: int = 10,
        weight: float = 0.7,
        edge_weight: float = 1.0,
        mu_factor: float = 5.0,
        reconstruct: str = "last",
        max_iterations: int = 200,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        if reconstruct not in ("last", "mean"):
            raise UsageError(f"reconstruct of ript must be last or mean, not {reconstruct!r}")
        check_whole(patch_size=patch_size, step=step, max_iterations=max_iterations)
        self.patch_size, self.step, self.weight = patch_size, step, weight
        self.edge_weight, self.mu_factor = edge_weight, mu_factor
        self.reconstruct, self.max_iterations = reconstruct, max_iterations

    def score_batch(self, images: torch.Tensor) -> torch.Tensor:
        grid = PatchGrid(*images.shape[1:], size=self.patch_size, step=self.step)
        solutions = solve(
            torch.stack([grid.extract(image) for image in images]),
            torch.stack([grid.extract(local_structure_weight(image, self.edge_weight)) for image in images]),
            weight=self.weight,
            mu_factor=self.mu_factor,
            max_iterations=self.max_iterations,
        )
        for solution in solutions:
            self.note_cap(solution)
        return torch.stack([grid.restore(solution.target, self.reconstruct) for solution in solutions])


def local_structure_weight(image, exponent):
    """HxW weight, 1 to e^exponent: large on edges, where the eigenvalues of the structure tensor differ."""
    large, small = structure_tensor_eigenvalues(image, sigma_image=SIGMA_IMAGE, sigma_tensor=SIGMA_TENSOR)
    return mat2gray(large - small).mul_(exponent).exp_()


def solve(data, local_weight, *, weight, mu_factor, max_iterations):
    """Split patch tensors into background and target, low-rank in all three unfoldings, by ADMM.

    With G_i = F + mu * Lambda_i for the data F and the multiplier of unfolding i, the background is B_i = SVT(G_i - T), and
    only what the shrinkage takes away, C_i = G_i - T - B_i, is needed: it gives the next target and the next G_i.

    Arguments:
        data: BxPxSxS float patch tensors of B images, none constant.
        local_weight: BxPxSxS local structure weight.
        weight, mu_factor, max_iterations: See `RIPT`.

    Returns:
        list[RIPTSolution]: One an image; ``target`` is not negative.
    """
    penalty = weight / min(data.shape[1:]) ** 0.5
    norm = torch.linalg.vector_norm(data, dim=(1, 2, 3))
    mu = mu_factor * data.flatten(1).std(1)
    nonzeros = torch.full_like(norm, data[0].numel(), dtype=torch.long)

    target = torch.zeros_like(data)
    rows, columns, patches = (data.clone() for _ in range(3))  # G_i - T, by unfolding
    weights = local_weight.clone()
    iterations = 0
    unfinished = Unfinished(len(data))
    while unfinished:
        iterations += 1
        background = torch.add(rows, columns).add_(patches)
        rows, columns, patches = _taken_from_rows(rows, mu), _taken_from_columns(columns, mu), _taken_from_patches(patches, mu)
        taken = torch.add(rows, columns).add_(patches)
        background.sub_(taken)
        step = (mu * penalty / 3)[:, None, None, None]
        update = taken.div_(3).add_(target).sub_(weights.mul_(step)).clamp_(min=0)

        # G_i' - T' = F + mu' * Lambda_i' - T', where mu' * Lambda_i' = (C_i + T - T') / 1.5
        constant = torch.sub(target, update).div_(MU_DECAY).add_(data).sub_(update)
        for removed in (rows, columns, patches):
            removed.div_(MU_DECAY).add_(constant)
        target = update
        weights = torch.add(target, REWEIGHTING).reciprocal_().mul_(local_weight)
        mu = mu / MU_DECAY

        gap = background.div_(-3).add_(data).sub_(target)
        before, nonzeros = nonzeros, torch.count_nonzero(target, dim=(1, 2, 3))
        converged = (before == nonzeros) | (torch.linalg.vector_norm(gap, dim=(1, 2, 3)) / norm < TOLERANCE)
        data, local_weight, norm, mu, nonzeros, target, rows, columns, patches, weights = unfinished.settle(
            converged | (iterations >= max_iterations),
            (target, iterations, nonzeros, converged),
            *(data, local_weight, norm, mu, nonzeros, target, rows, columns, patches, weights),
        )
    return [RIPTSolution(*result) for result in unfinished.results]


def _taken_from_rows(tensors, tau):
    """What singular value thresholding takes from the unfoldings along rows, S x (S * P), of BxPxSxS tensors; tau is of B."""
    unfolded = tensors.transpose(1, 2).flatten(2)
    return _complement(unfolded @ unfolded.mT, tau)[:, None] @ tensors


def _taken_from_columns(tensors, tau):
    """The same for the unfoldings along columns, S x (S * P)."""
    stacked = tensors.flatten(1, 2)
    return (stacked @ _complement(stacked.mT @ stacked, tau)).view_as(tensors)


def _taken_from_patches(tensors, tau):
    """The same for the unfoldings along patches, P x (S * S). It is left in place of the tensors."""
    matrices = tensors.flatten(2)
    if matrices.device.type == "cpu":
        _take_by_lapack(matrices, tau)
    else:
        _take_by_torch(matrices, tau)
    return tensors


def _take_by_lapack(matrices, tau):
    """BxMxN matrices M become M - SVT(M), one by one: LAPACK through SciPy needs three quarters of the time of torch."""
    for matrix, threshold in zip(matrices, tau.tolist(), strict=True):
        leading = leading_spectrum(matrix, above=threshold, expected=min(matrix.shape))  # rarely few are above
        matrix.addmm_(*leading.factors(leading.values - threshold), alpha=-1)


def _take_by_torch(matrices, tau):
    """The same for all matrices together."""
    tall = matrices.shape[1] > matrices.shape[2]
    values, vectors = _spectrum(matrices.mT @ matrices if tall else matrices @ matrices.mT)
    few = int((values > tau[:, None]).sum(1).max())
    values, vectors = values[:, values.shape[1] - few :], vectors[..., values.shape[1] - few :]
    kept = vectors * (1 - tau[:, None] / values).clamp_(min=0)[:, None]
    factors = (matrices @ kept, vectors.mT) if tall else (kept, vectors.mT @ matrices)
    matrices.baddbmm_(*factors, alpha=-1)


def _complement(gram, tau):
    """The matrix K with K @ M = M - SVT(M) for each M of these Gram matrices: a singular value s becomes min(s, tau)."""
    values, vectors = _spectrum(gram)
    return (vectors * torch.where(values > tau[:, None], tau[:, None] / values, 1.0)[:, None]) @ vectors.mT


def _spectrum(gram):
    """Singular values, ascending, and left singular vectors of each matrix M with M @ M.T = gram."""
    eigenvalues, vectors = torch.linalg.eigh(gram)
    return eigenvalues.clamp_(min=0).sqrt_(), vectors
