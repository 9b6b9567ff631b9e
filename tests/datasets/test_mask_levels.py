"""Which pixels are target, for the ways that toolboxes and annotators store masks. All masks here show one small target."""

import cv2
import numpy as np
import pytest
from PIL import Image

from irsam_zoo.datasets.mask_levels import mask_levels
from irsam_zoo.datasets.reader import decode

SHAPE = (20, 30)


def shape_of(number):
    """The true mask of a file."""
    mask = np.zeros(SHAPE, bool)
    mask[4 + number : 8 + number, 10:13] = True
    return mask


TRUE = [shape_of(number) for number in range(3)]


def grey(level, dtype=np.uint8):
    return lambda mask: Image.fromarray(np.where(mask, level, 0).astype(dtype))


def colour(target, background=(0, 0, 0)):
    return lambda mask: Image.fromarray(np.where(mask[..., None], target, background).astype(np.uint8))


def palette(*colours, target=1):
    def store(mask):
        image = Image.fromarray(np.where(mask, target, 0).astype(np.uint8))
        image.putpalette([level for entry in colours for level in entry])
        return image

    return store


def quantized(colours):
    """A palette that Pillow chooses; it puts the brighter colour first, which is the target's."""
    return lambda mask: colours(mask).quantize(2)


def alpha(level, mode):
    def store(mask):
        base = Image.new(mode[:-1], SHAPE[::-1], level)
        base.putalpha(Image.fromarray(mask.astype(np.uint8) * 255))
        return base

    return store


VOC = (0, 0, 0), (128, 0, 0), (0, 128, 0), (128, 128, 0)
STORED = {
    "0 and 255": (grey(255), ""),
    "one bit": (lambda mask: Image.fromarray(mask), ""),
    "0 and 200": (grey(200), ""),
    "0 and 1": (grey(1), "two levels, 0 and 1, none above 127: 1 is target"),
    "0 and 2": (grey(2), "two levels, 0 and 2, none above 127: 2 is target"),
    "0 and 127": (grey(127), "two levels, 0 and 127"),
    "16 bits, 0 and 255": (grey(255, np.uint16), "4 masks of 16 bits hold levels up to 255, which are taken as they are"),
    "16 bits, 0 and 1": (grey(1, np.uint16), "two levels, 0 and 1"),
    "16 bits, 0 and 256": (grey(256, np.uint16), "4 masks of 16 bits hold two levels, 0 and 256: 256 is target"),
    "16 bits, 0 and 4095": (grey(4095, np.uint16), "two levels, 0 and 4095"),
    "16 bits, 0 and 65535": (grey(65535, np.uint16), "two levels, 0 and 65535"),
    "grey stored as RGB": (colour((255, 255, 255)), ""),
    "0 and 1 as RGB": (colour((1, 1, 1)), "two levels, 0 and 1"),
    "red": (colour((255, 0, 0)), "what differs from the background, (0, 0, 0), is target"),
    "blue": (colour((0, 0, 255)), "in colour"),
    "dark red": (colour((64, 0, 0)), "in colour"),
    "a class in the last channel": (colour((0, 0, 1)), "in colour"),
    "red on white": (colour((255, 0, 0), (255, 255, 255)), "the background, (255, 255, 255), is target"),
    "VOC palette": (palette(*VOC), "4 masks with a palette: every index but 0 is target"),
    "VOC palette, class 3": (palette(*VOC, target=3), "with a palette"),
    "palette whose colours are all black": (palette((0, 0, 0), (0, 0, 0)), "with a palette"),
    "palette of 0 and 1": (palette((0, 0, 0), (1, 1, 1)), "with a palette"),
    "palette with a grey background": (palette((120, 120, 120), (180, 120, 120)), "with a palette"),
    "palette of black and white": (palette((0, 0, 0), (255, 255, 255)), ""),
    "white and black by quantisation": (quantized(colour((255, 255, 255))), ""),
    "red and black by quantisation": (quantized(colour((255, 0, 0))), "in colour"),
    "alpha over white": (alpha((255,) * 3, "RGBA"), "4 masks of a single colour with alpha"),
    "alpha over black": (alpha((0,) * 3, "RGBA"), "with alpha"),
    "alpha over grey": (alpha(255, "LA"), "with alpha"),
}


def write(folder, store, masks=TRUE, suffix="png"):
    paths = [folder / f"{number}.{suffix}" for number in range(len(masks))]
    for path, mask in zip(paths, masks, strict=True):
        store(mask).save(path)
    return paths


def labels(paths):
    rule = mask_levels(paths)
    return [rule.read(path).pixels for path in paths]


@pytest.mark.parametrize("name", STORED)
def test_the_target_is_found_and_the_rule_told(tmp_path, name):
    store, text = STORED[name]
    masks = [np.zeros(SHAPE, bool), *TRUE]
    paths = write(tmp_path, store, masks)
    for label, mask in zip(labels(paths), masks, strict=True):
        assert label.dtype == np.uint8
        np.testing.assert_array_equal(label > 127, mask)
    texts = "\n".join(mask_levels(paths).texts)
    assert text in texts if text else texts == ""


def test_plain_masks_keep_their_levels(tmp_path):
    levels = np.resize(np.array([0, 1, 64, 127, 128, 255], np.uint8), SHAPE)
    (label,) = labels(write(tmp_path, lambda mask: Image.fromarray(levels), TRUE[:1]))
    np.testing.assert_array_equal(label, levels)


