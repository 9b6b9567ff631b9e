"""From the records of single images to a row of the table."""

from collections import Counter

import numpy as np
import pandas as pd
from scipy.special import expit

from engine.metrics import PROTOCOLS, best_iou, bootstrap_ci, compute_metrics, mean_signal, roc, strata
from engine.metrics.sweep import LEVELS
from engine.scoring import SWEEP_COLUMNS, unpack
from zoo.neural import NeuralDetector
from zoo.thresholds import ScoreStatistics

# The sweep does not tell which pixels a matched pair shares.
NO_OPDC = dict.fromkeys(("opdc_matched", "opdc_iou", "components"), float("nan"))


def failed_row(cell, reason):
    """The row of a cell that could not be begun."""
    return {
        "method": cell.method,
        "title": cell.method,
        "dataset": cell.dataset,
        "split": cell.split,
        "status": "failed",
        "reason": reason,
        "n_images": 0,
        "metrics": {},
    }


def make_row(cell, detector, records, *, n_split, status, reason, speed=None):
    """One row of the table.

    Arguments:
        cell (Cell): What was run.
        detector (Detector): The method.
        records: Records of `engine.scoring.score_images`, without errors, in the order of the split.
        n_split: Images in the whole test list.
        status: ``"ok"``, ``"failed"`` or ``"no checkpoint"``.
        reason: One line for a status that is not ok, or None.
        speed: Speed as `engine.profiling` measured it; by default that of the records.

    Returns:
        dict: JSON-able. Metrics by protocol are fractions, or None where undefined; empty without records.
    """
    kind = cell.method_options["type"]
    row = failed_row(cell, reason) | {
        "title": detector.card.title if cell.method == kind else f"{detector.card.title} ({cell.method})",
        "status": status,
        "family": detector.card.family,
        "fidelity": detector.card.fidelity_label,
        "threshold": str(detector.threshold),
        "oracle": detector.threshold.oracle,
        "params": detector.num_parameters if isinstance(detector, NeuralDetector) else None,
        "weights": _weights(detector) if isinstance(detector, NeuralDetector) else None,
        "metric_size": _metric_size(cell, detector),
        "n_images": len(records),
        "n_split": n_split,
    }
    if not records:
        return row
    counts = pd.DataFrame([record["counts"] for record in records])
    sweeps = sum(unpack(record["sweep"]).astype(np.int64) for record in records)
    sweep = dict(zip(SWEEP_COLUMNS, sweeps, strict=True))
    row |= {
        "score_kind": detector.score_kind,
        "auc": roc(sweep)[2],
        "signal": mean_signal([record["signal"] for record in records]),
        "sweep": {name: values.tolist() for name, values in sweep.items()},
        "speed": speed or _speed(records, cell.device),
        "notes": dict(Counter(note for record in records for note in record["notes"])),
    }
    if detector.threshold.oracle:
        return recut(row, records, detector.threshold)
    return row | {
        "metrics": {protocol: compute_metrics(counts, protocol) for protocol in PROTOCOLS},
        "ci95": {protocol: bootstrap_ci(counts, protocol) for protocol in PROTOCOLS},
        "strata": strata([target for record in records for target in record["signal"]["targets"]]),
    }


def _metric_size(cell, detector):
    """``"native"``, or the side of the squares that the metrics are of, as ``"512x512"``."""
    side = detector.input_size if cell.metric_size == "input" and isinstance(detector, NeuralDetector) else None
    return f"{side}x{side}" if side else "native"


def _weights(detector):
    """Which weights a network has: file, hash, and what their maker says of the training; None for random ones."""
    if detector.weights is None:
        return None
    metadata = detector.weights.metadata
    told = {name: metadata.get(name) for name in ("schedule", "dataset", "split", "seed", "iterations", "publisher")}
    told |= {"in_stages": bool(metadata.get("start")), "training_images_known": "train_ids" in metadata}
    return {"file": detector.weights.path.name, "sha256": detector.weights.sha256, **told}


def _speed(records, device):
    """Speed of a method that was timed while it ran."""
    seconds = float(np.median([record["seconds"] for record in records]))
    how = "median over the test images, one thread a worker, one worker a core" if device == "cpu" else "median over batches"
    return {"fps": 1 / seconds, "seconds_an_image": seconds, "how": how}


def recut(row, records, policy):
    """The row as another threshold policy would have it, from the stored sweeps: no method is run.

    Arguments:
        row: A row of `make_row`.
        records: Its records.
        policy (Threshold): Where to cut. The cut is rounded up to the next of the 256 levels, and only the exact
            protocol can be had; the row says so by ``from_sweep``.
    """
    counts = pd.DataFrame([record["counts"] for record in recut_records(row, records, policy)])
    return row | {
        "threshold": str(policy),
        "oracle": policy.oracle,
        "from_sweep": True,
        "metrics": {"exact": compute_metrics(counts, "exact")},
        "ci95": {"exact": bootstrap_ci(counts, "exact")},
    }


def recut_records(row, records, policy):
    """The records with the counts that `recut` takes."""
    if policy.oracle:
        best, _ = best_iou({name: np.array(values) for name, values in row["sweep"].items()})
        levels = [LEVELS if best is None else best] * len(records)
    else:
        levels = [_level(policy, ScoreStatistics(**record["statistics"]), row["score_kind"]) for record in records]
    return [record | {"counts": _counts_at(record, level)} for record, level in zip(records, levels, strict=True)]


def recut_rows(rows, store, policy):
    """`recut` for every stored row that has metrics; the others stay as they are."""
    return [recut(row, store.records(row), policy) if row["metrics"] else row for row in rows]


def _level(policy, statistics, score_kind):
    """The lowest sweep level above a policy's cut; 256 where no pixel is."""
    cut = policy.cut_at(statistics)
    if cut >= statistics.high:
        return LEVELS
    low, high = statistics.low, statistics.high
    if cut < low:
        return 0
    fraction = expit(cut) if score_kind == "logit" else (cut - low) / (high - low)
    return int(np.clip(np.floor((LEVELS - 1) * fraction) + 1, 0, LEVELS))


def _counts_at(record, level):
    """Counts of one image, exact protocol, with every pixel of this level or above taken as target. No hIoU."""
    sweep = unpack(record["sweep"])
    tp, fp, matched, false_pixels, _ = sweep[:, level].tolist() if level < LEVELS else [0] * len(sweep)
    known = {name: record["counts"][name] for name in ("pixels", "targets", "target_pixels")}
    union = known["target_pixels"] + fp
    return known | {"intersection": tp, "union": union, "matched": matched, "false_pixels": false_pixels} | NO_OPDC
