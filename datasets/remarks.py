"""What is odd about a data set or a folder of predictions, in the same words wherever it is told.

`data --check`, a run, a training and `score` all take their lines from here.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Self

import numpy as np

from irsam_zoo.datasets.fingerprint import SHORT, pixel_digest, published_digests
from irsam_zoo.datasets.levels import MASK_LEVEL
from irsam_zoo.datasets.orientation import UPRIGHT
from irsam_zoo.zoo.detector import SMALLEST_SIDE

EXAMPLES = 3


class Remark(NamedTuple):
    """One line of text; ``problem`` is False for an oddity that the suite copes with."""

    text: str
    problem: bool = False


class Extent(NamedTuple):
    """How much of a mask is target: its ``highest`` level, and the ``share`` of its pixels that are above 127."""

    highest: int
    share: float

    @classmethod
    def of(cls, label: np.ndarray) -> Self:
        """The extent of an HxW uint8 mask."""
        return cls(int(label.max()), float((label > MASK_LEVEL).mean()))


class Look(NamedTuple):
    """What is seen of one image and its label.

    Attributes:
        size, mask_size: Height and width of the image, and of the mask as it is stored.
        extent: Of the label.
        digests: `datasets.fingerprint.pixel_digest` of image and label.
        orientations: Of the image's file and of the mask's, as `datasets.reader.Stored` has them; neither is applied.
        false_colours: As `datasets.colours.false_colours` says of the image.
    """

    size: tuple[int, ...]
    mask_size: tuple[int, ...]
    extent: Extent
    digests: tuple[str, str]
    orientations: tuple[int, int] = (UPRIGHT, UPRIGHT)
    false_colours: bool = False

    @classmethod
    def at(cls, image: np.ndarray, label: np.ndarray, mask_size: tuple[int, ...] | None = None, **stored: Any) -> Self:
        """The look of an HxW uint8 image and label of one size; ``stored`` is what else is known of their files."""
        digests = pixel_digest(image), pixel_digest(label)
        return cls(image.shape, mask_size or label.shape, Extent.of(label), digests, **stored)


def image_remarks(looks: Mapping[str, Look]) -> list[Remark]:
    """Remarks on the images and masks of a data set.

    Arguments:
        looks (dict[str, Look]): By id, of the images that can be read.
    """
    resized = [
        f"{id}: image {size_text(look.size)}, mask {size_text(look.mask_size)}"
        for id, look in looks.items()
        if look.size != look.mask_size
    ]
    small = [id for id, look in looks.items() if min(look.size) < SMALLEST_SIDE]
    found = [Remark(counted("masks are resized to their images by nearest neighbour", resized))] if resized else []
    for place, what in enumerate(("images", "masks")):
        found += turned_remarks({id: look.orientations[place] for id, look in looks.items()}, what)
    found += colour_remarks([id for id, look in looks.items() if look.false_colours])
    if small:
        found.append(Remark(counted(f"images under {SMALLEST_SIDE} px on a side, which every method refuses", small), True))
    if looks and not any(look.extent.share for look in looks.values()):
        found.append(Remark(f"no mask has a target: none of {len(looks)} has a level above {MASK_LEVEL}", True))
    return found + mask_remarks({id: look.extent for id, look in looks.items()}, "masks")


def mask_remarks(extents: Mapping[str, Extent], what: str) -> list[Remark]:
    """Remarks on masks alone, by the `Extent` of each id; ``what`` they are called, such as ``"predictions"``."""
    faint = [id for id, extent in extents.items() if extent.highest and not extent.share]
    full = [id for id, extent in extents.items() if extent.share > 0.5]
    found = []
    if faint:
        text = f"{what} with targets, none above {MASK_LEVEL} (store them as 0 and 255)"
        found.append(Remark(counted(text, faint), True))
    if full:
        text = f"{what} with target on more than half of the image (is the background white? targets are)"
        found.append(Remark(counted(text, full), True))
    return found


def turned_remarks(orientations: Mapping[str, int], what: str) -> list[Remark]:
    """A remark on files that a viewer shows turned, by the orientation of each id."""
    turned = [f"{id} ({orientation})" for id, orientation in orientations.items() if orientation != UPRIGHT]
    text = f"{what} have an orientation (EXIF, TIFF), which is not applied: pixels are read as they are stored"
    return [Remark(counted(text, turned))] if turned else []


def colour_remarks(ids: Sequence[str]) -> list[Remark]:
    """A remark on the images, by their ids, that are in false colours."""
    text = "images are in saturated colours: grey is made by luma, which need not rise with the heat that false colours show"
    return [Remark(counted(text, ids))] if ids else []


def cut_remarks(shares: Sequence[float]) -> list[Remark]:
    """A remark where a cut divides nothing, by the share of the pixels of each image that are above it."""
    text = None
    if shares and max(shares) == 0:
        text = f"no prediction has a target: none of {len(shares)} has a score above the cut"
    elif shares and min(shares) == 1:
        text = f"every pixel of every prediction is target: all scores of all {len(shares)} are above the cut"
    return [Remark(text, True)] if text else []


def published_remarks(name: str, looks: Mapping[str, Look]) -> list[Remark]:
    """Remarks on images and masks of a published data set whose pixels are not the published ones; see `image_remarks`."""
    published, found = published_digests(name), []
    for what, place in (("images", 0), ("masks", 1)):
        differ = [id for id, look in looks.items() if id in published and look.digests[place][:SHORT] != published[id][place]]
        if differ:
            found.append(Remark(counted(f"{what} whose pixels are not the published ones", differ), True))
    return found


def file_remarks(files: Mapping[str, Sequence[Path]], what: str) -> list[Remark]:
    """A remark where an id has several files, of the lists of files by id that `datasets.layouts.index_files` makes."""
    several = [f"{id} ({', '.join(path.name for path in paths)})" for id, paths in files.items() if len(paths) > 1]
    return [Remark(counted(f"{what} have several files, of which the first is read", several))] if several else []


def counted(what: str, ids: Sequence[str], most: int = EXAMPLES) -> str:
    """A line with a count and a few examples."""
    return f"{len(ids)} {what}: {', '.join(ids[:most])}{', ...' if len(ids) > most else ''}"


def size_text(shape: tuple[int, ...]) -> str:
    """Width x height, as it is written."""
    return f"{shape[1]}x{shape[0]}"
