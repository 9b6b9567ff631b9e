"""What is to be predicted: images, folders of images, and videos, as frames in grey levels."""

import re
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np

from datasets.layouts import EXTENSIONS, index_files, open_folder
from datasets.levels import ImageLevels, image_levels, levels_in_use
from datasets.reader import MOST_PIXELS, luma, read_grey, read_header, to_eight_bits
from results.record import ImageFailure
from zoo import UsageError, ZooError
from zoo.reading import open_regular

SIXTEEN_BIT_VIDEO = cv2.VideoWriter.fourcc("Y", "1", "\0", "\x10")  # FFmpeg's name of grey levels of 16 bits

# What files of videos begin with: AVI, MP4 and QuickTime, Matroska and WebM, MPEG (the last a transport stream), Ogg, Flash,
# Windows Media, MXF, YUV4MPEG, GIF. A playlist is text, and would have other files read, or one a million times.
CONTAINERS = re.compile(
    rb"RIFF.{4}AVI |.{4}(?:ftyp|moov|mdat|wide|free|skip)|\x1aE\xdf\xa3|\0\0\x01[\xba\xb3]|G.{187}G|OggS|FLV\x01"
    rb"|0&\xb2u\x8ef\xcf\x11|\x06\x0e\+4\x02\x05\x01\x01|YUV4MPEG2 |GIF8",
    re.DOTALL,
)
NO_VIDEO = "is neither an image nor a video with a frame that OpenCV reads; convert it"
HEAD = 512  # bytes that tell the container


class Frame(NamedTuple):
    """One image: its id, which names the files of its predictions, where it comes from, and HxW uint8 grey levels."""

    id: str
    file: str
    image: np.ndarray


@dataclass(frozen=True)
class Source:
    """Frames that belong together.

    Attributes:
        name: For progress and messages.
        number: Of frames; of a video what its header says.
        sequence: Whether they follow each other.
        frames: A function that yields each as a `Frame`, or as an `ImageFailure`.
        text: How their levels are read, if it is not the plain rule for 8 bits.
    """

    name: str
    number: int
    sequence: bool
    frames: Callable
    text: str = ""


def open_sources(paths, sequence=False):
    """Open what is to be predicted.

    Arguments:
        paths: Image files, which are read alike; folders, of which one with ``images/`` and ``masks/`` stands for its images;
            and videos.
        sequence: Whether images are the frames of a sequence, in their order, which is the natural one of names in a folder.
            Those of a video always are.

    Returns:
        list[Source]: An image's id is its name; in a folder or a video, that of the folder or the video, and behind a ``/`` the
        image's own or the number of the frame, from 0.

    Raises:
        UsageError: A path is not there or holds no image, or two paths have one name.
        ZooError: A file is neither an image nor a video.
    """
    named, images, sources = {}, {}, []
    for path in map(Path, paths):
        name = path.resolve().name if path.is_dir() else path.stem
        if name in named:
            raise UsageError(f"{named[name]} and {path} would be filed under one name; rename one, or give it another --out")
        named[name] = path
        if path.is_dir():
            sources.append(_of_images(name, {f"{name}/{id}": file for id, file in _images_of(path).items()}, sequence))
        elif not path.is_file():
            raise UsageError(f"no file or folder {path}")
        elif _is_image(path):
            images[name] = path
        else:
            sources.append(_of_video(path))
    return [_of_images("images", images, sequence)] * bool(images) + sources


def _images_of(folder):
    """The image files of a folder by id."""
    location = open_folder(folder)
    files = index_files(location.images if location else folder)
    if not files:
        raise UsageError(f"{folder} holds no image ({'/'.join(EXTENSIONS)}); a video is named by itself")
    return {id: of_id[0] for id, of_id in files.items()}


def _is_image(path):
    if path.suffix.lower() in EXTENSIONS:
        return True
    try:
        read_header(path)
    except ZooError:
        return False
    return True


def _of_images(name, files, sequence):
    levels = image_levels(list(files.values()))

    def frames():
        for id, path in files.items():
            try:
                yield Frame(id, str(path), read_grey(path, levels.used).pixels)
            except ZooError as error:
                yield ImageFailure(id, str(error))

    return Source(name, len(files), sequence, frames, levels.text)


def _of_video(path):
    with open_regular(path) as file:
        head = file.read(HEAD)
    if not CONTAINERS.match(head):
        raise ZooError(f"{path} {NO_VIDEO}")
    with _opened(path) as capture:
        pixels = capture.get(cv2.CAP_PROP_FRAME_WIDTH) * capture.get(cv2.CAP_PROP_FRAME_HEIGHT)
        if pixels > MOST_PIXELS:
            raise ZooError(f"{path} has frames of {pixels / 1e6:.0f} million pixels; cut it into tiles")
        number = int(capture.get(cv2.CAP_PROP_FRAME_COUNT))
        deep = int(capture.get(cv2.CAP_PROP_CODEC_PIXEL_FORMAT)) == SIXTEEN_BIT_VIDEO
        if not capture.grab():
            raise ZooError(f"{path} {NO_VIDEO}")
    levels = _video_levels(path) if deep else ImageLevels()

    def frames():
        for place, picture in enumerate(_pictures(path, deep)):
            grey = luma(picture[..., ::-1]) if picture.ndim == 3 else to_eight_bits(picture, levels.used)
            yield Frame(f"{path.stem}/{place:06d}", f"{path}#{place}", grey)

    return Source(path.name, number, True, frames, levels.text)


def _video_levels(path):
    """The rule for a video of 16 bits, from all of its frames."""
    ranges = [(int(picture.min()), int(picture.max())) for picture in _pictures(path, True)]
    return levels_in_use(min(low for low, _ in ranges), max(high for _, high in ranges), f"{len(ranges)} frames")


def _pictures(path, deep):
    """The frames of a video as OpenCV gives them: HxWx3 uint8 BGR, or HxW uint16."""
    with _opened(path, *([cv2.CAP_PROP_CONVERT_RGB, 0] if deep else [])) as capture:
        while True:
            done, picture = capture.read()
            if not done:
                return
            yield picture


@contextmanager
def _opened(path, *options):
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
