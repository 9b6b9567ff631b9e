from itertools import combinations

import numpy as np
import pandas as pd
import pytest

from irsam_zoo.metrics import PROTOCOLS, bootstrap, bootstrap_ci, compute_metrics, count_image, paired_bootstrap, ratio_ci
from irsam_zoo.metrics.bootstrap import luck
from irsam_zoo.zoo.errors import UsageError, ZooError


def table(seed, hit_rate, images=60):
    generator, labels = np.random.default_rng(seed), np.random.default_rng(99)
    rows = []
    for _ in range(images):
        label = np.zeros((32, 32), bool)
        pred = np.zeros((32, 32), bool)
        for row, column in labels.integers(2, 28, (2, 2)):
            label[row : row + 3, column : column + 3] = True
            if generator.random() < hit_rate:
                pred[row : row + 3, column : column + 2] = True
        pred |= generator.random((32, 32)) < 0.002
        rows.append(count_image(pred, label))
    return rows


@pytest.fixture
def forget():
    """Nothing that was drawn is kept, from before the test or after it."""

    def clear():
        for cache in (bootstrap._draws, bootstrap._figures):
            cache.cache_clear()

    clear()
    yield clear
    clear()


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_intervals_hold_the_value_and_narrow_with_more_images(protocol):
    rows = table(0, 0.7)
    value, wide, narrow = compute_metrics(rows, protocol), bootstrap_ci(rows, protocol), bootstrap_ci(rows * 9, protocol)
    assert set(value) == set(wide)
    for name, (low, high) in wide.items():
        assert low < value[name] < high, name
        assert (narrow[name][1] - narrow[name][0]) == pytest.approx((high - low) / 3, rel=0.3), name


def test_interval_of_pd_is_the_binomial_one():
    hit, miss = np.eye(16, dtype=bool), np.zeros((16, 16), bool)
    rows = [count_image(hit, hit)] * 70 + [count_image(miss, hit)] * 30
    low, high = bootstrap_ci(rows, n=4000)["Pd"]
    half = 1.96 * np.sqrt(0.7 * 0.3 / 100)
    assert (low, high) == (pytest.approx(0.7 - half, abs=0.015), pytest.approx(0.7 + half, abs=0.015))


def test_seed_and_level():
    rows = table(0, 0.7)
    assert bootstrap_ci(rows, seed=1) == bootstrap_ci(pd.DataFrame(rows), seed=1)
    assert bootstrap_ci(rows, seed=1) != bootstrap_ci(rows, seed=2)
    low, high = bootstrap_ci(rows, level=0.5)["IoU"]
    wide = bootstrap_ci(rows, level=0.99)["IoU"]
    assert wide[0] < low < high < wide[1]


def flips(won, lost, even=60):
    """Counts of two methods on images of one target each, of which the one alone finds `won` and the other alone `lost`."""
    hit, miss = np.eye(16, dtype=bool), np.zeros((16, 16), bool)
    found = [(hit, miss)] * won + [(miss, hit)] * lost + [(hit, hit)] * even
    return [[count_image(pair[side], hit) for pair in found] for side in (0, 1)]


def test_more_resamples_are_drawn_where_chance_could_move_the_end_of_the_interval_past_0():
    ours, theirs = flips(10, 3)  # 2.9 % of resamples are on the far side, which 1000 cannot tell from 2.5 %
    few = [paired_bootstrap(ours, theirs, metric="Pd", n=1000, seed=seed) for seed in range(8)]
    assert {found["low"] > 0 for found in few} == {True, False}
    assert all(abs(found["p"] / 2 - 0.025) < luck(1000) for found in few)
    for seed in range(3):
        found = paired_bootstrap(ours, theirs, metric="Pd", seed=seed)
        assert abs(found["p"] / 2 - 0.025) > luck(100_000)
        assert found["low"] <= 0
        assert found["p"] == pytest.approx(0.06, abs=0.005)


def test_a_clear_lead_takes_no_more_resamples():
    assert paired_bootstrap(*flips(20, 2), metric="Pd") == paired_bootstrap(*flips(20, 2), metric="Pd", n=1000)


def test_resamples_do_not_depend_on_how_many_are_held_at_a_time(monkeypatch, forget):
    whole = paired_bootstrap(table(0, 0.7), table(1, 0.8), n=1000)
    forget()
    monkeypatch.setattr(bootstrap, "CHUNK", 37)
    assert paired_bootstrap(table(0, 0.7), table(1, 0.8), n=1000) == whole


