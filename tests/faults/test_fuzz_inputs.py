"""Any image, mask, list or checkpoint is read or refused in one line; what was written is read back as it was."""

import io
import json
import struct
import unicodedata

import cv2
import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image

from irsam_zoo.datasets.mask_levels import mask_levels
from irsam_zoo.datasets.reader import read_grey, read_header
from irsam_zoo.datasets.splits import read_list
from irsam_zoo.zoo import ZooError, build_method
from irsam_zoo.zoo.weights.checkpoints import load_checkpoint, output_channels, save_checkpoint
from irsam_zoo.zoo.weights.header import read_header as read_metadata

pytestmark = pytest.mark.faults
SETTINGS = dict(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
GREY = np.random.default_rng(0).integers(0, 256, (24, 31), dtype=np.uint8)
SHAPES = st.tuples(st.integers(1, 40), st.integers(1, 40))


def fuzz(number):
    return settings(max_examples=number, **SETTINGS)


def written(image, format, **options):
    file = io.BytesIO()
    image.save(file, format, **options)
    return file.getvalue()


def saved(save, *arguments, **options):
    file = io.BytesIO()
    save(*arguments, file, **options) if save is torch.save else save(file, *arguments, **options)
    return file.getvalue()


PICTURES = [
    written(image, format, **options)
    for format, options in [("PNG", {}), ("BMP", {}), ("TIFF", {}), ("JPEG", {}), ("TIFF", {"compression": "tiff_lzw"})]
    for image in [Image.fromarray(GREY), Image.fromarray(np.dstack([GREY] * 3))]
]
PICTURES += [written(Image.fromarray(GREY).convert(mode), "PNG") for mode in ("P", "1", "LA", "RGBA")]
PICTURES += [written(Image.fromarray(GREY.astype(np.uint16) * 200), format) for format in ("PNG", "TIFF")]
PICTURES += [cv2.imencode(".png", np.dstack([GREY.astype(np.uint16) * 200] * 3))[1].tobytes()]


@st.composite
def damaged(draw, originals):
    """One of some files with bytes changed, a part cut out or doubled, or numbers in it replaced by extreme ones."""
    data = bytearray(draw(st.sampled_from(originals)))
    for _ in range(draw(st.integers(1, 4))):
        place = draw(st.one_of(st.integers(0, min(len(data), 200)), st.integers(0, len(data))))
        kind = draw(st.sampled_from(["change", "cut", "double", "number", "end"]))
        if kind == "change":
            new = draw(st.binary(min_size=1, max_size=4))
            data[place : place + len(new)] = new
        elif kind == "number":
            number = draw(st.sampled_from([0, 1, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFF]))
            data[place : place + 4] = struct.pack(draw(st.sampled_from("<>")) + "I", number)
        elif kind == "cut":
            del data[place : place + draw(st.integers(1, 64))]
        elif kind == "double":
            data[place:place] = data[place : place + draw(st.integers(1, 64))]
        else:
            del data[place:]
    return bytes(data)


def refused(function, *arguments):
    """What a function gives, or None where it refuses in one line."""
    try:
        return function(*arguments)
    except ZooError as error:
        text = str(error)
    assert text
    assert not any(unicodedata.category(letter) == "Cc" for letter in text), text
    return None


def test_damaged_images(tmp_path, tried):
    path = tmp_path / "a.png"

    @fuzz(1500)
    @given(damaged(PICTURES))
    def check(data):
        tried("images")
        path.write_bytes(data)
        refused(read_header, path)
        found = refused(read_grey, path)
        assert found is None or (found.pixels.dtype == np.uint8 and found.pixels.ndim == 2)
        if refused(mask_levels, [path]) is not None:
            refused(mask_levels([path]).read, path)

    check()


def test_images_are_read_back(tmp_path, tried):
    @fuzz(150)
    @given(arrays.arrays(np.uint8, SHAPES), st.sampled_from(["png", "bmp", "tif"]), st.booleans())
    def check(grey, suffix, colour):
        tried("round trips")
        path = tmp_path / f"a.{suffix}"
        Image.fromarray(np.dstack([grey] * 3) if colour else grey).save(path)
        np.testing.assert_array_equal(read_grey(path).pixels, grey)

    check()


def test_masks_are_read_back(tmp_path, tried):
    """Two levels, whichever they are and however stored, are background and target."""

    @fuzz(200)
    @given(arrays.arrays(bool, SHAPES), st.sampled_from(["L", "1", "deep", "P", "RGB", "alpha"]), st.integers(1, 255))
    def check(mask, form, level):
        assume(form != "alpha" or not mask.all())  # an opaque picture without anything in it
        tried("round trips")
        path = tmp_path / "a.png"
        if form == "deep":
            cv2.imwrite(str(path), mask.astype(np.uint16) * level)
        elif form == "alpha":
            Image.fromarray(np.dstack([np.zeros_like(mask, np.uint8), mask * np.uint8(255)])).save(path)
        else:
            image = Image.fromarray(mask.astype(np.uint8) * np.uint8(level if form in ("L", "RGB") else 255))
            image.convert(form).save(path)
        read = mask_levels([path]).read(path).pixels > 127
        np.testing.assert_array_equal(read, mask)

    check()


def test_lists(tmp_path, tried):
    path = tmp_path / "test.txt"
    odd = st.sampled_from(
        ["..", ".", "/", "\\", "C:", "a", "images", ".png", "\0", "\x1b", "\x85", "\u2028", "\ufeff", " ", "\n"]
    )

    text = st.text(max_size=60).map(lambda text: text.encode("utf-8", "replace"))
    parts = st.lists(odd).map(lambda parts: "".join(parts).encode())

    @fuzz(800)
    @given(st.binary(max_size=60) | text | parts)
    def check(data):
        tried("lists")
        path.write_bytes(data)
        for id in refused(read_list, path) or []:
            assert id
            assert not id.startswith("/")
            assert ".." not in id.split("/")
            assert not any(ord(letter) < 32 for letter in id)
            assert (tmp_path / "images" / f"{id}.png").resolve().is_relative_to(tmp_path / "images")

    check()


def test_lists_are_read_back(tmp_path, tried):
    letters = st.characters(categories=["L", "N"], include_characters="_- .")
    names = st.text(letters, min_size=1).map(lambda name: f"a{name}b")

    @fuzz(200)
    @given(st.lists(names, min_size=1, unique=True), st.sampled_from(["\n", "\r\n", "\r"]))
    def check(ids, end):
        tried("round trips")
        (tmp_path / "test.txt").write_text(end.join(ids), encoding="utf-8", newline="")
        assert read_list(tmp_path / "test.txt") == ids

    check()


STATE = {"a.weight": torch.arange(12.0).reshape(3, 4), "b": torch.zeros(5, dtype=torch.int64), "c": torch.ones(2).half()}


def checkpoints(folder):
    save_checkpoint(folder / "ours", STATE, {"method": "x", "seen": {"d": {"i": "0"}}, "schedule": "paper"})
    yield (folder / "ours").read_bytes()
    for new in (True, False):
        yield saved(torch.save, {"state_dict": STATE, "epoch": 3}, _use_new_zipfile_serialization=new)
    yield saved(np.savez, **{"a.weight": np.ones((3, 4)), "b": np.zeros(5)})
    yield saved(np.savez_compressed, **{"a.weight": np.ones((3, 4))})
    yield struct.pack("<QQQIiIqiiif", 0x112, 0, 1, 0xF993FAC9, 0, 1, 1, 1, 0, 0, 1.0) + struct.pack("<QQ1s", 1, 1, b"a")


def test_damaged_checkpoints(tmp_path, tried):
    originals = list(checkpoints(tmp_path))
    path = tmp_path / "a.bin"
    for data in originals:
        path.write_bytes(data)
        assert load_checkpoint(path)[0]

    @fuzz(2000)
    @given(damaged(originals))
    def check(data):
        tried("checkpoints")
        path.write_bytes(data)
        found = refused(load_checkpoint, path)
        assert found is None or all(isinstance(value, torch.Tensor) for value in found[0].values())
        assert isinstance(read_metadata(path), dict)

    check()


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
FIELDS = ["dtype", "shape", "data_offsets"]
OWN = ["method", "dataset", "split", "seen", "train_ids", "schedule", "evaluation", "options", "weights_as", "seed", "start"]


def test_headers_of_checkpoints(tmp_path, tried):
    """Whatever the JSON of a header holds, and whatever our own entry in it says, in the parser and in building a method."""
    path = tmp_path / "a.safetensors"
    entry = st.dictionaries(st.sampled_from(FIELDS), JSON, max_size=3)
    good = st.just({"dtype": "F32", "shape": [2], "data_offsets": [0, 8]})
    own = st.dictionaries(st.sampled_from(OWN), JSON, max_size=5).map(json.dumps)
    metadata = st.one_of(JSON, st.dictionaries(st.just("irsam_zoo"), own | st.text(max_size=9), min_size=1))

    @fuzz(1500)
    @given(st.dictionaries(st.text(max_size=5), good | entry, max_size=2), st.none() | metadata)
    def check(tensors, metadata):
        tried("headers")
        header = json.dumps(tensors | ({} if metadata is None else {"__metadata__": metadata})).encode()
        path.write_bytes(struct.pack("<Q", len(header)) + header + bytes(8))
        refused(load_checkpoint, path)
        assert isinstance(read_metadata(path), dict)

    check()

    @fuzz(60)
    @given(own)
    def build(text):
        tried("headers")
        header = json.dumps({"a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}, "__metadata__": {"irsam_zoo": text}})
        path.write_bytes(struct.pack("<Q", len(header)) + header.encode() + bytes(8))
        with pytest.raises(ZooError):
            build_method("acmnet", checkpoint=str(path))

    build()


def test_checkpoints_are_read_back(tmp_path, tried):
    dtypes = st.sampled_from([np.float32, np.float64, np.float16, np.int64, np.uint8])
    values = dtypes.flatmap(lambda dtype: arrays.arrays(dtype, arrays.array_shapes(max_dims=4, max_side=4)))
    names = st.from_regex(r"[a-z]{1,6}(\.[a-z0-9]{1,6}){0,2}", fullmatch=True).filter(lambda name: "total_" not in name)
    path = tmp_path / "a.bin"

    @fuzz(200)
    @given(st.dictionaries(names, values, min_size=1, max_size=4), st.sampled_from(["ours", "zip", "old"]))
    def check(state, form):
        tried("round trips")
        state = {name: torch.from_numpy(np.array(value)) for name, value in state.items()}
        metadata = {"method": "x", "recipe": {"lr": 0.1, "phases": [1, None]}}
        if form == "ours":
            save_checkpoint(path, state, metadata)
        else:
            torch.save(state, path, _use_new_zipfile_serialization=form == "zip")
        read, told = load_checkpoint(path, state)
        assert read.keys() == state.keys()
        for name, value in state.items():
            assert torch.equal(read[name].nan_to_num(7), value.nan_to_num(7))
            assert read[name].dtype == value.dtype
        assert form != "ours" or told == metadata

    check()


def test_weights_as_integers_are_read_back_closely(tmp_path, tried):
    network = build_method("acmnet", weights=None).network
    state, axes = network.state_dict(), output_channels(network)

    @fuzz(20)
    @given(st.integers(0, 1000))
    def check(seed):
        tried("round trips")
        generator = torch.Generator().manual_seed(seed)
        new = {k: torch.randn(v.shape, generator=generator) if v.is_floating_point() else v for k, v in state.items()}
        save_checkpoint(tmp_path / "a", new, {}, int8=axes)
        read, _ = load_checkpoint(tmp_path / "a")
        for name, value in new.items():
            if name not in axes:
                assert torch.equal(read[name], value)
                continue
            others = [axis for axis in range(value.ndim) if axis != axes[name]]
            assert ((read[name] - value).abs() <= value.abs().amax(others, keepdim=True) / 253).all()

    check()
