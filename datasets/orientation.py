"""The orientation that a file asks a viewer to show it in. It is told and never applied: masks are of the stored pixels."""

import numpy as np
from PIL import ExifTags, Image

from irsam_zoo.datasets.tiff import tags_of

TAG = ExifTags.Base.Orientation
UPRIGHT = 1
ON_THEIR_SIDE = (5, 6, 7, 8)  # rows of the stored pixels are columns of what is shown
# From the pixels that a decoder has turned to the stored ones, by the orientation that it has applied.
UNDONE = {
    2: lambda pixels: pixels[:, ::-1],
    3: lambda pixels: pixels[::-1, ::-1],
    4: lambda pixels: pixels[::-1],
    5: lambda pixels: pixels.swapaxes(0, 1),
    6: lambda pixels: np.rot90(pixels),
    7: lambda pixels: pixels[::-1, ::-1].swapaxes(0, 1),
    8: lambda pixels: np.rot90(pixels, -1),
}


def orientation_of(image: Image.Image) -> int:
    """The orientation of a Pillow image, 1 to 8: of a TIFF before it is loaded, which turns it, of others after."""
    try:
        found = tags_of(image).get(TAG) if image.format == "TIFF" else image.getexif().get(TAG)
    except Exception:  # damaged metadata fail anywhere in a parser, and the pixels do not need them
        return UPRIGHT
    return found if found in UNDONE else UPRIGHT


def stored_pixels(pixels: np.ndarray, orientation: int) -> np.ndarray:
    """HxW or HxWxC pixels as they are stored, of those that a decoder has turned by this orientation."""
    return np.ascontiguousarray(UNDONE[orientation](pixels)) if orientation in UNDONE else pixels
