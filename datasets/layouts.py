"""Where the files of a data set lie: publishers' layouts and the common images/ masks/ one."""

import os
import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from irsam_zoo.zoo.errors import UsageError

ROOT_VARIABLE = "IRSAM_ZOO_DATA"
DEFAULT_ROOT = "data"
# In order of preference, should an id have several files: lossless first.
EXTENSIONS = (".png", ".bmp", ".tif", ".tiff", ".jpg", ".jpeg")
MOST_NAMED = 5  # folders that a text names
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
MOST_FOLDERS = 100_000  # below one, each counted once a way to it


class Location(NamedTuple):
    """A data set on disk: its folder, and the folders of its images and of its masks."""

    folder: Path
    images: Path
    masks: Path


def find_root(root: str | Path | None = None) -> Path | None:
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


def open_folder(folder: Path, pairs: Sequence[tuple[str, str]] = PAIRS_OF_FOLDERS) -> Location | None:
    """The `Location` of a folder that holds a pair of image and mask folders, or None.

    Arguments:
        folder (Path): That of the data set.
        pairs: Paths below it of the folders of images and of masks, in order of preference; case does not count.
    """
    for images, masks in pairs:
        found = _inside(folder, images), _inside(folder, masks)
        if found[0] and found[1]:
            return Location(folder, found[0], found[1])
    return None


def _inside(folder: Path, path: str) -> Path | None:
    """The folder at a path below another one, whatever the case of its letters, or None."""
    for part in path.split("/"):
        named = sorted(place for place in folder.iterdir() if place.name.lower() == part.lower() and place.is_dir())
        if not named:
            return None
        folder = named[0]
    return folder


def locate(root: Path, folder_names: Sequence[str], opener: Callable[[Path], Location | None] = open_folder) -> Location | None:
    """Look for a data set under a root.

    Arguments:
        root (Path): The folder that holds data sets, or the data set's own folder.
        folder_names: Names the folder may have. Case, hyphens and underscores do not count.
        opener: Function from a folder to its `Location`, or None.

    Returns:
        Location | None: None where no such folder with images and masks is there. An archive's folder of such a name may lie in
        another one of such a name.
    """
    named = named_folders(root, folder_names)
    for folder in named + [below for above in named for below in named_folders(above, folder_names)]:
        if location := opener(folder):
            return location
    return None


def named_folders(root: Path, folder_names: Sequence[str]) -> list[Path]:
    """The folder itself and those in it, as far as they have one of these names, in the order of the names."""
    candidates = {}
    for folder in [root, *_folders_in(root)]:
        candidates.setdefault(plain_name(folder.resolve().name if folder is root else folder.name), []).append(folder)
    return [folder for name in folder_names for folder in candidates.get(plain_name(name), [])]


def what_is_in(folder: Path) -> str:
    """The folders in a folder in words, and where images/ and masks/ lie below them: ``"it holds img/, gt/"``."""
    inside = _folders_in(folder)
    pairs = [below for below in inside if open_folder(below)]
    if pairs:
        return f"images/ and masks/ are in {', '.join(map(str, pairs[:MOST_NAMED]))}"
    names = [f"{below.name}/" for below in inside[:MOST_NAMED]] + ["..."] * (len(inside) > MOST_NAMED)
    return f"it holds {', '.join(names) or 'no folder'}"


def _folders_in(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.is_dir() and not path.name.startswith("."))


def index_files(folder: Path, suffix: str = "", extensions: Sequence[str] = EXTENSIONS) -> dict[str, list[Path]]:
    """The image files of a folder and of its sub-folders, by id, in natural order.

    Arguments:
        folder (Path): Hidden files and sub-folders are passed over; linked sub-folders are followed.
        suffix: An ending of the file's stem that is not part of the id, such as ``"_pixels0"``.
        extensions: Of the files, in order of preference.

    Returns:
        dict[str, list[Path]]: An id is the path below the folder, with ``/`` and without extension, such as ``"252/1"``, its
        letters composed (NFC). Of several files of one id the one to read comes first.

    Raises:
        UsageError: A file's name cannot be written into a list: it has a control character, or is not UTF-8.
    """
    files = {}
    for place, name in _walk(folder):
        stem, extension = os.path.splitext(name)
        if extension.lower() in extensions and not stem.startswith("."):
            id = one_form(place + stem.removesuffix(suffix))
            if UNLISTABLE.search(id):
                raise UsageError(f"{folder} has a file whose name is not plain text, {place + name!a}; rename it")
            files.setdefault(id, []).append((extensions.index(extension.lower()), place + name))
    return {id: [Path(folder, name) for _, name in sorted(files[id])] for id in sorted(files, key=natural_order)}


def other_files(folder: Path) -> list[str]:
    """Names of the files below a folder that may hold pictures in forms that are not read: neither hidden nor documents."""
    passed = []
    for place, name in _walk(folder):
        extension = os.path.splitext(name)[1].lower()
        if extension and extension not in (*EXTENSIONS, *DOCUMENTS) and not name.startswith("."):
            passed.append(place + name)
    return sorted(passed, key=natural_order)


def in_another_form(folder: Path, id: str, *, documents: bool) -> str:
    """The file of an id in a form that is not read, and what to do with it, in words; empty where there is none.

    Arguments:
        documents: Whether annotations count, such as boxes in XML.
    """
    place, _, stem = id.rpartition("/")
    beside = Path(folder, place)
    for name in sorted(path.name for path in beside.iterdir()) if beside.is_dir() else ():
        itself, extension = os.path.splitext(name)
        of_documents = extension.lower() in DOCUMENTS
        if extension and one_form(itself) == stem and (documents or not of_documents):
            remedy = "convert it to a PNG"
            if of_documents:
                remedy = "boxes and polygons have to be drawn as a mask first, a PNG of 0 and 255"
            return f"{name}, which is not read: {remedy}"
    return ""


def _walk(folder: Path) -> Iterator[tuple[str, str]]:
    """Every file below a folder as the path of its own folder, empty or with ``/`` at its end, and its name."""
    places: list[tuple[str, tuple[tuple[int, int], ...]]] = [("", ())]
    number = 0
    while places:
        place, above = places.pop()
        number += 1
        if number > MOST_FOLDERS:  # links to links to links: ten levels of two each are a thousand ways
            raise UsageError(f"{folder} has more than {MOST_FOLDERS} folders, by its links; take out those in circles")
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


def natural_order(id: str) -> tuple[list[tuple[int, str]], str]:
    """Sort key that puts ``XDU2`` before ``XDU10``. Any text has one."""
    parts = re.split(r"([0-9]+)", id)
    return [(int(part), "") if place % 2 else (0, part) for place, part in enumerate(parts)], id


def one_form(name: str) -> str:
    """A name with composed letters: an e and an accent, as some archives hold them, are one letter and look the same."""
    return unicodedata.normalize("NFC", name)


def plain_name(name: str) -> str:
    """A folder's name without what does not count in it: case, hyphens and underscores."""
    return re.sub(r"[^a-z0-9]", "", name.lower())
