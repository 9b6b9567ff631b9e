"""Videos: their frames, and which of those that are in the file cannot be decoded."""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import cv2
import numpy as np

from irsam_zoo.datasets.reader import MOST_PIXELS
from irsam_zoo.zoo import ZooError
from irsam_zoo.zoo.reading import open_regular

os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")  # quiet: a frame that a decoder complains of is told here
SIXTEEN_BIT_VIDEO = cv2.VideoWriter.fourcc("Y", "1", "\0", "\x10")  # FFmpeg's name of grey levels of 16 bits
MOST_PARTS = 10_000  # of a file, whose sizes are added up
# What files of videos begin with: AVI, MP4 and QuickTime, Matroska and WebM, MPEG (the last a transport stream), Ogg, Flash,
# Windows Media, MXF, YUV4MPEG, GIF. A playlist is text, and would have other files read, or one a million times.
CONTAINERS = re.compile(
    rb"RIFF.{4}AVI |.{4}(?:ftyp|moov|mdat|wide|free|skip)|\x1aE\xdf\xa3|\0\0\x01[\xba\xb3]|G.{187}G|OggS|FLV\x01"
    rb"|0&\xb2u\x8ef\xcf\x11|\x06\x0e\+4\x02\x05\x01\x01|YUV4MPEG2 |GIF8",
    re.DOTALL,
)
NO_VIDEO = "is neither an image nor a video with a frame that OpenCV reads; convert it"
HEAD = 512  # bytes that tell the container
MATROSKA, SEGMENT = b"\x1a\x45\xdf\xa3", b"\x18\x53\x80\x67"


class Video:
    """A video file.

    Arguments:
        path (Path): Of the file.

    Attributes:
        promised: Number of frames that its header says, 0 where it says none.
        held: Number of coded frames in the file; some codecs have more of them than pictures.
        deep: Whether it has grey levels of 16 bits.

    Raises:
        ZooError: It is no video with a frame that can be decoded, or its frames are too large.
    """

    def __init__(self, path: str | Path):
        self.path = Path(path)
        with open_regular(path) as file:
            head = file.read(HEAD)
        if not CONTAINERS.match(head):
            raise ZooError(f"{path} {NO_VIDEO}")
        with _opened(path) as capture:
            pixels = capture.get(cv2.CAP_PROP_FRAME_WIDTH) * capture.get(cv2.CAP_PROP_FRAME_HEIGHT)
            if pixels > MOST_PIXELS:
                raise ZooError(f"{path} has frames of {pixels / 1e6:.0f} million pixels; cut it into tiles")
            self.promised = max(int(capture.get(cv2.CAP_PROP_FRAME_COUNT)), 0)
            self.deep = int(capture.get(cv2.CAP_PROP_CODEC_PIXEL_FORMAT)) == SIXTEEN_BIT_VIDEO
        with _opened(path, cv2.CAP_PROP_FORMAT, -1) as capture:  # frames as they are coded
            self.held = next(number for number in count() if not capture.grab())
        if next(self.pictures(), None) is None:
            raise ZooError(f"{path} {NO_VIDEO}")

    def pictures(self) -> Iterator[tuple[int, np.ndarray]]:
        """``(number, picture)`` of each frame that can be decoded: from 0, and HxWx3 uint8 BGR, or HxW uint16."""
        with _opened(self.path, *([cv2.CAP_PROP_CONVERT_RGB, 0] if self.deep else [])) as capture:
            for number in range(self.held or self.promised):
                done, picture = capture.read()
                if done:
                    yield number, picture

    def ends_early(self, pictures: int) -> bool:
        """Whether frames are lost behind the last of so many, those before it that cannot be decoded among them.

        A header may promise more than there ever was, and more frames may be coded than are shown.
        """
        return pictures < min(self.promised or self.held, self.held) or (pictures < self.promised and is_cut(self.path))


def is_cut(path: str | Path) -> bool:
    """Whether an AVI, MP4 or Matroska file is shorter than the sizes of its parts say; False of others."""
    size, place = os.path.getsize(path), 0
    with open(path, "rb") as file:
        for _ in range(MOST_PARTS):
            file.seek(place)
            length = _length(file.read(32)) if place < size else None
            if length is None:
                break
            place += length
    return place > size


def _length(head: bytes) -> int | None:
    """Bytes of the part of a file that begins so, or None where that is not said."""
    if head[:4] == b"RIFF":
        return 8 + int.from_bytes(head[4:8], "little")
    if head[:4] in (MATROSKA, SEGMENT):
        digits = 9 - head[4].bit_length()  # as many bytes as the first one has zeros before its first bit, and one
        value = int.from_bytes(head[4 : 4 + digits]) & ((1 << 7 * digits) - 1)
        return None if value == (1 << 7 * digits) - 1 else 4 + digits + value
    if head[4:8].isalpha():  # a box of MP4
        length = int.from_bytes(head[8:16] if head[:4] == b"\0\0\0\1" else head[:4])
        return length if length >= 8 else None
    return None


@contextmanager
def _opened(path: str | Path, *options: int) -> Iterator[cv2.VideoCapture]:
    """A video, without OpenCV's remarks on the terminal."""
    told = cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    try:
        capture = cv2.VideoCapture(str(path), cv2.CAP_ANY, list(options))
    finally:
        cv2.utils.logging.setLogLevel(told)
    try:
        yield capture
    finally:
        capture.release()
