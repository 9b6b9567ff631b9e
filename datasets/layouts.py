"""Where the files of a data set lie: publishers' layouts and the common images/ masks/ one."""

import os
import re
from pathlib import Path
from typing import NamedTuple

from zoo.errors import UsageError

ROOT_VARIABLE = "IRSAM_ZOO_DATA"
DEFAULT_ROOT = "data"
# In order of preference, should an id have several files: lossless first.
EXTENSIONS = (".png", ".bmp", ".tif", ".tiff", ".jpg", ".jpeg")
# Folders of images and of masks, compared without case. The second is how ISNet's authors publish IRSTD-1k.
PAIRS_OF_FOLDERS = (("images", "masks"), ("irstd1k_img", "irstd1k_label"))
# YimianDai/sirst calls the mask of Misc_1.png Misc_1_pixels0.png.
MASK_SUFFIX = "_pixels0"


class Location(NamedTuple):
    """A data set on disk: its folder, and the folders of its images and of its masks."""

    folder: Path
    images: Path
    masks: Path


def find_root(root=None):
    """The folder that holds the data sets.

    Arguments:
        root: What the user gave (``--data-root``), or None.

    Returns:
        Path | None: ``root``, else ``$IRSAM_ZOO_DATA``, else ``./data`` if it exists, else None.

    Raises:
        UsageError: The folder that the user named, or that the variable names, does not exist.
    """
    named = root or os.environ.get(ROOT_VARIABLE)
    if not named:
        return Path(DEFAULT_ROOT) if Path(DEFAULT_ROOT).is_dir() else None
    path = Path(named).expanduser()
    if not path.is_dir():
        source = "--data-root" if root else f"${ROOT_VARIABLE}"
        raise UsageError(f"{source} names {path}, which is not a folder; name the folder that holds the data sets")
    return path


def locate(root, folder_names):
    """Look for a data set under a root.

    Arguments:
        root (Path): The folder that holds data sets, or the data set's own folder.
        folder_names: Names the folder may have. Case, hyphens and underscores do not count.

    Returns:
        Location | None: None where no such folder with images and masks is there.
    """
    candidates = {}
    for folder in [root, *sorted(path for path in root.iterdir() if path.is_dir())]:
        candidates.setdefault(_plain(folder.resolve().name if folder is root else folder.name), []).append(folder)
    for name in folder_names:
        for folder in candidates.get(_plain(name), []):
            if location := open_folder(folder):
                return location
    return None


def open_folder(folder):
    """The `Location` of a folder that holds a pair of image and mask folders, or None."""
    inside = {path.name.lower(): path for path in sorted(folder.iterdir(), reverse=True) if path.is_dir()}
    for images, masks in PAIRS_OF_FOLDERS:
        if images in inside and masks in inside:
            return Location(folder, inside[images], inside[masks])
    return None


def index_files(folder, suffix=""):
    """The image files of a folder as ``{id: path}`` in natural order.

    Arguments:
        folder (Path): Read without its sub-folders; hidden files are passed over.
        suffix: An ending of the file's stem that is not part of the id, such as ``"_pixels0"``.
    """
    files = {}
    for entry in os.scandir(folder):
        stem, extension = os.path.splitext(entry.name)
        if extension.lower() not in EXTENSIONS or stem.startswith(".") or entry.is_dir():
            continue
        files.setdefault(stem.removesuffix(suffix), []).append((EXTENSIONS.index(extension.lower()), entry.name))
    return {id: Path(folder, min(files[id])[1]) for id in sorted(files, key=natural_order)}


def natural_order(id):
    """Sort key that puts ``XDU2`` before ``XDU10``."""
    return [(int(part), "") if part.isdigit() else (0, part) for part in re.split(r"([0-9]+)", id)], id


def _plain(name):
    return re.sub(r"[^a-z0-9]", "", name.lower())