@pytest.mark.parametrize("high", [2, 200])
def test_a_mask_of_0_and_1_among_others_is_none_of_0_and_1(tmp_path, high):
    """A probability map that peaks at 1 is not all target: the rule is that of the folder."""
    paths = write(tmp_path, grey(1))
    grey(high)(TRUE[1]).save(paths[1])
    assert [label.max() for label in labels(paths)] == [1, high, 1]
    assert mask_levels(paths).texts == ()


def test_a_ramp_below_the_cut_is_no_mask_of_two_levels(tmp_path):
    ramp = np.arange(600, dtype=np.uint8).reshape(SHAPE) % 100
    paths = write(tmp_path, lambda mask: Image.fromarray(ramp))
    np.testing.assert_array_equal(labels(paths)[0], ramp)


def test_16_bits_of_several_levels_are_read_by_the_high_byte(tmp_path):
    levels = np.resize(np.array([0, 300, 32767, 32768, 65535], np.uint16), SHAPE)
    paths = write(tmp_path, lambda mask: Image.fromarray(levels), TRUE[:1])
    np.testing.assert_array_equal(labels(paths)[0] > 127, levels >= 32768)
    assert "read by the high byte" in mask_levels(paths).texts[0]


def test_16_bit_colours(tmp_path):
    for level in (255, 65535):
        colours = TRUE[0][..., None] * np.array([0, 0, level], np.uint16)  # red, as OpenCV orders channels
        cv2.imwrite(str(tmp_path / f"{level}.png"), colours)
        (label,) = labels([tmp_path / f"{level}.png"])
        np.testing.assert_array_equal(label > 127, TRUE[0])


def test_colours_of_a_jpeg_are_cut_in_the_middle(tmp_path):
    paths = [tmp_path / "a.jpg"]
    colour((255, 0, 0))(TRUE[0]).save(paths[0], quality=90, subsampling=0)
    label = labels(paths)[0]
    np.testing.assert_array_equal(label > 127, TRUE[0])
    assert ((label > 0) & (label <= 127)).any()  # the noise around it
    assert "by more than 127 in a channel" in mask_levels(paths).texts[0]


def test_soft_edges_of_a_coloured_target_are_cut_in_the_middle(tmp_path):
    levels = cv2.GaussianBlur(TRUE[0].astype(np.float32) * 255, (0, 0), 1.5).astype(np.uint8)
    Image.fromarray(np.dstack([levels, np.zeros((*SHAPE, 2), np.uint8)])).save(tmp_path / "a.png")
    (label,) = labels([tmp_path / "a.png"])
    np.testing.assert_array_equal(label, levels)


def test_masks_are_not_inverted(tmp_path):
    for number, store in enumerate((grey(255), colour((255, 255, 255)), palette((0, 0, 0), (255, 0, 0)))):
        (path,) = write(tmp_path, store, [~TRUE[0]], suffix=f"{number}.png")
        np.testing.assert_array_equal(labels([path])[0] > 127, ~TRUE[0])


def test_alpha_that_hides_nothing_is_dropped(tmp_path):
    paths = write(tmp_path, lambda mask: grey(255)(mask).convert("RGBA"))
    np.testing.assert_array_equal(labels(paths)[0] > 127, TRUE[0])
    assert mask_levels(paths).texts == ()


def test_opaque_masks_without_a_target(tmp_path):
    paths = write(tmp_path, lambda mask: grey(0)(mask).convert("RGBA"))
    assert not np.any(labels(paths))


def test_0_and_1_in_16_bits_beside_0_and_255(tmp_path):
    paths = write(tmp_path, grey(1, np.uint16))
    grey(255)(TRUE[1]).save(paths[1])
    assert [label.max() for label in labels(paths)] == [1, 255, 1]
    assert mask_levels(paths).texts == ("2 masks of 16 bits hold levels up to 1, which are taken as they are",)


def test_what_they_are_called(tmp_path):
    assert mask_levels(write(tmp_path, grey(1)), "predictions").texts[0].startswith("predictions hold two levels")


def test_of_plain_masks_one_is_decoded_and_then_no_more(tmp_path, monkeypatch):
    monkeypatch.setattr("irsam_zoo.datasets.levels.READERS", 1)
    paths = write(tmp_path, grey(255), TRUE * 40)
    decoded = []
    monkeypatch.setattr("irsam_zoo.datasets.levels.decode", lambda path: decoded.append(path) or decode(path))
    assert mask_levels(paths).texts == ()
    assert 1 <= len(decoded) < len(paths)


@pytest.mark.parametrize("levels", [(255, 65535), (1, 65535), (257, 514), (300, 301), (1, 255), (1, 2)])
def test_16_bits_by_two_writers(tmp_path, levels):
    paths = [*write(tmp_path, grey(levels[0], np.uint16), TRUE[:1]), tmp_path / "b.png"]
    grey(levels[1], np.uint16)(TRUE[1]).save(paths[1])
    for label, mask in zip(labels(paths), TRUE, strict=False):
        np.testing.assert_array_equal(label, mask * np.uint8(255))
    text = f"2 masks of 16 bits hold one level besides 0 each, {levels[0]}, {levels[1]} in all: it is target"
    assert mask_levels(paths).texts == (text,)


def test_levels_that_the_high_byte_loses_are_no_empty_mask(tmp_path):
    soft = np.resize(np.array([0, 300, 32768, 65535], np.uint16), SHAPE)
    paths = [*write(tmp_path, grey(255, np.uint16), TRUE[:1]), tmp_path / "b.png"]
    Image.fromarray(soft).save(paths[1])
    low, high = labels(paths)
    np.testing.assert_array_equal(low, TRUE[0])  # which `datasets.remarks` names
    np.testing.assert_array_equal(high > 127, soft >= 32768)
