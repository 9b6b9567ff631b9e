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
# What lies beside pictures and is none.
DOCUMENTS = (
    *(".txt", ".md", ".rst", ".csv", ".tsv", ".json", ".jsonl", ".xml", ".yaml", ".yml", ".toml", ".ini", ".cfg", ".log"),
    *(".html", ".htm", ".pdf", ".doc", ".docx", ".xls", ".xlsx", ".py", ".ipynb", ".sh", ".m", ".db", ".md5", ".sha256"),
)
# Folders of images and of masks, compared without case. The second is how ISNet's authors publish IRSTD-1k.
PAIRS_OF_FOLDERS = (("images", "masks"), ("irstd1k_img", "irstd1k_label"))
# YimianDai/sirst calls the mask of Misc_1.png Misc_1_pixels0.png.
MASK_SUFFIX = "_pixels0"
# Control characters, separators of lines, and what stands for bytes that are not UTF-8: they fit on no line of a list.
UNLISTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


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


def open_folder(folder, pairs=PAIRS_OF_FOLDERS):
    """The `Location` of a folder that holds a pair of image and mask folders, or None.

    Arguments:
        folder (Path): That of the data set.
        pairs: Paths below it of the folders of images and of masks, in order of preference; case does not count.
    """
    for images, masks in pairs:
        found = _inside(folder, images), _inside(folder, masks)
        if all(found):
            return Location(folder, *found)
    return None


def _inside(folder, path):
    """The folder at a path below another one, whatever the case of its letters, or None."""
    for part in path.split("/"):
        named = sorted(place for place in folder.iterdir() if place.name.lower() == part.lower() and place.is_dir())
        if not named:
            return None
        folder = named[0]
    return folder


def locate(root, folder_names, opener=open_folder):
    """Look for a data set under a root.

    Arguments:
        root (Path): The folder that holds data sets, or the data set's own folder.
        folder_names: Names the folder may have. Case, hyphens and underscores do not count.
        opener: Function from a folder to its `Location`, or None.

    Returns:
        Location | None: None where no such folder with images and masks is there.
    """
    candidates = {}
    for folder in [root, *sorted(path for path in root.iterdir() if path.is_dir())]:
        candidates.setdefault(plain_name(folder.resolve().name if folder is root else folder.name), []).append(folder)
    for name in folder_names:
        for folder in candidates.get(plain_name(name), []):
            if location := opener(folder):
                return location
    return None


def index_files(folder, suffix="", extensions=EXTENSIONS):
    """The image files of a folder and of its sub-folders, by id, in natural order.

    Arguments:
        folder (Path): Hidden files and sub-folders are passed over; linked sub-folders are followed.
        suffix: An ending of the file's stem that is not part of the id, such as ``"_pixels0"``.
        extensions: Of the files, in order of preference.

    Returns:
        dict[str, list[Path]]: An id is the path below the folder, with ``/`` and without extension, such as ``"252/1"``. Of
        several files of one id the one to read comes first.

    Raises:
        UsageError: A file's name cannot be written into a list: it has a control character, or is not UTF-8.
    """
    files = {}
    for place, name in _walk(folder):
        stem, extension = os.path.splitext(name)
        if extension.lower() in extensions and not stem.startswith("."):
            id = place + stem.removesuffix(suffix)
            if UNLISTABLE.search(id):
                raise UsageError(f"{folder} has a file whose name is not plain text, {place + name!a}; rename it")
            files.setdefault(id, []).append((extensions.index(extension.lower()), place + name))
    return {id: [Path(folder, name) for _, name in sorted(files[id])] for id in sorted(files, key=natural_order)}


def other_files(folder):
    """Names of the files below a folder that may hold pictures in forms that are not read: neither hidden nor documents."""
    passed = []
    for place, name in _walk(folder):
        extension = os.path.splitext(name)[1].lower()
        if extension and extension not in (*EXTENSIONS, *DOCUMENTS) and not name.startswith("."):
            passed.append(place + name)
    return sorted(passed, key=natural_order)


def _walk(folder):
    """Every file below a folder as the path of its own folder, empty or with ``/`` at its end, and its name."""
    places = [("", ())]
    while places:
        place, above = places.pop()
        status = os.stat(Path(folder, place))
        itself = status.st_dev, status.st_ino
        if itself in above:  # a link to a folder that it lies in
            continue
        for entry in os.scandir(Path(folder, place)):
            try:
                is_dir = entry.is_dir()
            except OSError:  # a link in a circle: its reader will tell
                is_dir = False
            if not is_dir:
                yield place, entry.name
            elif not entry.name.startswith("."):
                places.append((f"{place}{entry.name}/", (*above, itself)))


def file_stamp(path):
    """Path, size and time of change of a file, of which a changed file changes one; None for a file that is not there."""
    try:
        status = os.stat(path)
    except OSError:
        return None
    return os.path.abspath(path), status.st_size, status.st_mtime_ns


def natural_order(id):
    """Sort key that puts ``XDU2`` before ``XDU10``. Any text has one."""
    parts = re.split(r"([0-9]+)", id)
    return [(int(part), "") if place % 2 else (0, part) for place, part in enumerate(parts)], id


def plain_name(name):
    """A folder's name without what does not count in it: case, hyphens and underscores."""
    return re.sub(r"[^a-z0-9]", "", name.lower())
