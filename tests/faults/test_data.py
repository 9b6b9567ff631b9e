"""Data sets of strangers: each bad image is left out and named, and nothing else is read, written, run or filled."""

import os
import struct
import subprocess
import sys
import zlib
from io import BytesIO
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from irsam_zoo.commands import door
from irsam_zoo.datasets import build_dataset
from irsam_zoo.datasets.reader import read_grey
from irsam_zoo.zoo import UsageError
from tests.user_set import IDS, PROGRAM, row_of, run, table, write_set

pytestmark = pytest.mark.faults
GREY = np.random.default_rng(0).integers(1, 255, (40, 55), dtype=np.uint8)
COLOUR = np.dstack([GREY, GREY[::-1], GREY])
MOST_MEMORY = 600  # MB that reading any one file may add to what a process has


@pytest.fixture
def folder(tmp_path):
    return write_set(tmp_path / "mine")


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width, height, rows, depth=8, colour_type=0, before=b""):
    """A PNG whose header says what it likes."""
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour_type, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + before + chunk(b"IDAT", zlib.compress(rows, 9)) + chunk(b"IEND", b"")


def encoded(format, image=GREY, **options):
    """A picture as the bytes of a file."""
    file = BytesIO()
    (Image.fromarray(image) if isinstance(image, np.ndarray) else image).save(file, format, **options)
    return file.getvalue()


def taller(jpeg):
    """A JPEG whose header says twice its height."""
    place = jpeg.find(b"\xff\xc0") + 5
    return jpeg[:place] + struct.pack(">H", 80) + jpeg[place + 2 :]


