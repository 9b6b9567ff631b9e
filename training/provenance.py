"""What a trained checkpoint says of its making, and whether that forbids to test it on a data set."""

import hashlib
from collections.abc import Iterable
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import torch

from irsam_zoo.datasets import IRSTDDataset, build_dataset, found_datasets, list_splits, read_split
from irsam_zoo.datasets.fingerprint import published_digests
from irsam_zoo.datasets.leaks import images_of, merged, seen_images
from irsam_zoo.runtime.commit import code_commit
from irsam_zoo.zoo.errors import UsageError
from irsam_zoo.zoo.weights.loaded import Weights

if TYPE_CHECKING:
    from irsam_zoo.training.recipe import Recipe


def checkpoint_metadata(
    *,
    method: str,
    options: dict[str, Any],
    dataset: IRSTDDataset,
    recipe: "Recipe",
    iterations: int,
    world_size: int,
    code_version: str,
    plan: dict[str, Any] | None = None,
    half: bool = False,
    start: Weights | None = None,
) -> dict[str, Any]:
    """What is stored with the weights: nothing of the clock or the machine, so that equal runs give equal files.

    Arguments:
        method: Name of the method.
        options: Its ``dict(type=..., ...)``.
        dataset (IRSTDDataset): The whole training subset, images held out for validation included.
        recipe (Recipe): As it was run.
        iterations: Of the run.
        world_size: Processes of the run.
        code_version: `results.code_version.code_version` of the detector's module.
        plan: That of `training.budget.plan_steps`, or None.
        half: Whether the weights are stored as float16.
        start (zoo.neural.Weights | None): What the run began with; the training images of all stages before count as seen.

    Returns:
        dict: JSON-able. ``seen`` has the training images: by data set, the id and the first digits of the digest of the pixels.
    """
    before = start.metadata if start is not None else {}
    return {
        "method": method,
        "options": options,
        "evaluation": recipe.evaluation,
        "dataset": dataset.name,
        "split": dataset.split,
        "seen": merged(seen_images(before), images_of(dataset)),
        "train_ids_sha256": digest(sorted(dataset.ids)),
        "train_fingerprint": digest([*sorted(dataset.ids), dataset.fingerprint()]),
        "data_notes": dataset.notes,
        "schedule": recipe.schedule_name,
        "recipe": {key: value for key, value in asdict(recipe).items() if key != "loss" or value},  # older headers have none
        "plan": plan,
        "seed": recipe.seed,
        "iterations": iterations,
        "world_size": world_size,
        "start": start and {"sha256": start.sha256, "iterations": before.get("iterations"), "recipe": before.get("recipe")},
        "half": half,
        "code": code_commit(),
        "code_version": code_version,
        "torch": torch.__version__,
    }


def trained_on(lists: Iterable[str], root: str | None = None) -> dict[str, Any]:
    """What stands in a header for weights that were trained elsewhere, on training lists that are known here.

    Arguments:
        lists: ``"SET/SPLIT"`` each, such as ``"nuaa-sirst/irsam"``: a data set name or folder, and a split of it.
        root: Folder of the data sets, or None for the default places; not read for lists that the package holds.

    Returns:
        dict: Entries of `checkpoint_metadata`; empty without lists.

    Raises:
        UsageError: The data set or the split is unknown, or an item has another form.
        ZooError: The list cannot be read.
    """
    seen, splits = {}, {}
    for item in lists:
        name, _, split = item.rpartition("/")
        if not name or not split:
            raise UsageError(f"{item!r} names no training list; write SET/SPLIT, as in nuaa-sirst/irsam")
        known = [] if "/" in name else list_splits(name.lower())
        if split in known or (known and name.lower() not in found_datasets(root)):
            name = name.lower()
            digests = published_digests(name)
            images: dict[str, str | None] = {id: digests[id][0] for id in read_split(name, split, "train")}
        else:
            dataset = build_dataset(name, root=root, split=split, subset="train")
            name, split, images = dataset.name, dataset.split, images_of(dataset)[dataset.name]
        seen = merged(seen, {name: images})
        splits.setdefault(name, split)
    if not seen:
        return {}
    first = next(iter(seen))
    return {"dataset": first, "split": splits[first], "seen": seen}


def digest(lines: Iterable[str]) -> str:
    """SHA-256 (hex) of lines of text."""
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()
