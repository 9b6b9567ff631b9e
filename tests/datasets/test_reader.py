"""From files of every mode to grey, what damage is called, and masks of another size."""

import struct
import warnings
import zlib

import cv2
import numpy as np
import pytest
from PIL import Image, ImageFile

from irsam_zoo.datasets.reader import decode, fit_label, read_colour, read_grey, read_header, read_opencv_grey
from irsam_zoo.zoo import ZooError

RNG = np.random.default_rng(0)
GREY = RNG.integers(0, 256, (7, 9), dtype=np.uint8)
COLOUR = RNG.integers(0, 256, (7, 9, 3), dtype=np.uint8)
ALPHA = RNG.integers(0, 256, (7, 9), dtype=np.uint8)


def luma(rgb):
    """ITU-R 601 luma of an HxWx3 array, to the nearest grey level."""
    return np.floor(rgb.astype(np.float64) @ [0.299, 0.587, 0.114] + 0.5).astype(np.uint8)


def saved(image, path, **options):
    image.save(path, **options)
    return path


def read(image, folder, **options):
    """Save as PNG and read; the result and what warnings there were."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return read_grey(saved(image, folder / "a.png", **options))


def palette_image(colours, indices):
    image = Image.fromarray(indices)  # L, and P once it has a palette
    image.putpalette(colours.ravel().tolist())
    assert image.mode == "P"
    return image


def png_chunk(kind, content):
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def write_png(path, rows, width=9, height=7, depth=8, colour_type=0, interlace=0):
    """A PNG whose header may say anything of its rows, each of which begins with the byte of its filter."""
    header = struct.pack(">IIBBBBB", width, height, depth, colour_type, 0, 0, interlace)
    parts = png_chunk(b"IHDR", header), png_chunk(b"IDAT", zlib.compress(rows)), png_chunk(b"IEND", b"")
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(parts))
    return path


def test_grey_is_kept(tmp_path):
    pixels, mode = read(Image.fromarray(GREY), tmp_path)
    assert (pixels.dtype, mode) == (np.uint8, "L")
    np.testing.assert_array_equal(pixels, GREY)


def test_equal_channels_give_that_channel(tmp_path):
    every_level = np.arange(256, dtype=np.uint8).reshape(16, 16)
    pixels, mode = read(Image.fromarray(np.stack([every_level] * 3, axis=-1)), tmp_path)
    assert mode == "RGB"
    np.testing.assert_array_equal(pixels, every_level)


def test_colours_give_rounded_luma(tmp_path):
    pixels, _ = read(Image.fromarray(COLOUR), tmp_path)
    np.testing.assert_array_equal(pixels, luma(COLOUR))
    assert len(np.unique(COLOUR[0, 0])) > 1


def test_colours_are_read_as_they_are_stored(tmp_path):
    path = tmp_path / "a.png"
    indices = GREY % 4
    files = {
        "RGB": (Image.fromarray(COLOUR), COLOUR),
        "RGBA": (Image.fromarray(np.dstack([COLOUR, ALPHA])), COLOUR),
        "L": (Image.fromarray(GREY), np.dstack([GREY] * 3)),
        "P": (palette_image(COLOUR[0, :4], indices), COLOUR[0, :4][indices]),
    }
    for mode, (image, want) in files.items():
        colours = read_colour(saved(image, path))
        assert (decode(path).mode, colours.dtype) == (mode, np.uint8)
        np.testing.assert_array_equal(colours, want)


def test_alpha_is_dropped_and_not_blended(tmp_path):
    rgba, mode = read(Image.fromarray(np.dstack([COLOUR, ALPHA])), tmp_path)
    assert mode == "RGBA"
    np.testing.assert_array_equal(rgba, luma(COLOUR))
    grey, mode = read(Image.merge("LA", [Image.fromarray(GREY), Image.fromarray(ALPHA)]), tmp_path)
    assert mode == "LA"
    np.testing.assert_array_equal(grey, GREY)
    np.testing.assert_array_equal(read(Image.fromarray(GREY), tmp_path, transparency=int(GREY[0, 0])).pixels, GREY)
    np.testing.assert_array_equal(
        read(Image.fromarray(COLOUR), tmp_path, transparency=tuple(COLOUR[0, 0].tolist())).pixels, luma(COLOUR)
    )


@pytest.mark.parametrize("transparency", [None, 3, bytes(range(256))])
def test_palette_is_looked_up_and_rounded_as_rgb_is(tmp_path, transparency):
    colours = RNG.integers(0, 256, (256, 3), dtype=np.uint8)
    options = {} if transparency is None else {"transparency": transparency}
    pixels, mode = read(palette_image(colours, GREY), tmp_path, **options)
    assert mode == "P"
    np.testing.assert_array_equal(pixels, luma(colours)[GREY])


def test_palette_with_alpha(tmp_path):
    colours = RNG.integers(0, 256, (256, 3), dtype=np.uint8)
    image = palette_image(colours, GREY).convert("PA")
    pixels, mode = read_grey(saved(image, tmp_path / "a.tif"))  # a PNG of it is P with a transparent colour
    assert mode == "PA"
    np.testing.assert_array_equal(pixels, luma(colours)[GREY])


def test_one_bit_becomes_0_and_255(tmp_path):
    bits = GREY > 100
    pixels, mode = read(Image.fromarray(bits), tmp_path)
    assert mode == "1"
    np.testing.assert_array_equal(pixels, bits * np.uint8(255))


@pytest.mark.parametrize("extension", ["png", "tif"])
def test_sixteen_bits_give_the_high_byte(tmp_path, extension):
    deep = RNG.integers(0, 65536, (7, 9), dtype=np.uint16)
    pixels, mode = read_grey(saved(Image.fromarray(deep), tmp_path / f"a.{extension}"))
    assert (pixels.dtype, mode) == (np.uint8, "I;16")
    np.testing.assert_array_equal(pixels, deep >> 8)


def test_big_endian_sixteen_bits(tmp_path):
    deep = RNG.integers(0, 65536, (7, 9), dtype=np.uint16)
    image = Image.frombytes("I;16B", (9, 7), deep.astype(">u2").tobytes())
    np.testing.assert_array_equal(read_grey(saved(image, tmp_path / "a.tif")).pixels, deep >> 8)


def test_sixteen_bit_colour(tmp_path):
    deep = RNG.integers(0, 65536, (7, 9, 3), dtype=np.uint16)
    cv2.imwrite(str(tmp_path / "a.png"), deep[..., ::-1])
    np.testing.assert_array_equal(read_grey(tmp_path / "a.png").pixels, luma(deep >> 8))


def test_a_bmp_of_16_bits_a_pixel_is_none_of_16_bits_a_channel(tmp_path):
    pixels = np.array([[0xFFFF, 0, 0xF800, 0x001F]], "<u2")  # white, black, red, blue
    header = struct.pack("<IiiHHIIiiIIIII", 40, 4, 1, 1, 16, 3, 8, 0, 0, 0, 0, 0xF800, 0x07E0, 0x001F)
    path = tmp_path / "a.bmp"
    path.write_bytes(b"BM" + struct.pack("<IHHI", 74, 0, 0, 66) + header + pixels.tobytes())
    assert not read_header(path).deep
    np.testing.assert_array_equal(read_grey(path).pixels, [[255, 0, 76, 29]])


@pytest.mark.parametrize("mode", ["LA", "RGB", "RGBA"])
def test_sixteen_bits_of_several_channels_are_seen_whole(tmp_path, mode):
    """Pillow keeps the high bytes of such a file, and calls it by the mode of 8 bits."""
    channels = {"LA": 2, "RGB": 3, "RGBA": 4}[mode]
    deep = RNG.integers(0, 300, (7, 9, channels), dtype=np.uint16)
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in deep)
    path = write_png(tmp_path / "a.png", rows, depth=16, colour_type={2: 4, 3: 2, 4: 6}[channels])
    assert read_header(path).deep
    stored = decode(path)
    grey = deep[..., :1].repeat(3, axis=2) if mode == "LA" else deep[..., :3]
    np.testing.assert_array_equal(stored.levels, grey)
    if mode != "RGB":
        np.testing.assert_array_equal(stored.alpha, deep[..., -1])


@pytest.mark.parametrize("mode", ["CMYK", "F", "I"])
def test_a_mode_without_a_rule(tmp_path, mode):
    path = saved(Image.fromarray(GREY).convert(mode), tmp_path / "a.tif")
    with pytest.raises(ZooError, match=rf"a\.tif has pixels of mode {mode}, which has no rule"):
        read_grey(path)


@pytest.mark.parametrize("rest", [0.3, 0.6, 0.95])
def test_a_truncated_file(tmp_path, rest):
    noise = RNG.integers(0, 256, (64, 64), dtype=np.uint8)
    path = saved(Image.fromarray(noise), tmp_path / "cut.png")
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * rest)])
    with pytest.raises(ZooError, match=r"cut\.png is damaged \(.*\); download it again"):
        read_grey(path)


def test_a_bit_flipped_in_the_pixels(tmp_path):
    header = png_chunk(b"IHDR", struct.pack(">IIBBBBB", 9, 7, 8, 0, 0, 0, 0))
    rows = zlib.compress(b"".join(b"\0" + row.tobytes() for row in GREY))
    broken = bytearray(rows)
    broken[len(rows) // 2] ^= 0xFF
    parts = b"\x89PNG\r\n\x1a\n", header, png_chunk(b"IDAT", bytes(broken)), png_chunk(b"IEND", b"")
    (tmp_path / "a.png").write_bytes(b"".join(parts))
    with pytest.raises(ZooError, match=r"a\.png is damaged"):
        read_grey(tmp_path / "a.png")


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (b"", "is empty; download it again"),
        (b"  \n", "is empty; download it again"),
        (b"<!DOCTYPE html><html>404</html>", "is a web page, not an image"),
        (b"\n<html lang=en>Sign in", "is a web page, not an image"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 9\n", "is a Git LFS pointer.*git lfs pull"),
        (b"\x93NUMPY", "is no image of the formats PNG, BMP, TIFF, JPEG"),
    ],
)
def test_a_file_that_is_no_image(tmp_path, content, text):
    path = tmp_path / "a.png"
    path.write_bytes(content)
    with pytest.raises(ZooError, match=rf"a\.png {text}") as error:
        read_grey(path)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("mode", ["1", "L", "RGB", "I;16"])
@pytest.mark.parametrize("last", [0, 1])
def test_a_png_with_fewer_rows_than_its_header_says(tmp_path, mode, last):
    """Pillow fills them with zeros. Whole files, with a last row of zeros as well, are none of these."""
    depth, colour_type, row_bytes = {"1": (1, 0, 2), "L": (8, 0, 9), "RGB": (8, 2, 27), "I;16": (16, 0, 18)}[mode]
    rows = (b"\0" + bytes([1]) * row_bytes) * 6 + b"\0" + bytes([last]) * row_bytes
    stored = dict(depth=depth, colour_type=colour_type)
    assert decode(write_png(tmp_path / "a.png", rows, **stored)).mode == mode
    for height in (8, 70):
        with pytest.raises(ZooError, match=r"a\.png is damaged \(fewer rows than its header says\); download it again"):
            decode(write_png(tmp_path / "a.png", rows, height=height, **stored))


def test_a_png_that_is_large_and_empty_is_whole(tmp_path):
    """Its rows are counted in parts."""
    rows = b"\0" * (3001 * 1000)
    assert decode(write_png(tmp_path / "a.png", rows, 3000, 1000)).levels.shape == (1000, 3000)


def test_a_tiff_with_fewer_rows_than_its_header_says(tmp_path):
    for last in (0, 9):
        pixels = np.full((7, 9), 9, np.uint8)
        pixels[-1] = last
        whole = saved(Image.fromarray(pixels), tmp_path / "a.tif").read_bytes()
        assert decode(tmp_path / "a.tif").levels.shape == (7, 9)
        entry = whole.index(struct.pack("<HHI", 257, 4, 1)) + 8  # the height
        (tmp_path / "a.tif").write_bytes(whole[:entry] + struct.pack("<I", 8) + whole[entry + 4 :])
        with pytest.raises(ZooError, match=r"a\.tif is damaged"):
            decode(tmp_path / "a.tif")


def test_a_whole_interlaced_png(tmp_path):
    """Pillow cannot write one: of 2x2 pixels, the first, the one beside it, and the row below."""
    path = write_png(tmp_path / "a.png", b"\0\x05\0\x06\0\x00\x00", 2, 2, interlace=1)
    np.testing.assert_array_equal(decode(path).levels, [[5, 6], [0, 0]])


@pytest.mark.parametrize(("suffix", "format"), [("png", "GIF"), ("tif", "PPM"), ("jpg", "EPS")])
def test_other_formats_are_refused_whatever_the_name(tmp_path, suffix, format):
    path = saved(Image.fromarray(GREY), tmp_path / f"a.{suffix}", format=format)
    with pytest.raises(ZooError, match=r"is no image of the formats PNG, BMP, TIFF, JPEG; convert it"):
        read_grey(path)


@pytest.mark.parametrize("suffix", ["png", "bmp", "tif", "jpg"])
def test_a_name_says_nothing_of_the_format(tmp_path, suffix):
    np.testing.assert_array_equal(read_grey(saved(Image.fromarray(GREY), tmp_path / f"a.{suffix}", format="BMP")).pixels, GREY)


@pytest.mark.parametrize(("side", "million"), [(10000, None), (10001, 100), (50000, 2500)])
def test_an_image_is_too_large_rather_than_damaged(tmp_path, side, million):
    """Of the largest that is read, the header alone is written here."""
    path = write_png(tmp_path / "a.png", b"\0" * 9, side, side)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        if million is None:
            assert read_header(path).mode == "L"
            return
        with pytest.raises(ZooError) as error:
            read_grey(path)
    limit = "files of up to 100 million are read; cut it into tiles"
    assert str(error.value).endswith(f"a.png is too large ({side}x{side}, {million} million pixels): {limit}")


def test_truncated_files_are_not_loaded_in_part():
    assert not ImageFile.LOAD_TRUNCATED_IMAGES


def test_a_file_that_cannot_be_opened(tmp_path):
    with pytest.raises(ZooError, match=r"none\.png is missing"):
        read_grey(tmp_path / "none.png")
    with pytest.raises(ZooError, match="cannot be opened: Is a directory"):
        read_grey(tmp_path)


def test_a_label_of_the_right_size_is_itself():
    assert fit_label(GREY, GREY.shape) is GREY


def test_a_larger_label_is_sampled_at_pixel_centres():
    """The sizes of NUAA-SIRST's Misc_111: a 592x400 mask of a 325x220 image."""
    label = np.arange(400 * 592, dtype=np.uint32).reshape(400, 592).astype(np.uint8)
    fitted = fit_label(label, (220, 325))
    assert (fitted.shape, fitted.dtype) == ((220, 325), np.uint8)
    (rows, across), (columns, along) = (
        divmod((2 * np.arange(new) + 1) * old, 2 * new) for old, new in ((400, 220), (592, 325))
    )
    sure = np.ix_(across > 0, along > 0)  # elsewhere a centre falls between two pixels of the mask, and either will do
    assert fitted[sure].size > 0.9 * fitted.size
    np.testing.assert_array_equal(fitted[sure], label[np.ix_(rows, columns)][sure])


def test_a_label_of_other_proportions_is_refused():
    assert fit_label(np.zeros((100, 109), np.uint8), (50, 50)).shape == (50, 50)
    for size in ((100, 112), (100, 88), (50, 100)):
        with pytest.raises(ZooError, match=rf"m\.png is {size[1]}x{size[0]} but its image is 50x50"):
            fit_label(np.zeros(size, np.uint8), (50, 50), "m.png")


def test_the_grey_of_opencv(tmp_path):
    colours = np.random.default_rng(0).integers(0, 256, (20, 30, 3), dtype=np.uint8)
    for name, image in (("colour.png", colours), ("grey.png", colours[..., 0])):
        path = saved(Image.fromarray(image), tmp_path / name)
        np.testing.assert_array_equal(read_opencv_grey(path), cv2.imread(str(path), cv2.IMREAD_GRAYSCALE))
        assert abs(read_opencv_grey(path).astype(int) - read_grey(path).pixels).max() <= 2 * (name == "colour.png")
