"""Which predicted component is which target, by centroid distance."""

from typing import Any, cast

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array  # pyright: ignore[reportMissingTypeStubs]
from scipy.sparse.csgraph import min_weight_full_bipartite_matching  # pyright: ignore[reportMissingTypeStubs, reportUnknownVariableType]
from scipy.spatial import cKDTree  # pyright: ignore[reportMissingTypeStubs, reportUnknownVariableType, reportAttributeAccessIssue]

from irsam_zoo.metrics.typing import Floats, Ints, Mask, Pairs

MATCH_DISTANCE = 3.0  # px, exclusive: `distance < 3` in DNANet, ISNet, IRSAM (PD_FA) and BasicIRSTD (metrics.py)
# Distances are compared in steps of a millionth of a pixel, so that rounding does not tell a scene from its mirror image.
STEPS_PER_PIXEL = 10**6


def candidate_pairs(targets: Floats, predictions: Floats) -> Pairs:
    """Pairs of centroids less than 3 px apart.

    Arguments:
        targets (np.ndarray): (T, 2) centroids in px.
        predictions (np.ndarray): (P, 2) centroids in px.

    Returns:
        tuple: Target index, prediction index and distance of each pair: (K,) int64, (K,) int64, (K,) float64, sorted by
        target and then by prediction.
    """
    if len(targets) == 0 or len(predictions) == 0:
        return np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0)
    close = np.flatnonzero(_share_a_cell(targets, predictions))
    tree, other = cKDTree(targets), cKDTree(predictions[close])  # pyright: ignore[reportUnknownVariableType]
    near = cast(npt.NDArray[Any], tree.sparse_distance_matrix(other, MATCH_DISTANCE + 1e-6, output_type="ndarray"))  # pyright: ignore[reportUnknownMemberType]
    target, prediction = near["i"].astype(np.int64), close[near["j"]]
    offset = targets[target] - predictions[prediction]
    distance = np.sqrt(offset[:, 0] ** 2 + offset[:, 1] ** 2)
    keep = distance < MATCH_DISTANCE
    target, prediction, distance = target[keep], prediction[keep], distance[keep]
    order = np.lexsort((prediction, target))
    return target[order], prediction[order], distance[order]


def _share_a_cell(targets: Floats, predictions: Floats) -> Mask:
    """Which predictions are in or beside the 4 px cell of a target. On noise maps this spares a tree of all of them."""
    cells, around = (points.astype(np.int64) // 4 + 1 for points in (predictions, targets))  # centroids are not negative
    width = max(cells[:, 1].max(), around[:, 1].max()) + 2
    steps = np.array([row * width + column for row in (-1, 0, 1) for column in (-1, 0, 1)])
    wanted = (around[:, 0] * width + around[:, 1])[:, None] + steps
    return np.isin(cells[:, 0] * width + cells[:, 1], wanted)


def match_greedy(target: Ints, prediction: Ints) -> Ints:
    """The matching of the public codes: each target, in order, takes the first prediction that is still free.

    Arguments:
        target, prediction (np.ndarray): (K,) pairs as `candidate_pairs` sorts them.

    Returns:
        np.ndarray: Positions of the matched pairs.
    """
    matched: list[int] = []
    last, used = -1, set[int]()
    for position, (t, p) in enumerate(zip(target.tolist(), prediction.tolist(), strict=True)):
        if t != last and p not in used:
            matched.append(position)
            last = t
            used.add(p)
    return np.array(matched, dtype=np.int64)


def match_optimal(target: Ints, prediction: Ints, distance: Floats, area: Ints) -> Ints:
    """The one-to-one matching that does not depend on the order of components.

    It has the most pairs, among those the least total distance, and among those the most matched pixels.

    Arguments:
        target, prediction (np.ndarray): (K,) pairs of non-negative indices, none twice.
        distance (np.ndarray): (K,) px.
        area (np.ndarray): (K,) px of the predictions of the pairs.

    Returns:
        np.ndarray: Sorted positions of the matched pairs.
    """
    if len(target) == 0:
        return np.zeros(0, np.int64)
    cost = np.rint(distance * STEPS_PER_PIXEL)
    rivals_of_target, rivals_of_prediction = np.bincount(target)[target], np.bincount(prediction)[prediction]
    if rivals_of_target.max() == 1 == rivals_of_prediction.max():
        return np.arange(len(target))
    # A target none of whose predictions is wanted by another takes its best one; likewise a prediction.
    shared = np.zeros(target.max() + 1, bool)
    shared[target[rivals_of_prediction > 1]] = True
    disputed = np.zeros(prediction.max() + 1, bool)
    disputed[prediction[rivals_of_target > 1]] = True
    by_target = ~shared[target]
    by_prediction = ~disputed[prediction] & ~by_target
    order = np.lexsort((-area, cost))
    matched = [
        _first_of_each(target, order[by_target[order]]),
        _first_of_each(prediction, order[by_prediction[order]]),
    ]
    rest = np.flatnonzero(~by_target & ~by_prediction)
    if len(rest):
        matched.append(rest[_assign(target[rest], prediction[rest], cost[rest], area[rest])])
    return np.sort(np.concatenate(matched))


def _first_of_each(group: Ints, order: Ints) -> Ints:
    """Of positions in order of preference, the first one of each group."""
    return order[np.unique(group[order], return_index=True)[1]]


def _assign(target: Ints, prediction: Ints, cost: Floats, area: Ints) -> Ints:
    """Minimum-cost assignment on the graph of the pairs alone. Every target also has a costly dummy of its own."""
    target, prediction = (np.unique(x, return_inverse=True)[1] for x in (target, prediction))
    targets, predictions = int(target.max()) + 1, int(prediction.max()) + 1
    largest = float(area.max())
    # Whole numbers, so that the three criteria are kept apart: pixels count less than one step of distance.
    weight = cost * (targets * largest + 1) + (largest - area) + 1
    dummy = np.full(targets, targets * weight.max() + 1)
    rows = np.concatenate([target, np.arange(targets)])
    columns = np.concatenate([prediction, predictions + np.arange(targets)])
    shape = (targets, predictions + targets)
    graph = csr_array((np.concatenate([weight, dummy]), (rows, columns)), shape=shape)
    chosen = cast(Ints, min_weight_full_bipartite_matching(graph)[1])
    return np.flatnonzero(chosen[target] == prediction)
