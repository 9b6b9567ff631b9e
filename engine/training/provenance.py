"""What a trained checkpoint says of its making, and whether that forbids to test it on a data set."""

import hashlib
import subprocess
from dataclasses import asdict
from pathlib import Path

import torch

from datasets import build_dataset, found_datasets, list_splits, read_split
from zoo.errors import UsageError

ROOT = Path(__file__).resolve().parents[2]


def checkpoint_metadata(*, method, options, dataset, recipe, iterations, world_size, code_version, half=False, start=None):
    """What is stored with the weights: nothing of the clock or the machine, so that equal runs give equal files.

    Arguments:
        method: Name of the method.
        options: Its ``dict(type=..., ...)``.
        dataset (IRSTDDataset): The whole training subset, images held out for validation included.
        recipe (Recipe): As it was run.
        iterations: Of the run.
        world_size: Processes of the run.
        code_version: `engine.code_version.code_version` of the detector's module.
        half: Whether the weights are stored as float16.
        start (zoo.neural.Weights | None): What the run began with; the training images of all stages before count as seen.

    Returns:
        dict: JSON-able.
    """
    before = start.metadata if start is not None else {}
    seen = _seen(before)
    own = seen.pop(dataset.name, set()) | set(dataset.ids)
    return {
        "method": method,
        "options": options,
        "dataset": dataset.name,
        "split": dataset.split,
        "train_ids": sorted(own),
        "seen": {name: sorted(ids) for name, ids in seen.items()},  # of earlier stages on other data sets
        "train_ids_sha256": digest(sorted(dataset.ids)),
        "train_fingerprint": digest([*sorted(dataset.ids), dataset.fingerprint()]),
        "schedule": recipe.schedule_name,
        "recipe": asdict(recipe),
        "seed": recipe.seed,
        "iterations": iterations,
        "world_size": world_size,
        "start": start and {"sha256": start.sha256, "iterations": before.get("iterations"), "recipe": before.get("recipe")},
        "half": half,
        "code": code_commit(),
        "code_version": code_version,
        "torch": torch.__version__,
    }


def overlap(metadata, dataset):
    """Images of a data set that a checkpoint has seen in training.

    Arguments:
        metadata: What `zoo.checkpoints.load_checkpoint` returned beside the weights.
        dataset (IRSTDDataset): Such as the test subset of a split.

    Returns:
        list[str]: Ids, in the order of the data set. Empty for a data set that no stage of its training took, and for a
        checkpoint that names no training images, such as an author's.
    """
    seen = _seen(metadata).get(dataset.name, ())
    return [id for id in dataset.ids if id in seen]


def trained_on(lists, root=None):
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
            name, ids = name.lower(), read_split(name.lower(), split, "train")
        else:
            dataset = build_dataset(name, root=root, split=split, subset="train")
            name, split, ids = dataset.name, dataset.split, dataset.ids
        seen[name] = seen.get(name, set()) | set(ids)
        splits.setdefault(name, split)
    if not seen:
        return {}
    first, *others = seen
    return {
        "dataset": first,
        "split": splits[first],
        "train_ids": sorted(seen[first]),
        "seen": {name: sorted(seen[name]) for name in others},
    }


def _seen(metadata):
    """Training images of a checkpoint, those of earlier stages included: sets of ids by data set."""
    if "train_ids" not in metadata:
        return {}
    seen = {name: set(ids) for name, ids in metadata.get("seen", {}).items()}
    return seen | {metadata["dataset"]: set(metadata["train_ids"])}


def digest(lines):
    """SHA-256 (hex) of lines of text."""
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def code_commit():
    """This project's commit, with ``-dirty`` where files differ from it; None outside a repository."""
    command = ["git", "-C", str(ROOT), "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"]
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=30, check=True).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return None
