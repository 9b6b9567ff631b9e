"""A whole run: every method on every data set, one cell after the other."""

import errno
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, replace
from typing import Any

from irsam_zoo.datasets import IRSTDDataset
from irsam_zoo.datasets.fingerprint import combine
from irsam_zoo.engine.evaluate import evaluate, pixel_digests
from irsam_zoo.engine.manifest import manifest
from irsam_zoo.engine.plan import Plan, PlannedCell, plan_run
from irsam_zoo.engine.rows import failed_row
from irsam_zoo.results.options import RunOptions
from irsam_zoo.results.row import Row, Status
from irsam_zoo.results.store import ResultStore
from irsam_zoo.runtime.durations import parse_duration
from irsam_zoo.runtime.executors import worker_pool
from irsam_zoo.runtime.hardware import usable_device
from irsam_zoo.runtime.interrupts import time_limit
from irsam_zoo.runtime.progress import Progress
from irsam_zoo.zoo import ZooError
from irsam_zoo.zoo.errors import FAILURES, one_line
from irsam_zoo.zoo.terminal import warn

__all__ = ["RunOptions", "run"]


MOST_NAMED = 10  # images that cannot be read, in a line
NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EROFS)


def _outcome(row: Row) -> str:
    return f"{row.method} on {row.dataset} ({row.split}): {row.status}"


def run(options: RunOptions, describe: Callable[[Row], str] = _outcome) -> list[Row]:
    """Run the cells of a `RunOptions` and store their rows and the manifest.

    Arguments:
        options (RunOptions): What to run.
        describe: A finished `Row` to the line that is printed of it; `reports.listing.row_line` tells its figures.

    Returns:
        list[Row]: The rows, methods within data sets. A cell that cannot be run is a row with the reason.

    Raises:
        UsageError: A name is unknown or a data set is not there. Raised before anything is run.
    """
    start = time.monotonic()
    seconds = None if options.time_limit is None else parse_duration(options.time_limit)
    plan = plan_run(options)
    store = ResultStore(options.out)
    rows, data = [], {}
    with store.locked(), time_limit(seconds) as in_time:
        try:
            failures = _trained(plan)
            with Progress(describe) as progress:
                for source, dataset in plan.datasets.items():
                    digests = pixel_digests(dataset)
                    for note in [*dataset.notes, *unreadable(dataset, digests, options.strict)]:
                        progress.tell(f"{dataset.name}: {note}")
                    data[f"{dataset.name}/{dataset.split}"] = combine(digests.items())
                    for planned in plan.cells(source, failures.get(source, {})):
                        with progress.cell(planned.cell.method, dataset.title, len(dataset.ids[: options.limit])) as told:
                            row = _run_cell(planned, plan, store, digests, _in_turn(told, in_time), progress.tell)
                        progress.report(row)
                        for note in row.data_notes:
                            if note not in dataset.notes:  # which are told before
                                progress.tell(f"{row.method} on {row.dataset}: {note}")
                        rows.append(row)
                        if options.strict and row.status in (Status.FAILED, Status.INCOMPLETE):
                            raise ZooError(f"{row.method} on {row.dataset}: {row.reason} (--strict)")
        finally:
            about = manifest(asdict(plan.options), data, time.monotonic() - start)
            about["rows"] = {f"{row.dataset}/{row.split}/{row.method}": row.digest for row in rows}
            aside = store.add_manifest(about)
            if aside is not None:
                warn(f"{store.manifest_path} was no list of runs; what it was is {aside} now")
    return rows


def _run_cell(
    planned: PlannedCell,
    plan: Plan,
    store: ResultStore,
    digests: Mapping[str, str],
    on_image: Callable[..., None],
    tell: Callable[[str], None],
) -> Row:
    """The row of a cell; whatever goes wrong, or went wrong before, is the row's reason, and the other cells go on."""
    cell, reason = planned
    earlier = store.row(cell.dataset, cell.split, cell.method)
    try:
        if reason is not None:
            raise ZooError(reason)
        with worker_pool(**plan.workers) as pool:
            row = evaluate(cell, store, pool, digests, **plan.scoring, on_image=on_image)
    except FAILURES as error:
        if isinstance(error, OSError) and error.errno in NO_ROOM:
            raise  # nor is there any for this row or the next
        return store.write_row(failed_row(cell, one_line(error)), [])
    for change in _changes(earlier, row) if row.ok else ():
        tell(f"{row.method} on {row.dataset} ({row.split}): it is of {change}")
    return row


def _changes(earlier: Row | None, row: Row) -> Iterator[str]:
    """In what a row is of another kind than the one that was stored in its place before, in words."""
    if earlier is None or not earlier.n_images:
        return
    for what, old, new in (
        ("other weights", _weights(earlier), _weights(row)),
        ("another threshold", earlier.threshold, row.threshold),
        ("another metric size", earlier.metric_size, row.metric_size),
    ):
        if old != new:
            yield f"{what} than the row that was stored: {new}, not {old}"


def _weights(row: Row) -> str | None:
    return row.weights and f"{row.weights.file} (SHA-256 {row.weights.sha256[:8]})"


def _trained(plan: Plan) -> dict[str, dict[str, str]]:
    """Why, by data set and method, networks could not be trained that this run is to train."""
    if plan.options.train == "none":
        return {}
    from irsam_zoo.training.missing import train_missing  # mmengine's runner takes a second to import

    options, failures = replace(plan.options, device=usable_device(plan.options.device)), {}
    for (method, source), reason in train_missing(options, plan.datasets, warn).items():
        failures.setdefault(source, {})[method] = reason
    return failures


def _in_turn(*functions: Callable[..., None]) -> Callable[..., None]:
    """A function that calls several with its arguments, one after the other."""

    def call(*arguments: Any, **named: Any) -> None:
        for function in functions:
            function(*arguments, **named)

    return call


def unreadable(dataset: IRSTDDataset, digests: Mapping[str, str], strict: bool = False) -> list[str]:
    """What is to be told of the images of a test set that cannot be read, in lines.

    Arguments:
        dataset: An `IRSTDDataset`.
        digests: `engine.evaluate.pixel_digests` of it.
        strict: Whether one ends the run.

    Raises:
        ZooError: One cannot be read, and the run is strict.
    """
    missing = [image_id for image_id in dataset.ids if image_id not in digests]
    if not missing:
        return []
    reason = _why(dataset, missing[0])
    if strict:
        raise ZooError(f"{dataset.name}: {reason} (--strict)")
    more = f" and {len(missing) - MOST_NAMED} more" if len(missing) > MOST_NAMED else ""
    return [f"{len(missing)} of {len(dataset)} images are left out: {', '.join(missing[:MOST_NAMED])}{more}; {reason}"]


def _why(dataset: IRSTDDataset, image_id: str) -> str:
    try:
        dataset.read(image_id)
    except FAILURES as error:
        return one_line(error)
    return f"{image_id} can be read now, and could not a moment ago"
