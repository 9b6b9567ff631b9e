"""Checksums of stored JSON, so that a damaged or edited entry is not taken for what was measured."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from irsam_zoo.results.serialization import is_object

NAME = "sum"


def checksum(data: Any, salt: str = "") -> str:
    """16 hexadecimal digits of plain data that JSON holds; the order of keys does not count.

    Arguments:
        data: The data.
        salt: What it belongs to: text that the checksum depends on as well.
    """
    text = salt + json.dumps(data, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def summed(data: Mapping[str, Any], salt: str = "") -> dict[str, Any]:
    """A dict with its checksum as a last entry."""
    return {**data, NAME: checksum(data, salt)}


def checked(data: Any, salt: str = "") -> dict[str, Any]:
    """The dict without its checksum.

    Raises:
        ValueError: It is no dict, has no checksum, or another one.
    """
    if not is_object(data) or NAME not in data:
        raise ValueError("it has no checksum")
    data = dict(data)
    if data.pop(NAME) != checksum(data, salt):
        raise ValueError("its checksum is another's: it was damaged or edited since it was written")
    return data
