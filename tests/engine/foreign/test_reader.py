"""What the files of another program are taken for."""

import numpy as np
import pytest
from PIL import Image
from scipy.io import savemat

from irsam_zoo.engine.foreign.reader import Kind, open_predictions
from irsam_zoo.results.score_map import AboutScores, write_about, write_score_map
from irsam_zoo.zoo import UsageError, ZooError

MASK = np.zeros((32, 32), np.uint8)
MASK[4:7, 5:8] = 255
# Probabilities with a slope in the background, so that there is something to sweep.
SLOPE = np.where(MASK > 0, 0.9, np.linspace(0, 0.4, 32)).astype(np.float32)


def labelled(mask):
    image = Image.fromarray(mask // 255)
    image.putpalette([0, 0, 0, 128, 0, 0])
    return image


def sixteen_bits(part):
    return np.round(part * 65535).astype(np.uint16)


def eight_bits(part):
    return np.round(part * 255).astype(np.uint8)


def matlab(folder, array, ids="abc", **others):
    for image_id in ids:
        savemat(folder / "predicted" / f"{image_id}.mat", {"T": array, "name": "some text", "lambda": 0.5} | others)


@pytest.mark.parametrize(
    ("picture", "note"),
    [
        (MASK, None),
        (MASK // 255, "predictions hold two levels, 0 and 1"),
        (labelled(MASK), "3 predictions with a palette"),
        (MASK.astype(np.uint16), "3 predictions of 16 bits hold levels up to 255"),
        (MASK.astype(np.uint16) * 257, "3 predictions of 16 bits hold two levels, 0 and 65535"),
        (np.dstack([MASK, MASK * 0, MASK * 0]), "predictions in colour"),
    ],
)
def test_masks_are_read_as_those_of_a_data_set_are(write, score, picture, note):
    write(picture)
    row = score().row
    assert (row.score_kind, row.metrics["exact"]["IoU"]) == (None, 1)
    assert [text.startswith(note or "") for text in row.data_notes] == [True] * bool(note)


@pytest.mark.parametrize(
    "array", [MASK > 0, MASK // 255, MASK, MASK // 3, (MASK > 0).astype(np.float64), MASK[None, :, :, None] / 255.0]
)
def test_arrays_of_two_numbers_are_masks(write, score, array):
    write(array, "{}.npy")
    row = score().row
    assert (row.score_kind, row.metrics["exact"]["IoU"], row.data_notes) == (None, 1, ())


@pytest.mark.parametrize(
    ("picture", "pattern"),
    [
        (eight_bits(SLOPE), "{}.png"),
        (np.dstack([eight_bits(SLOPE)] * 3), "{}.png"),
        (sixteen_bits(SLOPE), "{}.png"),
        (SLOPE, "{}.npy"),
        (eight_bits(SLOPE), "{}.npy"),
        (eight_bits(SLOPE).astype(np.float64), "{}.npy"),
        (sixteen_bits(SLOPE), "{}.npy"),
    ],
)
def test_probabilities_give_a_sweep(write, score, picture, pattern):
    write(picture, pattern)
    scored = score()
    row = scored.row
    assert (row.score_kind, row.threshold, row.metrics["exact"]["IoU"]) == ("probability", "fixed(0.5)", 1)
    assert row.auc == pytest.approx(1)
    assert row.signal["targets"] == 3
    assert "taken for probabilities" in row.data_notes[-1]
    levels = (0, 40, 90, 128, 240)
    expected = [3 * np.count_nonzero(level <= 255 * SLOPE) for level in levels]
    found = [row.sweep["tp"][level] + row.sweep["fp"][level] for level in levels]
    np.testing.assert_allclose(found, expected, atol=3 * 32)  # a column of each image, where the slope is rounded
    assert found[-1] == 0
    assert scored.records[0].statistics.high == pytest.approx(0.9, abs=1 / 255)


def test_a_map_of_probabilities_is_not_judged_alone(write, score):
    """A faint one among others, which by itself would be a mask."""
    write(MASK)
    write(np.where(np.arange(32)[:, None] > 20, 1, MASK * 0).astype(np.uint8), ids="b")
    row = score().row
    assert row.score_kind == "probability"
    assert row.metrics["exact"]["IoU"] == pytest.approx(2 / 3)


def test_matlab_files_hold_one_image(tmp_path, dataset, score):
    matlab(tmp_path, SLOPE.astype(np.float64))
    assert score().row.metrics["exact"]["IoU"] == 1
    matlab(tmp_path, MASK > 0)
    assert score().row.score_kind is None
    matlab(tmp_path, MASK, B=MASK)
    with pytest.raises(ZooError, match=r"\.mat should hold one image of numbers, HxW, and holds several: T, B; save"):
        score()


@pytest.mark.parametrize(
    ("array", "text"),
    [
        (np.array([{}]), "cannot be read .*an array of objects"),
        (np.zeros((4, 32, 32)), r"holds \(4, 32, 32\) of float64; an image of numbers, HxW, belongs there"),
        (np.full((32, 32), np.nan), "holds NaN or Inf"),
        (np.zeros((32, 32), complex), "of complex128; an image of numbers"),
    ],
)
def test_arrays_that_are_no_image_are_errors(write, score, array, text):
    write(array, "{}.npy")
    with pytest.raises(ZooError, match=text):
        score()


def test_a_matlab_file_of_the_other_format(tmp_path, dataset, score):
    for image_id in "abc":
        header = b"MATLAB 7.3 MAT-file".ljust(124) + b"\x00\x02IM"
        (tmp_path / "predicted" / f"{image_id}.mat").write_bytes(header + b"\x89HDF\r\n\x1a\n".ljust(512))
    with pytest.raises(ZooError, match=r"is of MATLAB 7\.3, which is another format; save it with '-v7'"):
        score()


def test_scores_beyond_probabilities_have_to_be_said(write, score):
    write(SLOPE * 10 - 5, "{}.npy")
    with pytest.raises(UsageError, match="numbers from -5 to 4; say by --scores logit or --scores raw what they are"):
        score()
    logits, raw = score(kind="logit").row, score(kind="raw").row
    assert (logits.score_kind, logits.threshold, logits.metrics["exact"]["IoU"]) == ("logit", "fixed(0)", 1)
    assert (raw.score_kind, raw.threshold) == ("raw", "adaptive(0.7, 0.5)")


def test_what_the_user_says_wins(write, score):
    write(eight_bits(SLOPE))
    assert score(kind="mask").row.score_kind is None
    raw = score(kind="raw").row
    assert (raw.score_kind, raw.threshold, raw.metrics["exact"]["IoU"]) == ("raw", "adaptive(0.7, 0.5)", 1)
    assert score(kind="probability", threshold="minmax(0.3)").row.threshold == "minmax(0.3)"


def test_arrays_and_images_are_not_mixed(write, score):
    write(MASK, ids="ab")
    write(MASK, "{}.npy", ids="c")
    with pytest.raises(UsageError, match="holds arrays of some images and pictures of others"):
        score()


def test_own_scores_tell_what_they_are(tmp_path):
    path = tmp_path / "a.png"
    logits = SLOPE * 10 - 5
    write_score_map(path, logits, "raw")
    reader = open_predictions(tmp_path, [path])
    assert (reader.kind, reader.threshold) == (Kind.RAW, "adaptive(0.7, 0.5)")
    np.testing.assert_allclose(reader.read(path), logits, atol=1e-4)
    write_score_map(path, logits, "logit")
    assert open_predictions(tmp_path, [path]).kind is Kind.PROBABILITY
    write_about(tmp_path, AboutScores("logit", "fixed(1)"))
    reader = open_predictions(tmp_path, [path])
    assert (reader.kind, reader.threshold) == (Kind.LOGIT, "fixed(1)")
    np.testing.assert_allclose(reader.read(path), logits, atol=2e-3)
