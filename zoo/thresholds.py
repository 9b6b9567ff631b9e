"""Threshold policies: where a score map is cut into a mask.

A policy maps one score map to one cut; the mask is ``score > cut``. Policies are written ``name(number, ...)``, as in
``minmax(0.5)``, wherever a user names one.
"""

import ast
import math
import re
from collections.abc import Mapping
from typing import Any, Literal, NamedTuple, Self

import numpy as np
from mmengine.registry import Registry
from numpy.typing import ArrayLike

from irsam_zoo.zoo.errors import UsageError
from irsam_zoo.zoo.lookup import registered

THRESHOLDS = Registry("threshold policy", scope="irsam_zoo")
# Scores in units of the algorithm's own, logits of a network, or probabilities.
ScoreKind = Literal["raw", "logit", "probability"]


class ScoreStatistics(NamedTuple):
    """All that a policy may know of a score map. Stored with each image, they let a report try another policy later."""

    low: float
    high: float
    mean: float
    std: float

    @classmethod
    def of(cls, score: ArrayLike) -> Self:
        """Statistics of a score map of any shape, in float64."""
        score = np.asarray(score, np.float64)
        low, high = float(score.min()), float(score.max())
        if low == high:  # rounding of the mean must not lift a constant map above its own cut
            return cls(low, high, low, 0.0)
        # Over N, as the Python codes of the field have it; MATLAB's std is over N - 1, at 256x256 px a part of 8e-6 more.
        return cls(low, high, float(score.mean()), float(score.std()))


class Threshold:
    """Base of the policies: a policy implements `cut_at`.

    Arguments:
        arguments: The numbers that its spelling carries.

    Attributes:
        name: The one that it is registered under; set by `build_threshold`.
        oracle: True where the cut is chosen by looking at the masks; see `Oracle`.
        kinds: Of scores that it has a meaning for: ``"raw"``, ``"logit"`` (a network's) or ``"probability"``.
        tried: The numbers that a report tries it with on stored scores, a tuple for each time; by default once, with its
            default ones.

    Raises:
        ValueError: A number is infinite or none.
    """

    name = ""
    oracle = False
    kinds: tuple[ScoreKind, ...] = ("raw", "logit", "probability")
    tried: tuple[tuple[float, ...], ...] = ((),)

    def __init__(self, *arguments: float):
        if not all(map(math.isfinite, arguments)):
            raise ValueError("its numbers must be finite")
        self.arguments = arguments

    def cut_at(self, statistics: ScoreStatistics) -> float:
        """The cut for a score map of these `ScoreStatistics`: pixels above it are target."""
        raise TypeError(f"{type(self).__name__} does not define cut_at(statistics)")

    def __call__(self, score: ArrayLike) -> np.ndarray:
        """HxW bool mask of the pixels of an HxW score map above the cut."""
        return np.asarray(score) > self.cut_at(ScoreStatistics.of(score))

    def __str__(self) -> str:
        return self.name + (f"({', '.join(f'{a:g}' for a in self.arguments)})" if self.arguments else "")


class Oracle(Threshold):
    """Base of the policies that look at the masks: a policy implements `level`. Tables always mark it: an upper bound."""

    oracle = True

    def level(self, sweep: Mapping[str, np.ndarray]) -> int | None:
        """One cut for a whole test set.

        Arguments:
            sweep (dict): Sums over the set, at each of 256 levels where every pixel of that level or above is target:
                (256,) int64 arrays ``tp`` and ``fp`` in px, ``matched`` targets, ``false_pixels`` and ``targets``.

        Returns:
            int | None: The level; None to take no pixel at all.
        """
        raise TypeError(f"{type(self).__name__} does not define level(sweep)")

    def cut_at(self, statistics: ScoreStatistics) -> float:
        raise UsageError(f"the policy {self} needs the whole test set; it has no cut for one image")


def _fraction(value: float, name: str = "fraction") -> float:
    if not 0 <= value <= 1:
        raise ValueError(f"{name} must be between 0 and 1, not {value:g}")
    return float(value)


@THRESHOLDS.register_module("fixed")
class Fixed(Threshold):
    """The same cut for every image; 0 on logits is probability 0.5."""

    def __init__(self, cut: float = 0.0):
        super().__init__(float(cut))

    def cut_at(self, statistics: ScoreStatistics) -> float:
        return self.arguments[0]


@THRESHOLDS.register_module("minmax")
class MinMax(Threshold):
    """A fraction of the image's own score range. ISTD-Benchmark (method.py, inference.py) cuts at 0.5."""

    def __init__(self, fraction: float = 0.5):
        super().__init__(_fraction(fraction))

    def cut_at(self, statistics: ScoreStatistics) -> float:
        return statistics.low + self.arguments[0] * (statistics.high - statistics.low)


