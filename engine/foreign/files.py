"""Which file of a folder is the prediction of which image."""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from irsam_zoo.datasets import IRSTDDataset
from irsam_zoo.datasets.layouts import EXTENSIONS, index_files
from irsam_zoo.datasets.remarks import counted
from irsam_zoo.zoo import UsageError

ARRAYS = (".npy", ".mat")
FORMS = (*ARRAYS, *EXTENSIONS)  # arrays first: they hold scores in full
# What DNANet's code and others write behind an id, beside files of the image and of the true mask.
PREDICTED = ("pred", "prediction")


@dataclass(frozen=True)
class Found:
    """The predictions in a folder.

    Attributes:
        files: The files of each image that has one, of which the first is read, in the order of the test list.
        missing: Ids of the images that have none.
        extra: Names of the files that are of no test image.
    """

    files: dict[str, list[Path]]
    missing: list[str]
    extra: list[str]


def find_predictions(folder: Path, dataset: IRSTDDataset) -> Found:
    """The predictions of a test set in a folder.

    Arguments:
        folder (Path): Its files are called by the ids or, all alike, by an id and what stands before or behind it, such as
            ``pred_`` or ``_Pred``.
        dataset (IRSTDDataset): The test set.

    Returns:
        Found: With at least one file.

    Raises:
        UsageError: None is of a test image, or an image has several files that cannot be told apart.
    """
    files = index_files(folder, extensions=FORMS)
    before, behind = _surrounding(folder, files, dataset.ids)
    named = {image_id: f"{before}{image_id}{behind}" for image_id in dataset.ids}
    paths = {image_id: files[name] for image_id, name in named.items() if name in files}
    missing = [image_id for image_id in dataset.ids if image_id not in paths]
    if not paths:
        lacks = counted(f"of the {len(dataset)} test images of {dataset.name}, split {dataset.split}", missing)
        there = f"; it holds {next(iter(files.values()))[0].name} where {dataset.ids[0]} is looked for" if files else ""
        remedy = "predict them, call them by their images, or name the split that was used"
        raise UsageError(f"{folder} lacks {lacks} ({'/'.join(FORMS)}){there}; {remedy}")
    used = {path for of_image in paths.values() for path in of_image}
    extra = [str(path.relative_to(folder)) for of_name in files.values() for path in of_name if path not in used]
    return Found(paths, missing, extra)


def has_predictions(folder: Path, ids: Sequence[str]) -> bool:
    """Whether a folder holds a file that is called by one of the ids, or by one and what stands before and behind it."""
    return bool(_surroundings(index_files(folder, extensions=FORMS), ids))


def _surroundings(names: Iterable[str], ids: Sequence[str]) -> Counter[tuple[str, str]]:
    """How many names are an id, what stands before it and what behind: by these two, most of which are empty.

    What stands before an id is looked for where no name begins with one.
    """
    known = set(ids)
    found = Counter(around for name in names for around in _around(name, known, [0]))
    if not found:
        found.update(around for name in names for around in _around(name, known, _cuts(name, re.Match.end)))
    return found


def _around(name: str, known: set[str], starts: Iterable[int]) -> list[tuple[str, str]]:
    """What stands before and behind an id in a name, for each id that it may be of."""
    ends = [len(name), *_cuts(name, re.Match.start)]
    return [(name[:start], name[end:]) for start in starts for end in ends if start < end and name[start:end] in known]


def _cuts(name: str, side: Callable[[re.Match[str]], int]) -> list[int]:
    return [side(match) for match in re.finditer(r"[-_. (]", name)]


def _surrounding(folder: Path, names: Iterable[str], ids: Sequence[str]) -> tuple[str, str]:
    """What stands before and behind the id in the names of the predictions.

    It is the pair whose ending says that they are predictions, on half of the images, or the commonest one.
    """
    found = _surroundings(names, ids)
    most = max(found.values(), default=0)
    predicted = [pair for pair in found if pair[1].strip("-_. ").lower() in PREDICTED and 2 * found[pair] >= len(ids)]
    likely = predicted or [pair for pair, count in found.items() if count == most]
    for choice in ([pair for pair in likely if not any(pair)], likely):
        if len(choice) == 1:
            return choice[0]
    if likely:
        several = ", ".join(f"{before}<id>{behind}" if before else behind for before, behind in likely)
        raise UsageError(f"{folder} has several files an image, with the endings {several}; keep the predictions alone")
    return "", ""
