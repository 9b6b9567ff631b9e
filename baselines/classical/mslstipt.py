"""MSLSTIPT: multiple subspace learning and spatial-temporal patch-tensor model."""

from itertools import chain, repeat
from typing import Any, NamedTuple

import numpy as np
import torch
from torch.nn.functional import pad

from irsam_zoo.baselines.classical.parts.options import check_whole
from irsam_zoo.baselines.classical.parts.proximal import soft_threshold
from irsam_zoo.baselines.classical.parts.tensor_detector import TensorDetector
from irsam_zoo.baselines.classical.parts.tensor_svd import from_spectrum, shrink_singular_values, spectrum
from irsam_zoo.baselines.classical.parts.unfinished import Unfinished
from irsam_zoo.zoo import METHODS, MethodCard, ZooError
from irsam_zoo.zoo.detector import checked_image

# Author's code, MSL-STIPT: the tensor RPCA that gives the dictionary, the cut of its rank, and MSLSTIPTv1.m.
RPCA_MU, RPCA_GROWTH, RPCA_LIMIT, RPCA_TOLERANCE = 1e-4, 1.2, 1e10, 1e-8
DROP_RATIO, PEAK_RATIO = 50, 20
BETA, BETA_GROWTH, BETA_LIMIT, TOLERANCE = 1e-4, 1.1, 1e8, 1e-4
REWEIGHTINGS, FIXED_POINT_STEPS = 3, 2


class MSLSTIPTSolution(NamedTuple):
    """Sparse part of the data (n x m x F frontal slices) and how the solvers got there.

    The first three numbers speak of the dictionary: iterations and tubal rank of the tensor RPCA, and tubal rank after the
    cut. ``rank`` is the tubal rank of the coefficients.
    """

    sparse: torch.Tensor
    dictionary_iterations: int
    background_rank: int
    dictionary_rank: int
    iterations: int
    rank: int
    converged: bool


