"""Data sets that lie on disk as a folder of images and a folder of masks."""

from pathlib import Path

from datasets.base import IRSTDDataset
from datasets.layouts import EXTENSIONS, MASK_SUFFIX, find_root, index_files, locate
from datasets.reader import fit_label, read_grey, read_mask
from datasets.splits import find_split, read_split
from zoo.errors import UsageError, ZooError


class FolderDataset(IRSTDDataset):
    """A data set of image and mask files with equal names, in any layout of `datasets.layouts`.

    A published data set is a subclass that states ``title``, ``url`` and ``folder_names``. A folder of the user's own is
    `FolderDataset` itself with a ``location``; it is called by the folder's name, and its own lists come before the package's.

    Arguments:
        root: Folder that holds the data sets; None looks at ``$IRSAM_ZOO_DATA`` and ``./data``.
        split: As for `datasets.splits.read_split`. A folder's path is shortened to its last part in ``self.split``.
        subset: ``"train"``, ``"test"`` or ``"all"``: every image on disk.
        location (Location): Where the files are; ``root`` is then not searched.
    """

    folder_names = ()

    def __init__(self, *, root=None, split="irsam", subset="test", location=None):
        self.location = location or self.find(root)
        self.own = not self.name
        if self.own:
            self.name = self.title = self.location.folder.resolve().name
        self._lists = split
        self._images = index_files(self.location.images)
        self._masks = index_files(self.location.masks, suffix=MASK_SUFFIX)
        super().__init__(root=self.location.folder.parent, split=Path(split).name, subset=subset)

    @classmethod
    def locate(cls, root=None):
        """The `Location` of this data set under a root, or None where it is not there."""
        root = find_root(root)
        return locate(root, cls.folder_names) if root else None

    @classmethod
    def find(cls, root=None):
        """As `locate`, with a UsageError that names the folder and the layouts that were looked for."""
        location = cls.locate(root)
        if location:
            return location
        where = find_root(root)
        place = f"{cls.title} is not under {where.resolve()}" if where else f"no folder of data sets for {cls.title}"
        raise UsageError(
            f"{place}: looked for {' or '.join(cls.folder_names)} with images/ and masks/, or IRSTD1k_Img/ and IRSTD1k_Label/; "
            f"get it from {cls.url} and name its parent folder by --data-root or $IRSAM_ZOO_DATA"
        )

    def list_ids(self):
        if self.subset == "all":
            return list(self._images)
        return read_split(self.name, self._lists, self.subset, self.location.folder, self.own)

    def image_path(self, id):
        """The image file of an id; ZooError where there is none."""
        return self._path(id, self._images, self.location.images)

    def mask_path(self, id):
        """The mask file of an id; ZooError where there is none."""
        return self._path(id, self._masks, self.location.masks)

    @property
    def mask_ids(self):
        """Ids that have a mask file, in natural order."""
        return list(self._masks)

    def read_grey_pair(self, id):
        image_path, mask_path = self.image_path(id), self.mask_path(id)
        image = read_grey(image_path).pixels
        return image, fit_label(read_mask(mask_path).pixels, image.shape, mask_path)

    def stamp(self, id):
        return tuple(_identity(files.get(id)) for files in (self._images, self._masks))

    def _path(self, id, files, folder):
        if id in files:
            return files[id]
        lists = "" if self.subset == "all" else f", which {self._list_path()} names"
        source = self.url or "its publisher"
        raise ZooError(f"{folder} has no {id} ({'/'.join(EXTENSIONS)}){lists}; get the complete data set from {source}")

    def _list_path(self):
        return find_split(self.name, self._lists, self.location.folder, self.own) / f"{self.subset}.txt"


def _identity(path):
    """Path, size and time of change of a file, of which a changed file changes one; None for a file that is not there."""
    try:
        status = path.stat() if path else None
    except OSError:
        return None
    return status and (str(path.absolute()), status.st_size, status.st_mtime_ns)