@THRESHOLDS.register_module("minmax_prob")
class MinMaxProbability(Threshold):
    """A fraction of the range of the image's probabilities, where the score map holds logits. UIU-Net's test rule.

    An image without a target has a range too, so this rule nearly always finds one.
    """

    kinds = ("logit",)

    def __init__(self, fraction: float = 0.22):  # danfenghong/IEEE_TIP_UIU-Net, test program
        if fraction in (0, 1):
            raise ValueError("fraction must be between 0 and 1, not at either, whose logits are infinite")
        super().__init__(_fraction(fraction))

    def cut_at(self, statistics: ScoreStatistics) -> float:
        if statistics.low == statistics.high:
            return statistics.high
        # The logit of (1 - f) sigmoid(low) + f sigmoid(high), from logarithms: sigmoid(low) may underflow.
        (fraction,) = self.arguments
        low, high = statistics.low, statistics.high
        log_weights = np.log1p(-fraction), np.log(fraction)
        log_target = np.logaddexp(log_weights[0] - np.logaddexp(0, -low), log_weights[1] - np.logaddexp(0, -high))
        log_background = np.logaddexp(log_weights[0] - np.logaddexp(0, low), log_weights[1] - np.logaddexp(0, high))
        return float(log_target - log_background)


@THRESHOLDS.register_module("max_prob")
class MaxProbability(Threshold):
    """A fraction of the image's highest probability, where the score map holds logits. Every image has pixels above it.

    The test rule of RPCANet, RPCANet++ and L2SKNet.
    """

    kinds = ("logit",)

    def __init__(self, fraction: float = 0.5):  # fengyiwu98/RPCANet, test program
        if fraction in (0, 1):
            raise ValueError("fraction must be between 0 and 1, not at either")
        super().__init__(_fraction(fraction))

    def cut_at(self, statistics: ScoreStatistics) -> float:
        # The logit of f sigmoid(high); the sigmoid itself may underflow.
        (fraction,) = self.arguments
        log_cut = np.log(fraction) - np.logaddexp(0, -statistics.high)
        return float(log_cut - np.log1p(-np.exp(log_cut)))


@THRESHOLDS.register_module("adaptive")
class Adaptive(Threshold):
    """max(a * max, b * std + mean). MSL-STIPT's demo and DNANet's traditional baselines use a = 0.7, b = 0.5."""

    def __init__(self, of_max: float = 0.7, of_std: float = 0.5):
        super().__init__(_fraction(of_max, "of_max"), float(of_std))

    def cut_at(self, statistics: ScoreStatistics) -> float:
        of_max, of_std = self.arguments
        return max(of_max * statistics.high, of_std * statistics.std + statistics.mean)


@THRESHOLDS.register_module("mean_std")
class MeanStd(Threshold):
    """mean + k * std, the adaptive threshold of the IPI family of papers."""

    tried = ((2,), (3,), (5,), (8,))  # LW-DSTransNet's README: 2 for PSTNN, 3 for TLLCM, 5 for RIPT, 8 for IPI

    def __init__(self, k: float = 3.0):
        super().__init__(float(k))

    def cut_at(self, statistics: ScoreStatistics) -> float:
        return statistics.mean + self.arguments[0] * statistics.std


@THRESHOLDS.register_module("best_iou")
class BestIoU(Oracle):
    """The one level of the 256-level sweep that maximises IoU over the whole test set; the lowest of several."""

    def __init__(self):
        super().__init__()

    def level(self, sweep: Mapping[str, np.ndarray]) -> int | None:
        if sweep["tp"][0] == 0:
            return None
        return int((sweep["tp"] / (sweep["tp"][0] + sweep["fp"])).argmax())


ThresholdSpec = Threshold | str | float | Mapping[str, Any]  # as `build_threshold` takes it


def build_threshold(spec: ThresholdSpec) -> Threshold:
    """A policy from ``"minmax(0.5)"``, ``dict(type="minmax", fraction=0.5)``, a number (a fixed cut) or a policy.

    Raises:
        UsageError: The name is unknown or the numbers do not fit it.
    """
    if isinstance(spec, Threshold):
        return spec
    try:
        name, numbers, options = _parsed(spec)
        cls = registered(THRESHOLDS, name)
    except (KeyError, SyntaxError, TypeError, ValueError):
        raise UsageError(_wrong(spec)) from None
    if cls is None:
        raise UsageError(_wrong(spec))
    try:
        policy = cls(*numbers, **options)
    except TypeError:  # other arguments than it takes
        raise UsageError(_wrong(spec)) from None
    except ValueError as error:
        raise UsageError(f"{_wrong(spec)} ({error})") from None
    policy.name = name
    return policy


def _wrong(spec: ThresholdSpec) -> str:
    known = ", ".join(_spelling(name, cls) for name, cls in THRESHOLDS.module_dict.items())
    return f"threshold {spec!r} is not a policy; write one of {known}"


def _parsed(spec: str | float | Mapping[str, Any]) -> tuple[str, list[float], dict[str, Any]]:
    """The name, the positional and the named arguments of a spelling."""
    if isinstance(spec, (int, float)):
        return "fixed", [spec], {}
    if isinstance(spec, str):
        match = re.fullmatch(r"\s*(\w+)\s*(?:\((.*)\))?\s*", spec)
        if match is None:
            raise ValueError("expected a name, and numbers in brackets")
        return match[1], ast.literal_eval(f"[{match[2] or ''}]"), {}
    options = dict(spec)
    return options.pop("type"), [], options


def _spelling(name: str, cls: type[Threshold]) -> str:
    """How a policy is written with its default numbers; its name where it has none."""
    try:
        return f"{name}{cls()}"
    except TypeError:
        return name
