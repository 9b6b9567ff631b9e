import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from irsam_zoo.metrics import PROTOCOLS, compute_metrics, count_image
from irsam_zoo.zoo.errors import ZooError
from tests.oracles import metrics_oracle as oracle

HEIGHT, WIDTH = 20, 23
GREY = st.sampled_from([2, 127, 128, 254, 255, 255, 255])
box = st.tuples(st.integers(0, HEIGHT - 1), st.integers(0, WIDTH - 1), st.integers(1, 4), st.integers(1, 4), GREY)


@st.composite
def scenes(draw):
    """A mask and a grey label of small rectangles, close enough to compete for matches."""
    layers = []
    for _ in range(2):
        layer = np.zeros((HEIGHT, WIDTH), np.uint8)
        for row, column, height, width, grey in draw(st.lists(box, max_size=14)):
            layer[row : row + height, column : column + width] = grey
        layers.append(layer)
    return layers[0] > 0, layers[1]


@given(scenes())
@settings(max_examples=150, deadline=None)
def test_equals_the_plain_count(scene):
    pred, label = scene
    row, expected = count_image(pred, label), oracle.count(pred, label)
    assert row.pop("opdc_iou") == pytest.approx(expected.pop("opdc_iou"))
    assert row == expected


@given(st.lists(scenes(), max_size=4))
@settings(max_examples=40, deadline=None)
def test_metrics_equal_the_plain_ones(images):
    rows = [count_image(pred, label) for pred, label in images]
    for protocol in PROTOCOLS if rows else ():
        result = compute_metrics(rows, protocol)
        for name, value in oracle.compute(rows, protocol).items():
            assert result[name] == pytest.approx(value), (protocol, name)


@given(scenes(), st.sampled_from(["flip rows", "flip columns", "transpose", "turn"]))
@settings(max_examples=100, deadline=None)
def test_exact_counts_do_not_depend_on_the_order_of_components(scene, change):
    move = {"flip rows": np.flipud, "flip columns": np.fliplr, "transpose": np.transpose, "turn": np.rot90}[change]
    pred, label = scene
    row, moved = count_image(pred, label), count_image(move(pred), move(label))
    for name in ("intersection", "union", "targets", "components", "matched", "false_pixels", "opdc_matched"):
        assert row[name] == moved[name], name


@given(scenes())
@settings(max_examples=60, deadline=None)
def test_exact_matches_at_least_as_many_as_greedy_on_the_same_targets(scene):
    pred, label = scene
    row = count_image(pred, label > 127)
    assert row["ref_matched"] <= row["matched"] <= min(row["targets"], row["components"])
    assert row["ref_false_pixels_by_area"] <= row["ref_false_pixels"]


@pytest.mark.parametrize("dtype", [bool, np.uint8, np.int64, np.float32])
def test_zero_one_labels_of_any_dtype_are_full_targets(dtype):
    label = np.zeros((16, 16), bool)
    label[4:6, 4:6] = True
    assert count_image(label, label.astype(dtype)) == count_image(label, label.astype(np.uint8) * 255)


def test_grey_border_counts_for_exact_only():
    label = np.zeros((16, 16), np.uint8)
    label[4:7, 4:7] = 128
    label[5, 5] = 255
    row = count_image(label > 0, label)
    assert (row["target_pixels"], row["ref_target_pixels"]) == (9, 1)
    label[5, 5] = 200
    row = count_image(label > 0, label)
    assert (row["targets"], row["ref_targets"], row["ref_false_pixels"]) == (1, 0, 9)


def test_a_row_is_flat_and_json_able():
    row = count_image(np.eye(16, dtype=bool), np.eye(16, dtype=np.uint8))
    assert json.loads(json.dumps(row)) == row
    assert {name for name, value in row.items() if type(value) is not int} == {"opdc_iou"}


def test_noise_of_thousands_of_components_on_both_sides_is_counted():
    generator = np.random.default_rng(0)
    pred, label = generator.random((2, 256, 256)) < 0.08
    row = count_image(pred, label)
    assert row["components"] > 2000
    assert row["ref_matched"] < row["matched"] <= row["targets"]


@pytest.mark.parametrize(
    ("pred", "label", "message"),
    [
        (np.zeros((16, 16)), np.zeros((16, 16)), "bool prediction"),
        (np.zeros((16, 17), bool), np.zeros((16, 16)), r"\(16, 17\) does not fit"),
        (np.zeros((16, 16), bool), np.zeros((1, 16, 16)), r"\(H, W\)"),
        (np.zeros((16, 16), bool), np.full((16, 16), 256), "0 to 255"),
        (np.zeros((16, 16), bool), np.full((16, 16), -1), "0 to 255"),
        (np.zeros((16, 16), bool), np.full((16, 16), np.nan), "0 to 255"),
    ],
)
def test_bad_input_is_named(pred, label, message):
    with pytest.raises(ZooError, match=message):
        count_image(pred, label)
