"""What the digits of published tables tell."""

import pytest

from irsam_zoo.datasets import build_dataset
from irsam_zoo.metrics.components import label_components, target_masks
from irsam_zoo.reports.consistency import PublishedCell, contradictions, published_cells, same_digits, whole_numbers
from irsam_zoo.reports.published import list_facts


def cell(source="irsam_table1", method="ipi", dataset="nudt-sirst", **figures):
    return PublishedCell(source, method, dataset, dict(IoU="10.00", Pd="50.00", Fa="20.00") | figures)


@pytest.mark.parametrize(
    ("a", "b", "same"),
    [
        ("881", "881.02", True),
        ("27.92", "27.923", True),
        ("27.923", "27.92", True),
        ("6.998", "7.003", False),
        ("8.3", "8.36", False),
    ],
)
def test_digits_are_compared_as_far_as_both_are_printed(a, b, same):
    assert same_digits(a, b) == same


def test_cells_of_the_published_tables_that_contradict_each_other():
    found = list(contradictions(published_cells()))
    both = "BasicIRSTD and IRSAM, Table 1"
    for text in (
        f"MSLSTIPT on nudt-sirst, {both}: Fa 88.102 and 881 are the same digits, a factor of 10^1 apart.",
        "MSLSTIPT on nuaa-sirst, IRSAM, Table 1: Pd 0.052 is less than one target of the whole set, 0.188.",
        "ACMNet on irstd-1k, IRSAM, Table 1: Pd 90.58, Fa 21.78 are also those of ALCNet.",
        f"NRAM on nudt-sirst, {both}: equal to the digit on different lists: IoU 6.931, Pd 56.403, Fa 19.267.",
        f"RIPT on nudt-sirst, {both}: IoU and Pd agree within 2%, Fa 344.303 and 65.3 are a factor of 5.3 apart.",
    ):
        assert text in found
    assert len(found) == len(set(found)) == 13


def test_cells_that_may_both_have_been_measured_are_left_alone():
    other = dict(source="basicirstd", IoU="10.100", Pd="50.100", Fa="21.000")
    assert not list(contradictions([cell(), cell(**other)]))
    assert not list(contradictions([cell(), cell(method="nram", IoU="12.00", Fa="21.00")]))  # one Pd is no wonder
    assert list(contradictions([cell(), cell(**other | dict(Fa="31.000"))]))
    assert list(contradictions([cell(), cell(method="nram", IoU="12.00")]))
    assert not list(contradictions([cell(), cell(**other | dict(dataset="nuaa-sirst", Fa="31.000"))]))


def test_lists_are_told_from_the_digits_of_pd():
    telling = {(c.source, c.family, c.dataset, c.split) for c in whole_numbers(published_cells()) if c.telling}
    sets = ("irstd-1k", "nudt-sirst", "nuaa-sirst")
    assert {("basicirstd", "deep", name, "dnanet") for name in sets} <= telling
    assert ("irsam_table1", "classical", "nuaa-sirst", "all") in telling
    assert ("basicirstd", "classical", "nudt-sirst", "dnanet") in telling  # near whole numbers, though few are such
    assert not {place for place in telling if place[3] == "irsam"}


def test_whole_numbers_by_hand():
    """Of 109 targets, 0.917 % is one and 50.46 % are 55; 50 % is half a target off."""
    cells = [cell(dataset="nuaa-sirst", Pd=text) for text in ("0.917", "50.46", "50.00")]
    (found,) = (c for c in whole_numbers(cells) if c.split == "irsam")
    assert (found.targets, found.cells, found.fit) == (109, 3, 2)
    assert found.by_chance == pytest.approx((0.001 + 0.01 + 0.01) * 1.09)
    assert found.off == pytest.approx((0.5 + 0.001 + 0.0005) / 3, abs=5e-4)
    assert found.telling
    (one,) = (c for c in whole_numbers([cells[0], cells[2]]) if c.split == "irsam")
    assert (one.fit, one.telling) == (1, False)


@pytest.mark.real_data
@pytest.mark.parametrize(("dataset", "split"), [key for key in list_facts() if key[1] != "all"])
def test_facts_of_the_lists(dataset, split, data_root):
    opened = build_dataset(dataset, root=data_root, split=split, subset="test")
    masks = [target_masks(opened.read(image_id)["label"])[0] for image_id in opened.ids]
    targets = sum(len(label_components(mask)) for mask in masks)
    assert list_facts()[dataset, split] == dict(images=len(masks), targets=targets, pixels=sum(mask.size for mask in masks))
