"""Digests of decoded pixels, and the ones that the published files have."""

import hashlib
import tomllib
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

FINGERPRINT_DIR = Path(__file__).parent / "fingerprints"
# Hex digits kept of each file's digest: enough to say which file differs, while the set's own fingerprint stays whole.
SHORT = 16


def pixel_digest(pixels: np.ndarray) -> str:
    """SHA-256 (hex) of an HxW uint8 array: its height and width, then its rows."""
    header = f"{pixels.shape[0]}x{pixels.shape[1]}\n".encode()
    return hashlib.sha256(header + np.ascontiguousarray(pixels, dtype=np.uint8).tobytes()).hexdigest()


def combine(rows: Iterable[tuple[str, ...]]) -> str:
    """SHA-256 (hex) of ``(id, image digest, label digest)`` rows, in their order."""
    total = hashlib.sha256()
    for row in rows:
        total.update(" ".join(row).encode() + b"\n")
    return total.hexdigest()


@cache
def published_digests(name: str) -> dict[str, tuple[str, str]]:
    """What the published files of a data set decode to: ``{id: (image digest, label digest)}``, shortened to 16 digits.

    Empty for a data set that the package knows nothing of.
    """
    path = FINGERPRINT_DIR / f"{name}.txt"
    if not path.is_file():
        return {}
    rows = (line.split() for line in path.read_text(encoding="utf-8").splitlines())
    return {id: (image, label) for id, image, label in rows}


@cache
def published_facts(name: str) -> dict[str, Any]:
    """What is known of the published files as a whole, quirks included: the data set's table of ``expected.toml``."""
    return tomllib.loads((FINGERPRINT_DIR / "expected.toml").read_text(encoding="utf-8")).get(name, {})
