"""Files are read as they are stored, whatever a viewer would make of them; what is not applied is told."""

import io
import struct
import zlib

import cv2
import numpy as np
import pytest
from PIL import Image

from irsam_zoo.datasets import build_dataset
from irsam_zoo.datasets.doctor import check
from irsam_zoo.datasets.reader import decode, read_grey, read_opencv_grey
from irsam_zoo.zoo import ZooError

GREY = np.random.default_rng(1).integers(0, 256, (20, 30), dtype=np.uint8)
ORIENTATION, SUBFILE = 274, 254


def tiff(path, rows, *, orientation=1, photometric=1, planes=1, then=b""):
    """A TIFF of one strip: HxW or HxWx3 of 8 or 16 bits, in little-endian order."""
    bits, channels = 8 * rows.dtype.itemsize, 1 if rows.ndim == 2 else 3
    data = rows.transpose(2, 0, 1).tobytes() if planes == 2 else rows.tobytes()
    size, start = len(data) // (channels if planes == 2 else 1), 8
    counts = [size] * (channels if planes == 2 else 1)
    places = [start + size * number for number in range(len(counts))]
    entries, extra, after = [], b"", start + len(data)
    for tag, values in (
        *((256, [rows.shape[1]]), (257, [rows.shape[0]]), (258, [bits] * channels), (259, [1]), (262, [photometric])),
        *((273, places), (274, [orientation]), (277, [channels]), (278, [rows.shape[0]]), (279, counts), (284, [planes])),
    ):
        packed = struct.pack(f"<{len(values)}I", *values)
        if len(values) > 1:
            packed, extra = struct.pack("<I", after + len(extra)), extra + packed
        entries.append(struct.pack("<HHI", tag, 4, len(values)) + packed)
    head = struct.pack("<2sHI", b"II", 42, after + len(extra))
    path.write_bytes(head + data + extra + struct.pack("<H", len(entries)) + b"".join(entries) + bytes(4))
    return path


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("rows", [GREY, GREY.astype(np.uint16) * 257, np.dstack([GREY, GREY, GREY]).astype(np.uint16) * 257])
def test_a_tiff_is_not_turned(tmp_path, rows, orientation):
    path = tiff(tmp_path / "a.tif", rows, orientation=orientation, photometric=1 if rows.ndim == 2 else 2)
    stored = decode(path)
    np.testing.assert_array_equal(stored.levels, rows)
    assert stored.orientation == orientation
    np.testing.assert_array_equal(read_grey(path).pixels, GREY)


@pytest.mark.parametrize("suffix", ["jpg", "png"])
def test_an_orientation_of_exif_is_not_applied(tmp_path, suffix):
    exif = Image.Exif()
    exif[ORIENTATION] = 6
    Image.fromarray(GREY).save(tmp_path / f"a.{suffix}", exif=exif)
    stored = decode(tmp_path / f"a.{suffix}")
    assert (stored.levels.shape, stored.orientation) == (GREY.shape, 6)
    np.testing.assert_array_equal(read_opencv_grey(tmp_path / f"a.{suffix}"), read_grey(tmp_path / f"a.{suffix}").pixels)


def test_an_orientation_of_no_sense_is_none(tmp_path):
    assert decode(tiff(tmp_path / "a.tif", GREY, orientation=99)).orientation == 1


@pytest.mark.parametrize("factor", [1, 257])
def test_white_may_be_zero_at_any_depth(tmp_path, factor):
    negative = (GREY ^ 255).astype(np.uint8 if factor == 1 else np.uint16) * factor
    np.testing.assert_array_equal(read_grey(tiff(tmp_path / "a.tif", negative, photometric=0)).pixels, GREY)


def test_colours_in_planes(tmp_path):
    colours = np.random.default_rng(2).integers(0, 256, (20, 30, 3), dtype=np.uint8)
    np.testing.assert_array_equal(decode(tiff(tmp_path / "a.tif", colours, photometric=2, planes=2)).levels, colours)
    deep = tiff(tmp_path / "b.tif", colours.astype(np.uint16) * 257, photometric=2, planes=2)
    with pytest.raises(ZooError, match=r"b\.tif has 16-bit colours in planes, one after the other; store them pixel by pixel"):
        decode(deep)


