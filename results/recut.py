"""A row as another threshold policy would have it, from stored sweeps: no method is run."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd  # pyright: ignore[reportMissingTypeStubs]
from scipy.special import expit  # pyright: ignore[reportMissingTypeStubs]

from irsam_zoo.metrics import PROTOCOLS, bootstrap_ci, compute_metrics, sum_sweeps
from irsam_zoo.metrics.sweep import LEVELS
from irsam_zoo.metrics.typing import Counts, Sweep
from irsam_zoo.results.record import ImageRecord, unpack_sweep
from irsam_zoo.results.row import Row, Status
from irsam_zoo.results.store import ResultStore
from irsam_zoo.zoo.errors import FAILURES, one_line
from irsam_zoo.zoo.thresholds import Oracle, ScoreStatistics, Threshold

# The sweep does not tell which pixels a matched pair shares.
NO_OPDC = dict.fromkeys(("opdc_matched", "opdc_iou", "components"), float("nan"))
SWEPT = ("exact",)  # the protocols whose counts the sweep holds


def recut(row: Row, records: Sequence[ImageRecord], policy: Threshold) -> Row:
    """The row as another threshold policy would have it, from the stored sweeps: no method is run.

    Arguments:
        row: A row of `make_row`.
        records: Its records.
        policy (Threshold): Where to cut. The cut is rounded up to the next of the 256 levels, and only the exact
            protocol can be had; the row says so by ``from_sweep``.
    """
    row = replace(row, threshold=str(policy), oracle=policy.oracle, strata=None)
    return counted(row, recut_records(records, policy, row.score_kind), from_sweep=True)


def recut_records(records: Sequence[ImageRecord], policy: Threshold, score_kind: str | None) -> list[ImageRecord]:
    """The records with the counts of `recut`."""
    if isinstance(policy, Oracle):
        level = policy.level(summed(records))
        levels = [LEVELS if level is None else level] * len(records)
    else:
        levels = [_level(policy, record.statistics, score_kind) for record in records]
    return [replace(record, counts=_counts_at(record, level)) for record, level in zip(records, levels, strict=True)]


def recut_rows(rows: Iterable[Row], store: ResultStore, policy: Threshold) -> list[Row]:
    """`recut` for every stored row that has a sweep. One whose records are gone has failed; the others stay as they are."""
    return [_recut_stored(row, store, policy) if row.sweep else row for row in rows]


def _recut_stored(row: Row, store: ResultStore, policy: Threshold) -> Row:
    try:
        return recut(row, store.records(row), policy)
    except FAILURES as error:
        return replace(row, status=Status.FAILED, reason=one_line(error), metrics={}, ci95={})


def counted(row: Row, records: Iterable[ImageRecord], *, from_sweep: bool) -> Row:
    """The row with the metrics of its records, and their intervals."""
    counts = pd.DataFrame([record.counts for record in records])
    protocols = SWEPT if from_sweep else PROTOCOLS
    return replace(
        row,
        from_sweep=from_sweep,
        metrics={protocol: compute_metrics(counts, protocol) for protocol in protocols},
        ci95={protocol: bootstrap_ci(counts, protocol) for protocol in protocols},
    )


def summed(records: Iterable[ImageRecord]) -> Sweep:
    """The sweeps of records, added up: (256,) int64 arrays by name."""
    return sum_sweeps(unpack_sweep(record.sweep) for record in records)


def _level(policy: Threshold, statistics: ScoreStatistics, score_kind: str | None) -> int:
    """The lowest sweep level above a policy's cut; 256 where no pixel is."""
    cut = policy.cut_at(statistics)
    if cut >= statistics.high:
        return LEVELS
    low, high = statistics.low, statistics.high
    if cut < low:
        return 0
    fraction = (cut - low) / (high - low) if score_kind == "raw" else expit(cut) if score_kind == "logit" else cut
    return int(np.clip(np.floor((LEVELS - 1) * fraction) + 1, 0, LEVELS))


def _counts_at(record: ImageRecord, level: int) -> Counts:
    """Counts of one image, exact protocol, with every pixel of this level or above taken as target. No hIoU."""
    at = {name: int(values[level]) if level < LEVELS else 0 for name, values in unpack_sweep(record.sweep).items()}
    known = {name: record.counts[name] for name in ("pixels", "targets", "target_pixels")}
    return (
        known
        | {
            "predicted_pixels": at["tp"] + at["fp"],
            "intersection": at["tp"],
            "union": known["target_pixels"] + at["fp"],
            "matched": at["matched"],
            "false_pixels": at["false_pixels"],
        }
        | NO_OPDC
    )
