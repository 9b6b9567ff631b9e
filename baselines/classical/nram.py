"""NRAM: a patch image split into low-rank background, sparse target and strong edges, by non-convex penalties."""

from dataclasses import dataclass
from typing import Any

import torch

from irsam_zoo.baselines.classical.parts.options import check_whole
from irsam_zoo.baselines.classical.parts.patches import PatchGrid, from_patch_image, to_patch_image
from irsam_zoo.baselines.classical.parts.proximal import row_blocks
from irsam_zoo.baselines.classical.parts.subspace import TrackedSpectrum
from irsam_zoo.baselines.classical.parts.tensor_detector import TensorDetector
from irsam_zoo.zoo import METHODS, MethodCard, UsageError

GAMMA = 0.002  # of the rank surrogate (nram.m)
WEIGHT_FLOOR = 0.04  # added to |target| where the sparse weights divide by it (nram.m)
EDGE_WEIGHT = 3.0  # beta * sqrt(shorter side) (nram.m)
SURROGATE_ROUNDS, SURROGATE_TOLERANCE = 100, 1e-6  # DC.m
ACCURACY = 1e-6  # of the low-rank part, in units of the bound on its singular values
SIDES = {"shorter": min, "longer": max, "rows": lambda shape: shape[0]}


@METHODS.register_module("nram")
class NRAM(TensorDetector):
    """Non-convex rank approximation minimisation, solved by ADMM.

    Splits the patch image D, scaled to 0..1, into L + S + E: minimise rank_gamma(L) + weight * ||w * S||_1 +
    beta * ||E||_{2,1}, where rank_gamma sums (1 + gamma) s / (gamma + s) over singular values, w is renewed from the
    target in every iteration, and E takes whole columns (edges). The score is S, in units of the scaled patch image.
    Under several patches a pixel has the value of the last one.

    Arguments:
        patch_size, step: Side and distance of the patches in px. An image smaller than a patch shrinks the patch to the
            image's smaller side.
        weight_side: The k of weight = 1 / sqrt(k): the ``"shorter"`` or ``"longer"`` side of the patch image, or its
            number of ``"rows"``.
        penalty_side: The k of the first penalty mu = 3 * sqrt(k), likewise.
        reweight_side: The k of the numerator sqrt(k) / 2.5 of w, likewise.
        growth: Factor of mu per iteration.
        tolerance: Stop at this relative norm of D - L - S - E.
        max_iterations: Cap; reaching it is noted.
    """

    card = MethodCard(
        title="NRAM",
        authors="Zhang et al.",
        year=2018,
        venue="Remote Sensing 10(11)",
        url="https://github.com/Lanneeee/NRAM",
        fidelity="author-code",
        notes=(
            "Overlapping patches overwrite one another, as in the author's reconstruct.m, which is named a mean.",
            "Negative entries of the target are shrunk by a weight that lacks the division by mu, as in nram.m.",
            "The author's demo does not have the paper's three scales; as quoted later, they are the configuration nram_paper.",
        ),
    )

    def __init__(
        self,
        *,
        patch_size: int = 50,  # Demo_NRAM.m
        step: int = 10,  # Demo_NRAM.m
        weight_side: str = "shorter",  # Demo_NRAM.m: lambda = 1 / sqrt(min(m, n))
        penalty_side: str = "longer",  # Demo_NRAM.m: mu0 = 3 * sqrt(max(m, n))
        reweight_side: str = "shorter",  # nram.m: C = sqrt(min(m, n)) / 2.5
        growth: float = 1.1,  # nram.m
        tolerance: float = 1e-7,  # nram.m
        max_iterations: int = 1000,  # nram.m
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        for side in (weight_side, penalty_side, reweight_side):
            if side not in SIDES:
                raise UsageError(f"a side of the patch image is one of {', '.join(SIDES)}, not {side!r}")
        check_whole(patch_size=patch_size, step=step, max_iterations=max_iterations)
        self.patch_size, self.step = patch_size, step
        self.weight_side, self.penalty_side, self.reweight_side = weight_side, penalty_side, reweight_side
        self.options: dict[str, Any] = dict(growth=growth, tolerance=tolerance, max_iterations=max_iterations)

    def score_tensor(self, image: torch.Tensor) -> torch.Tensor:
        grid = PatchGrid(*image.shape, size=self.patch_size, step=self.step, layout="dai")
        data = to_patch_image(grid.extract(image))
        low, high = data.min(), data.max()
        data = data.sub_(low).div_(high - low)
        solution = solve(
            data,
            weight=SIDES[self.weight_side](data.shape) ** -0.5,
            penalty=3 * SIDES[self.penalty_side](data.shape) ** 0.5,
            reweight=SIDES[self.reweight_side](data.shape) ** 0.5 / 2.5,
            **self.options,
        )
        self.note_cap(solution)
        return grid.restore(from_patch_image(solution.target), "last")


@dataclass(frozen=True)
class NRAMSolution:
    """Result of `solve`.

    Attributes:
        target: The sparse part S, MxN.
        iterations: Number of iterations.
        rank: Of the low-rank part.
        residual: ||D - L - S - E|| / ||D|| at the stop.
        converged: False where the cap on iterations ended the loop.
    """

    target: torch.Tensor
    iterations: int
    rank: int
    residual: float
    converged: bool


def solve(data, *, weight, penalty, reweight, growth=1.1, tolerance=1e-7, max_iterations=1000):
    """The ADMM loop of nram.m, with the multiplier divided by mu.

    The update of E leaves a remainder D - L - S - Y / mu - E; the next multiplier over mu is its negative.

    Arguments:
        data: MxN float64 tensor D, not all 0.
        weight: Of the sparse part (lambda).
        penalty: First mu.
        reweight: Numerator C of the sparse weights C / (|target| + 0.04).
        growth, tolerance, max_iterations: See `NRAM`.

    Returns:
        NRAMSolution
    """
    data = data.T.contiguous()  # a patch is a row
    mu = penalty
    edge_weight = EDGE_WEIGHT * min(data.shape) ** -0.5
    norm = torch.linalg.vector_norm(data).item()
    matrix = data.clone()  # D - S - E - Y / mu
    target, edges, multiplier = torch.zeros_like(data), torch.zeros_like(data), torch.zeros_like(data)
    values, tracked = data.new_zeros(0), TrackedSpectrum(ACCURACY)
    for iteration in range(1, max_iterations + 1):
        left, right, values = _shrink_rank(matrix, values, mu, tracked)
        gap_square = 0.0
        for block in row_blocks(data):
            rest, sparse, edge, dual = matrix[block], target[block], edges[block], multiplier[block]
            rest.add_(sparse).addmm_(left[block], right, alpha=-1)
            amount = rest.abs().add_(WEIGHT_FLOOR).reciprocal_().mul_(weight * reweight)
            # The author's code divides by mu on the positive side alone, which all but forbids dark targets.
            torch.add(rest, amount, alpha=-1 / mu, out=sparse).clamp_(min=0)
            sparse.add_(amount.add_(rest).clamp_(max=0))
            rest.add_(edge).sub_(sparse)
            lengths = torch.linalg.vector_norm(rest, dim=1, keepdim=True)
            kept = torch.where(lengths > 0, 1 - edge_weight / mu / lengths, 0).clamp_(min=0)
            rest.sub_(torch.mul(rest, kept, out=edge))
            gap_square += torch.linalg.vector_norm(dual.add_(rest)).item() ** 2
            torch.mul(rest, -1 / growth, out=dual)
            torch.sub(data[block], sparse, out=rest).sub_(edge).sub_(dual)
        residual = gap_square**0.5 / norm
        mu *= growth
        if residual < tolerance:
            break
    return NRAMSolution(target.T, iteration, len(values), residual, residual < tolerance)


def _shrink_rank(matrix, previous, mu, tracked):
    """Proximal map of the rank surrogate by difference-of-convex rounds (DC.m).

    Arguments:
        previous: Singular values of the last low-rank part, descending; the rounds start from them.

    Returns:
        The low-rank part as a product of two tensors, and its positive singular values.
    """
    # A singular value that starts from 0 stays 0 unless it exceeds the shrinkage at 0; those that do not start from 0
    # are shrunk less. No others are needed.
    spectrum = tracked.leading(matrix, above=(1 + GAMMA) / GAMMA / mu, at_least=len(previous))
    start = torch.zeros_like(spectrum.values)
    start[: len(previous)] = previous
    for _ in range(SURROGATE_ROUNDS):
        shrunk = (spectrum.values - (1 + GAMMA) * GAMMA / (GAMMA + start).square() / mu).clamp_(min=0)
        change = (shrunk - start).square().sum()
        start = shrunk
        if change < SURROGATE_TOLERANCE:
            break
    rank = int(torch.count_nonzero(shrunk))
    return *spectrum.factors(shrunk), shrunk[:rank]
