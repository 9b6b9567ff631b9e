"""`predict` on the command line: an image of 16 bits, a folder, a video of three seconds, and several methods."""

import csv
import json

import cv2
import numpy as np
import pytest
from PIL import Image

from irsam_zoo.commands import door
from irsam_zoo.engine.frames import open_sources
from irsam_zoo.results.score_map import read_scale, restored
from irsam_zoo.zoo import build_method
from tests.engine.videos import broken_video, write_video

BLOBS = [(6, 10), (20, 30)]  # row and column of the first pixel of 3x2 px each


def picture(blobs, low=60, high=220, shape=(40, 48)):
    image = np.full(shape, low, np.uint16)
    for row, column in blobs:
        image[row : row + 2, column : column + 3] = high
    return image


@pytest.fixture
def predict(tmp_path):
    """Runs the command; gives its exit status."""

    def go(*arguments, out="out"):
        return door.main(["predict", *map(str, arguments), "--out", str(tmp_path / out), "--device", "cpu"])

    return go


def read(folder):
    """Lines of the CSV, and the COCO file."""
    with open(folder / "targets.csv", newline="") as file:
        return list(csv.DictReader(file)), json.loads((folder / "targets.json").read_text())


def test_an_image_of_16_bits(tmp_path, predict, capsys):
    cv2.imwrite(str(tmp_path / "deep.png"), picture(BLOBS, 7000, 7900))
    assert predict("top_hat", tmp_path / "deep.png") == 0
    told = capsys.readouterr()
    assert told.out == f"{tmp_path / 'out' / 'top_hat'}: 2 targets in 1 images\n"
    assert "images: 1 images of 16 bits use levels 7000 to 7900, which become 0 to 255" in told.err
    folder = tmp_path / "out" / "top_hat"
    mask = cv2.imread(str(folder / "masks" / "deep.png"), cv2.IMREAD_UNCHANGED)
    np.testing.assert_array_equal(mask, picture(BLOBS, 0, 255).astype(np.uint8))
    score = cv2.imread(str(folder / "scores" / "deep.png"), cv2.IMREAD_UNCHANGED)
    np.testing.assert_array_equal(restored(score, read_scale(folder / "scores" / "deep.png")), picture(BLOBS, 0, 255))
    with Image.open(folder / "overlays" / "deep.png") as overlay:
        assert (overlay.mode, overlay.size) == ("RGB", (48 * 14, 40 * 14))
    assert not (tmp_path / "out" / "side_by_side").exists()

    lines, coco = read(folder)
    assert lines == [
        dict(image="deep", number="1", x="11.0", y="6.5", left="10", top="6", width="3", height="2", area="6", peak="255.0",
             mean_score="255.0"),
        dict(image="deep", number="2", x="31.0", y="20.5", left="30", top="20", width="3", height="2", area="6", peak="255.0",
             mean_score="255.0"),
    ]  # fmt: skip
    assert coco["images"] == [dict(id=1, file_name=str(tmp_path / "deep.png"), height=40, width=48)]
    assert [(a["bbox"], a["centroid"], a["area"], a["score"]) for a in coco["annotations"]] == [
        ([10, 6, 3, 2], [11.0, 6.5], 6, 255.0),
        ([30, 20, 3, 2], [31.0, 20.5], 6, 255.0),
    ]
    assert coco["info"] == dict(method="top_hat", title="Top-Hat", threshold="adaptive(0.7, 0.5)", scores="raw")


def test_a_folder_by_two_methods(tmp_path, predict):
    (tmp_path / "walk").mkdir()
    for name, blobs in (("f1", BLOBS), ("f2", []), ("f10", BLOBS[:1])):
        cv2.imwrite(str(tmp_path / "walk" / f"{name}.png"), picture(blobs).astype(np.uint8))
    assert predict(tmp_path / "walk", "--methods", "top_hat", "tllcm", "--threshold", "fixed(30)") == 0
    for method in ("top_hat", "tllcm"):
        lines, coco = read(tmp_path / "out" / method)
        files = {entry["id"]: entry["file_name"] for entry in coco["images"]}
        assert [file[len(str(tmp_path)) + 1 :] for file in files.values()] == ["walk/f1.png", "walk/f2.png", "walk/f10.png"]
        assert len(lines) == len(coco["annotations"]) > 0
        for line, annotation in zip(lines, coco["annotations"], strict=True):
            assert files[annotation["image_id"]].endswith(f"{line['image']}.png")
            assert [int(line[name]) for name in ("left", "top", "width", "height")] == annotation["bbox"]
            assert [float(line["x"]), float(line["y"])] == annotation["centroid"]
            assert (int(line["area"]), float(line["peak"])) == (annotation["area"], annotation["score"])
            assert float(line["mean_score"]) == annotation["mean_score"]
    assert [line["image"] for line in read(tmp_path / "out" / "top_hat")[0]] == ["walk/f1", "walk/f1", "walk/f10"]
    with Image.open(tmp_path / "out" / "side_by_side" / "walk" / "f1.png") as shown:
        assert shown.size[0] == 3 * 48 * 8 + 2 * 8


