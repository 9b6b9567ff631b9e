"""Split lists: an id a line, without extension, in ``train.txt`` and ``test.txt``.

``irsam`` holds the lists of the IRSAM repository (IPIC-Lab/IRSAM), those of its Table 1. ``dnanet`` holds the lists that
DNANet (YeRen123455/Infrared-Small-Target-Detection) and BasicIRSTD (XinyiYing/BasicIRSTD) train and test on.
"""

import os
from pathlib import Path

from datasets.layouts import EXTENSIONS
from zoo.errors import UsageError, ZooError

SPLIT_DIR = Path(__file__).parent / "splits"


def list_splits(name, folder=None):
    """Names of the splits of a data set: those of the package, and those under ``splits/`` in the data set's own folder."""
    places = [SPLIT_DIR / name] + ([Path(folder) / "splits"] if folder else [])
    return sorted({path.parent.name for place in places for path in place.glob("*/test.txt")})


def read_split(name, split, subset, folder=None):
    """Read one list.

    Arguments:
        name: Name of the data set, such as ``"nuaa-sirst"``.
        split: A name from `list_splits`, where the package's lists win over those in the data set's folder, or the path
            of a folder that holds ``train.txt`` and ``test.txt``. For a data set without lists in the package, those that
            lie in its folder itself go by any other name.
        subset: ``"train"`` or ``"test"``.
        folder (Path): The data set's own folder, or None to look in the package alone.

    Returns:
        list[str]: The ids, in the order of the list.

    Raises:
        UsageError: There is no such split; the text gives the known ones.
        ZooError: The list is missing, or holds nothing, or an id twice.
    """
    path = find_split(name, split, folder) / f"{subset}.txt"
    if not path.is_file():
        raise ZooError(f"{path} is missing; a split is a train.txt and a test.txt")
    ids = [_without_extension(line.strip()) for line in path.read_text().splitlines() if line.strip()]
    if not ids:
        raise ZooError(f"{path} lists no image; write an id a line")
    if len(set(ids)) < len(ids):
        twice = next(id for id in ids if ids.count(id) > 1)
        raise ZooError(f"{path} lists {twice} twice; remove one of the lines")
    return ids


def find_split(name, split, folder=None):
    """The folder that holds the lists of a split; arguments and errors as for `read_split`."""
    package = SPLIT_DIR / name
    if os.sep in str(split):
        places = [Path(split)]
    else:
        places = [package / split] + ([Path(folder) / "splits" / split] if folder else [])
        if folder and not package.is_dir():  # a published set has names for its lists, so a mistyped one is an error
            places.append(Path(folder))
    for place in places:
        if (place / "test.txt").is_file() or (place / "train.txt").is_file():
            return place
    known = list_splits(name, folder)
    remedy = f"write train.txt and test.txt (an id a line) into {folder or 'its folder'}, or take subset 'all'"
    advice = f"known: {', '.join(known)}" if known else remedy
    raise UsageError(f"no split {str(split)!r} of {name}; {advice}")


def overlap(name, split, other):
    """Test ids of one split that are training ids of another one, in the order of the test list."""
    training = set(read_split(name, other, "train"))
    return [id for id in read_split(name, split, "test") if id in training]


def _without_extension(line):
    stem, extension = os.path.splitext(line)
    return stem if extension.lower() in EXTENSIONS else line
