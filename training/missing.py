"""The networks of a benchmark run that have no weights yet, and their training."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import as_completed
from typing import Any

from irsam_zoo.datasets import IRSTDDataset
from irsam_zoo.results.options import RunOptions
from irsam_zoo.runtime.executors import available_cores, worker_pool
from irsam_zoo.training.train import TrainOptions, train
from irsam_zoo.zoo import load_plugin
from irsam_zoo.zoo.errors import FAILURES, one_line
from irsam_zoo.zoo.neural import NeuralDetector
from irsam_zoo.zoo.specs import detector_class, method_config
from irsam_zoo.zoo.weights.find import find_checkpoint
from irsam_zoo.zoo.weights.known_weights import entry_named


def train_missing(
    options: RunOptions, datasets: Mapping[str, IRSTDDataset], report: Callable[[str], None]
) -> dict[tuple[str, str], str]:
    """Train every network of a run that has no weights of the wanted schedule or a better one.

    On a CPU each takes one thread, and as many run side by side as the run may have processes.

    Arguments:
        options (RunOptions): The run.
        datasets: The opened test sets by the name or folder that the run was given.
        report: Called with a line of text now and then.

    Returns:
        dict[tuple[str, str], str]: What went wrong, by method and data set as the run was given them.
    """
    methods = {method: method_config(method) for method in options.methods}
    jobs = {
        (method, source): _job(options, method, source)
        for source, dataset in datasets.items()
        for method, named in methods.items()
        if _lacks(options, *named, dataset)
    }
    if not jobs:
        return {}
    report(f"networks to train first: {len(jobs)}")
    start, failures = time.monotonic(), {}
    for done, (key, error) in enumerate(_trained(jobs, options), start=1):
        seconds = time.monotonic() - start
        report(f"trained {done} of {len(jobs)} networks, about {seconds / done * (len(jobs) - done):.0f} s left")
        if error is not None:
            failures[key] = f"training: {one_line(error)}"
    return failures


def _lacks(options: RunOptions, name: str, config: Mapping[str, Any], dataset: IRSTDDataset) -> bool:
    if "checkpoint" in config or entry_named(name) or not issubclass(detector_class(config["type"]), NeuralDetector):
        return False
    return find_checkpoint(options.checkpoints, name, dataset.name, split=dataset.split, schedule=options.train) is None


def _job(options: RunOptions, method: str, source: str) -> TrainOptions:
    same = {name: getattr(options, name) for name in ("split", "data_root", "checkpoints", "device")}
    return TrainOptions(method=method, dataset=source, schedule=options.train, bar=options.device == "cuda", **same)


def _trained(
    jobs: Mapping[tuple[str, str], TrainOptions], options: RunOptions
) -> Iterator[tuple[tuple[str, str], BaseException | None]]:
    """``(key, error or None)`` of each job, as they end."""
    if options.device == "cuda":
        for key, job in jobs.items():
            yield key, _train(job, options.plugins)
        return
    with worker_pool(options.jobs or available_cores()) as pool:
        futures = {pool.submit(_train, job, options.plugins): key for key, job in jobs.items()}
        for future in as_completed(futures):
            yield futures[future], future.exception() or future.result()


def _train(job: TrainOptions, plugins: Iterable[str]) -> BaseException | None:
    """Train one network; returns the error that ended it."""
    for plugin in plugins:
        load_plugin(plugin)
    try:
        train(job)
    except FAILURES as error:  # whatever it is, the other networks and the table go on
        return error
    return None
