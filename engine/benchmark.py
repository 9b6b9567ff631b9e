"""A whole run: every method on every data set, one cell after the other."""

import errno
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, replace
from typing import Any

from irsam_zoo.datasets import IRSTDDataset
from irsam_zoo.datasets.fingerprint import combine
from irsam_zoo.engine.cell import Cell, method_cell, open_dataset
from irsam_zoo.engine.evaluate import evaluate, pixel_digests
from irsam_zoo.engine.manifest import manifest
from irsam_zoo.engine.preflight import read_methods, unreadable
from irsam_zoo.engine.rows import failed_row
from irsam_zoo.results.options import RunOptions
from irsam_zoo.results.row import Row, Status
from irsam_zoo.results.store import ResultStore, check_name
from irsam_zoo.runtime.durations import parse_duration
from irsam_zoo.runtime.executors import available_cores, worker_pool
from irsam_zoo.runtime.hardware import usable_device
from irsam_zoo.runtime.interrupts import time_limit
from irsam_zoo.runtime.progress import Progress
from irsam_zoo.zoo import UsageError, ZooError
from irsam_zoo.zoo.errors import FAILURES, one_line
from irsam_zoo.zoo.plugins import load_plugins
from irsam_zoo.zoo.specs import MethodSpec
from irsam_zoo.zoo.terminal import warn
from irsam_zoo.zoo.weights.find import find_checkpoint

__all__ = ["RunOptions", "run"]


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
    if options.device == "cuda":
        usable_device(options.device)  # tells where there is none
    unloaded = load_plugins(options.plugins)
    options = replace(options, plugins=tuple(plugin for plugin in options.plugins if plugin not in unloaded))
    run_id = uuid.uuid4().hex
    datasets = {name: open_dataset(name, options.data_root, options.split, run_id) for name in options.datasets}
    for dataset in datasets.values():
        check_name("data set", dataset.name)
        check_name("split", dataset.split)
    methods, broken = read_methods(options, unloaded)
    _refuse_twice("methods", {method: spec.name for method, spec in methods.items()})
    _refuse_twice("data sets", {source: f"{dataset.name}/{dataset.split}" for source, dataset in datasets.items()})
    store = ResultStore(options.out)
    rows, data = [], {}
    with store.locked(), time_limit(seconds) as in_time:
        try:
            failures = _trained(options, datasets)
            with Progress(describe) as progress:
                for source, dataset in datasets.items():
                    digests = pixel_digests(dataset)
                    for note in [*dataset.notes, *unreadable(dataset, digests, options.strict)]:
                        progress.tell(f"{dataset.name}: {note}")
                    data[f"{dataset.name}/{dataset.split}"] = combine(digests.items())
                    for method, spec in methods.items():
                        place = dict(spec=method, dataset=dataset.name, split=dataset.split, source=source, lists=options.split)
                        failure = broken.get(method) or failures.get((method, source))
                        earlier = store.row(dataset.name, dataset.split, spec.name)
                        with progress.cell(spec.name, dataset.title, len(dataset.ids[: options.limit])) as told:
                            on_image = _in_turn(told, in_time)
                            row = _guarded(options, spec, place | {"run": run_id}, store, digests, on_image, failure)
                        progress.report(row)
                        for change in _changes(earlier, row) if row.ok else ():
                            progress.tell(f"{row.method} on {row.dataset} ({row.split}): it is of {change}")
                        for note in row.data_notes:
                            if note not in dataset.notes:  # which are told before
                                progress.tell(f"{row.method} on {row.dataset}: {note}")
                        rows.append(row)
                        if options.strict and row.status in (Status.FAILED, Status.INCOMPLETE):
                            raise ZooError(f"{row.method} on {row.dataset}: {row.reason} (--strict)")
        finally:
            about = manifest(asdict(options), data, time.monotonic() - start)
            about["rows"] = {f"{row.dataset}/{row.split}/{row.method}": row.digest for row in rows}
            aside = store.add_manifest(about)
            if aside is not None:
                warn(f"{store.manifest_path} was no list of runs; what it was is {aside} now")
    return rows


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


def _trained(options: RunOptions, datasets: dict[str, IRSTDDataset]) -> dict[tuple[str, str], str]:
    """Why, by method and data set, networks could not be trained that this run is to train."""
    if options.train == "none":
        return {}
    from irsam_zoo.training.missing import train_missing  # mmengine's runner takes a second to import

    return train_missing(replace(options, device=usable_device(options.device)), datasets, warn)


def _in_turn(*functions: Callable[..., None]) -> Callable[..., None]:
    """A function that calls several with its arguments, one after the other."""

    def call(*arguments, **named):
        for function in functions:
            function(*arguments, **named)

    return call


def _refuse_twice(what: str, names: Mapping[str, str]) -> None:
    """Raise where two of these, as they were given, would be filed under one name."""
    for name, count in Counter(names.values()).items():
        if count > 1:
            same = ", ".join(given for given in names if names[given] == name)
            raise UsageError(f"these {what} would all be filed as {name}: {same}; rename them, or run them with another --out")


def _cell(options: RunOptions, method: MethodSpec, place: Mapping[str, Any]) -> Cell:
    """The cell of a method at its place in the table, with the best checkpoint that there is for both."""
    return method_cell(
        method,
        threshold=options.threshold,
        find_checkpoint=lambda name: find_checkpoint(
            options.checkpoints, name, place["dataset"], split=None if options.allow_overlap else place["split"]
        ),
        root=options.data_root,
        device=options.device,
        plugins=options.plugins,
        metric_size=options.metric_size,
        predictions=f"{options.out}/predictions" if options.save_predictions else None,
        scores=f"{options.out}/scores" if options.save_scores else None,
        score_form=options.save_scores or "png",
        timeout=options.timeout,
        **place,
    )


def _guarded(
    options: RunOptions,
    method: MethodSpec,
    place: Mapping[str, Any],
    store: ResultStore,
    digests: Mapping[str, str],
    on_image: Callable[..., None],
    failure: str | None,
) -> Row:
    """The row of a cell; whatever goes wrong, or went wrong before, is the row's reason, and the other cells go on."""
    cell = Cell(method=method.name, options="{}", **place)
    try:
        if failure is not None:
            raise ZooError(failure)
        cell = _cell(options, method, place)
        with worker_pool(options.jobs or available_cores(), options.dask, memory=options.memory_limit) as pool:
            return evaluate(
                cell,
                store,
                pool,
                digests,
                limit=options.limit,
                fresh=options.fresh,
                allow_overlap=options.allow_overlap,
                on_image=on_image,
            )
    except FAILURES as error:
        if isinstance(error, OSError) and error.errno in NO_ROOM:
            raise  # nor is there any for this row or the next
        return store.write_row(failed_row(cell, one_line(error)), [])
