"""A row against others of the same images."""

import shutil
from dataclasses import replace

import pytest

from irsam_zoo.engine.benchmark import RunOptions, run
from irsam_zoo.results.paired import METRICS, paired_differences
from irsam_zoo.results.store import ResultStore


@pytest.fixture
def stored(tmp_path, own_set):
    """A store with rows of three cuts of Top-Hat, the last by an oracle."""
    out = tmp_path / "out"
    for name, threshold in (("low", "fixed(5)"), ("high", "fixed(120)"), ("oracle", "best_iou")):
        (tmp_path / f"{name}.py").write_text(f"method = dict(type='top_hat', threshold='{threshold}')")
        methods = (str(tmp_path / f"{name}.py"),)
        run(RunOptions(methods=methods, datasets=(str(own_set),), out=str(out), jobs=1, device="cpu", train="none"))
    return ResultStore(out)


def test_differences_from_every_row_of_the_same_images(stored):
    rows = {row.method: row for row in stored.rows()}
    low = rows["low"]
    found = {other.method: metrics for other, metrics in paired_differences(low, stored.records(low), stored)}
    assert set(found) == {"high", "oracle"}
    for method, metrics in found.items():
        assert set(metrics) == set(METRICS)
        expected = low.metrics["exact"]["IoU"] - rows[method].metrics["exact"]["IoU"]
        assert metrics["IoU"]["difference"] == pytest.approx(expected)
        assert metrics["IoU"]["difference"] < -0.5
        assert metrics["IoU"]["low"] <= metrics["IoU"]["difference"] <= metrics["IoU"]["high"] < 0
        assert metrics["IoU"]["p"] == pytest.approx(2 / 1001)


def test_rows_that_cannot_be_compared_are_passed_over(stored):
    rows = {row.method: row for row in stored.rows()}
    records = stored.records(rows["low"])
    shutil.rmtree(stored.journal("mine", "irsam", "high").path)
    assert [other.method for other, _ in paired_differences(rows["low"], records, stored)] == ["oracle"]
    of_others = replace(rows["low"], key=rows["low"].key | {"data": "of other images"})
    assert paired_differences(of_others, records, stored) == []
    assert [other.method for other, _ in paired_differences(rows["low"], records, stored, "irsam")] == []
