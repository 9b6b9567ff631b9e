"""Videos for tests, whole and broken ones."""

import cv2
import numpy as np

GREY = np.tile(np.arange(64, dtype=np.uint8) * 3, (48, 1))


def write_video(path, pictures, codec="FFV1"):
    """A video at 25 frames a second; grey ones of 16 bits stay so."""
    deep = pictures[0].dtype == np.uint16
    options = [cv2.VIDEOWRITER_PROP_DEPTH, cv2.CV_16U] if deep else []
    options += [cv2.VIDEOWRITER_PROP_IS_COLOR, int(pictures[0].ndim == 3)]
    size = pictures[0].shape[1::-1]
    writer = cv2.VideoWriter(str(path), cv2.CAP_FFMPEG, cv2.VideoWriter.fourcc(*codec), 25, size, options)
    assert writer.isOpened()
    for picture in pictures:
        writer.write(picture)
    writer.release()


def broken_video(path, broken, pictures=8):
    """A video of JPEG frames of which those of some numbers are zeros."""
    write_video(path, [np.roll(GREY, place, axis=1) for place in range(pictures)], "MJPG")
    data = bytearray(path.read_bytes())
    starts = [at for at in range(len(data)) if data[at : at + 3] == b"\xff\xd8\xff"]
    assert len(starts) == pictures
    for number in broken:
        end = data.index(b"\xff\xd9", starts[number]) + 2
        data[starts[number] : end] = bytes(end - starts[number])
    path.write_bytes(data)
    return path
