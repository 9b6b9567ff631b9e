"""What is to be predicted: images, folders of images, and videos, as frames in grey levels."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import numpy as np

from irsam_zoo.datasets.colours import false_colours
from irsam_zoo.datasets.layouts import EXTENSIONS, index_files, open_folder, other_files
from irsam_zoo.datasets.levels import ImageLevels, image_levels, levels_in_use
from irsam_zoo.datasets.reader import decode, grey_of, luma, read_header, to_eight_bits
from irsam_zoo.datasets.remarks import colour_remarks, counted, turned_remarks
from irsam_zoo.engine.videos import Video
from irsam_zoo.results.record import ImageFailure
from irsam_zoo.zoo import UsageError, ZooError

MOST_NAMED = 10  # files that are passed over


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
        frames: A function that yields each as a `Frame`, or as an `ImageFailure`; what is passed over is one as well.
        text: How their levels are read, if it is not the plain rule for 8 bits.
        told: What is odd about them, a line each; known when all were read.
    """

    name: str
    number: int
    sequence: bool
    frames: "Callable[[], Iterator[Frame | ImageFailure]]"
    text: str = ""
    told: list[str] = field(default_factory=list)


def open_sources(paths: Iterable[str | Path], sequence: bool = False) -> list[Source]:
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
            found, others = _images_of(path)
            sources.append(_of_images(name, {f"{name}/{id}": file for id, file in found.items()}, sequence, others))
        elif not path.is_file():
            raise UsageError(f"no file or folder {path}")
        elif _is_image(path):
            images[name] = path
        else:
            sources.append(_of_video(path))
    return [_of_images("images", images, sequence)] * bool(images) + sources


def _images_of(folder: Path) -> tuple[dict[str, Path], list[str]]:
    """The image files of a folder by id, and the names of the files that are passed over though they may be pictures."""
    location = open_folder(folder)
    place = location.images if location else folder
    files, others = index_files(place), other_files(place)
    if not files:
        found = f" but {counted('other files', others)}; convert them, or name another folder" if others else ""
        raise UsageError(f"{folder} holds no image ({'/'.join(EXTENSIONS)}){found or '; a video is named by itself'}")
    return {id: of_id[0] for id, of_id in files.items()}, others


def _is_image(path: Path) -> bool:
    if path.suffix.lower() in EXTENSIONS:
        return True
    try:
        read_header(path)
    except ZooError:
        return False
    return True


def _of_images(name: str, files: Mapping[str, Path], sequence: bool, others: Sequence[str] = ()) -> Source:
    levels = image_levels(list(files.values()))
    told = []

    def frames():
        orientations, coloured = {}, []
        for id, path in files.items():
            try:
                stored = decode(path)
            except ZooError as error:
                yield ImageFailure(id, str(error))
                continue
            orientations[id] = stored.orientation
            coloured += [id] * false_colours(stored)
            yield Frame(id, str(path), grey_of(stored, levels.used).pixels)
        if others:
            text = counted(f"files are passed over, which are not {'/'.join(EXTENSIONS)}", others, MOST_NAMED)
            yield ImageFailure(name, f"{text}; convert them, and name videos by themselves")
        told[:] = [remark.text for remark in turned_remarks(orientations, "images") + colour_remarks(coloured)]

    return Source(name, len(files), sequence, frames, levels.text, told)


def _of_video(path: Path) -> Source:
    video, told = Video(path), []
    levels = _video_levels(video) if video.deep else ImageLevels()

    def frames():
        following = 0
        for number, picture in video.pictures():
            for lost in range(following, number):
                yield ImageFailure(f"{path.stem}/{lost:06d}", f"frame {lost} of {path} cannot be decoded")
            following = number + 1
            grey = luma(picture[..., ::-1]) if picture.ndim == 3 else to_eight_bits(picture, levels.used)
            yield Frame(f"{path.stem}/{number:06d}", f"{path}#{number}", grey)
        promise = f"its header promises {video.promised} frames"
        if video.ends_early(following):
            yield ImageFailure(f"{path.stem}/{following:06d}", f"{path} cannot be read from frame {following} on; {promise}")
        elif video.promised > following:
            told[:] = [f"{promise}, and the file holds {following}"]

    return Source(path.name, video.promised, True, frames, levels.text, told)


def _video_levels(video: Video) -> ImageLevels:
    """The rule for a video of 16 bits, from all of its frames."""
    ranges = [(int(picture.min()), int(picture.max())) for _, picture in video.pictures()]
    return levels_in_use(min(low for low, _ in ranges), max(high for _, high in ranges), f"{len(ranges)} frames")
