"""Fingerprints of data sets and digests of their images."""

import os

import numpy as np
import pytest

from irsam_zoo.datasets import FolderDataset
from irsam_zoo.datasets.fingerprint import combine, pixel_digest
from tests.datasets.small_folder import SIZES, draw, open_set, save, write_folder


@pytest.fixture
def folder(tmp_path):
    return write_folder(tmp_path / "mine")


def test_each_file_is_decoded_once_for_fingerprint_and_notes(folder, monkeypatch):
    dataset, read = open_set(folder), []
    monkeypatch.setattr(FolderDataset, "look", lambda self, id, look=FolderDataset.look: read.append(id) or look(self, id))
    assert dataset.fingerprint() == open_set(folder).fingerprint()
    assert dataset.notes == open_set(folder).notes
    assert sorted(read) == sorted(dataset.ids)


def test_the_fingerprint_follows_the_rule_of_levels(folder):
    """A file that no list names may change how the others are read."""
    save(np.full(SIZES["a1"], 200, np.uint16), folder / "images" / "a1.png")
    before = open_set(folder).fingerprint()
    save(np.full(SIZES["a2"], 4000, np.uint16), folder / "images" / "a2.png")
    assert open_set(folder).fingerprint() != before


def test_fingerprint_is_of_ids_and_pixels(folder):
    dataset = open_set(folder)
    rows = [(id, *(pixel_digest(pixels) for pixels in draw(id))) for id in ("a10", "a1")]
    assert dataset.fingerprint() == combine(rows)
    assert open_set(folder, "all").fingerprint() != open_set(folder, "train").fingerprint()


def test_fingerprint_ignores_formats(folder):
    before = open_set(folder).fingerprint()
    image, label = draw("a10")
    save(np.stack([image] * 3, axis=-1), folder / "images" / "a10.png")
    save(draw("a1")[0], folder / "images" / "a1.png", compress_level=0)
    save(label, folder / "masks" / "a10.bmp")
    (folder / "masks" / "a10.png").unlink()
    assert open_set(folder).fingerprint() == before


@pytest.mark.parametrize("kind", ["images", "masks"])
def test_fingerprint_follows_a_pixel_even_where_the_size_of_the_file_stays(folder, kind):
    path = folder / kind / "a1.bmp"
    pixels = draw("a1")[kind == "masks"]
    save(pixels, path)
    (folder / kind / "a1.png").unlink()
    dataset = open_set(folder)
    before, size = dataset.fingerprint(), path.stat().st_size
    pixels[0, 0] ^= 255
    save(pixels, path)
    os.utime(path, ns=(0, path.stat().st_mtime_ns + 1_000_000))  # the clock of a file system may be coarse
    assert path.stat().st_size == size
    assert dataset.fingerprint() != before


def test_fingerprint_of_another_folder_with_the_same_name_sizes_and_times(tmp_path):
    prints = []
    for place, level in (("x", 0), ("y", 1)):
        for kind in ("images", "masks"):
            path = tmp_path / place / "mine" / kind / "a.bmp"
            path.parent.mkdir(parents=True)
            save(np.full((16, 16), level, np.uint8), path)
            os.utime(path, (0, 0))
        prints.append(open_set(tmp_path / place / "mine", "all").fingerprint())
    assert prints[0] != prints[1]


def test_fingerprint_goes_on_past_an_unreadable_item(folder):
    whole = open_set(folder).fingerprint()
    (folder / "images" / "a1.png").unlink()
    partial = open_set(folder).fingerprint()
    image, label = draw("a10")
    expected = [("a10", pixel_digest(image), pixel_digest(label)), ("a1", "unreadable", "unreadable")]
    assert partial == combine(expected) != whole


def test_pixel_digest_tells_shapes_apart():
    pixels = np.zeros((4, 6), np.uint8)
    assert pixel_digest(pixels) != pixel_digest(pixels.reshape(6, 4))
    assert pixel_digest(pixels.T) == pixel_digest(np.zeros((6, 4), np.uint8))
