import numpy as np
import pytest

from irsam_zoo.metrics.components import label_components
from irsam_zoo.metrics.hiou import hierarchical_iou, match_opdc, overlap_pairs
from irsam_zoo.metrics.matching import candidate_pairs


def boxes(*corners, size=48):
    mask = np.zeros((size, size), bool)
    for row, column, height, width in corners:
        mask[row : row + height, column : column + width] = True
    return label_components(mask)


def test_overlap_pairs_hold_the_iou_of_whole_components():
    targets, predictions = boxes((5, 5, 4, 4), (30, 30, 2, 2)), boxes((5, 7, 4, 4), (31, 31, 1, 1), (40, 5, 2, 2))
    target, prediction, iou = overlap_pairs(targets, predictions)
    assert target.tolist() == [0, 1]
    assert prediction.tolist() == [0, 1]
    np.testing.assert_allclose(iou, [8 / 24, 1 / 4])


def test_overlap_matches_at_a_centroid_distance_of_more_than_three():
    targets, predictions = boxes((5, 5, 3, 20)), boxes((5, 5, 3, 12))
    pairs = candidate_pairs(targets.centroid, predictions.centroid)
    assert len(pairs[0]) == 0
    assert match_opdc(predictions, pairs, overlap_pairs(targets, predictions))[2].tolist() == [0.6]


@pytest.mark.parametrize(("length", "overlaps"), [(10, [0.5]), (9, [])])
def test_half_of_the_union_is_enough_for_the_first_stage_and_less_is_not(length, overlaps):
    targets, predictions = boxes((5, 5, 2, 20)), boxes((5, 5, 2, length))
    pairs = candidate_pairs(targets.centroid, predictions.centroid)
    assert len(pairs[0]) == 0
    assert match_opdc(predictions, pairs, overlap_pairs(targets, predictions))[2].tolist() == overlaps


def test_what_overlap_has_matched_is_not_matched_again():
    # The second prediction is within 3 px of the target, which the first has taken.
    targets, predictions = boxes((10, 10, 2, 2)), boxes((10, 10, 2, 2), (13, 10, 1, 1))
    pairs = candidate_pairs(targets.centroid, predictions.centroid)
    assert len(pairs[0]) == 2
    assert match_opdc(predictions, pairs, overlap_pairs(targets, predictions))[1].tolist() == [0]


def test_distance_makes_up_for_missing_overlap():
    targets, predictions = boxes((10, 10, 1, 1)), boxes((12, 10, 1, 1))
    pairs = candidate_pairs(targets.centroid, predictions.centroid)
    target, prediction, iou = match_opdc(predictions, pairs, overlap_pairs(targets, predictions))
    assert (target.tolist(), prediction.tolist(), iou.tolist()) == ([0], [0], [0.0])


def test_hierarchical_iou_of_arrays():
    result = hierarchical_iou(np.array([2, 0, 0]), np.array([1.5, 0, 0]), np.array([3, 1, 0]), np.array([4, 0, 0]))
    np.testing.assert_allclose(result["segIoU"], [0.75, np.nan, np.nan])
    np.testing.assert_allclose(result["locIoU"], [0.4, 0, np.nan])
    np.testing.assert_allclose(result["hIoU"], [0.3, 0, np.nan])
    assert float(hierarchical_iou(1, 0.5, 1, 1)["hIoU"]) == pytest.approx(0.5)
