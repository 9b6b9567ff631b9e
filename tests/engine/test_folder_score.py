"""Scores of a folder of predicted masks."""

import cv2
import numpy as np
import pytest
from PIL import Image

from datasets import build_dataset
from engine.folder_score import score_folder
from zoo import UsageError

IDS = ("a", "b", "c")
MASK = np.zeros((32, 32), np.uint8)
MASK[4:7, 5:8] = 255


@pytest.fixture
def dataset(tmp_path):
    for kind, picture in (("images", MASK // 3 + 40), ("masks", MASK)):
        (tmp_path / "set" / kind).mkdir(parents=True)
        for image_id in IDS:
            cv2.imwrite(str(tmp_path / "set" / kind / f"{image_id}.png"), picture)
    (tmp_path / "predicted").mkdir()
    return build_dataset(str(tmp_path / "set"), split="all")


def write(folder, picture, pattern="{}.png", ids=IDS):
    for image_id in ids:
        path = folder / "predicted" / pattern.format(image_id)
        path.parent.mkdir(parents=True, exist_ok=True)
        (picture if isinstance(picture, Image.Image) else Image.fromarray(picture)).save(path)


def score(tmp_path, dataset):
    """The IoU by the exact protocol, and the notes."""
    row = score_folder(tmp_path / "predicted", dataset)
    assert len({values["IoU"] for values in row.metrics.values()}) == 1
    assert (row.method, row.n_images, row.n_split) == ("predicted", len(dataset), len(dataset))
    return row.metrics["exact"]["IoU"], list(row.data_notes)


def labelled(mask):
    image = Image.fromarray(mask // 255)
    image.putpalette([0, 0, 0, 128, 0, 0])
    return image


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
def test_predictions_are_read_as_masks_of_a_data_set_are(tmp_path, dataset, picture, note):
    write(tmp_path, picture)
    iou, notes = score(tmp_path, dataset)
    assert iou == 1
    assert [text.startswith(note or "") for text in notes] == [True] * bool(note)


@pytest.mark.parametrize(
    "pattern", ["{}.PNG", "{}.bmp", "{}.tif", "{}_Pred.png", "{}_pred.jpg", "{}-mask.png", "{}.out.png", "{}_pixels0.png"]
)
def test_names_of_predictions(tmp_path, dataset, pattern):
    write(tmp_path, MASK, pattern)
    assert score(tmp_path, dataset)[0] == pytest.approx(1)


@pytest.mark.parametrize("others", ["{}_GT.png", "{}.png"])
def test_predictions_beside_other_files_of_the_images(tmp_path, dataset, others):
    """As DNANet's code leaves them."""
    write(tmp_path, MASK * 0, others)
    write(tmp_path, MASK, "{}_Pred.png")
    assert score(tmp_path, dataset)[0] == 1


def test_files_that_cannot_be_told_apart(tmp_path, dataset):
    for pattern in ("{}_GT.png", "{}_out.png"):
        write(tmp_path, MASK, pattern)
    with pytest.raises(UsageError, match=r"has several files an image, with the endings _GT, _out; keep the predictions alone"):
        score(tmp_path, dataset)


def test_missing_predictions_are_named_with_their_ending(tmp_path, dataset):
    with pytest.raises(UsageError, match=r"lacks 3 of the 3 test images of set, split all: a, b, c \(\.png/"):
        score(tmp_path, dataset)
    write(tmp_path, MASK, "{}_Pred.png", ids="ac")
    with pytest.raises(UsageError, match=r"lacks 1 of the 3 test images of set, split all: b_Pred \("):
        score(tmp_path, dataset)


def test_an_id_that_begins_like_another(tmp_path):
    for kind in ("images", "masks", "predicted"):
        (tmp_path / kind).mkdir()
        for image_id in ("1", "1_2", "s/1"):
            (tmp_path / kind / "s").mkdir(exist_ok=True)
            cv2.imwrite(str(tmp_path / kind / f"{image_id}.png"), MASK)
    dataset = build_dataset(str(tmp_path), split="all")
    assert score_folder(tmp_path / "predicted", dataset).metrics["exact"]["IoU"] == 1


@pytest.mark.parametrize("peak", [1, 2])
def test_a_probability_map_is_not_judged_alone(tmp_path, dataset, peak):
    write(tmp_path, MASK)
    faint = np.zeros_like(MASK)
    faint[20:, :] = peak
    write(tmp_path, faint, ids="b")
    iou, notes = score(tmp_path, dataset)
    assert iou == pytest.approx(2 / 3)
    assert notes == ["1 predictions with targets, none above 127 (store them as 0 and 255): b"]


def test_notes_of_data_set_and_predictions(tmp_path, dataset):
    write(tmp_path, 255 - MASK)
    cv2.imwrite(str(tmp_path / "set" / "masks" / "a.png"), MASK // 2)
    write(tmp_path, MASK, "{}.bmp", ids="a")
    _, notes = score(tmp_path, build_dataset(str(tmp_path / "set"), split="all"))
    assert notes == [
        "1 masks with targets, none above 127 (store them as 0 and 255): a",
        "1 predictions have several files, of which the first is read: a (a.png, a.bmp)",
        "3 predictions with target on more than half of the image (is the background white? targets are): a, b, c",
    ]
