import numpy as np
import pytest

from irsam_zoo.metrics import compute_pyirstd, count_image, count_pyirstd
from irsam_zoo.zoo.errors import ZooError

EMPTY = np.zeros((32, 32), bool)


def dots(*places):
    mask = EMPTY.copy()
    for place in places:
        mask[place] = True
    return mask


def test_empty_sides_add_phantoms():
    row = count_pyirstd(EMPTY, EMPTY)
    assert (row["targets"], row["components"], row["matched"], row["false_pixels"]) == (1, 1, 0, 0)
    assert compute_pyirstd([row]) == {"hIoU": 0.0, "segIoU": None, "locIoU": 0.0, "Pd": 0.0, "Fa": 0.0}


def test_a_far_object_costs_a_match():
    # The pairing of all objects to the least total distance joins each target with a prediction that is too far.
    pred, label = dots((5, 6), (5, 12)), dots((5, 10), (5, 20))
    assert count_pyirstd(pred, label)["matched"] == 0  # 4 + 8 px is less than 2 + 14 px
    assert count_image(pred, label)["opdc_matched"] == 1


def test_overlap_goes_first():
    label = np.zeros((32, 32), np.uint8)
    label[5:8, 5:25] = 255
    pred = np.zeros((32, 32), bool)
    pred[5:8, 5:17] = True
    row = count_pyirstd(pred, label)
    assert row["iou"] == pytest.approx(0.6)
    assert compute_pyirstd([row, row]) == pytest.approx({"hIoU": 0.6, "segIoU": 0.6, "locIoU": 1.0, "Pd": 1.0, "Fa": 0.0})


def test_shapes_must_fit():
    with pytest.raises(ZooError, match="does not fit"):
        count_pyirstd(EMPTY[:16], EMPTY)
