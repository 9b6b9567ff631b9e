"""Threshold policies: where a score map is cut into a mask.

A policy maps one score map to one cut; the mask is ``score > cut``. Policies are written ``name(number, ...)``, as in
``minmax(0.5)``, wherever a user names one.
"""

import ast
import re

import numpy as np
from mmengine.registry import Registry

from zoo.errors import UsageError

THRESHOLDS = Registry("threshold policy", scope="irsam_zoo")


class Threshold:
    """Base of the policies; ``arguments`` are the numbers that its spelling carries.

    Attributes:
        oracle: True where the cut is chosen by looking at the masks. Tables always mark it.
    """

    name = ""
    oracle = False

    def __init__(self, *arguments):
        self.arguments = arguments

    def cut(self, score):
        """The cut for one score map.

        Arguments:
            score (np.ndarray): HxW score map, any range.

        Returns:
            float: Pixels above it are target.
        """
        raise UsageError(f"the policy {self} has no cut of its own for one image")

    def __call__(self, score):
        """HxW bool mask of the pixels above the cut."""
        return np.asarray(score) > self.cut(score)

    def __str__(self):
        return f"{self.name}({', '.join(f'{a:g}' for a in self.arguments)})" if self.arguments else self.name


@THRESHOLDS.register_module("fixed")
class Fixed(Threshold):
    """The same cut for every image; 0 on logits is probability 0.5."""

    name = "fixed"

    def __init__(self, cut=0.0):
        super().__init__(float(cut))

    def cut(self, score):
        return self.arguments[0]


@THRESHOLDS.register_module("minmax")
class MinMax(Threshold):
    """A fraction of the image's own score range. ISTD-Benchmark (method.py, inference.py) cuts at 0.5."""

    name = "minmax"

    def __init__(self, fraction=0.5):
        super().__init__(float(fraction))

    def cut(self, score):
        low, high = float(np.min(score)), float(np.max(score))
        return low + self.arguments[0] * (high - low)


@THRESHOLDS.register_module("adaptive")
class Adaptive(Threshold):
    """max(a * max, b * std + mean). MSL-STIPT's demo and DNANet's traditional baselines use a = 0.7, b = 0.5."""

    name = "adaptive"

    def __init__(self, of_max=0.7, of_std=0.5):
        super().__init__(float(of_max), float(of_std))

    def cut(self, score):
        of_max, of_std = self.arguments
        score = np.asarray(score, np.float64)
        return max(of_max * score.max(), of_std * score.std() + score.mean())


@THRESHOLDS.register_module("mean_std")
class MeanStd(Threshold):
    """mean + k * std, the adaptive threshold of the IPI family of papers."""

    name = "mean_std"

    def __init__(self, k=3.0):
        super().__init__(float(k))

    def cut(self, score):
        score = np.asarray(score, np.float64)
        return score.mean() + self.arguments[0] * score.std()


@THRESHOLDS.register_module("best_iou")
class BestIoU(Threshold):
    """The one level of the 256-level sweep that maximises IoU over the whole test set: an upper bound, not a method."""

    name = "best_iou"
    oracle = True


def build_threshold(spec):
    """A policy from ``"minmax(0.5)"``, ``dict(type="minmax", fraction=0.5)``, a number (a fixed cut) or a policy.

    Raises:
        UsageError: The name is unknown or the numbers do not fit it.
    """
    if isinstance(spec, Threshold):
        return spec
    if isinstance(spec, (int, float)):
        return Fixed(spec)
    try:
        if isinstance(spec, str):
            name, arguments = re.fullmatch(r"\s*(\w+)\s*(?:\((.*)\))?\s*", spec).groups()
            numbers = ast.literal_eval(f"[{arguments or ''}]")
            return _policy(name)(*numbers)
        options = dict(spec)
        return _policy(options.pop("type"))(**options)
    except (AttributeError, KeyError, SyntaxError, TypeError, ValueError):
        raise UsageError(
            f"threshold {spec!r} is not a policy; write one of fixed(0), minmax(0.5), adaptive(0.7, 0.5), mean_std(3), best_iou"
        ) from None


def _policy(name):
    policy = THRESHOLDS.get(name)
    if policy is None:
        raise KeyError(name)
    return policy
