"""Published data sets beside those of Table 1: layouts and lists as published, run only when they are named."""

import hashlib
import os
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path

from irsam_zoo.datasets.folder import FolderDataset
from irsam_zoo.datasets.layouts import Location, index_files, natural_order, open_folder
from irsam_zoo.datasets.published_lists import PUBLISHED, find_lists
from irsam_zoo.datasets.remarks import Remark, counted
from irsam_zoo.datasets.splits import DEFAULT_SPLIT, WHOLE, list_splits, read_list
from irsam_zoo.zoo.errors import UsageError, ZooError

# Folders of the training and the test images that each hold images/ and masks/.
HALVES = (("trainval", "test"), ("train", "test"))
PAIR = (("images", "masks"),)
SEQUENCES = "sequences"
ONE_IN = 5  # that is for tests


class FurtherDataset(FolderDataset):
    """A published data set of which the package holds no lists; a subclass declares it. By name, its splits are

    - the publisher's lists beside the images (`find_lists`), or its two folders `HALVES`, which are ``published``,
    - ``sequences``, ours, of a set of sequences: one in five of them, drawn by their names, is for tests,
    - lists of the user's own, and ``all``, as of any folder.

    ``irsam``, which commands ask for unless told otherwise, stands for the first of these that is there.

    Attributes:
        pairs: Folders of images and masks below the set's own, in order of preference; `HALVES` come after them.
        multi_frame: Whether an id is ``<sequence>/<frame>``.
        preferred: The publisher's split that stands for ``irsam``, where there are several.
    """

    pairs: tuple[tuple[str, str], ...] = PAIR
    multi_frame = False
    preferred = PUBLISHED
    by_name_only = True

    @classmethod
    def open(cls, folder: Path) -> Location | None:
        if location := open_folder(folder, cls.pairs):
            return location
        return Location(folder, folder, folder) if _halves(folder) else None

    @classmethod
    def layout(cls) -> str:
        return ", or ".join(f"{images}/ and {masks}/" for images, masks in (*cls.pairs, ("trainval/images", "trainval/masks")))

    def files(self, kind: str, suffix: str = "") -> dict[str, list[Path]]:
        if not self._in_halves:
            return super().files(kind, suffix)
        parts = _halves(self.location.folder).values()
        found = [(part, index_files(getattr(part, kind), suffix=suffix)) for part in parts]
        return {f"{part.folder.name}/{id}": paths for part, files in found for id, paths in files.items()}

    def chosen(self, split: str) -> str:
        if split != DEFAULT_SPLIT or split in list_splits(self.name, self.location.folder):
            return split
        published = [name for name in self.offered if name != SEQUENCES]
        if self.preferred in published:
            return self.preferred
        return next(iter(published or self.offered), split) if len(published) < 2 else split

    @cached_property
    def offered(self) -> Mapping[str, Mapping[str, Path | list[str]]]:
        """The publisher's splits and ``sequences``, as far as they are there: by name and subset, a list's file or its ids."""
        if self._in_halves:
            halves = {subset: half.folder.name for subset, half in _halves(self.location.folder).items()}
            ids = {subset: [id for id in self._images if id.startswith(f"{name}/")] for subset, name in halves.items()}
            return {PUBLISHED: ids}
        found: dict[str, Mapping[str, Path | list[str]]] = {**find_lists(self.location.folder, (self.name, *self.folder_names))}
        sequences = {self.sequence(id) for id in self._images}
        if self.multi_frame and 1 < len(sequences) < len(self._images):
            drawn = sorted(sequences, key=lambda name: hashlib.sha256(name.encode()).digest())
            tests = {*drawn[: max(1, round(len(drawn) / ONE_IN))]}
            lists: dict[str, list[str]] = {"train": [], "test": []}
            for id in self._images:
                lists["test" if self.sequence(id) in tests else "train"].append(id)
            found[SEQUENCES] = lists
        return found

    def sequence(self, id: str) -> str:
        return super().sequence(id) if self.multi_frame else id

    def offered_ids(self, split: str, subset: str) -> list[str]:
        """The ids of a list of a split of `offered`; ZooError as for `datasets.splits.read_list`."""
        place = self.offered[split][subset]
        return place if isinstance(place, list) else self.resolve(read_list(place), place)

    def set_remarks(self) -> list[Remark]:
        found = super().set_remarks()
        if self.made_from:
            text = f"made from the images of {self.made_from}: weights that learned from the one have seen the other"
            found.append(Remark(text))
        return found + self._divided()

    def _divided(self) -> list[Remark]:
        """A remark where frames of one sequence stand in both lists of a publisher's split."""
        if not (self.multi_frame and self._lists in self.offered):
            return []
        try:
            train, test = ({self.sequence(id) for id in self.offered_ids(self._lists, subset)} for subset in ("train", "test"))
        except ZooError:  # of a list that this subset does not need
            return []
        both = sorted(train & test, key=natural_order)
        text = f"sequences have frames in both lists of split {self._lists}, as published; --split {SEQUENCES} keeps them whole"
        return [Remark(counted(text, both))] if both else []

    def _listed(self, subset: str) -> list[str]:
        known = {*self.offered, *list_splits(self.name, self.location.folder)}
        if self._lists in self.offered:
            return self.offered_ids(self._lists, subset)
        if known and self._lists not in known and os.sep not in str(self._lists):
            raise UsageError(f"no split {str(self._lists)!r} of {self.title}; known: {', '.join(sorted({*known, WHOLE}))}")
        return super()._listed(subset)

    @property
    def _list_path(self) -> str | Path:
        if self._lists not in self.offered:
            return super()._list_path
        place = self.offered[self._lists][self.subset]
        return f"split {self._lists}" if isinstance(place, list) else place

    @cached_property
    def _in_halves(self) -> bool:
        return self.location.images == self.location.folder


def _halves(folder: Path) -> dict[str, Location]:
    """The `Location`s of a publisher's two folders of images, by subset; empty where they are not both there."""
    for names in HALVES:
        train, test = (open_folder(folder / name) if (folder / name).is_dir() else None for name in names)
        if train and test:
            return {"train": train, "test": test}
    return {}
