import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linear_sum_assignment
from scipy.spatial.distance import cdist

from irsam_zoo.metrics.matching import candidate_pairs, match_greedy, match_optimal

points = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)), max_size=30).map(
    lambda rows: np.array(rows, float).reshape(-1, 2) / 4
)


@given(points, points)
@settings(max_examples=80, deadline=None)
def test_candidates_are_all_pairs_below_three_pixels(targets, predictions):
    target, prediction, distance = candidate_pairs(targets, predictions)
    expected = cdist(targets, predictions)
    np.testing.assert_array_equal(np.column_stack([target, prediction]), np.argwhere(expected < 3))
    np.testing.assert_allclose(distance, expected[target, prediction])


@given(points, points, st.integers(0, 9))
@settings(max_examples=80, deadline=None)
def test_optimal_has_the_most_pairs_then_the_least_distance(targets, predictions, seed):
    target, prediction, distance = candidate_pairs(targets, predictions)
    area = np.random.default_rng(seed).integers(1, 50, len(predictions))
    matched = match_optimal(target, prediction, distance, area[prediction])
    assert len(set(target[matched])) == len(set(prediction[matched])) == len(matched)
    far = 1e4
    cost = np.full((len(targets), len(predictions)), far)
    cost[target, prediction] = distance
    rows, columns = linear_sum_assignment(cost)
    near = cost[rows, columns] < far
    assert len(matched) == near.sum()
    assert distance[matched].sum() <= cost[rows, columns][near].sum() + 1e-4


def test_a_tie_in_distance_goes_to_the_larger_component():
    target, prediction, distance = np.array([0, 0]), np.array([0, 1]), np.array([2.0, 2.0])
    assert match_optimal(target, prediction, distance, np.array([1, 3])).tolist() == [1]
    assert match_optimal(target, prediction, distance, np.array([3, 1])).tolist() == [0]


@pytest.mark.parametrize(("further", "taken"), [(2e-7, 1), (2e-6, 0)])
def test_distances_within_a_millionth_of_a_pixel_are_a_tie(further, taken):
    target, prediction, distance = np.array([0, 0]), np.array([0, 1]), np.array([2.0, 2.0 + further])
    assert match_optimal(target, prediction, distance, np.array([1, 9])).tolist() == [taken]


def test_a_tie_is_broken_the_same_way_among_rivals():
    # Two targets, three predictions: 1 lies between both and is disputed; 0 and 2 are as far from one target each.
    target, prediction = np.array([0, 0, 1, 1]), np.array([0, 1, 1, 2])
    matched = match_optimal(target, prediction, np.full(4, 2.0), np.array([1, 9, 9, 5]))
    assert {(target[i], prediction[i]) for i in matched} == {(0, 1), (1, 2)}


def test_greedy_takes_the_first_free_one():
    target, prediction = np.array([0, 0, 1, 1, 2]), np.array([0, 1, 0, 1, 1])
    assert match_greedy(target, prediction).tolist() == [0, 3]


def test_nothing_to_match():
    nothing = candidate_pairs(np.zeros((0, 2)), np.zeros((3, 2)))
    assert [len(column) for column in nothing] == [0, 0, 0]
    assert len(match_greedy(*nothing[:2])) == len(match_optimal(*nothing, np.zeros(0))) == 0
