import pytest

from irsam_zoo.metrics import strata
from irsam_zoo.zoo import ZooError


def record(area, scr, matched, iou=0.5):
    return {"area": area, "scr_in": scr, "matched": matched, "iou": iou * matched}


@pytest.mark.parametrize(
    ("area", "name"), [(1, "1-9"), (9, "1-9"), (10, "10-25"), (25, "10-25"), (26, "26-80"), (80, "26-80"), (81, ">80")]
)
def test_size_bins_hold_their_bounds(area, name):
    (row,) = [row for row in strata([record(area, 1.0, True)])["size"] if row["targets"]]
    assert row == {"bin": name, "targets": 1, "matched": 1, "Pd": 1.0, "IoU": 0.5}


@pytest.mark.parametrize(
    ("scr", "name"),
    [
        (0.0, "<2"),
        (1.99, "<2"),
        (2.0, "2-5"),
        (5.0, "5-10"),
        (9.99, "5-10"),
        (10.0, ">=10"),
        (1e9, ">=10"),
        (None, "undefined"),
    ],
)
def test_scr_bins_hold_their_bounds(scr, name):
    (row,) = [row for row in strata([record(4, scr, False)])["scr"] if row["targets"]]
    assert row == {"bin": name, "targets": 1, "matched": 0, "Pd": 0.0, "IoU": 0.0}


def test_pd_of_each_bin():
    rows = strata([record(3, 1, True), record(4, 3, False), record(9, 3, True), record(50, None, True)])
    assert [row["bin"] for row in rows["size"]] == ["1-9", "10-25", "26-80", ">80"]
    assert [row["targets"] for row in rows["size"]] == [3, 0, 1, 0]
    assert [row["Pd"] for row in rows["size"]] == [pytest.approx(2 / 3), None, 1.0, None]
    assert [row["Pd"] for row in rows["scr"]] == [1.0, 0.5, None, None, 1.0]
    assert all(row["Pd"] is None for rows in strata([]).values() for row in rows)


def test_iou_of_a_bin_is_the_mean_over_its_targets():
    rows = strata([record(3, 1, True, 0.9), record(4, 3, False), record(50, 3, True, 0.4)])
    assert [row["IoU"] for row in rows["size"]] == [pytest.approx(0.45), None, 0.4, None]
    assert [row["IoU"] for row in rows["scr"]] == [0.9, pytest.approx(0.2), None, None, None]


def test_records_of_before_say_what_to_do():
    with pytest.raises(ZooError, match="score the images again"):
        strata([{"area": 3, "scr_in": 1.0, "matched": True}])