def test_resamples_do_not_depend_on_how_many_are_kept(monkeypatch, forget):
    whole = paired_bootstrap(table(0, 0.7), table(1, 0.8), n=1000)
    monkeypatch.setattr(bootstrap, "KEPT_BYTES", 3 * bootstrap.CHUNK * 60)
    forget()
    for _ in range(2):
        assert paired_bootstrap(table(0, 0.7), table(1, 0.8), n=1000) == whole
        bootstrap._figures.cache_clear()
    assert len(bootstrap._draws(60, 0).kept) == 3


def test_images_are_drawn_once_and_each_method_weighed_once_for_all_pairs(monkeypatch, forget):
    drawn, weighed = [], []
    draw, weigh = bootstrap._Draws._draw, bootstrap._weighted
    monkeypatch.setattr(bootstrap._Draws, "_draw", lambda self, generator: drawn.append(1) or draw(self, generator))
    monkeypatch.setattr(bootstrap, "_weighted", lambda *given: weighed.append(type(given[-1])) or weigh(*given))
    methods = [table(seed, 0.5 + seed / 20) for seed in range(5)]
    for a, b in combinations(methods, 2):
        for metric in ("IoU", "Pd"):
            paired_bootstrap(a, b, metric=metric, n=1000)
    assert len(drawn) == -(-1000 // bootstrap.CHUNK)
    assert len([kind for kind in weighed if kind is not list]) == 5 * 2


def test_undefined_metrics_have_no_interval():
    empty = np.zeros((16, 16), bool)
    intervals = bootstrap_ci([count_image(empty, empty)] * 5)
    assert intervals["Pd"] == intervals["IoU"] == (None, None)
    assert intervals["Fa"] == (0.0, 0.0)
    assert bootstrap_ci([])["Fa"] == (None, None)


def test_a_rare_target_leaves_only_resamples_that_drew_it():
    label = np.eye(16, dtype=bool)
    rows = [count_image(label, label)] + [count_image(np.zeros_like(label), np.zeros_like(label))] * 9
    assert bootstrap_ci(rows)["Pd"] == (1.0, 1.0)


def test_a_clear_difference_has_a_small_p():
    good, bad = table(1, 0.9), table(2, 0.4)
    result = paired_bootstrap(good, bad, metric="Pd")
    assert result["difference"] == compute_metrics(good)["Pd"] - compute_metrics(bad)["Pd"]
    assert 0 < result["low"] < result["difference"] < result["high"]
    assert result["p"] == pytest.approx(2 / 1001)
    assert paired_bootstrap(bad, good, metric="Pd")["difference"] == -result["difference"]


def test_equal_methods_do_not_differ():
    rows = table(1, 0.6)
    assert paired_bootstrap(rows, pd.DataFrame(rows), "irsam", "nIoU") == {"difference": 0, "low": 0, "high": 0, "p": 1}
    assert paired_bootstrap(table(1, 0.6), table(7, 0.6), metric="Pd")["p"] > 0.05


def test_pairs_are_resampled_together():
    # The second method finds one pixel less in every image: paired, the difference hardly varies.
    good = table(3, 0.6)
    less = [row | {"false_pixels": row["false_pixels"] + 1} for row in good]
    result = paired_bootstrap(less, good, metric="Fa")
    assert result["low"] == pytest.approx(result["high"]) == pytest.approx(1 / 1024)


def test_undefined_differences():
    empty = np.zeros((16, 16), bool)
    rows = [count_image(empty, empty)] * 3
    assert paired_bootstrap(rows, rows, metric="Pd") == {"difference": None, "low": None, "high": None, "p": None}


def test_tables_of_other_images_are_refused():
    rows = table(1, 0.6)
    label = np.eye(32, dtype=bool)
    for other in (rows[:-1], [*rows[:-1], count_image(label, np.zeros_like(label))]):
        with pytest.raises(ZooError, match="same images"):
            paired_bootstrap(rows, other)
    with pytest.raises(UsageError, match="no metric 'hIoU'"):
        paired_bootstrap(rows, rows, "irsam", "hIoU")


def test_ratios_have_the_intervals_of_the_metrics_that_they_are():
    rows = pd.DataFrame(table(4, 0.6))
    known = bootstrap_ci(rows)
    counts = rows[["matched", "intersection"]], rows[["targets", "union"]]
    for (low, high), name in zip(ratio_ci(*counts), ("Pd", "IoU"), strict=True):
        assert (low, high) == pytest.approx(known[name])
    assert ratio_ci(np.zeros((5, 1)), np.zeros((5, 1))) == [(None, None)]
