"""PSTNN: partial sum of the tensor nuclear norm, with a corner prior."""

from typing import Any, NamedTuple

import torch

from irsam_zoo.baselines.classical.parts.options import check_whole
from irsam_zoo.baselines.classical.parts.patches import PatchGrid
from irsam_zoo.baselines.classical.parts.structure_tensor import mat2gray, structure_tensor_eigenvalues
from irsam_zoo.baselines.classical.parts.tensor_detector import TensorDetector
from irsam_zoo.baselines.classical.parts.tensor_svd import from_spectrum, shrink_singular_values, spectrum
from irsam_zoo.baselines.classical.parts.unfinished import Unfinished
from irsam_zoo.zoo import METHODS, MethodCard

TOLERANCE = 1e-3  # author's code, functions/, like all constants here
MU, MU_GROWTH, MU_LIMIT = 2e-3, 1.05, 1e10
REWEIGHTING = 0.01
ENERGY_RATIO = 0.1
SIGMA_IMAGE, SIGMA_TENSOR = 2.0, 9.0


class PSTNNSolution(NamedTuple):
    """Target patch tensor (PxSxS) and how the solver got there."""

    target: torch.Tensor
    iterations: int
    rank: int
    nonzeros: int
    converged: bool


@METHODS.register_module("pstnn")
class PSTNN(TensorDetector):
    """Partial sum of the tensor nuclear norm (Zhang and Peng, Remote Sensing 11(4), 2019).

    Arguments:
        patch_size: Side S of the windows in px; the smaller side of the image where that is less.
        step: Distance between windows in px.
        weight: The factor L of the sparsity weight L / sqrt(S * P) for P windows.
        max_iterations: Cap on the iterations.
    """

    card = MethodCard(
        title="PSTNN",
        authors="Zhang and Peng",
        year=2019,
        venue="Remote Sensing 11(4)",
        url="https://github.com/Lanneeee/Infrared-Small-Target-Detection-based-on-PSTNN",
        fidelity="author-code",
        notes=(
            "Where windows overlap the last one wins, as in the authors' reconstruction, whose name says mean.",
            "The number of preserved singular values comes from a column-major reshape of the patch tensor, not from its "
            "third unfolding, as in the authors' code.",
            "Constant areas have no corner strength (0/0); it counts as 1 there, as MATLAB's mat2gray makes it.",
            "The authors' code stops with an error on an image smaller than a window; here the window shrinks.",
        ),
    )

    batch_size = 8  # about 12 MB for an image of 256 px

    def __init__(
        self, *, patch_size: int = 40, step: int = 40, weight: float = 0.7, max_iterations: int = 500, **kwargs: Any
    ):  # author's code, Demo.m
        super().__init__(**kwargs)
        check_whole(patch_size=patch_size, step=step, max_iterations=max_iterations)
        self.patch_size, self.step, self.weight, self.max_iterations = patch_size, step, weight, max_iterations

    def score_batch(self, images: torch.Tensor) -> torch.Tensor:
        grid = PatchGrid(*images.shape[1:], size=self.patch_size, step=self.step)
        data = torch.stack([grid.extract(image) for image in images])
        prior = torch.stack([grid.extract(corner_prior(image)) for image in images])
        solutions = solve(data, prior, weight=self.weight, max_iterations=self.max_iterations)
        for solution in solutions:
            self.note_cap(solution)
        return torch.stack([grid.restore(solution.target, "last") for solution in solutions])


def corner_prior(image):
    """Corner strength of an HxW image, scaled to 0..1: the reduced determinant times the larger eigenvalue."""
    large, small = structure_tensor_eigenvalues(image, sigma_image=SIGMA_IMAGE, sigma_tensor=SIGMA_TENSOR)
    return mat2gray(large * small / (large + small) * torch.maximum(large, small))


def solve(data, prior, *, weight, max_iterations):
    """Split patch tensors into background and target by ADMM, as the authors' code does.

    Arguments:
        data: BxPxSxS float patch tensors of B images, none all zero.
        prior: BxPxSxS tensor, 0..1, how likely each pixel is to be a target.
        weight, max_iterations: See `PSTNN`.

    Returns:
        list[PSTNNSolution]: One an image; ``target`` is not negative.
    """
    images, count, size, _ = data.shape
    keep = preserved_rank(data)
    penalty = weight / (size * count) ** 0.5
    norm = torch.linalg.vector_norm(data, dim=(1, 2, 3))
    nonzeros = torch.zeros_like(keep)

    mu, iterations = MU, 0
    target, dual = torch.zeros_like(data), torch.zeros_like(data)
    weights = torch.ones_like(data)
    unfinished = Unfinished(images)
    while unfinished:
        iterations += 1
        centre = torch.add(data, dual, alpha=-1 / mu)  # both proximal steps start from X - Y / mu
        background = _partial_shrinkage(centre - target, keep, 1 / mu)
        target = centre.sub_(background).sub_(weights.mul_(penalty / mu)).clamp_(min=0)
        # A prior of 0 makes an infinite weight, and so no target.
        weights = torch.add(target, REWEIGHTING).mul_(prior).reciprocal_().mul_(keep[:, None, None, None])

        gap = background.add_(target).sub_(data)
        before, nonzeros = nonzeros, torch.count_nonzero(target, dim=(1, 2, 3))
        settled = (before == nonzeros) & (nonzeros > 0)
        converged = settled | (torch.linalg.vector_norm(gap, dim=(1, 2, 3)) / norm < TOLERANCE)
        dual.add_(gap, alpha=mu)
        mu = min(MU_GROWTH * mu, MU_LIMIT)
        data, prior, keep, norm, nonzeros, target, dual, weights = unfinished.settle(
            converged | (iterations >= max_iterations),
            (target, iterations, keep, nonzeros, converged),
            *(data, prior, keep, norm, nonzeros, target, dual, weights),
        )
    return [PSTNNSolution(*result) for result in unfinished.results]


def preserved_rank(data):
    """How many leading singular values of each reshaped BxPxSxS patch tensor reach a tenth of the first; at least 1."""
    matrix = data.mT.reshape(len(data), -1, data.shape[1])  # MATLAB's reshape(X, n3, n1 * n2), transposed
    gram = matrix.mT @ matrix if matrix.shape[1] > matrix.shape[2] else matrix @ matrix.mT
    values = torch.linalg.eigvalsh(gram)
    return (values >= ENERGY_RATIO**2 * values[:, -1:]).sum(1).clamp_(min=1)


def _partial_shrinkage(slices, keep, tau):
    """Shrink all but the ``keep`` largest singular values (one number an image) of each frontal slice of the spectrum."""

    def rule(values, keep):
        position = torch.arange(values.shape[1], device=values.device)
        return torch.where(position < keep, values, (values - tau).clamp_(min=0))

    half, _ = shrink_singular_values(spectrum(slices), rule, keep[:, None])
    return from_spectrum(half, slices.shape[1])
