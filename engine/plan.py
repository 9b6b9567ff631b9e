"""From the options of a run to its cells, looked at before hours are spent. Whoever runs cells sees no options."""

import uuid
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from irsam_zoo.datasets import IRSTDDataset
from irsam_zoo.engine.cell import Cell, method_cell, open_dataset
from irsam_zoo.results.options import RunOptions
from irsam_zoo.results.store import check_name
from irsam_zoo.runtime.executors import available_cores
from irsam_zoo.runtime.hardware import usable_device
from irsam_zoo.zoo import UsageError, ZooError, build_method, build_threshold
from irsam_zoo.zoo.errors import FAILURES, BrokenMethodError, one_line
from irsam_zoo.zoo.plugins import load_plugins
from irsam_zoo.zoo.specs import MethodSpec, read_method
from irsam_zoo.zoo.thresholds import Threshold
from irsam_zoo.zoo.weights.find import find_checkpoint


class PlannedCell(NamedTuple):
    """A cell of the table, and why it cannot be run, or None."""

    cell: Cell
    reason: str | None


@dataclass(frozen=True)
class Plan:
    """What a run is to do.

    Attributes:
        options (RunOptions): As asked for, without plug-ins that do not import.
        datasets (dict[str, IRSTDDataset]): The test sets, by what they were asked for by.
        methods (dict[str, MethodSpec]), broken (dict[str, str]): As of `read_methods`.
        run: A name of the run: what a process opened for another one, whose files may have changed, is not used again.
    """

    options: RunOptions
    datasets: dict[str, IRSTDDataset]
    methods: dict[str, MethodSpec]
    broken: dict[str, str]
    run: str

    @property
    def scoring(self) -> dict[str, Any]:
        """How `engine.evaluate.evaluate` is to score each cell."""
        return {name: getattr(self.options, name) for name in ("limit", "fresh", "allow_overlap")}

    @property
    def workers(self) -> dict[str, Any]:
        """What `runtime.executors.worker_pool` takes."""
        options = self.options
        return {"jobs": options.jobs or available_cores(), "dask": options.dask, "memory": options.memory_limit}

    def cells(self, source: str, failures: Mapping[str, str]) -> Iterator[PlannedCell]:
        """The cells of a data set.

        Arguments:
            source: What the data set was asked for by.
            failures: Why networks could not be trained for it, by what they were asked for by.

        Yields:
            PlannedCell: One a method.
        """
        dataset = self.datasets[source]
        for method, spec in self.methods.items():
            place: dict[str, Any] = dict(
                spec=method,
                dataset=dataset.name,
                split=dataset.split,
                source=source,
                lists=self.options.split,
                run=self.run,
            )
            reason = self.broken.get(method) or failures.get(method)
            if reason is None:
                try:
                    yield PlannedCell(_cell(self.options, spec, place), None)
                    continue
                except FAILURES as error:
                    reason = one_line(error)
            yield PlannedCell(Cell(method=spec.name, options="{}", **place), reason)


def plan_run(options: RunOptions) -> Plan:
    """The `Plan` of a run.

    Raises:
        UsageError: A name is unknown, a data set is not there, two things would be filed under one name, or a GPU is asked for
            and there is none.
        ZooError: No method is whole.
    """
    if options.device == "cuda":
        usable_device(options.device)
    unloaded = load_plugins(options.plugins)
    options = replace(options, plugins=tuple(plugin for plugin in options.plugins if plugin not in unloaded))
    run = uuid.uuid4().hex
    datasets = {name: open_dataset(name, options.data_root, options.split, run) for name in options.datasets}
    for dataset in datasets.values():
        check_name("data set", dataset.name)
        check_name("split", dataset.split)
    methods, broken = read_methods(options, unloaded)
    _refuse_twice("methods", {method: spec.name for method, spec in methods.items()})
    _refuse_twice("data sets", {source: f"{dataset.name}/{dataset.split}" for source, dataset in datasets.items()})
    return Plan(options, datasets, methods, broken, run)


def read_methods(options: RunOptions, unloaded: Mapping[str, str]) -> tuple[dict[str, MethodSpec], dict[str, str]]:
    """The methods of a run. One that is there but broken leaves the others alone, unless there are no others.

    Arguments:
        options (RunOptions): The run.
        unloaded: Why plug-ins were not imported, by path: an unknown name may be of one of them.

    Returns:
        tuple[dict[str, MethodSpec], dict[str, str]]: The methods by what they were asked for by, and what is wrong with the
        broken ones of them.

    Raises:
        UsageError: A name is unknown, or masks are asked for where the cut is not known while they are written.
        ZooError: No method is whole.
    """
    methods, broken = {}, {}
    for method in options.methods:
        name = method.rpartition("/")[2].removesuffix(".py")
        try:
            methods[method] = read_method(method)
            check_name("method", methods[method].name)
            policy = _policy(methods[method], options.threshold)
        except BrokenMethodError as error:
            methods.setdefault(method, MethodSpec(name, {}))
            broken[method] = error
        except UsageError:
            if not unloaded:
                raise
            methods[method] = MethodSpec(name, {})
            broken[method] = ZooError("; ".join(unloaded.values()))
        else:
            if options.save_predictions and policy is not None and policy.oracle:
                raise UsageError(
                    f"{method}: an oracle's cut is not known while masks are written; leave out --save-predictions"
                )
        check_name("method", methods[method].name)
    if broken and len(broken) == len(methods):
        raise next(iter(broken.values()))
    return methods, {method: str(error) for method, error in broken.items()}


def _policy(spec: MethodSpec, threshold: str | None) -> Threshold | None:
    """The policy of a method in this run. None where the method does not build, which its rows will tell."""
    try:
        detector = build_method(spec, weights=None)
    except UsageError:
        raise
    except FAILURES:
        return None
    return build_threshold(threshold) if threshold else detector.threshold


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
