"""Score folders of predictions and store their rows."""

import time
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import NamedTuple

from irsam_zoo.engine.foreign.score import Fault, score_folder
from irsam_zoo.engine.foreign.tree import Job, find_jobs
from irsam_zoo.engine.manifest import manifest
from irsam_zoo.results.options import ScoreOptions
from irsam_zoo.results.paired import Difference, paired_differences
from irsam_zoo.results.row import OUTSIDE, Row
from irsam_zoo.results.store import ResultStore, check_name
from irsam_zoo.runtime.progress import Progress
from irsam_zoo.zoo import UsageError, list_configs, list_methods


class Outcome(NamedTuple):
    """A stored `Row`, the `Fault`s of its files, and how it differs from the other rows of its images."""

    row: Row
    faults: list[Fault]
    differences: list[Difference]


def score_predictions(options: ScoreOptions, tell: Callable[[str], None]) -> Iterator[Outcome]:
    """Score what other programs predicted and store a row for each folder.

    Arguments:
        options (ScoreOptions): What to score.
        tell: Called with each line about a folder that is left out.

    Yields:
        Outcome: Of each folder, once its row is stored.

    Raises:
        UsageError: As for `find_jobs` and `score_folder`, or the name of a row is taken.
    """
    start = time.monotonic()
    jobs, passed = find_jobs(Path(options.folder), dataset=options.dataset, root=options.data_root, split=options.split)
    for line in passed:
        if options.strict:
            raise UsageError(f"--strict: {line.removesuffix('; left out')}")
        tell(line)
    if options.name is not None and len(jobs) > 1:
        raise UsageError(f"--name names one row, and {options.folder} holds {len(jobs)}: leave it out, or name one folder")
    store = ResultStore(options.out)
    with store.locked(), Progress(str) as progress:
        data, faults = {}, {}
        names = [_names(job, options.name, store) for job in jobs]
        try:
            for job, (name, title) in zip(jobs, names, strict=True):
                masks = store.out / "predictions" / job.dataset.name / job.dataset.split / name
                with progress.cell(name, job.dataset.title, len(job.dataset)) as on_image:
                    scored = score_folder(
                        job.folder,
                        job.dataset,
                        name=name,
                        title=title,
                        kind=options.scores,
                        threshold=options.threshold,
                        strict=options.strict,
                        masks=masks if options.save_predictions else None,
                        on_image=on_image,
                    )
                row = store.write_row(scored.row, scored.records)
                with store.journal(row.dataset, row.split, name).writer(row.journal_key, scored.records, anew=True):
                    pass
                data[f"{row.dataset}/{row.split}"] = row.fingerprint
                faults[f"{row.dataset}/{row.split}/{name}"] = [list(fault) for fault in scored.faults]
                yield Outcome(row, scored.faults, paired_differences(row, scored.records, store))
        finally:
            if data:
                about = manifest(asdict(options), data, time.monotonic() - start) | {"faults": faults}
                aside = store.add_manifest(about)
                if aside is not None:
                    tell(f"{store.manifest_path} was no list of runs; what it was is {aside} now")


def _names(job: Job, name: str | None, store: ResultStore) -> tuple[str, str]:
    """The name and the title of a row, which are not those of a method here: such a row is a run's."""
    ours = {known.casefold() for known in (*list_methods(), *list_configs())}
    title = name or job.folder.resolve().name
    if title.casefold() in ours:
        if name is not None:
            raise UsageError(f"--name {name}: a method here is called so; give the predictions another name")
        title, name = f"{title} (predictions)", f"{title}_predictions"
    name = name or title
    check_name("method", name)
    old = store.row(job.dataset.name, job.dataset.split, name)
    if old is not None and old.fidelity != OUTSIDE:
        raise UsageError(f"{store.out} holds a run of {name} on {job.dataset.name}; give the predictions another --name")
    return name, title
