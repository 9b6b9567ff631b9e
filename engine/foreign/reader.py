"""What the predictions of another program are, decided once for all files of a folder, and how they are read.

- Images of two levels, of a palette or of colours are masks, by the rule of `datasets.mask_levels`.
- Images of more grey levels are probabilities: parts of 255, or of 65535 where they have 16 bits and use more levels than 256.
- Arrays of two numbers are masks, those of 0 to 1 probabilities, whole numbers the levels of an image. Of others it cannot be
  seen whether they are logits or scores in units of their own; it has to be said.
- What this program wrote (`results.score_map`) tells what it is.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import reduce
from operator import add
from pathlib import Path
from typing import cast

import numpy as np

from irsam_zoo.datasets.levels import MASK_LEVEL, readable
from irsam_zoo.datasets.mask_levels import mask_levels
from irsam_zoo.datasets.reader import FULL_RANGE, decode
from irsam_zoo.engine.foreign.arrays import Numbers, read_array
from irsam_zoo.engine.foreign.files import ARRAYS
from irsam_zoo.results.row import AS_GIVEN
from irsam_zoo.results.score_map import TOP, probability_logits, read_about, read_scale, restored
from irsam_zoo.zoo import Detector, UsageError, ZooError
from irsam_zoo.zoo.thresholds import ScoreKind

WHAT = "predictions"
BYTE = 255


class Kind(StrEnum):
    """What predictions are."""

    MASK = "mask"
    PROBABILITY = "probability"
    LOGIT = "logit"
    RAW = "raw"

    @property
    def scores(self) -> ScoreKind | None:
        """What a method calls such scores; None of masks, which have none."""
        return None if self is Kind.MASK else cast(ScoreKind, self.value)


# Where each kind is cut unless it is said.
THRESHOLDS = {
    Kind.MASK: AS_GIVEN,
    Kind.PROBABILITY: "fixed(0.5)",
    Kind.LOGIT: "fixed(0)",
    Kind.RAW: Detector.default_threshold,
}


@dataclass(frozen=True)
class Reader:
    """How the files of one folder are read.

    Attributes:
        kind (Kind): What they are.
        threshold: The policy that cuts them unless another is said, or `AS_GIVEN`.
        read: A path to HxW scores of the kind, of a mask 0 and 1; ZooError where the file cannot be read.
        texts: What was decided, a line each.
        has_levels: Whether a file that can be read holds more than the level of an empty prediction; False where such a level
            is not known, as that of logits.
    """

    kind: Kind
    threshold: str
    read: Callable[[Path], np.ndarray]
    texts: tuple[str, ...] = ()
    has_levels: Callable[[Path], bool] = lambda path: False


def open_predictions(folder: Path, paths: Sequence[Path], kind: str | None = None) -> Reader:
    """Decide how the files of a folder are read.

    Arguments:
        folder (Path): The folder.
        paths (list[Path]): The files of it that are to be read.
        kind: A value of `Kind`, where the user says what they are.

    Returns:
        Reader

    Raises:
        UsageError: What they are cannot be seen, or some are arrays and some images.
        ZooError: None can be read.
    """
    arrays = [path for path in paths if path.suffix.lower() in ARRAYS]
    if arrays and len(arrays) < len(paths):
        raise UsageError(f"{folder} holds arrays of some images and pictures of others; keep one sort of prediction")
    about = read_about(folder)
    said = Kind(kind) if kind else Kind(about.kind) if about else None
    reader = (_of_arrays if arrays else _of_images)(paths, said)
    return replace(reader, threshold=about.threshold) if about is not None and reader.kind == about.kind else reader


def _of_images(paths: Sequence[Path], kind: Kind | None) -> Reader:
    scales = {path: scale for path in paths if (scale := read_scale(path))}
    if kind in (None, Kind.RAW) and len(scales) == len(paths):
        return Reader(Kind.RAW, THRESHOLDS[Kind.RAW], lambda path: restored(decode(path).levels, scales[path]))
    levels = mask_levels(paths, WHAT)
    if kind is None:
        coloured = levels.indexed or levels.alpha or levels.background is not None
        kind = Kind.MASK if coloured or len(_some_levels(paths)) < 3 else Kind.PROBABILITY

    def part(path: Path) -> np.ndarray:
        """A picture as parts of its highest possible level."""
        stored = decode(path)
        if stored.levels.dtype == np.uint16 and stored.levels.ndim == 2 and levels.used == FULL_RANGE:
            return stored.levels / TOP
        return levels.read(path).pixels / BYTE

    def has_levels(path: Path) -> bool:
        return bool(levels.read(path).pixels.any())

    if kind is Kind.MASK:
        return Reader(
            kind,
            THRESHOLDS[kind],
            lambda path: (levels.read(path).pixels > MASK_LEVEL).astype(np.float32),
            levels.texts,
            has_levels,
        )
    if kind is Kind.LOGIT:
        return Reader(kind, THRESHOLDS[kind], lambda path: probability_logits(part(path)))
    return Reader(kind, THRESHOLDS[kind], part, (f"{WHAT} hold grey levels, which are taken for {_words(kind)}",), has_levels)


def _of_arrays(paths: Sequence[Path], kind: Kind | None) -> Reader:
    if kind is Kind.LOGIT or kind is Kind.RAW:
        return Reader(kind, THRESHOLDS[kind], read_array)
    numbers = reduce(add, _readable_numbers(paths))
    low, high = numbers.low, numbers.high
    top = next((top for top in (1, BYTE, TOP) if high <= top), None)
    two = len(numbers.some) < 3
    if low < 0 or top is None or (top > 1 and not (numbers.whole or two)):
        raise UsageError(
            f"{paths[0].parent} holds arrays with numbers from {low:g} to {high:g}; say by --scores logit or --scores raw what "
            "they are"
        )
    kind = kind or (Kind.MASK if two else Kind.PROBABILITY)

    def has_levels(path: Path) -> bool:
        return bool((read_array(path) > low).any())

    if kind is Kind.MASK:
        cut = low if two and low < high else top / 2
        return Reader(kind, THRESHOLDS[kind], lambda path: (read_array(path) > cut).astype(np.float32), has_levels=has_levels)
    text = f"{WHAT} are arrays of numbers from {low:g} to {high:g}, which are taken for {_words(kind)}, parts of {top}"
    return Reader(kind, THRESHOLDS[kind], lambda path: read_array(path) / top, (text,), has_levels)


def _words(kind: Kind) -> str:
    return "probabilities" if kind is Kind.PROBABILITY else "scores"


def _some_levels(paths: Sequence[Path]) -> set[int]:
    """The levels that images hold, or more than two of them."""
    found = set()
    for levels in readable(lambda stored: np.unique(stored.levels).tolist(), paths):
        found.update(levels)
        if len(found) > 2:
            break
    return found


def _readable_numbers(paths: Sequence[Path]) -> list[Numbers]:
    """The `Numbers` of the arrays that can be read."""
    found: list[Numbers] = []
    error = None
    for path in paths:
        try:
            found.append(Numbers.of(read_array(path)))
        except ZooError as unread:
            error = unread
    if not found and error is not None:
        raise error
    return found
