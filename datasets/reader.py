"""From a published image file to 8-bit grey. The one rule that every data set is read by.

- ``L`` as it is; ``1`` becomes 0 and 255.
- ``RGB`` by ITU-R 601 luma in Pillow's fixed point, ``(19595 R + 38470 G + 7471 B + 32768) >> 16``. The weights sum to
  65536, so three equal channels give exactly that channel. MATLAB's rgb2gray differs by 1 at most.
- ``P`` through its palette to RGB first: Pillow's direct way to ``L`` truncates where RGB rounds.
- ``RGBA``, ``LA``, ``PA`` and a transparent colour: alpha is dropped, never blended.
- 16 bits, grey or colour: by a range of levels that is decided once for all images of a folder (`datasets.levels`).
- TIFF of 16 bits whose zero is white: turned into what a viewer shows, as Pillow does of 8 bits.
- An orientation, of EXIF or TIFF, is not applied: masks carry none. It is told.

Masks are read by the rule that `datasets.mask_levels` decides once for all of their folder.
"""

import os
import stat
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import IO, NamedTuple, TypeVar

import cv2
import numpy as np
from PIL import Image
from PIL.ImageFile import ImageFile

from irsam_zoo.datasets.completeness import is_complete
from irsam_zoo.datasets.orientation import ON_THEIR_SIDE, UPRIGHT, orientation_of, stored_pixels
from irsam_zoo.datasets.png_chunks import without_text
from irsam_zoo.datasets.tiff import BITS, PHOTOMETRIC, PLANES, tags_of, turn_to_the_picture
from irsam_zoo.zoo.errors import ZooError, visible

FORMATS = ("PNG", "BMP", "TIFF", "JPEG")
# Of one file: 10000 x 10000, of which a method's float64 copy has 800 MB. A file of 160 KiB may say that it has any number.
MOST_PIXELS = 100_000_000
Image.MAX_IMAGE_PIXELS = None
FULL_RANGE = (0, 65535)
# Widths that differ from the image's by more than this fraction, after scaling to its height, are another image's mask.
ASPECT_TOLERANCE = 0.1
SIXTEEN_BIT_MODES = ("I;16", "I;16L", "I;16B", "I;16N")
PALETTE_MODES = ("P", "PA")
T = TypeVar("T")
MODES = ("1", "L", "LA", "RGB", "RGBA", "RGBX", *PALETTE_MODES, *SIXTEEN_BIT_MODES)


class Stored(NamedTuple):
    """A decoded file as it is stored.

    Attributes:
        levels: HxW grey levels or palette indices, or HxWx3 colours; uint8, or uint16 where the file has 16 bits.
        mode: Pillow's name of how the file is stored.
        palette: 256x3 uint8, or None.
        alpha: HxW of the type of ``levels``, or None.
        orientation: 1 to 8, as EXIF counts them: what a viewer would turn, and ``levels`` are not.
    """

    levels: np.ndarray
    mode: str
    palette: np.ndarray | None = None
    alpha: np.ndarray | None = None
    orientation: int = UPRIGHT


class Header(NamedTuple):
    """What a file says before its pixels: Pillow's ``mode``, and ``deep``, True for 16 bits a channel."""

    mode: str
    deep: bool


class GreyFile(NamedTuple):
    """A decoded file: HxW uint8 ``pixels`` and the Pillow ``mode`` that the file was stored in."""

    pixels: np.ndarray
    mode: str


def read_header(path: str | Path) -> Header:
    """The `Header` of a file; its pixels are not decoded. ZooError as for `decode`."""
    return open_picture(path, _header)


def decode(path: str | Path) -> Stored:
    """Decode one image or mask file.

    Arguments:
        path (Path): A PNG, BMP, TIFF or JPEG file, whatever its name ends in, of one picture of at most 100 million pixels.

    Returns:
        Stored

    Raises:
        ZooError: The file is missing, empty, truncated, too large, of another format, of several pictures, or of a mode without
            a rule.
    """
    return open_picture(path, lambda image: _stored(image, path))


def read_grey(path: str | Path, used: tuple[int, int] = FULL_RANGE) -> GreyFile:
    """Decode one image file to grey; arguments and errors as for `decode`.

    Arguments:
        used: The range of levels that 16-bit files use; see `to_eight_bits`.

    Returns:
        GreyFile: HxW uint8 pixels, 0..255, and the stored mode.
    """
    return grey_of(decode(path), used)


def grey_of(stored: Stored, used: tuple[int, int] = FULL_RANGE) -> GreyFile:
    """As `read_grey`, of a `Stored`."""
    levels = to_eight_bits(stored.levels, used)
    if stored.palette is not None:
        return GreyFile(luma(stored.palette[None])[0][levels], stored.mode)
    return GreyFile(luma(levels) if levels.ndim == 3 else levels, stored.mode)


