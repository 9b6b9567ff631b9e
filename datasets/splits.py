"""Split lists: an id a line, without extension, in ``train.txt`` and ``test.txt``.

An id may be a path below the folder of images, such as ``252/1``; ``\\`` counts as ``/``.

``irsam`` holds the lists of the IRSAM repository (IPIC-Lab/IRSAM), those of its Table 1. ``dnanet`` holds the lists that
DNANet (YeRen123455/Infrared-Small-Target-Detection) and BasicIRSTD (XinyiYing/BasicIRSTD) train and test on. ``idx320``, of
NUAA-SIRST alone, holds its publisher's lists idx_320 (YimianDai/sirst): 320 of the 427 images, on which the weights that the
authors of ACM and ALCNet released were trained and tested.
"""

import os
import re
from collections.abc import Sequence
from pathlib import Path

from irsam_zoo.datasets.layouts import EXTENSIONS, UNLISTABLE
from irsam_zoo.zoo.errors import UsageError, ZooError

SPLIT_DIR = Path(__file__).parent / "splits"
DEFAULT_SPLIT = "irsam"  # that commands ask for
# The split of a data set without lists: every image is a test image.
WHOLE = "all"


def list_splits(name: str, folder: str | Path | None = None) -> list[str]:
    """Names of the splits of a data set: those of the package, and in its own folder those under ``splits/`` and the folders
    that hold both lists, such as ``50_50/``."""
    places = [SPLIT_DIR / name] + ([Path(folder) / "splits"] if folder else [])
    found = {path.parent.name for place in places for path in place.glob("*/test.txt")}
    beside = Path(folder).glob("*/test.txt") if folder else ()
    return sorted(found | {path.parent.name for path in beside if path.with_name("train.txt").is_file()})


def read_split(name: str, split: str | Path, subset: str, folder: str | Path | None = None, own: bool = False) -> list[str]:
    """Read one list.

    Arguments:
        name: Name of the data set, such as ``"nuaa-sirst"``.
        split: A name from `list_splits`, where the package's lists win over those in the data set's folder, or the path
            of a folder that holds ``train.txt`` and ``test.txt``. Lists for which `lists_at_top` is true go by any other name.
        subset: ``"train"`` or ``"test"``.
        folder (Path): The data set's own folder, or None to look in the package alone.
        own: True for a folder of the user's own: all lists in it win over those of the package.

    Returns:
        list[str]: The ids, in the order of the list.

    Raises:
        UsageError: There is no such split; the text gives the known ones.
        ZooError: The list is missing, is not UTF-8, holds nothing or an id twice, or a line that is no name below a folder.
    """
    return read_list(find_split(name, split, folder, own) / f"{subset}.txt")


def read_list(path: Path) -> list[str]:
    """The ids of one file, in their order; ZooError as for `read_split`."""
    if not path.is_file():
        raise ZooError(f"{path} is missing; a split is a train.txt and a test.txt")
    try:
        lines = re.split(r"[\r\n]+", path.read_text(encoding="utf-8-sig"))
    except UnicodeDecodeError as error:
        raise ZooError(f"{path} is not UTF-8 text; save it as UTF-8") from error
    ids = [_id_of(line.strip(), path) for line in lines if line.strip()]
    if not ids:
        raise ZooError(f"{path} lists no image; write an id a line")
    refuse_twice(ids, path)
    return ids


def refuse_twice(ids: Sequence[str], path: str | Path) -> None:
    """ZooError where a list, which the text names by its path, has an id twice."""
    if len(set(ids)) < len(ids):
        seen = set()
        twice = next(id for id in ids if id in seen or seen.add(id))
        raise ZooError(f"{path} lists {twice} twice; remove one of the lines")


def find_split(name: str, split: str | Path, folder: str | Path | None = None, own: bool = False) -> Path:
    """The folder that holds the lists of a split; arguments and errors as for `read_split`."""
    if os.sep in str(split):
        places = [Path(split)]
    else:
        package, beside = [SPLIT_DIR / name / split], [Path(folder, "splits", split), Path(folder, split)] if folder else []
        if folder and lists_at_top(name, folder, own):
            beside.append(Path(folder))
        places = beside + package if own else package + beside
    for place in places:
        if (place / "test.txt").is_file() or (place / "train.txt").is_file():
            return place
    known = list_splits(name, folder)
    place = folder or "its folder"
    remedy = f"write train.txt and test.txt (an id a line) into {place}, or say --split {WHOLE} to test on every image"
    advice = f"known: {', '.join(known)}" if known else remedy
    raise UsageError(f"no split {str(split)!r} of {name}; {advice}")


def split_name(split: str | Path) -> str:
    """What results are filed under: the split's name, or that of its folder. UsageError where that has none."""
    name = Path(split).resolve().name if os.sep in str(split) else str(split)
    if not name or name in (".", ".."):
        raise UsageError(f"split {str(split)!r} has no name to file results under; name a folder with train.txt and test.txt")
    return name


def lists_at_top(name: str, folder: str | Path, own: bool = False) -> bool:
    """Whether lists that lie in the data set's folder itself, not under ``splits/``, count; arguments as for `read_split`.

    A published set has names for its lists, so that a mistyped one is an error; a folder of the user's own with the name of
    a published set has to hold both lists, since publishers put one of theirs there.
    """
    present = [(Path(folder) / f"{subset}.txt").is_file() for subset in ("train", "test")]
    return own and all(present) if (SPLIT_DIR / name).is_dir() else any(present)


def _id_of(line: str, path: Path) -> str:
    """The id that a line of a list stands for."""
    parts = line.replace("\\", "/").split("/")  # Windows writes a\b
    if UNLISTABLE.search(line):
        raise ZooError(f"{path} has a line that is no plain text, {line!a}; write an id a line")
    name = "/".join(part for part in parts if part not in ("", "."))
    if not (name and parts[0]) or re.fullmatch("[A-Za-z]:", parts[0]) or ".." in parts:
        raise ZooError(f"{path} names {line}, which is no name below the folder of images; write ids, such as a or 252/1")
    stem, extension = os.path.splitext(name)
    return stem if extension.lower() in EXTENSIONS else name
