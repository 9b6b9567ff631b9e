"""What a trained checkpoint says of its making, and whether that forbids to test it on a data set."""

import hashlib
import subprocess
from dataclasses import asdict

import torch

from irsam_zoo import ROOT
from irsam_zoo.datasets import DATASETS, build_dataset, found_datasets, list_splits, read_split
from irsam_zoo.datasets.fingerprint import SHORT, published_digests
from irsam_zoo.zoo.errors import UsageError
from irsam_zoo.zoo.lookup import registered

COMMIT = "COMMIT"  # the file of a packed folder that says which commit its code is of


def checkpoint_metadata(
    *, method, options, dataset, recipe, iterations, world_size, code_version, plan=None, half=False, start=None
):
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
        "seen": _merged(seen_images(before), _images(dataset)),
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


def overlap(metadata, dataset):
    """Images of a data set that a checkpoint has seen in training, by name or by their pixels.

    Of a data set that was made from the images of one that it has seen, or that one was made from, these are all.

    Arguments:
        metadata: What `zoo.weights.checkpoints.load_checkpoint` returned beside the weights.
        dataset (IRSTDDataset): Such as the test subset of a split.

    Returns:
        list[str]: Ids, in the order of the data set. Empty for a checkpoint that names no training images, such as an author's.
    """
    seen = seen_images(metadata)
    digests = {digest for images in seen.values() for digest in images.values() if digest}
    found = {id for id, digest in dataset.image_digests().items() if digest[:SHORT] in digests} if digests else set()

    origins = {getattr(registered(DATASETS, name), "made_from", "") for name in seen}

    def named(id):
        member, own = dataset.origin(id)
        return own in seen.get(member.name, ()) or member.made_from in seen or member.name in origins

    return [id for id in dataset.ids if id in found or named(id)]


def seen_images(metadata):
    """Training images of a checkpoint, those of earlier stages included.

    Returns:
        dict[str, dict[str, str | None]]: By data set, the digest of each id's pixels, None where it is not known: headers of
        earlier versions have ids alone. Empty for a checkpoint that names no training images.
    """
    seen = {
        name: dict(images) if isinstance(images, dict) else dict.fromkeys(images)
        for name, images in metadata.get("seen", {}).items()
    }
    if "train_ids" in metadata:  # a header of an earlier version
        seen = _merged(seen, {metadata["dataset"]: dict.fromkeys(metadata["train_ids"])})
    return seen


def _images(dataset):
    """Digests of a data set's images, as `seen_images` gives them."""
    images = {}
    for id, pixels in dataset.image_digests().items():
        member, own = dataset.origin(id)
        images.setdefault(member.name, {})[own] = pixels[:SHORT]
    return images


def _merged(seen, more):
    return {name: {**seen.get(name, {}), **more.get(name, {})} for name in {**seen, **more}}


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
            name = name.lower()
            digests = published_digests(name)
            images = {id: digests[id][0] for id in read_split(name, split, "train")}
        else:
            dataset = build_dataset(name, root=root, split=split, subset="train")
            name, split, images = dataset.name, dataset.split, _images(dataset)[dataset.name]
        seen = _merged(seen, {name: images})
        splits.setdefault(name, split)
    if not seen:
        return {}
    first = next(iter(seen))
    return {"dataset": first, "split": splits[first], "seen": seen}


def digest(lines):
    """SHA-256 (hex) of lines of text."""
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def code_commit():
    """This project's commit, with ``-dirty`` where files differ from it; None outside a repository."""
    if (ROOT / COMMIT).is_file():
        return (ROOT / COMMIT).read_text(encoding="utf-8") or None
    command = ["git", "-C", str(ROOT), "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"]
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=30, check=True).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return None
