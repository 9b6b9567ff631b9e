"""A score map at 256 cuts: pixel counts, matched targets and false pixels at each."""

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt
from scipy.special import expit  # pyright: ignore[reportMissingTypeStubs]

from irsam_zoo.metrics.history import component_history
from irsam_zoo.metrics.matching import candidate_pairs, match_optimal
from irsam_zoo.metrics.scene import Scene
from irsam_zoo.metrics.typing import Floats, Ints, Levels, Sweep
from irsam_zoo.zoo.errors import UsageError, ZooError
from irsam_zoo.zoo.thresholds import BestIoU

LEVELS = 256


def quantize(score: npt.ArrayLike, kind: str) -> Levels:
    """The level of each pixel: the mask at cut k is ``level >= k``.

    Arguments:
        score (np.ndarray): HxW score map.
        kind: ``"raw"``: 255 times the score's place between the least and the largest of the image, rounded down; a
            constant map is level 0. ``"logit"``: 255 times the sigmoid, rounded down. ``"probability"``: 255 times the score.

    Returns:
        np.ndarray: HxW uint8.

    Raises:
        UsageError: No such kind.
        ZooError: The map holds NaN, a raw one Inf, or one of probabilities something else.
    """
    score = np.asarray(score, np.float64)
    if np.isnan(score).any():
        raise ZooError("the score map holds NaN; the method diverged or its checkpoint is broken")
    if kind == "logit":
        return np.floor(255 * expit(score)).astype(np.uint8)
    low, high = score.min(), score.max()
    if kind == "probability":
        if low < 0 or high > 1:
            raise ZooError(f"the score map holds values from {low:g} to {high:g}, which are no probabilities")
        return np.floor(255 * score).astype(np.uint8)
    if kind != "raw":
        raise UsageError(f"no score kind {kind!r}; choose raw, logit or probability")
    if not np.isfinite(high - low):
        raise ZooError("the score map holds Inf, or values too large for a range; rescale the scores")
    if low == high:
        return np.zeros(score.shape, np.uint8)
    return np.floor(255 * ((score - low) / (high - low))).astype(np.uint8)


def sweep_image(levels: npt.ArrayLike, label: npt.ArrayLike) -> Sweep:
    """Count one image at every cut k = 0..255, where the mask is ``levels >= k``. At 0 everything is predicted.

    Arguments:
        levels (np.ndarray): HxW uint8, from `quantize`.
        label (np.ndarray): HxW bool, 0/1 or grey; above 127 is target.

    Returns:
        dict: (256,) int64 arrays that may be added over images: ``tp`` and ``fp`` in px; ``matched`` targets and
        ``false_pixels`` as the `exact` protocol counts them; ``targets``, the same at every cut.

    Raises:
        ZooError: levels are not uint8 of the label's shape, or the label cannot be read.
    """
    return sweep_scene(levels, Scene(label, top=None))


def sweep_scene(levels: npt.ArrayLike, scene: Scene) -> Sweep:
    """As `sweep_image`, of a `Scene`; its mask is not looked at."""
    target, targets = scene.target, scene.targets
    levels = np.asarray(levels)
    if levels.dtype != np.uint8 or levels.shape != target.shape:
        raise ZooError(f"expected uint8 levels of shape {target.shape}, got {levels.dtype} of shape {levels.shape}")
    predicted, tp = _at_least(levels.ravel()), _at_least(levels[target])
    matched, area = _matched(levels, targets.centroid) if len(targets) else np.zeros((2, LEVELS), np.int64)
    return {
        "tp": tp,
        "fp": predicted - tp,
        "matched": matched,
        "false_pixels": predicted - area,
        "targets": np.full(LEVELS, len(targets)),
    }


def sum_sweeps(sweeps: Iterable[Sweep]) -> Sweep:
    """The sweep of a set: sums over a non-empty sequence of sweeps of images."""
    sweeps = list(sweeps)
    return {name: np.sum([sweep[name] for sweep in sweeps], axis=0) for name in sweeps[0]}


def roc(sweep: Sweep) -> tuple[Floats, Floats, float] | tuple[None, None, None]:
    """Pixel-level ROC curve.

    Arguments:
        sweep (dict): From `sweep_image` or `sum_sweeps`.

    Returns:
        tuple: fpr and tpr, (257,) float64, from (0, 0) over level 255 down to level 0 at (1, 1), and the area under the
        curve by the trapezoid rule. (None, None, None) without target or without background pixels.
    """
    tp, fp = (np.concatenate([[0], sweep[name][::-1]]) for name in ("tp", "fp"))
    if tp[-1] == 0 or fp[-1] == 0:
        return None, None, None
    fpr, tpr = fp / fp[-1], tp / tp[-1]
    return fpr, tpr, float(np.trapezoid(tpr, fpr))


def pd_fa_curve(sweep: Sweep) -> tuple[Floats, Floats | None]:
    """Target-level Pd against Fa of the `exact` protocol, as fractions.

    Arguments:
        sweep (dict): With ``tp``, ``fp``, ``matched``, ``false_pixels`` and ``targets``.

    Returns:
        tuple: fa and pd, (256,) float64, from level 255 down to level 0. Neither is monotonic: components merge. pd is None
        without targets.
    """
    pixels = sweep["tp"][0] + sweep["fp"][0]
    targets = sweep["targets"][0]
    fa = sweep["false_pixels"][::-1] / pixels
    return fa, (sweep["matched"][::-1] / targets if targets else None)


def best_iou(sweep: Sweep) -> tuple[int, float] | tuple[None, None]:
    """The lowest level of largest pixel IoU over the whole set, and that IoU; (None, None) without a target pixel."""
    level = BestIoU().level(sweep)
    return (None, None) if level is None else (level, float(sweep["tp"][level] / (sweep["tp"][0] + sweep["fp"][level])))


def _at_least(values: Levels) -> Ints:
    """Number of values of at least k, k = 0..255."""
    return np.bincount(values, minlength=LEVELS)[::-1].cumsum()[::-1]


def _matched(levels: Levels, targets: Floats) -> tuple[Ints, Ints]:
    """Matched targets and pixels of matched components at each cut: (256,) and (256,) int64."""
    count, pixels = np.zeros(LEVELS, np.int64), np.zeros(LEVELS, np.int64)
    history = component_history(levels)
    target, component, distance = candidate_pairs(targets, history.centroid)
    area, birth, death = (column[component] for column in (history.area, history.birth, history.death))
    changes = np.unique(np.concatenate([birth, death]))[::-1]
    for level, below in zip(changes, [*changes[1:], 0], strict=False):
        alive = np.flatnonzero((birth >= level) & (death < level))
        found = alive[match_optimal(target[alive], component[alive], distance[alive], area[alive])]
        count[below + 1 : level + 1] = len(found)
        pixels[below + 1 : level + 1] = area[found].sum()
    whole = (np.array([levels.shape]) - 1) / 2
    if len(candidate_pairs(targets, whole)[0]):
        count[0], pixels[0] = 1, levels.size
    return count, pixels
