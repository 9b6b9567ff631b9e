import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from irsam_zoo.metrics import best_iou, count_image, pd_fa_curve, quantize, roc, sum_sweeps, sweep_image
from irsam_zoo.zoo.errors import UsageError, ZooError
from tests.oracles import metrics_oracle as oracle

few_levels = arrays(np.uint8, st.tuples(st.integers(1, 14), st.just(13)), elements=st.sampled_from([0, 1, 2, 7, 254, 255]))


@given(few_levels, st.integers(0, 10**6), st.sampled_from([0.01, 0.05, 0.2]))
@settings(max_examples=60, deadline=None)
def test_equals_the_plain_sweep(levels, seed, density):
    label = (np.random.default_rng(seed).random(levels.shape) < density) * np.uint8(255)
    for name, values in oracle.sweep(levels, label).items():
        assert sweep_image(levels, label)[name].tolist() == values, name


@pytest.mark.parametrize("blur", [0, 0.8, 2])
@pytest.mark.parametrize("count", [2, 40, 256])
def test_every_cut_of_a_noise_map_equals_count_image(count, blur):
    generator = np.random.default_rng(11)
    levels = generator.integers(0, count, (70, 90)).astype(np.uint8)
    if blur:
        levels = cv2.GaussianBlur(levels, (0, 0), blur)
    label = cv2.dilate((generator.random(levels.shape) < 0.008).astype(np.uint8), np.ones((2, 3), np.uint8))
    sweep = sweep_image(levels, label)
    for cut in range(256):
        row = count_image(levels >= cut, label)
        assert sweep["tp"][cut] == row["intersection"]
        assert sweep["fp"][cut] == row["predicted_pixels"] - row["intersection"]
        assert sweep["matched"][cut] == row["matched"]
        assert sweep["false_pixels"][cut] == row["false_pixels"]
        assert sweep["targets"][cut] == row["targets"]


def test_everything_is_predicted_at_level_zero():
    label = np.zeros((32, 32), bool)
    label[15:17, 15:17] = True
    sweep = sweep_image(np.zeros((32, 32), np.uint8), label)
    assert [sweep[name][0] for name in ("tp", "fp", "matched", "false_pixels")] == [4, 1020, 1, 0]
    assert [sweep[name][1:].any() for name in ("tp", "fp", "matched", "false_pixels")] == [False] * 4


def test_an_image_without_targets_has_false_pixels_only():
    levels = np.random.default_rng(0).integers(0, 256, (40, 40)).astype(np.uint8)
    sweep = sweep_image(levels, np.zeros((40, 40)))
    assert not sweep["matched"].any()
    assert not sweep["targets"].any()
    np.testing.assert_array_equal(sweep["false_pixels"], sweep["fp"])
    assert sweep["fp"][0] == 1600


def test_raw_levels():
    score = np.array([[-2.0, -1.0], [0.0, 2.0]])
    assert quantize(score, "raw").tolist() == [[0, 63], [127, 255]]
    assert quantize(np.full((3, 4), 1.7), "raw").tolist() == np.zeros((3, 4)).tolist()
    tiny = quantize(np.float32([[0, 5e-324, 1e-45]]), "raw")
    assert tiny[0, 0] == 0
    assert tiny.max() == 255


def test_logit_levels():
    score = np.array([[-1e9, -1.0, 0.0, 1.0, 1e9]])
    assert quantize(score, "logit").tolist() == [[0, 68, 127, 186, 255]]
    assert quantize(np.array([[-np.inf, np.inf]]), "logit").tolist() == [[0, 255]]


@pytest.mark.parametrize("top", [255, 65535])
def test_every_level_of_a_picture_is_the_level_of_its_probability(top):
    stored = np.arange(top + 1)
    np.testing.assert_array_equal(quantize(stored[None] / top, "probability")[0], stored // (top // 255))


@given(arrays(np.float32, (6, 7), elements=st.floats(-(2.0**99), 2.0**99, width=32)))
@settings(max_examples=50, deadline=None)
def test_levels_keep_the_order_of_scores(score):
    for kind in ("raw", "logit"):
        levels = quantize(score, kind).ravel()[np.argsort(score, axis=None, kind="stable")]
        assert (np.diff(levels.astype(int)) >= 0).all()


@pytest.mark.parametrize(
    ("score", "kind", "error"),
    [
        (np.nan, "raw", ZooError),
        (np.nan, "logit", ZooError),
        (np.inf, "raw", ZooError),
        (1.1, "probability", ZooError),
        (-0.1, "probability", ZooError),
        (1.0, "odds", UsageError),
    ],
)
def test_scores_that_have_no_level(score, kind, error):
    with pytest.raises(error):
        quantize(np.array([[0.0, score]]), kind)


@pytest.mark.parametrize("levels", [np.zeros((16, 16)), np.zeros((16, 17), np.uint8)])
def test_levels_must_be_uint8_of_the_labels_shape(levels):
    with pytest.raises(ZooError, match="expected uint8 levels"):
        sweep_image(levels, np.zeros((16, 16)))


@pytest.fixture
def sweep():
    generator = np.random.default_rng(4)
    sweeps = []
    for _ in range(3):
        label = cv2.dilate((generator.random((60, 60)) < 0.003).astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
        sweeps.append((quantize(generator.normal(0, 1, (60, 60)) + 2.5 * label, "raw"), label))
    return sweeps


def test_sums_over_images(sweep):
    parts = [sweep_image(*image) for image in sweep]
    total = sum_sweeps(parts)
    assert total["targets"][0] == sum(part["targets"][0] for part in parts) > 3
    np.testing.assert_array_equal(total["tp"], parts[0]["tp"] + parts[1]["tp"] + parts[2]["tp"])


def test_area_under_the_curve_is_the_rank_statistic(sweep):
    fpr, tpr, auc = roc(sum_sweeps(sweep_image(*image) for image in sweep))
    assert (fpr[0], tpr[0], fpr[-1], tpr[-1]) == (0, 0, 1, 1)
    assert (np.diff(fpr) >= 0).all()
    assert (np.diff(tpr) >= 0).all()
    levels = np.concatenate([image.ravel() for image, _ in sweep]).astype(int)
    label = np.concatenate([label.ravel() for _, label in sweep])
    inside, outside = levels[label][:, None], levels[~label]
    assert auc == pytest.approx(np.mean((inside > outside) + 0.5 * (inside == outside)))


def test_curves_of_targets(sweep):
    total = sum_sweeps(sweep_image(*image) for image in sweep)
    fa, pd = pd_fa_curve(total)
    assert len(fa) == len(pd) == 256
    assert fa[100] == total["false_pixels"][155] / (3 * 3600)
    assert pd[100] == total["matched"][155] / total["targets"][0]


def test_best_iou_is_the_lowest_of_the_best_levels(sweep):
    level, iou = best_iou(sum_sweeps(sweep_image(*image) for image in sweep))
    at = []
    for cut in range(256):
        inside = sum(np.count_nonzero((image >= cut) & label) for image, label in sweep)
        either = sum(np.count_nonzero((image >= cut) | label) for image, label in sweep)
        at.append(inside / either)
    assert iou == max(at)
    assert level == at.index(max(at))


def test_curves_without_targets_or_background():
    empty = sweep_image(np.zeros((16, 16), np.uint8), np.zeros((16, 16)))
    assert roc(empty) == (None, None, None)
    assert best_iou(empty) == (None, None)
    assert pd_fa_curve(empty)[1] is None
    full = sweep_image(np.zeros((16, 16), np.uint8), np.ones((16, 16)))
    assert roc(full) == (None, None, None)
    assert best_iou(full) == (0, 1.0)
