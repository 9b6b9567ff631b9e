"""PSTNN: partial sum of the tensor nuclear norm, with a corner prior."""

from typing import NamedTuple

import torch

from baselines.classical.patches import PatchGrid
from baselines.classical.structure_tensor import mat2gray, structure_tensor_eigenvalues
from baselines.classical.tensor_detector import TensorDetector
from baselines.classical.tensor_svd import from_spectrum, shrink_singular_values, spectrum
from zoo import METHODS, MethodCard

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

    def __init__(self, *, patch_size=40, step=40, weight=0.7, max_iterations=500, **kwargs):  # author's code, Demo.m
        super().__init__(**kwargs)
        self.patch_size, self.step, self.weight, self.max_iterations = patch_size, step, weight, max_iterations

    def score_tensor(self, image):
        grid = PatchGrid(*image.shape, size=self.patch_size, step=self.step)
        solution = solve(
            grid.extract(image), grid.extract(corner_prior(image)), weight=self.weight, max_iterations=self.max_iterations
        )
        self.note_cap(solution)
        return grid.restore(solution.target, "last")


def corner_prior(image):
    """Corner strength of an HxW image, scaled to 0..1: the reduced determinant times the larger eigenvalue."""
    large, small = structure_tensor_eigenvalues(image, sigma_image=SIGMA_IMAGE, sigma_tensor=SIGMA_TENSOR)
    return mat2gray(large * small / (large + small) * torch.maximum(large, small))


def solve(data, prior, *, weight, max_iterations):
    """Split a patch tensor into background and target by ADMM, as the authors' code does.

    Arguments:
        data: PxSxS float patch tensor, not all zero.
        prior: PxSxS tensor, 0..1, how likely each pixel is to be a target.
        weight, max_iterations: See `PSTNN`.

    Returns:
        PSTNNSolution: ``target`` is not negative.
    """
    count, size, _ = data.shape
    keep = preserved_rank(data)
    penalty = weight / (size * count) ** 0.5
    norm = torch.linalg.vector_norm(data)

    mu = MU
    target, dual = torch.zeros_like(data), torch.zeros_like(data)
    weights = torch.ones_like(data)
    nonzeros, converged, iterations = 0, False, 0
    while not converged and iterations < max_iterations:
        iterations += 1
        centre = torch.add(data, dual, alpha=-1 / mu)  # both proximal steps start from X - Y / mu
        background = _partial_shrinkage(centre - target, keep, 1 / mu)
        target = centre.sub_(background).sub_(weights.mul_(penalty / mu)).clamp_(min=0)
        # A prior of 0 makes an infinite weight, and so no target.
        weights = torch.add(target, REWEIGHTING).mul_(prior).reciprocal_().mul_(keep)

        gap = background.add_(target).sub_(data)
        before, nonzeros = nonzeros, int(torch.count_nonzero(target))
        settled = before == nonzeros > 0
        converged = settled or bool(torch.linalg.vector_norm(gap) / norm < TOLERANCE)
        dual.add_(gap, alpha=mu)
        mu = min(MU_GROWTH * mu, MU_LIMIT)
    return PSTNNSolution(target, iterations, keep, nonzeros, converged)


def preserved_rank(data):
    """How many leading singular values of the reshaped patch tensor reach a tenth of the first; at least 1."""
    matrix = data.transpose(1, 2).reshape(-1, len(data))  # MATLAB's reshape(X, n3, n1 * n2), transposed
    gram = matrix.T @ matrix if matrix.shape[0] > matrix.shape[1] else matrix @ matrix.T
    values = torch.linalg.eigvalsh(gram)
    return max(int((values >= ENERGY_RATIO**2 * values[-1]).sum()), 1)


def _partial_shrinkage(slices, keep, tau):
    """Shrink all but the ``keep`` largest singular values of each frontal slice of the spectrum."""

    def rule(values):
        shrunk = (values - tau).clamp_(min=0)
        shrunk[:, :keep] = values[:, :keep]
        return shrunk

    half, _ = shrink_singular_values(spectrum(slices), rule)
    return from_spectrum(half, len(slices))