@METHODS.register_module("mslstipt")
class MSLSTIPT(TensorDetector):
    """Multiple subspace learning and spatial-temporal patch-tensor model (Sun, Yang and An, IEEE TGRS 59(5), 2021).

    The method separates the moving targets of a few frames at once: `predict_sequence`. `predict` gives it a single frame,
    which then is a group of its own.

    Arguments:
        patch_size: Side of the windows in px, side by side; the smaller side of the image where that is less.
        c: The factor C of the weighted Schatten norm, before its scaling by the window's side.
        p: The exponent of the Schatten norm, between 0 and 1.
        group_size: Frames that `predict_sequence` separates together. What is left at the end is a smaller group.
        dictionary_iterations: Cap on the iterations of the tensor RPCA.
        max_iterations: Cap on the iterations of the separation.
    """

    card = MethodCard(
        title="MSLSTIPT",
        authors="Sun et al.",
        year=2021,
        venue="IEEE TGRS 59(5)",
        url="https://github.com/yangsunNUDT/MSL-STIPT",
        fidelity="author-code",
        fidelity_scope="v1; one frame is an adaptation",
        notes=(
            "A multi-frame method; on single images each is a group of one frame, which its authors do not describe.",
            "Below the image, rows repeat the last row of the first window, not of the image, as in the authors' patch_model.",
            "The patch tensor is reshaped, not permuted, as in the authors' demo: it mixes the columns of different windows.",
            "The authors' window of 100 px does not fit smaller images; there it shrinks to the smaller side.",
        ),
    )

    batch_size = 8  # about 20 MB for an image of 256 px

    def __init__(
        self,
        *,
        patch_size: int = 100,  # author's code, demo_MSLSTIPTv1.m, to group_size
        c: float = 1e-4,
        p: float = 0.8,
        group_size: int = 6,
        dictionary_iterations: int = 800,  # author's code, the tensor RPCA
        max_iterations: int = 200,  # author's code, MSLSTIPTv1.m
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        check_whole(patch_size=patch_size, group_size=group_size)
        check_whole(dictionary_iterations=dictionary_iterations, max_iterations=max_iterations)
        self.patch_size, self.c, self.p, self.group_size = patch_size, c, p, group_size
        self.dictionary_iterations, self.max_iterations = dictionary_iterations, max_iterations

    def score_batch(self, images: torch.Tensor) -> torch.Tensor:
        return self._separate_groups(images[:, None])[:, 0]

    def predict_sequence(self, frames):
        """Score the frames of a sequence, in groups.

        Arguments:
            frames: TxHxW array or list of T HxW images, uint8 or float, 0..255.

        Returns:
            np.ndarray: TxHxW float32 score maps: targets in parts of 255, negatives kept.

        Raises:
            ZooError: A frame is no grey image of finite numbers, or the frames differ in size.
        """
        frames = [checked_image(frame) for frame in frames]
        sizes = {frame.shape for frame in frames}
        if len(sizes) != 1:
            raise ZooError(f"a sequence needs one or more frames of one size, got the sizes {sorted(sizes)}")
        return self.score_sequence(np.stack(frames)).astype(np.float32)

    def score_sequence(self, frames):
        """`predict_sequence` without its checks: TxHxW float64 to TxHxW float64."""
        groups = torch.as_tensor(frames, device=self.device).split(self.group_size)
        # In a constant group there is nothing to separate, and the penalty weights are undefined.
        maps = [torch.zeros_like(g) if g.min() == g.max() else self._separate_groups(g[None])[0] for g in groups]
        return torch.cat(maps).numpy(force=True)

    def _separate_groups(self, groups):
        """Score maps of BxTxHxW groups of frames, none of them constant."""
        height, width = groups.shape[2:]
        size = min(self.patch_size, height, width)
        tensors, grids = zip(*[to_tensor(frames / 255, size) for frames in groups], strict=True)
        solutions = solve(
            torch.stack(tensors),
            weight=self.c * size,
            p=self.p,
            dictionary_iterations=self.dictionary_iterations,
            max_iterations=self.max_iterations,
        )
        for solution in solutions:
            if not solution.converged:
                self.note(
                    f"stopped before it converged, at {solution.dictionary_iterations} iterations for the dictionary and "
                    f"{solution.iterations} for the separation"
                )
        return torch.stack([from_tensor(s.sparse, grids[0])[:, :height, :width] for s in solutions])


def to_tensor(frames, size):
    """Cut TxHxW frames into F windows and stack them as S frontal slices of S x F.

    Returns:
        tuple[torch.Tensor, tuple[int, int, int]]: SxSxF tensor, and T with the numbers of windows down and across.
    """
    count, height, width = frames.shape
    down, across = -(-height // size), -(-width // size)
    wide = pad(frames, (0, across * size - width), mode="replicate")
    below = wide[:, size - 1 : size].expand(-1, down * size - height, -1)  # not the image's last row: see the card
    windows = torch.cat([wide, below], dim=1).reshape(count, down, size, across, size)
    columns = windows.permute(0, 1, 3, 4, 2)  # MATLAB's order of an S x S x F array, slowest index first
    return columns.reshape(size, -1, size).transpose(1, 2), (count, down, across)


def from_tensor(tensor, grid):
    """Undo `to_tensor`: Tx(down * S)x(across * S) frames."""
    count, down, across = grid
    size = tensor.shape[0]
    columns = tensor.transpose(1, 2).reshape(count, down, across, size, size)
    return columns.permute(0, 1, 4, 2, 3).reshape(count, down * size, across * size)


def solve(data, *, weight, p, dictionary_iterations, max_iterations):
    """Learn a dictionary of the background, then separate the data into dictionary * coefficients + sparse part.

    Arguments:
        data: B x n x m x F float tensor of the n frontal slices of B groups, none all zero.
        weight: C times the window's side.
        p, dictionary_iterations, max_iterations: See `MSLSTIPT`.

    Returns:
        list[MSLSTIPTSolution]: One a group; ``sparse`` keeps its negatives.
    """
    backgrounds = _tensor_rpca(data, dictionary_iterations)
    atoms, dictionary_ranks = cut_dictionary(spectrum(torch.stack([low for low, *_ in backgrounds])))
    separations = _separate(data, atoms, weight, p, max_iterations)
    return [
        MSLSTIPTSolution(sparse, first, background_rank, dictionary_rank, second, rank, found and separated)
        for (_, background_rank, first, found), dictionary_rank, (sparse, rank, second, separated) in zip(
            backgrounds, dictionary_ranks, separations, strict=True
        )
    ]


def _tensor_rpca(data, max_iterations):
    """Low-rank part under the tensor nuclear norm, its tubal rank, the iterations, and whether they converged, by group."""
    _, depth, rows, columns = data.shape
    penalty = 1 / (max(rows, depth) * columns) ** 0.5
    mu, iteration = RPCA_MU, 0
    low, sparse, dual = torch.zeros_like(data), torch.zeros_like(data), torch.zeros_like(data)
    unfinished = Unfinished(len(data))
    while unfinished:
        iteration += 1
        centre = torch.add(data, dual, alpha=-1 / mu)
        half, values = shrink_singular_values(spectrum(centre - sparse), lambda s, tau=1 / mu: (s - tau).clamp_(min=0))
        low, low_before = from_spectrum(half, depth), low
        sparse, sparse_before = soft_threshold(centre.sub_(low), penalty / mu), sparse
        gap = (low + sparse).sub_(data)
        changes = map(torch.sub, (sparse, low), (sparse_before, low_before))
        converged = _at_rest(RPCA_TOLERANCE, chain([gap], changes))
        dual.add_(gap, alpha=mu)
        mu = min(RPCA_GROWTH * mu, RPCA_LIMIT)
        data, low, sparse, dual = unfinished.settle(
            converged | (iteration >= max_iterations),
            (low, tubal_rank(values), iteration, converged),
            *(data, low, sparse, dual),
        )
    return unfinished.results


def cut_dictionary(half):
    """U * S of the t-SVDs of tensors, each slice cut at the first or steepest large drop of its singular values.

    Arguments:
        half: Spectra of the tensors, BxLxMxF complex.

    Returns:
        tuple[torch.Tensor, list[int]]: BxLxMxK spectra of the dictionaries, and their tubal ranks, of which K is the largest;
        the other dictionaries end in atoms of zeros, which take no part.
    """
    vectors, values, _ = torch.linalg.svd(half, full_matrices=False)
    kept = kept_rank(values.flatten(0, 1), max(half.shape[2:])).view(values.shape[:2])
    position = torch.arange(values.shape[2], device=values.device)
    values = torch.where(position < kept[..., None], values, 0.0)
    ranks = kept.amax(1).clamp_(min=1).tolist()  # an empty background keeps one atom of zeros
    return (vectors * values[..., None, :])[..., : max(ranks)], ranks


def kept_rank(values, longer_side):
    """How many of the BxK singular values of each slice the authors' prox_low_rank.m keeps: B integers."""
    first = values[:, :1]
    spacing = torch.nextafter(first, torch.full_like(first, torch.inf)) - first
    rank = (values > longer_side * spacing).sum(1)  # MATLAB's rank
    if values.shape[1] < 3:
        return rank
    position = torch.arange(values.shape[1] - 1, device=values.device)
    compared = position < rank[:, None] - 2
    ratios = torch.where(compared, values[:, :-1] / values[:, 1:], 0.0)
    drops = ratios > DROP_RATIO
    cut = torch.where(drops.any(1), drops.int().argmax(1) + 1, rank)
    peak, steepest = ratios.max(1)
    stands_out = (rank - 2) * peak > PEAK_RATIO * (ratios.sum(1) - peak)
    return torch.where(stands_out & (rank > 2), torch.minimum(cut, steepest + 1), cut)


def _separate(data, atoms, weight, p, max_iterations):
    """Sparse part, tubal rank of the coefficients, the iterations, and whether they converged, by group.

    The coefficients Z, their copy J and its multiplier live in the Fourier domain, where the t-product is a matrix product
    for each slice. The sizes of their changes count in the pixel domain, and only once the sparse part has come to rest.
    """
    _, depth, rows, columns = data.shape
    penalty = 1 / (depth * max(rows, columns)) ** 0.5
    # The atoms of a slice are orthogonal, so (A'A + I)^-1 is diagonal; the authors' code inverts it.
    diagonal = 1 / (1 + torch.linalg.vector_norm(atoms, dim=2).square()[..., None])
    projection = (atoms * diagonal.mT).mH.contiguous()

    beta, iteration = BETA, 0
    z_half = j_half = atoms.new_zeros(*atoms.shape[:2], atoms.shape[-1], columns)
    dual_half = torch.zeros_like(j_half)
    sparse, dual, fit = torch.zeros_like(data), torch.zeros_like(data), torch.zeros_like(data)
    unfinished = Unfinished(len(data))
    while unfinished:
        iteration += 1
        z_before, j_before = z_half, j_half
        z_half, values = shrink_singular_values(
            torch.add(j_half, dual_half, alpha=-1 / beta), lambda s, w=weight / beta: weighted_schatten(s, w, p)
        )
        centre = torch.add(data, dual, alpha=1 / beta)
        sparse, sparse_before = soft_threshold(centre - fit, penalty / beta), sparse
        j_half = torch.add(z_half, dual_half, alpha=1 / beta).mul_(diagonal).add_(projection @ spectrum(centre.sub_(sparse)))
        fit = from_spectrum(atoms @ j_half, depth)
        gap = torch.sub(data, fit).sub_(sparse)

        half_changes = map(torch.sub, (z_half, j_half, z_half), (j_half, j_before, z_before))
        changes = map(torch.sub, (sparse,), (sparse_before,))
        converged = _at_rest(TOLERANCE, chain([gap], changes, map(from_spectrum, half_changes, repeat(depth))))
        dual_half.add_(z_half - j_half, alpha=beta)
        dual.add_(gap, alpha=beta)
        beta = min(BETA_GROWTH * beta, BETA_LIMIT)
        data, atoms, diagonal, projection, z_half, j_half, dual_half, sparse, dual, fit = unfinished.settle(
            converged | (iteration >= max_iterations),
            (sparse, tubal_rank(values), iteration, converged),
            *(data, atoms, diagonal, projection, z_half, j_half, dual_half, sparse, dual, fit),
        )
    return unfinished.results


def weighted_schatten(values, weight, p):
    """Reweighted generalised soft thresholding of singular values, for the power p of a Schatten norm (0 < p < 1)."""
    epsilon = torch.finfo(values.dtype).eps
    estimate = values
    for _ in range(REWEIGHTINGS):
        weights = weight / (estimate ** (1 / p) + epsilon)
        valley = 2 * weights * (1 - p)
        threshold = valley ** (1 / (2 - p)) + p * weights * valley ** ((p - 1) / (2 - p))
        point = values
        for _ in range(FIXED_POINT_STEPS):
            point = values - p * weights * point ** (p - 1)
        estimate = torch.where(values > threshold, point, 0.0)
    return estimate


def tubal_rank(values):
    """Tubal rank of each tensor of a batch, from the BxLxK singular values of its slices."""
    return (values > 0).sum(-1).amax(-1)


def _at_rest(tolerance, changes):
    """Which of B images have no entry over the tolerance in any of the changes; a lazy one may not be asked for."""
    rest = None
    for change in changes:
        flat = change.flatten(1)
        small = torch.maximum(-flat.amin(1), flat.amax(1)) < tolerance
        rest = small if rest is None else rest & small
        if not rest.any():
            break
    return rest
