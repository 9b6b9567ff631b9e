"""Scores of a folder of predictions: names, faults, and the row."""

import json

import cv2
import numpy as np
import pytest
from PIL import Image

from irsam_zoo.datasets import build_dataset
from irsam_zoo.engine.foreign.score import score_folder
from irsam_zoo.results.row import AS_GIVEN, OUTSIDE, Row
from irsam_zoo.zoo import UsageError, ZooError


def iou(scored):
    """The IoU of every protocol."""
    (value,) = {metrics["IoU"] for metrics in scored.row.metrics.values()}
    return value


def lines(scored):
    return [str(fault) for fault in scored.faults]


@pytest.mark.parametrize(
    "pattern",
    [
        *("{}.PNG", "{}.bmp", "{}.tif", "{}_Pred.png", "{}_pred.jpg", "{}-mask.png", "{}.out.png", "{}_pixels0.png"),
        *("pred_{}.png", "my mask-{}.png", "{}(1).png", "{} (2).png", "pred_{}_out.png", "{} - copy.png"),
    ],
)
def test_names_of_predictions(target, write, score, pattern):
    write(target, pattern)
    scored = score()
    assert iou(scored) == pytest.approx(1)
    assert scored.faults == []


@pytest.mark.parametrize("others", ["{}_GT.png", "{}.png"])
def test_predictions_beside_other_files_of_the_images(target, write, score, others):
    """As DNANet's code leaves them; one prediction is missing."""
    write(target * 0, others)
    write(target, "{}_Pred.png", ids="ab")
    scored = score()
    assert iou(scored) == 1
    assert lines(scored)[0] == "c: no prediction; the image is left out"
    assert len(scored.faults) == 1 + 3


def test_files_that_cannot_be_told_apart(target, write, score):
    for pattern in ("{}_GT.png", "{}_out.png"):
        write(target, pattern)
    with pytest.raises(UsageError, match=r"has several files an image, with the endings _GT, _out; keep the predictions alone"):
        score()


def test_a_folder_without_predictions(score):
    with pytest.raises(UsageError, match=r"lacks 3 of the 3 test images of set, split all: a, b, c \(\.npy/\.mat/\.png/"):
        score()


def test_an_id_that_begins_like_another(tmp_path, target):
    for kind in ("images", "masks", "predicted"):
        for image_id in ("1", "1_2", "s/1"):
            (tmp_path / kind / "s").mkdir(exist_ok=True, parents=True)
            cv2.imwrite(str(tmp_path / kind / f"{image_id}.png"), target)
    dataset = build_dataset(str(tmp_path), split="all")
    assert iou(score_folder(tmp_path / "predicted", dataset, name="mine")) == 1


def test_faults_are_told_with_what_was_done(tmp_path, target, write, score):
    write(target, ids="a")
    write(cv2.resize(target, None, fx=2, fy=2, interpolation=cv2.INTER_NEAREST), ids="b")
    write(target, ids=("zz", "folder/y"))
    (tmp_path / "predicted" / "c.png").write_bytes(b"\x89PNG")
    scored = score()
    assert iou(scored) == 1
    assert (scored.row.n_images, scored.row.n_split, scored.row.whole) == (2, 3, False)
    extra, deeper, unread, resized = sorted(lines(scored), key=lambda line: "zz y c b".find(line.partition(":")[0][-5:][0]))
    assert {extra, deeper} == {f"{name}.png: of no test image; it is left out" for name in ("zz", "folder/y")}
    assert resized == "b: 64x64 for an image of 32x32; it is resized"
    assert "c.png is no image of the formats" in unread
    assert unread.endswith("; the image is left out")
    assert list(scored.row.data_notes) == [
        "2 files are of no test image: folder/y.png, zz.png (it is left out)",
        "1 predictions cannot be read: c (the image is left out)",
        "1 predictions have another size than their image: b (it is resized)",
    ]


def test_scores_of_another_size_are_resized_bilinearly(write, score):
    small = np.zeros((16, 16), np.float32)
    small[3, 3] = 0.9
    small[:, 8:] = 0.1
    write(small, "{}.npy")
    # Of the 4x4 px around, those at a quarter of a small pixel from its centre keep 9/16 of it, the others at most 3/16.
    records = score(threshold="fixed(0.5)").records
    assert {record.counts["predicted_pixels"] for record in records} == {4}
    assert records[0].statistics.high == pytest.approx(0.9 * 9 / 16)


@pytest.mark.parametrize(
    ("fault", "text"),
    [
        (lambda write, target: write(target, ids="ab"), "--strict: 1 images have no prediction: c in "),
        (lambda write, target: write(target, ids="abcd"), "--strict: 1 files are of no test image: d.png in "),
        (lambda write, target: write(target[:30]), "--strict: 1 predictions have another size than their image: a in "),
    ],
)
def test_strict_takes_none_of_them(target, write, score, fault, text):
    fault(write, target)
    assert score().faults
    with pytest.raises(UsageError, match=text):
        score(strict=True)


