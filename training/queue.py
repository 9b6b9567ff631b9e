"""A queue of trainings that goes on in short stretches: what is done, what was begun, and what comes next."""

import math
import shlex
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from irsam_zoo.datasets import IRSTDDataset, build_dataset
from irsam_zoo.results.files import write_atomic
from irsam_zoo.results.store import check_name
from irsam_zoo.training.campaign import train_for, trained
from irsam_zoo.training.train import TrainOptions
from irsam_zoo.training.work_folder import last_state
from irsam_zoo.zoo import build_method
from irsam_zoo.zoo.errors import FAILURES, UsageError, one_line
from irsam_zoo.zoo.neural import NeuralDetector
from irsam_zoo.zoo.specs import detector_class, method_config
from irsam_zoo.zoo.terminal import say
from irsam_zoo.zoo.weights.known_weights import entry_named

FORM = "a line is: network data-set seconds [seed]"
WORK = Path("work_dirs", "queue")  # folders of begun trainings
FAILED = "failed.txt"  # in such a folder: what ended the last attempt
DEVICES = ("cpu", "cuda")
# What a state takes to carry: weights and their average in float32, two moments in bfloat16.
STATE_BYTES = 12
# Of the seconds of an entry, what it takes whole: loading, the probe, saves, and steps that are slower than the fastest probed.
WHOLE = 1.1


@dataclass(frozen=True)
class Entry:
    """One training of a queue: a network on a data set by schedule ``budget``, with that many seconds of the device."""

    network: str
    dataset: str
    seconds: float
    seed: int = 0

    def __str__(self) -> str:
        return shlex.join([self.network, self.dataset, f"{self.seconds:g}", str(self.seed)])


def read_queue(path: str | Path) -> list[Entry]:
    """The `Entry`s of a queue file, most valuable first: a line each of network, data set, seconds and maybe a seed.

    ``#`` begins a comment; names with spaces stand in quotes. An entry that is there twice counts once.

    Raises:
        UsageError: The file cannot be read or holds none, or a line is no entry; the text names file and line.
    """
    try:
        lines = Path(path).read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"queue {path} cannot be read as text ({getattr(error, 'strerror', None) or error})") from None
    entries = []
    for number, line in enumerate(lines, start=1):
        try:
            words = shlex.split(line, comments=True)
            if words:
                entries.append(_entry(*words))
        except (TypeError, ValueError, UsageError) as error:
            reason = str(error) if isinstance(error, UsageError) else FORM
            raise UsageError(f"{path}, line {number}: {line.strip()!r}: {reason}") from None
    if not entries:
        raise UsageError(f"queue {path} has no entry; {FORM}")
    return list(dict.fromkeys(entries))


def _entry(network: str, dataset: str, seconds: str, seed: str = "0") -> Entry:
    budget, number = float(seconds), int(seed)
    if not (math.isfinite(budget) and budget > 0) or number < 0:
        raise ValueError
    name, options = method_config(network)
    if entry_named(name) or not issubclass(detector_class(options["type"]), NeuralDetector):
        raise UsageError(f"{name} has no network to train")
    check_name("method", name)
    return Entry(network, dataset, budget, number)


def entry_job(entry: Entry, options: TrainOptions, dataset: IRSTDDataset) -> TrainOptions:
    """The `TrainOptions` of an entry, whose work folder says which run it holds, below ``options.out``.

    The kind of device is part of the name: seconds and batches of a GPU are not those of a processor.
    """
    network, _ = method_config(entry.network)
    run = f"{network}_{dataset.name}_{dataset.split}_{entry.seconds:g}s_seed{entry.seed}_{options.device}"
    own = dict(method=entry.network, dataset=entry.dataset, schedule="budget", budget=entry.seconds, seed=entry.seed)
    return replace(options, **own, out=str(Path(options.out or WORK, run)))


def job_folder(job: TrainOptions) -> Path:
    """The work folder that `entry_job` gave a job."""
    assert job.out is not None
    return Path(job.out)


