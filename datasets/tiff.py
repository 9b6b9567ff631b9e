"""What a TIFF says of its pictures. A PNG may hold several as well."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from PIL import Image
from PIL.TiffImagePlugin import TiffImageFile

from irsam_zoo.zoo.errors import ZooError

OF_ONE_PICTURE = ("PNG", "TIFF")  # of a JPEG with previews behind it (MPO) the first picture is the image
SUBFILE, OLD_SUBFILE, BITS, PHOTOMETRIC, PLANES = 254, 255, 258, 262, 284  # tags
BESIDE = 0b101  # bits of SUBFILE: a reduced copy, or the mask, of another picture in the file


def tags_of(image: Image.Image) -> Mapping[int, Any]:
    """What a TIFF says of its picture, by tag; nothing of any other form."""
    return image.tag_v2 if isinstance(image, TiffImageFile) else {}


def turn_to_the_picture(image: Image.Image, path: str | Path) -> None:
    """Go to the one picture of an opened file, beside which a TIFF may hold reduced copies and masks of it.

    Raises:
        ZooError: There are several.
    """
    if image.format not in OF_ONE_PICTURE or not getattr(image, "is_animated", False):
        return
    places = range(getattr(image, "n_frames", 1))
    if image.format == "TIFF":
        places = [place for place in places if not _is_beside(image, place)] or places
    if len(places) > 1:
        raise ZooError(f"{path} holds several pictures, {len(places)}; store each in a file of its own")
    image.seek(places[0])


def _is_beside(image: Image.Image, place: int) -> bool:
    image.seek(place)
    return bool(tags_of(image).get(SUBFILE, 0) & BESIDE) or tags_of(image).get(OLD_SUBFILE) == 2
