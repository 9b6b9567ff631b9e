import json

import numpy as np
import pytest

from irsam_zoo.metrics import mean_signal, signal_metrics
from irsam_zoo.zoo.errors import ZooError


@pytest.fixture
def scene():
    generator = np.random.default_rng(2)
    image = generator.normal(100, 4, (96, 128))
    label = np.zeros((96, 128), bool)
    label[40:43, 50:54] = True
    label[48:50, 58:60] = True
    image[label] += 40
    return image, label


def scr_by_hand(values, label, rows, columns):
    window = np.zeros(label.shape, bool)
    window[max(rows[0] - 20, 0) : rows[1] + 20, max(columns[0] - 20, 0) : columns[1] + 20] = True
    background = values[window & ~label]
    inside = values[rows[0] : rows[1], columns[0] : columns[1]]
    return abs(inside.mean() - background.mean()) / background.std(), background.std()


def test_ratios_are_those_of_the_definition(scene):
    image, label = scene
    score = np.maximum(image - 104, 0) * 3
    records = signal_metrics(image, score, label)["targets"]
    assert [record["area"] for record in records] == [12, 4]
    for record, box in zip(records, (((40, 43), (50, 54)), ((48, 50), (58, 60))), strict=True):
        scr_in, spread_in = scr_by_hand(image, label, *box)
        scr_out, spread_out = scr_by_hand(score, label, *box)
        assert record["scr_in"] == pytest.approx(scr_in)
        assert record["scr_out"] == pytest.approx(scr_out)
        assert record["scrg"] == pytest.approx(scr_out / scr_in)
        assert record["bsf"] == pytest.approx(spread_in / spread_out)


def test_windows_are_cut_at_the_border(scene):
    image, _ = scene
    label = np.zeros(image.shape, bool)
    label[0:2, 126:128] = True
    (record,) = signal_metrics(image, image, label)["targets"]
    assert record["scr_in"] == pytest.approx(scr_by_hand(image, label, (0, 2), (126, 128))[0])


def test_gain_does_not_depend_on_the_scale_of_the_scores(scene):
    image, label = scene
    (one, _), (other, _) = (signal_metrics(image, scale * image - 7, label)["targets"] for scale in (1, 1000))
    assert one["scrg"] == pytest.approx(other["scrg"]) == pytest.approx(1)
    assert one["bsf"] == pytest.approx(1000 * other["bsf"])


@pytest.mark.parametrize("constant", [0.0, 0.1, 1e9 / 3])
def test_flat_backgrounds_are_undefined_not_infinite(scene, constant):
    image, label = scene
    flat = np.where(label, constant + 1e6, constant)
    for record in signal_metrics(image, flat, label)["targets"]:
        assert record["scr_out"] is record["scrg"] is record["bsf"] is None
        assert record["scr_in"] > 5
    for record in signal_metrics(flat, image, label)["targets"]:
        assert record["scr_in"] is record["scrg"] is None
        assert record["bsf"] == 0


def test_a_target_that_fills_the_image_has_no_background():
    everything = np.ones((16, 16))
    (record,) = signal_metrics(everything, everything, everything)["targets"]
    assert record["scr_in"] is record["scr_out"] is record["scrg"] is record["bsf"] is None


def test_matched_is_told_with_a_mask(scene):
    image, label = scene
    pred = np.zeros(label.shape, bool)
    pred[49, 58] = True
    assert [record["matched"] for record in signal_metrics(image, image, label, pred)["targets"]] == [False, True]
    assert {"matched", "iou"}.isdisjoint(signal_metrics(image, image, label)["targets"][0])


def test_iou_is_that_with_the_matched_component(scene):
    image, label = scene
    pred = np.zeros(label.shape, bool)
    pred[41:44, 51:55] = True  # 6 of the 12 px of the first target, and 6 others
    pred[48, 58:62] = True  # 2 of the 4 px of the second, and 2 others
    pred[90, 90] = True
    assert [r["iou"] for r in signal_metrics(image, image, label, pred)["targets"]] == [6 / 18, 2 / 6]
    pred[41:44, 51:55] = False
    pred[42, 53:80] = True  # overlaps the first target, too far off to be matched
    records = signal_metrics(image, image, label, pred)["targets"]
    assert [(r["matched"], r["iou"]) for r in records] == [(False, 0.0), (True, 2 / 6)]


def test_means_leave_out_and_count_what_is_undefined(scene):
    image, label = scene
    good = signal_metrics(image, 2 * image, label)
    flat = signal_metrics(image, np.zeros_like(image), label)
    nothing = signal_metrics(image, image, np.zeros_like(label))
    result = mean_signal([good, flat, nothing])
    assert result.pop("SCRG") == pytest.approx(1)
    assert result.pop("BSF") == pytest.approx(0.5)
    assert result == {"targets": 4, "SCRG_undefined": 2, "BSF_undefined": 2}
    assert mean_signal([nothing])["SCRG"] is None
    assert json.loads(json.dumps(good)) == good


def test_shapes_must_fit(scene):
    image, label = scene
    with pytest.raises(ZooError, match="score map of shape"):
        signal_metrics(image, image[:-1], label)
    with pytest.raises(ZooError, match="image of shape"):
        signal_metrics(image[:-1], image, label)