def run_queue(
    entries: Sequence[Entry],
    options: TrainOptions,
    *,
    plugins: Iterable[str] = (),
    report: Callable[[str], None] = say,
    largest_state: int | None = None,
    after: Callable[[TrainOptions, Path | None], None] = lambda job, weights: None,
) -> dict[Entry, str]:
    """Train the entries of a queue one after the other until all are done or the time is over.

    Those that have their weights are passed over. Begun ones come first, then the others in their order, last those whose
    last attempt failed.

    Arguments:
        entries: `Entry`s.
        options (TrainOptions): What is the same for all. ``time_limit`` is of the whole stretch, ``out`` the folder of work
            folders (default: `WORK`).
        plugins: Plug-in files.
        report: Called with a line of text.
        largest_state: Bytes that a state may have to be carried to the next stretch, None where the work folders stay. An
            entry whose state is larger is begun only if the stretch is long enough to end it.
        after: Called with the job and the path of its weights, None while it has none, as soon as an entry was run or
            interrupted.

    Returns:
        dict[Entry, str]: What went wrong.
    """
    deadline = None if options.time_limit is None else time.monotonic() + options.time_limit
    todo, failures = waiting(entries, options)
    told = "".join(f"; {entry}: {error}" for entry, error in failures.items())
    report(f"{len(entries) - len(todo) - len(failures)} of {len(entries)} entries are done, {len(todo)} to train{told}")
    for entry, (job, dataset) in todo.items():
        left = math.inf if deadline is None else deadline - time.monotonic()
        if left <= 0:
            break
        reason = _left_out(entry, job, left, largest_state)
        if reason:
            report(f"{entry}: left, {reason}")
            continue
        report(f"{entry}: {'goes on' if last_state(job_folder(job)) else 'begins'}")
        try:
            error = train_for(job, plugins, deadline)
        except BaseException:  # an interrupt: what was saved last is not lost
            after(job, None)
            raise
        weights = trained(job, dataset)
        if error is not None:
            failures[entry] = error
            report(f"{entry}: failed: {error}")
            write_atomic(job_folder(job) / FAILED, error + "\n")
        elif weights is not None:
            (job_folder(job) / FAILED).unlink(missing_ok=True)
            report(f"{entry}: done, {weights}")
        after(job, weights)
    return failures


def waiting(
    entries: Iterable[Entry], options: TrainOptions
) -> tuple[dict[Entry, tuple[TrainOptions, IRSTDDataset]], dict[Entry, str]]:
    """The entries that have no weights yet, in the order in which they are to be trained.

    Returns:
        tuple[dict, dict]: `Entry` -> ``(job, data set)``, and `Entry` -> what is wrong with one whose data set is not there.
    """
    opened = cache(lambda name: build_dataset(name, root=options.data_root, split=options.split, subset="train"))
    todo, failures = {}, {}
    for entry in entries:
        try:
            dataset = opened(entry.dataset)
        except FAILURES as error:
            failures[entry] = one_line(error)
            continue
        job = entry_job(entry, options, dataset)
        if trained(job, dataset) is None:
            todo[entry] = job, dataset
    folder = lambda entry: job_folder(todo[entry][0])  # noqa: E731
    order = sorted(todo, key=lambda entry: ((folder(entry) / FAILED).is_file(), last_state(folder(entry)) is None))
    return {entry: todo[entry] for entry in order}, failures


def _left_out(entry: Entry, job: TrainOptions, left: float, largest_state: int | None) -> str | None:
    """Why an entry is not run in this stretch, or None."""
    folder = job_folder(job)
    if last_state(folder):
        return None
    for device in DEVICES:
        if device != job.device and last_state(f"{str(folder).removesuffix(job.device)}{device}"):
            return f"it was begun on a device of kind {device}, and goes on there"
    if largest_state is None or left >= WHOLE * entry.seconds:
        return None
    network = build_method(entry.network).network
    size = STATE_BYTES * sum(values.numel() for values in network.parameters()) if network is not None else 0
    if size <= largest_state:
        return None
    return f"its state of about {size >> 20} MiB does not travel, and {left:.0f} s are not enough to end it"
