"""Which pixels of a mask are target: decided once for all masks of a folder, never mask by mask.

Masks, and predictions of other toolboxes, are stored in more ways than 0 and 255. Each way is seen from all files together:

- grey: a level above 127 is target; where the folder holds a single level besides 0, and a lower one, that level is;
- 16 bits: where every file holds a single level besides 0, that is target, though another program's files hold another one;
  else levels up to 255 as those of 8 bits, or by the high byte;
- a palette of colours, such as labelme's: every index but 0;
- colours: what differs from the background, which is black, or the most common colour where nothing is black;
- alpha over a single colour: the alpha.

A mask is never inverted: where target covers more than half of the image, `datasets.remarks` says so.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np

from irsam_zoo.datasets.levels import MASK_LEVEL, decided, headers, readable
from irsam_zoo.datasets.reader import FULL_RANGE, PALETTE_MODES, GreyFile, Stored, decode, luma, to_eight_bits
from irsam_zoo.zoo.reading import FileStamp

Colour = tuple[int, int, int]
BLACK = (0, 0, 0)
# Label colours are few; more are soft edges or the noise of a JPEG.
FEW = 32
# A channel may differ from another one by this much in a grey JPEG.
JPEG_NOISE = 32
MOST_COLOURS = 1 << 16
FEW_NAMED = 5  # levels that a text names


class MaskLevels(NamedTuple):
    """The rule for the masks of one folder.

    Attributes:
        used: The range of levels of 16-bit files, as `datasets.reader.to_eight_bits` takes it.
        level: The one level that is target, or None for all above 127.
        deep_single: Whether the one level of a 16-bit file besides 0 is target, whatever it is.
        indexed: Whether every palette index but 0 is target.
        background: The colour of what is no target, or None where no mask is in colour.
        soft: Whether a colour has to differ from it by more than 127 in a channel, rather than at all.
        alpha: Whether the mask is in the alpha channel.
        texts: What was decided, a line each; none for plain grey masks of 8 bits.
    """

    used: tuple[int, int] = FULL_RANGE
    level: int | None = None
    deep_single: bool = False
    indexed: bool = False
    background: Colour | None = None
    soft: bool = False
    alpha: bool = False
    texts: tuple[str, ...] = ()

    def read(self, path: str | Path) -> GreyFile:
        """Decode one of the masks; errors as for `datasets.reader.decode`.

        Returns:
            GreyFile: HxW uint8 pixels, of which those above 127 are target, and the stored mode.
        """
        return self.label_of(decode(path))

    def label_of(self, stored: Stored) -> GreyFile:
        """As `read`, of a `datasets.reader.Stored`."""
        return GreyFile(self._label(stored), stored.mode)

    def _label(self, stored: Stored) -> np.ndarray:
        levels = stored.levels
        if self.alpha and stored.alpha is not None:
            levels = stored.alpha
        elif stored.palette is not None:
            if self.indexed:
                return _all_or_nothing(levels != 0)
            levels = stored.palette[levels]
        elif levels.dtype == np.uint16 and levels.ndim == 2:
            if self.deep_single:
                return _all_or_nothing(levels != 0)
            # A level whose high byte is 0 is none, so that a mask of such levels is told from an empty one.
            levels = np.maximum(to_eight_bits(levels, self.used), levels != 0)
        levels = to_eight_bits(levels, self.used)
        if levels.ndim == 3:
            if self.background is not None:
                return self._difference(levels)
            levels = luma(levels)
        return levels if self.level is None else _all_or_nothing(levels == self.level)

    def _difference(self, colours: np.ndarray) -> np.ndarray:
        background = np.array(self.background, np.int16)
        most = np.abs(colours - background).max(axis=2)
        return most.astype(np.uint8) if self.soft else _all_or_nothing(most > 0)


def mask_levels(paths: Iterable[str | Path], what: str = "masks") -> MaskLevels:
    """The `MaskLevels` of the mask files of a folder; remembered until a file changes.

    Of grey 8-bit files as many are decoded as it takes to see a level above 127, mostly one; all others are. A file that
    cannot be read is passed over here, and an error where it is asked for.

    Arguments:
        paths: The files.
        what: What the texts call them.
    """
    return decided(lambda stamps: _decide(stamps, what), paths)


@lru_cache(maxsize=16)
def _decide(stamps: tuple[FileStamp, ...], what: str) -> MaskLevels:
    plain, others, count = [], [], Counter()
    for path, header in headers(stamps):
        (plain if header.mode in ("L", "1") and not header.deep else others).append(path)
        held = {"deep": header.deep, "palette": header.mode in PALETTE_MODES, "alpha": header.mode in ("LA", "RGBA")}
        count.update(kind for kind in held if held[kind])
    seen = _Seen()
    for one in readable(_Seen.of, plain):
        seen.add(one)
        if max(seen.grey) > MASK_LEVEL or len(seen.grey - {0}) > 1:
            break
    for one in readable(_Seen.of, others):
        seen.add(one)
    return _rule(seen, count, what)


class _Seen:
    """What some masks of a folder hold.

    Attributes:
        grey, deep, alpha: Sets of levels: of 8-bit files, of 16-bit ones, and of alpha channels.
        colours, under_alpha: Pixels by ``(deep, colour)``, of files without alpha and of files with it.
        palette: Pixels by ``(index, colour)``.
        black_index: Whether an index other than 0 is black in a file whose index 0 is not.
        soft: Whether a 16-bit file holds several levels besides 0.
    """

    def __init__(self):
        self.grey: set[int] = set()
        self.deep: set[int] = set()
        self.alpha: set[int] = set()
        self.colours: Counter[tuple[bool, Colour]] = Counter()
        self.under_alpha: Counter[tuple[bool, Colour]] = Counter()
        self.palette: Counter[tuple[int, Colour]] = Counter()
        self.black_index = self.soft = False

    @classmethod
    def of(cls, stored: Stored) -> "_Seen":
        """What one decoded file holds."""
        seen, levels, deep = cls(), stored.levels, stored.levels.dtype == np.uint16
        if stored.palette is not None:
            for index, pixels in _counts(levels).items():
                seen.palette[index, tuple(stored.palette[index].tolist())] = pixels
            seen.black_index = stored.palette[0].any() and any(colour == BLACK for _, colour in seen.palette)
        elif stored.alpha is not None:
            seen.alpha.update(_counts(stored.alpha))
            seen.under_alpha.update({(deep, colour): pixels for colour, pixels in _colours(levels).items()})
        elif levels.ndim == 3:
            seen.colours.update({(deep, colour): pixels for colour, pixels in _colours(levels).items()})
        else:
            (seen.deep if deep else seen.grey).update(_counts(levels))
            seen.soft = len(seen.deep - {0}) > 1
        return seen

    def add(self, other: "_Seen") -> None:
        """Take in what other files hold."""
        for name in ("grey", "deep", "alpha"):
            getattr(self, name).update(getattr(other, name))
        for name in ("colours", "under_alpha", "palette"):
            if len(getattr(self, name)) < MOST_COLOURS:
                getattr(self, name).update(getattr(other, name))
        self.black_index |= bool(other.black_index)
        self.soft |= other.soft


def _rule(seen: _Seen, count: Counter[str], what: str) -> MaskLevels:
    """The `MaskLevels` for files of which all was seen that matters; ``count`` says how many are of which kind."""
    alpha = len(seen.under_alpha) == 1 and len(seen.alpha) > 1
    indexed = _is_indexed(seen)
    stored = seen.colours if alpha else seen.colours + seen.under_alpha
    deepest = [*seen.deep, *(max(colour) for deep, colour in stored if deep), *(seen.alpha if alpha else ())]
    used = FULL_RANGE if max(deepest, default=0) > 255 else (0, 255)
    colours: Counter[Colour] = Counter()
    for (deep, colour), pixels in stored.items():
        colours[_eight_bit_colour(colour, used) if deep else colour] += pixels
    for (_, colour), pixels in seen.palette.items():
        colours[colour] += 0 if indexed else pixels
    colours = +colours
    background, soft = _background(colours)
    grey = set(seen.grey)
    if background is None:
        grey.update(int(luma(np.array([[colour]], np.uint8))[0, 0]) for colour in colours)
    deep = seen.deep - {0}
    deep_single = bool(deep) and not seen.soft and (used == FULL_RANGE or (len(deep) > 1 and not grey - {0}))
    if used != FULL_RANGE and not deep_single:
        grey |= seen.deep | (seen.alpha if alpha else set())
    level = _single(grey)
    rule = MaskLevels(
        used=used,
        level=level if level is not None and level <= MASK_LEVEL else None,
        deep_single=deep_single,
        indexed=indexed,
        background=background,
        soft=soft,
        alpha=alpha,
    )
    return rule._replace(texts=tuple(_texts(rule, max(deepest, default=0), sorted(deep), count, what)))


def _texts(rule: MaskLevels, deepest: int, deep: list[int], count: Counter[str], what: str) -> Iterator[str]:
    if count["deep"]:
        how = "are read by the high byte, so that a level of 32768 and more is target"
        if rule.deep_single:
            how = f"hold two levels, 0 and {deep[0]}: {deep[0]} is target"
            if len(deep) > 1:
                some = ", ".join(map(str, deep[:FEW_NAMED])) + ", ..." * (len(deep) > FEW_NAMED)
                how = f"hold one level besides 0 each, {some} in all: it is target"
        elif rule.used != FULL_RANGE:
            how = f"hold levels up to {deepest}, which are taken as they are"
        yield f"{count['deep']} {what} of 16 bits {how}"
    if rule.level is not None:
        yield f"{what} hold two levels, 0 and {rule.level}, none above {MASK_LEVEL}: {rule.level} is target"
    if rule.indexed:
        yield f"{count['palette']} {what} with a palette: every index but 0 is target"
    if rule.background is not None:
        by = f" by more than {MASK_LEVEL} in a channel" if rule.soft else ""
        yield f"{what} in colour: what differs from the background, {rule.background},{by} is target"
    if rule.alpha:
        yield f"{count['alpha']} {what} of a single colour with alpha: an alpha above {MASK_LEVEL} is target"


def _is_indexed(seen: _Seen) -> bool:
    """Whether palette indices are labels, rather than a way to store grey levels or colours."""
    colours = {colour for _, colour in seen.palette}
    if not colours or seen.black_index or len({index for index, _ in seen.palette}) > FEW:
        return False
    return any(len(set(colour)) > 1 for colour in colours) or max(map(max, colours)) <= MASK_LEVEL


def _background(colours: Counter[Colour]) -> tuple[Colour | None, bool]:
    """The colour that is no target, or None where these are grey; and whether colours near it are soft edges or noise."""
    few = len(colours) <= FEW
    if max((max(colour) - min(colour) for colour in colours), default=0) <= (0 if few else JPEG_NOISE):
        return None, False
    background = BLACK if BLACK in colours else max(colours, key=colours.__getitem__)
    others = [max(abs(a - b) for a, b in zip(colour, background, strict=True)) for colour in colours if colour != background]
    return background, not few or (max(others, default=0) > MASK_LEVEL and min(others) <= JPEG_NOISE)


def _eight_bit_colour(colour: Colour, used: tuple[int, int]) -> Colour:
    return tuple(to_eight_bits(np.array(colour, np.uint16), used).tolist())


def _single(levels: Iterable[int]) -> int | None:
    """The one level besides 0, or None."""
    rest = set(levels) - {0}
    return rest.pop() if len(rest) == 1 else None


def _counts(levels: np.ndarray) -> dict[int, int]:
    """Pixels by level of an array of uint8 or uint16."""
    pixels = np.bincount(levels.ravel())
    return {int(level): int(pixels[level]) for level in np.flatnonzero(pixels)}


def _colours(levels: np.ndarray) -> dict[Colour, int]:
    """Pixels by colour of an HxWx3 array, or of an HxW one whose levels stand for grey."""
    if levels.ndim == 2:
        return {(level, level, level): pixels for level, pixels in _counts(levels).items()}
    if (levels == levels[..., :1]).all():
        return _colours(levels[..., 0])
    codes = levels.astype(np.uint64) @ np.array([1 << 32, 1 << 16, 1], np.uint64)
    first = codes.ravel()[0]  # most pixels of a mask are background, which need not be sorted
    other, pixels = np.unique(codes[codes != first], return_counts=True)
    found = {int(first): int(codes.size - pixels.sum())} | dict(zip(other.tolist(), pixels.tolist(), strict=True))
    return {(code >> 32, code >> 16 & 0xFFFF, code & 0xFFFF): count for code, count in found.items()}


def _all_or_nothing(target: np.ndarray) -> np.ndarray:
    return target.astype(np.uint8) * np.uint8(255)
