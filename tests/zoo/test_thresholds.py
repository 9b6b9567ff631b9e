"""Threshold policies against their formulas."""

import sys

import numpy as np
import pytest
from scipy.special import expit

from irsam_zoo.zoo import THRESHOLDS, Threshold, UsageError, build_threshold
from irsam_zoo.zoo.thresholds import ScoreStatistics

SCORE = np.array([[0.0, 1.0], [2.0, 9.0]])


@pytest.mark.parametrize(
    ("spec", "cut"),
    [
        ("fixed(1.5)", 1.5),
        ("minmax(0.5)", 4.5),
        ("adaptive(0.7, 0.5)", 6.3),
        ("adaptive(0.1, 1)", 3.0 + SCORE.std()),
        ("mean_std(1)", 3.0 + SCORE.std()),
        (2, 2.0),
        (dict(type="minmax", fraction=0.25), 2.25),
    ],
)
def test_cut(spec, cut):
    policy = build_threshold(spec)
    np.testing.assert_array_equal(policy(SCORE), np.greater(SCORE, cut))
    assert build_threshold(str(policy))(SCORE).tolist() == policy(SCORE).tolist()


def test_the_deviation_is_over_all_pixels_as_in_the_python_codes():
    """The squares 9, 4, 1 and 36 of the four differences from 3, over 4 and not over 3."""
    assert ScoreStatistics.of(SCORE) == (0.0, 9.0, 3.0, 12.5**0.5)


@pytest.mark.parametrize("name", ["minmax(0.5)", "adaptive(0.7, 0.5)", "mean_std(3)"])
@pytest.mark.parametrize("level", [0.0, 0.1, -3.7, 254.3])
def test_constant_map_has_no_target(name, level):
    assert not build_threshold(name)(np.full((17, 19), level, np.float32)).any()


def test_best_iou_is_an_oracle_without_a_cut_for_one_image():
    policy = build_threshold("best_iou")
    assert policy.oracle
    with pytest.raises(UsageError, match="whole test set"):
        policy(SCORE)


@pytest.mark.parametrize(
    "spec",
    ["minmx(0.5)", "fixed(1, 2)", "minmax(a)", "fixed(", "", {}, {"type": "otsu"}, "fixed('x')", "best_iou(0.5)"],
)
def test_wrong_spelling_shows_the_right_ones(spec):
    with pytest.raises(UsageError, match="is not a policy; write one of fixed"):
        build_threshold(spec)


@pytest.mark.parametrize("name", ["antigravity", "this"])
def test_a_policy_that_is_none_is_not_imported(name):
    with pytest.raises(UsageError, match="is not a policy"):
        build_threshold(name)
    assert name not in sys.modules


@pytest.mark.parametrize(
    "spec",
    ["minmax(50)", "minmax(-0.1)", "adaptive(70, 50)", "minmax_prob(22)", "max_prob(22)", dict(type="minmax", fraction=2)],
)
def test_a_fraction_lies_between_0_and_1(spec):
    with pytest.raises(UsageError, match=r"not a policy.* must be between 0 and 1"):
        build_threshold(spec)


@pytest.mark.parametrize("spec", ["fixed(1e999)", float("nan"), "mean_std(-1e999)"])
def test_numbers_are_finite(spec):
    with pytest.raises(UsageError, match="must be finite"):
        build_threshold(spec)


def test_the_list_of_policies_is_the_registry(monkeypatch):
    class Needy(Threshold):
        def __init__(self, k):
            super().__init__(float(k))

    monkeypatch.setitem(THRESHOLDS.module_dict, "needy", Needy)
    with pytest.raises(UsageError, match=r"max_prob\(0.5\), adaptive\(0.7, 0.5\), mean_std\(3\), best_iou, needy$"):
        build_threshold("otsu")
    assert str(build_threshold("needy(2)")) == "needy(2)"


def test_best_iou_takes_the_lowest_level_of_the_best():
    policy = build_threshold("best_iou")
    sweep = {"tp": np.array([4, 4, 4, 2]), "fp": np.array([12, 2, 2, 0])}
    assert policy.level(sweep) == 1
    assert policy.level({"tp": np.zeros(4, int), "fp": np.array([12, 2, 2, 0])}) is None


@pytest.mark.parametrize("scale", [0.1, 3.0, 30.0])
def test_minmax_rule_on_logits_is_the_rule_on_probabilities(scale):
    logits = (scale * np.random.default_rng(1).standard_normal((40, 40)) - 2).astype(np.float64)
    probabilities = expit(logits)
    normal = (probabilities - probabilities.min()) / (probabilities.max() - probabilities.min())
    policy = build_threshold("minmax_prob(0.22)")
    assert str(policy) == "minmax_prob(0.22)"
    np.testing.assert_array_equal(policy(logits), normal > 0.22)


def test_minmax_rule_at_the_ends_of_the_range():
    policy = build_threshold("minmax_prob")
    assert not policy(np.full((4, 4), -3.0)).any()
    # Both probabilities underflow: 0.22 e^-800 is the cut, and the logit of a tiny p is log p.
    assert policy(np.array([-900.0, -801.0, -802.0, -800.0])).tolist() == [False, True, False, True]
    assert policy(np.array([900.0, 40.0, 2000.0, -900.0])).tolist() == [True, True, True, False]


@pytest.mark.parametrize("fraction", [0, 1, -0.2])
def test_minmax_rule_needs_a_fraction(fraction):
    with pytest.raises(UsageError, match="not a policy"):
        build_threshold(f"minmax_prob({fraction})")


@pytest.mark.parametrize("shift", [-6.0, 0.0, 6.0])
def test_rule_by_the_highest_probability(shift):
    logits = 3 * np.random.default_rng(2).standard_normal((40, 40)) + shift
    probabilities = expit(logits)
    policy = build_threshold("max_prob")
    assert str(policy) == "max_prob(0.5)"
    np.testing.assert_array_equal(policy(logits), probabilities / probabilities.max() > 0.5)
    # Where the probabilities underflow, half of the highest one is a logit lower by log 2.
    assert policy(np.array([-900.0, -900.6, -900.7])).tolist() == [True, True, False]
    assert policy(np.array([900.0, 0.1, -0.1])).tolist() == [True, True, False]


@pytest.mark.parametrize("fraction", [0, 1, -0.2])
def test_rule_by_the_highest_probability_needs_a_fraction(fraction):
    with pytest.raises(UsageError, match="not a policy"):
        build_threshold(f"max_prob({fraction})")
