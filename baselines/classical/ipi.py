"""IPI: the patch image of the background has low rank, that of the targets is sparse."""

from dataclasses import dataclass
from typing import Any

import torch

from irsam_zoo.baselines.classical.parts.options import check_whole
from irsam_zoo.baselines.classical.parts.patches import PatchGrid, from_patch_image, to_patch_image
from irsam_zoo.baselines.classical.parts.proximal import row_blocks, soft_threshold
from irsam_zoo.baselines.classical.parts.subspace import TrackedSpectrum
from irsam_zoo.baselines.classical.parts.tensor_detector import TensorDetector
from irsam_zoo.zoo import METHODS, MethodCard, UsageError

# APG_IR.m: stop when the rank passes this part of the smaller side, or has been the same more than `STEADY` times while
# the number of nonzero entries moved by less than `STEADY_NONZEROS`.
RANK_LIMIT, STEADY, STEADY_NONZEROS = 0.3, 10, 20
# The first bound is half the second singular value of D, which is also the second singular value of the first point, D / 2:
# not above the bound. In the author's code rounding decides; with this margin it does not.
TIE = 1e-10
# Of the low-rank part, in units of the bound: below 1e-8 of an entry at 512 x 512 px.
ACCURACY = 1e-4


@METHODS.register_module("ipi")
class IPI(TensorDetector):
    """Infrared patch-image model, solved by accelerated proximal gradient with continuation.

    Splits the patch image D, scaled to 0..1, into a low-rank A and a sparse E:
    minimise mu * ||A||_* + mu * weight * ||E||_1 + ||D - A - E||_F^2 / 2 while mu falls to a small floor.
    The score of a pixel is the median of E over the patches that hold it; it may be negative.

    Arguments:
        patch_size, step: Side and distance of the patches in px. An image smaller than a patch shrinks the patch to the
            image's smaller side.
        weight_side: The m of weight = 1 / sqrt(m): ``"image"`` for the longer side of the image, ``"patch_image"`` for
            that of the patch image.
        decay: Factor of mu per iteration.
        floor: Lowest mu, as a part of the fourth singular value of D (or of the last, where there are fewer).
        rank_stop: Whether the two rank rules of the author's code stop the solver before it has converged.
        tolerance: Stop at this relative norm of the subgradient.
        max_iterations: Cap; reaching it is noted.
    """

    card = MethodCard(
        title="IPI",
        authors="Gao et al.",
        year=2013,
        venue="IEEE TIP 22(12)",
        url="https://github.com/gaocq/IPI-for-small-target-detection",
        fidelity="author-code",
        notes=(
            "The author's code stops by the rank of the background, mostly long before it converges; rank_stop=False does not.",
            "No patch is moved onto the far border: up to step - 1 rows and columns there have the score 0.",
            "The author's step and floor of mu are not the paper's, which are the configuration ipi_paper.",
        ),
    )

    def __init__(
        self,
        *,
        patch_size: int = 50,  # main.m
        step: int = 10,  # main.m
        weight_side: str = "image",  # winRPCA_median.m: 1 / sqrt(max(size(image)))
        decay: float = 0.9,  # APG_IR.m
        floor: float = 0.005,  # APG_IR.m
        rank_stop: bool = True,  # APG_IR.m
        tolerance: float = 1e-6,  # APG_IR.m; the 1e-7 of its header is not what runs
        max_iterations: int = 1000,  # APG_IR.m
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        if weight_side not in ("image", "patch_image"):
            raise UsageError(f"weight_side must be image or patch_image, not {weight_side!r}")
        check_whole(patch_size=patch_size, step=step, max_iterations=max_iterations)
        self.patch_size, self.step, self.weight_side = patch_size, step, weight_side
        self.options: dict[str, Any] = dict(
            decay=decay, floor=floor, rank_stop=rank_stop, tolerance=tolerance, max_iterations=max_iterations
        )

    def score_tensor(self, image: torch.Tensor) -> torch.Tensor:
        grid = PatchGrid(*image.shape, size=self.patch_size, step=self.step, layout="gao")
        data = to_patch_image(grid.extract(image))
        low, high = data.min(), data.max()
        if low == high:  # all contrast lies in the border that no patch covers
            return torch.zeros_like(image)
        if data.shape[1] == 1:
            self.note("an image of a single patch has no second one to compare it with: its scores mean little")
        data = data.sub_(low).div_(high - low)
        longer_side = max(image.shape if self.weight_side == "image" else data.shape)
        solution = solve(data, weight=longer_side**-0.5, **self.options)
        self.note_cap(solution)
        return grid.restore(from_patch_image(solution.target), "median")


@dataclass(frozen=True)
class IPISolution:
    """Result of `solve`.

    Attributes:
        target: The sparse part E, MxN.
        iterations: Number of iterations.
        rank: Of the low-rank part.
        nonzeros: Nonzero entries of the sparse part.
        residual: Relative norm of the subgradient at the stop.
        converged: False where the cap on iterations ended the loop.
    """

    target: torch.Tensor
    iterations: int
    rank: int
    nonzeros: int
    residual: float
    converged: bool


def solve(data, *, weight, decay=0.9, floor=0.005, rank_stop=True, tolerance=1e-6, max_iterations=1000):
    """Robust principal component analysis by accelerated proximal gradient, as in APG_IR.m.

    The original iterates on A and E with equal extrapolation and a step of 1/2, so that its gradient points are
    (D + Z) / 2 and (D - Z) / 2 with Z the extrapolated A - E, and both halves of its subgradient are Z - (A - E) up to
    sign. Only A - E is therefore carried along, and what is done entry by entry is done in one pass an iteration.

    Arguments:
        data: MxN float64 tensor D, not all 0.
        weight: Of the sparse part (lambda).
        decay, floor, rank_stop, tolerance, max_iterations: See `IPI`.

    Returns:
        IPISolution
    """
    data = data.T.contiguous()  # a patch is a row
    tracked = TrackedSpectrum(ACCURACY)
    leading = tracked.leading(data, at_least=4).values.tolist()
    mu, lowest = leading[min(1, len(leading) - 1)], floor * leading[-1]
    momentum = 1.0
    point = data / 2  # (D + Z) / 2
    difference, target, low_rank = torch.zeros_like(data), torch.empty_like(data), torch.empty_like(data)
    rank = last_nonzeros = steady = 0
    for iteration in range(1, max_iterations + 1):
        spectrum = tracked.leading(point, above=mu / 2 * (1 + TIE))
        shrunk = spectrum.values - mu / 2
        torch.mm(*spectrum.factors(shrunk), out=low_rank)  # whole: a block of so few rows would take twice as long
        momentum, overshoot = _next_momentum(momentum)
        nonzeros, target_square, gradient_square = 0, 0.0, 0.0
        for block in row_blocks(data):
            here, ahead = data[block], point[block]
            sparse = soft_threshold(here - ahead, weight * mu / 2)
            target[block] = sparse
            nonzeros += int(torch.count_nonzero(sparse))
            target_square += torch.linalg.vector_norm(sparse).item() ** 2
            latest = low_rank[block].sub_(sparse)
            gradient_square += torch.linalg.vector_norm(torch.add(here + latest, ahead, alpha=-2)).item() ** 2
            torch.lerp(difference[block], latest, 1 + overshoot, out=ahead)
            ahead.add_(here).mul_(0.5)
            difference[block] = latest

        scale = (target_square + shrunk.square().sum().item()) ** 0.5
        residual = (gradient_square / 2) ** 0.5 / max(1.0, scale)
        done = residual <= tolerance
        if len(shrunk) == rank:
            steady += 1
            done |= rank_stop and steady > STEADY and abs(nonzeros - last_nonzeros) < STEADY_NONZEROS
        else:
            steady, last_nonzeros = 0, nonzeros
        rank = len(shrunk)
        done |= rank_stop and rank > RANK_LIMIT * min(data.shape)
        if done:
            break
        mu = max(decay * mu, lowest)
    return IPISolution(target.T, iteration, rank, nonzeros, residual, done)


def _next_momentum(momentum):
    """Nesterov's sequence: its next number, and the extrapolation that goes with it."""
    following = (1 + (1 + 4 * momentum**2) ** 0.5) / 2
    return following, (momentum - 1) / following
