"""The data doctor: reads every file of a data set and tells what is there, what is odd, and what is wrong."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from itertools import permutations
from pathlib import Path

import cv2
import numpy as np

from irsam_zoo.datasets.catalogue import DATASETS, build_dataset, found_datasets, published_datasets
from irsam_zoo.datasets.cross_set_duplicates import check_between
from irsam_zoo.datasets.duplicates import near_duplicates, thumbnail
from irsam_zoo.datasets.fingerprint import combine, published_digests, published_facts
from irsam_zoo.datasets.folder import FolderDataset
from irsam_zoo.datasets.further import FurtherDataset
from irsam_zoo.datasets.layouts import in_another_form
from irsam_zoo.datasets.levels import MASK_LEVEL, READERS
from irsam_zoo.datasets.remarks import EXAMPLES, Look, Remark, counted, image_remarks, published_remarks, size_text
from irsam_zoo.datasets.splits import find_split, list_splits, lists_at_top
from irsam_zoo.zoo.errors import UsageError, ZooError


@dataclass
class Checkup:
    """What was found of one data set; each item is one line of text.

    Attributes:
        name, folder: Which data set, and where.
        facts: Counts and sizes.
        quirks: Oddities that the suite copes with.
        problems: Differences from the published files, and files that cannot be used.
        published: True where every pixel is the published one, so that every quirk is a known one.
    """

    name: str
    folder: str
    facts: list[str] = field(default_factory=list)
    quirks: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    published: bool = False

    @property
    def verdict(self) -> str:
        """``"PROBLEMS"``, ``"OK with known quirks"``, ``"OK with quirks"`` or ``"OK"``."""
        if self.problems or not self.quirks:
            return "PROBLEMS" if self.problems else "OK"
        return "OK with known quirks" if self.published else "OK with quirks"


@dataclass
class Report:
    """The checkups of all data sets that were found, a line for each that was not or was not asked for, and lines on pairs."""

    checkups: list[Checkup]
    absent: list[str]
    between: list[str]

    @property
    def ok(self) -> bool:
        """True where no data set has a problem."""
        return not any(checkup.problems for checkup in self.checkups)


@dataclass
class _Item:
    """What one pair of files says."""

    id: str
    modes: tuple[str, str]
    look: Look
    values: list[int]
    targets: tuple[int, int]
    thumbnail: np.ndarray


def check(root: str | Path | None = None, names: Iterable[str] | None = None) -> Report:
    """Examine data sets file by file.

    Arguments:
        root: Folder of the data sets, or None for the default places.
        names: Data set names, or folders of the user's own; None for all that are found.

    Returns:
        Report

    Raises:
        UsageError: A named data set, or any at all, is not there, or a named one has no files.
    """
    found = list(names) if names else found_datasets(root)
    if not found:
        raise UsageError("no data set found; name the folder that holds them by --data-root or $IRSAM_ZOO_DATA")
    absent = [] if names else [_absence(name, root) for name in published_datasets() if name not in found]
    datasets: list[FolderDataset] = []
    for name in found:
        dataset = build_dataset(name, root=root, subset="all")
        if not isinstance(dataset, FolderDataset):
            raise UsageError(f"{dataset.name} has no files to check: the program makes its images; name other data sets")
        datasets.append(dataset)
    checkups = [_check_one(dataset) for dataset in datasets]
    published = {checkup.name for checkup in checkups if checkup.published}
    return Report(checkups, absent, check_between(datasets, root, published))


def format_report(report: Report) -> str:
    """The report as text for a terminal, ending with the verdict."""
    lines = []
    for checkup in report.checkups:
        lines += [f"{checkup.name} in {checkup.folder}"]
        lines += [f"  {text}" for text in checkup.facts]
        lines += [f"  quirk: {text}" for text in checkup.quirks]
        lines += [f"  PROBLEM: {text}" for text in checkup.problems]
        lines += [f"  verdict: {checkup.verdict}", ""]
    if report.between:
        lines += ["between data sets", *(f"  quirk: {text}" for text in report.between), ""]
    return "\n".join([*lines, *report.absent, f"verdict: {'OK' if report.ok else 'PROBLEMS'}"])


def _absence(name: str, root: str | Path | None) -> str:
    """Why a data set is not checked."""
    location = DATASETS.module_dict[name].locate(root)
    return f"{name}: in {location.folder}; to check it, name it by --datasets" if location else f"{name}: not found"


def _check_one(dataset: FolderDataset) -> Checkup:
    """The `Checkup` of one data set, opened with ``subset="all"``."""
    checkup = Checkup(dataset.name, str(dataset.location.folder))
    images, masks = set(dataset.ids), set(dataset.mask_ids)
    for what, ids, place in (
        ("images without a mask", sorted(images - masks), dataset.location.masks),
        ("masks without an image", sorted(masks - images), dataset.location.images),
    ):
        _say(checkup.problems, what, ids)
        if ids and (other := in_another_form(place, ids[0], documents=place == dataset.location.masks)):
            checkup.problems.append(f"{place} has {other}")
    with ThreadPoolExecutor(READERS) as pool:
        results = list(pool.map(lambda image_id: _examine(dataset, image_id), [i for i in dataset.ids if i in masks]))
    checkup.problems += [result for result in results if isinstance(result, str)]
    items = [result for result in results if isinstance(result, _Item)]
    checkup.facts.append(f"{len(images)} images, {len(masks)} masks")
    _remarks(checkup, dataset.set_remarks())
    if items:
        _pixels(checkup, dataset, items)
    _lists(checkup, dataset, {item.id: item.thumbnail for item in items})
    return checkup


def _examine(dataset: FolderDataset, image_id: str) -> _Item | str:
    """The `_Item` of an id, or the text of what is wrong with it."""
    try:
        image, mask, label, look = dataset.examine(image_id)
    except ZooError as error:
        return str(error)
    return _Item(
        id=image_id,
        modes=(image.mode, mask.mode),
        look=look,
        values=np.flatnonzero(np.bincount(label.ravel(), minlength=256)).tolist(),
        targets=(_count_targets(label > 0), _count_targets(label > MASK_LEVEL)),
        thumbnail=thumbnail(image.pixels),
    )


def _count_targets(mask: np.ndarray) -> int:
    return cv2.connectedComponents(mask.astype(np.uint8), connectivity=8)[0] - 1


def _pixels(checkup: Checkup, dataset: FolderDataset, items: Sequence[_Item]) -> None:
    """Sizes, modes, fingerprint, targets and masks."""
    sizes = Counter(item.look.size for item in items)
    least, most = min(sizes, key=np.prod), max(sizes, key=np.prod)
    several = f"{len(sizes)} different sizes, {size_text(least)} to {size_text(most)}"
    checkup.facts.append(several if len(sizes) > 1 else f"all {size_text(least)}")
    for what, modes in zip(("images", "masks"), zip(*(item.modes for item in items), strict=True), strict=True):
        checkup.facts.append(f"modes of {what}: {', '.join(f'{mode} {count}' for mode, count in Counter(modes).most_common())}")
    above_0, above_127 = (sum(item.targets[k] for item in items) for k in (0, 1))
    checkup.facts.append(f"{above_0} targets (8-connected, mask > 0), {above_127} with mask > {MASK_LEVEL}")

    fingerprint = combine((item.id, *item.look.digests) for item in items)
    expected = published_facts(dataset.name).get("fingerprint") if dataset.published else None
    checkup.published = fingerprint == expected
    checkup.facts.append(f"fingerprint {fingerprint}{' as published' if checkup.published else ''}")
    if expected and not checkup.published:
        _compare(checkup, dataset, items)

    grey = [item for item in items if set(item.values) - {0, 255}]
    if grey:
        example = (
            f"{grey[0].id}: {', '.join(map(str, grey[0].values[:EXAMPLES]))}{', ...' if len(grey[0].values) > EXAMPLES else ''}"
        )
        checkup.quirks.append(
            f"{len(grey)} masks hold values besides 0 and 255 ({example}); a pixel above {MASK_LEVEL} is target"
        )
    _say(checkup.quirks, "images without a target", [item.id for item in items if not item.targets[0]])
    _remarks(checkup, image_remarks({item.id: item.look for item in items}))


def _compare(checkup: Checkup, dataset: FolderDataset, items: Sequence[_Item]) -> None:
    """Which files differ from the published ones."""
    published, present = published_digests(dataset.name), {item.id: item.look for item in items}
    _remarks(checkup, published_remarks(dataset.name, present))
    _say(checkup.problems, "images that the published set does not have", [i for i in present if i not in published])
    _say(checkup.problems, "published images that are not here or cannot be read", [i for i in published if i not in present])


def _lists(checkup: Checkup, dataset: FolderDataset, thumbnails: Mapping[str, np.ndarray]) -> None:
    """Split lists against the files, against each other, and near-duplicates over their borders."""
    on_disk = set(dataset.ids)
    lists = {}
    for split, ids_of in _readers(dataset).items():
        lists[split] = train, test = [_read_list(checkup, ids_of, subset) for subset in ("train", "test")]
        listed = {*train, *test}
        checkup.facts.append(f"{split}: {len(train)} train, {len(test)} test images")
        _say(checkup.problems, f"ids of {split} without an image", [i for i in (*train, *test) if i not in on_disk])
        _say(checkup.problems, f"ids of {split} in both lists", sorted({*train} & {*test}))
        if train and test:
            _say(checkup.quirks, f"images in neither list of {split}", [i for i in dataset.ids if i not in listed])
        train, test = ([i for i in ids if i in thumbnails] for ids in (train, test))
        pairs = near_duplicates(*(np.array([thumbnails[i] for i in ids]) for ids in (test, train)))
        shown = [f"{test[a]} and {train[b]} ({correlation:.3f})" for a, b, correlation in pairs]
        _say(checkup.quirks, f"test images of {split} with a near-duplicate in training", shown)
    name, folder = dataset.name, dataset.location.folder
    if lists_at_top(name, folder, own=True) and not lists_at_top(name, folder, dataset.own):
        text = "train.txt and test.txt in the folder itself are not used, the package's lists are"
        checkup.quirks.append(f"{text}; to use them, give the folder's path in place of {name}")
    for (split, (_, test)), (other, (train, _)) in permutations(lists.items(), 2):
        if both := {*test} & {*train}:
            text = f"{len(both)} of the {len(test)} test images of {split} are training images of {other}"
            checkup.quirks.append(f"{text}: weights trained on one must not be scored on the other")


def _readers(dataset: FolderDataset) -> dict[str, Callable[[str], list[str]]]:
    """For each split that there is, by what the report calls it, a function from a subset to its ids."""
    name, folder, own = dataset.name, dataset.location.folder, dataset.own
    found = {f"split {split}": find_split(name, split, folder, own) for split in list_splits(name, folder)}
    places = {split: place for split, place in found.items() if place != folder}
    if lists_at_top(name, folder, own) and not dataset.offered:
        places["the folder's own lists"] = folder
    readers = {split: partial(dataset.ids_in, place) for split, place in places.items()}
    if isinstance(dataset, FurtherDataset):
        readers |= {f"split {split}": partial(dataset.offered_ids, split) for split in dataset.offered}
    return readers


def _read_list(checkup: Checkup, ids_of: Callable[[str], list[str]], subset: str) -> list[str]:
    """The ids of a list; none, and a problem, where it cannot be read."""
    try:
        return ids_of(subset)
    except ZooError as error:
        checkup.problems.append(str(error))
        return []


def _remarks(checkup: Checkup, remarks: Iterable[Remark]) -> None:
    for remark in remarks:
        (checkup.problems if remark.problem else checkup.quirks).append(remark.text)


def _say(lines: list[str], what: str, ids: Sequence[str]) -> None:
    """Add a line with a count and a few examples, if there are any."""
    if ids:
        lines.append(counted(what, ids))
