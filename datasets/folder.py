"""Data sets that lie on disk as a folder of images and a folder of masks."""

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from irsam_zoo.datasets.base import IRSTDDataset
from irsam_zoo.datasets.colours import false_colours
from irsam_zoo.datasets.fingerprint import published_digests
from irsam_zoo.datasets.layouts import (
    EXTENSIONS,
    MASK_SUFFIX,
    Location,
    find_root,
    in_another_form,
    index_files,
    locate,
    named_folders,
    one_form,
    open_folder,
    plain_name,
    what_is_in,
)
from irsam_zoo.datasets.levels import ImageLevels, image_levels
from irsam_zoo.datasets.mask_levels import MaskLevels, mask_levels
from irsam_zoo.datasets.reader import GreyFile, Stored, decode, fit_label, grey_of
from irsam_zoo.datasets.remarks import Look, Remark, counted, file_remarks, published_remarks
from irsam_zoo.datasets.splits import (
    WHOLE,
    find_split,
    list_splits,
    lists_at_top,
    read_list,
    read_split,
    refuse_twice,
    split_name,
)
from irsam_zoo.zoo.errors import UsageError, ZooError
from irsam_zoo.zoo.reading import file_stamp


class Examined(NamedTuple):
    """Image and mask of one id as they are read, each a `datasets.reader.GreyFile` of its own size; the mask at the image's
    size, HxW uint8; and the `Look` of them."""

    image: GreyFile
    mask: GreyFile
    label: np.ndarray
    look: Look


