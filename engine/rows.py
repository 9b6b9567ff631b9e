"""From the records of single images to a row of the table."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pandas as pd
from scipy.special import expit

from irsam_zoo.metrics import PROTOCOLS, bootstrap_ci, compute_metrics, mean_signal, roc, strata, sum_sweeps
from irsam_zoo.metrics.sweep import LEVELS
from irsam_zoo.results.record import unpack_sweep
from irsam_zoo.results.row import Row, Speed, Status, WeightsFacts
from irsam_zoo.training.provenance import seen_images
from irsam_zoo.zoo.errors import FAILURES, one_line
from irsam_zoo.zoo.neural import FLOAT32, NeuralDetector

# The sweep does not tell which pixels a matched pair shares.
NO_OPDC = dict.fromkeys(("opdc_matched", "opdc_iou", "components"), float("nan"))
SWEPT = ("exact",)  # the protocols whose counts the sweep holds


def failed_row(cell, reason):
    """The row of a cell that could not be begun."""
    return Row(
        method=cell.method,
        title=cell.method,
        dataset=cell.dataset,
        split=cell.split,
        status=Status.FAILED,
        reason=reason,
        n_images=0,
        metrics={},
    )


def make_row(cell, detector, records, *, n_split, status, reason, speed=None):
    """One row of the table.

    Arguments:
        cell (Cell): What was run.
        detector (Detector): The method.
        records: `ImageRecord`s in the order of the split; where the policy is an oracle, from `recut_records`.
        n_split: Images in the whole test list.
        status (Status): What came of the cell.
        reason: One line for a status that is not ok, or None.
        speed (Speed): As `engine.profiling` measured it; by default that of the records.

    Returns:
        Row: Metrics by protocol are fractions, or None where undefined; empty without records.
    """
    card, policy = detector.card, detector.threshold
    network = isinstance(detector, NeuralDetector)
    row = replace(
        failed_row(cell, reason),
        title=card.title if cell.method == cell.method_options["type"] else f"{card.title} ({cell.method})",
        status=status,
        family=card.family,
        fidelity=card.fidelity,
        fidelity_scope=card.fidelity_scope,
        threshold=str(policy),
        oracle=policy.oracle,
        params=detector.num_parameters if network else None,
        weights=_weights(detector.weights) if network and detector.weights else None,
        metric_size=_metric_size(cell, detector),
        n_images=len(records),
        n_split=n_split,
    )
    if not records:
        return row
    notes = dict(Counter(note for record in records for note in record.notes))
    if network and detector.precision != FLOAT32:
        notes[f"computed in {detector.precision}"] = len(records)
    if speed is not None and not in_batches(cell, detector):
        speed = speed.of_scored_images([record.seconds for record in records if record.processor == speed.processor])
    row = replace(row, speed=speed or _speed(cell, detector, records), notes=notes)
    return with_figures(row, records, detector.score_kind)


def with_figures(row, records, score_kind):
    """The row with all that its records tell of scores and masks.

    Arguments:
        row (Row): With the policy.
        records: `ImageRecord`s in the order of the split, at least one; where the policy is an oracle, from `recut_records`.
        score_kind: As `metrics.quantize` takes it, or None where there are masks alone: such a row has no sweep, and no
            figure of the scores.
    """
    if score_kind is not None:
        sweep = _summed(records)
        row = replace(
            row,
            score_kind=score_kind,
            auc=roc(sweep)[2],
            signal=mean_signal([record.signal for record in records]),
            sweep={name: values.tolist() for name, values in sweep.items()},
        )
    if not row.oracle:
        row = replace(row, strata=strata([target for record in records for target in record.signal["targets"]]))
    return _counted(row, records, from_sweep=row.oracle)


def recut(row, records, policy):
    """The row as another threshold policy would have it, from the stored sweeps: no method is run.

    Arguments:
        row: A row of `make_row`.
        records: Its records.
        policy (Threshold): Where to cut. The cut is rounded up to the next of the 256 levels, and only the exact
            protocol can be had; the row says so by ``from_sweep``.
    """
    row = replace(row, threshold=str(policy), oracle=policy.oracle, strata=None)
    return _counted(row, recut_records(records, policy, row.score_kind), from_sweep=True)


def recut_records(records, policy, score_kind):
    """The records with the counts of `recut`."""
    if policy.oracle:
        level = policy.level(_summed(records))
        levels = [LEVELS if level is None else level] * len(records)
    else:
        levels = [_level(policy, record.statistics, score_kind) for record in records]
    return [replace(record, counts=_counts_at(record, level)) for record, level in zip(records, levels, strict=True)]


def recut_rows(rows, store, policy):
    """`recut` for every stored row that has a sweep. One whose records are gone has failed; the others stay as they are."""
    return [_recut_stored(row, store, policy) if row.sweep else row for row in rows]


def _recut_stored(row, store, policy):
    try:
        return recut(row, store.records(row), policy)
    except FAILURES as error:
        return replace(row, status=Status.FAILED, reason=one_line(error), metrics={}, ci95={})


def _counted(row, records, *, from_sweep):
    counts = pd.DataFrame([record.counts for record in records])
    protocols = SWEPT if from_sweep else PROTOCOLS
    return replace(
        row,
        from_sweep=from_sweep,
        metrics={protocol: compute_metrics(counts, protocol) for protocol in protocols},
        ci95={protocol: bootstrap_ci(counts, protocol) for protocol in protocols},
    )


def _summed(records):
    return sum_sweeps(unpack_sweep(record.sweep) for record in records)


def _metric_size(cell, detector):
    """``"native"``, or the side of the squares that the metrics are of, as ``"512x512"``."""
    side = detector.input_size if cell.metric_size == "input" and isinstance(detector, NeuralDetector) else None
    return f"{side}x{side}" if side else "native"


def _weights(weights):
    """What is known of the `zoo.neural.Weights` of a network."""
    seen = seen_images(weights.metadata)
    kinds = dict(schedule=str, dataset=str, split=str, seed=int, iterations=int, publisher=str)
    told = {name: value for name, kind in kinds.items() if isinstance(value := weights.metadata.get(name), kind)}
    return WeightsFacts(
        file=weights.path.name,
        sha256=weights.sha256,
        datasets=tuple(seen) if len(seen) > 1 else (),
        in_stages=bool(weights.metadata.get("start")),
        training_images_known=bool(seen),
        **told,
    )


def in_batches(cell, detector):
    """Whether images are scored together in this process, and not one by one in the workers."""
    return isinstance(detector, NeuralDetector) or (cell.device == "cuda" and detector.batch_size > 1)


def _speed(cell, detector, records):
    """Speed of a method that was timed while it ran: on the processor that did most of the images."""
    ((processor, number),) = Counter(record.processor for record in records).most_common(1)
    seconds = float(np.median([record.seconds for record in records if record.processor == processor]))
    how = (
        "median over batches"
        if in_batches(cell, detector)
        else "median over the test images, one thread a worker, one worker a core"
    )
    if number < len(records):
        how += f", of the {number} of {len(records)} images that this processor did"
    return Speed(fps=1 / seconds, seconds_an_image=seconds, how=how, processor=processor)


def _level(policy, statistics, score_kind):
    """The lowest sweep level above a policy's cut; 256 where no pixel is."""
    cut = policy.cut_at(statistics)
    if cut >= statistics.high:
        return LEVELS
    low, high = statistics.low, statistics.high
    if cut < low:
        return 0
    fraction = (cut - low) / (high - low) if score_kind == "raw" else expit(cut) if score_kind == "logit" else cut
    return int(np.clip(np.floor((LEVELS - 1) * fraction) + 1, 0, LEVELS))


def _counts_at(record, level):
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
