"""Pd by size and by contrast of the targets."""

import numpy as np

# Names and largest area in px. 80 px is 0.12 % of 256x256, SPIE's bound for a small target (Zhang et al. 2003).
SIZE_BINS = (("1-9", 9), ("10-25", 25), ("26-80", 80), (">80", np.inf))
# Names and the SCR that each bin ends below.
SCR_BINS = (("<2", 2), ("2-5", 5), ("5-10", 10), (">=10", np.inf))
UNDEFINED = "undefined"


def strata(targets):
    """Pd by size and by SCR.

    Arguments:
        targets (Sequence[dict]): Records of all targets of all images, from `signal_metrics` with a mask: ``area`` in px,
            ``scr_in``, ``matched``.

    Returns:
        dict: ``size`` and ``scr``: a list of dicts with ``bin``, ``targets``, ``matched`` and ``Pd`` (a fraction, None in an
        empty bin), lowest first. The last bin of ``scr``, ``"undefined"``, holds targets on a flat background.
    """
    size_ends, scr_ends = ([end for _, end in bins] for bins in (SIZE_BINS, SCR_BINS))
    sizes = [SIZE_BINS[np.searchsorted(size_ends, target["area"], side="left")][0] for target in targets]
    scrs = [
        UNDEFINED if target["scr_in"] is None else SCR_BINS[np.searchsorted(scr_ends, target["scr_in"], side="right")][0]
        for target in targets
    ]
    matched = [target["matched"] for target in targets]
    return {
        "size": _by_bin([name for name, _ in SIZE_BINS], sizes, matched),
        "scr": _by_bin([*(name for name, _ in SCR_BINS), UNDEFINED], scrs, matched),
    }


def _by_bin(names, places, matched):
    """Counts of each bin, given the name of each target's bin."""
    rows = {name: {"bin": name, "targets": 0, "matched": 0, "Pd": None} for name in names}
    for name, hit in zip(places, matched, strict=True):
        rows[name]["targets"] += 1
        rows[name]["matched"] += int(hit)
    for row in rows.values():
        if row["targets"]:
            row["Pd"] = row["matched"] / row["targets"]
    return list(rows.values())
