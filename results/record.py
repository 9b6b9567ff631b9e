"""What is known of one image once a method has scored it."""

import base64
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from irsam_zoo.metrics.typing import Counts, ImageSignal, Ints, Sweep
from irsam_zoo.results.serialization import from_plain, to_plain
from irsam_zoo.zoo.thresholds import ScoreStatistics

SWEEP_COLUMNS = ("tp", "fp", "matched", "false_pixels", "targets")
SWEEP_BYTES = 4 * 256 * len(SWEEP_COLUMNS)


@dataclass(frozen=True, kw_only=True)
class ImageRecord:
    """One image, scored: a line of the journal.

    Attributes:
        id: Of the image.
        pixels: Digests of the decoded image and label.
        seconds: Time of the image; of one that was scored with others, its share. None of another program's prediction.
        processor: Name of what it was timed on, or None.
        notes: What the method told of its batch; the first image of a batch has them all.
        height, width: In px.
        counts: Of the mask, from `metrics.count_image`.
        statistics: Of the score map.
        signal: From `metrics.signal_metrics`.
        sweep: Counts at 256 cuts, packed; see `pack_sweep`.
        saved, saved_scores: Where the predicted mask and the score map were written, or None.
        saved_sha256, saved_scores_sha256: Of these files, or None.
    """

    id: str
    pixels: str
    seconds: float | None = None
    processor: str | None = None
    notes: tuple[str, ...] = ()
    height: int
    width: int
    counts: Counts
    statistics: ScoreStatistics
    signal: ImageSignal
    sweep: str
    saved: str | None = None
    saved_scores: str | None = None
    saved_sha256: str | None = None
    saved_scores_sha256: str | None = None

    def to_json(self) -> dict[str, Any]:
        """The record as a dict that JSON holds."""
        return to_plain(self)

    @classmethod
    def from_json(cls, data: Any) -> "ImageRecord":
        """The reverse of `to_json`; ValueError names a key that is absent, unknown or of another kind."""
        return from_plain(cls, data)


class ImageFailure(NamedTuple):
    """An image that could not be read or scored, and why, in one line; `costly` if it took all its time or a worker with it."""

    id: str
    error: str
    costly: bool = False


def pack_sweep(sweep: Mapping[str, Ints]) -> str:
    """A sweep of `metrics.sweep_image` as text, for a journal line."""
    array = np.stack([sweep[column] for column in SWEEP_COLUMNS])
    return base64.b64encode(zlib.compress(np.ascontiguousarray(array, dtype="<i4").tobytes())).decode()


def unpack_sweep(text: str) -> Sweep:
    """The sweep behind `pack_sweep`: (256,) int64 arrays by column; ValueError where it is none."""
    try:
        data = zlib.decompressobj().decompress(base64.b64decode(text), SWEEP_BYTES + 1)  # which may unpack to gigabytes
    except zlib.error as error:
        raise ValueError(f"a sweep that cannot be unpacked ({error})") from None
    if len(data) != SWEEP_BYTES:
        raise ValueError("a sweep of another length")
    array = np.frombuffer(data, dtype="<i4").astype(np.int64)
    return dict(zip(SWEEP_COLUMNS, array.reshape(len(SWEEP_COLUMNS), -1), strict=True))