def test_a_video_of_three_seconds(tmp_path, predict):
    """A target that moves by a pixel a frame."""
    frames = [picture([(6, place // 3), (30, 20)]).astype(np.uint8) for place in range(75)]
    write_video(tmp_path / "sky.avi", [np.dstack([frame] * 3) for frame in frames])
    assert predict("top_hat", tmp_path / "sky.avi", "--threshold", "fixed(80)") == 0
    lines, coco = read(tmp_path / "out" / "top_hat")
    assert len(coco["images"]) == 75
    assert len(lines) == len(coco["annotations"]) == 150
    for place, line in enumerate(lines[::2]):
        assert (line["image"], float(line["x"]), float(line["y"])) == (f"sky/{place:06d}", place // 3 + 1, 6.5)
    assert len(list((tmp_path / "out" / "top_hat" / "overlays" / "sky").glob("*.png"))) == 75


def test_a_method_of_several_frames_sees_them_together(tmp_path, predict):
    config = tmp_path / "few.py"
    config.write_text("method = dict(type='mslstipt', group_size=2)")
    (tmp_path / "walk").mkdir()
    rng = np.random.default_rng(0)
    background = rng.integers(40, 90, (24, 24))
    for place in range(4):
        image = background.copy()
        image[8:10, 2 * place : 2 * place + 2] = 230
        cv2.imwrite(str(tmp_path / "walk" / f"f{place}.png"), image.astype(np.uint8))
    detector = build_method(str(config))
    frames = [frame.image for source in open_sources([tmp_path / "walk"]) for frame in source.frames()]
    together, alone = detector.predict_sequence(frames), [detector.predict(frame) for frame in frames]
    assert np.abs(together - alone).max() > 0.05

    def scores(out):
        folder = tmp_path / out / "few" / "scores" / "walk"
        paths = [folder / f"f{place}.png" for place in range(4)]
        return [restored(cv2.imread(str(path), cv2.IMREAD_UNCHANGED), read_scale(path)) for path in paths]

    assert predict(config, tmp_path / "walk", "--sequence", out="sequence") == 0
    np.testing.assert_allclose(scores("sequence"), together, atol=1e-4)
    assert predict(config, tmp_path / "walk", out="images") == 0
    np.testing.assert_allclose(scores("images"), alone, atol=1e-4)


def test_a_file_that_fails_is_named_and_the_others_are_predicted(tmp_path, predict, capsys):
    (tmp_path / "walk").mkdir()
    cv2.imwrite(str(tmp_path / "walk" / "good.png"), picture(BLOBS).astype(np.uint8))
    cv2.imwrite(str(tmp_path / "walk" / "tiny.png"), picture([], shape=(8, 8)).astype(np.uint8))
    (tmp_path / "walk" / "bad.png").write_bytes(b"<html>")
    assert predict("top_hat", tmp_path / "walk") == 1
    told = capsys.readouterr()
    assert f"failed: walk/bad: {tmp_path / 'walk' / 'bad.png'} is a web page" in told.err
    assert "failed: walk/tiny: top_hat: image of 8x8 is smaller than 16 px on a side" in told.err
    assert told.out.endswith("2 targets in 1 images\n")


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ([], "predict needs a method and a path: predict METHOD PATH..., or predict PATH... --methods A B"),
        (["top_hat"], "predict needs a method and a path"),
        (["--methods", "top_hat", "a.png"], "predict needs a method and a path"),
        (["a.png", "b.png"], "unknown method 'a.png'"),
        (["top_hat", "a.png"], "no file or folder a.png"),
        (["acmnet", "a.png", "--checkpoints", "none"], "acmnet: no weights in none; name some by --checkpoint"),
    ],
)
def test_wrong_usage_is_one_line(predict, monkeypatch, tmp_path, capsys, arguments, text):
    monkeypatch.chdir(tmp_path)
    assert predict(*arguments) == 2
    error = capsys.readouterr().err.strip().splitlines()[-1]
    assert error.startswith("error: ")
    assert text in error
    assert not (tmp_path / "out").exists()


def test_lost_frames_are_status_1(tmp_path, predict, capsys):
    path = broken_video(tmp_path / "v.avi", [3])
    assert predict("top_hat", path) == 1
    assert f"failed: v/000003: frame 3 of {path} cannot be decoded\n" in capsys.readouterr().err
    assert len(list((tmp_path / "out" / "top_hat" / "masks" / "v").iterdir())) == 7
    (tmp_path / "frames").mkdir()
    cv2.imwrite(str(tmp_path / "frames" / "a.png"), picture(BLOBS).astype(np.uint8))
    (tmp_path / "frames" / "b.pgm").write_bytes(b"P5 1 1 255 1")
    assert predict("top_hat", tmp_path / "frames") == 1
    told = capsys.readouterr()
    assert "failed: frames: 1 files are passed over, which are not .png/" in told.err
    assert "2 targets in 1 images" in told.out
