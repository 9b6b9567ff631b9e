"""From the records of single images to a row of the table."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from irsam_zoo.datasets.leaks import seen_images
from irsam_zoo.engine.cell import Cell
from irsam_zoo.metrics import mean_signal, roc, strata
from irsam_zoo.results.record import ImageRecord
from irsam_zoo.results.recut import counted, summed
from irsam_zoo.results.row import Row, Speed, Status, WeightsFacts
from irsam_zoo.zoo.detector import FLOAT32, Detector
from irsam_zoo.zoo.thresholds import ScoreKind
from irsam_zoo.zoo.weights.loaded import Weights


def failed_row(cell: Cell, reason: str | None) -> Row:
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


def make_row(
    cell: Cell,
    detector: Detector,
    records: Sequence[ImageRecord],
    *,
    n_split: int,
    status: Status,
    reason: str | None,
    speed: Speed | None = None,
) -> Row:
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
    row = replace(
        failed_row(cell, reason),
        title=card.title if cell.method == cell.method_options["type"] else f"{card.title} ({cell.method})",
        status=status,
        family=card.family,
        fidelity=card.fidelity,
        fidelity_scope=card.fidelity_scope,
        threshold=str(policy),
        oracle=policy.oracle,
        params=detector.num_parameters,
        weights=_weights(detector.weights) if detector.weights else None,
        metric_size=_metric_size(cell, detector),
        n_images=len(records),
        n_split=n_split,
    )
    if not records:
        return row
    notes = dict(Counter(note for record in records for note in record.notes))
    if detector.precision != FLOAT32:
        notes[f"computed in {detector.precision}"] = len(records)
    if speed is not None and not detector.scores_in_batches:
        speed = speed.of_scored_images(
            [record.seconds for record in records if record.seconds is not None and record.processor == speed.processor]
        )
    row = replace(row, speed=speed or _speed(detector, records), notes=notes)
    return with_figures(row, records, detector.score_kind)


def with_figures(row: Row, records: Sequence[ImageRecord], score_kind: ScoreKind | None) -> Row:
    """The row with all that its records tell of scores and masks.

    Arguments:
        row (Row): With the policy.
        records: `ImageRecord`s in the order of the split, at least one; where the policy is an oracle, from `recut_records`.
        score_kind: As `metrics.quantize` takes it, or None where there are masks alone: such a row has no sweep, and no
            figure of the scores.
    """
    if score_kind is not None:
        sweep = summed(records)
        row = replace(
            row,
            score_kind=score_kind,
            auc=roc(sweep)[2],
            signal=mean_signal([record.signal for record in records]),
            sweep={name: values.tolist() for name, values in sweep.items()},
        )
    if not row.oracle:
        row = replace(row, strata=strata([target for record in records for target in record.signal["targets"]]))
    return counted(row, records, from_sweep=row.oracle)


def _metric_size(cell: Cell, detector: Detector) -> str:
    """``"native"``, or the side of the squares that the metrics are of, as ``"512x512"``."""
    side = detector.input_size if cell.metric_size == "input" else None
    return f"{side}x{side}" if side else "native"


def _weights(weights: Weights) -> WeightsFacts:
    """What is known of the `Weights` of a network."""
    seen = seen_images(weights.metadata)
    kinds = dict(schedule=str, dataset=str, split=str, seed=int, iterations=int, publisher=str)
    told: dict[str, Any] = {
        name: value for name, kind in kinds.items() if isinstance(value := weights.metadata.get(name), kind)
    }
    return WeightsFacts(
        file=weights.path.name,
        sha256=weights.sha256,
        datasets=tuple(seen) if len(seen) > 1 else (),
        in_stages=bool(weights.metadata.get("start")),
        training_images_known=bool(seen),
        **told,
    )


def _speed(detector: Detector, records: Sequence[ImageRecord]) -> Speed:
    """Speed of a method that was timed while it ran: on the processor that did most of the images."""
    ((processor, number),) = Counter(record.processor for record in records).most_common(1)
    timed = [record.seconds for record in records if record.processor == processor and record.seconds is not None]
    seconds = float(np.median(timed))
    how = (
        "median over batches"
        if detector.scores_in_batches
        else "median over the test images, one thread a worker, one worker a core"
    )
    if number < len(records):
        how += f", of the {number} of {len(records)} images that this processor did"
    return Speed(fps=1 / seconds, seconds_an_image=seconds, how=how, processor=processor)
