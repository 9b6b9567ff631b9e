"""Which threshold policies reports try: what is registered, those of a plug-in among them, and nothing that cannot be built."""

from dataclasses import replace

import pytest

from irsam_zoo.reports.nearest_protocol import ways
from irsam_zoo.reports.offered_policies import offered_policies
from irsam_zoo.reports.page.recut_tables import page_cuts
from irsam_zoo.reports.row_files import RowFiles
from irsam_zoo.zoo import THRESHOLDS, Threshold, build_threshold
from tests.reports.builders import stored


class Half(Threshold):
    """Half of the largest score."""

    tried = ((), (3,))

    def __init__(self, divisor=2):
        super().__init__(divisor)

    def cut_at(self, statistics):
        return statistics.high / self.arguments[0]


class Broken(Threshold):
    def cut_at(self, statistics):
        raise RuntimeError("no luck")


class NeedsNumbers(Threshold):
    def __init__(self, cut):
        super().__init__(cut)


@pytest.fixture
def plugin():
    """Policies from outside, the broken one before the others."""
    policies = {"broken": Broken, "half": Half, "needs_numbers": NeedsNumbers, "no_policy": len}
    for name, policy in policies.items():
        THRESHOLDS.module_dict[name] = policy
    yield
    for name in policies:
        THRESHOLDS.module_dict.pop(name)


def spellings(kinds):
    return [str(policy) for policy in offered_policies(kinds)]


def test_policies_are_those_of_the_registry_for_the_scores():
    raw = ["fixed(0)", "minmax(0.5)", "adaptive(0.7, 0.5)", *(f"mean_std({k})" for k in (2, 3, 5, 8)), "best_iou"]
    assert spellings(["raw"]) == raw
    assert [name for name in spellings(["logit", "raw"]) if name not in raw] == ["minmax_prob(0.22)", "max_prob(0.5)"]
    assert spellings([None]) == []


def test_a_policy_of_a_plugin_is_in_page_and_audit(plugin, tmp_path):
    assert spellings(["raw"])[-3:] == ["broken", "half(2)", "half(3)"]
    here = stored(tmp_path)
    found = {way.policy: way.figures for way in ways(here.rows[0], here) if way.protocol == "exact"}
    cuts = page_cuts(here, RowFiles(here.store))
    assert found["half(2)"]["IoU"] == pytest.approx(100 * cuts["half(2)"].rows[0].metrics["exact"]["IoU"])
    assert "half(3)" in found
    assert "broken" not in found
    assert cuts["broken"].rows[0].reason == "RuntimeError: no luck"


def test_the_page_cuts_no_scores_by_a_policy_of_others_unless_it_is_asked_for(tmp_path):
    here = stored(tmp_path)
    row = here.rows[0]
    rows = [row, replace(row, method="network", score_kind="logit")]
    cut = page_cuts(replace(here, rows=rows), RowFiles(here.store))["max_prob(0.5)"].rows[0]
    assert (str(cut.status), cut.reason) == ("failed", "max_prob(0.5) is a cut of logit scores, and not of raw ones")
    asked = page_cuts(replace(here, policy=build_threshold("max_prob")), RowFiles(here.store))["max_prob(0.5)"].rows[0]
    assert str(asked.status) == "ok"
