"""The chunks that a PNG file is made of."""

import io
from collections.abc import Iterator
from pathlib import Path
from typing import IO

SIGNATURE_BYTES = 8
# What the pixels and their place in the picture need; texts and colour profiles, which may be large, are not among them.
NEEDED = (b"IHDR", b"PLTE", b"tRNS", b"acTL", b"IDAT", b"eXIf", b"IEND")


def chunks(file: IO[bytes]) -> Iterator[tuple[bytes, bytes, bytes]]:
    """``(kind, content, whole)`` of each chunk of an open PNG file: its four letters, its bytes, and all bytes of the chunk."""
    file.seek(SIGNATURE_BYTES)
    while len(head := file.read(8)) == 8:
        content, checksum = file.read(int.from_bytes(head[:4])), file.read(4)
        yield head[4:], content, head + content + checksum


def without_text(path: str | Path) -> io.BytesIO:
    """A PNG file without its texts and colour profile, as an open file of bytes."""
    with open(path, "rb") as file:
        signature = file.read(SIGNATURE_BYTES)
        return io.BytesIO(signature + b"".join(whole for kind, _, whole in chunks(file) if kind in NEEDED))
