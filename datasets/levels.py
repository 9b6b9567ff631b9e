"""How the grey levels of 16-bit images are read: decided once for all images of a folder, never image by image.

A 16-bit file rarely uses 16 bits: it holds the 12 or 14 bits of a camera, or 8-bit levels. Which range is in use is seen from
all files of a folder, its training images and its test images alike.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from pathlib import Path
from threading import Lock
from typing import NamedTuple, TypeVar

import numpy as np

from irsam_zoo.datasets.reader import FULL_RANGE, Header, Stored, decode, read_header
from irsam_zoo.zoo.errors import ZooError
from irsam_zoo.zoo.reading import FileStamp, file_stamp

# The grey level of a mask above which a pixel is target: 128 and up, so that the grey edges of IRSTD-1k's masks fall half in.
MASK_LEVEL = 127
# The high byte is taken where the 16th bit is used and at least this range of levels, which leaves 64 grey levels.
WIDE_RANGE = 1 << 14
FEW_LEVELS = 32  # or fewer are left where a few pixels lie far from all others, as a camera's dead ones do
READERS = 4

_deciding = Lock()
T = TypeVar("T")


class ImageLevels(NamedTuple):
    """The rule for the images of one folder.

    Attributes:
        used: The range of levels that `datasets.reader.read_grey` takes.
        text: What was decided, as one line; empty where no image has 16 bits.
    """

    used: tuple[int, int] = FULL_RANGE
    text: str = ""


def image_levels(paths: Iterable[str | Path]) -> ImageLevels:
    """The `ImageLevels` of the image files of a folder; remembered until a file changes.

    Only 16-bit files are decoded. A file that cannot be read is passed over here, and an error where it is asked for.
    """
    return decided(_decide, paths)


def decided(decide: Callable[[tuple[FileStamp, ...]], T], paths: Iterable[str | Path]) -> T:
    """What a function says of files, whose stamps it takes; several threads that ask at once wait for one answer."""
    with _deciding:
        return decide(tuple(stamp for stamp in map(file_stamp, paths) if stamp is not None))


def headers(stamps: Sequence[FileStamp]) -> Iterator[tuple[str, Header]]:
    """``(path, Header)`` of each file that can be opened."""
    for path, _, _ in stamps:
        try:
            yield path, read_header(path)
        except ZooError:
            continue


def readable(function: Callable[[Stored], T], paths: Iterable[str | Path]) -> Iterator[T]:
    """Results of ``function(Stored)`` of each file that can be decoded, in order. May be left before its end."""

    def result(path):
        try:
            return function(decode(path))
        except ZooError:
            return None

    pool = ThreadPoolExecutor(READERS)
    try:
        yield from (found for found in pool.map(result, paths) if found is not None)
    finally:
        pool.shutdown(cancel_futures=True)


@lru_cache(maxsize=16)
def _decide(stamps: tuple[FileStamp, ...]) -> ImageLevels:
    deep = [path for path, header in headers(stamps) if header.deep]
    low, high, seen = FULL_RANGE[1], FULL_RANGE[0], np.zeros(256, bool)
    for least, most, high_bytes in readable(_extent, deep):
        low, high, seen = min(low, least), max(high, most), seen | high_bytes
        if _is_wide(low, high) and seen.sum() > FEW_LEVELS:
            break
    return ImageLevels() if low > high else levels_in_use(low, high, f"{len(deep)} images", int(seen.sum()))


def _extent(stored: Stored) -> tuple[int, int, np.ndarray]:
    """The lowest and the highest level of a file, and which of the 256 high bytes occur."""
    levels = stored.levels
    return int(levels.min()), int(levels.max()), np.bincount((levels >> 8).ravel(), minlength=256) > 0


def levels_in_use(low: int, high: int, what: str, high_bytes: int = 256) -> ImageLevels:
    """The `ImageLevels` for images of 16 bits.

    Arguments:
        low, high: The lowest and the highest level that they use.
        what: What the text calls them.
        high_bytes: Number of different high bytes, where it is known.
    """
    if _is_wide(low, high):
        text = f"{what} of 16 bits: the high byte is taken"
        if high_bytes <= FEW_LEVELS:
            text += f", which leaves {high_bytes} grey levels: a few pixels are far from all others"
        return ImageLevels(FULL_RANGE, text)
    if high <= 255:
        return ImageLevels((0, 255), f"{what} of 16 bits use levels up to {high}, which are taken as they are")
    text = f"{what} of 16 bits use levels {low} to {high}, which become 0 to 255, in all of them alike"
    return ImageLevels((low, high), text)


def _is_wide(low: int, high: int) -> bool:
    return high > FULL_RANGE[1] // 2 and high - low >= WIDE_RANGE
