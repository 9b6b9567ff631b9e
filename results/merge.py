"""Joins the result folders of several machines into one."""

import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from irsam_zoo.results.files import write_json
from irsam_zoo.results.row import Row, Status
from irsam_zoo.results.store import ResultStore
from irsam_zoo.zoo.errors import UsageError, ZooError
from irsam_zoo.zoo.reading import walk

Pair = tuple[ResultStore, Row]

OWN = ("report", "fewer")  # made from the rows of a folder, and made anew; rows that took no place


def merge_folders(folders: Sequence[str | Path], out: str | Path) -> list[str]:
    """Copy the rows of several result folders, and all that is filed with each, into a new one.

    Of a cell that several folders hold, the row with most images is taken, and of equal ones the first.

    Arguments:
        folders: Result folders.
        out: The new one.

    Returns:
        list[str]: One line a cell of which not every row could be taken.

    Raises:
        UsageError: A folder holds no results, or the new one does already.
        ZooError: Rows of one data set and split are of different images, or rows of one cell were made in different ways; the
            text names both.
    """
    target = ResultStore(out)
    if (target.out / "results").exists():
        raise UsageError(f"{out} holds results already; name a new folder for --merge")
    found: dict[tuple[str, str], dict[str, list[Pair]]] = {}
    for folder in folders:
        store = ResultStore(folder)
        rows = store.rows()
        if not rows:
            raise UsageError(f"no results in {folder}")
        for row in rows:
            found.setdefault((row.dataset, row.split), {}).setdefault(row.method, []).append((store, row))
    notes: list[str] = []
    chosen: list[Pair] = []
    for cells in found.values():
        _check_images([pair for pairs in cells.values() for pair in pairs])
        for pairs in cells.values():
            best, left = _best(pairs)
            chosen.append(best)
            notes += [f"{_name(best)} is taken, {_name(other)} is not" for other in left]
    with target.locked():
        for store, row in chosen:
            _copy(store, row, target)
        write_json(target.manifest_path, [run for folder in folders for run in ResultStore(folder).manifests()])
    return notes


def _name(pair: Pair) -> str:
    store, row = pair
    return f"{store.row_path(row.dataset, row.split, row.method)} ({row.status}, {row.n_images} images)"


def _check_images(pairs: Iterable[Pair]) -> None:
    """Refuse rows of one data set and split that are of other images than the first."""
    scored = [pair for pair in pairs if pair[1].n_images]
    for other in scored[1:]:
        first = scored[0]
        if other[1].n_split != first[1].n_split or not _same_images(first, other):
            raise ZooError(f"{_name(other)} is of other images than {_name(first)}; merge them apart, or run one of them again")


def _same_images(a: Pair, b: Pair) -> bool:
    """Whether two rows are of the same images, or one of the first of the other's."""
    (_, row_a), (_, row_b) = a, b
    if row_a.n_images == row_b.n_images:
        return row_a.fingerprint == row_b.fingerprint
    ids_a, ids_b = ([line["id"] for line in store.counts(row)] for store, row in (a, b))
    return all(x == y for x, y in zip(ids_a, ids_b, strict=False))


def _best(pairs: list[Pair]) -> tuple[Pair, list[Pair]]:
    """The row that is taken of one cell, and those that are not and are not its copies."""
    scored = [pair for pair in pairs if pair[1].n_images] or pairs
    best = max(scored, key=lambda pair: (pair[1].status is Status.OK, pair[1].n_images))
    key = _key(best[1])
    for other in scored:
        known = _key(other[1])  # a row from before one of these was noted does not differ in it
        if differ := [name for name in key.keys() & known.keys() if key[name] != known[name]]:
            raise ZooError(f"{_name(other)} and {_name(best)} differ in {', '.join(sorted(differ))}; leave one of them out")
    return best, [other for other in pairs if other is not best and other[1] != best[1]]


def _key(row: Row) -> dict[str, Any]:
    """All that a row depends on besides its images; of files, their content and not their path."""
    key = row.journal_key
    files = key.get("files", {})
    return key | {"method": {name: value for name, value in key.get("method", {}).items() if name not in files}}


def _copy(store: ResultStore, row: Row, target: ResultStore) -> None:
    """Copy a row and whatever else the folder has under its data set, split and method; of files, those that lie in it."""
    inside = store.out.resolve()
    for kind in sorted(path for path in store.out.iterdir() if path.is_dir() and path.name not in OWN):
        for top in (kind / row.dataset / row.split).glob("*"):
            if (top.name if top.is_dir() else top.stem) == row.method:
                for path in walk(top) if top.is_dir() else [top]:
                    if path.is_file() and path.resolve().is_relative_to(inside):
                        copy = target.out / path.relative_to(store.out)
                        copy.parent.mkdir(parents=True, exist_ok=True)
                        shutil.copy2(path, copy)
