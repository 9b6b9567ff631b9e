"""A whole run: every method on every data set, one cell after the other."""

import sys
import time
from collections import Counter
from dataclasses import asdict, dataclass

from engine.cell import method_cell, open_dataset
from engine.evaluate import data_fingerprint, evaluate, pixel_digests
from engine.executors import available_cores, worker_pool
from engine.manifest import manifest
from engine.progress import Progress
from engine.rows import failed_row
from engine.scoring import one_line
from engine.store import ResultStore, write_json
from engine.training.missing import train_missing
from zoo import UsageError, build_method, build_threshold, load_plugin
from zoo.checkpoints import find_checkpoint
from zoo.registry import method_config


@dataclass(frozen=True, kw_only=True)
class RunOptions:
    """What to run and where to put it.

    Attributes:
        methods: Method specs of `zoo.build_method`.
        datasets: Data set names or folders of `datasets.build_dataset`.
        out: Result folder.
        data_root: Folder of the data sets, or None for the default places.
        split: Split name or folder of lists.
        threshold: Policy for every method, or None for each method's own.
        metric_size: Where networks that resize images are scored: at the images' own size, ``"native"``, or at their
            ``"input"``.
        limit: Only the first images of each test list.
        jobs: Worker processes; None for one a core.
        dask: Address of a Dask scheduler to use instead.
        device: ``"cpu"`` or ``"cuda"``.
        checkpoints: Folder that is searched for weights.
        plugins: Plug-in files.
        fresh: Forget stored records of these cells.
        allow_overlap: Score weights on images that they were trained on, and mark it.
        save_predictions: Write the predicted masks.
        train: Schedule for networks without weights, or ``"none"``; None for smoke on the synthetic set alone.
    """

    methods: tuple[str, ...]
    datasets: tuple[str, ...]
    out: str
    data_root: str | None = None
    split: str = "irsam"
    threshold: str | None = None
    metric_size: str = "native"
    limit: int | None = None
    jobs: int | None = None
    dask: str | None = None
    device: str = "cpu"
    checkpoints: str = "checkpoints"
    plugins: tuple[str, ...] = ()
    fresh: bool = False
    allow_overlap: bool = False
    save_predictions: bool = False
    train: str | None = None


def run(options):
    """Run the cells of a `RunOptions` and store their rows and the manifest.

    Returns:
        list[dict]: The rows, methods within data sets. A cell that cannot be run is a row with the reason.

    Raises:
        UsageError: A name is unknown or a data set is not there. Raised before anything is run.
    """
    start = time.time()
    for plugin in options.plugins:
        load_plugin(plugin)
    datasets = {name: open_dataset(name, options.data_root, options.split) for name in options.datasets}
    for method in options.methods:  # a typo must not be found after hours
        detector = build_method(method)
        policy = build_threshold(options.threshold) if options.threshold else detector.threshold
        if options.save_predictions and policy.oracle:
            raise UsageError(f"{method}: an oracle's cut is not known while masks are written; leave out --save-predictions")
    _refuse_twice("methods", {method: method_config(method)[0] for method in options.methods})
    _refuse_twice("data sets", {source: f"{dataset.name}/{dataset.split}" for source, dataset in datasets.items()})
    store = ResultStore(options.out)
    rows, data = [], {}
    with store.locked():
        earlier = store.manifests()
        try:
            failures = train_missing(options, datasets, lambda line: print(line, file=sys.stderr))
            with Progress() as progress:
                for source, dataset in datasets.items():
                    digests = pixel_digests(dataset)
                    data[f"{dataset.name}/{dataset.split}"] = data_fingerprint(digests)
                    for method in options.methods:
                        cell = _cell(options, method, source, dataset)
                        with progress.cell(cell.method, dataset.title, len(dataset.ids[: options.limit])) as on_image:
                            row = _guarded(cell, store, digests, options, on_image, failures.get((method, source)))
                        progress.report(row)
                        rows.append(row)
        finally:
            write_json(store.manifest_path, [*earlier, manifest(asdict(options), data, time.time() - start)])
    return rows


def _refuse_twice(what, names):
    """Raise where two of these, as they were given, would be filed under one name."""
    for name, count in Counter(names.values()).items():
        if count > 1:
            same = ", ".join(given for given in names if names[given] == name)
            raise UsageError(f"these {what} would all be filed as {name}: {same}; rename them, or run them with another --out")


def _cell(options, method, source, dataset):
    """The cell of a method and an opened data set, with the best checkpoint that there is for both."""
    return method_cell(
        method,
        threshold=options.threshold,
        find_checkpoint=lambda name: find_checkpoint(
            options.checkpoints, name, dataset.name, split=None if options.allow_overlap else dataset.split
        ),
        dataset=dataset.name,
        split=dataset.split,
        source=source,
        lists=options.split,
        root=options.data_root,
        device=options.device,
        plugins=options.plugins,
        metric_size=options.metric_size,
        predictions=f"{options.out}/predictions" if options.save_predictions else None,
    )


def _guarded(cell, store, digests, options, on_image, failure):
    """The row of a cell; whatever goes wrong, or went wrong before, is the row's reason, and the other cells go on."""
    if failure is not None:
        return store.write_row(failed_row(cell, failure), [])
    try:
        flags = dict(limit=options.limit, fresh=options.fresh, allow_overlap=options.allow_overlap)
        with worker_pool(options.jobs or available_cores(), options.dask) as pool:
            return evaluate(cell, store, pool, digests, **flags, on_image=on_image)
    except Exception as error:
        return store.write_row(failed_row(cell, one_line(error)), [])
