"""Signal-to-clutter ratio of targets, its gain by a method, and how far the method suppresses the background."""

from collections.abc import Iterator, Sequence
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from irsam_zoo.metrics.components import Components
from irsam_zoo.metrics.scene import Scene
from irsam_zoo.metrics.typing import Floats, ImageSignal, Mask, TargetSignal
from irsam_zoo.zoo.errors import ZooError

# The neighbourhood of a target in Gao et al., Infrared Patch-Image Model, IEEE TIP 22(12), 2013: its bounding box and a
# margin of d px on every side. d = 20 is the value that the low-rank papers since then report with.
MARGIN = 20


def signal_metrics(
    image: npt.ArrayLike, score: npt.ArrayLike, label: npt.ArrayLike, pred: npt.ArrayLike | None = None
) -> ImageSignal:
    """SCR of each target in the image and in the score map.

    SCR = abs(mean of the target - mean of the background) / standard deviation of the background. The background is the
    target's bounding box grown by 20 px and cut at the border, without the pixels of any target. SCRG is the SCR in the
    score map over that in the image; BSF is the standard deviation of the background in the image over that in the score
    map. A ratio over zero is None, never infinite: flat backgrounds are usual in the output of low-rank methods.

    Arguments:
        image (np.ndarray): HxW grey levels.
        score (np.ndarray): HxW score map.
        label (np.ndarray): HxW bool, 0/1 or grey; above 127 is target.
        pred (np.ndarray): HxW bool mask of the method, for ``matched`` and ``iou``. Optional.

    Returns:
        dict: ``targets``: a list of dicts in raster order of the targets' first pixels, each with ``area`` (px),
        ``scr_in``, ``scr_out``, ``scrg``, ``bsf`` (float or None) and, where pred is given, ``matched`` (bool, by the `exact`
        protocol) and ``iou`` (of the target and the component that it is matched with; 0 without one).

    Raises:
        ZooError: Shapes differ, pred is not bool, or the label cannot be read.
    """
    return signal_of_scene(Scene(label, pred, top=None), image, score)


def signal_of_scene(scene: Scene, image: npt.ArrayLike, score: npt.ArrayLike) -> ImageSignal:
    """As `signal_metrics`, of a `Scene`."""
    target, targets = scene.target, scene.targets
    image, score = _checked(image, target.shape, "image"), _checked(score, target.shape, "score map")
    records: list[dict[str, Any]] = []
    for number, (area, window) in enumerate(zip(targets.area.tolist(), _windows(targets), strict=True), start=1):
        inside, background = targets.labels[window] == number, ~target[window]
        scr_in, spread_in = _contrast(image[window], inside, background)
        scr_out, spread_out = _contrast(score[window], inside, background)
        ratios = {"scrg": _ratio(scr_out, scr_in), "bsf": _ratio(spread_in, spread_out)}
        records.append({"area": area, "scr_in": scr_in, "scr_out": scr_out} | ratios)
    if scene.pred is not None:
        matched = dict(zip(*(column.tolist() for column in scene.matched), strict=True))
        iou = {(t, p): value for t, p, value in zip(*(column.tolist() for column in scene.overlaps), strict=True)}
        for i, record in enumerate(records):
            record |= {"matched": i in matched, "iou": iou.get((i, matched.get(i)), 0.0)}
    return {"targets": cast("list[TargetSignal]", records)}


def mean_signal(images: Sequence[ImageSignal]) -> dict[str, float | None]:
    """SCRG and BSF of a set.

    Arguments:
        images (Sequence[dict]): Results of `signal_metrics`.

    Returns:
        dict: ``SCRG`` and ``BSF``, means over the targets where they are defined (None if there are none); ``targets``;
        ``SCRG_undefined`` and ``BSF_undefined``, the numbers of targets left out.
    """
    targets = [target for image in images for target in image["targets"]]
    result: dict[str, float | None] = {"targets": len(targets)}
    for name, ratios in (("SCRG", [target["scrg"] for target in targets]), ("BSF", [target["bsf"] for target in targets])):
        values = [ratio for ratio in ratios if ratio is not None]
        result[name] = float(np.mean(values)) if values else None
        result[name + "_undefined"] = len(targets) - len(values)
    return result


def _windows(targets: Components) -> Iterator[tuple[slice, slice]]:
    """The slices of each target's neighbourhood."""
    for top, left, height, width in targets.box.tolist():
        yield (
            slice(max(top - MARGIN, 0), top + height + MARGIN),
            slice(max(left - MARGIN, 0), left + width + MARGIN),
        )


def _contrast(values: Floats, inside: Mask, background: Mask) -> tuple[float | None, float | None]:
    """SCR, or None over a flat or absent background, and the background's standard deviation (None if it is absent)."""
    around = values[background]
    if len(around) == 0:
        return None, None
    if around.min() == around.max():  # not by the standard deviation, which rounding may leave above 0
        return None, 0.0
    spread = float(around.std())
    return _ratio(abs(float(values[inside].mean() - around.mean())), spread), spread


def _ratio(numerator: float | None, denominator: float | None) -> float | None:
    """Their ratio, or None where one is missing or the result is not a finite number."""
    if numerator is None or not denominator:
        return None
    ratio = numerator / denominator
    return ratio if np.isfinite(ratio) else None


def _checked(array: npt.ArrayLike, shape: tuple[int, ...], name: str) -> Floats:
    array = np.asarray(array, np.float64)
    if array.shape != shape:
        raise ZooError(f"{name} of shape {array.shape} does not fit a label of shape {shape}")
    return array
