"""Which folders of a tree hold predictions, and of which data set: `results/<data set>/<method>/` is BasicIRSTD's layout."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from irsam_zoo.datasets import IRSTDDataset, build_dataset, list_datasets
from irsam_zoo.datasets.catalogue import dataset_class
from irsam_zoo.datasets.layouts import plain_name
from irsam_zoo.engine.foreign.files import has_predictions
from irsam_zoo.zoo import UsageError


class Job(NamedTuple):
    """A folder of predictions, and the test set that they are of."""

    folder: Path
    dataset: IRSTDDataset


def find_jobs(
    folder: Path, *, dataset: str | None = None, root: str | None = None, split: str = "irsam"
) -> tuple[list[Job], list[str]]:
    """The folders of predictions in a folder, itself included.

    Arguments:
        folder (Path): Where to look.
        dataset: The data set, as `datasets.build_dataset` takes it; None to take it from the names of the folders.
        root, split: As `datasets.build_dataset` takes them.

    Returns:
        tuple[list[Job], list[str]]: The jobs, at least one; and a line for each folder of the tree that gives none.

    Raises:
        UsageError: The folder or a data set is not there, it is not known of which data set the predictions are, no file is
            called by a test image, or two folders of one data set have one name.
    """
    if not folder.is_dir():
        raise UsageError(f"no folder {folder}")
    jobs, passed, places, reason = [], [], {}, None
    if dataset is not None:
        opened = build_dataset(dataset, root=root, split=split)
        named = [place for place in _children(folder) if plain_name(place.name) == plain_name(opened.name)]
        places = dict.fromkeys(named or [folder], opened)
    else:
        for place in [folder] if _data_set_of(folder) else _children(folder):
            try:
                places[place] = build_dataset(_data_set_of(place) or place.name, root=root, split=split)
            except UsageError as error:
                passed.append(f"{place}: {error}; left out")
                reason = error if _data_set_of(place) else reason
        if not places:
            untold = f"{folder} tells no data set; say --dataset, or name a folder of <data set>/<method>/ folders"
            raise reason or UsageError(untold)
    for place, opened in places.items():
        found = _holders(place, opened.ids)
        jobs += [Job(holder, opened) for holder in found]
        if not found:
            passed.append(f"{place}: no file is called by a test image of {opened.name}, split {opened.split}; left out")
    if not jobs:  # the reader says what is missing
        jobs, passed = [Job(place, opened) for place, opened in places.items()][:1], []
    _refuse_twice(jobs)
    return jobs, passed


def _children(folder: Path) -> list[Path]:
    return sorted(place for place in folder.iterdir() if place.is_dir() and not place.name.startswith("."))


def _data_set_of(folder: Path) -> str | None:
    """The registered data set that a folder is called by, or None."""
    called = plain_name(folder.resolve().name)
    for name in list_datasets():
        if called in map(plain_name, (name, *getattr(dataset_class(name), "folder_names", ()))):
            return name
    return None


def _holders(folder: Path, ids: Sequence[str]) -> list[Path]:
    """The uppermost folders that hold a file that is called by an id; each folder is looked into once, however many links."""
    found, seen, waiting = [], set(), [folder]
    while waiting:
        place = waiting.pop()
        status = place.stat()
        if (itself := (status.st_dev, status.st_ino)) in seen:
            continue
        seen.add(itself)
        if has_predictions(place, ids):
            found.append(place)
        else:
            waiting += reversed(_children(place))
    return found


def _refuse_twice(jobs: Sequence[Job]) -> None:
    names = Counter((job.dataset.name, job.folder.resolve().name) for job in jobs)
    for (dataset, name), count in names.items():
        if count > 1:
            same = ", ".join(
                str(job.folder) for job in jobs if (job.dataset.name, job.folder.resolve().name) == (dataset, name)
            )
            raise UsageError(f"these folders would all be filed as {name}: {same}; score them one by one, with --name")
