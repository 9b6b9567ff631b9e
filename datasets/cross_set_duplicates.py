"""What the data doctor says of data sets as against each other: near-duplicates over their borders."""

from collections.abc import Iterator, Sequence
from itertools import combinations
from pathlib import Path

from irsam_zoo.datasets.base import IRSTDDataset
from irsam_zoo.datasets.catalogue import build_dataset
from irsam_zoo.datasets.duplicates import Pair, compare, cross_duplicates
from irsam_zoo.zoo.errors import ZooError

SHOWN = 5


def check_between(datasets: Sequence[IRSTDDataset], root: str | Path | None, published: set[str]) -> list[str]:
    """Lines on the near-duplicates between data sets, and on what a joined training list leaves out because of them.

    Arguments:
        datasets (list[FolderDataset]): Opened with ``subset="all"``.
        root: The folder of the data sets, as the user gave it.
        published (set[str]): Names of those whose pixels are the published ones, for which the package's list of pairs holds.

    Returns:
        list[str]
    """
    lines = []
    for one, other in combinations(datasets, 2):
        known = {one.name, other.name} <= published
        pairs = cross_duplicates([one], [other]) if known else compare(one, other)
        if pairs:
            shown = ", ".join(f"{pair.id} and {pair.other_id}" for pair in pairs[:SHOWN]) + ", ..." * (len(pairs) > SHOWN)
            lines.append(f"{len(pairs)} near-duplicates between {one.name} and {other.name}: {shown}")
            lines += _left_out(one, other, pairs, root)
    return lines


def _left_out(one: IRSTDDataset, other: IRSTDDataset, pairs: Sequence[Pair], root: str | Path | None) -> Iterator[str]:
    """Which training images a union of two sets leaves out, for each split that both have."""
    found = {(pair.dataset, pair.id, pair.other_dataset, pair.other_id) for pair in pairs}
    found |= {(*pair[2:], *pair[:2]) for pair in found}
    for split in ("irsam", "dnanet"):
        try:
            lists = {
                dataset.name: {subset: build_dataset(dataset.name, root, split, subset).ids for subset in ("train", "test")}
                for dataset in (one, other)
            }
        except ZooError:
            continue
        for train, test in ((one.name, other.name), (other.name, one.name)):
            tested = set(lists[test]["test"])
            twins = {a for name, a, of, b in found if (name, of) == (train, test) and b in tested}
            lost = [id for id in lists[train]["train"] if id in twins]
            if lost:
                yield f"split {split}: a union leaves {len(lost)} of the training images of {train} out: {', '.join(lost)}"
