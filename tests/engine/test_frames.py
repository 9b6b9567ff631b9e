"""Images, folders and videos as frames."""

import cv2
import numpy as np
import pytest
from PIL import Image

from irsam_zoo.engine.frames import Frame, open_sources
from irsam_zoo.results.record import ImageFailure
from irsam_zoo.zoo import UsageError, ZooError
from tests.engine.videos import GREY, broken_video, write_video


def frames_of(*paths, **options):
    return [frame for source in open_sources(paths, **options) for frame in source.frames()]


def test_images_are_read_alike(tmp_path):
    for name, high in (("a", 8191), ("b", 4095)):
        cv2.imwrite(str(tmp_path / f"{name}.png"), (GREY.astype(np.uint32) * high // 189).astype(np.uint16))
    (source,) = open_sources([tmp_path / "a.png", tmp_path / "b.png"])
    assert (source.number, source.sequence) == (2, False)
    assert source.text == "2 images of 16 bits use levels 0 to 8191, which become 0 to 255, in all of them alike"
    a, b = source.frames()
    assert (a.id, a.file, a.image.dtype, a.image.max()) == ("a", str(tmp_path / "a.png"), np.uint8, 255)
    assert b.image.max() == 127


def test_a_folder_and_its_images(tmp_path):
    (tmp_path / "walk" / "deep").mkdir(parents=True)
    for name in ("f10.bmp", "f9.png", "deep/x.png"):
        cv2.imwrite(str(tmp_path / "walk" / name), GREY)
    (tmp_path / "walk" / "f11.png").write_bytes(b"")
    (source,) = open_sources([tmp_path / "walk"], sequence=True)
    assert source.sequence
    found = list(source.frames())
    assert [frame.id for frame in found] == ["walk/deep/x", "walk/f9", "walk/f10", "walk/f11"]
    assert found[3] == ImageFailure("walk/f11", f"{tmp_path / 'walk' / 'f11.png'} is empty; download it again")


def test_a_data_set_stands_for_its_images(tmp_path):
    for name in ("images", "masks"):
        (tmp_path / "set" / name).mkdir(parents=True)
        cv2.imwrite(str(tmp_path / "set" / name / "a.png"), GREY)
    assert [frame.id for frame in frames_of(tmp_path / "set")] == ["set/a"]


@pytest.mark.parametrize("colour", [False, True])
def test_a_video_of_8_bits(tmp_path, colour):
    pictures = [np.roll(GREY, place, axis=1) for place in range(5)]
    write_video(tmp_path / "v.mkv", [np.dstack([p, p * 0, p * 0]) if colour else p for p in pictures])
    (source,) = open_sources([tmp_path / "v.mkv"])
    assert (source.name, source.number, source.sequence, source.text) == ("v.mkv", 5, True, "")
    found = list(source.frames())
    assert found[3][:2] == Frame("v/000003", f"{tmp_path / 'v.mkv'}#3", None)[:2]
    for frame, picture in zip(found, pictures, strict=True):
        expected = np.round(0.114 * picture) if colour else picture  # blue alone
        np.testing.assert_allclose(frame.image, expected, atol=1)


def test_a_video_of_16_bits(tmp_path, capfd):
    pictures = [GREY.astype(np.uint16) * 20 + 7000 + 100 * place for place in range(4)]
    write_video(tmp_path / "v.mkv", pictures)
    capfd.readouterr()
    (source,) = open_sources([tmp_path / "v.mkv"])
    high = 7000 + 300 + 63 * 3 * 20
    assert source.text == f"4 frames of 16 bits use levels 7000 to {high}, which become 0 to 255, in all of them alike"
    for frame, picture in zip(source.frames(), pictures, strict=True):
        np.testing.assert_array_equal(frame.image, np.round((picture - 7000.0) * 255 / (high - 7000)))
    assert capfd.readouterr().err == ""


def test_an_image_is_known_by_its_content(tmp_path):
    cv2.imwrite(str(tmp_path / "a.png"), GREY)
    (tmp_path / "a.png").rename(tmp_path / "a")
    np.testing.assert_array_equal(frames_of(tmp_path / "a")[0].image, GREY)


@pytest.mark.parametrize(
    ("names", "error", "text"),
    [
        (["none.png"], UsageError, r"no file or folder .*none\.png"),
        (["empty"], UsageError, r"empty holds no image \(\.png/.*\); a video is named by itself"),
        (["a.png", "twin/a.png"], UsageError, r"a\.png and .*twin/a\.png would be filed under one name"),
        (["text.avi"], ZooError, r"text\.avi is neither an image nor a video with a frame that OpenCV reads; convert it"),
    ],
)
def test_paths_that_cannot_be_predicted(tmp_path, names, error, text, capfd):
    for folder in ("empty", "twin"):
        (tmp_path / folder).mkdir()
    for name in ("a.png", "twin/a.png"):
        cv2.imwrite(str(tmp_path / name), GREY)
    (tmp_path / "text.avi").write_text("no video")
    with pytest.raises(error, match=text):
        open_sources([tmp_path / name for name in names])
    assert capfd.readouterr().err == ""


LISTS = [
    "#EXTM3U\n#EXT-X-TARGETDURATION:1\n" + "#EXTINF:1,\nv.mkv\n" * 1000 + "#EXT-X-ENDLIST\n",
    "ffconcat version 1.0\n" + "file v.mkv\n" * 1000,
    "#EXTM3U\n" + "#" * 180 + "G\n#EXTINF:1,\nv.mkv\n#EXT-X-ENDLIST\n",
    "<?xml version='1.0'?><MPD/>",
    "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\nc=IN IP4 127.0.0.1\r\n",
    "[playlist]\nFile1=v.mkv\n",
]


@pytest.mark.parametrize("text", LISTS)
@pytest.mark.parametrize("ending", ["m3u8", "ffconcat", "avi", "txt"])
def test_a_list_of_files_is_no_video(tmp_path, text, ending):
    write_video(tmp_path / "v.mkv", [GREY] * 3)
    (tmp_path / f"list.{ending}").write_text(text)
    with pytest.raises(ZooError, match="neither an image nor a video"):
        open_sources([tmp_path / f"list.{ending}"])


@pytest.mark.parametrize(("ending", "codec"), [("avi", "MJPG"), ("mkv", "FFV1"), ("mp4", "mp4v"), ("mov", "mp4v")])
def test_videos_in_their_containers_are_read(tmp_path, ending, codec):
    write_video(tmp_path / f"v.{ending}", [GREY] * 3, codec)
    (source,) = open_sources([tmp_path / f"v.{ending}"])
    assert len(list(source.frames())) == 3


@pytest.mark.parametrize("broken", [[0], [3], [3, 4], [2, 5], [0, 1, 2]])
def test_frames_that_cannot_be_decoded_are_named(tmp_path, broken, capfd):
    path = broken_video(tmp_path / "v.avi", broken)
    found = frames_of(path)
    assert [frame.id for frame in found] == [f"v/{number:06d}" for number in range(8)]
    lost = [ImageFailure(f"v/{number:06d}", f"frame {number} of {path} cannot be decoded") for number in broken]
    assert [frame for frame in found if isinstance(frame, ImageFailure)] == lost
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("suffix", ["avi", "mkv"])
def test_a_video_that_ends_early_is_told(tmp_path, suffix):
    path = tmp_path / f"v.{suffix}"
    write_video(path, [np.roll(GREY, place, axis=1) for place in range(20)], "MJPG")
    data = path.read_bytes()
    path.write_bytes(data[: len(data) * 7 // 10])
    *whole, last = frames_of(path)
    assert 1 < len(whole) < 20
    assert all(isinstance(frame, Frame) for frame in whole)
    text = f"{path} cannot be read from frame {len(whole)} on; its header promises 20 frames"
    assert last == ImageFailure(f"v/{len(whole):06d}", text)


def test_the_last_frames_cannot_be_decoded(tmp_path):
    path = broken_video(tmp_path / "v.avi", [6, 7])
    *whole, last = frames_of(path)
    assert len(whole) == 6
    assert last == ImageFailure("v/000006", f"{path} cannot be read from frame 6 on; its header promises 8 frames")


def test_a_header_that_promises_more_than_there_is_is_no_failure(tmp_path):
    path = broken_video(tmp_path / "v.avi", [])
    data = bytearray(path.read_bytes())
    for place in (48, data.index(b"strh") + 40):  # of the file, of its stream
        assert int.from_bytes(data[place : place + 4], "little") == 8
        data[place : place + 4] = (900).to_bytes(4, "little")
    path.write_bytes(data)
    (source,) = open_sources([path])
    assert all(isinstance(frame, Frame) for frame in source.frames())
    assert source.told == ["its header promises 900 frames, and the file holds 8"]


def test_files_that_are_passed_over_are_named(tmp_path):
    for name in ("a.png", "b.pgm", "c.webp", "d.npy", "e.gif", "f.mp4", "notes.txt", ".hidden.gif", "boxes.xml", "LICENSE"):
        (tmp_path / name).write_bytes(b"")
    cv2.imwrite(str(tmp_path / "a.png"), GREY)
    a, passed = frames_of(tmp_path)
    assert isinstance(a, Frame)
    assert passed.id == tmp_path.name
    assert passed.error.startswith("5 files are passed over, which are not .png/.bmp/.tif/.tiff/.jpg/.jpeg: b.pgm, c.webp, ")
    (tmp_path / "a.png").unlink()
    with pytest.raises(UsageError, match=r"holds no image .* but 5 other files: b\.pgm, c\.webp, d\.npy, \.\.\.; convert them"):
        open_sources([tmp_path])


def test_orientations_and_false_colours_are_told_of_frames(tmp_path):
    exif = Image.Exif()
    exif[274] = 3
    Image.fromarray(GREY).save(tmp_path / "a.jpg", exif=exif)
    cv2.imwrite(str(tmp_path / "b.png"), cv2.applyColorMap(GREY, cv2.COLORMAP_JET))
    (source,) = open_sources([tmp_path / "a.jpg", tmp_path / "b.png"])
    assert [frame.image.shape for frame in source.frames()] == [GREY.shape] * 2
    turned, coloured = source.told
    assert turned.startswith("1 images have an orientation (EXIF, TIFF), which is not applied")
    assert turned.endswith(": a (3)")
    assert coloured.startswith("1 images are in saturated colours")
    assert coloured.endswith(": b")
