import numpy as np
import pandas as pd
import pytest

from irsam_zoo.metrics import PROTOCOLS, Metric, add_metric, bootstrap_ci, compute_metrics, count_image, ratio
from irsam_zoo.metrics.compute import METRICS, count_columns, weighted_ratios
from irsam_zoo.zoo.errors import UsageError, ZooError


def square(row, column, side=3, size=64):
    mask = np.zeros((size, size), bool)
    mask[row : row + side, column : column + side] = True
    return mask


@pytest.fixture
def rows():
    """A hit with a false alarm of the same area, a miss, and an image empty in both."""
    empty = np.zeros((64, 64), bool)
    return [
        count_image(square(10, 10) | square(40, 40), square(10, 10)),
        count_image(empty, square(20, 20)),
        count_image(empty, empty),
    ]


@pytest.mark.parametrize(
    ("protocol", "niou", "fa"),
    [
        ("exact", 0.5 / 2, 9 / (3 * 64 * 64)),
        ("irsam", 0.5 / 3, 0.0),
        ("dnanet", 0.5 / 3, 0.0),
        ("basicirstd", 0.5 / 3, 9 / (3 * 64 * 64)),
    ],
)
def test_protocols_differ_where_they_should(rows, protocol, niou, fa):
    result = compute_metrics(rows, protocol)
    assert result["IoU"] == pytest.approx(9 / 27)
    assert result["Pd"] == 0.5
    assert result["nIoU"] == pytest.approx(niou)
    assert result["Fa"] == pytest.approx(fa)


def test_hierarchical_iou_is_the_product_of_its_factors(rows):
    result = compute_metrics(rows, "exact")
    assert result["segIoU"] == 1
    assert result["locIoU"] == result["hIoU"] == pytest.approx(1 / 3)
    assert "hIoU" not in compute_metrics(rows, "irsam")


@pytest.mark.parametrize(("protocol", "area"), [("irsam", 512 * 512), ("dnanet", 256 * 256), ("basicirstd", 64 * 64)])
def test_divisor_of_fa_is_fixed_in_two_protocols(protocol, area):
    rows = [count_image(square(10, 10, side=2), square(40, 40))] * 3
    assert compute_metrics(rows, protocol)["Fa"] == pytest.approx(4 / area)


@pytest.mark.parametrize("protocol", ["dnanet", "basicirstd"])
def test_union_is_that_of_two_histograms(protocol):
    label = np.zeros((16, 16), np.uint8)
    label[2, 2:6] = [255, 255, 128, 254]
    pred = np.zeros((16, 16), bool)
    pred[2, 3:5] = pred[9, 9] = True
    mask = label / 255  # as a loader of theirs has it
    hits = (pred * (pred == mask)).astype(float)
    area = [np.histogram(values[values > 0], bins=1, range=(1, 1))[0].item() for values in (hits, pred.astype(float), mask)]
    assert area == [1, 3, 4]
    assert compute_metrics([count_image(pred, label)], protocol)["IoU"] == pytest.approx(
        area[0] / (area[1] + area[2] - area[0])
    )
    assert compute_metrics([count_image(pred, label)], "irsam")["IoU"] == pytest.approx(1 / 4)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_undefined_is_none(protocol):
    empty = np.zeros((16, 16), bool)
    result = compute_metrics([count_image(empty, empty)], protocol)
    assert result["Pd"] is None
    assert result["Fa"] == 0
    assert result["IoU"] is result["nIoU"] is None if protocol == "exact" else result["IoU"] == result["nIoU"] == 0


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_no_images_at_all(protocol):
    result = compute_metrics([], protocol)
    assert result["Pd"] is result["Fa"] is result["nIoU"] is None


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_table_read_back_from_csv_gives_the_same(rows, protocol, tmp_path):
    pd.DataFrame(rows).to_csv(tmp_path / "rows.csv", index=False)
    assert compute_metrics(pd.read_csv(tmp_path / "rows.csv"), protocol) == compute_metrics(rows, protocol)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_weight_is_a_number_of_copies(rows, protocol):
    assert compute_metrics(rows, protocol, weights=[2, 0, 3]) == pytest.approx(
        compute_metrics([rows[0], rows[0], rows[2], rows[2], rows[2]], protocol)
    )


def test_replicates_are_rows_of_weights(rows):
    weights = np.array([[1.0, 1, 1], [0, 0, 1], [0, 2, 0]])
    ratios = weighted_ratios(count_columns(rows, "exact"), "exact", weights)
    np.testing.assert_allclose(ratios["Pd"], [0.5, np.nan, 0])
    np.testing.assert_allclose(ratios["IoU"], [1 / 3, np.nan, 0])


def test_unknown_protocol_and_missing_column_are_named(rows):
    with pytest.raises(UsageError, match="exact, irsam, dnanet, basicirstd"):
        compute_metrics(rows, "isnet")
    with pytest.raises(ZooError, match="no column 'ref_matched'"):
        compute_metrics(pd.DataFrame(rows).drop(columns="ref_matched"), "irsam")
    with pytest.raises(ZooError, match="no column 'union'"):
        compute_metrics([{"pixels": 3, "intersection": 1}])


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_precision_and_recall_of_the_pixels(protocol):
    label = np.zeros((20, 20), np.uint8)
    label[2:6, 2:6], label[2, 2:6] = 255, 200  # of 16 px, 12 are targets to the public codes
    pred = np.zeros((20, 20), bool)
    pred[3:6, 2:4] = pred[10, 10:12] = True
    counts, nothing = count_image(pred, label), count_image(np.zeros_like(pred), np.zeros_like(label))
    found = compute_metrics([counts, nothing], protocol)
    assert (found["precision"], found["recall"]) == pytest.approx((6 / 8, 6 / (16 if protocol == "exact" else 12)))
    assert found["F1"] == pytest.approx(2 / (1 / found["precision"] + 1 / found["recall"]))
    empty = compute_metrics([nothing], protocol)
    assert empty["precision"] is empty["recall"] is empty["F1"] is None


@pytest.fixture
def f2(monkeypatch):
    """A metric from outside: the pixel-level F2."""
    monkeypatch.setattr("irsam_zoo.metrics.compute.METRICS", dict(METRICS))
    names = ("intersection", "predicted_pixels", "target_pixels")
    add_metric("F2", Metric(of=lambda s, rule: ratio(5 * s[names[0]], s[names[1]] + 4 * s[names[2]]), counts=names))


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_metric_from_outside_is_computed_with_the_others(f2, protocol):
    label = np.zeros((20, 20), np.uint8)
    label[2:6, 2:6], label[2, 2:6] = 255, 200  # of 16 px, 12 are targets to the public codes
    pred = np.zeros((20, 20), bool)
    pred[3:6, 2:4] = True
    counts = [count_image(pred, label)]
    wanted = 5 * 6 / (6 + 4 * 16) if protocol == "exact" else 5 * 6 / (6 + 4 * 12)
    assert compute_metrics(counts, protocol)["F2"] == pytest.approx(wanted)
    assert bootstrap_ci(counts, protocol, n=5)["F2"] == pytest.approx((wanted, wanted))