@pytest.mark.parametrize("kind", [1, 4, 5])
def test_reduced_copies_and_masks_of_a_picture_are_no_pictures(tmp_path, kind):
    image, copy = Image.fromarray(GREY), Image.fromarray(GREY[::2, ::2])
    copy.encoderinfo = {"tiffinfo": {SUBFILE: kind}}
    image.save(tmp_path / "a.tif", save_all=True, append_images=[copy])
    np.testing.assert_array_equal(read_grey(tmp_path / "a.tif").pixels, GREY)


def test_the_picture_may_come_second(tmp_path):
    copy, image = Image.fromarray(GREY[::2, ::2]), Image.fromarray(GREY)
    image.encoderinfo = {"tiffinfo": {SUBFILE: 0}}
    copy.save(tmp_path / "a.tif", save_all=True, append_images=[image], tiffinfo={SUBFILE: 1})
    np.testing.assert_array_equal(read_grey(tmp_path / "a.tif").pixels, GREY)


def chunk(kind, content):
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


@pytest.mark.parametrize(
    "long",
    [
        chunk(b"zTXt", b"history\0\0" + zlib.compress(bytes(3 << 20))),
        chunk(b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0" + zlib.compress(b"x" * (3 << 20))),
        chunk(b"iCCP", b"profile\0\0" + zlib.compress(bytes(3 << 20))),
    ],
)
@pytest.mark.parametrize("at_the_end", [False, True])
def test_long_texts_and_profiles_are_not_needed(tmp_path, long, at_the_end):
    file = io.BytesIO()
    Image.fromarray(GREY).save(file, "png")
    data = file.getvalue()
    place = len(data) - 12 if at_the_end else 33  # before IEND, or behind IHDR
    (tmp_path / "a.png").write_bytes(data[:place] + long + data[place:])
    np.testing.assert_array_equal(read_grey(tmp_path / "a.png").pixels, GREY)


@pytest.fixture
def turned(tmp_path):
    """A data set of two upright pairs and one whose image and mask have an orientation."""
    for kind in ("images", "masks"):
        (tmp_path / "set" / kind).mkdir(parents=True)
    for name, orientation in (("a", 1), ("b", 1), ("c", 8)):
        tiff(tmp_path / "set" / "images" / f"{name}.tif", GREY, orientation=orientation)
        tiff(tmp_path / "set" / "masks" / f"{name}.tif", np.uint8(255) * (GREY > 250), orientation=orientation)
    (tmp_path / "set" / "test.txt").write_text("a\nb\nc\n")
    (tmp_path / "set" / "train.txt").write_text("d\n")
    return tmp_path / "set"


def test_an_orientation_is_told_of_images_and_masks_alike(turned):
    told = "1 {} have an orientation (EXIF, TIFF), which is not applied: pixels are read as they are stored: c (8)"
    assert build_dataset(str(turned)).notes == [told.format("images"), told.format("masks")]
    (checkup,) = check(names=[str(turned)]).checkups
    assert {told.format("images"), told.format("masks")} <= {*checkup.quirks}


def test_proportions_that_an_orientation_explains(turned):
    Image.fromarray(np.uint8(255) * np.rot90(GREY > 250)).save(turned / "masks" / "c.png")
    with pytest.raises(ZooError, match="proportions differ, and one has an orientation, which is not applied; store both"):
        build_dataset(str(turned)).read("c")


@pytest.mark.parametrize(("tinge", "told"), [(40, False), (200, True)])
def test_false_colours_are_told(turned, tinge, told):
    colours = np.dstack([np.clip(GREY.astype(int) + channel * tinge // 2, 0, 255) for channel in (1, 0, -1)]).astype(np.uint8)
    Image.fromarray(colours).save(turned / "images" / "a.png")
    cv2.imwrite(str(turned / "images" / "b.png"), GREY)
    text = "images are in saturated colours: grey is made by luma, which need not rise with the heat that false colours show"
    notes = [note for note in build_dataset(str(turned)).notes if "saturated" in note]
    assert notes == ([f"1 {text}: a"] if told else [])


def test_a_palette_of_false_colours_is_told(turned):
    image = Image.fromarray(GREY)
    image.putpalette(cv2.applyColorMap(np.arange(256, dtype=np.uint8), cv2.COLORMAP_JET)[..., ::-1].ravel().tolist())
    image.save(turned / "images" / "a.png")
    assert any("saturated colours" in note for note in build_dataset(str(turned)).notes)