class FolderDataset(IRSTDDataset):
    """A data set of image and mask files with equal names, in any layout of `datasets.layouts`.

    A published data set is a subclass that states ``title``, ``url`` and ``folder_names``. A folder of the user's own has a
    ``location``: its own lists come before the package's, and `FolderDataset` itself calls it by the folder's name.

    Arguments:
        root: Folder that holds the data sets; None looks at ``$IRSAM_ZOO_DATA`` and ``./data``.
        split: As for `datasets.splits.read_split`. Where the data set has no lists called ``"all"``, that stands for every
            image on disk for tests and none for training. A folder's path is shortened to its last part in ``self.split``.
        subset: ``"train"``, ``"test"`` or ``"all"``: every image on disk.
        location (Location): Where the files are; ``root`` is then not searched.
    """

    folder_names: tuple[str, ...] = ()

    def __init__(
        self, *, root: str | Path | None = None, split: str = "irsam", subset: str = "test", location: Location | None = None
    ):
        self.location = location or self.find(root)
        self.own = location is not None
        if not self.name:
            self.name = self.title = self.location.folder.resolve().name
        if not self.name:
            raise UsageError(
                f"{self.location.folder.resolve()} has no name to file results under; move the data set into a folder"
            )
        self._images, self._masks = self.files("images"), self.files("masks", MASK_SUFFIX)
        self._lists = self.chosen(split)
        super().__init__(root=self.location.folder.parent, split=split_name(self._lists), subset=subset)

    @classmethod
    def is_named(cls, folder: Path) -> bool:
        """Whether a folder has one of this data set's names; case, hyphens and underscores do not count."""
        return plain_name(folder.resolve().name) in map(plain_name, cls.folder_names)

    @classmethod
    def open(cls, folder: Path) -> Location | None:
        """The `Location` of a folder that is laid out as this data set, or None."""
        return open_folder(folder)

    @classmethod
    def holds(cls, location: Location) -> bool:
        """Whether a folder has images of this data set; not asked where the package does not know any."""
        published = published_digests(cls.name)
        return not published or not published.keys().isdisjoint(index_files(location.images))

    @classmethod
    def locate(cls, root: str | Path | None = None) -> Location | None:
        """The `Location` of this data set under a root, or None where it is not there."""
        root = find_root(root)
        return locate(root, cls.folder_names, cls.open) if root else None

    @classmethod
    def find(cls, root: str | Path | None = None) -> Location:
        """As `locate`, with a UsageError that names the folder and the layouts that were looked for."""
        location = cls.locate(root)
        if location:
            return location
        where = find_root(root)
        named = named_folders(where, cls.folder_names) if where else []
        if named:
            raise UsageError(f"{named[0]} is no {cls.title} with {cls.layout()}: {what_is_in(named[0])}")
        place = f"{cls.title} is not under {where.resolve()}" if where else f"no folder of data sets for {cls.title}"
        raise UsageError(
            f"{place}: looked for {' or '.join(cls.folder_names)} with {cls.layout()}; "
            f"get it from {cls.url} and name its parent folder by --data-root or $IRSAM_ZOO_DATA"
        )

    @classmethod
    def layout(cls) -> str:
        """The folders that are looked for, in words."""
        return "images/ and masks/, or IRSTD1k_Img/ and IRSTD1k_Label/"

    def files(self, kind: str, suffix: str = "") -> dict[str, list[Path]]:
        """The files of ``"images"`` or ``"masks"`` as `datasets.layouts.index_files` gives them."""
        return index_files(getattr(self.location, kind), suffix=suffix)

    def chosen(self, split: str) -> str:
        """The lists that a split which was asked for stands for."""
        return split

    def list_ids(self) -> list[str]:
        if self.subset == "all":
            return list(self._images)
        if not self._is_whole:
            return self.resolve(self._listed(self.subset), self._list_path)
        if self.subset == "train":
            raise UsageError(
                f"split {WHOLE} of {self.name} has test images alone; to train, write train.txt and test.txt (an id a line) "
                f"into {self.location.folder}"
            )
        if not self._images:
            raise UsageError(f"{self.location.images} holds no image ({'/'.join(EXTENSIONS)})")
        return list(self._images)

    def ids_in(self, place: Path, subset: str) -> list[str]:
        """The ids of the list of a subset in a folder of lists; ZooError as for `datasets.splits.read_list`."""
        path = place / f"{subset}.txt"
        return self.resolve(read_list(path), path)

    def resolve(self, listed: Sequence[str], path: str | Path) -> list[str]:
        """The ids of the names in a list, which may be paths from above the folder of images, such as ``images/a``.

        The name of a folder of images, such as that of a sequence, stands for all in it. Letters may be composed or not.

        Raises:
            ZooError: Two names are of one id; the text names the list by its ``path``.
        """
        above = f"/{self.location.images.name}/"
        ids = []
        for name in map(one_form, listed):
            below = f"/{name}".rpartition(above)[2]
            forms = [form for form in (name, below) if form in self._images or form in self._folders]
            form = forms[0] if forms else name
            ids += [form] if form in self._images else self._folders.get(form, [form])
        refuse_twice(ids, path)
        return ids

    def image_path(self, id: str) -> Path:
        """The image file of an id; ZooError where there is none."""
        return self._path(id, self._images, self.location.images)

    def mask_path(self, id: str) -> Path:
        """The mask file of an id; ZooError where there is none."""
        return self._path(id, self._masks, self.location.masks)

    @property
    def mask_ids(self) -> list[str]:
        """Ids that have a mask file, in natural order."""
        return list(self._masks)

    @cached_property
    def _folders(self) -> dict[str, list[str]]:
        """The ids of the images in each folder below that of the images, by its path."""
        found = {}
        for id in self._images:
            place = id
            while place := place.rpartition("/")[0]:
                found.setdefault(place, []).append(id)
        return found

    @cached_property
    def levels(self) -> tuple[ImageLevels, MaskLevels]:
        """The rules for the levels of images and of masks: `ImageLevels` and `MaskLevels`, decided from all files at once."""
        images, masks = ([paths[0] for paths in files.values()] for files in (self._images, self._masks))
        return image_levels(images), mask_levels(masks)

    def read_files(self, id: str) -> tuple[GreyFile, GreyFile]:
        """Image and mask of one id, each a `datasets.reader.GreyFile` of its own size; ZooError as for `read_grey_pair`."""
        return self._grey(*self._stored(id))

    def examine(self, id: str) -> Examined:
        """All that is to be known of the files of one id, an `Examined`; ZooError as for `read_grey_pair`."""
        stored = self._stored(id)
        image, mask = self._grey(*stored)
        label = self._fitted(id, image, mask, stored)
        told = dict(orientations=tuple(file.orientation for file in stored), false_colours=false_colours(stored[0]))
        return Examined(image, mask, label, Look.at(image.pixels, label, mask.pixels.shape, **told))

    def read_grey_pair(self, id: str) -> tuple[np.ndarray, np.ndarray]:
        stored = self._stored(id)
        image, mask = self._grey(*stored)
        return image.pixels, self._fitted(id, image, mask, stored)

    def look(self, id: str) -> Look:
        return self.examine(id).look

    def _stored(self, id: str) -> tuple[Stored, Stored]:
        """The files of image and mask of one id, each a `datasets.reader.Stored`."""
        return decode(self.image_path(id)), decode(self.mask_path(id))

    def _grey(self, image: Stored, mask: Stored) -> tuple[GreyFile, GreyFile]:
        images, masks = self.levels
        return grey_of(image, images.used), masks.label_of(mask)

    def _fitted(self, id: str, image: GreyFile, mask: GreyFile, stored: Sequence[Stored]) -> np.ndarray:
        """The mask at the image's size, HxW uint8."""
        orientations = [file.orientation for file in stored]
        return fit_label(mask.pixels, image.pixels.shape, self.mask_path(id), orientations)

    def stamp(self, id: str) -> tuple[Any, ...]:
        paths = (files.get(id, [None])[0] for files in (self._images, self._masks))
        return *(path and file_stamp(path) for path in paths), self.levels

    def set_remarks(self) -> list[Remark]:
        images, masks = self.levels
        found = [Remark(text) for text in (images.text, *masks.texts) if text]
        found += file_remarks(self._images, "images") + file_remarks(self._masks, "masks")
        if self.subset != "all":
            shared = self._in_both_lists()
            found += [Remark(counted(f"ids of split {self.split} in both lists", shared), True)] if shared else []
            if self.published:
                found += published_remarks(self.name, {id: look for id, look in self.looks().items() if look})
        return found

    @property
    def published(self) -> bool:
        """Whether this is to be a published data set: one that the package knows, without lists of the user's own."""
        return not (self.own and lists_at_top(self.name, self.location.folder, own=True))

    def _in_both_lists(self) -> list[str]:
        if self._is_whole:
            return []
        other = "train" if self.subset == "test" else "test"
        try:
            return sorted({*self.resolve(self._listed(other), other)} & {*self.ids})
        except ZooError:  # of a list that this subset does not need
            return []

    @cached_property
    def _is_whole(self) -> bool:
        return self._lists == WHOLE and WHOLE not in list_splits(self.name, self.location.folder)

    def _path(self, id: str, files: dict[str, list[Path]], folder: Path) -> Path:
        if id in files:
            return files[id][0]
        if other := in_another_form(folder, id, documents=files is self._masks):
            raise ZooError(f"{folder} has no {id} ({'/'.join(EXTENSIONS)}) but {other}")
        lists = "" if self.subset == "all" or self._is_whole else f", which {self._list_path} names"
        source = self.url or "its publisher"
        raise ZooError(f"{folder} has no {id} ({'/'.join(EXTENSIONS)}){lists}; get the complete data set from {source}")

    def _listed(self, subset: str) -> list[str]:
        return read_split(self.name, self._lists, subset, self.location.folder, self.own)

    @cached_property
    def _list_path(self) -> str | Path:
        return find_split(self.name, self._lists, self.location.folder, self.own) / f"{self.subset}.txt"
