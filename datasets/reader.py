"""From a published image file to 8-bit grey. The one rule that every data set is read by.

- ``L`` as it is; ``1`` becomes 0 and 255.
- ``RGB`` by ITU-R 601 luma in Pillow's fixed point, ``(19595 R + 38470 G + 7471 B + 32768) >> 16``. The weights sum to
  65536, so three equal channels give exactly that channel. MATLAB's rgb2gray differs by 1 at most.
- ``P`` through its palette to RGB first: Pillow's direct way to ``L`` truncates where RGB rounds.
- ``RGBA``, ``LA``, ``PA`` and a transparent colour: alpha is dropped, never blended.
- 16 bits (``I;16``): the high byte, which is also what Pillow keeps of a 16-bit RGB file; no stretching by image. A file of
  0 and 1 stays as it is, so that a mask keeps its targets.
- An EXIF orientation is not applied: masks carry none.
- In a mask whose largest value is 1, that 1 means target and becomes 255 (`read_mask`).
"""

import struct
import zlib
from typing import NamedTuple

import numpy as np
from PIL import Image

from zoo.errors import ZooError

# Widths that differ from the image's by more than this fraction, after scaling to its height, are another image's mask.
ASPECT_TOLERANCE = 0.1
LUMA_MODES = ("RGB", "RGBA", "RGBX", "P", "PA")
SIXTEEN_BIT_MODES = ("I;16", "I;16L", "I;16B", "I;16N")
DECODING_ERRORS = (OSError, SyntaxError, ValueError, EOFError, struct.error, zlib.error, Image.DecompressionBombError)


class GreyFile(NamedTuple):
    """A decoded file: HxW uint8 ``pixels`` and the Pillow ``mode`` that the file was stored in."""

    pixels: np.ndarray
    mode: str


class MaskFile(NamedTuple):
    """A decoded mask: as `GreyFile`, with ``zero_one``, True where it was stored as 0 and 1."""

    pixels: np.ndarray
    mode: str
    zero_one: bool


def read_grey(path):
    """Decode one image or mask file.

    Arguments:
        path (Path): A file in any format of Pillow's, of the modes that the module's rule lists.

    Returns:
        GreyFile: HxW uint8 pixels, 0..255, and the stored mode.

    Raises:
        ZooError: The file is missing, empty, truncated, no image, or of a mode without a rule.
    """
    try:
        with Image.open(path) as image:
            image.load()
            return GreyFile(_to_grey(image, path), image.mode)
    except DECODING_ERRORS as error:
        raise ZooError(f"{path} {_what_is_wrong(path, error)}") from error


def read_colour(path):
    """The three channels of an image file, as authors' loaders take them; arguments and errors as for `read_grey`.

    Returns:
        np.ndarray: HxWx3 uint8, equal channels for a grey file.
    """
    try:
        with Image.open(path) as image:
            return np.array(image.convert("RGB"))
    except DECODING_ERRORS as error:
        raise ZooError(f"{path} {_what_is_wrong(path, error)}") from error


def read_mask(path):
    """Decode one mask file, such as a label or a prediction; arguments and errors as for `read_grey`.

    Returns:
        MaskFile: HxW uint8 pixels, of which those above 127 are target: 0 and 255 where the largest stored value is 1.
    """
    pixels, mode = read_grey(path)
    zero_one = bool(pixels.max() == 1)
    return MaskFile(pixels * np.uint8(255) if zero_one else pixels, mode, zero_one)


def fit_label(label, shape, path=""):
    """Bring a mask to its image's size by nearest neighbour, sampled at pixel centres as Pillow does.

    NUAA-SIRST's Misc_111 needs it: its image is 325x220, its mask 592x400. The literature's loaders resize such a mask.

    Arguments:
        label: HxW uint8.
        shape: Height and width of the image.
        path: The mask's file, for the error.

    Raises:
        ZooError: The proportions differ by more than a tenth, so that the mask is of another image.
    """
    if label.shape == tuple(shape):
        return label
    height, width = shape
    scaled_width = label.shape[1] * height / label.shape[0]
    if abs(scaled_width - width) > ASPECT_TOLERANCE * width:
        raise ZooError(
            f"{path} is {label.shape[1]}x{label.shape[0]} but its image is {width}x{height}: "
            "the proportions differ, so this is no mask of that image; get the pair again from the publisher"
        )
    return np.array(Image.fromarray(label).resize((width, height), Image.Resampling.NEAREST))


def _to_grey(image, path):
    # A palette with transparency makes Pillow warn and, for some modes, keep the alpha.
    image.info.pop("transparency", None)
    if image.mode in SIXTEEN_BIT_MODES:
        levels = np.asarray(image).astype(np.uint16)
        return (levels if levels.max() <= 1 else levels >> 8).astype(np.uint8)
    if image.mode in LUMA_MODES:
        return np.array(image.convert("RGB").convert("L"))
    if image.mode in ("L", "LA", "1"):
        return np.array(image.convert("L"))
    raise ZooError(f"{path} has pixels of mode {image.mode}, which has no rule to 8-bit grey; store it as an 8- or 16-bit PNG")


def _what_is_wrong(path, error):
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
        return "is not an image that Pillow knows; download it again"
    return f"is damaged ({error}); download it again"
