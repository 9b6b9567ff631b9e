"""Which file of weights a method takes for a data set."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from irsam_zoo.zoo.errors import UsageError, ZooError
from irsam_zoo.zoo.schedules import SCHEDULES
from irsam_zoo.zoo.weights.folders import USUAL, places, weight_folders
from irsam_zoo.zoo.weights.header import read_header
from irsam_zoo.zoo.weights.known_weights import OWN_SUFFIX, entry_named, find_known

JOINED = "sirst3"  # the data set whose weights have seen most kinds of images


def check_named_digest(path: Path, sha256: str) -> None:
    """ZooError where a file of our trainer is not the one that its name tells by digits of its SHA-256."""
    named = re.search(rf"_(?:{'|'.join(SCHEDULES)})-([0-9a-f]{{8}})\.safetensors$", path.name)
    if named and not sha256.startswith(named[1]):
        raise ZooError(f"{path} has SHA-256 {sha256[:8]}..., not the {named[1]}... of its name: it was changed; copy it again")


def find_checkpoint(
    directory: str | Path, method: str, dataset: str, *, split: str | None = None, schedule: str = SCHEDULES[-1]
) -> Path | None:
    """The best checkpoint of a method for a data set in the first of the `weight_folders` that has one, or None.

    A file ``<method>_<dataset>.safetensors``, put there by hand, comes first; then those of our trainer on this very data set,
    ``<method>_<dataset>_<schedule>-<8 hex digits>.safetensors``; then those on a joined set that holds it; and for a data set
    without a split of its own, such as `synthetic` or a user's folder, those on any joined set. Among equals, schedule paper
    comes before budget, short and smoke, and of one schedule the newest. The name of published weights stands for their file,
    whatever that is called.

    Arguments:
        directory: The folder.
        method, dataset: Names.
        split: Leave out files of our trainer that were trained on another split of the data set; None takes all.
        schedule: The least schedule that will do.
    """
    found = (_find_in(folder, method, dataset, split, schedule) for folder in weight_folders(directory))
    return next(filter(None, found), None)


def find_for_any_image(directory, method):
    """As `find_checkpoint`, for images of no known data set: a checkpoint that has seen several."""
    found = (_find_in(folder, method, dataset) for folder in weight_folders(directory) for dataset in (JOINED, ""))
    return next(filter(None, found), None)


def _find_in(directory, method, dataset, split=None, schedule=SCHEDULES[-1]):
    """The best checkpoint of one folder, or None."""
    if entry_named(method):
        return find_known(directory).get(method)
    chosen = directory / f"{method}_{dataset}.safetensors"
    if chosen.is_file():
        return chosen
    enough = SCHEDULES[: SCHEDULES.index(schedule) + 1]
    name = re.compile(rf"{re.escape(method)}_(.+)_({'|'.join(enough)})-[0-9a-f]{{8}}\.safetensors")
    ranked = []
    for path in directory.glob("*.safetensors"):
        match = name.fullmatch(path.name) if path.exists() else None  # and not a link to nothing
        header = read_header(path) if match else {}
        if header.get("method", method) != method:  # one whose name goes on where this one ends, as rpcanet and rpcanet_pp
            continue
        nearness = match and _nearness(match[1], header, dataset, split)
        if match and nearness:
            ranked.append((nearness, -SCHEDULES.index(match[2]), path.stat().st_mtime_ns, path.name, path))
    return max(ranked)[-1] if ranked else None


def find_weights(method: str, weights: str | Path = "auto") -> Path | None:
    """The file of weights that a word stands for, in ``checkpoints`` of the current folder or else beside the package.

    Arguments:
        method: Its name.
        weights: ``"auto"`` for those that fit any image, a data set's name for those that a run on it takes, the name of
            published weights, or a path.

    Returns:
        Path | None: None where ``"auto"`` finds none.

    Raises:
        UsageError: There is no such file, or nothing of this name in the folders.
    """
    if isinstance(weights, Path) or weights.endswith(OWN_SUFFIX) or Path(weights).is_file():
        if not Path(weights).is_file():
            raise UsageError(f"no file of weights {weights}")
        return Path(weights)
    if weights == "auto":
        return find_for_any_image(USUAL, method)
    known = entry_named(weights)
    for folder in weight_folders(USUAL):
        found = find_known(folder).get(weights) if known else _of_data_set(folder, method, weights)
        if found is not None:
            return found
    remedy = f"get it from {known.url}" if known else "name a file, or None for random weights"
    raise UsageError(f"no weights {weights!r} for {method} in {places(USUAL)}; {remedy}")


def _of_data_set(directory: str | Path, method: str, dataset: str) -> Path | None:
    """As `_find_in`, of weights that have seen the data set: a name that is not known must not stand for a union."""
    found = _find_in(directory, method, dataset)
    named = (f"{method}_{dataset}.", f"{method}_{dataset}_")
    return found if found and (found.name.startswith(named) or dataset in read_header(found).get("seen", ())) else None


def _nearness(trained_on: str, header: Mapping[str, Any], dataset: str, split: str | None) -> int:
    """How near weights are to a data set: 3 trained on it, 2 on a union with it, 1 on one without it, 0 on others."""
    if trained_on != dataset and len(header.get("seen", ())) < 2:
        return 0
    held = trained_on == dataset or dataset in header["seen"]
    if held and split is not None and header.get("split") not in (split, None):
        return 0
    return 3 if trained_on == dataset else 2 if held else 1
