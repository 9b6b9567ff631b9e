"""Pd and IoU by size and by contrast of the targets."""

from collections.abc import Sequence

import numpy as np

from irsam_zoo.metrics.typing import Stratum, TargetSignal
from irsam_zoo.zoo.errors import ZooError

# Names and largest area in px. 80 px is 0.12 % of 256x256, SPIE's bound for a small target (Zhang et al. 2003).
SIZE_BINS = (("1-9", 9), ("10-25", 25), ("26-80", 80), (">80", np.inf))
# Names and the SCR that each bin ends below.
SCR_BINS = (("<2", 2), ("2-5", 5), ("5-10", 10), (">=10", np.inf))
UNDEFINED = "undefined"


def strata(targets: Sequence[TargetSignal]) -> dict[str, list[Stratum]]:
    """Pd and IoU by size and by SCR.

    Arguments:
        targets (Sequence[dict]): Records of all targets of all images, from `signal_metrics` with a mask: ``area`` in px,
            ``scr_in``, ``matched``, ``iou``.

    Returns:
        dict: ``size`` and ``scr``: a list of dicts with ``bin``, ``targets``, ``matched``, ``Pd``, and ``IoU``, the mean over
        the targets (fractions, None in an empty bin), lowest first. The last bin of ``scr``, ``"undefined"``, holds targets on
        a flat background.

    Raises:
        ZooError: The records are of a time when the IoU of targets was not kept.
    """
    if any("iou" not in target for target in targets):
        raise ZooError("the records do not have the IoU of single targets; score the images again")
    size_ends, scr_ends = ([end for _, end in bins] for bins in (SIZE_BINS, SCR_BINS))
    sizes = [SIZE_BINS[np.searchsorted(size_ends, target["area"], side="left")][0] for target in targets]
    scrs = [
        UNDEFINED if target["scr_in"] is None else SCR_BINS[np.searchsorted(scr_ends, target["scr_in"], side="right")][0]
        for target in targets
    ]
    return {
        "size": _by_bin([name for name, _ in SIZE_BINS], sizes, targets),
        "scr": _by_bin([*(name for name, _ in SCR_BINS), UNDEFINED], scrs, targets),
    }


def _by_bin(names: Sequence[str], places: Sequence[str], targets: Sequence[TargetSignal]) -> list[Stratum]:
    """Figures of each bin, given the name of each target's bin."""
    bins = {name: [target for target, place in zip(targets, places, strict=True) if place == name] for name in names}
    return [_bin(name, inside) for name, inside in bins.items()]


def _bin(name: str, targets: Sequence[TargetSignal]) -> Stratum:
    matched = sum(target["matched"] for target in targets)
    number = len(targets)
    return {
        "bin": name,
        "targets": number,
        "matched": matched,
        "Pd": matched / number if targets else None,
        "IoU": sum(target["iou"] for target in targets) / number if targets else None,
    }