def read_colour(path: str | Path) -> np.ndarray:
    """The three channels of an image file, as authors' loaders take them; errors as for `decode`.

    Returns:
        np.ndarray: HxWx3 uint8, equal channels for a grey file; of 16 bits the high byte.
    """
    stored = decode(path)
    levels = to_eight_bits(stored.levels)
    if stored.palette is not None:
        return stored.palette[levels]
    return levels if levels.ndim == 3 else np.repeat(levels[..., None], 3, axis=2)


def read_opencv_grey(path: str | Path) -> np.ndarray:
    """The grey of an image file as ``cv2.imread`` makes it, which some authors' loaders call; errors as for `decode`.

    Returns:
        np.ndarray: HxW uint8. Of a coloured PNG the levels are up to 2 beside those of `read_grey`.
    """
    decode(path)  # which says what is wrong with a file
    grey = cv2.imdecode(np.fromfile(path, np.uint8), cv2.IMREAD_GRAYSCALE | cv2.IMREAD_IGNORE_ORIENTATION)
    if grey is None:
        raise ZooError(f"{path} cannot be read by OpenCV; store it as a PNG")
    return grey


def to_eight_bits(levels: np.ndarray, used: tuple[int, int] = FULL_RANGE) -> np.ndarray:
    """Levels of 16 bits as uint8; those of 8 bits stay as they are.

    Arguments:
        levels: uint8 or uint16 array.
        used: Lowest and highest level of the range in use, which becomes 0 and 255: ``(0, 255)`` keeps the levels, and
            `FULL_RANGE` takes the high byte, which is also what Pillow does of a 16-bit RGB file.
    """
    if levels.dtype == np.uint8:
        return levels
    low, high = used
    if (low, high) == FULL_RANGE:
        return (levels >> 8).astype(np.uint8)
    every_level = np.clip(np.arange(65536), low, high) - low
    return np.round(every_level * (255 / max(high - low, 1))).astype(np.uint8)[levels]


def luma(colours: np.ndarray) -> np.ndarray:
    """HxW uint8 grey levels of HxWx3 uint8 colours."""
    return np.array(Image.fromarray(np.ascontiguousarray(colours)).convert("L"))


def fit_label(label: np.ndarray, shape: tuple[int, ...], path: str | Path = "", orientations: Iterable[int] = ()) -> np.ndarray:
    """Bring a mask to its image's size by nearest neighbour, sampled at pixel centres as Pillow does.

    NUAA-SIRST's Misc_111 needs it: its image is 325x220, its mask 592x400. The literature's loaders resize such a mask.

    Arguments:
        label: HxW uint8.
        shape: Height and width of the image.
        path: The mask's file, and
        orientations: Those of image and mask, for the error.

    Raises:
        ZooError: The proportions differ by more than a tenth, so that the mask is of another image.
    """
    if label.shape == tuple(shape):
        return label
    height, width = shape
    scaled_width = label.shape[1] * height / label.shape[0]
    if abs(scaled_width - width) > ASPECT_TOLERANCE * width:
        why = "so this is no mask of that image; get the pair again from the publisher"
        if not {*orientations}.isdisjoint(ON_THEIR_SIDE):
            why = "and one has an orientation, which is not applied; store both upright, as they are to be read"
        raise ZooError(
            f"{path} is {label.shape[1]}x{label.shape[0]} but its image is {width}x{height}: the proportions differ, {why}"
        )
    return np.array(Image.fromarray(label).resize((width, height), Image.Resampling.NEAREST))


def open_picture(
    path: str | Path, use: Callable[[ImageFile], T], formats: tuple[str, ...] = FORMATS, most: int = MOST_PIXELS
) -> T:
    """What a function says of an opened picture: the one door that files of pictures go through.

    Arguments:
        path: The file.
        use: Function of a Pillow image.
        formats: Of Pillow, that the file may have, whatever its name ends in.
        most: Pixels that it may have.

    Raises:
        ZooError: As for `decode`, or `use` fails.
    """
    try:
        if not stat.S_ISREG(os.stat(path).st_mode) and not os.path.isdir(path):  # a pipe, which would wait for ever
            raise ZooError(f"{path} is no file of bytes but a device or a pipe; remove it")
        try:
            with open(path, "rb") as file:  # by its path Pillow maps a TIFF into memory, by the size that it is shown in
                return _used(file, path, use, formats, most)
        except ValueError as error:
            if "MAX_TEXT" not in str(error):  # Pillow's bound for texts and profiles of PNG, which nothing here needs
                raise
            return _used(without_text(path), path, use, formats, most)
    except ZooError:
        raise
    except Exception as error:  # damaged bytes fail anywhere in a decoder, with any exception
        raise ZooError(f"{path} {_what_is_wrong(path, error)}") from error


