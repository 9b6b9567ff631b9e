"""The contract of a data set: ids, and for each an image with its mask."""

from abc import ABC, abstractmethod
from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NotRequired, TypedDict

import numpy as np

from irsam_zoo.datasets.fingerprint import combine
from irsam_zoo.datasets.levels import MASK_LEVEL, READERS
from irsam_zoo.datasets.remarks import Look, Remark, image_remarks
from irsam_zoo.zoo.errors import UsageError

SUBSETS = ("train", "test", "all")

_looks: dict[tuple[Any, ...], dict[str, Look | None]] = {}


class Item(TypedDict):
    """One image with its mask.

    Attributes:
        id: Of the image.
        image: HxW uint8 grey, 0..255.
        mask: HxW bool, label > 127.
        label: HxW uint8: the mask's published grey values, 0 and 255 for a mask of 0 and 1, resized to the image by nearest
            neighbour where the sizes differ.
        pixels: Digests of the image and the label as they were read, where they were resized since.
    """

    id: str
    image: np.ndarray
    mask: np.ndarray
    label: np.ndarray
    pixels: NotRequired[str]


class IRSTDDataset(ABC):
    """One subset of one split of a data set. A data set implements `list_ids`, `read_grey_pair` and `stamp`.

    Arguments:
        root: The folder that holds the data sets, or None where a data set needs none.
        split: Name of a pair of lists, such as ``"irsam"`` or ``"dnanet"``.
        subset: ``"train"``, ``"test"``, or ``"all"`` for every image that there is, whether a list names it or not.

    Attributes:
        name: The name it is built by, such as ``"nuaa-sirst"``.
        title: The name a table prints, such as ``"NUAA-SIRST"``.
        url: Where the publisher offers the files.
        offered: Names of the splits that come with its files or are made of them: neither the package's lists nor the user's.
        by_name_only (bool): A run takes it only if it is named.
        made_from: Name of the data set whose images these were made from, or empty: weights that learned from the one have
            seen the other.
        own (bool): True for a folder of the user's own, which may bear the name of a published set.
        ids (list[str]): In the order of the list; in natural order for ``"all"``.

    Raises:
        UsageError: An unknown subset or split, or a root without this data set.
    """

    name = ""
    title = ""
    url = ""
    own = False
    offered: Collection[str] = ()
    by_name_only = False
    made_from = ""

    def __init__(self, *, root: str | Path | None = None, split: str = "irsam", subset: str = "test"):
        if subset not in SUBSETS:
            raise UsageError(f"unknown subset {subset!r}; known: {', '.join(SUBSETS)}")
        self.root, self.split, self.subset = root, split, subset
        self.ids = self.list_ids()

    @abstractmethod
    def list_ids(self) -> list[str]:
        """The ids of ``self.subset`` of ``self.split``."""

    @abstractmethod
    def read_grey_pair(self, id: str) -> tuple[np.ndarray, np.ndarray]:
        """HxW uint8 image and HxW uint8 mask of one id, of equal sizes; ZooError where a file is missing or damaged."""

    @abstractmethod
    def stamp(self, id: str) -> tuple[Any, ...]:
        """A tuple that changes when the pixels of an id may have changed, with None in it where a file is missing. Cheap."""

    def origin(self, id: str) -> "tuple[IRSTDDataset, str]":
        """The data set that an id comes from, and the id there: another one than this for a joined set alone."""
        return self, id

    def sequence(self, id: str) -> str:
        """What must stay together when a list is divided: the folder that a frame lies in, else the image itself."""
        return id.rpartition("/")[0] or id

    def read(self, id: str) -> Item:
        """One item by its id; see `__getitem__`."""
        image, label = self.read_grey_pair(id)
        return Item(id=id, image=image, mask=label > MASK_LEVEL, label=label)

    def __len__(self) -> int:
        return len(self.ids)

    def __getitem__(self, index: int) -> Item:
        """One item by its place in ``ids``.

        Raises:
            ZooError: A file of this item is missing or damaged. The other items can still be read.
        """
        return self.read(self.ids[index])

    def fingerprint(self) -> str:
        """SHA-256 (hex) over the ids of this subset, in order, and the decoded pixels of their images and labels.

        It does not depend on file formats or compression. An item that cannot be read enters by its id alone.
        """
        return combine((id, *(look.digests if look else ("unreadable",) * 2)) for id, look in self.looks().items())

    def image_digests(self) -> dict[str, str]:
        """SHA-256 (hex) of the decoded pixels of each image of this subset, by id; those that cannot be read are left out."""
        return {id: look.digests[0] for id, look in self.looks().items() if look}

    def looks(self) -> dict[str, Look | None]:
        """What is seen of each item of this subset: ``{id: Look}``, None for an item that cannot be read.

        Every item is read once; a process remembers the result until a file's size or time changes.
        """
        stamps = {id: self.stamp(id) for id in self.ids}
        key = (self.name, tuple(stamps.items()))
        if key not in _looks:
            there = [id for id, stamp in stamps.items() if None not in stamp]  # a list may name a million that are not
            with ThreadPoolExecutor(READERS) as pool:
                _looks[key] = dict.fromkeys(self.ids) | dict(zip(there, pool.map(self._look_or_none, there), strict=True))
        return _looks[key]

    def look(self, id: str) -> Look:
        """The `datasets.remarks.Look` of one id; ZooError as for `read_grey_pair`."""
        return Look.at(*self.read_grey_pair(id))

    @property
    def notes(self) -> list[str]:
        """What was decided about this data set or is odd in this subset of it, a line of text each; reads every item once."""
        seen = {id: look for id, look in self.looks().items() if look}
        return [remark.text for remark in [*self.set_remarks(), *image_remarks(seen)]]

    def set_remarks(self) -> list[Remark]:
        """Remarks on the data set as a whole: `datasets.remarks.Remark`s beside those that each image gives."""
        return []

    def _look_or_none(self, id: str) -> Look | None:
        try:
            return self.look(id)
        except Exception:  # whatever it is, it is that image's, and told where the image is asked for
            return None

    def __repr__(self) -> str:
        return f"{type(self).__name__}(name={self.name!r}, split={self.split!r}, subset={self.subset!r}, images={len(self)})"
