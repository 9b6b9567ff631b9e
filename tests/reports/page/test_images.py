"""The browser of images: what it shows of each, which come first, and in how much room."""

import base64

import cv2
import numpy as np
import pytest

from irsam_zoo.reports.page.images import image_browser
from irsam_zoo.reports.page.pictures import MOST_BOXES, image_picture, mask_picture, outcome, score_picture, target_boxes
from irsam_zoo.reports.row_files import RowFiles
from irsam_zoo.reports.table import build_table
from irsam_zoo.zoo import ZooError
from tests.reports.page.conftest import IDS

PLENTY = 10**7


def decoded(text):
    return cv2.imdecode(np.frombuffer(base64.b64decode(text), np.uint8), cv2.IMREAD_GRAYSCALE)


@pytest.fixture
def behind(stored):
    return RowFiles(stored.store)


def mine(stored, behind, counts=None, budget=PLENTY):
    sections = build_table([row for row in stored.rows if row.dataset == "mine"])
    (browser,) = image_browser(sections, counts or stored.counts, behind, budget)
    return browser


def test_counts_are_those_of_the_records(stored, behind):
    browser = mine(stored, behind)
    assert browser["ids"] == list(IDS)
    row = next(row for row in stored.rows if (row.dataset, row.method) == ("mine", "top_hat"))
    for count, record in zip(browser["counts"]["top_hat"], stored.store.records(row), strict=True):
        assert count[1:] == [record.counts[name] for name in ("targets", "matched", "false_pixels")]
        assert count[0] == round(1e4 * record.counts["intersection"] / record.counts["union"])
    assert browser["remarks"] == []


def test_the_worst_image_of_a_method_comes_first(stored, behind):
    browser = mine(stored, behind)
    first, *others = browser["worst"]["top_hat"]
    assert browser["ids"][first] == "im3"  # its target is as dark as the ground
    assert len(others) == 3
    only = mine(stored, behind, budget=len(str(browser["pictures"][first])))
    assert list(only["pictures"]) == [first]


def test_a_picture_shows_the_image_the_masks_and_what_was_found(stored, behind):
    browser = mine(stored, behind)
    picture = browser["pictures"][3]
    assert (picture["size"], picture["targets"]) == ([64, 48], [[30, 20, 3, 3]])
    truth = decoded(picture["truth"])
    assert (truth.shape, np.count_nonzero(truth)) == ((48, 64), 9)
    made = picture["methods"]["top_hat"]
    assert (made["found"], made["alarms"], made["others"]) == ([], [[2, 2, 2, 2]], 0)
    assert np.count_nonzero(decoded(made["mask"])) == 4
    score = decoded(made["score"])
    assert np.unravel_index(score.argmax(), score.shape) in {(2, 2), (2, 3), (3, 2), (3, 3)}
    assert browser["pictures"][0]["methods"]["top_hat"]["found"] == [0]


def test_counts_stay_where_nothing_else_is_stored(stored, behind, monkeypatch):
    def gone(*_):
        raise ZooError("the images are not found")

    monkeypatch.setattr(behind, "test_set", gone)
    browser = mine(stored, behind)
    assert "image" not in browser["pictures"][0]
    assert "found" not in browser["pictures"][0]["methods"]["top_hat"]
    monkeypatch.setattr(behind, "mask", gone)
    monkeypatch.setattr(behind, "score", gone)
    browser = mine(stored, behind)
    assert (browser["pictures"], len(browser["counts"]["top_hat"])) == ({}, 4)
    assert browser["remarks"][0] == "the images are not found"
    assert "--save-predictions" in browser["remarks"][1]


def test_what_is_missing_of_every_image_is_said_once(stored, behind, monkeypatch):
    def other(row, image_id):
        raise ZooError(f"{image_id} of {row.dataset} is not the image that was scored")

    monkeypatch.setattr(behind, "item", other)
    (remark,) = mine(stored, behind)["remarks"]
    text, _, ids = remark.removesuffix(")").partition(" (")
    assert text == "an image of mine is not the image that was scored"
    assert sorted(ids.split(", ")) == sorted(IDS)


def test_rows_without_records_are_told_once_and_looked_for_once(stored, behind, monkeypatch):
    asked = []

    def gone(row):
        asked.append(row.method)
        raise ZooError("out has rows alone")

    monkeypatch.setattr(behind, "records", gone)
    browser = mine(stored, behind)
    assert (browser["remarks"], browser["pictures"]) == (["out has rows alone"], {})
    assert sorted(asked) == ["max_median", "top_hat"]
    assert len(browser["counts"]["top_hat"]) == 4


def test_a_row_whose_counts_are_gone_is_told(stored, behind):
    browser = mine(stored, behind, lambda row: None if row.method == "max_median" else stored.counts(row))
    assert list(browser["counts"]) == ["top_hat"]
    assert "run this cell again" in browser["remarks"][0]


def test_peaks_survive_the_reduction_and_masks_are_not_reduced():
    score = np.zeros((600, 1024))
    score[301, 702] = 9
    small = decoded(score_picture(score))
    assert small.shape == (75, 128)
    assert small[37, 87] > 200
    assert decoded(image_picture(score)).shape == (150, 256)
    mask = np.zeros((600, 1024), bool)
    mask[301, 702] = True
    assert (decoded(mask_picture(mask)) > 0).tolist() == mask.tolist()


@pytest.mark.parametrize("top", [1, 65535])
def test_probabilities_are_shown_as_they_are(top):
    assert abs(int(decoded(score_picture(np.full((8, 8), top / 2), top))[4, 4]) - 128) < 4


def test_boxes_of_many_false_alarms_are_those_of_the_largest():
    predicted, mask = np.zeros((60, 200), bool), np.zeros((60, 200), bool)
    predicted[::4, ::8] = True
    predicted[30, 100:103] = mask[50, 10:12] = True
    result = outcome(predicted, mask)
    assert target_boxes(mask) == [[10, 50, 2, 1]]
    assert result["alarms"][0] == [100, 30, 3, 1]
    assert len(result["alarms"]) == MOST_BOXES
    assert result["others"] > 300