ROWS = b"".join(b"\0" + row.tobytes() for row in GREY)
JPEG, PNG = encoded("JPEG", quality=95), encoded("PNG")
TWO = dict(save_all=True, append_images=[Image.fromarray(GREY[::-1])])
# Texts and profiles of any length are not needed, and not unpacked.
LONG_TEXTS = {
    kind: png(55, 40, ROWS, before=chunk(kind.encode(), b"a\0" + rest + zlib.compress(bytes(1_000_000_000), 9)))
    for kind, rest in (("zTXt", b"\0"), ("iTXt", b"\1\0\0\0"), ("iCCP", b"\0"))
}
BAD_FILES = {
    "nothing": b"",
    "cut": PNG[:400],
    "cut before its end": PNG[:-30],
    "text": b"hello, world",
    "web page": b"<!DOCTYPE html><html><body>404</body></html>",
    "zeros": bytes(4000),
    "Git LFS pointer": b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n",
    "more rows": png(55, 80, ROWS),
    "other width": png(50, 40, ROWS),
    "JPEG of more rows": taller(JPEG),
    "JPEG in colour of more rows": taller(encoded("JPEG", COLOUR)),
    "JPEG closed early": JPEG[: len(JPEG) // 2] + b"\xff\xd9",
    "JPEG cut": JPEG[: len(JPEG) // 2],
    "no palette": png(55, 40, ROWS, colour_type=3),
    "wrong checksum": PNG[:60] + bytes([PNG[60] ^ 1]) + PNG[61:],
    "CMYK": encoded("TIFF", Image.fromarray(COLOUR).convert("CMYK")),
    "CMYK JPEG": encoded("JPEG", Image.fromarray(COLOUR).convert("CMYK")),
    "several pictures": encoded("PNG", **TWO),
    "several pages": encoded("TIFF", **TWO),
    "floats": encoded("TIFF", GREY.astype(np.float32)),
    "32 bits": encoded("TIFF", GREY.astype(np.int32)),
    "2500 million pixels": png(50000, 50000, b"\0" * 9),
    "400 million pixels of one bit": png(20000, 20000, bytes(2501 * 20000), depth=1),
    "largest sides": png(0x7FFFFFFF, 0x7FFFFFFF, ROWS),
    "no width": png(0, 40, ROWS),
    "PostScript": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 55 40\nshowpage\n%%EOF\n",
    "AVIF": encoded("AVIF", COLOUR),
    "DDS": encoded("DDS", COLOUR),
    "SPIDER": encoded("SPIDER", GREY.astype(np.float32)),
    "GIF": encoded("GIF"),
    "WebP": encoded("WEBP", COLOUR),
    "SVG": b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"><image href="/etc/passwd"/></svg>',
    "playlist": b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n",
}


def test_every_bad_image_is_left_out_and_named(folder, tmp_path, capsys, tried):
    tried("images", len(BAD_FILES) + 4)
    mask = np.zeros_like(GREY)
    for name, data in BAD_FILES.items():
        (folder / "images" / f"{name}.png").write_bytes(data)
        cv2.imwrite(str(folder / "masks" / f"{name}.png"), mask)
    os.symlink("circle.png", folder / "images" / "circle.png")
    os.symlink("/dev/zero", folder / "images" / "device.png")
    os.mkfifo(folder / "images" / "pipe.png")
    (folder / "images" / "folder.png").mkdir()
    bad = [*BAD_FILES, "circle", "device", "pipe", "folder"]
    (folder / "test.txt").write_text("\n".join([*IDS, *bad]))
    assert run(folder, tmp_path / "out", "top_hat") == 1
    told = capsys.readouterr().err
    assert f"mine: {len(bad)} of {len(bad) + len(IDS)} images are left out: nothing, cut, " in told
    row = row_of(tmp_path / "out", "top_hat")
    assert (row["status"], row["n_images"], row["n_split"]) == ("incomplete", len(IDS), len(bad) + len(IDS))
    assert list(row["left_out"]) == bad
    for name, reason in row["left_out"].items():
        assert f"{name}" in reason
        assert "\n" not in reason
    assert float(table(tmp_path / "out")["mine", "top_hat", "IoU"]["measured"]) == 100
    assert "Traceback" not in told


def test_reading_no_file_takes_much_memory(tmp_path, tried):
    """The limit is the process's own, so that more is an error and not a full machine."""
    files = BAD_FILES | LONG_TEXTS
    tried("images", len(files))
    for name, data in files.items():
        (tmp_path / f"{name}.png").write_bytes(data)
    code = (
        "import resource, sys\nfrom pathlib import Path\nfrom irsam_zoo.runtime.memory import limit_memory\n"
        "from irsam_zoo.datasets.reader import read_grey\nfrom irsam_zoo.zoo import ZooError\n"
        f"limit_memory({MOST_MEMORY} / 1024)\n"
        "for path in sorted(Path(sys.argv[1]).glob('*.png')):\n"
        f"    good = path.stem in {[*LONG_TEXTS]}\n"
        "    try:\n        read_grey(path)\n        assert good, f'{path} was read'\n"
        "    except ZooError as error:\n        assert not good and 'MemoryError' not in str(error), error\n"
    )
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], cwd=PROGRAM.parent, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "Error" not in done.stderr


def test_bad_masks_are_left_out_and_odd_ones_told(folder, tmp_path, tried):
    tried("masks", 6)
    masks = folder / "masks"
    (masks / "im0.png").unlink()
    cv2.imwrite(str(masks / "im1.png"), np.zeros((40, 400), np.uint8))
    (masks / "im2.png").write_bytes(BAD_FILES["more rows"])
    (masks / "im3.png").write_bytes(BAD_FILES["400 million pixels of one bit"])
    cv2.imwrite(str(masks / "im4.png"), np.zeros((40, 54), np.uint8))  # empty: an image without a target
    cv2.imwrite(str(masks / "im5.png"), np.full((40, 55), 255, np.uint8))
    assert run(folder, tmp_path / "out", "top_hat") == 1
    row = row_of(tmp_path / "out", "top_hat")
    assert list(row["left_out"]) == ["im0", "im1", "im2", "im3"]
    assert all(reason for reason in row["left_out"].values())
    assert "no mask of that image" in row["left_out"]["im1"]
    assert any("im5" in note for note in row["data_notes"]), row["data_notes"]


def test_strict_ends_before_anything_is_run(folder, tmp_path, capsys, tried):
    tried("images")
    (folder / "images" / "im3.png").write_bytes(BAD_FILES["cut"])
    assert run(folder, tmp_path / "out", "top_hat", "--strict") == 1
    error = capsys.readouterr().err.strip().splitlines()[-1]
    assert error.startswith("error: mine: ")
    assert "im3.png is damaged" in error
    assert not list((tmp_path / "out").rglob("top_hat.*"))


BAD_LINES = {
    "above": "../../secret",
    "above inside": "a/../../secret",
    "above as on Windows": r"..\..\secret",
    "absolute": "/etc/passwd",
    "a drive": r"C:\secret",
    "a share": r"\\server\secret",
    "an escape": "im1\x1b[31m",
    "a bell": "im1\x07",
    "zero byte": "im1\0",
    "next line": "im1\x85im2",
    "line separator": "im1\u2028im2",
    "twice": "im1\nim1",
    "twice as a path": "im1\nimages/im1",
    "not there": "no_such_image",
    "nothing": "",
}


@pytest.mark.parametrize("kind", BAD_LINES)
def test_a_list_reaches_nothing_outside_the_data_set(folder, tmp_path, capsys, kind, tried):
    tried("lists")
    secret = tmp_path / "secret.png"
    secret.write_bytes(PNG)
    (folder / "test.txt").write_text(BAD_LINES[kind], encoding="utf-8")
    assert run(folder, tmp_path / "out", "top_hat", "--save-predictions") in (1, 2)
    told = capsys.readouterr().err
    assert "Traceback" not in told
    assert "\x1b" not in told
    assert "\x07" not in told
    assert not list((tmp_path / "out").rglob("*.png"))
    assert {path.name for path in tmp_path.iterdir()} <= {"mine", "out", "secret.png"}


@pytest.mark.parametrize("data", [b"\xff\xfe\x00", b"\x80abc", bytes(range(256))])
def test_a_list_that_is_no_text(folder, tmp_path, capsys, data, tried):
    tried("lists")
    (folder / "test.txt").write_bytes(data)
    assert run(folder, tmp_path / "out", "top_hat") in (1, 2)
    assert capsys.readouterr().err.count("\n") == 1


def test_a_list_of_a_million_lines(folder, tmp_path, tried):
    """Linear throughout: a quadratic step on it would take hours."""
    tried("lists")
    (folder / "test.txt").write_text("\n".join([*IDS, *(f"missing_{k}" for k in range(1_000_000))]))
    assert run(folder, tmp_path / "out", "top_hat", "--limit", "9") == 1
    row = row_of(tmp_path / "out", "top_hat")
    assert (row["n_images"], row["n_split"], list(row["left_out"])) == (8, 1_000_008, ["missing_0"])


def test_links_in_circles_and_suffixes_in_capitals(folder, tried):
    tried("folders")
    os.symlink(folder / "images", folder / "images" / "again")
    os.symlink("itself", folder / "images" / "itself")
    os.symlink(folder / "nowhere", folder / "masks" / "nowhere")
    (folder / "images" / "im0.png").rename(folder / "images" / "im0.PNG")
    (folder / "masks" / "im1.png").rename(folder / "masks" / "im1.Png")
    dataset = build_dataset(str(folder))
    assert all(dataset.looks().values())
    assert build_dataset(str(folder), subset="all").ids == IDS


@pytest.mark.parametrize("split", [".", "./", "..", "./.", "/", ""])
def test_a_split_without_a_name_is_one_line(folder, tmp_path, monkeypatch, capsys, split, tried):
    tried("lists")
    monkeypatch.chdir(tmp_path)
    assert run(folder, tmp_path / "out", "top_hat", "--split", split) == 2
    assert capsys.readouterr().err.count("\n") == 1
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("name", ["a\x1b[31mb", "a\nb", "a\\b", "a" * 240])
def test_a_folder_whose_name_is_no_file_s(tmp_path, capsys, name, tried):
    tried("folders")
    assert run(write_set(tmp_path / name), tmp_path / "out", "top_hat") == 2
    told = capsys.readouterr().err
    assert told.count("\n") == 1
    assert "\x1b" not in told
    assert not (tmp_path / "out").exists()


def test_a_split_of_this_folder_has_the_folder_s_name(folder, tmp_path, monkeypatch, tried):
    tried("lists")
    monkeypatch.chdir(folder)
    assert run(Path("./"), tmp_path / "out", "top_hat", "--split", "./") == 0
    assert row_of(tmp_path / "out", "top_hat", split="mine")["n_images"] == len(IDS)


def test_sixteen_bits_are_read_whole(tmp_path, tried):
    tried("images")
    deep = GREY.astype(np.uint16) * 257
    cv2.imwrite(str(tmp_path / "deep.png"), deep)
    np.testing.assert_array_equal(read_grey(tmp_path / "deep.png").pixels, GREY)


def test_a_data_set_at_the_root_of_the_machine(monkeypatch, tried):
    tried("folders")
    monkeypatch.setattr("irsam_zoo.datasets.catalogue.open_folder", lambda folder: None)
    with pytest.raises(UsageError, match="/ is no data set"):
        build_dataset("/")


def test_predict_tells_of_a_bad_image_and_goes_on(folder, tmp_path, capsys, tried):
    tried("images")
    (folder / "images" / "im3.png").write_bytes(BAD_FILES["AVIF"])
    assert door.main(["predict", "top_hat", str(folder / "images"), "--out", str(tmp_path / "out")]) == 1
    done = capsys.readouterr()
    assert "im3" in done.err
    assert "in 7 images" in done.out
