"""Whether a file holds as many pixels as its header says. Pillow fills what is missing with zeros or grey, without a word."""

import io
import zlib
from pathlib import Path

import numpy as np
from PIL import Image

from irsam_zoo.datasets.png_chunks import chunks
from irsam_zoo.datasets.tiff import BITS, tags_of

TIFF_COMPRESSION, TIFF_STRIP_BYTES, TIFF_TILE_BYTES = 259, 279, 325
UNCOMPRESSED = 1
READ_BYTES = 1 << 20
JPEG_BLOCK = 8
JPEG_END = b"\xff\xd9"
MORE_CODES = bytes(range(1, 250)) * 64  # what no decoder reads that has all of its blocks


def is_complete(image: Image.Image, pixels: np.ndarray, path: str | Path) -> bool:
    """Whether no row of a decoded file was made up.

    Formats and compressions that are not named here are an error of Pillow's own where rows are missing, but for a TIFF that
    is compressed as JPEG.

    Arguments:
        image (PIL.Image.Image): The opened file, loaded.
        pixels: Its array. A file is looked at again only if its last row is zero throughout, as a row that was made up is, or
            the last block of a JPEG is of one level.
        path: The file.
    """
    if image.format == "JPEG":
        block = pixels[-JPEG_BLOCK:, -JPEG_BLOCK:]
        return block.min() < block.max() or _jpeg_has_blocks(path, pixels)
    if pixels[-1].any():
        return True
    if image.format == "PNG":
        return _png_has_rows(path, image.height)
    if image.format == "TIFF" and tags_of(image).get(TIFF_COMPRESSION, UNCOMPRESSED) == UNCOMPRESSED:
        stored = tags_of(image).get(TIFF_STRIP_BYTES) or tags_of(image).get(TIFF_TILE_BYTES) or ()
        bits = tags_of(image).get(BITS, (1,))
        return 8 * sum(stored) >= image.width * image.height * sum(bits)
    return True


def _jpeg_has_blocks(path: str | Path, pixels: np.ndarray) -> bool:
    """Whether a JPEG needs nothing behind its codes: with more of them before its end it is the same picture."""
    data = Path(path).read_bytes()
    end = data.rfind(JPEG_END)
    try:
        with Image.open(io.BytesIO(data[:end] + MORE_CODES + data[end:]), formats=("JPEG",)) as image:
            return np.array_equal(np.array(image), pixels)
    except OSError:
        return False


def _png_has_rows(path: str | Path, height: int) -> bool:
    """Whether the compressed rows of a PNG are as many as its height; interlaced ones, an error of Pillow's own, are longer."""
    inflate, size, row_bytes = zlib.decompressobj(), 0, 0
    with open(path, "rb") as file:
        for kind, content, _ in chunks(file):  # their checksums Pillow has looked at
            if kind == b"IHDR":
                row_bytes = _row_bytes(content)
            elif kind == b"IDAT":
                size += _inflated(inflate, content)
            elif kind == b"IEND":
                break
    return row_bytes > 0 and size >= height * row_bytes


def _inflated(inflate, content):
    """How many bytes a part of a zlib stream becomes, without keeping them all."""
    size = 0
    while content:
        size += len(inflate.decompress(content, READ_BYTES))
        content = inflate.unconsumed_tail
    return size


def _row_bytes(header: bytes) -> int:
    """Bytes of one row of a PNG by its IHDR: the filter's, then the pixels."""
    width, depth, colour_type = int.from_bytes(header[:4]), header[8], header[9]
    channels = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[colour_type]
    return 1 + (width * channels * depth + 7) // 8