def test_nothing_that_can_be_read(tmp_path, write, target, score):
    write(target)
    for path in (tmp_path / "predicted").iterdir():
        path.write_bytes(path.read_bytes()[:50])
    with pytest.raises(ZooError, match=r"c\.png is damaged .*; nor can any other prediction in .*predicted be read"):
        score()


def test_a_row_of_masks_has_no_figure_of_scores(target, write, score):
    write(target)
    row = score(title="Mine").row
    assert (row.method, row.title, row.fidelity, row.threshold, row.oracle) == ("mine", "Mine", OUTSIDE, AS_GIVEN, False)
    assert (row.score_kind, row.sweep, row.auc, row.signal, row.speed) == (None,) * 5
    assert row.ci95["exact"]["IoU"] == (1, 1)
    assert row.strata["size"][0] == {"bin": "1-9", "targets": 3, "matched": 3, "Pd": 1.0, "IoU": 1.0}
    assert row.own_split is True
    written = json.loads(json.dumps(row.to_json()))
    assert Row.from_json(written).to_json() == written
    with pytest.raises(UsageError, match="holds masks, which are cut already; leave out --threshold"):
        score(threshold="minmax(0.5)")


def test_the_key_is_of_the_files(target, write, score):
    write(target)
    first, again = score().row.key, score().row.key
    assert first == again
    write(Image.fromarray(target).convert("1"), ids="b")
    changed = score().row
    assert changed.metrics["exact"]["IoU"] == 1
    assert {name for name in first if first[name] != changed.key[name]} == {"predictions"}


def test_an_oracle_chooses_its_cut_over_the_set(target, write, score):
    graded = target // 4 + (np.arange(32) // 4).astype(np.uint8)
    write(graded)
    assert score().row.metrics["exact"]["IoU"] == 0
    row = score(threshold="best_iou").row
    assert (row.oracle, row.from_sweep, row.metrics["exact"]["IoU"]) == (True, True, 1)


def test_notes_of_data_set_and_predictions(tmp_path, target, dataset, write):
    write(255 - target)
    cv2.imwrite(str(tmp_path / "set" / "masks" / "a.png"), target // 2)
    write(target, "{}.bmp", ids="a")
    scored = score_folder(tmp_path / "predicted", build_dataset(str(tmp_path / "set"), split="all"), name="mine")
    assert list(scored.row.data_notes) == [
        "1 masks with targets, none above 127 (store them as 0 and 255): a",
        "1 predictions have several files, of which the first is read: a (a.png, a.bmp)",
        "3 predictions with target on more than half of the image (is the background white? targets are): a, b, c",
    ]


def test_predictions_without_a_target_are_told(target, write, score):
    write(target // 8 + (target > 0) * np.arange(32, dtype=np.uint8))
    assert score().row.data_notes[-1] == "no prediction has a target: none of 3 has a score above the cut"


@pytest.mark.parametrize(
    ("name", "huge"), [("b.png", np.zeros((9_000, 11_000), np.uint8)), ("b.npy", np.zeros((2_049, 2_048), "f4"))]
)
def test_a_prediction_far_larger_than_its_image_is_left_out(tmp_path, target, write, score, name, huge):
    write(target if name.endswith("png") else target / 255, f"{{}}{name[1:]}", ids=("a", "c"))
    write(huge, name, ids=("b",))
    scored = score()
    assert [record.id for record in scored.records] == ["a", "c"]
    (fault,) = scored.faults
    assert (fault.sort, fault.name) == ("unreadable", "b")
    assert "million pixels, for an image of 32x32" in fault.detail
    for image_id in "ac":
        (tmp_path / "predicted" / f"{image_id}{name[1:]}").unlink()
    with pytest.raises(ZooError, match="nor can any other prediction"):
        score()


def test_a_prediction_by_another_name_is_named(target, write, score):
    for number, folder in enumerate("abc"):
        write(target, f"{number:04d}.png", ids=folder)
    with pytest.raises(UsageError, match=r"lacks 3 of .*; it holds 0000\.png where a is looked for; predict them"):
        score()


def test_an_empty_prediction_is_no_faint_one(target, write, score):
    write(target, ids="ac")
    write(target * 0, ids="b")
    assert score().row.data_notes == ()
    write(target // 255 * 100, ids="b")
    notes = score(kind="mask").row.data_notes
    assert "1 predictions with targets, none above 127 (store them as 0 and 255): b" in notes


def test_probabilities_below_the_cut(target, write, score):
    ramp = np.arange(32, dtype=np.uint8)[None] + np.zeros((32, 1), np.uint8)
    write(np.maximum(target, ramp), ids="ac")
    write(target * 0, ids="b")
    taken = "predictions hold grey levels, which are taken for probabilities"
    assert score().row.data_notes == (taken,)
    write(ramp, ids="b")
    assert score().row.data_notes == (taken, "1 predictions have scores above 0, none above the cut: b")


@pytest.mark.parametrize("level", [0, 255])
def test_masks_that_are_all_alike_are_told(target, write, score, level):
    write(np.full_like(target, level))
    told = "no prediction has a target: none of 3 has a score above the cut"
    if level:
        told = "every pixel of every prediction is target: all scores of all 3 are above the cut"
    assert told in score().row.data_notes