def _used(source: IO[bytes], path: str | Path, use: Callable[[ImageFile], T], formats: tuple[str, ...], most: int) -> T:
    """What a function says of the picture in a file, whose bytes are read from a source."""
    with Image.open(source, formats=formats) as image:
        turn_to_the_picture(image, path)
        pixels = image.width * image.height
        if pixels > most:
            size = f"{image.width}x{image.height}, {pixels / 1e6:.0f} million pixels"
            limit = f"files of up to {most // 10**6} million are read"
            raise ZooError(f"{path} is too large ({size}): {limit}; cut it into tiles")
        return use(image)


def _header(image: ImageFile) -> Header:
    if image.format == "TIFF":
        return Header(image.mode, image.mode in SIXTEEN_BIT_MODES or 16 in tags_of(image).get(BITS, ()))
    # Pillow opens 16-bit colours as RGB, which is its 8-bit mode; how they are packed tells. Of a BMP, 16 bits are a pixel's.
    packing = str(image.tile[0][3]) if image.tile and image.format != "BMP" else ""
    return Header(image.mode, image.mode in SIXTEEN_BIT_MODES or ";16" in packing)


def _stored(image: ImageFile, path: str | Path) -> Stored:
    mode, deep = _header(image)
    if mode not in MODES:
        raise ZooError(f"{path} has pixels of mode {mode}, which has no rule to 8-bit grey; store it as an 8- or 16-bit PNG")
    tags = tags_of(image)
    if deep and tags.get(PLANES) == 2 and mode not in SIXTEEN_BIT_MODES:
        raise ZooError(f"{path} has 16-bit colours in planes, one after the other; store them pixel by pixel, or as a PNG")
    orientation = orientation_of(image) if tags else UPRIGHT
    frame = image.tell()
    image.load()
    array = stored_pixels(np.array(image), orientation)
    if not tags:
        orientation = orientation_of(image)
    if not is_complete(image, array, path):
        raise ValueError("fewer rows than its header says")
    if deep and array.dtype == np.uint8:  # Pillow kept the high bytes alone
        array = stored_pixels(_deep_colours(path, frame), orientation if tags else UPRIGHT)
    array = array.astype(np.uint16) if deep else array
    if deep and tags.get(PHOTOMETRIC) == 0:  # white is zero
        array = np.uint16((1 << tags[BITS][0]) - 1) - array
    if mode == "1":
        array = array * np.uint8(255)
    palette = _palette(image, array if array.ndim == 2 else array[..., 0]) if mode in PALETTE_MODES else None
    if array.ndim == 2:
        return Stored(array, mode, palette, None, orientation)
    alpha = array[..., -1] if mode.endswith("A") else None
    return Stored(array[..., :3] if array.shape[2] > 2 else array[..., 0], mode, palette, alpha, orientation)


def _deep_colours(path: str | Path, frame: int) -> np.ndarray:
    """HxWxC uint16 of a file of 16-bit colours, in Pillow's order of channels; OpenCV turns a TIFF as Pillow does."""
    if frame:
        raise ValueError("16-bit colours behind another picture")
    array = cv2.imdecode(np.fromfile(path, np.uint8), cv2.IMREAD_UNCHANGED)
    if array is None or array.dtype != np.uint16:
        raise ValueError("16-bit colours that cannot be decoded")
    return cv2.cvtColor(array, cv2.COLOR_BGRA2RGBA if array.shape[2] == 4 else cv2.COLOR_BGR2RGB)


def _palette(image: Image.Image, indices: np.ndarray) -> np.ndarray:
    colours = np.zeros((256, 3), np.uint8)
    entries = np.array(image.getpalette("RGB") or (), np.uint8).reshape(-1, 3)
    if indices.max() >= len(entries):
        raise ValueError(f"index {indices.max()} of a palette of {len(entries)}")
    colours[: len(entries)] = entries
    return colours


def _what_is_wrong(path: str | Path, error: Exception) -> str:
    """The rest of a sentence that starts with the path: what the bytes look like, and the remedy."""
    if isinstance(error, FileNotFoundError):
        return "is missing; get it from the publisher's archive"
    if isinstance(error, OSError) and error.errno is not None:
        return f"cannot be opened: {error.strerror}"
    with open(path, "rb") as file:
        head = file.read(64).lstrip().lower()
    if not head:
        return "is empty; download it again"
    if head.startswith((b"<!doctype", b"<html", b"<?xml", b"<head")):
        return "is a web page, not an image: the download was refused or redirected; download it again"
    if head.startswith(b"version https://git-lfs"):
        return "is a Git LFS pointer, not an image; run `git lfs pull` in its repository"
    if isinstance(error, Image.UnidentifiedImageError):
        return f"is no image of the formats {', '.join(FORMATS)}; convert it, or download it again"
    return f"is damaged ({visible(str(error)) or type(error).__name__}); download it again"
