"""Which images weights have seen in training, and whether that forbids to test them on a data set."""

from collections.abc import Mapping
from typing import Any

from irsam_zoo.datasets.base import IRSTDDataset
from irsam_zoo.datasets.catalogue import DATASETS
from irsam_zoo.datasets.fingerprint import SHORT
from irsam_zoo.zoo.lookup import registered

Seen = dict[str, dict[str, str | None]]  # training images as `seen_images` gives them


def overlap(metadata: Mapping[str, Any], dataset: IRSTDDataset) -> list[str]:
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


def seen_images(metadata: Mapping[str, Any]) -> Seen:
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
        seen = merged(seen, {metadata["dataset"]: dict.fromkeys(metadata["train_ids"])})
    return seen


def images_of(dataset: IRSTDDataset) -> Seen:
    """Digests of a data set's images, as `seen_images` gives them."""
    images: Seen = {}
    for id, pixels in dataset.image_digests().items():
        member, own = dataset.origin(id)
        images.setdefault(member.name, {})[own] = pixels[:SHORT]
    return images


def merged(seen: Seen, more: Seen) -> Seen:
    """Training images of two stages together, as `seen_images` gives those of each."""
    return {name: {**seen.get(name, {}), **more.get(name, {})} for name in {**seen, **more}}
