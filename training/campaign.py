"""Several networks trained one after the other, or side by side, until each has the weights that are wanted."""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, wait
from dataclasses import replace
from pathlib import Path

from mmengine.config import Config

from irsam_zoo.datasets import IRSTDDataset, build_dataset
from irsam_zoo.runtime.executors import worker_pool
from irsam_zoo.training.train import TrainOptions, train
from irsam_zoo.training.work_folder import last_state, work_folder
from irsam_zoo.zoo import list_methods, load_plugin
from irsam_zoo.zoo.errors import FAILURES, one_line
from irsam_zoo.zoo.neural import NeuralDetector
from irsam_zoo.zoo.specs import CONFIG_DIR, detector_class, method_config
from irsam_zoo.zoo.terminal import say
from irsam_zoo.zoo.weights.header import read_header

TABLE = CONFIG_DIR.parent / "tables" / "table1.py"


def networks() -> list[str]:
    """Names of all methods with a network: those of Table 1 and after it in their order, then others that bring a recipe."""
    table = Config.fromfile(TABLE)
    order = [*table.methods, *table.after]
    found = [name for name in list_methods() if issubclass(detector_class(name), NeuralDetector)]
    own = [name for name in found if name in order or (CONFIG_DIR / f"{name}.py").is_file()]
    return sorted(own, key=lambda name: order.index(name) if name in order else len(order))


def train_all(
    methods: Sequence[str],
    options: TrainOptions,
    *,
    plugins: Iterable[str] = (),
    jobs: int = 1,
    report: Callable[[str], None] = say,
) -> dict[str, str]:
    """Train each method that has no weights of this data set, split, schedule, seed and budget; those begun come first.

    Arguments:
        methods: Method specs.
        options (TrainOptions): What is the same for all; its ``time_limit`` is that of the whole campaign.
        plugins: Plug-in files, for the workers.
        jobs: Networks at a time, one thread each. On CUDA they take turns.
        report: Called with a line of text.

    Returns:
        dict[str, str]: What went wrong, by method.
    """
    deadline = None if options.time_limit is None else time.monotonic() + options.time_limit
    dataset = build_dataset(options.dataset, root=options.data_root, split=options.split, subset="test")
    jobs_of = {method: _job(method, options) for method in methods}
    done = [method for method, job in jobs_of.items() if trained(job, dataset)]
    todo = {method: job for method, job in jobs_of.items() if method not in done}
    begun = {method for method, job in todo.items() if last_state(work_folder(job, dataset))}
    order = sorted(todo, key=lambda method: method not in begun)
    report(f"{len(done)} of {len(methods)} networks have such weights{_names(done)}; to train{_names(order) or ': none'}")
    failures = {}
    for method, error in _run({method: todo[method] for method in order}, plugins, jobs, deadline, report):
        if error is not None:
            failures[method] = error
            report(f"{method}: {error}")
    return failures


def _job(method: str, options: TrainOptions) -> TrainOptions:
    """The options of one network of a campaign."""
    name, _ = method_config(method)
    return replace(options, method=method, out=options.out and str(Path(options.out) / name))


def _run(
    todo: dict[str, TrainOptions], plugins: Iterable[str], jobs: int, deadline: float | None, report: Callable[[str], None]
) -> Iterator[tuple[str, str | None]]:
    """``(method, error or None)`` as networks end."""
    if any(job.device == "cuda" for job in todo.values()):
        for method, job in todo.items():
            yield method, train_for(job, plugins, deadline)
        return
    start, waiting, running, ended = time.monotonic(), dict(todo), {}, 0
    with worker_pool(jobs) as pool:
        while waiting or running:
            for method in list(waiting)[: jobs - len(running)]:
                job = replace(waiting.pop(method), bar=False)
                running[pool.submit(train_for, job, plugins, deadline)] = method
                left = _time_left(job, ended, len(waiting) + len(running), jobs, time.monotonic() - start)
                report(f"running{_names(running.values())}; {len(waiting)} to come; {left}")
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                error = future.exception()
                ended += 1
                yield running.pop(future), one_line(error) if error else future.result()


def _time_left(job: TrainOptions, ended: int, open_: int, jobs: int, passed: float) -> str:
    """In words, when the campaign ends: by the budget, else by what the first networks took."""
    each = job.budget if job.schedule == "budget" else passed / ended if ended else None
    return f"at least {each * -(-open_ // jobs) / 60:.0f} min left" if each else "time left not known yet"


def train_for(job: TrainOptions, plugins: Iterable[str], deadline: float | None) -> str | None:
    """Train one network until it is done or the deadline, of `time.monotonic`, is reached; returns what went wrong."""
    left = None if deadline is None else deadline - time.monotonic()
    if left is not None and left <= 0:
        return None
    for plugin in plugins:
        load_plugin(plugin)
    try:
        train(replace(job, time_limit=left))
    except FAILURES as error:  # whatever it is, the other networks go on
        return one_line(error)
    return None


def trained(job: TrainOptions, dataset: IRSTDDataset) -> Path | None:
    """The weights in the folder of checkpoints that a job would make, or None."""
    name, _ = method_config(job.method)
    wanted = dict(method=name, dataset=dataset.name, split=dataset.split, schedule=job.schedule, seed=job.seed or 0)
    for path in Path(job.checkpoints).glob(f"{name}_*.safetensors"):
        header = read_header(path)
        budget = (header.get("plan") or {}).get("budget_seconds")
        if all(header.get(key) == value for key, value in wanted.items()) and budget in (None, job.budget):
            return path
    return None


def _names(names: Iterable[str]) -> str:
    names = list(names)
    return f": {', '.join(names)}" if names else ""
