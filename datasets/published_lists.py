"""Lists that publishers put beside the images of a data set, in the forms that this field has."""

import re
from collections.abc import Iterable
from pathlib import Path

from irsam_zoo.datasets.layouts import plain_name

PUBLISHED = "published"
# Folders of lists whose names say nothing of the split.
PLAIN_FOLDERS = ("splits", "imgidx")
LIST_NAME = re.compile(r"(trainval|train|test)(?:[-_ ](.*))?\.txt", re.IGNORECASE)


def find_lists(folder: Path, names: Iterable[str]) -> dict[str, dict[str, Path]]:
    """The pairs of lists in a data set's folder and in the folders in it.

    Arguments:
        folder (Path): Of the data set.
        names: Those that the data set's folder may have, which say nothing of the split either.

    Returns:
        dict[str, dict[str, Path]]: The files ``train`` and ``test`` of each split by its name: ``full`` of
        ``splits/trainval_full.txt`` and ``test_full.txt``, ``50_50`` of ``50_50/train.txt`` and ``test.txt``, ``published`` of
        ``img_idx/train_IRDST-real.txt`` and ``test_IRDST-real.txt``. A ``trainval`` comes before a ``train``.
    """
    unsaying = {plain_name(name) for name in names}
    found = {}
    for place in [folder, *sorted(path for path in Path(folder).iterdir() if path.is_dir())]:
        for tail, lists in _pairs(place).items():
            said = "" if plain_name(tail) in unsaying else tail
            if place != folder and plain_name(place.name) not in PLAIN_FOLDERS:
                said = said or place.name
            found.setdefault(said or PUBLISHED, lists)
    return found


def _pairs(place: Path) -> dict[str, dict[str, Path]]:
    """The complete pairs in one folder, by what follows ``train`` and ``test`` in their names."""
    by_tail = {}
    for path in sorted(place.glob("*.txt")):
        if match := LIST_NAME.fullmatch(path.name):
            kind, tail = match[1].lower(), match[2] or ""
            lists, subset = by_tail.setdefault(tail, {}), "test" if kind == "test" else "train"
            if kind == "trainval" or subset not in lists:
                lists[subset] = path
    return {tail: lists for tail, lists in by_tail.items() if len(lists) == 2}
